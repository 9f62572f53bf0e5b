"""Rows of the tables of networks: what tuning sees, and what the networks of the results are, need
and take."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from analyses.complexity_classification.cost import cost_of
from analyses.complexity_classification.data import make_task
from analyses.complexity_classification.networks import make_network, make_rule
from analyses.complexity_classification.readouts import read_out
from neurocode.learning import Network, Task, evaluate
from neurocode.learning.rules import Tempotron, TempotronNeurons, latency_patterns
from neurocode.learning.trainable import trainable

#: Samples that go through a network together.
TOGETHER = 200
SYNAPSES, DURATION = 200, 0.5

Row = dict[str, Any]


def fitted(row: Row) -> tuple[Task, Network, Network, int]:
    """Task, start, network that validation chose, and at which look or epoch it did."""
    task = make_task(row)
    start = make_network(row, task)
    result = make_rule(row, task).fit(start, task, seed=row["seed"])
    return task, start, result.network, int(np.argmax(result.history["validation_score"])) + 1


def learning_of(task: Task, start: Network, net: Network, best_epoch: int) -> dict[str, float]:
    """What says whether a network learned its own objective; see :func:`claims.is_trained`."""
    score = evaluate(net, task.training, task, batch_size=TOGETHER).score
    shared = {"best_epoch": best_epoch, "training_score": score, "chance": 1 / task.n_outputs}
    return {**shared, "training_samples": len(task.training), "moved": moved(start, net)}


def moved(start: Network, net: Network) -> float:
    """How far what is learned in the layers went, over its size at the start."""
    before, after = (jax.tree.leaves(trainable(own)[0].layers) for own in (start, net))
    change = sum(float(jnp.sum((b - a) ** 2)) for a, b in zip(before, after, strict=True))
    return float(np.sqrt(change / sum(float(jnp.sum(a**2)) for a in before)))


def tuning_row(**row: Any) -> dict[str, float]:
    """What validation says of a setting, read by complexity; no test score is kept."""
    task, start, net, best_epoch = fitted(row)
    read, _ = read_out(task, net, ["validation"])
    loss = evaluate(net, task.validation, task, batch_size=TOGETHER).loss
    chosen = {"validation_score": read["validation_complexity"], "validation_loss": loss, **read}
    return {**chosen, **learning_of(task, start, net, best_epoch)}


def training_row(**row: Any) -> dict[str, Any]:
    """One training: accuracies by complexity, by count and by potential, and what a decision costs.

    Beside it those of the network before training and of the inputs themselves.
    """
    task, start, net, best_epoch = fitted(row)
    parts = ("validation", "test")
    (read, decoders), (before, _), (raw, _) = (
        read_out(task, own, parts) for own in (net, start, None)
    )
    potential = {
        f"{part}_potential": evaluate(net, getattr(task, part), task, batch_size=TOGETHER).score
        for part in parts
    }
    return {
        **read,
        **potential,
        **_named("untrained", before),
        **_named("raw", raw),
        "over_untrained": read["test_complexity"] - before["test_complexity"],
        **cost_of(net, task.test, decoders["complexity"], row["seed"]),
        **learning_of(task, start, net, best_epoch),
    }


def _named(name: str, scores: dict[str, float]) -> dict[str, float]:
    return {f"{name}_{key}": value for key, value in scores.items()}


def capacity_row(**row: Any) -> dict[str, Any]:
    """Whether one Tempotron of 200 synapses learns every random latency pattern of half a second,
    and in how many cycles."""
    patterns = latency_patterns(round(row["load"] * SYNAPSES), SYNAPSES, DURATION, row["seed"])
    found = Tempotron(cycles=row["cycles"]).fit(
        TempotronNeurons(SYNAPSES), patterns, seed=row["seed"]
    )
    return {
        "learned": found.learned,
        "used": len(found.errors[0]),
        "left": int(found.errors[0][-1]),
    }

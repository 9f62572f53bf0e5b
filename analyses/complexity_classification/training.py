"""Rows of the tables of networks: validation scores of the tuning, and scores and costs of the
networks of the results."""

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

#: Number of samples that go through a network together.
TOGETHER = 200
SYNAPSES, DURATION = 200, 0.5

Row = dict[str, Any]


def fitted(row: Row) -> tuple[Task, Network, Network, int]:
    """Return the task, the untrained network, the one that validation chose, and the number of the
    look or epoch at which it was chosen."""
    task = make_task(row)
    start = make_network(row, task)
    result = make_rule(row, task).fit(start, task, seed=row["seed"])
    return task, start, result.network, int(np.argmax(result.history["validation_score"])) + 1


def learning_of(task: Task, start: Network, net: Network, best_epoch: int) -> dict[str, float]:
    """Return the columns from which :func:`claims.is_trained` decides whether a network learned."""
    score = evaluate(net, task.training, task, batch_size=TOGETHER).score
    shared = {"best_epoch": best_epoch, "training_score": score, "chance": 1 / task.n_outputs}
    return {**shared, "training_samples": len(task.training), "moved": moved(start, net)}


def moved(start: Network, net: Network) -> float:
    """Return the distance that the learned values of the layers moved, divided by their initial
    size."""
    before, after = (jax.tree.leaves(trainable(network)[0].layers) for network in (start, net))
    change = sum(float(jnp.sum((b - a) ** 2)) for a, b in zip(before, after, strict=True))
    return float(np.sqrt(change / sum(float(jnp.sum(a**2)) for a in before)))


def tuning_row(**row: Any) -> dict[str, float]:
    """Return the validation scores of a setting, read by complexity; no test score is kept."""
    task, start, net, best_epoch = fitted(row)
    read, _ = read_out(task, net, ["validation"])
    loss = evaluate(net, task.validation, task, batch_size=TOGETHER).loss
    chosen = {"validation_score": read["validation_complexity"], "validation_loss": loss, **read}
    return {**chosen, **learning_of(task, start, net, best_epoch)}


def training_row(**row: Any) -> dict[str, Any]:
    """Train one network and return its accuracies and the cost of a decision.

    Accuracies are by complexity, by count and by potential. Those of the network before training
    and of the inputs themselves are added.
    """
    task, start, net, best_epoch = fitted(row)
    parts = ("validation", "test")
    (read, decoders), (before, _), (raw, _) = (
        read_out(task, network, parts) for network in (net, start, None)
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
    """Return whether one Tempotron of 200 synapses learns all random latency patterns of half a
    second, and after how many cycles."""
    patterns = latency_patterns(round(row["load"] * SYNAPSES), SYNAPSES, DURATION, row["seed"])
    result = Tempotron(cycles=row["cycles"]).fit(
        TempotronNeurons(SYNAPSES), patterns, seed=row["seed"]
    )
    return {
        "learned": result.learned,
        "used": len(result.errors[0]),
        "left": int(result.errors[0][-1]),
    }

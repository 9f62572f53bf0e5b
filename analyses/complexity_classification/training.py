"""Rows of the tables of networks."""

from __future__ import annotations

from typing import Any

from analyses.complexity_classification.data import make_task
from analyses.complexity_classification.networks import make_network, make_rule
from analyses.complexity_classification.readouts import readout_scores
from neurocode.learning import evaluate
from neurocode.learning.rules import Tempotron, TempotronNeurons, latency_patterns

#: Samples that go through a network together.
BATCH = 200
SYNAPSES, DURATION = 200, 0.5


def training_row(**row: Any) -> dict[str, Any]:
    """One training, read by complexity, by count and by the potential of its readout."""
    task = make_task(row)
    net = make_rule(row, task).fit(make_network(row, task), task, seed=row["seed"]).network
    parts = ("validation", "test")
    potential = {f"{part}_potential": evaluate(net, getattr(task, part), task, batch_size=BATCH).score for part in parts}
    return {**readout_scores(task, net), **potential}


def control_row(**row: Any) -> dict[str, Any]:
    """The same readouts of the inputs, or of a network as it starts."""
    task = make_task(row)
    return readout_scores(task, None if row["kind"] == "raw" else make_network(row, task))


def capacity_row(**row: Any) -> dict[str, Any]:
    """Whether one Tempotron of 200 synapses learns every random latency pattern of half a second, and in how many cycles."""
    patterns = latency_patterns(round(row["load"] * SYNAPSES), SYNAPSES, DURATION, row["seed"])
    found = Tempotron(cycles=row["cycles"]).fit(TempotronNeurons(SYNAPSES), patterns, seed=row["seed"])
    return {"learned": found.learned, "used": len(found.errors[0]), "left": int(found.errors[0][-1])}

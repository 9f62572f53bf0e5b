"""A row of the tables: accuracy, rates, energy, thresholds, and accuracy under disturbances."""

from __future__ import annotations

from typing import Any

import numpy as np

from analyses.threshold_learning.networks import make_network, make_settings, make_task
from neurocode.learning import energy, evaluate, stratified, train
from neurocode.learning import perturbations as disturb

#: Test sequences that are disturbed and counted, every class in proportion.
TESTED = 300
NOISE, SHARE, FLIPS = 1.0, 0.2, 0.1


def training_row(**row: Any) -> dict[str, Any]:
    """Scores of the epoch that validation chose, and what its network needs and withstands."""
    task = make_task(row)
    result = train(make_network(row, task), task, seed=row["seed"], settings=make_settings(row))
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    net, part = result.network, stratified(task.test, TESTED, row["seed"])
    thresholds = np.asarray(net.layers[0].intrinsic.values()["theta"])
    disturbed = {
        "noise": (net, disturb.gaussian_noise(part, NOISE * float(part.inputs.std()), seed=row["seed"])),
        "salt": (net, disturb.salt_and_pepper(part, SHARE, seed=row["seed"])),
        "flips": (disturb.spike_flips(net, FLIPS), part),
    }
    counted = energy(net, part, seed=row["seed"])
    return {
        "validation_score": float(chosen["validation_score"]), "test_score": result.test_score, "best_epoch": result.best_epoch,
        "rate_hidden": float(chosen["rate_0"]), "threshold_mean": float(thresholds.mean()),
        "threshold_spread": float(thresholds.std()), "operations": float(counted["operations"].sum()),
        "nanojoule": 1e-3 * float(counted["picojoule"].sum()),
        **{name: evaluate(own, inputs, task, seed=row["seed"]).score for name, (own, inputs) in disturbed.items()},
    }  # fmt: skip

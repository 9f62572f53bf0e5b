"""A network at the epoch of equal validation accuracy, under disturbed inputs, attacks, and disturbed spikes and membranes.

Sizes are in units of the standard deviation of the inputs; lengths are those of a change of this size at every channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from analyses.noisy_networks.networks import make_task
from analyses.noisy_networks.training import PASSES, trained
from neurocode.learning import Network, Part, Task, evaluate, stratified
from neurocode.learning import perturbations as disturb

#: Test sequences that are disturbed, every class in proportion.
TESTED = 300
#: Of the largest passes, the expectation over noise.
NOISES, SHARES = (0.5, 1.0, 2.0), (0.1, 0.3)
SIZES = (0.1, 0.2, 0.4)
FLIPS, MEMBRANES = (0.02, 0.05, 0.1, 0.2), (0.1, 0.2, 0.4)
DROPS = (0.25, 0.5)


def robustness_row(**row: Any) -> dict[str, float]:
    """Test accuracy of one pass at every level, by the name of the disturbance and its level."""
    task = make_task(row)
    net = trained(row).last
    other = trained({**row, "kind": row["other"], "rate": row["other_rate"], "epochs": row["other_epochs"]}).last
    part = stratified(task.test, TESTED, row["seed"])
    found = {"clean": _score(net, part, task, row), "ensemble": evaluate(net, part, task, seed=row["seed"], passes=PASSES).score}
    for name, own, inputs in _variants(net, other, part, task, row["seed"]):
        found[name] = _score(own, inputs, task, row)
    return found


def _score(net: Network, part: Part, task: Task, row: dict[str, Any]) -> float:
    return evaluate(net, part, task, seed=row["seed"]).score


def _variants(net: Network, other: Network, part: Part, task: Task, seed: int) -> Iterator[tuple[str, Network, Part]]:
    """Name, network and inputs of every disturbance."""
    unit = float(part.inputs.std())
    low, high = float(part.inputs.min()), float(part.inputs.max())
    for level in NOISES:
        yield f"gaussian_{level:g}", net, disturb.gaussian_noise(part, level * unit, seed=seed)
    for share in SHARES:
        yield f"salt_{share:g}", net, disturb.salt_and_pepper(part, share, low=low, high=high, seed=seed)
    for share in DROPS:
        yield f"drop_{share:g}", net, disturb.event_drop(part, share, seed=seed)
    for level in SIZES:
        size, length = level * unit, level * unit * np.sqrt(part.inputs.shape[2])
        for passes in (1, PASSES):
            yield f"fgsm{passes}_{level:g}", net, disturb.fast_gradient_sign(net, part, task, size, passes=passes, seed=seed)
        yield f"pgd_{level:g}", net, disturb.projected_gradient(net, part, task, size, passes=PASSES, seed=seed)
        yield f"direct_{level:g}", net, disturb.direct_optimisation(net, part, task, length, passes=PASSES, seed=seed)
        yield f"random_{level:g}", net, disturb.random_direction(part, length, seed=seed)
        yield f"transfer_{level:g}", net, disturb.fast_gradient_sign(other, part, task, size, passes=PASSES, seed=seed)
    for share in FLIPS:
        yield f"flips_{share:g}", disturb.spike_flips(net, share), part
    for deviation in MEMBRANES:
        yield f"membrane_{deviation:g}", disturb.membrane_noise(net, deviation), part

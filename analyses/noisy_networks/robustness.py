"""A trained network under disturbed inputs, attacks, and disturbed spikes and membranes.

Sizes are in units of the standard deviation of the inputs; a length is that of a change of this
size in every channel. An attack goes "through" the noise if its gradient is that of one pass, and
"over" the noise if it is the mean of several passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from analyses.noisy_networks.training import trained
from analyses.protocol import score_of, training_of
from neurocode.learning import Network, Part, Task, stratified
from neurocode.learning import perturbations as disturb

#: Number of test sequences that are disturbed, with every class in proportion; smaller test parts
#: are used whole.
TESTED = 1000
#: Number of passes over which gradients are averaged at every step of an attack.
PASSES = 10
NOISES, SHARES, DROPS = (0.5, 1.0, 2.0), (0.1, 0.3), (0.25, 0.5)
SIZES = (0.1, 0.2, 0.4)
FLIPS, MEMBRANES = (0.02, 0.05, 0.1, 0.2), (0.1, 0.2, 0.4)


def robustness_row(
    folder: Path, other_kind: str, other_rate: float, other_width: float, **row: Any
) -> dict[str, float]:
    """Return the accuracy of one pass at every level of every disturbance.

    Transferred attacks are computed on the other network, given by the settings ``other_…``.
    """
    task, result = trained(row, folder)
    partner = trained(
        {**row, "kind": other_kind, "rate": other_rate, "width": other_width}, folder
    )[1].network
    part = stratified(task.test, TESTED, row["seed"])
    scores = training_of(result, task, row["seed"]) | {
        "clean": score_of(result.network, part, task, row["seed"])
    }
    for name, net, inputs in variants(result.network, partner, part, task, row["seed"]):
        scores[name] = score_of(net, inputs, task, row["seed"])
    return scores


def variants(
    net: Network, partner: Network, part: Part, task: Task, seed: int
) -> Iterator[tuple[str, Network, Part]]:
    """Yield the name, the network and the inputs of every disturbance."""
    unit = float(part.inputs.std())
    low, high = float(part.inputs.min()), float(part.inputs.max())
    ways = {"through": 1, "over": PASSES} if net.is_stochastic else {"over": 1}
    for level in NOISES:
        yield f"gaussian_{level:g}", net, disturb.gaussian_noise(part, level * unit, seed=seed)
    for share in SHARES:
        yield (
            f"salt_{share:g}",
            net,
            disturb.salt_and_pepper(part, share, low=low, high=high, seed=seed),
        )
    for share in DROPS:
        yield f"drop_{share:g}", net, disturb.event_drop(part, share, seed=seed)
    for level in SIZES:
        size, length = level * unit, level * unit * np.sqrt(part.inputs.shape[2])
        for way, passes in ways.items():
            yield (
                f"fgsm_{way}_{level:g}",
                net,
                disturb.fast_gradient_sign(net, part, task, size, passes=passes, seed=seed),
            )
            yield (
                f"pgd_{way}_{level:g}",
                net,
                disturb.projected_gradient(net, part, task, size, passes=passes, seed=seed),
            )
        attacked = PASSES if partner.is_stochastic else 1
        yield (
            f"transfer_{level:g}",
            net,
            disturb.fast_gradient_sign(partner, part, task, size, passes=attacked, seed=seed),
        )
        yield f"random_{level:g}", net, disturb.random_direction(part, length, seed=seed)
    for share in FLIPS:
        yield f"flips_{share:g}", disturb.spike_flips(net, share), part
    for deviation in MEMBRANES:
        yield f"membrane_{deviation:g}", disturb.membrane_noise(net, deviation), part

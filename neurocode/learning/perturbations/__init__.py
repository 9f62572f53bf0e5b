"""Disturbances against which a trained network is tested: random noise on inputs, attacks, and
disturbed spikes and membranes.

Contents
--------
gaussian_noise, multiplicative_noise, salt_and_pepper, event_drop
    Random disturbances of inputs, which take a part of a task and return a disturbed part.
fast_gradient_sign, projected_gradient, direct_optimisation, random_direction
    Inputs changed along gradients of a network, and a random change of the same length as control.
spike_flips, membrane_noise
    Networks whose hidden spikes or membranes are disturbed.
"""

from __future__ import annotations

from neurocode.learning.perturbations.attacks import (
    direct_optimisation,
    fast_gradient_sign,
    projected_gradient,
    random_direction,
)
from neurocode.learning.perturbations.hidden import membrane_noise, spike_flips
from neurocode.learning.perturbations.inputs import (
    event_drop,
    gaussian_noise,
    multiplicative_noise,
    salt_and_pepper,
)

__all__ = [
    "direct_optimisation",
    "event_drop",
    "fast_gradient_sign",
    "gaussian_noise",
    "membrane_noise",
    "multiplicative_noise",
    "projected_gradient",
    "random_direction",
    "salt_and_pepper",
    "spike_flips",
]

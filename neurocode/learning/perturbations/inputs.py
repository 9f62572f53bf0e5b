"""Random disturbances of inputs (definitions of the code released with Ma, Yan, Tang 2023)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurocode.errors import DataError
from neurocode.tasks.task import Part


def gaussian_noise(part: Part, deviation: float, *, seed: int = 0) -> Part:
    """Return inputs plus Gaussian noise that is drawn anew in every step.

    Parameters
    ----------
    part : Part
    deviation : float
        Standard deviation of the noise in the unit of the inputs.
    seed : int

    Returns
    -------
    Part

    Raises
    ------
    DataError
        For a negative deviation.
    """
    _require(
        deviation >= 0,
        f"The standard deviation of a disturbance must not be negative, not {deviation}.",
    )
    noise = np.random.default_rng(seed).normal(0.0, deviation, part.inputs.shape)
    return _with(part, part.inputs + noise)


def multiplicative_noise(part: Part, deviation: float, *, seed: int = 0) -> Part:
    """Return inputs times Gaussian numbers of mean one; arguments are as in
    :func:`gaussian_noise`."""
    _require(
        deviation >= 0,
        f"The standard deviation of a disturbance must not be negative, not {deviation}.",
    )
    return _with(
        part, part.inputs * np.random.default_rng(seed).normal(1.0, deviation, part.inputs.shape)
    )


def salt_and_pepper(
    part: Part, share: float, *, low: float = 0.0, high: float = 1.0, seed: int = 0
) -> Part:
    """Return inputs in which a share of the channels of each sequence is replaced in all steps,
    half of them by the highest value and half by the lowest.

    Parameters
    ----------
    part : Part
    share : float
        Share of the channels, between 0 and 1.
    low, high : float
        Values of pepper and salt.
    seed : int

    Returns
    -------
    Part

    Raises
    ------
    DataError
        For a share outside 0 to 1.
    """
    _require_share(share)
    sequences, _, channels = part.inputs.shape
    rank = np.random.default_rng(seed).permuted(
        np.tile(np.arange(channels), (sequences, 1)), axis=1
    )
    half = int(share * channels / 2)
    salted = np.where((rank < half)[:, None], high, part.inputs)
    return _with(part, np.where(((rank >= half) & (rank < 2 * half))[:, None], low, salted))


def event_drop(part: Part, share: float, *, seed: int = 0) -> Part:
    """Return inputs in which a share of the nonzero entries of each sequence, rounded down, is set
    to zero.

    Parameters
    ----------
    part : Part
    share : float
        Share of the entries, between 0 and 1.
    seed : int

    Returns
    -------
    Part

    Raises
    ------
    DataError
        For a share outside 0 to 1.
    """
    _require_share(share)
    random, inputs = np.random.default_rng(seed), part.inputs.copy()
    for sequence in inputs.reshape(len(inputs), -1):
        events = np.flatnonzero(sequence)
        sequence[random.choice(events, int(share * len(events)), replace=False)] = 0
    return replace(part, inputs=inputs)


def _with(part: Part, inputs: np.ndarray) -> Part:
    return replace(part, inputs=inputs.astype(part.inputs.dtype))


def _require_share(share: float) -> None:
    _require(0 <= share <= 1, f"A share of entries must lie between 0 and 1, not at {share}.")


def _require(sound: bool, message: str) -> None:
    if not sound:
        raise DataError(message)

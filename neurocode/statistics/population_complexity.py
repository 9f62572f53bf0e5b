"""Lempel-Ziv complexity of several units together, and over time."""

from __future__ import annotations

import numpy as np

from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76
from neurocode.units import unmasked

FORMS = ("joint", "concatenated", "each")


def population_lz76(binned: np.ndarray, form: str = "joint") -> int | np.ndarray:
    """LZ76 words of a population.

    Parameters
    ----------
    binned : numpy.ndarray, shape (units, bins)
        Whether, or how often, each unit spiked in each bin.
    form : {"joint", "concatenated", "each"}
        ``"joint"``: one sequence whose symbol is the pattern over units in a bin; it captures what
        units do together. ``"concatenated"``: the units one after another; it captures what they
        share at any lag. ``"each"``: one count per unit.

    Returns
    -------
    int, or numpy.ndarray of int for ``"each"``

    Raises
    ------
    DataError
        For another form or shape.

    Examples
    --------
    >>> twins = np.tile(np.random.default_rng(1).integers(0, 2, 1000), (2, 1))
    >>> bool(population_lz76(twins, "joint") == population_lz76(twins, "each")[0])
    True
    """
    binned = unmasked(binned, "Binned trains")
    if form not in FORMS:
        raise DataError(f"'{form}' is not a form of a population; known are {', '.join(FORMS)}.")
    if binned.ndim != 2:
        raise DataError(f"A binned population has the shape (units, bins), not {binned.shape}.")
    if form == "each":
        return np.array([lz76(row) for row in binned])
    if form == "concatenated":
        return lz76(binned.ravel())
    return lz76(np.unique(binned, axis=1, return_inverse=True)[1].ravel()) if binned.size else 0


def sliding_lz76(
    sequence: np.ndarray, window: int, step: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """LZ76 words in windows of equal length, so that their counts can be compared.

    Parameters
    ----------
    sequence : numpy.ndarray
    window, step : int
        Symbols in a window, and between the starts of successive windows; the step is the window by
        default.

    Returns
    -------
    starts, counts : numpy.ndarray of int
        Empty where no window fits.

    Raises
    ------
    DataError
        If window or step is not positive.

    Examples
    --------
    >>> sliding_lz76(np.repeat([0, 1], 50), 50)[1].tolist()
    [2, 2]
    """
    step = window if step is None else step
    if window < 1 or step < 1:
        raise DataError(f"A window of {window} and a step of {step} symbols are not positive.")
    starts = np.arange(0, len(sequence) - window + 1, step)
    return starts, np.array([lz76(sequence[start : start + window]) for start in starts], int)

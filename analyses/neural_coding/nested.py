"""The mean of recordings that are nested in cells.

The model is ``value = mean + cell + recording``, with a random effect for the cell. If every cell
has the same number of recordings, the restricted maximum likelihood estimate of the mean is the
mean of the means of cells. Its exact test is Student's, with one degree of freedom less than there
are cells (Searle, Casella & McCulloch 1992, ch. 3), so a package for mixed models is not needed. If
the numbers differ, every cell still has the same weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from neurocode.studies.claims import mean_interval


class Nested(NamedTuple):
    """Mean over cells with its 95 % t interval, median over cells, numbers, and standard deviations
    of the two random effects."""

    mean: float
    low: float
    high: float
    median: float
    cells: int
    recordings: int
    between: float
    within: float


def by_cell(values: Sequence[float], cells: Sequence[object]) -> pd.Series:
    """Return the mean of every cell over its recordings."""
    return pd.Series(np.asarray(values, float)).groupby(np.asarray(cells, object), sort=True).mean()


def nested_mean(values: Sequence[float], cells: Sequence[object]) -> Nested:
    """Return the mean over cells of values, one per recording.

    The standard deviations are those of the analysis of variance. The one ``between`` cells is
    bounded below by zero. A standard deviation is NaN if there is nothing to estimate it from.
    """
    values, means = np.asarray(values, float), by_cell(values, cells)
    groups = pd.Series(values).groupby(np.asarray(cells, object), sort=True)
    n, sizes = len(means), groups.size().to_numpy()
    freedom = len(values) - n
    within = (
        float(((groups.size() - 1) * groups.var(ddof=1).fillna(0.0)).sum() / freedom)
        if freedom
        else np.nan
    )
    noise = 0.0 if np.isnan(within) else within * float(np.mean(1 / sizes))
    between = max(0.0, float(means.var(ddof=1)) - noise) if n > 1 else np.nan
    return Nested(
        float(means.mean()),
        *mean_interval(means),
        float(means.median()),
        n,
        len(values),
        float(np.sqrt(between)),
        float(np.sqrt(within)),
    )

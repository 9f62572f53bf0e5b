"""How the spikes of a model differ from recorded ones, unit by unit, and how far repeats leave that open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import neurocode as nc
from neurocode.recordings import Trains
from neurocode.statistics.coding import signal_and_noise_correlation
from neurocode.statistics.compare import STATISTICS

#: Statistics of :func:`neurocode.compare` that resampled repeats are judged by; the others are distances between pairs of repeats.
RESAMPLED = ("rate", "fano_factor", "fano_mean", "interval_distribution", "autocorrelogram", "complexity_per_spike")
NOISE = "noise_correlation"
#: Resamplings of the repeats, splits of the recording for the reference, and seconds in which spikes are counted for correlations.
RESAMPLINGS, SPLITS, COUNTED = 10, 10, 0.1


def unit_rows(model: np.ndarray, recorded: np.ndarray, dt: float, seed: int) -> list[dict[str, Any]]:
    """A row for every unit and statistic.

    Parameters
    ----------
    model, recorded : numpy.ndarray of bool (repeats, steps, units)
    dt : float
        In seconds.
    seed : int

    Returns
    -------
    list of dict
        ``unit, statistic, model, recorded, difference, reference, note`` and ``resampled``, the differences with repeats of both
        sides drawn with replacement, as text.
    """
    rows = []
    random = np.random.default_rng(seed)
    for unit in range(recorded.shape[2]):
        sides = [side[:, :, unit] for side in (model, recorded)]
        found = compared(*sides, dt, tuple(STATISTICS), SPLITS, seed)
        draws = [compared(*(_resampled(side, random) for side in sides), dt, RESAMPLED) for _ in range(RESAMPLINGS)]
        for name, own in found.iterrows():
            resampled = [draw.loc[name, "difference"] for draw in draws] if name in RESAMPLED else []
            rows.append(_row(unit, name, own, resampled))
    return rows + noise_rows(model, recorded, dt)


def compared(
    model: np.ndarray, recorded: np.ndarray, dt: float, statistics: tuple[str, ...], splits: int = 0, seed: int = 0
) -> pd.DataFrame:
    """The comparison of one unit from rasters (repeats, steps)."""
    sides = [Trains.of_rasters(side[None], dt) for side in (model, recorded)]
    return nc.compare(*sides, statistics=statistics, n_splits=splits, seed=seed)


def noise_rows(model: np.ndarray, recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """The mean noise correlation of every unit with the others; not defined for one unit or one repeat."""
    units = recorded.shape[2]
    if units < 2 or min(len(model), len(recorded)) < 2:
        return []
    sides = [noise_correlations(counts_of(side, dt)) for side in (model, recorded)]
    half = len(recorded) // 2
    halves = [noise_correlations(counts_of(part, dt)) for part in (recorded[:half], recorded[half:])]
    rows = []
    for unit in range(units):
        values = {"model": sides[0][unit], "recorded": sides[1][unit], "difference": abs(sides[0][unit] - sides[1][unit])}
        own = pd.Series({**values, "reference": abs(halves[0][unit] - halves[1][unit]), "note": ""})
        rows.append(_row(unit, NOISE, own, []))
    return rows


def counts_of(spikes: np.ndarray, dt: float) -> np.ndarray:
    """Spike counts (units, windows, repeats)."""
    repeats, steps, units = spikes.shape
    length = round(COUNTED / dt)
    whole = steps // length
    counts = spikes[:, : whole * length].reshape(repeats, whole, length, units).sum(axis=2)
    return np.moveaxis(counts, (0, 1, 2), (2, 1, 0))


def noise_correlations(counts: np.ndarray) -> np.ndarray:
    """Mean over the other units of the noise correlation."""
    noise = np.array(signal_and_noise_correlation(counts)[1])
    np.fill_diagonal(noise, np.nan)
    return np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in noise])


def _resampled(side: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return side[random.integers(len(side), size=len(side))]


def _row(unit: int, name: str, own: pd.Series, resampled: list[float]) -> dict[str, Any]:
    numbers = {key: float(own[key]) for key in ("model", "recorded", "difference", "reference")}
    return {"unit": unit, "statistic": name, **numbers, "note": own["note"], "resampled": " ".join(f"{v:.4g}" for v in resampled)}

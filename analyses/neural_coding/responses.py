"""Differences between the spikes of a model and recorded spikes, unit by unit, and between halves
of a recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import neurocode as nc
from neurocode.recordings import Trains
from neurocode.statistics.coding import signal_and_noise_correlation
from neurocode.statistics.compare import STATISTICS

NOISE = "noise_correlation"
#: Number of random splits of the recording for the reference, and length in seconds of the windows
#: in which spikes are counted for correlations.
SPLITS, COUNTED = 10, 0.1


def unit_rows(model: np.ndarray, recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """Return ``unit, statistic, model, recorded, difference, note`` for every unit and statistic.

    Parameters
    ----------
    model, recorded : numpy.ndarray of bool (repeats, steps, units)
    dt : float
        In seconds.
    """
    rows = []
    for unit in range(recorded.shape[2]):
        comparison = compared(model[:, :, unit], recorded[:, :, unit], dt)
        rows += [_row(unit, name, entry) for name, entry in comparison.iterrows()]
    return rows + [
        _row(unit, NOISE, entry) for unit, entry in enumerate(_noise(model, recorded, dt))
    ]


def reference_rows(recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """Return ``unit, statistic, reference`` for every unit and statistic.

    The reference is the mean difference between random halves of the recorded repeats; NaN if there
    are too few repeats.
    """
    rows = []
    for unit in range(recorded.shape[2]):
        comparison = compared(recorded[:, :, unit], recorded[:, :, unit], dt, SPLITS)
        rows += [
            {"unit": unit, "statistic": name, "reference": float(entry["reference"])}
            for name, entry in comparison.iterrows()
        ]
    half = len(recorded) // 2
    halves = _noise(recorded[:half], recorded[half:], dt)
    return rows + [
        {"unit": unit, "statistic": NOISE, "reference": entry["difference"]}
        for unit, entry in enumerate(halves)
    ]


def compared(model: np.ndarray, recorded: np.ndarray, dt: float, splits: int = 0) -> pd.DataFrame:
    """Compare the spikes of one unit, given as rasters (repeats, steps)."""
    sides = [Trains.of_rasters(side[None], dt) for side in (model, recorded)]
    return nc.compare(*sides, statistics=tuple(STATISTICS), n_splits=splits, seed=0)


def _noise(model: np.ndarray, recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """Compare the mean noise correlation of every unit with the others.

    The result is empty for one unit or one repeat.
    """
    if recorded.shape[2] < 2 or min(len(model), len(recorded)) < 2:
        return []
    sides = [noise_correlations(counts_of(side, dt)) for side in (model, recorded)]
    return [
        {"model": m, "recorded": r, "difference": abs(m - r), "note": ""}
        for m, r in zip(*sides, strict=True)
    ]


def counts_of(spikes: np.ndarray, dt: float) -> np.ndarray:
    """Return spike counts (units, windows, repeats)."""
    repeats, steps, units = spikes.shape
    length = round(COUNTED / dt)
    windows = steps // length
    counts = spikes[:, : windows * length].reshape(repeats, windows, length, units).sum(axis=2)
    return np.moveaxis(counts, (0, 1, 2), (2, 1, 0))


def noise_correlations(counts: np.ndarray) -> np.ndarray:
    """Return the noise correlation of every unit, averaged over the other units."""
    noise = np.array(signal_and_noise_correlation(counts)[1])
    np.fill_diagonal(noise, np.nan)
    return np.array([np.nanmean(row) if np.isfinite(row).any() else np.nan for row in noise])


def _row(unit: int, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {key: float(entry[key]) for key in ("model", "recorded", "difference")}
    return {"unit": unit, "statistic": name, **numbers, "note": entry["note"]}

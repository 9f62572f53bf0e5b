"""How the spikes of a model differ from recorded ones, unit by unit, and how halves of what was
recorded differ."""

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
#: Splits of the recording for the reference, and seconds in which spikes are counted for
#: correlations.
SPLITS, COUNTED = 10, 0.1


def unit_rows(model: np.ndarray, recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """``unit, statistic, model, recorded, difference, note`` for every unit and statistic.

    Parameters
    ----------
    model, recorded : numpy.ndarray of bool (repeats, steps, units)
    dt : float
        In seconds.
    """
    rows = []
    for unit in range(recorded.shape[2]):
        found = compared(model[:, :, unit], recorded[:, :, unit], dt)
        rows += [_row(unit, name, own) for name, own in found.iterrows()]
    return rows + [_row(unit, NOISE, own) for unit, own in enumerate(_noise(model, recorded, dt))]


def reference_rows(recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """``unit, statistic, reference``: the mean difference between random halves of the recorded
    repeats, NaN for too few."""
    rows = []
    for unit in range(recorded.shape[2]):
        found = compared(recorded[:, :, unit], recorded[:, :, unit], dt, SPLITS)
        rows += [
            {"unit": unit, "statistic": name, "reference": float(own["reference"])}
            for name, own in found.iterrows()
        ]
    half = len(recorded) // 2
    halves = _noise(recorded[:half], recorded[half:], dt)
    return rows + [
        {"unit": unit, "statistic": NOISE, "reference": own["difference"]}
        for unit, own in enumerate(halves)
    ]


def compared(model: np.ndarray, recorded: np.ndarray, dt: float, splits: int = 0) -> pd.DataFrame:
    """The comparison of one unit from rasters (repeats, steps)."""
    sides = [Trains.of_rasters(side[None], dt) for side in (model, recorded)]
    return nc.compare(*sides, statistics=tuple(STATISTICS), n_splits=splits, seed=0)


def _noise(model: np.ndarray, recorded: np.ndarray, dt: float) -> list[dict[str, Any]]:
    """The mean noise correlation of every unit with the others; nothing for one unit or one repeat."""
    if recorded.shape[2] < 2 or min(len(model), len(recorded)) < 2:
        return []
    sides = [noise_correlations(counts_of(side, dt)) for side in (model, recorded)]
    return [
        {"model": m, "recorded": r, "difference": abs(m - r), "note": ""}
        for m, r in zip(*sides, strict=True)
    ]


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


def _row(unit: int, name: str, own: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {key: float(own[key]) for key in ("model", "recorded", "difference")}
    return {"unit": unit, "statistic": name, **numbers, "note": own["note"]}

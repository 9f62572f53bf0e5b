"""Rows of the study: a model fitted to a recording, and the comparison of its spikes with those
held out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from analyses.neural_coding.fitting import constant_log_probability, fit
from analyses.neural_coding.recordings import recording
from analyses.neural_coding.responses import COUNTED, reference_rows, unit_rows
from neurocode.recordings import Trains
from neurocode.recordings.binning import counts_between
from neurocode.statistics.variability import window_counts

#: Number of simulated repeats if the recording has only one, and the seed whose spikes are drawn in
#: the figure.
REPEATS, DRAWN = 10, 0
#: Edges of the bins of intervals in seconds, a little below those that whole milliseconds would lie
#: on, and of the bins of mean counts in which variances are averaged.
INTERVALS, MEANS = np.geomspace(1e-3, 10.0, 41) * (1 - 1e-6), np.geomspace(0.05, 20.0, 14)


def coding_row(
    dataset: str, name: str, model: str, updates: int, settings: int, seed: int
) -> dict[str, Any]:
    """Return the held-out likelihood, the statistics of every unit, and the curves of a model."""
    data = recording(dataset, name)
    recorded = data.test.counted
    fitted = fit(
        model, data, updates, len(recorded) if len(recorded) > 1 else REPEATS, seed, settings
    )
    gained = (fitted.log_probability - constant_log_probability(data)).sum(axis=0) / np.log(2)
    return {
        "setting": fitted.setting,
        "width": fitted.width,
        "failed": fitted.failed,
        "validation": fitted.validation,
        "bits": json.dumps(
            [round(float(value), 3) if np.isfinite(value) else None for value in gained]
        ),
        "spikes": json.dumps(recorded.sum(axis=(0, 1)).tolist()),
        "units": json.dumps(unit_rows(fitted.spikes, recorded, data.dt)),
        **curves_of(fitted.spikes, data.dt, example(recorded) if seed == DRAWN else None),
    }


def recorded_row(dataset: str, name: str) -> dict[str, Any]:
    """Return the curves of the recorded spikes, and the differences between halves of the
    repeats."""
    data = recording(dataset, name)
    recorded = data.test.counted
    return {
        "units": json.dumps(reference_rows(recorded, data.dt)),
        **curves_of(recorded, data.dt, example(recorded)),
    }


def example(recorded: np.ndarray) -> int:
    """Return the unit that is drawn, which has the 80th percentile of the rates."""
    order = np.argsort(recorded.sum(axis=(0, 1)), kind="stable")
    return int(order[int(0.8 * (len(order) - 1))])


def curves_of(spikes: np.ndarray, dt: float, unit: int | None) -> dict[str, str]:
    """Return intervals and variances by mean count over all units, as text.

    The spike times of ``unit`` are added if it is not None.
    """
    trains = Trains.of_rasters(np.moveaxis(spikes, 2, 0), dt)
    units = [[trains.train(k) for k in trains.trains_of(u)] for u in range(trains.n_units)]
    intervals = np.concatenate([np.diff(times) for repeats in units for times in repeats])
    counts = [window_counts(repeats, 0.0, spikes.shape[1] * dt, COUNTED) for repeats in units]
    mean = np.concatenate([of_unit.mean(axis=0) for of_unit in counts])
    variance = np.concatenate(
        [
            of_unit.var(axis=0, ddof=1) if len(of_unit) > 1 else np.full(of_unit.shape[1], np.nan)
            for of_unit in counts
        ]
    )
    place = np.digitize(mean, MEANS)
    pooled = [
        variance[place == k].mean() if (place == k).any() else np.nan for k in range(1, len(MEANS))
    ]
    raster = (
        ""
        if unit is None
        else json.dumps([[round(float(t), 4) for t in times] for times in units[unit]])
    )
    return {
        "intervals": json.dumps(counts_between(intervals, INTERVALS).tolist()),
        "variances": _text(pooled),
        "raster": raster,
    }


def _text(values: object) -> str:
    return json.dumps(
        [None if not np.isfinite(value) else float(f"{value:.4g}") for value in values]
    )

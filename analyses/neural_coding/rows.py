"""A row of the study: a model fitted to a recording and what its spikes are like beside those held
out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from analyses.neural_coding.fitting import constant_log_probability, fit
from analyses.neural_coding.recordings import recording
from analyses.neural_coding.responses import COUNTED, reference_rows, unit_rows
from neurocode.recordings import Trains
from neurocode.statistics.variability import window_counts

#: Repeats of a model where the recording has one, and the seed whose spikes are drawn.
REPEATS, DRAWN = 10, 0
#: Edges in seconds of the intervals, and of the mean counts in which variances are averaged.
INTERVALS, MEANS = np.geomspace(1e-3, 10.0, 41), np.geomspace(0.05, 20.0, 14)


def coding_row(
    dataset: str, name: str, model: str, updates: int, settings: int, seed: int
) -> dict[str, Any]:
    """Held-out likelihood, statistics of every unit, and curves of a model."""
    own = recording(dataset, name)
    recorded = own.test.counted
    found = fit(
        model, own, updates, len(recorded) if len(recorded) > 1 else REPEATS, seed, settings
    )
    gained = (found.log_probability - constant_log_probability(own)).sum(axis=0) / np.log(2)
    return {
        "setting": found.setting,
        "width": found.width,
        "failed": found.failed,
        "validation": found.validation,
        "bits": json.dumps(
            [round(float(value), 3) if np.isfinite(value) else None for value in gained]
        ),
        "spikes": json.dumps(recorded.sum(axis=(0, 1)).tolist()),
        "units": json.dumps(unit_rows(found.spikes, recorded, own.dt)),
        **curves_of(found.spikes, own.dt, example(recorded) if seed == DRAWN else None),
    }


def recorded_row(dataset: str, name: str) -> dict[str, Any]:
    """The same curves of what was recorded, and how far halves of the repeats are apart."""
    own = recording(dataset, name)
    recorded = own.test.counted
    return {
        "units": json.dumps(reference_rows(recorded, own.dt)),
        **curves_of(recorded, own.dt, example(recorded)),
    }


def example(recorded: np.ndarray) -> int:
    """The unit that is drawn: the one of the 80th percentile of the rates."""
    order = np.argsort(recorded.sum(axis=(0, 1)), kind="stable")
    return int(order[int(0.8 * (len(order) - 1))])


def curves_of(spikes: np.ndarray, dt: float, unit: int | None) -> dict[str, str]:
    """Intervals and variance by mean count over all units, and the spike times of one where it is
    drawn, as text."""
    trains = Trains.of_rasters(np.moveaxis(spikes, 2, 0), dt)
    units = [[trains.train(k) for k in trains.trains_of(u)] for u in range(trains.n_units)]
    intervals = np.concatenate([np.diff(times) for own in units for times in own])
    counts = [window_counts(own, 0.0, spikes.shape[1] * dt, COUNTED) for own in units]
    mean = np.concatenate([own.mean(axis=0) for own in counts])
    variance = np.concatenate(
        [
            own.var(axis=0, ddof=1) if len(own) > 1 else np.full(own.shape[1], np.nan)
            for own in counts
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
        "intervals": json.dumps(np.histogram(intervals, INTERVALS)[0].tolist()),
        "variances": _text(pooled),
        "raster": raster,
    }


def _text(values: object) -> str:
    return json.dumps(
        [None if not np.isfinite(value) else float(f"{value:.4g}") for value in values]
    )

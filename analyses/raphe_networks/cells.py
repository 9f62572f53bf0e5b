"""Dorsal raphe neurons as fits of ``igif-ia``, and layers whose neurons are those cells.

A layer takes the fitted values unchanged, in their units and with their noise: neuron ``i`` is
cell ``i`` modulo the number of cells. The quick protocol makes up cells near the library's values
instead of fitting recordings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import neurocode as nc
from analyses.datasets import data_folder

Values = dict[str, float]

MODEL = "igif-ia"
CELLS = ("DRN156", "DRN158", "DRN159", "DRN162", "DRN164")
#: Time step of the fits in seconds, number of starts of their search, and relative spread of the
#: made-up values around the library's.
FIT_STEP, STARTS, PLANTED_SPREAD = 2e-4, 6, 0.1


def fit_row(cell: str, seed: int) -> dict[str, Any]:
    """Return the fitted values of a cell as JSON, its held-out likelihood, and the spike times of
    its training recording."""
    experiment = recording(cell)
    result = nc.fit(nc.models.by_name(MODEL), experiment, seed=seed, starts=STARTS, dt=FIT_STEP)
    scores = nc.evaluate(result, experiment)
    values = {name: float(result.model.parameters[name].value) for name in result.model.free}
    return {
        "sequences": 0,
        "values": json.dumps(values),
        "converged": result.converged,
        "bits_per_spike": float(result.bits_per_spike),
        "held_out_bits": float(scores.bits_per_spike),
        **_spikes(experiment.repeats[0].spike_times, experiment.repeats[0].duration),
    }


def recording(cell: str) -> nc.Experiment:
    """Training and test recording of a cell."""
    folder = data_folder("raphe")
    training, test = (
        next(iter(sorted(folder.glob(f"{cell}*_{part}.abf")))) for part in ("training", "test")
    )
    return nc.Experiment.from_files(training, test=test)


def planted_row(cell: str, seed: int) -> dict[str, Any]:
    """Return the row of a made-up cell: values near the library's, and a Poisson train for
    spikes."""
    model, random = nc.models.by_name(MODEL), np.random.default_rng([CELLS.index(cell), seed])
    values = {}
    for name in model.free:
        low, high = model.parameters[name].bounds
        wanted = model.parameters[name].value * (1 + PLANTED_SPREAD * random.uniform(-1, 1))
        values[name] = float(np.clip(wanted, low, high))
    times = np.sort(random.uniform(0, 60, random.poisson(8 * 60)))
    return {"sequences": 1, "values": json.dumps(values), "converged": True, **_spikes(times, 60.0)}


def _spikes(times: np.ndarray, duration: float) -> dict[str, Any]:
    return {
        "spike_times": json.dumps([round(float(t), 5) for t in times]),
        "duration": float(duration),
    }


def windows(times: np.ndarray, duration: float, length: float) -> list[np.ndarray]:
    """Cut a train into consecutive windows; spike times are relative to the start of their
    window."""
    starts = length * np.arange(int(duration / length + 1e-9))
    return [times[(times >= start) & (times < start + length)] - start for start in starts]


def shuffled(cells: Mapping[str, Values], seed: int) -> dict[str, Values]:
    """Return cells among which the values of every parameter are permuted.

    The values are those of the given cells, but their combinations are new.
    """
    names, random = list(cells), np.random.default_rng(seed)
    parameters = list(next(iter(cells.values())))
    dealt = {
        parameter: random.permutation([cells[name][parameter] for name in names])
        for parameter in parameters
    }
    return {
        name: {parameter: float(dealt[parameter][k]) for parameter in parameters}
        for k, name in enumerate(names)
    }


def model_of(cells: Mapping[str, Values], neurons: int) -> nc.NeuronModel:
    """Return the model of a layer whose neurons are the cells in turn."""
    base = nc.models.by_name(MODEL)
    by_neuron = {
        name: np.array([list(cells.values())[k % len(cells)][name] for k in range(neurons)])
        for name in base.free
    }
    parameters = {
        name: replace(base.parameters[name], value=values, per_neuron=True)
        for name, values in by_neuron.items()
    }
    return replace(base, parameters={**base.parameters, **parameters})


def library(cells: Mapping[str, Values]) -> dict[str, Values]:
    """Return the library's values for every cell."""
    base = nc.models.by_name(MODEL)
    return {
        name: {parameter: float(base.parameters[parameter].value) for parameter in base.free}
        for name in cells
    }

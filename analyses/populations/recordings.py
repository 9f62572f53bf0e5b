"""Recorded populations, fitted with the settings of the command: how they run freely."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

import neurocode as nc
from analyses.datasets import data_folder
from neurocode.cli.fit_population import coupling_for, front_end_for
from neurocode.inference.population import FittedPopulation, OvercoupledWarning, Schedule
from neurocode.recordings import Layout, read_population
from neurocode.recordings.population import PopulationExperiment

#: Free runs of recordings without repeats, and of those with repeats per held-out repeat.
FREE_RUNS = 20
MOVIE = Layout(variable="Spikes", axes="unit,trial", time_unit="ms", t_stop=18_000)
GANGLION = Layout(variable="spks", axes="unit,time")
FILES = {
    "retina-movie-1": ("retina-movies", "Movie1Exp1.mat", MOVIE),
    "retina-movie-2": ("retina-movies", "Movie1Exp2.mat", MOVIE),
    "aplysia-1": ("aplysia", "Feb1312da06spks.mat", GANGLION),
    "aplysia-2": ("aplysia", "Jan1312da04spks.mat", GANGLION),
}


def recording_row(dataset: str, updates: int, seed: int) -> dict[str, object]:
    """Fit one recording and let it run freely."""
    folder, file, layout = FILES[dataset]
    data = read_recording(data_folder(folder) / file, layout)
    with warnings.catch_warnings():
        # expected for a recording without repeats, and said in the documentation
        warnings.simplefilter("ignore", OvercoupledWarning)
        population = nc.fit_population(
            nc.models.escape_lif(),
            data,
            front_end=front_end_for(data, "auto"),
            coupling=coupling_for(data, "auto"),
            schedule=Schedule(updates=updates),
            seed=seed,
        )
    table = population.couplings
    return {
        "cells": data.n_cells,
        "repeats": 0 if data.repeats is None else data.repeats.n_repeats,
        "coupling": population.coupling,
        "pairs": len(table),
        "found": int((table["verdict"] != "none").sum()),
        "training_bits": float(population.bits_per_spike.mean()),
        **(_scores(population, data, seed) if data.test else _rates(population, data, seed)),
    }


def read_recording(path: Path, layout: Layout) -> PopulationExperiment:
    """Return a recording of cells with 50 spikes or more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # cells that are left out
        return read_population(path, layout)


def _scores(
    population: FittedPopulation, data: PopulationExperiment, seed: int
) -> dict[str, float]:
    evaluation = nc.evaluate_population(population, data, seed=seed)
    scores = {}
    for name, row in evaluation.table.iterrows():
        for kind in ("model", "low_95", "high_95", "recorded"):
            scores[f"{name}_{kind}"] = float(row[kind])
    return {
        **scores,
        "test_bits": float(evaluation.bits_per_spike.mean()),
        "free_runs": evaluation.scores.n_repeats,
        "runaways": evaluation.scores.runaways,
        "lowest_rate_ratio": float(np.min(evaluation.scores.rate_ratio)),
        "highest_rate_ratio": float(np.max(evaluation.scores.rate_ratio)),
    }


def _rates(population: FittedPopulation, data: PopulationExperiment, seed: int) -> dict[str, float]:
    """Return the rates of free runs over the recorded ones, for a recording without repeats; a run
    in which a cell fires twice as much as recorded runs away."""
    n_bins = data.pieces[0].shape[1]
    counts = population.simulate(n_bins=n_bins, trials=FREE_RUNS, seed=seed).sum(axis=1)
    recorded = data.pieces[0].sum(axis=1)
    ratios = counts.mean(axis=1) / recorded
    return {
        "free_runs": FREE_RUNS,
        "runaways": int(np.sum(np.any(counts > 2 * recorded[:, None], axis=0))),
        "lowest_rate_ratio": float(ratios.min()),
        "highest_rate_ratio": float(ratios.max()),
    }

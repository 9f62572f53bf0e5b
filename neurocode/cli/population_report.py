"""Everything that a fit of a population writes: tables, spikes, figure and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurocode.cli import page
from neurocode.cli.output import write_json
from neurocode.frames import column, kept
from neurocode.inference.population import FittedPopulation, PopulationEvaluation
from neurocode.inference.population.evaluation import UNSCORED_BINS
from neurocode.inference.population.result_file import front_end_name
from neurocode.plotting import save_figure
from neurocode.plotting.population_figure import population_figure
from neurocode.recordings.population import PopulationExperiment

CAPTION = (
    "a, spikes of cells with low, middle and high rate in test repeats (black) and in free runs "
    "(orange). b, their PSTHs. c, Fano factors of counts in 25 bins, one point per cell. d, noise "
    "correlations, one point per pair. e, strengths of couplings at a false discovery rate of 5 %; "
    "pairs without one are grey."
)
ALONE = "Strengths of couplings at a false discovery rate of 5 %; pairs without one are grey."
#: What the scores mean.
MEANINGS = {
    "psth_r": "correlation of the smoothed PSTHs of free runs and recording, mean over cells",
    "psth_r2": "share of the variance of the recorded PSTH that free runs explain",
    "fano_error": "mean over cells of |log(Fano factor of free runs / recorded one)|",
    "correlation_error_total": "root mean square error of noise covariances over pairs, each over "
    "the standard deviations of all counts",
    "correlation_error_noise": "the same for noise correlations",
}


def write_population(
    folder: Path,
    population: FittedPopulation,
    data: PopulationExperiment,
    evaluation: PopulationEvaluation | None,
    *,
    seconds: float,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the files of a fitted population into a folder and return the entry of
    ``result.json``.

    Parameters
    ----------
    folder : pathlib.Path
    population : FittedPopulation
    data : PopulationExperiment
        Which it was fitted to.
    evaluation : PopulationEvaluation or None
        On the test repeats; None without these.
    seconds : float
        Time that the fit took.
    notes : sequence of str
        Of the recording, such as cells that were left out; they stand before those of the fit.
    """
    population.save(folder / "population.npz")
    population.model.save(folder / "model.toml")
    cells = pd.concat([population.parameters, _rates(population, data, evaluation)], axis=1)
    cells.to_csv(folder / "cells.csv")
    population.couplings.to_csv(folder / "couplings.csv", index=False)
    entry = _entry(population, data, evaluation, seconds)
    entry["notes"] = [*notes, *population.notes]
    write_json(folder / "result.json", {"results": [entry]})
    scored: dict[str, Any] = {}
    if evaluation is not None and data.test is not None:
        evaluation.table.to_csv(folder / "scores.csv", index_label="score")
        np.savez_compressed(folder / "simulated.npz", spikes=evaluation.simulated.astype(np.uint8))
        scored = {
            "recorded": data.test.spikes[:, UNSCORED_BINS:],
            "simulated": evaluation.simulated[:, UNSCORED_BINS:],
            "start": UNSCORED_BINS * data.dt,
        }
    figure = population_figure(
        couplings=population.couplings, names=population.names, dt=population.dt, **scored
    )
    _, png = save_figure(figure, folder / "population.pdf")
    parts = [
        *map(page.paragraph, _opening(entry)),
        *map(page.paragraph, entry["notes"]),
        *_scores_section(evaluation),
        page.figure(png, CAPTION if scored else ALONE),
        page.heading("Cells"),
        page.table(cells.reset_index(), example="rate > 5"),
        *_couplings_section(population),
    ]
    page.write_page(folder / "report.html", f"Population {data.name}".strip(), parts)
    return entry


def _rates(
    population: FittedPopulation,
    data: PopulationExperiment,
    evaluation: PopulationEvaluation | None,
) -> pd.DataFrame:
    index = pd.Index(population.names, name="cell")
    table = pd.DataFrame(
        {"rate (Hz)": data.rates, "training_bits_per_spike": population.bits_per_spike.to_numpy()},
        index=index,
    )
    if evaluation is not None:
        table["test_bits_per_spike"] = evaluation.bits_per_spike.to_numpy()
        table["rate_ratio"] = evaluation.scores.rate_ratio
    return table


def _entry(
    population: FittedPopulation,
    data: PopulationExperiment,
    evaluation: PopulationEvaluation | None,
    seconds: float,
) -> dict[str, Any]:
    verdicts = population.couplings["verdict"].to_numpy()
    entry = {
        "model": population.likelihood.neuron.base.name,
        "front_end": front_end_name(population.likelihood.front_end),
        "n_cells": population.n_cells,
        "duration": data.duration,
        "coupling": population.coupling,
        "n_couplings": int(np.sum(verdicts != "none")),
        "n_pairs": len(verdicts),
        "bits_per_spike": {"training": float(population.bits_per_spike.mean())},
        "seconds": round(seconds, 1),
    }
    if evaluation is not None:
        entry["bits_per_spike"]["test"] = float(evaluation.bits_per_spike.mean())
        entry["scores"] = {name: float(row.model) for name, row in evaluation.table.iterrows()}
        entry["runaways"] = evaluation.scores.runaways
        entry["n_free_runs"] = evaluation.scores.n_repeats
        entry["rate_ratio"] = list(evaluation.scores.rate_ratio)
    return entry


def _opening(entry: dict[str, Any]) -> list[str]:
    bits = entry["bits_per_spike"]
    sentences = [
        f"{entry['n_cells']} cells, {entry['duration']:.4g} s, model {entry['model']}, "
        f"front end {entry['front_end']}. "
        f"{entry['n_couplings']} of {entry['n_pairs']} couplings at a false discovery rate of 5 % "
        f"({entry['coupling']}); {bits['training']:.3f} bits per spike in training over a constant "
        f"rate, {entry['seconds']:g} s."
    ]
    if "scores" in entry:
        low, high = min(entry["rate_ratio"]), max(entry["rate_ratio"])
        sentences.append(
            f"On the test repeats: {bits['test']:.3f} bits per spike; rates of free runs are "
            f"{low:.2f} to {high:.2f} of the recorded ones, and {entry['runaways']} of "
            f"{entry['n_free_runs']} free runs exceed twice the largest recorded count of a cell."
        )
    return sentences


def _scores_section(evaluation: PopulationEvaluation | None) -> list[str]:
    if evaluation is None:
        return [page.paragraph("Free runs were not scored.")]
    frame = evaluation.table.reset_index(names="score")
    return [
        page.heading("Free runs on the test repeats"),
        page.paragraph(
            "Intervals are those of a jackknife over recorded repeats; 'recorded' is one half of "
            "the recorded repeats against the other."
        ),
        page.table(frame),
        page.definitions(MEANINGS, frame["score"]),
    ]


def _couplings_section(population: FittedPopulation) -> list[str]:
    table = population.couplings
    if not len(table):
        return []
    return [
        page.heading("Couplings"),
        page.paragraph(
            "Strength: integral over 20 ms of the effect of a spike on the distance to threshold, "
            "in units of the noise times milliseconds. The p-value is that of a Wald test that all "
            "jumps of the pair are zero."
        ),
        page.table(kept(table, column(table, "verdict") != "none"), example="verdict = excitatory"),
    ]

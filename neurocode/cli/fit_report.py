"""Everything that a fit writes: result, tables, predicted spikes, figure and report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.cli import page
from neurocode.cli.output import write_json
from neurocode.first_passage.result import SpikeTimesResult
from neurocode.fitting.effect import spike_effect
from neurocode.fitting.goodness import Scores
from neurocode.fitting.result import FitResult
from neurocode.models.model import NeuronModel
from neurocode.plotting import fit_figure, save_figure
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.files import block_of_trains, write
from neurocode.statistics.coding import psth
from neurocode.units import parse_unit, preferred_unit

SHOWN_SECONDS = 3.0


def write_fit(
    folder: Path, result: FitResult, scores: Scores | None, experiment: Experiment, truth: NeuronModel | None = None
) -> None:
    """Write the files of one fit into a folder.

    Parameters
    ----------
    folder : pathlib.Path
    result : FitResult
    scores : Scores or None
        None without a test recording; the figure and the predictions are then left out.
    experiment : Experiment
    truth : NeuronModel, optional
        Known parameters, shown beside the estimates.
    """
    write_json(folder / "result.json", {"results": [entry(result, scores, experiment)]})
    result.model.save(folder / "model.toml")
    parameters = parameter_table(result, truth)
    parameters.to_csv(folder / "parameters.csv", index=False)
    parts = [page.paragraph(_summary(result, experiment)), page.heading("Parameters"), page.table(parameters)]
    if scores is not None:
        score_frame = score_table(result, scores)
        score_frame.to_csv(folder / "scores.csv", index=False)
        write(
            block_of_trains(scores.predicted, scores.duration, f"predicted by {result.model.name}"), folder / "predicted_spikes.nwb"
        )
        _, png = save_figure(figure_of(result, scores, experiment.test), folder / "fit.pdf")
        notes = [page.paragraph(note) for note in scores.notes]
        shown = [page.image(png, CAPTION), page.paragraph(CAPTION)]
        parts = [parts[0], page.heading("Held-out scores"), page.table(score_frame), *notes, *shown, *parts[1:]]
    page.write_page(folder / "report.html", f"{result.model.name} fitted to {experiment.name or 'spike trains'}", parts)


CAPTION = (
    "a, frozen test current. b, membrane potential of the first test repeat. c, recorded and d, predicted spikes of ten repeats. "
    "e, peristimulus time histograms (Gaussian of 10 ms). f, change of the distance to threshold after one spike. "
    "g, time-rescaled interspike intervals of the test spikes with the 95 % band."
)


def entry(result: FitResult, scores: Scores | None, experiment: Experiment) -> dict[str, Any]:
    """One recording and model of ``result.json``."""
    table = {"recording": experiment.name, **result.to_dictionary()}
    if scores is not None:
        held_out = scores.to_dictionary()
        table["bits_per_spike"] |= held_out.pop("bits_per_spike")
        table |= held_out
    return table


def parameter_table(result: FitResult | SpikeTimesResult, truth: NeuronModel | None = None) -> pd.DataFrame:
    """A row a parameter: estimate, standard error, interval, and the truth where it is known."""
    rows = []
    for name, fitted in result.parameters.items():
        row = {"parameter": name, "meaning": result.model.parameters[name].description, "unit": fitted.unit}
        if truth is not None:
            row["truth"] = truth.parameters[name].value
        low, high = fitted.interval_95 or (None, None)
        row |= {"estimate": fitted.value, "standard_error": fitted.standard_error, "low_95": low, "high_95": high}
        row["status"] = "fixed" if fitted.fixed else "identified" if fitted.identified else "not identified"
        rows.append(row)
    return pd.DataFrame(rows)


def score_table(result: FitResult, scores: Scores) -> pd.DataFrame:
    """A row a score: model, 95 % interval, and what the recorded repeats reach among themselves."""
    rows = [
        ("bits per spike, training", result.bits_per_spike, None, None, None),
        ("bits per spike, held out", scores.bits_per_spike, None, None, None),
    ]
    for key, score in scores.md_star.items():
        rows.append((f"Md* ({key})", score.value, *score.interval, scores.md_star_ceiling[key][0]))
    for key, value in scores.gamma.items():
        rows.append((f"coincidence factor ({key})", value, None, None, scores.gamma_recorded[key]))
    for key, value in scores.reliability.items():
        rows.append((f"reliability ({key})", None, None, None, value))
    rows.append(("PSTH correlation", scores.psth_correlation, None, None, None))
    rows.append(("rate (Hz)", scores.predicted_rate, None, None, scores.recorded_rate))
    rows.append(("KS statistic (passes below band)", scores.ks.statistic, None, scores.ks.band, None))
    return pd.DataFrame(rows, columns=["score", "model", "low_95", "high_95", "recorded"])


def figure_of(result: FitResult, scores: Scores, test: Experiment) -> Figure:
    """Figure of a fit from its scores."""
    times, recorded_rate = psth(scores.recorded, scores.duration)
    predicted_rate = psth(scores.predicted, scores.duration)[1]
    since, effect = spike_effect(result.model, result.dt)
    margin_unit, margin_scale = _margin_unit(result.model)
    ((_, input_unit),) = result.model.inputs.items()
    unit, scale = preferred_unit(parse_unit(input_unit).dim)
    first = test.repeats[0]
    start = max(0.0, min(0.5, scores.duration - SHOWN_SECONDS))
    return fit_figure(
        current=test.frozen_current / scale,
        voltage=None if first.voltage is None else first.voltage * 1e3,
        dt=test.dt,
        recorded=scores.recorded,
        predicted=scores.predicted,
        psth=(times, recorded_rate, predicted_rate),
        effect=(since, effect / margin_scale, margin_unit),
        quantiles=scores.ks.quantiles,
        band=scores.ks.band if np.isfinite(scores.ks.band) else 0.0,
        window=(start, min(start + SHOWN_SECONDS, scores.duration)),
        current_unit="" if unit == "1" else unit,
    )


def _margin_unit(model: NeuronModel) -> tuple[str, float]:
    unit, scale = preferred_unit(parse_unit(model.parameters[model.noise.scale].unit).dim)
    return ("" if unit == "1" else unit), scale


def _summary(result: FitResult, experiment: Experiment) -> str:
    verdict = "The fit converged" if result.converged else "The fit did NOT converge"
    free = sum(not p.fixed for p in result.parameters.values())
    return (
        f"{verdict} ({result.message}). {result.n_spikes} training spikes, {free} free parameters of which the data determine "
        f"{result.rank}, time step {result.dt * 1e3:g} ms, {result.seconds:.1f} s. "
        f"Log-likelihood {result.log_likelihood:.2f} nats, "
        f"BIC {result.bic:.1f}, {result.bits_per_spike:.3f} bits per training spike."
    )

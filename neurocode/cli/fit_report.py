"""Everything that a fit writes: result, tables, predicted spikes, figure and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.cli import page
from neurocode.cli.output import write_json, write_spikes
from neurocode.cli.terminal import spike_counts
from neurocode.inference.checks import reservations
from neurocode.inference.held_out import Scores
from neurocode.inference.result import CrossValidation, FitResult
from neurocode.models.model import NeuronModel
from neurocode.plotting import fit_figure, save_figure
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.files import block_of_trains
from neurocode.recordings.repeat import sampled
from neurocode.simulation.effect import spike_effect
from neurocode.statistics.coding import psth
from neurocode.units import parse_unit, preferred_unit

SHOWN_SECONDS = 3.0


def write_fit(
    folder: Path,
    result: FitResult,
    scores: Scores | None,
    experiment: Experiment,
    *,
    truth: NeuronModel | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the files of one fit into a folder and return its entry of ``result.json``.

    Parameters
    ----------
    folder : pathlib.Path
    result : FitResult
    scores : Scores or None
        None without a test recording; then there is no figure and no prediction.
    experiment : Experiment
    truth : NeuronModel, optional
        Known parameters, shown beside the estimates.
    notes : sequence of str
        Further remarks on the fit.
    """
    fit_entry = entry(result, scores, experiment, notes)
    write_json(folder / "result.json", {"results": [fit_entry]})
    result.model.save(folder / "model.toml")
    parameters = parameter_table(result, truth)
    parameters.to_csv(folder / "parameters.csv", index=False)
    held_out: list[str] = []
    if scores is not None:
        score_frame = score_table(result, scores)
        score_frame.to_csv(folder / "scores.csv", index=False)
        predicted = block_of_trains(
            scores.predicted, scores.duration, f"predicted by {result.model.name}"
        )
        write_spikes(predicted, folder / "predicted_spikes")
        pictures = []
        if scores.compares_repeats and experiment.test is not None:
            _, png = save_figure(figure_of(result, scores, experiment.test), folder / "fit.pdf")
            pictures = [page.figure(png, CAPTION)]
        meanings = page.definitions(SCORES, SCORES)
        held_out = [page.heading("Held-out scores"), page.table(score_frame), meanings, *pictures]
    opening = [
        *_opening(result, scores, experiment),
        *map(page.paragraph, fit_entry.get("notes", ())),
    ]
    title = f"{result.model.name} fitted to {experiment.name or 'spike trains'}"
    page.write_page(
        folder / "report.html", title, [*opening, *held_out, *parameter_section(parameters)]
    )
    return fit_entry


CAPTION = (
    "a, frozen test current. b, membrane potential of the first test repeat. c, recorded and d, "
    "predicted spikes of ten repeats. "
    "e, peristimulus time histograms (Gaussian of 10 ms). f, change of the distance to threshold "
    "after one spike. g, time-rescaled interspike intervals of the test spikes with the 95 % band."
)


#: What the scores mean, and the columns that they stand in.
SCORES = {
    "model": "the score of the model",
    "low_95, high_95": "95 % bootstrap interval over the recorded repeats; for the KS statistic "
    "the end of the 95 % band",
    "recorded": "what the recorded repeats reach among themselves: Md* between random halves of "
    "them, the mean coincidence factor and the reliability over pairs, and the recorded rate",
    "bits per spike": "gain in log-likelihood over a Poisson process at the training rate, in "
    "bits per spike; cross-validated: of blocks of the training recording that a refit did not see",
    "Md*": "likeness of predicted and recorded spike densities, spikes counted as alike within "
    "the time in brackets: 1 for equal densities, 0 for unrelated ones (Naud et al. 2011)",
    "coincidence factor": "share of spikes predicted within the time in brackets, less that of "
    "chance: 1 for a perfect prediction, 0 for a Poisson process of the predicted rate",
    "reliability": "coincident spikes of two recorded repeats over those of a repeat with itself",
    "PSTH correlation": "correlation of predicted and recorded rates over time, each smoothed by "
    "a Gaussian of 10 ms",
    "explained variance": "that of recorded by predicted spikes over that among the recorded "
    "repeats, all smoothed by a Gaussian "
    "of 10 ms: 1 for a prediction as good as the mean of the repeats, 0 for a silent one (Teeter "
    "et al. 2018)",
    "KS statistic": "largest distance of the time-rescaled intervals of the test spikes from a "
    "uniform distribution; a correct model stays inside the band 19 times out of 20",
}

#: What the columns of the parameters mean.
PARAMETERS = {
    "estimate": "value at the maximum of the likelihood",
    "truth": "value that the simulation had",
    "standard_error": "from the curvature of the likelihood, in the unit of the parameter",
    "low_95": "lower end of the 95 % interval, which respects the bounds of the parameter",
    "high_95": "upper end of that interval",
    "prior_ratio": "width of the posterior divided by that of the weak prior: near 0 the data "
    "decide, near 1 the prior does",
    "status": "fixed parameters are not estimated; an estimate is narrower than the prior where "
    "the ratio is below a half",
    "identified": "whether the ratio is below a half and the standard error below half of the "
    "value",
}


def parameter_section(frame: pd.DataFrame) -> list[str]:
    """Heading, table and meanings of fitted parameters."""
    return [
        page.heading("Parameters"),
        page.table(frame),
        page.definitions(PARAMETERS, frame.columns),
    ]


def entry(
    result: FitResult, scores: Scores | None, experiment: Experiment, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The entry of one recording and model in ``result.json``."""
    table = {"recording": experiment.name, **result.to_dictionary()}
    if scores is not None:
        held_out = scores.to_dictionary()
        table["bits_per_spike"] |= held_out.pop("bits_per_spike")
        table |= held_out
    if notes:
        table["notes"] = [*table.get("notes", ()), *notes]
    return {
        **table,
        "n_recorded_spikes": experiment.n_spikes,
        "reservations": reservations(result, scores),
    }


def parameter_table(result: FitResult, truth: NeuronModel | None = None) -> pd.DataFrame:
    """One row per parameter: estimate, standard error, interval, and the truth where known."""
    frame = result.to_dataframe().reset_index()
    if truth is not None:
        frame.insert(3, "truth", [truth.parameters[name].value for name in frame["parameter"]])
    return frame


def score_table(result: FitResult, scores: Scores) -> pd.DataFrame:
    """One row per score: model, 95 % interval, and what the recorded repeats reach among
    themselves."""
    rows = [
        ("bits per spike, training", result.bits_per_spike, None, None, None),
        *([] if result.cross_validation is None else [_cross_validated(result.cross_validation)]),
    ]
    held_out = scores.to_dataframe().reset_index()
    return pd.DataFrame([*rows, *held_out.itertuples(index=False)], columns=held_out.columns)


def figure_of(result: FitResult, scores: Scores, test: Experiment) -> Figure:
    """Draw the figure of a fit from its scores."""
    times, recorded_rate = psth(scores.recorded, scores.duration)
    predicted_rate = psth(scores.predicted, scores.duration)[1]
    since, effect = spike_effect(result.model, result.dt)
    margin_unit, margin_scale = _margin_unit(result.model)
    ((_, input_unit),) = result.model.inputs.items()
    unit, scale = preferred_unit(parse_unit(input_unit).dim)
    first = test.repeats[0]
    _, dt = sampled(first, "current")
    start = max(0.0, min(0.5, scores.duration - SHOWN_SECONDS))
    return fit_figure(
        current=test.frozen_current / scale,
        voltage=None if first.voltage is None else first.voltage * 1e3,
        dt=dt,
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
    assert model.noise is not None  # without it there is no stimulus that repeats share
    unit, scale = preferred_unit(parse_unit(model.parameters[model.noise.scale].unit).dim)
    return ("" if unit == "1" else unit), scale


def _cross_validated(validation: CrossValidation) -> tuple[str, float, None, None, None]:
    return "bits per spike, cross-validated", validation.bits_per_spike, None, None, None


def _opening(result: FitResult, scores: Scores | None, experiment: Experiment) -> list[str]:
    """The verdict, and what speaks against the fit."""
    sentences = reservations(result, scores)
    against = (
        [page.heading("What speaks against this fit"), page.bullets(sentences)] if sentences else []
    )
    return [page.paragraph(_summary(result, experiment)), *against]


def _summary(result: FitResult, experiment: Experiment) -> str:
    verdict = "The fit converged" if result.converged else "The fit did NOT converge"
    free = sum(not p.fixed for p in result.parameters.values())
    validation = result.cross_validation
    bits = "" if validation is None else f", {validation.bits_per_spike:.3f} cross-validated"
    return (
        f"{verdict} ({result.message}). {spike_counts(experiment.n_spikes, result.n_spikes)}; "
        f"{free} free parameters, of which the "
        f"data determine {result.rank} combinations, time step {result.dt * 1e3:g} ms, "
        f"{result.seconds:.1f} s. "
        f"Log-likelihood {result.log_likelihood:.2f} nats, BIC {result.bic:.1f}, "
        f"{result.bits_per_spike:.3f} bits per training spike{bits}."
    )

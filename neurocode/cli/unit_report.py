"""Everything that a fit to spike times writes: result, tables, figure and report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.cli import page
from neurocode.cli.fit_report import parameter_section, parameter_table
from neurocode.cli.output import write_json
from neurocode.inference.passage.likelihood import simulation_step
from neurocode.inference.result import FitResult
from neurocode.plotting import save_figure
from neurocode.plotting.spike_times_figure import spike_times_figure
from neurocode.recordings.trains import Trains
from neurocode.statistics.variability import interval_statistics, serial_correlations

#: Number of simulated intervals behind the histogram and the serial correlations of the model, the
#: longest simulation in seconds, and the number of lags.
SIMULATED, LONGEST, LAGS = 20_000, 4000.0, 10

CAPTION = (
    "a, recorded interspike intervals and those of the fitted model. b, serial correlation of the "
    "intervals by lag; grey: 95 % of "
    "independent intervals. c, quantiles of the rescaled intervals with the 95 % band of a correct "
    "model."
)

#: What the statistics of the intervals mean.
STATISTICS = {
    "rate": "one over the mean interval (Hz)",
    "cv": "coefficient of variation: standard deviation over mean",
    "serial_correlation": "correlation of neighbouring intervals",
}


def write_unit_fit(
    folder: Path,
    result: FitResult,
    trains: Trains,
    *,
    names: dict[str, str],
    seed: int,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the files of one fit into a folder and return its entry of ``result.json``.

    Parameters
    ----------
    folder : pathlib.Path
    result : FitResult
    trains : Trains
        Trains of the unit.
    names : dict of str to str
        Names of the file, the unit and the model.
    seed : int
        Seed of the simulated intervals of the fitted model.
    notes : sequence of str
        Further remarks on the fit.
    """
    simulated = simulated_train(result, seed)
    entry = {**result.to_dictionary(), **names, "notes": list(notes)}
    entry["statistics"] = {"recorded": _statistics(trains), "model": _statistics(simulated)}
    write_json(folder / "result.json", {"results": [entry]})
    result.model.save(folder / "model.toml")
    parameters = parameter_table(result)
    parameters.to_csv(folder / "parameters.csv", index=False)
    _, png = save_figure(
        _figure(result, _intervals(trains), _intervals(simulated)), folder / "fit.pdf"
    )
    parts = [
        *map(page.paragraph, _opening(result)),
        *map(page.paragraph, notes),
        *parameter_section(parameters),
        *_interval_section(entry["statistics"]),
        page.figure(png, CAPTION),
    ]
    page.write_page(folder / "report.html", f"{names['model']}, unit {names['unit']}", parts)
    return entry


def simulated_train(result: FitResult, seed: int) -> Trains:
    """Simulated spikes of the fitted model: about twenty thousand, in at most 4000 s."""
    duration = min(SIMULATED / max(result.training_rate, 1e-3), LONGEST)
    return Trains.of(
        result.predict(duration=duration, seed=seed, dt=simulation_step(result.training_rate))
    )


def _statistics(trains: Trains) -> dict[str, float | None]:
    """Rate, CV and first serial correlation of the intervals, None where there are too few."""
    row = interval_statistics(trains).iloc[0]
    values = {
        "rate": 1 / row["mean_isi"],
        "cv": row["cv"],
        "serial_correlation": row["serial_correlation"],
    }
    return {name: float(value) if np.isfinite(value) else None for name, value in values.items()}


def _intervals(trains: Trains) -> list[np.ndarray]:
    return [np.diff(trains.train(k)) for k in range(trains.n_trains)]


def _figure(result: FitResult, recorded: list[np.ndarray], simulated: list[np.ndarray]) -> Figure:
    return spike_times_figure(
        recorded=np.concatenate(recorded),
        simulated=np.concatenate(simulated),
        correlations=(
            serial_correlations(*recorded, lags=LAGS),
            serial_correlations(*simulated, lags=LAGS),
        ),
        quantiles=result.goodness["rescaling"].quantiles,
        band=result.goodness["rescaling"].band,
    )


def _opening(result: FitResult) -> list[str]:
    verdict = "The model survives time rescaling."
    if not result.survives:
        verdict = "The model does NOT survive: " + "; ".join(result.verdicts) + "."
    validation = result.cross_validation
    validated = "" if validation is None else f" ({validation.bits_per_spike:.3f} cross-validated)"
    return [
        verdict,
        f"{result.n_spikes} intervals, {result.training_rate:.3g} Hz; {result.message}. BIC "
        f"{result.bic:.1f}, "
        f"{result.bits_per_spike:.3f} bits per spike over a Poisson process{validated}, "
        f"{result.seconds:.1f} s. "
        "Threshold, reset and leak reversal are fixed: spike times do not tell them apart from "
        "the scale and the mean of the input.",
    ]


def _interval_section(statistics: dict[str, dict[str, float | None]]) -> list[str]:
    frame = pd.DataFrame(statistics).reset_index(names="statistic")
    return [
        page.heading("Intervals"),
        page.table(frame),
        page.definitions(STATISTICS, frame["statistic"]),
    ]

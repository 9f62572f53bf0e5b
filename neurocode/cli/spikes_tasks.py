"""Fits of diffusions to every unit of spike-time files: side by side, resumable, a failure of one stopping no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.cli import page
from neurocode.cli.describe_report import read_trains
from neurocode.cli.fit_report import parameter_section, parameter_table
from neurocode.cli.inputs import data_hash, distinct_models, inputs_of, require_files, require_unchanged
from neurocode.cli.output import output_folder, write_json
from neurocode.cli.progress import Report
from neurocode.cli.spreadsheet import write_csv
from neurocode.errors import DataError, NeurocodeError
from neurocode.inference import FitResult, fit
from neurocode.inference.passage.likelihood import simulation_step
from neurocode.models import NeuronModel, by_name
from neurocode.plotting import save_figure
from neurocode.plotting.spike_times_figure import spike_times_figure
from neurocode.recordings.layout import Layout
from neurocode.recordings.trains import Trains
from neurocode.statistics.variability import serial_correlations

#: What ``--model auto`` compares.
AUTOMATIC = ("lif-diffusive", "eif-diffusive", "adaptive-lif-diffusive")
SHORT_NAMES = {"adaptive": "adaptive-lif-diffusive"}
#: Intervals of the model that its histogram and its serial correlations are drawn from.
SIMULATED, LAGS = 20_000, 10

CAPTION = (
    "a, recorded interspike intervals and those of the fitted model. b, serial correlation of the intervals by lag; grey: 95 % of "
    "independent ones. c, quantiles of the rescaled intervals with the 95 % band of a right model."
)


@dataclass(frozen=True)
class SpikesTask:
    """One unit and one model with everything that decides the result."""

    file: str
    unit: str
    index: int
    model: str
    frequency: float | None
    prior_width: float
    seed: int
    end_at_last_spike: bool
    layout: dict[str, Any]
    inputs: dict[str, str]

    @property
    def label(self) -> str:
        """Name of the folder below the output folder."""
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in self.unit)
        return f"{Path(self.file).stem}/{self.index:03d}-{safe}/{Path(self.model).stem}"


def tasks_of(files: Sequence[Path], layout: Layout, models: Sequence[str], **options: Any) -> list[SpikesTask]:
    """All pairs of unit and model.

    Raises
    ------
    DataError
        If a file cannot be read or holds no unit, or two share a name.
    ModelError
        If a model is unknown, or two models share a name.
    """
    require_files(files)
    if len({path.stem for path in files}) < len(files):
        raise DataError("Two recordings share a file name; give them names of their own.")
    names = distinct_models([
        name for model in models for name in (AUTOMATIC if model == "auto" else (SHORT_NAMES.get(model, model),))
    ])  # fmt: skip
    neurons = {name: by_name(name) for name in names}
    return [
        SpikesTask(str(path), unit, index, name, layout=asdict(layout), inputs=inputs_of(data, neuron), **options)
        for path, data in ((path, data_hash([path])) for path in files)
        for index, unit in enumerate(read_trains(path, layout).names)
        for name, neuron in neurons.items()
    ]


def attempt(task: SpikesTask, folder: Path) -> dict[str, Any]:
    """Fit one unit; an error of the data or the model is the outcome."""
    try:
        return run_one(task, folder)
    except NeurocodeError as error:
        return {"file": Path(task.file).name, "unit": task.unit, "model": task.model, "error": str(error)}


def run_one(task: SpikesTask, folder: Path, report: Report | None = None) -> dict[str, Any]:
    """Fit one unit and write one folder."""
    trains = read_trains(Path(task.file), Layout(**task.layout)).select(task.index)
    require_unchanged([task.file], by_name(task.model), task.inputs)
    if task.end_at_last_spike:
        trains = ending_at_last_spike(trains)
    with output_folder(folder, asdict(task)) as scratch:
        model = _model(task)
        result = fit(model, trains, prior_width=task.prior_width, progress=report)
        result.model.save(scratch / "model.toml")
        recorded, simulated = _intervals(trains), simulated_intervals(result, task.seed)
        entry = {"file": Path(task.file).name, "unit": task.unit, **result.to_dictionary(), "model": task.model}
        entry["statistics"] = {"recorded": interval_statistics(recorded), "model": interval_statistics([simulated])}
        _, png = save_figure(_figure(result, recorded, simulated), scratch / "fit.pdf")
        write_json(scratch / "result.json", {"results": [entry]})
        parameter_table(result).to_csv(scratch / "parameters.csv", index=False)
        title = f"{task.model}, unit {task.unit}"
        page.write_page(
            scratch / "report.html", title, [*_report(result, entry), page.image(png, CAPTION), page.paragraph(CAPTION)]
        )
    return entry


def ending_at_last_spike(trains: Trains) -> Trains:
    """The same trains without the silence after their last spikes."""
    ends = [
        times[-1] if len(times) else stop for times, stop in ((trains.train(k), trains.t_stop[k]) for k in range(trains.n_trains))
    ]
    return replace(trains, t_stop=np.array(ends, float))


def simulated_intervals(result: FitResult, seed: int, n: int = SIMULATED) -> np.ndarray:
    """Intervals of the fitted model."""
    duration = min(n / max(result.training_rate, 1e-3), 4000.0)
    block = result.predict(duration=duration, seed=seed, dt=simulation_step(result.training_rate))
    return np.diff(block.segments[0].spiketrains[0].magnitude)


def interval_statistics(intervals: Sequence[np.ndarray]) -> dict[str, float | None]:
    """Rate, CV and first serial correlation of intervals."""
    pooled = np.concatenate([np.empty(0), *intervals])
    if len(pooled) < 3:
        return {"rate": None, "cv": None, "serial_correlation": None}
    mean = float(np.mean(pooled))
    return {
        "rate": 1 / mean,
        "cv": float(np.std(pooled) / mean),
        "serial_correlation": float(serial_correlations(*intervals, lags=1)[0]),
    }


def verdict_table(entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a fit: ranked inside each unit by BIC, with what speaks against it."""
    rows = []
    for entry in entries:
        ks, memory, statistics = (entry.get(key) or {} for key in ("ks", "dependence", "statistics"))
        row = {
            "file": entry["file"],
            "unit": entry["unit"],
            "model": entry["model"],
            "folder": entry["folder"],
            "error": entry.get("error"),
            "bic": entry.get("bic"),
        }
        row |= {"n_intervals": entry.get("n_spikes"), "converged": entry.get("converged"), "survives": entry.get("survives")}
        row |= {"ks": ks.get("statistic"), "ks_band": ks.get("band"), "rescaled_correlation": memory.get("rank_correlation")}
        for which in ("recorded", "model"):
            row |= {f"{key}_{which}": value for key, value in (statistics.get(which) or {}).items()}
        for name, parameter in (entry.get("parameters") or {}).items():
            if not parameter["fixed"]:
                row |= {f"{name} ({parameter['unit']})": parameter["value"], f"{name}_se": parameter["standard_error"]}
        rows.append(
            {**row, "seconds": entry.get("seconds"), "verdict": entry.get("error") or "; ".join(entry.get("verdicts") or [])}
        )
    frame = pd.DataFrame(rows)
    frame["bic"] = pd.to_numeric(frame["bic"])
    frame.insert(3, "rank", frame.groupby(["file", "unit"])["bic"].rank(method="first"))
    return frame.sort_values(["file", "unit", "rank"], kind="stable").reset_index(drop=True)


#: What the columns of the table mean.
COLUMNS = {
    "rank": "1 is the model with the lowest BIC for this unit",
    "bic": "Bayesian information criterion (nats), number of intervals as sample size",
    "n_intervals": "interspike intervals that were fitted",
    "converged": "whether the search ended at a maximum",
    "survives": "whether the fit converged and time rescaling rejects neither the distribution of the intervals nor "
    "their independence",
    "ks": "Kolmogorov-Smirnov distance of the rescaled intervals from a uniform distribution",
    "ks_band": "what a right model stays below 19 times of 20",
    "rescaled_correlation": "rank correlation of neighbouring rescaled intervals, zero for a right model",
    "rate_recorded": "mean rate (Hz) of the recorded intervals; rate_model: of intervals that the fitted model made",
    "cv_recorded": "coefficient of variation of the recorded intervals; cv_model: of the model's",
    "serial_correlation_recorded": "correlation of neighbouring recorded intervals; serial_correlation_model: of the model's",
    "seconds": "duration of the fit",
    "verdict": "what speaks against reading the parameters as those of a neuron",
}


def write_verdicts(folder: Path, entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Write the entries, their table, and a page that links to that of each fit."""
    frame = verdict_table(entries)
    text = (
        "Each unit was fitted by each model from its spike times alone. A model survives if time rescaling rejects neither the "
        "distribution of its intervals nor their independence given the model, each at 5 %. Models of a unit are ranked by BIC. "
        "Parameters, each with its unit and followed by its standard error (_se), of a model that does not survive describe the "
        "unit's intervals only as far as the figure of the fit shows. The name of a model leads to the page of its fit."
    )
    links = [None if isinstance(row.error, str) else f"{row.folder}/report.html" for row in frame.itertuples()]
    frame = frame.drop(columns="folder")
    shown = frame.dropna(axis="columns", how="all")
    parts = [page.paragraph(text), page.paragraph(summary_text(frame))]
    parts += [page.table(shown, {"model": links}), page.definitions(COLUMNS, shown.columns)]
    with output_folder(folder, {"fits": [entry["folder"] for entry in entries]}) as scratch:
        write_json(scratch / "result.json", {"results": list(entries)})
        write_csv(frame.set_index("file"), scratch / "units.csv")
        page.write_page(scratch / "report.html", "Fits to spike times", parts)
    return frame


def summary_text(frame: pd.DataFrame) -> str:
    """How many units each model survives."""
    parts = []
    for name, group in frame.groupby("model", sort=False):
        fitted = group["survives"].notna()
        parts.append(f"{name}: {int(group['survives'][fitted].astype(bool).sum())} of {len(group)} units survive")
    return "; ".join(parts) + "."


def _model(task: SpikesTask) -> NeuronModel:
    model = by_name(task.model)
    if task.frequency is None:
        return model
    return model.with_parameters({"frequency": f"{task.frequency} Hz"})


def _intervals(trains: Trains) -> list[np.ndarray]:
    return [np.diff(trains.train(k)) for k in range(trains.n_trains)]


def _figure(result: FitResult, recorded: list[np.ndarray], simulated: np.ndarray) -> Figure:
    return spike_times_figure(
        recorded=np.concatenate(recorded),
        simulated=simulated,
        correlations=(serial_correlations(*recorded, lags=LAGS), serial_correlations(simulated, lags=LAGS)),
        quantiles=result.goodness["rescaling"].quantiles,
        band=result.goodness["rescaling"].band,
    )


#: What the statistics of the intervals mean.
STATISTICS = {
    "rate": "one over the mean interval (Hz)",
    "cv": "coefficient of variation: standard deviation over mean",
    "serial_correlation": "correlation of neighbouring intervals",
}


def _report(result: FitResult, entry: dict[str, Any]) -> list[str]:
    verdict = (
        "The model survives time rescaling."
        if result.survives
        else "The model does NOT survive: " + "; ".join(result.verdicts) + "."
    )
    statistics = pd.DataFrame(entry["statistics"]).reset_index(names="statistic")
    text = (
        f"{result.n_spikes} intervals, {result.training_rate:.3g} Hz; {result.message}. BIC {result.bic:.1f}, "
        f"{result.bits_per_spike:.3f} bits per spike over a Poisson process, {result.seconds:.1f} s. "
        "Threshold, reset and leak reversal are fixed: spike times do not tell them apart from the scale and the mean of the input."
    )
    return [
        page.paragraph(verdict),
        page.paragraph(text),
        *parameter_section(parameter_table(result)),
        page.heading("Intervals"),
        page.table(statistics),
        page.definitions(STATISTICS, statistics["statistic"]),
    ]

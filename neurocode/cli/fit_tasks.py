"""Fits of many recordings and models: side by side, resumable, a failure of one stopping no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from neurocode.cli import page
from neurocode.cli.fit_report import entry, write_fit
from neurocode.cli.output import output_folder
from neurocode.cli.progress import Report
from neurocode.errors import DataError, FitError, ModelError, NeurocodeError
from neurocode.fitting import choose_voltage, cross_validate, evaluate, fit
from neurocode.fitting.lanes import MEMBRANE_POTENTIAL
from neurocode.fitting.voltage_choice import with_voltage_freed
from neurocode.models import NeuronModel, by_name
from neurocode.recordings import Experiment

#: What ``--model auto`` compares: the library's current-driven models with escape noise.
AUTOMATIC = ("gif", "igif", "igif-ia")


@dataclass(frozen=True)
class FitTask:
    """One recording and one model with everything that decides the result."""

    training: str
    test: str | None
    electrode: str | None
    model: str
    current_offset: str
    spike_threshold: float
    dead_time: float
    starts: int
    prior_width: float
    predictions: int
    seed: int
    voltage: str
    compare: bool

    @property
    def label(self) -> str:
        """Name of the folder below the output folder."""
        return f"{Path(self.training).stem}/{Path(self.model).stem}"


def tasks_of(
    trainings: Sequence[Path], tests: Sequence[Path], electrodes: Sequence[Path], models: Sequence[str], **options: Any
) -> list[FitTask]:
    """All pairs of recording and model.

    Raises
    ------
    DataError
        If tests or electrode recordings are given but not one for each training recording, or two
        recordings share a name.
    """
    for given, what in ((tests, "test"), (electrodes, "electrode")):
        if given and len(given) != len(trainings):
            raise DataError(f"There are {len(given)} {what} recordings for {len(trainings)} training recordings.")
    if len({path.stem for path in trainings}) < len(trainings):
        raise DataError("Two training recordings share a file name; give them names of their own.")
    names = [name for model in models for name in (AUTOMATIC if model == "auto" else (model,))]
    for name in names:
        by_name(name)
    none = [None] * len(trainings)
    recordings = [
        tuple(None if path is None else str(path) for path in row)
        for row in zip(trainings, tests or none, electrodes or none, strict=True)
    ]
    compare = len(names) > 1
    return [FitTask(*files, name, compare=compare, **options) for files in recordings for name in dict.fromkeys(names)]


def attempt(task: FitTask, folder: Path) -> dict[str, Any]:
    """Fit one recording; an error of the data or the model is the outcome."""
    try:
        return run_one(task, folder)
    except NeurocodeError as error:
        return {"recording": Path(task.training).stem, "model": Path(task.model).stem, "error": str(error)}


def run_one(task: FitTask, folder: Path, report: Report | None = None) -> dict[str, Any]:
    """Fit, cross-validate where models are compared, evaluate, and write one folder."""
    neuron = by_name(task.model)
    options = {"spike_threshold": task.spike_threshold, "dead_time": task.dead_time, "current_offset": task.current_offset}
    experiment = Experiment.from_files(task.training, task.test, electrode=task.electrode, **options)
    with output_folder(folder, asdict(task)) as scratch:
        interval = _voltage_interval(task, neuron, experiment, report)
        neuron = neuron if interval is None else with_voltage_freed(neuron)
        choices = {"prior_width": task.prior_width, "voltage": interval}
        result = fit(neuron, experiment, seed=task.seed, starts=task.starts, progress=report, **choices)
        if task.compare:
            result = replace(result, cross_validation=cross_validate(neuron, result, experiment, prior_width=task.prior_width))
        scores = None
        if experiment.test is not None:
            scores = evaluate(result, experiment, n_predictions=task.predictions, seed=task.seed)
        write_fit(scratch, result, scores, experiment)
        return entry(result, scores, experiment)


def _voltage_interval(task: FitTask, neuron: NeuronModel, experiment: Experiment, report: Report | None) -> float | None:
    """Seconds between voltages that are fitted too, or None for spikes alone."""
    if task.voltage == "no":
        return None
    if task.voltage != "auto":
        return _seconds(task.voltage)
    if MEMBRANE_POTENTIAL not in neuron.states or any(repeat.voltage is None for repeat in experiment.repeats):
        return None
    try:
        return choose_voltage(neuron, experiment, prior_width=task.prior_width, seed=task.seed, progress=report).interval
    except FitError:  # too few spikes in the first two thirds: the fit itself says if they are too few at all
        return None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise ModelError(f"--voltage takes auto, no, or a positive number of seconds, not '{text}'.")
    return value


def comparison(entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a fit, ranked inside each recording by cross-validated likelihood; held-out scores stand beside."""
    rows = []
    for table in entries:
        bits, md, gamma = (table.get(key) or {} for key in ("bits_per_spike", "md_star", "gamma"))
        rows.append({
            "recording": table["recording"], "model": table["model"], "error": table.get("error"),
            "cross_validated_bits": (table.get("cross_validation") or {}).get("bits_per_spike"), "bic": table.get("bic"),
            "converged": table.get("converged"), "training_bits": bits.get("training"), "held_out_bits": bits.get("test"),
            "md_star_4ms": md.get("4ms"), "md_star_8ms": md.get("8ms"), "gamma_4ms": gamma.get("4ms"),
            "reliability_8ms": (table.get("reliability") or {}).get("8ms"),
            "ceiling_8ms": (table.get("md_star_ceiling") or {}).get("8ms"),
            "ks": (table.get("ks") or {}).get("statistic"), "seconds": table.get("seconds"),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["cross_validated_bits"] = pd.to_numeric(frame["cross_validated_bits"])
    frame.insert(2, "rank", frame.groupby("recording")["cross_validated_bits"].rank(ascending=False, method="first"))
    return frame.sort_values(["recording", "rank"], kind="stable").reset_index(drop=True)


def write_comparison(folder: Path, entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Write the entries, their comparison and a page that links nothing outside."""
    frame = comparison(entries)
    (folder / "result.json").write_text(json.dumps({"results": list(entries)}, indent=2), encoding="utf-8")
    frame.to_csv(folder / "comparison.csv", index=False)
    text = (
        "Models are ranked inside each recording by the likelihood of blocks of the training recording that a refit did not see. "
        "Held-out scores on the test recording stand beside and choose nothing. Each fit has a folder of its own with its report."
    )
    page.write_page(folder / "report.html", "Comparison of fits", [page.paragraph(text), page.table(frame)])
    return frame

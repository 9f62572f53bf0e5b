"""Fits of many recordings and models: side by side, resumable, a failure of one stopping no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from neurocode.cli import page
from neurocode.cli.fit_report import entry, write_fit
from neurocode.cli.inputs import content_hash, data_hash, distinct_models, inputs_of, require_files, require_unchanged
from neurocode.cli.output import output_folder, write_json
from neurocode.cli.progress import Report
from neurocode.cli.spreadsheet import write_csv
from neurocode.errors import DataError, FitError, ModelError, NeurocodeError
from neurocode.inference import choose_voltage, cross_validate, evaluate, fit
from neurocode.inference.clamped.lanes import MEMBRANE_POTENTIAL
from neurocode.inference.clamped.voltage_choice import with_voltage_freed
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
    inputs: dict[str, str]

    @property
    def files(self) -> tuple[str | None, ...]:
        """What the recording is read from."""
        return self.training, self.test, self.electrode

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
        If tests or electrode recordings are given but not one for each training recording, a test is its training recording,
        or two recordings share a name.
    ModelError
        If a model is unknown, or two models share a name.
    """
    for given, what in ((tests, "test"), (electrodes, "electrode")):
        if given and len(given) != len(trainings):
            raise DataError(f"There are {len(given)} {what} recordings for {len(trainings)} training recordings.")
    require_files([*trainings, *tests, *electrodes])
    if len({path.stem for path in trainings}) < len(trainings):
        raise DataError("Two training recordings share a file name; give them names of their own.")
    names = distinct_models([name for model in models for name in (AUTOMATIC if model == "auto" else (model,))])
    none = [None] * len(trainings)
    recordings = [
        tuple(None if path is None else str(path) for path in row)
        for row in zip(trainings, tests or none, electrodes or none, strict=True)
    ]
    for training, test, _ in recordings:
        _require_another_test(training, test)
    neurons = {name: by_name(name) for name in names}
    return [
        FitTask(*files, name, inputs=inputs_of(data, neuron), **options)
        for files, data in ((files, data_hash(files)) for files in recordings)
        for name, neuron in neurons.items()
    ]


def _require_another_test(training: str, test: str | None) -> None:
    """Refuse the training recording, under whatever name, as its own test."""
    if test is not None and (digest := content_hash(Path(test))) and digest == content_hash(Path(training)):
        raise DataError(f"{test}: the test is the training recording itself, expected repeats that the fit does not see.")


def attempt(task: FitTask, folder: Path) -> dict[str, Any]:
    """Fit one recording; an error of the data or the model is the outcome."""
    try:
        return run_one(task, folder)
    except NeurocodeError as error:
        return {"recording": Path(task.training).stem, "model": Path(task.model).stem, "error": str(error)}


def run_one(task: FitTask, folder: Path, report: Report | None = None) -> dict[str, Any]:
    """Fit, cross-validate, evaluate, and write one folder."""
    neuron = by_name(task.model)
    options = {"spike_threshold": task.spike_threshold, "dead_time": task.dead_time, "current_offset": task.current_offset}
    experiment = Experiment.from_files(task.training, task.test, electrode=task.electrode, **options)
    require_unchanged(task.files, neuron, task.inputs)
    with output_folder(folder, asdict(task)) as scratch:
        interval = _voltage_interval(task, neuron, experiment, report)
        neuron = neuron if interval is None else with_voltage_freed(neuron)
        choices = {"prior_width": task.prior_width, "voltage": interval}
        result = fit(neuron, experiment, seed=task.seed, starts=task.starts, progress=report, **choices)
        validation = cross_validate(neuron, result, experiment, prior_width=task.prior_width, progress=report)
        result = replace(result, cross_validation=validation)
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
            "recording": table["recording"], "model": Path(table["folder"]).name, "error": table.get("error"),
            "cross_validated_bits": (table.get("cross_validation") or {}).get("bits_per_spike"), "bic": table.get("bic"),
            "converged": table.get("converged"), "training_bits": bits.get("training"), "held_out_bits": bits.get("test"),
            "md_star_4ms": md.get("4ms"), "md_star_8ms": md.get("8ms"), "gamma_4ms": gamma.get("4ms"),
            "reliability_8ms": (table.get("reliability") or {}).get("8ms"),
            "ceiling_8ms": (table.get("md_star_ceiling") or {}).get("8ms"),
            "ks": (table.get("ks") or {}).get("statistic"), "seconds": table.get("seconds"),
            "reservations": None if "error" in table else len(table.get("reservations") or ()),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["cross_validated_bits"] = pd.to_numeric(frame["cross_validated_bits"])
    frame.insert(2, "rank", frame.groupby("recording")["cross_validated_bits"].rank(ascending=False, method="first"))
    return frame.sort_values(["recording", "rank"], kind="stable").reset_index(drop=True)


#: What the columns of the comparison mean.
COLUMNS = {
    "rank": "1 is the model with the most cross-validated bits in this recording",
    "cross_validated_bits": "bits per spike of blocks of the training recording that a refit did not see, over a Poisson process",
    "bic": "Bayesian information criterion (nats, lower is better), number of training spikes as sample size",
    "converged": "whether the search ended at a maximum",
    "training_bits": "bits per training spike over a Poisson process at the training rate",
    "held_out_bits": "the same for the spikes of the test, which chooses nothing",
    "md_star_4ms": "Md* of predicted and recorded test repeats at 4 ms: 1 for the same spike densities, 0 for unrelated ones",
    "md_star_8ms": "the same at 8 ms",
    "gamma_4ms": "coincidence factor at 4 ms: 1 where every spike is predicted, 0 for a Poisson process of the predicted rate",
    "reliability_8ms": "how alike the recorded repeats are among themselves at 8 ms, over each with itself",
    "ceiling_8ms": "Md* between random halves of the recorded repeats: what a perfect model reaches",
    "ks": "Kolmogorov-Smirnov distance of the time-rescaled test intervals",
    "seconds": "duration of the fit",
    "reservations": "how many checks the fit does not pass; its own page says which",
}


def write_comparison(folder: Path, entries: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Write the entries, their comparison, and a page that links to that of each fit."""
    frame = comparison(entries)
    text = (
        "Models are ranked inside each recording by the likelihood of blocks of the training recording that a refit did not see. "
        "Held-out scores on the test recording stand beside and choose nothing. Each fit has a folder of its own with its report, "
        "to which the name of its model leads."
    )
    links = [None if isinstance(row.error, str) else f"{row.recording}/{row.model}/report.html" for row in frame.itertuples()]
    shown = frame.dropna(axis="columns", how="all")
    parts = [page.paragraph(text), page.table(shown, {"model": links}), page.definitions(COLUMNS, shown.columns)]
    with output_folder(folder, {"fits": [table["folder"] for table in entries]}) as scratch:
        write_json(scratch / "result.json", {"results": list(entries)})
        write_csv(frame.set_index("recording"), scratch / "comparison.csv")
        page.write_page(scratch / "report.html", "Comparison of fits", parts)
    return frame

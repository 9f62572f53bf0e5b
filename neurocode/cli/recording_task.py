"""Fits of recordings of spikes under a current, each with its test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurocode.cli.fit_comparison import Comparison
from neurocode.cli.fit_report import write_fit
from neurocode.cli.fit_task import FitTask
from neurocode.cli.inputs import content_hash, data_hash, inputs_of, models_of, require_distinct_files
from neurocode.errors import DataError, FitError, ModelError
from neurocode.inference import FitResult, choose_voltage, evaluate, fit
from neurocode.inference.clamped.lanes import MEMBRANE_POTENTIAL
from neurocode.inference.clamped.voltage_choice import with_voltage_freed
from neurocode.inference.optimise import Report
from neurocode.models import NeuronModel
from neurocode.recordings import Experiment

#: What ``auto`` stands for: the library's current-driven models with escape noise.
AUTOMATIC = {"auto": ("gif", "igif", "igif-ia")}


@dataclass(frozen=True, kw_only=True)
class RecordingTask(FitTask):
    """One recording with its test, and one model."""

    training: str
    test: str | None
    electrode: str | None
    current_offset: str
    spike_threshold: float
    dead_time: float
    starts: int
    predictions: int
    voltage: str

    @property
    def files(self) -> tuple[str | None, ...]:
        """Training, test and electrode recording."""
        return self.training, self.test, self.electrode

    @property
    def names(self) -> dict[str, str]:
        """What recording and model are called."""
        return {"recording": Path(self.training).stem, "model": Path(self.model).stem}

    @property
    def label(self) -> str:
        """Name of the folder below the output folder."""
        return "/".join(self.names.values())

    def data(self) -> Experiment:
        """The recording with its test set apart."""
        options = {"spike_threshold": self.spike_threshold, "dead_time": self.dead_time, "current_offset": self.current_offset}
        return Experiment.from_files(self.training, self.test, electrode=self.electrode, **options)

    def fitted(self, data: Experiment, report: Report | None) -> tuple[NeuronModel, FitResult]:
        """Fit the spikes, and the voltage where that was asked for."""
        interval = self._voltage_interval(data, report)
        neuron = self.neuron if interval is None else with_voltage_freed(self.neuron)
        choices = {"prior_width": self.prior_width, "voltage": interval}
        return neuron, fit(neuron, data, seed=self.seed, starts=self.starts, progress=report, **choices)

    def write(self, folder: Path, result: FitResult, data: Experiment, notes: list[str]) -> dict[str, Any]:
        """Score the test, and write what :func:`~neurocode.cli.fit_report.write_fit` does."""
        scores = None
        if data.test is not None:
            scores = evaluate(result, data, n_predictions=self.predictions, seed=self.seed)
        return write_fit(folder, result, scores, data, notes=notes)

    def _voltage_interval(self, data: Experiment, report: Report | None) -> float | None:
        """Seconds between voltages that are fitted too, or None for spikes alone."""
        if self.voltage == "no":
            return None
        if self.voltage != "auto":
            return _seconds(self.voltage)
        if MEMBRANE_POTENTIAL not in self.neuron.states or any(repeat.voltage is None for repeat in data.repeats):
            return None
        try:
            return choose_voltage(self.neuron, data, prior_width=self.prior_width, seed=self.seed, progress=report).interval
        except FitError:  # too few spikes in the first two thirds: the fit itself says if they are too few at all
            return None


def tasks_of(
    trainings: Sequence[Path], tests: Sequence[Path], electrodes: Sequence[Path], models: Sequence[str], **options: Any
) -> list[RecordingTask]:
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
    require_distinct_files(trainings, [*tests, *electrodes])
    neurons = models_of(models, AUTOMATIC)
    none = [None] * len(trainings)
    recordings = [
        tuple(None if path is None else str(path) for path in row)
        for row in zip(trainings, tests or none, electrodes or none, strict=True)
    ]
    for training, test, _ in recordings:
        _require_another_test(training, test)
    return [
        RecordingTask(training=training, test=test, electrode=electrode, model=name, inputs=inputs_of(data, neuron), **options)
        for training, test, electrode, data in ((*files, data_hash(files)) for files in recordings)
        for name, neuron in neurons.items()
    ]


def _require_another_test(training: str, test: str | None) -> None:
    """Refuse the training recording, under whatever name, as its own test."""
    if test is not None and (digest := content_hash(Path(test))) and digest == content_hash(Path(training)):
        raise DataError(f"{test}: the test is the training recording itself, expected repeats that the fit does not see.")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise ModelError(f"--voltage takes auto, no, or a positive number of seconds, not '{text}'.")
    return value


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    bits, md, gamma = (entry.get(key) or {} for key in ("bits_per_spike", "md_star", "gamma"))
    return {
        "held_out_bits": bits.get("test"), "md_star_4ms": md.get("4ms"), "md_star_8ms": md.get("8ms"),
        "gamma_4ms": gamma.get("4ms"),
        "reliability_8ms": (entry.get("reliability") or {}).get("8ms"),
        "ceiling_8ms": (entry.get("md_star_ceiling") or {}).get("8ms"),
        "ks": (entry.get("ks") or {}).get("statistic"),
        "reservations": None if "error" in entry else len(entry.get("reservations") or ()),
    }  # fmt: skip


COMPARISON = Comparison(
    data=("recording",),
    row=_row,
    meanings={
        "bic": "Bayesian information criterion (nats, lower is better), number of training spikes as sample size",
        "held_out_bits": "bits per spike of the spikes of the test, which chooses nothing",
        "md_star_4ms": "Md* of predicted and recorded test repeats at 4 ms: 1 for the same spike densities, 0 for unrelated ones",
        "md_star_8ms": "the same at 8 ms",
        "gamma_4ms": "coincidence factor at 4 ms: 1 where every spike is predicted, 0 for a Poisson process of the predicted rate",
        "reliability_8ms": "how alike the recorded repeats are among themselves at 8 ms, over each with itself",
        "ceiling_8ms": "Md* between random halves of the recorded repeats: what a perfect model reaches",
        "ks": "Kolmogorov-Smirnov distance of the time-rescaled test intervals",
        "reservations": "how many checks the fit does not pass; its own page says which",
    },
    headings={
        "recording": "recording", "model": "model", "rank": "rank", "cross_validated_bits": "bits\ncross-v.",
        "held_out_bits": "bits\ntest", "md_star_8ms": "Md*\n(8 ms)", "converged": "con-\nverged", "reservations": "checks\nfailed",
        "seconds": "s",
    },
    table="comparison.csv",
    title="Comparison of fits",
    text="Models are ranked inside each recording by the likelihood of blocks of the training recording that a refit did not see. "
    "Held-out scores on the test recording stand beside and choose nothing. Each fit has a folder of its own with its report, "
    "to which the name of its model leads.",
)  # fmt: skip

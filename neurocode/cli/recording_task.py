"""Fits to recordings of spikes under a current, with their test recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurocode.cli.fit_comparison import Comparison
from neurocode.cli.fit_report import write_fit
from neurocode.cli.fit_task import FitTask
from neurocode.cli.inputs import (
    content_hash,
    data_hash,
    inputs_of,
    models_of,
    require_distinct_files,
)
from neurocode.errors import DataError, FitError, ModelError
from neurocode.inference import FitResult, choose_voltage, evaluate, fit
from neurocode.inference.clamped.lanes import MEMBRANE_POTENTIAL
from neurocode.inference.clamped.voltage_choice import with_voltage_freed
from neurocode.inference.optimise import Report
from neurocode.models import NeuronModel
from neurocode.recordings import Experiment

#: Options of :meth:`Experiment.from_files` that a task holds.
READING = (
    "sweeps",
    "test_sweeps",
    "voltage_channel",
    "current_channel",
    "t_start",
    "t_stop",
    "bias_current",
    "current_offset",
    "spike_threshold",
    "dead_time",
)
#: Models that ``auto`` stands for: the library's current-driven models with escape noise.
AUTOMATIC = {"auto": ("gif", "igif", "igif-ia")}


@dataclass(frozen=True, kw_only=True)
class RecordingTask(FitTask):
    """One recording with its test, and one model."""

    training: str
    test: str | None
    electrode: str | None
    current: str | None
    test_current: str | None
    sweeps: str | None = None
    test_sweeps: str | None = None
    voltage_channel: str | None = None
    current_channel: str | None = None
    t_start: float | None = None
    t_stop: float | None = None
    bias_current: str = "auto"
    current_offset: str
    spike_threshold: float
    dead_time: float
    starts: int
    predictions: int
    voltage: str

    @property
    def files(self) -> tuple[str | None, ...]:
        """Training, test and electrode recording, and the currents that are in separate files."""
        return self.training, self.test, self.electrode, self.current, self.test_current

    @property
    def names(self) -> dict[str, str]:
        """Names of the recording and of the model."""
        return {"recording": Path(self.training).stem, "model": Path(self.model).stem}

    @property
    def label(self) -> str:
        """Name of the folder below the output folder."""
        return "/".join(self.names.values())

    def data(self) -> Experiment:
        """The recording with its test set apart."""
        choices = {name: getattr(self, name) for name in READING}
        training = _with_current(self.training, self.current)
        test = None if self.test is None else _with_current(self.test, self.test_current)
        return Experiment.from_files(training, test, electrode=self.electrode, **choices)

    def fitted(self, data: Experiment, report: Report | None) -> tuple[NeuronModel, FitResult]:
        """Fit the spikes, and also the voltage if requested."""
        interval = self._voltage_interval(data, report)
        neuron = self.neuron if interval is None else with_voltage_freed(self.neuron)
        choices = {"prior_width": self.prior_width, "voltage": interval}
        return neuron, fit(
            neuron, data, seed=self.seed, starts=self.starts, progress=report, **choices
        )

    def write(
        self, folder: Path, result: FitResult, data: Experiment, notes: list[str]
    ) -> dict[str, Any]:
        """Score the test, and write the files of :func:`~neurocode.cli.fit_report.write_fit`."""
        scores = None
        if data.test is not None:
            scores = evaluate(result, data, n_predictions=self.predictions, seed=self.seed)
        return write_fit(folder, result, scores, data, notes=notes)

    def _voltage_interval(self, data: Experiment, report: Report | None) -> float | None:
        """Seconds between the voltages that are also fitted, or None to fit only spikes."""
        if self.voltage == "no":
            return None
        if self.voltage != "auto":
            return _seconds(self.voltage)
        if MEMBRANE_POTENTIAL not in self.neuron.states or any(
            repeat.voltage is None for repeat in data.repeats
        ):
            return None
        try:
            return choose_voltage(
                self.neuron, data, prior_width=self.prior_width, seed=self.seed, progress=report
            ).interval
        # too few spikes in the first two thirds; if there are too few in total, the fit raises this
        except FitError:
            return None


@dataclass(frozen=True)
class Files:
    """Files of one recording; those that it does not have are ``None``."""

    training: Path
    test: Path | None = None
    electrode: Path | None = None
    current: Path | None = None
    test_current: Path | None = None

    def as_text(self) -> dict[str, str | None]:
        """The paths as text, as a task holds them."""
        return {name: None if path is None else str(path) for name, path in vars(self).items()}


def recordings_of(training: Sequence[Path], **others: Sequence[Path]) -> list[Files]:
    """Files that belong together, by their order: of each kind there must be one file for each
    training recording, or none.

    Raises
    ------
    DataError
        If there are more or fewer files of a kind, one of them is a folder, or two training
        recordings have the same name.
    """
    for kind, paths in others.items():
        if paths and len(paths) != len(training):
            raise DataError(
                f"There are {len(paths)} {kind.replace('_', ' ')} recordings for {len(training)} "
                f"training recordings."
            )
    require_distinct_files(training, [path for paths in others.values() for path in paths])
    return [
        Files(path, **{kind: paths[number] for kind, paths in others.items() if paths})
        for number, path in enumerate(training)
    ]


def tasks_of(
    recordings: Sequence[Files], models: Sequence[str], **options: Any
) -> list[RecordingTask]:
    """Tasks for all pairs of a recording and a model.

    Raises
    ------
    DataError
        If a test is its own training recording, or a current of a test comes without its voltage.
    ModelError
        If a model is unknown, or two models share a name.
    """
    neurons = models_of(models, AUTOMATIC)
    for files in recordings:
        _require_another_test(files)
    return [
        RecordingTask(**files, model=name, inputs=inputs_of(data, neuron), **options)
        for files, data in (
            (files.as_text(), data_hash([*vars(files).values()])) for files in recordings
        )
        for name, neuron in neurons.items()
    ]


def _require_another_test(files: Files) -> None:
    """Refuse a test that is the training recording under any name, and a current of a test without
    its voltage."""
    if files.test_current is not None and files.test is None:
        raise DataError(
            f"{files.test_current}: a current of a test is given, expected the voltage of that "
            f"test too (--test)."
        )
    if (
        files.test is not None
        and (digest := content_hash(files.test))
        and digest == content_hash(files.training)
    ):
        raise DataError(
            f"{files.test}: the test is the training recording itself, expected repeats that the "
            f"fit does not see; to use sweeps of the same file as test, give --test-sweeps without "
            f"--test."
        )


def _with_current(voltage: str, current: str | None) -> str | tuple[str, str]:
    return voltage if current is None else (voltage, current)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0:
        raise ModelError(
            f"--voltage takes auto, no, or a positive number of seconds, not '{text}'."
        )
    return value


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    bits, md, gamma = (entry.get(key) or {} for key in ("bits_per_spike", "md_star", "gamma"))
    return {
        "held_out_bits": bits.get("test"),
        "md_star_4ms": md.get("4ms"),
        "md_star_8ms": md.get("8ms"),
        "gamma_4ms": gamma.get("4ms"),
        "reliability_8ms": (entry.get("reliability") or {}).get("8ms"),
        "ceiling_8ms": (entry.get("md_star_ceiling") or {}).get("8ms"),
        "ks": (entry.get("ks") or {}).get("statistic"),
        "reservations": None if "error" in entry else len(entry.get("reservations") or ()),
    }


COMPARISON = Comparison(
    data=("recording",),
    row=_row,
    meanings={
        "bic": "Bayesian information criterion (nats, lower is better), number of training spikes "
        "as sample size",
        "held_out_bits": "bits per spike of the test, which does not affect the ranking",
        "md_star_4ms": "Md* of predicted and recorded test repeats at 4 ms: 1 for the same spike "
        "densities, 0 for unrelated ones",
        "md_star_8ms": "the same at 8 ms",
        "gamma_4ms": "coincidence factor at 4 ms: 1 where every spike is predicted, 0 for a "
        "Poisson process of the predicted rate",
        "reliability_8ms": "mean similarity of different recorded repeats at 8 ms, divided by that "
        "of each repeat with itself",
        "ceiling_8ms": "Md* between random halves of the recorded repeats: what a perfect model "
        "reaches",
        "ks": "Kolmogorov-Smirnov distance of the time-rescaled test intervals",
        "reservations": "number of checks that the fit does not pass; its page says which",
    },
    headings={
        "recording": "recording",
        "model": "model",
        "rank": "rank",
        "cross_validated_bits": "bits\ncross-v.",
        "held_out_bits": "bits\ntest",
        "md_star_8ms": "Md*\n(8 ms)",
        "converged": "con-\nverged",
        "reservations": "checks\nfailed",
        "seconds": "s",
    },
    table="comparison.csv",
    title="Comparison of fits",
    text="For each recording, models are ranked by the likelihood of blocks of the training "
    "recording that a refit did not see. Held-out scores on the test recording are also shown, but "
    "do not affect the ranking. Each fit has its own folder with a report, which the name of the "
    "model links to.",
)

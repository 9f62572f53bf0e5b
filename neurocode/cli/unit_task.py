"""Fits to the spike times of every unit of files, without a current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neurocode.cli.fit_comparison import Comparison
from neurocode.cli.fit_task import FitTask
from neurocode.cli.inputs import data_hash, inputs_of, models_of, require_distinct_files
from neurocode.cli.unit_report import write_unit_fit
from neurocode.errors import ModelError
from neurocode.frames import column, kept
from neurocode.inference import FitResult, fit
from neurocode.inference.optimise import Report
from neurocode.models import NeuronModel
from neurocode.recordings.files import read_trains
from neurocode.recordings.layout import Layout
from neurocode.recordings.trains import Trains

#: Models that short names stand for.
AUTOMATIC = {
    "auto": ("lif-diffusive", "eif-diffusive", "adaptive-lif-diffusive"),
    "adaptive": ("adaptive-lif-diffusive",),
}


@dataclass(frozen=True, kw_only=True)
class UnitTask(FitTask):
    """One unit of a file, and one model."""

    file: str
    unit: str
    index: int
    frequency: float | None
    end_at_last_spike: bool
    layout: dict[str, Any]

    @property
    def files(self) -> tuple[str | None, ...]:
        """The file of the unit."""
        return (self.file,)

    @property
    def names(self) -> dict[str, str]:
        """Names of the file, the unit and the model."""
        return {"file": Path(self.file).name, "unit": self.unit, "model": self.model}

    @property
    def label(self) -> str:
        """Name of the folder below the output folder."""
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in self.unit)
        return f"{Path(self.file).stem}/{self.index:03d}-{safe}/{Path(self.model).stem}"

    @property
    def neuron(self) -> NeuronModel:
        """The model before the fit, with the frequency of its drive where one is set."""
        return (
            super().neuron
            if self.frequency is None
            else super().neuron.with_parameters({"frequency": f"{self.frequency} Hz"})
        )

    def data(self) -> Trains:
        """Trains of the unit."""
        trains = read_trains(Path(self.file), Layout(**self.layout)).select(self.index)
        return trains.ending_at_last_spike() if self.end_at_last_spike else trains

    def fitted(self, data: Trains, report: Report | None) -> tuple[NeuronModel, FitResult]:
        """Fit the unit."""
        return self.neuron, fit(self.neuron, data, prior_width=self.prior_width, progress=report)

    def write(
        self, folder: Path, result: FitResult, data: Trains, notes: list[str]
    ) -> dict[str, Any]:
        """Simulate intervals and write the folder of the fit; see
        :func:`~neurocode.cli.unit_report.write_unit_fit`."""
        return write_unit_fit(folder, result, data, names=self.names, seed=self.seed, notes=notes)


def tasks_of(
    files: Sequence[Path], layout: Layout, models: Sequence[str], **options: Any
) -> list[UnitTask]:
    """All pairs of unit and model.

    Raises
    ------
    DataError
        If a file cannot be read or holds no unit, or two share a name.
    ModelError
        If a model is unknown or has no ``xi``, or two models share a name.
    """
    require_distinct_files(files)
    neurons = models_of(models, AUTOMATIC)
    for name, neuron in neurons.items():
        if not neuron.has_diffusion:
            raise ModelError(
                f"Model '{name}' has no xi, expected a neuron driven by white noise such as "
                f"lif-diffusive; neurocode fit takes a "
                "recording with its current."
            )
    return [
        UnitTask(
            file=str(path),
            unit=unit,
            index=index,
            model=name,
            layout=asdict(layout),
            inputs=inputs_of(data, neuron),
            **options,
        )
        for path, data in ((path, data_hash([path])) for path in files)
        for index, unit in enumerate(read_trains(path, layout).names)
        for name, neuron in neurons.items()
    ]


def _summary(frame: pd.DataFrame) -> list[str]:
    """How many units each model fits without being rejected."""
    parts = []
    for name, group in frame.groupby("model", sort=False):
        verdicts = column(group, "survives")
        survivors = int(kept(verdicts, verdicts.notna()).astype(bool).sum())
        parts.append(f"{name}: {survivors} of {len(group)} units survive")
    return ["; ".join(parts) + "."]


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    """Verdict, goodness, interval statistics and the estimates with their units."""
    ks, memory, statistics = (entry.get(key) or {} for key in ("ks", "dependence", "statistics"))
    row = {"n_intervals": entry.get("n_spikes"), "survives": entry.get("survives")}
    row |= {
        "ks": ks.get("statistic"),
        "ks_band": ks.get("band"),
        "rescaled_correlation": memory.get("rank_correlation"),
    }
    for which in ("recorded", "model"):
        row |= {f"{key}_{which}": value for key, value in (statistics.get(which) or {}).items()}
    for name, parameter in (entry.get("parameters") or {}).items():
        if not parameter["fixed"]:
            row |= {
                f"{name} ({parameter['unit']})": parameter["value"],
                f"{name}_se": parameter["standard_error"],
            }
    return row | {"verdict": entry.get("error") or "; ".join(entry.get("verdicts") or [])}


COMPARISON = Comparison(
    data=("file", "unit"),
    row=_row,
    meanings={
        "bic": "Bayesian information criterion (nats, lower is better), number of intervals as "
        "sample size",
        "n_intervals": "interspike intervals that were fitted",
        "survives": "whether the fit converged and time rescaling rejects neither the "
        "distribution of the intervals nor their independence",
        "ks": "Kolmogorov-Smirnov distance of the rescaled intervals from a uniform distribution",
        "ks_band": "bound that a correct model stays below 19 times out of 20",
        "rescaled_correlation": "rank correlation of neighbouring rescaled intervals, zero for a "
        "correct model",
        "rate_recorded": "mean rate (Hz) of the recorded intervals; rate_model: of intervals that "
        "the fitted model made",
        "cv_recorded": "coefficient of variation of the recorded intervals; cv_model: of the "
        "model's",
        "serial_correlation_recorded": "correlation of neighbouring recorded intervals; "
        "serial_correlation_model: of the model's",
        "verdict": "what speaks against reading the parameters as those of a neuron",
    },
    headings={
        "unit": "unit",
        "model": "model",
        "rank": "rank",
        "cross_validated_bits": "bits\ncross-v.",
        "n_intervals": "inter-\nvals",
        "survives": "sur-\nvives",
        "ks": "KS",
        "rescaled_correlation": "neigh-\nbours",
        "seconds": "s",
    },
    table="units.csv",
    title="Fits to spike times",
    text="Each unit was fitted by each model from its spike times alone. A model survives if time "
    "rescaling rejects neither the "
    "distribution of its intervals nor their independence given the model, each at 5 %. Models of "
    "a unit are ranked by the likelihood of blocks of its intervals that a refit did not see. "
    "Parameters, each with its unit and followed by its standard error (_se), of a model that "
    "does not survive describe the "
    "unit's intervals only as far as the figure of the fit shows. The name of a model leads to "
    "the page of its fit.",
    summary=_summary,
)

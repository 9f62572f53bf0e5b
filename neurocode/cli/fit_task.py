"""One fit of the command line, for any kind of data: read, fit, cross-validate, write a folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neurocode.cli.inputs import require_unchanged
from neurocode.cli.output import output_folder
from neurocode.errors import DataError, FitError, NeurocodeError
from neurocode.inference import FitResult, cross_validate
from neurocode.inference.optimise import Report
from neurocode.models import NeuronModel, by_name


@dataclass(frozen=True, kw_only=True)
class FitTask(ABC):
    """Data and one model with all options that determine the result.

    Attributes
    ----------
    model : str
        Library name or path of a model file.
    prior_width : float
    seed : int
    inputs : dict of str to str
        Hashes of the data and model of the task; see :func:`~neurocode.cli.inputs.inputs_of`.
    """

    model: str
    prior_width: float
    seed: int
    inputs: dict[str, str]

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of the folder below the output folder."""

    @property
    @abstractmethod
    def names(self) -> dict[str, str]:
        """Names of the data and of the model in tables."""

    @property
    @abstractmethod
    def files(self) -> tuple[str | None, ...]:
        """Files from which the data are read."""

    @property
    def neuron(self) -> NeuronModel:
        """The model before the fit."""
        return by_name(self.model)

    @abstractmethod
    def data(self) -> object:
        """The data, as :func:`neurocode.fit` takes them."""

    @abstractmethod
    def fitted(self, data: Any, report: Report | None) -> tuple[NeuronModel, FitResult]:
        """Fit the model; return it as it was before the fit, and the result."""

    @abstractmethod
    def write(self, folder: Path, result: FitResult, data: Any, notes: list[str]) -> dict[str, Any]:
        """Write tables, figures and the page of a fit, including notes on it; return its entry of
        ``result.json``."""


def run_one(task: FitTask, folder: Path, report: Report | None = None) -> dict[str, Any]:
    """Fit, cross-validate, and write one complete folder; return the entry of ``result.json``."""
    data = task.data()
    require_unchanged(task.files, by_name(task.model), task.inputs)
    with output_folder(folder, asdict(task)) as scratch:
        neuron, result = task.fitted(data, report)
        result, notes = _cross_validated(task, neuron, result, data, report)
        return task.write(scratch, result, data, notes)


def attempt(task: FitTask, folder: Path) -> dict[str, Any]:
    """Run one task; if the data or the model raise an error, return it as the entry."""
    try:
        return run_one(task, folder)
    except NeurocodeError as error:
        return {**task.names, "error": str(error)}


def _cross_validated(
    task: FitTask, neuron: NeuronModel, result: FitResult, data: object, report: Report | None
) -> tuple[FitResult, list[str]]:
    """The result with its cross-validation, or a note that says why there is none; the fit is kept
    in that case, but has no rank."""
    try:
        validation = cross_validate(
            neuron, result, data, prior_width=task.prior_width, progress=report
        )
    except (DataError, FitError) as error:
        return result, [f"The fit was not cross-validated: {error}"]
    return replace(result, cross_validation=validation), []

"""The interface of a likelihood, which fits, cross-validation, profiles, the bootstrap and held-out
scores are all written against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from neurocode.errors import FitError
from neurocode.inference.coordinates import Coordinates
from neurocode.inference.objective import Evaluation
from neurocode.inference.optimise import Ascent, Optimum, Report, finish, reporter
from neurocode.inference.search import STARTS, search
from neurocode.models.model import NeuronModel
from neurocode.recordings.binning import interval_numbers

#: Number of evaluations after which the last ascent of a fit stops without having converged.
MOST_PASSES = 800


@dataclass(frozen=True)
class Block:
    """One of several blocks of equal length into which every repeat is cut.

    Attributes
    ----------
    number, of : int
        Index of the block, counted from zero, and the number of blocks.
    """

    number: int
    of: int

    def holds(self, n_steps: int) -> np.ndarray:
        """Return which of the ``n_steps`` steps of a repeat lie in the block."""
        edges = np.linspace(0, n_steps, self.of + 1).astype(int)
        inside = np.zeros(n_steps, bool)
        inside[edges[self.number] : edges[self.number + 1]] = True
        return inside

    def holds_times(self, times: np.ndarray, duration: float) -> np.ndarray:
        """Return which times, between zero and the end of a repeat, lie in the block."""
        edges = np.linspace(0, duration, self.of + 1)
        return interval_numbers(times, edges) == self.number


class Likelihood(ABC):
    """Log-likelihood of recorded spikes under a model, as a function of unconstrained coordinates
    of its free parameters.

    A subclass defines how probable spikes are; everything else in :mod:`neurocode.inference` is
    derived from that. It holds a model, whose values centre a normal prior, and the spikes of one
    unit in one or more repeats.

    Attributes
    ----------
    name : str
        Name of the likelihood in a result.
    options : tuple of str
        Options of :func:`neurocode.fit` that it accepts besides the prior and the seed: ``starts``
        and those of :meth:`of` are possible.
    refuses : str
        Why it accepts no other options, as part of a sentence about the model.
    shares_stimulus : bool
        Whether repeats are responses to one stimulus, so that predicted and recorded ones may be
        compared moment by moment.
    """

    name: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ("starts",)
    refuses: ClassVar[str] = "its likelihood has no such option"
    shares_stimulus: ClassVar[bool] = False

    def __init__(self, model: NeuronModel, prior_width: float = np.inf) -> None:
        self.model, self.prior_width = model, prior_width
        self.coordinates = Coordinates.of(model)
        self.prior_precision = prior_width**-2.0
        self.origin = self.coordinates.to_coordinates(model.values)
        #: Why the spikes have likelihood zero at all parameter values; empty if they do not.
        self.impossible = ""

    # Construction from a model and data.

    @classmethod
    def takes(cls, model: NeuronModel, data: object) -> bool:
        """Whether a fit of this model to these data uses this likelihood by default; never, unless
        a subclass overrides this method."""
        return False

    @classmethod
    @abstractmethod
    def of(
        cls, model: NeuronModel, data: object, *, prior_width: float = np.inf, **options: Any
    ) -> Self:
        """Likelihood of training data.

        Raises
        ------
        FitError, DataError
            For a model or data that it does not accept.
        """

    @classmethod
    def of_test(
        cls, model: NeuronModel, data: object, *, after: float = 0.0, **options: Any
    ) -> Self:
        """Likelihood of held-out data, recorded after ``after`` seconds of training, at the values
        of a model."""
        return cls.of(model, data, **options)

    @abstractmethod
    def with_model(self, model: NeuronModel) -> Self:
        """The likelihood of the same data under another model, without a prior."""

    @abstractmethod
    def with_spikes(self, trains: Sequence[np.ndarray]) -> Self:
        """The likelihood of other spikes, one train of seconds per repeat, in place of the recorded
        ones."""

    @abstractmethod
    def without(self, block: Block) -> tuple[Self, Self]:
        """The likelihoods of the data without one block of time and of that block alone. Both know
        the spike history before every spike."""

    def resolved(self, z: np.ndarray) -> Self:
        """The same likelihood, solved as accurately as the values at ``z`` need."""
        return self

    def rough(self) -> Self:
        """A quicker likelihood for the starts of a fit, in the same coordinates."""
        return self

    # Properties of the data.

    @property
    @abstractmethod
    def trains(self) -> list[np.ndarray]:
        """Spike times of each repeat in seconds."""

    @property
    @abstractmethod
    def n_spikes(self) -> int:
        """Number of spikes that enter the likelihood."""

    @property
    @abstractmethod
    def exposure(self) -> float:
        """Total time in seconds during which spikes enter the likelihood."""

    @property
    @abstractmethod
    def durations(self) -> list[float]:
        """Length of each repeat in seconds, as :meth:`simulate` runs it."""

    @property
    def duration(self) -> float:
        """Duration of the training in the result, in seconds: that of the longest repeat."""
        return max(self.durations)

    @property
    @abstractmethod
    def dt(self) -> float:
        """Time step of the likelihood in seconds."""

    @property
    def settings(self) -> dict[str, Any]:
        """The options with which :meth:`of` makes this likelihood again from the same data."""
        return {}

    @property
    def rate(self) -> float:
        """Mean rate in hertz."""
        return self.n_spikes / self.exposure if self.exposure > 0 else np.nan

    # Functions of the parameters.

    @abstractmethod
    def log_likelihood(self, z: np.ndarray) -> float:
        """Log-likelihood in nats, without the prior."""

    @abstractmethod
    def null_log_likelihood(self, rate: float) -> float:
        """Log-likelihood of the same spikes under a homogeneous Poisson process, in nats."""

    @abstractmethod
    def evaluate(
        self,
        z: np.ndarray,
        carry: Any = None,
        step: np.ndarray | None = None,
        *,
        rough: bool = False,
    ) -> Evaluation:
        """Log-likelihood plus log prior with its derivatives; see
        :class:`neurocode.inference.objective.Objective`."""

    @abstractmethod
    def rescaled_intervals(self, z: np.ndarray, seed: int = 0) -> np.ndarray:
        """Interspike intervals mapped to (0, 1), where they are uniform under the correct model."""

    @abstractmethod
    def simulate(self, repeat: int, n: int, seed: int) -> list[np.ndarray]:
        """Spike times of ``n`` runs of the model at its own values under the conditions of a
        repeat."""

    def predict(self, n: int, seed: int) -> list[np.ndarray]:
        """Spike times of ``n`` runs under the stimulus that all repeats share, or under the
        conditions of the first repeat if they share none."""
        return self.simulate(0, n, seed)

    def goodness(self, z: np.ndarray) -> dict[str, Any]:
        """Further measures of the fit at the maximum, by name."""
        return {}

    def remarks(self) -> list[str]:
        """Remarks on the data for the message of the fit."""
        return []

    def verdicts(self, optimum: Optimum, goodness: Mapping[str, Any]) -> list[str]:
        """Reasons not to read the parameters as those of a neuron."""
        return []

    # Methods that all likelihoods share.

    def values_at(self, z: np.ndarray) -> dict[str, float]:
        """Values of the free parameters in SI units at coordinates ``z``."""
        return self.coordinates.numbers(z)

    def with_prior(
        self,
        value: float,
        gradient: np.ndarray,
        information: np.ndarray,
        z: np.ndarray,
        **state: Any,
    ) -> Evaluation:
        """Add the prior to the log-likelihood and its derivatives and return the evaluation."""
        offset = z - self.origin
        return Evaluation(
            value - 0.5 * self.prior_precision * float(offset @ offset),
            gradient - self.prior_precision * offset,
            information + self.prior_precision * np.eye(len(z)),
            **state,
        )

    def bits_per_spike(self, log_likelihood: float, rate: float) -> float:
        """Gain over a homogeneous Poisson process at ``rate``; NaN if there is no spike."""
        if self.n_spikes == 0:
            return np.nan
        return (log_likelihood - self.null_log_likelihood(rate)) / self.n_spikes / np.log(2)

    def maximise(
        self, starts: int | None = None, seed: int = 0, progress: Report | None = None
    ) -> tuple[Likelihood, Optimum]:
        """Find the maximum; return it with the likelihood whose maximum it is.

        Raises
        ------
        FitError
            If no start has a finite likelihood.
        """
        best = search(
            self.rough(), self.origin, STARTS if starts is None else starts, seed, progress
        )
        if not np.isfinite(best.point.log_likelihood):
            raise FitError(
                f"No start of model '{self.model.name}' gives the spikes a finite likelihood; "
                f"check its values and the current."
            )
        return self, finish(Ascent(self, best.point.z, reporter("refining", progress)), MOST_PASSES)

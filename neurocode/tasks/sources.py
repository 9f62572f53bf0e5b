"""Sources of spike trains with known statistics, and the task of telling them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import neo
import numpy as np
from numba import njit

from neurocode.errors import DataError
from neurocode.recordings.trains import Trains
from neurocode.tasks.loss import LABELS, Loss
from neurocode.tasks.losses import as_loss
from neurocode.tasks.task import Task, split


class Source(Protocol):
    """A stationary or driven source of binned spike trains."""

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins)."""
        ...


@dataclass(frozen=True)
class Bernoulli:
    """Independent bins with a spike probability ``p``.

    Examples
    --------
    >>> Bernoulli(0.5).draw(2, 4, seed=0).shape
    (2, 4)
    """

    p: float

    def __post_init__(self) -> None:
        _require_probability(self.p)

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins)."""
        return np.random.default_rng(seed).random(_shape(n_trains, n_bins)) < self.p


@dataclass(frozen=True)
class BinnedPoisson:
    """Poisson process with a rate in hertz, in bins of ``dt`` seconds: ``p = 1 - exp(-rate dt)``.

    Examples
    --------
    >>> round(BinnedPoisson(50.0, 2e-3).p, 4)
    0.0952
    """

    rate: float
    dt: float = 1e-3

    def __post_init__(self) -> None:
        _require_positive(rate=self.rate, dt=self.dt)

    @property
    def p(self) -> float:
        """Probability of a spike in a bin."""
        return float(-np.expm1(-self.rate * self.dt))

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins)."""
        return Bernoulli(self.p).draw(n_trains, n_bins, seed)


@dataclass(frozen=True)
class Markov:
    """Two-state Markov chain with a probability ``p`` of a spike and a correlation ``correlation``
    of neighbouring bins.

    With ``c = correlation`` the transition probabilities are ``P(1|1) = p + c (1 - p)`` and
    ``P(1|0) = p (1 - c)``. The rate therefore is that of :class:`Bernoulli`, and the
    autocorrelation of bins that are ``k`` apart is ``c^k``.

    Examples
    --------
    >>> Markov(0.2, 0.5).draw(1, 1000, seed=1).mean() < 0.4
    np.True_
    """

    p: float
    correlation: float

    def __post_init__(self) -> None:
        _require_probability(self.p)
        low = -min(self.p / (1 - self.p), (1 - self.p) / self.p)
        if not low <= self.correlation < 1:
            raise DataError(
                f"At p = {self.p:g} the correlation of neighbouring bins must lie in [{low:.3g}, "
                f"1), not at {self.correlation:g}."
            )

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins)."""
        uniform = np.random.default_rng(seed).random(_shape(n_trains, n_bins))
        after = self.p * (1 - self.correlation) + self.correlation * np.array([0.0, 1.0])
        return _chain(uniform, self.p, after)


@dataclass(frozen=True)
class GammaRenewal:
    """Renewal process with gamma-distributed intervals in equilibrium, in bins of ``dt`` seconds;
    the CV is ``1/sqrt(shape)``.

    Examples
    --------
    >>> GammaRenewal(20.0, 4.0).draw(3, 500, seed=0).shape
    (3, 500)
    """

    rate: float
    shape: float
    dt: float = 1e-3

    def __post_init__(self) -> None:
        _require_positive(rate=self.rate, shape=self.shape, dt=self.dt)

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins); time zero is a random time inside
        an interval."""
        random, stop = np.random.default_rng(seed), _shape(n_trains, n_bins)[1] * self.dt
        raster = np.zeros((n_trains, n_bins), bool)
        for row in raster:
            covering = random.gamma(self.shape + 1, 1 / (self.rate * self.shape))
            times, time = [], covering * random.random()
            while time < stop:
                times.append(time)
                time += random.gamma(self.shape, 1 / (self.rate * self.shape))
            row[(np.array(times) / self.dt).astype(int)] = True
        return raster


@dataclass(frozen=True)
class Hawkes:
    """Self-exciting process in bins of ``dt`` seconds, in which each spike adds ``branching/tau
    exp(-t/tau)`` to the rate.

    The mean rate is ``base/(1 - branching)`` as long as few bins would hold two spikes.

    Examples
    --------
    >>> Hawkes(5.0, 0.5, 20e-3).rate
    10.0
    """

    base: float
    branching: float
    tau: float
    dt: float = 1e-3

    def __post_init__(self) -> None:
        _require_positive(base=self.base, tau=self.tau, dt=self.dt)
        if not 0 <= self.branching < 1:
            raise DataError(
                f"In a stationary process each spike causes on average less than one further "
                f"spike, not {self.branching:g}."
            )

    @property
    def rate(self) -> float:
        """Mean rate in hertz."""
        return self.base / (1 - self.branching)

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins), after ten time constants in which
        the process settles."""
        before = int(np.ceil(10 * self.tau / self.dt / (1 - self.branching)))
        uniform = np.random.default_rng(seed).random(_shape(n_trains, n_bins + before))
        keep = float(np.exp(-self.dt / self.tau))
        return _excited(uniform, self.base * self.dt, self.branching * (1 - keep) / keep, keep)[
            :, before:
        ]


@dataclass(frozen=True)
class Inhomogeneous:
    """Poisson process with one given rate in hertz per bin of ``dt`` seconds.

    Examples
    --------
    >>> Inhomogeneous((0.0, 1e5)).draw(1, 2, seed=0).tolist()
    [[False, True]]
    """

    rates: tuple[float, ...]
    dt: float = 1e-3

    def __post_init__(self) -> None:
        rates = np.asarray(self.rates, float)
        if rates.ndim != 1 or not np.all(np.isfinite(rates)) or np.any(rates < 0):
            raise DataError("Rates must be finite and not negative, with one rate per bin.")
        _require_positive(dt=self.dt)

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Return whether each bin holds a spike, bool (n, bins)."""
        if n_bins != len(self.rates):
            raise DataError(
                f"The source has rates for {len(self.rates)} bins, but {n_bins} were requested."
            )
        return np.random.default_rng(seed).random(_shape(n_trains, n_bins)) < -np.expm1(
            -np.asarray(self.rates) * self.dt
        )


def source_trains(
    source: Source, n_trains: int, n_bins: int, *, dt: float = 1e-3, seed: int = 0
) -> list[neo.SpikeTrain]:
    """Return trains of a source as Neo objects, with spikes in the middle of bins of ``dt``
    seconds.

    Examples
    --------
    >>> len(source_trains(Bernoulli(0.1), 3, 100))
    3
    """
    return Trains.of_rasters(source.draw(n_trains, n_bins, seed)[None], dt).to_neo()[0]


def tell_sources_apart(
    sources: Sequence[Source],
    *,
    n_samples: int = 1000,
    n_bins: int = 500,
    n_trains: int = 1,
    loss: str | Loss = "mean_potential",
    dt: float = 1e-3,
    shares: tuple[float, float] = (0.6, 0.2),
    seed: int = 0,
) -> Task:
    """Return the task of naming the source of a sample, with classes of equal size.

    Parameters
    ----------
    sources : sequence of Source
        Sources, with one class per source.
    n_samples : int
        Number of samples of all classes together.
    n_bins : int
    n_trains : int
        Number of independent trains of one source in a sample.
    loss : str or Loss
        A loss whose targets are labels; see :class:`Task`.
    dt : float
        Width of a bin in seconds.
    shares : (float, float)
        Shares of the samples used for training and validation.
    seed : int

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For fewer than two sources or fewer than ten samples per class, or a loss whose targets are
        not labels.

    Examples
    --------
    >>> tell_sources_apart([Bernoulli(0.1), Bernoulli(0.2)], n_samples=40, n_bins=50).n_outputs
    2
    """
    if len(sources) < 2 or n_samples < 10 * len(sources):
        raise DataError(
            f"The task needs two sources and ten samples of each, not {len(sources)} and "
            f"{n_samples} in all."
        )
    if as_loss(loss).targets != LABELS:
        raise DataError(
            f"The targets of this task are labels, which the loss '{as_loss(loss).name}' does not "
            f"take."
        )
    n_per_source = n_samples // len(sources)
    drawn = [
        source.draw(n_per_source * n_trains, n_bins, seed * 1000 + k)
        for k, source in enumerate(sources)
    ]
    inputs = np.concatenate(
        [raster.reshape(n_per_source, n_trains, n_bins).swapaxes(1, 2) for raster in drawn]
    ).astype(np.float32)
    labels = np.repeat(np.arange(len(sources), dtype=np.int32), n_per_source)
    parts = split(inputs, labels, np.ones(inputs.shape[:2], bool), shares, seed)
    return Task("sources", *parts, loss=loss, n_outputs=len(sources), dt=dt)


@njit(cache=True)
def _chain(uniform: np.ndarray, first: float, after: np.ndarray) -> np.ndarray:
    raster = np.zeros(uniform.shape, np.bool_)
    for row in range(uniform.shape[0]):
        p = first
        for k in range(uniform.shape[1]):
            raster[row, k] = uniform[row, k] < p
            p = after[1] if raster[row, k] else after[0]
    return raster


@njit(cache=True)
def _excited(uniform: np.ndarray, base: float, jump: float, keep: float) -> np.ndarray:
    raster = np.zeros(uniform.shape, np.bool_)
    for row in range(uniform.shape[0]):
        excitation = 0.0
        for k in range(uniform.shape[1]):
            excitation *= keep
            raster[row, k] = uniform[row, k] < -np.expm1(-(base + excitation))
            if raster[row, k]:
                excitation += jump
    return raster


def _shape(n_trains: int, n_bins: int) -> tuple[int, int]:
    if n_trains < 1 or n_bins < 1:
        raise DataError(
            f"At least one train and one bin must be drawn, not {n_trains} and {n_bins}."
        )
    return n_trains, n_bins


def _require_probability(p: float) -> None:
    if not 0 < p < 1:
        raise DataError(
            f"The probability of a spike in a bin must lie between 0 and 1, not at {p:g}."
        )


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise DataError(f"'{name}' of a source must be positive, not {value:g}.")

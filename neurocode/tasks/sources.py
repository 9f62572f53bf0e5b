"""Sources of spike trains whose statistics are known, and the task of telling two of them apart."""

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
    """Stationary or driven source of trains in bins."""

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Whether each bin holds a spike, bool (n, bins)."""
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
        """Whether each bin holds a spike, bool (n, bins)."""
        return np.random.default_rng(seed).random(_shape(n_trains, n_bins)) < self.p


@dataclass(frozen=True)
class BinnedPoisson:
    """Poisson process of a rate in hertz in bins of ``dt`` seconds: ``p = 1 - exp(-rate dt)``.

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
        """Whether each bin holds a spike, bool (n, bins)."""
        return Bernoulli(self.p).draw(n_trains, n_bins, seed)


@dataclass(frozen=True)
class Markov:
    """Two states with probability ``p`` of a spike and correlation ``correlation`` of neighbouring
    bins.

    ``P(1|1) = p + c (1 - p)`` and ``P(1|0) = p (1 - c)``, so that the rate is that of
    :class:`Bernoulli` and the autocorrelation of bins ``k`` apart is ``c^k``.

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
                f"At p = {self.p:g} the correlation of neighbouring bins lies in [{low:.3g}, 1), "
                f"not at {self.correlation:g}."
            )

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Whether each bin holds a spike, bool (n, bins)."""
        uniform = np.random.default_rng(seed).random(_shape(n_trains, n_bins))
        after = self.p * (1 - self.correlation) + self.correlation * np.array([0.0, 1.0])
        return _chain(uniform, self.p, after)


@dataclass(frozen=True)
class GammaRenewal:
    """Renewal process of gamma-distributed intervals in equilibrium, in bins of ``dt`` seconds; CV
    is ``1/sqrt(shape)``.

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
        """Whether each bin holds a spike, bool (n, bins); the first interval is one that covers a
        random time."""
        random, stop = np.random.default_rng(seed), _shape(n_trains, n_bins)[1] * self.dt
        raster = np.zeros((n_trains, n_bins), bool)
        for row in raster:
            covering = random.gamma(self.shape + 1, 1 / (self.rate * self.shape))
            times, now = [], covering * random.random()
            while now < stop:
                times.append(now)
                now += random.gamma(self.shape, 1 / (self.rate * self.shape))
            row[(np.array(times) / self.dt).astype(int)] = True
        return raster


@dataclass(frozen=True)
class Hawkes:
    """Self-exciting process: each spike adds ``branching/tau exp(-t/tau)`` to the rate; in bins of
    ``dt`` seconds.

    The mean rate is ``base/(1 - branching)`` where few bins would hold two spikes.

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
                f"Each spike of a stationary process brings less than one other, not "
                f"{self.branching:g}."
            )

    @property
    def rate(self) -> float:
        """Mean rate in hertz."""
        return self.base / (1 - self.branching)

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Whether each bin holds a spike, bool (n, bins), after ten time constants in which the
        process settles."""
        before = int(np.ceil(10 * self.tau / self.dt / (1 - self.branching)))
        uniform = np.random.default_rng(seed).random(_shape(n_trains, n_bins + before))
        keep = float(np.exp(-self.dt / self.tau))
        return _excited(uniform, self.base * self.dt, self.branching * (1 - keep) / keep, keep)[
            :, before:
        ]


@dataclass(frozen=True)
class Inhomogeneous:
    """Poisson process whose rate in hertz is given in every bin of ``dt`` seconds.

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
            raise DataError("Rates are finite and not negative, one a bin.")
        _require_positive(dt=self.dt)

    def draw(self, n_trains: int, n_bins: int, seed: int) -> np.ndarray:
        """Whether each bin holds a spike, bool (n, bins)."""
        if n_bins != len(self.rates):
            raise DataError(
                f"The source has rates for {len(self.rates)} bins, {n_bins} are asked for."
            )
        return np.random.default_rng(seed).random(_shape(n_trains, n_bins)) < -np.expm1(
            -np.asarray(self.rates) * self.dt
        )


def source_trains(
    source: Source, n_trains: int, n_bins: int, *, dt: float = 1e-3, seed: int = 0
) -> list[neo.SpikeTrain]:
    """Trains of a source as Neo objects, spikes in the middle of bins of ``dt`` seconds.

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
    """The task of naming the source of a sample, classes of equal size.

    Parameters
    ----------
    sources : sequence of Source
        A class each.
    n_samples : int
        Of all classes.
    n_bins : int
    n_trains : int
        Independent trains of one source in a sample.
    loss : str or Loss
        One of labels; see :class:`Task`.
    dt : float
        Bin in seconds.
    shares : (float, float)
        Of training and validation.
    seed : int

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For fewer than two sources or samples than ten a class, or a loss without labels.

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
            f"A source is named by a label; the loss '{as_loss(loss).name}' takes none."
        )
    each = n_samples // len(sources)
    drawn = [
        source.draw(each * n_trains, n_bins, seed * 1000 + k) for k, source in enumerate(sources)
    ]
    inputs = np.concatenate(
        [raster.reshape(each, n_trains, n_bins).swapaxes(1, 2) for raster in drawn]
    ).astype(np.float32)
    labels = np.repeat(np.arange(len(sources), dtype=np.int32), each)
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
        raise DataError(f"At least one train and one bin are drawn, not {n_trains} and {n_bins}.")
    return n_trains, n_bins


def _require_probability(p: float) -> None:
    if not 0 < p < 1:
        raise DataError(f"The probability of a spike in a bin lies between 0 and 1, not at {p:g}.")


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise DataError(f"'{name}' of a source must be positive, not {value:g}.")

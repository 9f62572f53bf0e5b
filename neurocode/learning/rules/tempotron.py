"""The Tempotron: a neuron that learns to fire for some patterns of spikes and not for others (Gütig & Sompolinsky 2006)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from neurocode.errors import DataError, TrainingError


@dataclass(frozen=True)
class Kernel:
    """Postsynaptic potential ``V_0 (exp(-t/tau) - exp(-t/tau_s))`` with a peak of one.

    Attributes
    ----------
    tau, tau_s : float
        Of membrane and synapse, in seconds.

    Raises
    ------
    TrainingError
        If not ``0 < tau_s < tau``.

    Examples
    --------
    >>> round(1e3 * Kernel().peak_time, 3), round(Kernel().scale, 5)
    (6.931, 2.11653)
    """

    tau: float = 15e-3
    tau_s: float = 3.75e-3

    def __post_init__(self) -> None:
        if not 0 < self.tau_s < self.tau:
            raise TrainingError(f"The time constants must be 0 < tau_s < tau, not {self.tau_s:g} and {self.tau:g} s.")

    @property
    def peak_time(self) -> float:
        """Time from a spike to the peak, in seconds."""
        return self.tau * self.tau_s / (self.tau - self.tau_s) * float(np.log(self.tau / self.tau_s))

    @property
    def scale(self) -> float:
        """``V_0``."""
        return 1 / float(np.exp(-self.peak_time / self.tau) - np.exp(-self.peak_time / self.tau_s))

    def __call__(self, time: np.ndarray) -> np.ndarray:
        """Potential at times after a spike in seconds, zero before."""
        late = np.maximum(np.asarray(time, float), 0.0)
        return self.scale * (np.exp(-late / self.tau) - np.exp(-late / self.tau_s))


@dataclass(frozen=True)
class Patterns:
    """Patterns of input spikes, sorted by time.

    Attributes
    ----------
    times : numpy.ndarray (spikes,)
        In seconds, all patterns one after another.
    synapses : numpy.ndarray of int (spikes,)
    first : numpy.ndarray of int (patterns + 1,)
        Pattern ``p`` holds spikes ``first[p]`` up to ``first[p + 1]``.
    n_synapses : int
    """

    times: np.ndarray
    synapses: np.ndarray
    first: np.ndarray
    n_synapses: int

    def __len__(self) -> int:
        return len(self.first) - 1

    @classmethod
    def of(cls, patterns: Sequence[Sequence[Sequence[float]]]) -> Patterns:
        """From a list of patterns, each a list of spike times (s) for every synapse.

        Raises
        ------
        DataError
            For no pattern, patterns of different numbers of synapses, or times that are not finite or negative.

        Examples
        --------
        >>> Patterns.of([[[0.01], [0.03, 0.002]]]).synapses.tolist()
        [1, 0, 1]
        """
        if not len(patterns):
            raise DataError("There is no pattern to learn.")
        numbers = {len(pattern) for pattern in patterns}
        if len(numbers) > 1:
            raise DataError(f"Patterns have different numbers of synapses: {sorted(numbers)}.")
        times, synapses, counts = [], [], []
        for number, pattern in enumerate(patterns):
            own = np.concatenate([np.asarray(train, float) for train in pattern] or [np.empty(0)])
            if not np.all(np.isfinite(own)) or np.any(own < 0):
                raise DataError(f"Pattern {number} holds spike times that are not finite or negative.")
            index = np.repeat(np.arange(len(pattern)), [len(train) for train in pattern])
            order = np.argsort(own, kind="stable")
            times.append(own[order])
            synapses.append(index[order])
            counts.append(len(own))
        return cls(np.concatenate(times), np.concatenate(synapses), np.r_[0, np.cumsum(counts)], numbers.pop())


def latency_patterns(n: int, n_synapses: int, duration: float, seed: int) -> tuple[Patterns, np.ndarray]:
    """Random latency patterns: one spike per synapse, uniform in time, and labels of one or zero at random.

    Parameters
    ----------
    n, n_synapses : int
    duration : float
        In seconds.
    seed : int

    Returns
    -------
    Patterns, numpy.ndarray of bool
    """
    random = np.random.default_rng(seed)
    times = random.uniform(0, duration, (n, n_synapses))
    order = np.argsort(times, axis=1)
    patterns = Patterns(np.take_along_axis(times, order, 1).ravel(), order.ravel(), np.arange(n + 1) * n_synapses, n_synapses)
    return patterns, random.random(n) < 0.5


@dataclass(frozen=True)
class TempotronResult:
    """What was learned.

    Attributes
    ----------
    weights : numpy.ndarray (synapses,)
    errors : numpy.ndarray (cycles,)
        Patterns that were wrong in each cycle, up to the first without errors.
    """

    weights: np.ndarray
    errors: np.ndarray

    @property
    def learned(self) -> bool:
        """Whether a whole cycle passed without an error."""
        return bool(self.errors[-1] == 0)


@dataclass(frozen=True)
class Tempotron:
    """Learning rule of a neuron with a fixed postsynaptic potential, exact in time.

    The neuron should reach its threshold for some patterns and stay below for others. After an error every synapse changes by the
    potential that it contributes at the time of the (unreset) maximum, up after a miss and down after a false alarm, with momentum
    (Gütig & Sompolinsky 2006, eq. 3 and methods). Maxima are found between input spikes in closed form, not on a grid.

    Attributes
    ----------
    kernel : Kernel
    threshold : float
        In units of the peak potential of a weight of one.
    learning_rate : float
        Ours: a thousandth of the threshold.
    momentum : float
        Ours: 0.99 of the last change is added.

    Raises
    ------
    TrainingError
        For a threshold or a rate that is not positive, or a momentum outside [0, 1).

    Examples
    --------
    >>> patterns = Patterns.of([[[0.01], [0.012]], [[0.01], [0.2]]])
    >>> found = Tempotron(learning_rate=0.05, momentum=0.0).fit(patterns, [True, False], seed=0)
    >>> found.learned, Tempotron().predict(found.weights, patterns).tolist()
    (True, [True, False])
    """

    kernel: Kernel = Kernel()
    threshold: float = 1.0
    learning_rate: float = 1e-3
    momentum: float = 0.99

    def __post_init__(self) -> None:
        if not min(self.threshold, self.learning_rate) > 0 or not 0 <= self.momentum < 1:
            raise TrainingError("Threshold and learning rate must be positive, the momentum from 0 up to 1.")

    def fit(
        self, patterns: Patterns, targets: Sequence[bool], *, cycles: int = 5000, seed: int = 0, spread: float = 0.01
    ) -> TempotronResult:
        """Learn, patterns in a new order in every cycle, until a cycle passes without an error.

        Parameters
        ----------
        patterns : Patterns
        targets : sequence of bool
            Whether the neuron should fire.
        cycles : int
            At most.
        seed : int
            Of the order and of the weights at the start.
        spread : float
            Standard deviation of these.

        Raises
        ------
        DataError
            If there is not one target a pattern.
        """
        targets = np.asarray(targets, bool)
        if len(targets) != len(patterns):
            raise DataError(f"There are {len(targets)} targets for {len(patterns)} patterns.")
        random = np.random.default_rng(seed)
        weights = spread * random.standard_normal(patterns.n_synapses)
        change, errors = np.zeros_like(weights), []
        for _ in range(cycles):
            order = random.permutation(len(patterns))
            errors.append(_cycle(weights, change, order, targets, *self._of(patterns), self.learning_rate, self.momentum))
            if errors[-1] == 0:
                break
        return TempotronResult(weights, np.array(errors))

    def maxima(self, weights: np.ndarray, patterns: Patterns) -> tuple[np.ndarray, np.ndarray]:
        """Highest potential of every pattern and its time in seconds."""
        times, synapses, first, tau, tau_s, scale, _ = self._of(patterns)
        found = [_maximum(weights, times[a:b], synapses[a:b], tau, tau_s, scale) for a, b in itertools.pairwise(first)]
        return tuple(np.array(values) for values in zip(*found, strict=True))

    def predict(self, weights: np.ndarray, patterns: Patterns) -> np.ndarray:
        """Whether the neuron fires, for every pattern."""
        return self.maxima(weights, patterns)[0] >= self.threshold

    def _of(self, patterns: Patterns) -> tuple:
        own = self.kernel
        return patterns.times, patterns.synapses, patterns.first, own.tau, own.tau_s, own.scale, self.threshold


@njit(cache=True)
def _maximum(weights, times, synapses, tau, tau_s, scale):
    """Highest potential at or after a spike, and when: zero at time zero where all weights push down."""
    slow = fast = best = when = 0.0
    lead = tau * tau_s / (tau - tau_s)
    for k in range(len(times)):
        if k > 0:
            gap = times[k] - times[k - 1]
            slow *= np.exp(-gap / tau)
            fast *= np.exp(-gap / tau_s)
        slow += weights[synapses[k]]
        fast += weights[synapses[k]]
        here = scale * (slow - fast)
        if here > best:
            best, when = here, times[k]
        if slow > 0 and fast > 0:
            wait = lead * np.log(tau * fast / (tau_s * slow))
            if wait > 0 and (k == len(times) - 1 or wait < times[k + 1] - times[k]):
                peak = scale * (slow * np.exp(-wait / tau) - fast * np.exp(-wait / tau_s))
                if peak > best:
                    best, when = peak, times[k] + wait
    return best, when


@njit(cache=True)
def _cycle(weights, change, order, targets, times, synapses, first, tau, tau_s, scale, threshold, rate, momentum):
    """Show every pattern once; weights and the last change are moved in place. Number of errors."""
    errors = 0
    for pattern in order:
        start, stop = first[pattern], first[pattern + 1]
        best, when = _maximum(weights, times[start:stop], synapses[start:stop], tau, tau_s, scale)
        if (best >= threshold) == targets[pattern]:
            continue
        errors += 1
        sign = rate if targets[pattern] else -rate
        change *= momentum
        for k in range(start, stop):
            late = when - times[k]
            if late <= 0:
                break
            change[synapses[k]] += sign * scale * (np.exp(-late / tau) - np.exp(-late / tau_s))
        weights += change
    return errors

"""The Tempotron: neurons that learn to fire for some patterns of spikes and not for others (Gütig &
Sompolinsky 2006)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numba import njit

from neurocode.errors import DataError, TrainingError
from neurocode.learning.rules.patterns import Patterns


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
            raise TrainingError(
                f"The time constants must be 0 < tau_s < tau, not {self.tau_s:g} and {self.tau:g} "
                f"s."
            )

    @property
    def peak_time(self) -> float:
        """Time from a spike to the peak, in seconds."""
        return (
            self.tau * self.tau_s / (self.tau - self.tau_s) * float(np.log(self.tau / self.tau_s))
        )

    @property
    def scale(self) -> float:
        """``V_0``."""
        return 1 / float(np.exp(-self.peak_time / self.tau) - np.exp(-self.peak_time / self.tau_s))

    def __call__(self, time: np.ndarray) -> np.ndarray:
        """Potential at times after a spike in seconds, zero before."""
        late = np.maximum(np.asarray(time, float), 0.0)
        return self.scale * (np.exp(-late / self.tau) - np.exp(-late / self.tau_s))


@dataclass(frozen=True)
class TempotronNeurons:
    """Neurons with a fixed postsynaptic potential: one that fires for label one, or one for each of
    several labels.

    Attributes
    ----------
    n_synapses, n : int
    kernel : Kernel
    threshold : float
        In units of the peak potential of a weight of one.

    Raises
    ------
    TrainingError
        For sizes or a threshold that are not positive.

    Examples
    --------
    >>> neurons = TempotronNeurons(2)
    >>> neurons.predict(np.array([[0.8], [0.6]]), Patterns.of([[[0.01], [0.012]], [[0.01], [0.2]]], [1, 0])).tolist()
    [1, 0]
    """

    n_synapses: int
    n: int = 1
    kernel: Kernel = Kernel()
    threshold: float = 1.0

    def __post_init__(self) -> None:
        if not all(number > 0 for number in (self.n_synapses, self.n, self.threshold)):
            raise TrainingError(
                "The numbers of synapses and neurons and the threshold must be positive."
            )

    def maxima(self, weights: np.ndarray, patterns: Patterns) -> tuple[np.ndarray, np.ndarray]:
        """Highest potentials (patterns, n) for weights (n_synapses, n), and their times in seconds."""
        own = (self.kernel.tau, self.kernel.tau_s, self.kernel.scale)
        found = np.array(
            [
                [
                    _maximum(
                        np.ascontiguousarray(column),
                        patterns.times[a:b],
                        patterns.synapses[a:b],
                        *own,
                    )
                    for column in weights.T
                ]
                for a, b in itertools.pairwise(patterns.first)
            ]
        )
        return found[..., 0], found[..., 1]

    def predict(self, weights: np.ndarray, patterns: Patterns) -> np.ndarray:
        """Label of every pattern: whether the neuron fires, or the neuron with the highest
        potential."""
        highest = self.maxima(weights, patterns)[0]
        return (
            (highest[:, 0] >= self.threshold).astype(int) if self.n == 1 else highest.argmax(axis=1)
        )


@dataclass(frozen=True)
class TempotronResult:
    """What neurons with a fixed potential learned.

    Attributes
    ----------
    weights : numpy.ndarray (n_synapses, n)
    errors : list of numpy.ndarray (cycles,)
        For each neuron, patterns that were wrong in each cycle, up to the first without errors.
    """

    weights: np.ndarray
    errors: list[np.ndarray]

    @property
    def learned(self) -> bool:
        """Whether every neuron passed a whole cycle without an error."""
        return all(own[-1] == 0 for own in self.errors)


@dataclass(frozen=True)
class Tempotron:
    """Learning rule of neurons with a fixed postsynaptic potential, on patterns of spikes in
    continuous time.

    A neuron should reach its threshold for some patterns and stay below for others. After an error
    every synapse changes by the derivative of the potential at the time of its (unreset) maximum,
    up after a miss and down after a false alarm, with momentum (Gütig & Sompolinsky 2006, eq. 3 and
    methods). Maxima are found between input spikes in closed form, not on a grid. For the layer of
    a network on a task there is :class:`LayerTempotron`.

    Attributes
    ----------
    learning_rate : float
        Ours: a thousandth of the threshold.
    momentum : float
        Ours: 0.99 of the last change is added.
    cycles : int
        Of patterns, at most.

    Raises
    ------
    TrainingError
        For a rate or cycles that are not positive, or a momentum outside [0, 1).

    Examples
    --------
    >>> patterns = Patterns.of([[[0.01], [0.012]], [[0.01], [0.2]]], [1, 0])
    >>> Tempotron(learning_rate=0.05, momentum=0.0).fit(TempotronNeurons(2), patterns).learned
    True
    """

    learning_rate: float = 1e-3
    momentum: float = 0.99
    cycles: int = 5000

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.cycles > 0) or not 0 <= self.momentum < 1:
            raise TrainingError(
                "Learning rate and cycles must be positive, the momentum from 0 up to 1."
            )

    def fit(
        self, network: TempotronNeurons, task: Patterns, *, seed: int = 0, spread: float = 0.01
    ) -> TempotronResult:
        """Learn patterns in a new order in every cycle, until one passes without an error.

        Parameters
        ----------
        network : TempotronNeurons
        task : Patterns
        seed : int
            Of the order, and of the weights at the start.
        spread : float
            Standard deviation of these.

        Raises
        ------
        DataError
            If the patterns do not fit the neurons, or these are a network, which
            :class:`LayerTempotron` trains.
        """
        if not isinstance(network, TempotronNeurons) or not isinstance(task, Patterns):
            raise DataError(
                "The Tempotron takes TempotronNeurons and Patterns; the layer of a network learns "
                "by LayerTempotron."
            )
        _check_patterns(network, task)
        random = np.random.default_rng(seed)
        columns, errors = [], []
        for number in range(network.n):
            targets = task.labels == (1 if network.n == 1 else number)
            column, own = self._neuron(
                network, task, targets, spread * random.standard_normal(network.n_synapses), random
            )
            columns.append(column)
            errors.append(own)
        return TempotronResult(np.stack(columns, axis=1), errors)

    def _neuron(
        self,
        network: TempotronNeurons,
        task: Patterns,
        targets: np.ndarray,
        weights: np.ndarray,
        random: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        kernel, change, errors = network.kernel, np.zeros_like(weights), []
        own = (
            task.times,
            task.synapses,
            task.first,
            kernel.tau,
            kernel.tau_s,
            kernel.scale,
            network.threshold,
        )
        for _ in range(self.cycles):
            order = random.permutation(len(task))
            errors.append(
                _cycle(weights, change, order, targets, *own, self.learning_rate, self.momentum)
            )
            if errors[-1] == 0:
                break
        return weights, np.array(errors)


def _check_patterns(network: TempotronNeurons, task: Patterns) -> None:
    if task.n_synapses != network.n_synapses:
        raise DataError(
            f"Patterns have {task.n_synapses} synapses, the neurons {network.n_synapses}."
        )
    most = max(2, network.n)
    if task.labels.max() >= most:
        raise DataError(
            f"Labels go up to {task.labels.max()}, {network.n} neurons tell {most} apart."
        )


@njit(cache=True)
def _maximum(weights, times, synapses, tau, tau_s, scale):
    """Highest potential at or after a spike, and when: zero at time zero where all weights push
    down."""
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
def _cycle(
    weights,
    change,
    order,
    targets,
    times,
    synapses,
    first,
    tau,
    tau_s,
    scale,
    threshold,
    rate,
    momentum,
):
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

"""The Tempotron: neurons that learn to fire for some spike patterns and not for others (Gütig &
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
        Time constants of membrane and synapse in seconds.

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
        """Return the potential at times after a spike in seconds; it is zero before the spike."""
        elapsed = np.maximum(np.asarray(time, float), 0.0)
        return self.scale * (np.exp(-elapsed / self.tau) - np.exp(-elapsed / self.tau_s))


@dataclass(frozen=True)
class TempotronNeurons:
    """Neurons with a fixed postsynaptic potential: a single neuron that fires for label one, or one
    neuron per label.

    Attributes
    ----------
    n_synapses, n : int
        Numbers of synapses and of neurons.
    kernel : Kernel
    threshold : float
        Threshold in units of the peak potential at a weight of one.

    Raises
    ------
    TrainingError
        For sizes or a threshold that are not positive.

    Examples
    --------
    >>> neurons = TempotronNeurons(2)
    >>> patterns = Patterns.of([[[0.01], [0.012]], [[0.01], [0.2]]], [1, 0])
    >>> neurons.predict(np.array([[0.8], [0.6]]), patterns).tolist()
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
        """Return the highest potentials (patterns, n) for weights (n_synapses, n), and their times
        in seconds."""
        kernel_values = (self.kernel.tau, self.kernel.tau_s, self.kernel.scale)
        peaks = np.array(
            [
                [
                    _maximum(
                        np.ascontiguousarray(column),
                        patterns.times[a:b],
                        patterns.synapses[a:b],
                        *kernel_values,
                    )
                    for column in weights.T
                ]
                for a, b in itertools.pairwise(patterns.first)
            ]
        )
        return peaks[..., 0], peaks[..., 1]

    def predict(self, weights: np.ndarray, patterns: Patterns) -> np.ndarray:
        """Return the label of every pattern: for a single neuron whether it fires, otherwise the
        neuron with the highest potential."""
        highest = self.maxima(weights, patterns)[0]
        return (
            (highest[:, 0] >= self.threshold).astype(int) if self.n == 1 else highest.argmax(axis=1)
        )


@dataclass(frozen=True)
class TempotronResult:
    """Result of the Tempotron.

    Attributes
    ----------
    weights : numpy.ndarray (n_synapses, n)
    errors : list of numpy.ndarray (cycles,)
        For each neuron, the number of wrong patterns in each cycle, up to the first cycle without
        errors.
    """

    weights: np.ndarray
    errors: list[np.ndarray]

    @property
    def learned(self) -> bool:
        """Whether every neuron passed a whole cycle without an error."""
        return all(neuron_errors[-1] == 0 for neuron_errors in self.errors)


@dataclass(frozen=True)
class Tempotron:
    """Learning rule of neurons with a fixed postsynaptic potential, for spike patterns in
    continuous time.

    A neuron should reach its threshold for some patterns and stay below it for others. After an
    error the weight of every synapse changes by the derivative of the potential at the time of its
    maximum (without reset): it increases after a miss and decreases after a false alarm, with
    momentum (Gütig & Sompolinsky 2006, eq. 3 and methods). Maxima are computed between input spikes
    in closed form, not on a grid. For the layer of a network on a task there is
    :class:`LayerTempotron`.

    Attributes
    ----------
    learning_rate : float
        Our choice, not from the paper: a thousandth of the threshold.
    momentum : float
        Our choice, not from the paper: 0.99 of the last change is added.
    cycles : int
        Largest number of cycles through the patterns.

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
                "Learning rate and cycles must be positive, and the momentum must be from 0 up to "
                "1."
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
            Seed of the order of the patterns and of the initial weights.
        spread : float
            Standard deviation of the initial weights.

        Raises
        ------
        DataError
            If the patterns do not fit the neurons, or a network is passed, which
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
            column, neuron_errors = self._neuron(
                network, task, targets, spread * random.standard_normal(network.n_synapses), random
            )
            columns.append(column)
            errors.append(neuron_errors)
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
        constants = (
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
                _cycle(
                    weights, change, order, targets, *constants, self.learning_rate, self.momentum
                )
            )
            if errors[-1] == 0:
                break
        return weights, np.array(errors)


def _check_patterns(network: TempotronNeurons, task: Patterns) -> None:
    if task.n_synapses != network.n_synapses:
        raise DataError(
            f"Patterns have {task.n_synapses} synapses, but the neurons have {network.n_synapses}."
        )
    most = max(2, network.n)
    if task.labels.max() >= most:
        raise DataError(
            f"Labels go up to {task.labels.max()}, but {network.n} neurons distinguish {most}."
        )


@njit(cache=True)
def _maximum(weights, times, synapses, tau, tau_s, scale):
    """Return the highest potential at or after a spike, and its time; both are zero where the
    potential never becomes positive."""
    slow = fast = best = when = 0.0
    lead = tau * tau_s / (tau - tau_s)
    for k in range(len(times)):
        if k > 0:
            gap = times[k] - times[k - 1]
            slow *= np.exp(-gap / tau)
            fast *= np.exp(-gap / tau_s)
        slow += weights[synapses[k]]
        fast += weights[synapses[k]]
        potential = scale * (slow - fast)
        if potential > best:
            best, when = potential, times[k]
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
    """Show every pattern once, change weights and the last change in place, and return the number
    of errors."""
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
            elapsed = when - times[k]
            if elapsed <= 0:
                break
            response = np.exp(-elapsed / tau) - np.exp(-elapsed / tau_s)
            change[synapses[k]] += sign * scale * response
        weights += change
    return errors

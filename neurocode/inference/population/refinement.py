"""Refinement by free runs: rates, Fano factors and noise correlations of repeats.

A front end misses part of what a stimulus does. The likelihood of single spikes is then best with
a drive that varies too little, so that free runs vary too much from trial to trial. Three numbers
are adjusted until free runs on the stimuli of the training have the statistics of the recorded
repeats, at a cost in likelihood that is weighed against them (sample and measure, Bellec & Wang
2021): the gain of the front end and a constant drive for each cell, and the scale of all couplings.

Gradients are differences of free runs with the same random numbers. Derivatives through spikes and
resets, with a surrogate for the threshold, grew without bound over the 1500 steps of a window: from
one per unit of gain, as differences say, to a thousand and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neurocode.inference.population.chunks import Chunks
from neurocode.inference.population.from_repeats import UNKNOWN_HISTORY_BINS
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.windows import (
    Windows,
    drive_and_response,
    scaled_jumps,
)
from neurocode.recordings.population import PopulationRepeats
from neurocode.statistics.population_scores import (
    WINDOW_BINS,
    fano_of_repeats,
    noise_covariances,
)

Array = jax.Array

#: Weight in nats per spike of the squared error of the logarithm of a rate, of the logarithm of a
#: Fano factor, and of the noise correlations of a cell (our choice, on held-out pieces).
RATE_WEIGHT, FANO_WEIGHT, CORRELATION_WEIGHT = 4.0, 1.0, 1.0
STEPS, DIFFERENCE, LONGEST_STEP = 2, 0.1, 0.3
#: Shares of a step that are tried: where cells excite one another, a whole step goes too far.
SHARES = (1.0, 0.5, 0.25)
#: Length of repeats in bins that leaves a window of counts after their first bins.
LEAST_MEASURED_BINS = UNKNOWN_HISTORY_BINS + WINDOW_BINS


@dataclass(frozen=True)
class Adjustment:
    """What is adjusted.

    Attributes
    ----------
    gain : numpy.ndarray (cells,)
        Logarithm of the factor of the front end, around its mean.
    offset : numpy.ndarray (cells,)
        Constant drive that is added.
    coupling : float
        Logarithm of the factor of all couplings.
    """

    gain: NDArray[np.float64]
    offset: NDArray[np.float64]
    coupling: float

    def shifted(
        self, gain: NDArray | float, offset: NDArray | float, coupling: float
    ) -> Adjustment:
        """Return a sum of adjustments."""
        return Adjustment(self.gain + gain, self.offset + offset, self.coupling + coupling)

    @property
    def values(self) -> NDArray[np.float64]:
        """All values in one axis."""
        return np.concatenate([self.gain, self.offset, [self.coupling]])


@dataclass(frozen=True)
class Errors:
    """Statistics of free runs minus those of the recording: of the logarithms of rates and Fano
    factors (cells,), and of noise correlations (pairs,); zero where the recording has none."""

    log_rate: NDArray[np.float64]
    log_fano: NDArray[np.float64]
    correlation: NDArray[np.float64]

    def minus(self, other: Errors, over: float) -> Errors:
        """Return the difference quotient."""
        return Errors(
            (self.log_rate - other.log_rate) / over,
            (self.log_fano - other.log_fano) / over,
            (self.correlation - other.correlation) / over,
        )


def can_be_measured(repeats: PopulationRepeats | None) -> bool:
    """Return whether repeats are long enough for counts after their first bins."""
    return (
        repeats is not None
        and repeats.n_repeats > 1
        and repeats.spikes.shape[1] >= LEAST_MEASURED_BINS
    )


def refine(
    likelihood: PopulationLikelihood,
    weights: Weights,
    windows: Windows,
    repeats: PopulationRepeats,
    seed: int,
) -> Weights:
    """Return weights whose free runs have rates of the training and Fano factors and noise
    correlations of the repeats.

    The stimuli of the training and of the repeats are taken to be of one kind, since the stimulus
    of the repeats need not be known.

    Parameters
    ----------
    likelihood : PopulationLikelihood
        With a front end.
    weights : dict
    windows : Windows
        Of the training.
    repeats : PopulationRepeats
    seed : int

    Returns
    -------
    dict
    """
    if not windows.counted_windows.any():
        return weights
    n_cells = likelihood.n_cells
    measure = _Measure(likelihood, weights, windows, repeats, seed)
    nats = _NatsPerSpike.of(likelihood, weights, windows)
    now = Adjustment(np.zeros(n_cells), np.zeros(n_cells), 0.0)
    errors = measure(now)
    for _ in range(STEPS):
        step = _step(now, errors, measure.slopes(now, errors), nats)
        following = _best_along(step, now, errors, measure, nats)
        # Where nothing is gained, what is left is the noise of the free runs.
        if following is None:
            break
        now, errors = following
    return _adjusted(likelihood, weights, windows, now)


def _best_along(
    step: NDArray[np.float64],
    now: Adjustment,
    errors: Errors,
    measure: _Measure,
    nats: _NatsPerSpike,
) -> tuple[Adjustment, Errors] | None:
    """Return the first of a step, its half and its quarter that lowers the loss, and the errors
    there; None where none does."""
    n_cells, loss = len(now.gain), _loss(now, errors, nats)
    for share in SHARES:
        part = share * step
        following = now.shifted(part[:n_cells], part[n_cells:-1], float(part[-1]))
        errors_there = measure(following)
        if _loss(following, errors_there, nats) < loss:
            return following, errors_there
    return None


class _Measure:
    """Errors of free runs with an adjustment, with the same random numbers each time."""

    def __init__(
        self,
        likelihood: PopulationLikelihood,
        weights: Weights,
        windows: Windows,
        repeats: PopulationRepeats,
        seed: int,
    ) -> None:
        self._likelihood, self._weights, self._windows = likelihood, weights, windows
        self._seed = seed
        recorded = repeats.spikes[:, UNKNOWN_HISTORY_BINS:]
        with np.errstate(divide="ignore"):
            self._log_fano = np.log(fano_of_repeats(recorded))
            self._log_rate = np.log(windows.recorded_counts.mean(axis=(1, 2)))
        self._correlation = noise_covariances(recorded)[1]

    def __call__(self, adjustment: Adjustment) -> Errors:
        gain, offset = np.exp(adjustment.gain), adjustment.offset
        shift = offset[:, None] + (gain - 1)[:, None] * self._windows.response
        weights = {
            **self._weights,
            "jumps": scaled_jumps(self._weights["jumps"], np.exp(adjustment.coupling)),
        }
        drive = self._windows.drive + shift
        counts = self._windows.free_counts(self._likelihood, weights, drive, self._seed)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_rate = np.log(counts.mean(axis=(1, 2)))
            log_fano = np.log(fano_of_repeats(counts, window=1))
            correlation = noise_covariances(counts, window=1)[1]
        return Errors(
            _difference(log_rate, self._log_rate),
            _difference(log_fano, self._log_fano),
            _difference(correlation, self._correlation),
        )

    def slopes(self, adjustment: Adjustment, errors: Errors) -> list[Errors]:
        """Return the derivatives by the gains, the offsets, and the scale of couplings; what the
        gain of a cell does to other cells is left out."""
        directions = np.eye(3) * DIFFERENCE
        return [
            self(adjustment.shifted(gain, offset, float(coupling))).minus(errors, DIFFERENCE)
            for gain, offset, coupling in directions
        ]


@dataclass(frozen=True)
class _NatsPerSpike:
    """Quadratic approximation of the lost likelihood of each cell by gain, offset, and couplings:
    ``gradient`` (cells, 3) and ``curvature`` (cells, 3, 3)."""

    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]

    @classmethod
    def of(
        cls, likelihood: PopulationLikelihood, weights: Weights, windows: Windows
    ) -> _NatsPerSpike:
        mean = jnp.asarray(windows.response_mean)[:, None]

        def lost(three: Array, weights: Weights, some: Chunks) -> Array:
            drive, response = drive_and_response(likelihood, weights, some)
            drive = drive + three[1] + (jnp.exp(three[0]) - 1) * (response - mean)
            weights = {**weights, "jumps": scaled_jumps(weights["jumps"], jnp.exp(three[2]))}
            return -likelihood.of_drive(weights, drive, some)

        zero, chunks = jnp.zeros(3), windows.chunks
        slope, bend = jax.jit(jax.jacfwd(lost)), jax.jit(jax.jacfwd(jax.jacfwd(lost)))
        each = [chunks.take(np.array([n])) for n in range(chunks.n_chunks)]
        spikes = np.maximum(chunks.n_spikes, 1.0)
        gradient = np.sum([np.asarray(slope(zero, weights, one), float) for one in each], axis=0)
        curvature = np.sum([np.asarray(bend(zero, weights, one), float) for one in each], axis=0)
        return cls(gradient / spikes[:, None], curvature / spikes[:, None, None])


def _difference(simulated: NDArray, recorded: NDArray) -> NDArray[np.float64]:
    return np.where(np.isfinite(recorded), simulated - recorded, 0.0)


def _correlation_weight(n_cells: int, n_pairs: int) -> float:
    """Return the weight of a pair, so that the sum over pairs grows as that over cells."""
    return CORRELATION_WEIGHT * n_cells / max(n_pairs, 1)


def _loss(adjustment: Adjustment, errors: Errors, nats: _NatsPerSpike) -> float:
    """Return lost likelihood and weighted squared errors, infinite for free runs without spikes."""
    n_cells = len(adjustment.gain)
    three = np.column_stack(
        [adjustment.gain, adjustment.offset, np.full(n_cells, adjustment.coupling)]
    )
    lost = np.sum(nats.gradient * three) + 0.5 * np.einsum(
        "ca,cab,cb->", three, nats.curvature, three
    )
    measured = (
        RATE_WEIGHT * np.sum(errors.log_rate**2)
        + FANO_WEIGHT * np.sum(errors.log_fano**2)
        + _correlation_weight(n_cells, len(errors.correlation)) * np.sum(errors.correlation**2)
    )
    total = float(lost + measured)
    return total if np.isfinite(total) else np.inf


def _step(
    now: Adjustment, errors: Errors, slopes: list[Errors], nats: _NatsPerSpike
) -> NDArray[np.float64]:
    """Return a Gauss-Newton step, of at most 0.3 in each value."""
    n_cells = len(now.gain)
    matrix, gradient = np.zeros((2 * n_cells + 1,) * 2), np.zeros(2 * n_cells + 1)
    for cell in range(n_cells):
        three = [cell, n_cells + cell, 2 * n_cells]
        matrix[np.ix_(three, three)] += nats.curvature[cell]
        gradient[three] += nats.gradient[cell] + nats.curvature[cell] @ now.values[three]
        for weight, name in ((RATE_WEIGHT, "log_rate"), (FANO_WEIGHT, "log_fano")):
            slope = np.array([getattr(each, name)[cell] for each in slopes])
            matrix[np.ix_(three, three)] += 2 * weight * np.outer(slope, slope)
            gradient[three] += 2 * weight * slope * getattr(errors, name)[cell]
    weight, by_scale = _correlation_weight(n_cells, len(errors.correlation)), slopes[2].correlation
    matrix[-1, -1] += 2 * weight * np.sum(by_scale**2)
    gradient[-1] += 2 * weight * np.sum(by_scale * errors.correlation)
    if not (np.isfinite(matrix).all() and np.isfinite(gradient).all()):
        return np.zeros_like(gradient)
    # Without couplings, or without a response, nothing depends on a value, which then stays.
    step = -np.linalg.lstsq(matrix, gradient, rcond=1e-8)[0]
    return np.clip(step, -LONGEST_STEP, LONGEST_STEP)


def _adjusted(
    likelihood: PopulationLikelihood, weights: Weights, windows: Windows, adjustment: Adjustment
) -> Weights:
    assert likelihood.front_end is not None, "refine() asks for one"
    gain = np.exp(adjustment.gain)
    offset = weights["offset"] + adjustment.offset + windows.response_mean * (1 - gain)
    return {
        **weights,
        "offset": np.asarray(offset, np.float32),
        "jumps": np.asarray(
            scaled_jumps(weights["jumps"], np.exp(adjustment.coupling)), np.float32
        ),
        "front_end": likelihood.front_end.scaled(
            weights["front_end"], jnp.asarray(gain, jnp.float32)
        ),
    }

"""Maximum of a likelihood by a trust region on the Fisher information with a secant correction.

If a model is correct, the Fisher information is the curvature of its log-likelihood. If it is not,
as for every model of a real neuron, the curvature has a second term. As in NL2SOL (Dennis, Gay,
Welsch 1981) that term is learnt from the gradients along the ascent, here by symmetric rank-one
updates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.optimize import brentq

from neurocode.inference.objective import Objective

Progress = Callable[[float, int], None]
Report = Callable[[str, float, int], None]

#: Expected gain of a full Newton step, in nats, below which a fit has converged.
CONVERGED = 1e-3
#: Largest number of evaluations of one point until it is settled; the first point of an ascent
#: needs more, because it has no previous state to start from.
MOST_REPEATS, FIRST_REPEATS = 4, 40
#: Radius of the first step in standard errors; an ascent whose radius falls below the smallest one
#: has stalled.
FIRST_RADIUS = 5.0
SMALLEST_RADIUS = 1e-8
#: Longest step in one coordinate: a factor of about e^2 in a positive parameter.
LONGEST_STEP = 2.0
#: Ratio of measured to expected gain below which a trial is not used to learn the curvature.
TRUSTED = -3.0
#: Step of the differences that estimate the observed information, in standard errors.
DIFFERENCE = 0.05
#: An ascent that has used all its passes gets more if its expected Newton gain in nats is below
#: ``NEAR``: ``MORE_ROUNDS`` rounds of ``MORE_PASSES`` passes.
NEAR = 1.0
MORE_ROUNDS, MORE_PASSES = 2, 200
#: Directions with less than this fraction of the information of a well-determined one count as
#: flat.
FLAT = 1e-9


def reporter(phase: str, report: Report | None) -> Progress | None:
    """Bind a phase of a fit to a callable that takes phase, log-likelihood and number of passes."""
    return None if report is None else lambda value, passes: report(phase, value, passes)


@dataclass(frozen=True)
class Optimum:
    """The end point of an ascent.

    Attributes
    ----------
    z : numpy.ndarray
        Coordinates.
    log_likelihood : float
        In nats.
    gradient, information : numpy.ndarray
        Gradient and observed information with respect to the coordinates.
    converged : bool
        Whether a full Newton step is expected to gain less than ``CONVERGED`` nats, and no
        step along a direction that curves upwards could gain a tenth of that.
    decrement : float
        Expected gain of a full Newton step in nats.
    passes : int
        Number of passes over the data.
    """

    z: np.ndarray
    log_likelihood: float
    gradient: np.ndarray
    information: np.ndarray
    converged: bool
    decrement: float
    passes: int

    @classmethod
    def reached(
        cls, ascent: Ascent, information: np.ndarray, converged: bool, decrement: float
    ) -> Optimum:
        """Return the point that an ascent has reached, with what was found about it there."""
        point = ascent.point
        return cls(
            point.z,
            point.log_likelihood,
            point.gradient,
            information,
            converged,
            decrement,
            ascent.passes,
        )


@dataclass(frozen=True)
class _Point:
    z: np.ndarray
    log_likelihood: float
    gradient: np.ndarray
    information: np.ndarray
    carry: Any


class Ascent:
    """An ascent on one likelihood, which passes the state of the likelihood on from point to point.

    Parameters
    ----------
    likelihood : Objective
    z : numpy.ndarray
        Coordinates of the first point.
    progress : callable, optional
        Called with the log-likelihood and the number of passes.
    rough : bool
        Whether rough evaluations are enough, because the ascent need not end at a maximum.
    """

    def __init__(
        self,
        likelihood: Objective,
        z: np.ndarray,
        progress: Progress | None = None,
        rough: bool = False,
    ) -> None:
        self.likelihood, self.progress, self.rough, self.passes = likelihood, progress, rough, 0
        self.radius = FIRST_RADIUS
        self.point = self._evaluate(np.asarray(z, float), None, None, FIRST_REPEATS)
        self.secant = np.zeros_like(self.point.information)

    def climb(self, most_passes: int, enough: float = 0.1 * CONVERGED, learn: bool = True) -> None:
        """Step until a step is expected to gain less than ``enough`` nats or all passes are used.

        Without ``learn`` the curvature is kept, which is right if it was measured close by.
        """
        measured = self.point.information + self.secant
        while self.passes < most_passes and self.radius > SMALLEST_RADIUS:
            curvature = self.point.information + self.secant if learn else measured
            metric = np.sqrt(np.maximum(np.diag(self.point.information), 1e-12))
            step, expected = _trust_step(self.point.gradient, curvature, metric, self.radius)
            if expected < enough:
                return
            trial = self._evaluate(self.point.z + step, self.point.carry, step)
            ratio = (trial.log_likelihood - self.point.log_likelihood) / expected
            if learn and ratio > TRUSTED:
                self._learn(step, self.point.gradient - trial.gradient, trial.information)
            self.radius = _next_radius(self.radius, float(np.linalg.norm(metric * step)), ratio)
            if ratio > 1e-3:
                self.point = trial

    def observed_information(self) -> np.ndarray:
        """Negative Hessian by central differences of the exact gradient along the axes of the
        Fisher information."""
        values, vectors = np.linalg.eigh(self.point.information)
        lengths = np.sqrt(np.maximum(values, 1.0))
        axes, inverse = vectors / lengths, lengths[:, None] * vectors.T
        columns = []
        for axis in axes.T:
            step = DIFFERENCE * axis
            ahead, behind = (
                self._evaluate(self.point.z + s, self.point.carry, s).gradient
                for s in (step, -step)
            )
            columns.append(axes.T @ (behind - ahead) / (2 * DIFFERENCE))
        matrix = np.stack(columns)
        return inverse.T @ (0.5 * (matrix + matrix.T)) @ inverse

    def _learn(self, step: np.ndarray, change: np.ndarray, information: np.ndarray) -> None:
        residual = change - (information + self.secant) @ step
        product = residual @ step
        if abs(product) > 1e-6 * np.linalg.norm(residual) * np.linalg.norm(step):
            self.secant = self.secant + np.outer(residual, residual) / product

    def _evaluate(
        self, z: np.ndarray, carry: Any, step: np.ndarray | None, repeats: int = MOST_REPEATS
    ) -> _Point:
        for _ in range(repeats):
            result = self.likelihood.evaluate(z, carry, step, rough=self.rough)
            carry, step = result.carry, None
            self.passes += 1
            if result.settled:
                break
        arrays = (result.gradient, result.information)
        value = result.value if all(np.all(np.isfinite(array)) for array in arrays) else -np.inf
        if self.progress is not None:
            self.progress(value, self.passes)
        gradient, information = (np.nan_to_num(array) for array in arrays)
        return _Point(z, value, gradient, information, carry)


def finish(ascent: Ascent, most_passes: int) -> Optimum:
    """Climb to the maximum and measure the observed information there; climb on with that
    information if the ascent has not converged.

    Measuring the information takes two points per parameter. With 25 parameters on the curved ridge
    that few spikes leave, all passes are used up after two measurements; a maximum that is close by
    then gets some more rounds.
    """
    rounds_left = MORE_ROUNDS
    while True:
        ascent.climb(most_passes)
        information = ascent.observed_information()
        decrement = newton_decrement(ascent.point.gradient, information)
        converged = bool(decrement < CONVERGED) and (
            is_concave(information) or _is_flat(ascent.point, information)
        )
        if ascent.passes >= most_passes and decrement < NEAR and rounds_left > 0:
            rounds_left, most_passes = rounds_left - 1, ascent.passes + MORE_PASSES
        if converged or ascent.passes >= most_passes:
            break
        ascent.secant = information - ascent.point.information
        ascent.radius = FIRST_RADIUS
    return Optimum.reached(ascent, information, converged, decrement)


def newton_decrement(gradient: np.ndarray, information: np.ndarray) -> float:
    """Expected gain of a full Newton step, in nats; flat directions are left out."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-12))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    components = vectors.T @ (gradient * scale)
    steep = np.abs(values) > FLAT
    return float(0.5 * np.sum(components[steep] ** 2 / np.abs(values[steep])))


def left_to_prior(information: np.ndarray, precision: float) -> np.ndarray:
    """Return the information with that of the prior alone in directions in which the
    log-likelihood of the data curves upwards, as on flat ridges."""
    values, vectors = np.linalg.eigh(information - precision * np.eye(len(information)))
    return (vectors * np.maximum(values, 0.0)) @ vectors.T + precision * np.eye(len(information))


def is_concave(information: np.ndarray) -> bool:
    """Whether an observed information has no clearly negative direction."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-12))
    return bool(np.linalg.eigvalsh(information * np.outer(scale, scale))[0] > -1e-6)


def _is_flat(point: _Point, information: np.ndarray) -> bool:
    """Whether every step of the allowed length, also along directions that curve upwards, is
    expected to gain less than a tenth of ``CONVERGED``.

    Few spikes leave many parameters to a weak prior. If only the prior informs a direction, the
    differences that estimate its curvature may give a small negative value; climbing on from there
    would use up all passes without moving.
    """
    metric = np.sqrt(np.maximum(np.diag(point.information), 1e-12))
    direction = np.linalg.eigh(information / np.outer(metric, metric))[1][:, 0]
    upwards = _not_too_long(FIRST_RADIUS * direction / metric)
    _, expected = _trust_step(point.gradient, information, metric, FIRST_RADIUS)
    return bool(max(expected, float(-0.5 * upwards @ information @ upwards)) < 0.1 * CONVERGED)


def _not_too_long(step: np.ndarray) -> np.ndarray:
    return step * min(1.0, LONGEST_STEP / max(float(np.max(np.abs(step))), 1e-300))


def _trust_step(
    gradient: np.ndarray, curvature: np.ndarray, metric: np.ndarray, radius: float
) -> tuple[np.ndarray, float]:
    """Return the step that maximises the quadratic model within a radius in the metric, and the
    gain that the model expects of it."""
    values, vectors = np.linalg.eigh(curvature / np.outer(metric, metric))
    components = vectors.T @ (gradient / metric)

    def step(shift: float) -> np.ndarray:
        return components / (values + shift)

    lowest = max(0.0, -values[0] + 1e-8 * max(1.0, abs(values[0])))
    shift = lowest
    if np.linalg.norm(step(lowest)) > radius:
        highest = lowest + np.linalg.norm(components) / radius + 1e-12
        while np.linalg.norm(step(highest)) > radius:
            highest *= 4
        shift = cast(
            "float",  # a tuple only if full_output is asked for
            brentq(
                lambda s: np.linalg.norm(step(s)) - radius,
                lowest,
                highest,
                rtol=np.float64(1e-3),
            ),
        )
    best = _not_too_long(vectors @ step(shift) / metric)
    return best, float(gradient @ best - 0.5 * best @ curvature @ best)


def _next_radius(radius: float, length: float, ratio: float) -> float:
    if not ratio > 0.1:
        return 0.25 * length
    if ratio < 0.3:
        return 0.7 * length
    return max(radius, 2.5 * length) if ratio > 0.75 else radius

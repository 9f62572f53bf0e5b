"""The interface between an optimiser and a likelihood: values, derivatives, and an opaque state
that the optimiser passes on to the next evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np


@dataclass(frozen=True)
class Evaluation:
    """An objective and its derivatives at one point.

    Attributes
    ----------
    value : float
        Log-likelihood plus log prior, in nats.
    gradient, information : numpy.ndarray
        Gradient and Fisher information with respect to the coordinates, prior included.
    carry : object
        State from which the next evaluation may start, at the same point or a step away; None if
        an evaluation does not depend on the previous one.
    settled : bool
        Whether another evaluation from ``carry`` at the same point would give the same result
        within tolerance.
    """

    value: float
    gradient: np.ndarray
    information: np.ndarray
    carry: Any = None
    settled: bool = True


class Objective(Protocol):
    """A function that an :class:`~neurocode.inference.optimise.Ascent` maximises."""

    def evaluate(
        self,
        z: np.ndarray,
        carry: Any = None,
        step: np.ndarray | None = None,
        *,
        rough: bool = False,
    ) -> Evaluation:
        """Value, gradient and information at coordinates ``z``.

        Parameters
        ----------
        z : numpy.ndarray
        carry : object, optional
            State returned by a previous evaluation.
        step : numpy.ndarray, optional
            Step from the point of that evaluation to ``z``; None if that point was ``z``.
        rough : bool
            Whether less accuracy is enough, as for a point on the way to a maximum.
        """
        ...

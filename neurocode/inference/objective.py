"""What an optimiser sees of a likelihood: values, derivatives, and a state that it hands on without
looking inside."""

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
        Gradient and Fisher information by coordinate, prior included.
    carry : object
        What the next evaluation may start from, here or a step away; None where an evaluation needs
        nothing of the one before.
    settled : bool
        Whether evaluating once more from ``carry`` at the same point would change nothing that
        matters.
    """

    value: float
    gradient: np.ndarray
    information: np.ndarray
    carry: Any = None
    settled: bool = True


class Objective(Protocol):
    """A function to climb."""

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
            That of an evaluation before.
        step : numpy.ndarray, optional
            From the point of that evaluation to ``z``; None where it was at ``z``.
        rough : bool
            Whether a point on the way to a maximum is asked for, of which less accuracy is enough.
        """

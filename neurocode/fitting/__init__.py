"""Parameters from a recording.

Contents
--------
fit, FitResult, FittedParameter
    Maximum likelihood of recorded spikes.
evaluate, Scores
    Held-out scores.
ClampedLikelihood
    The likelihood itself, with gradient and Fisher information.
"""

from neurocode.fitting.fit import fit
from neurocode.fitting.goodness import Scores, evaluate
from neurocode.fitting.likelihood import ClampedLikelihood
from neurocode.fitting.result import FitResult, FittedParameter

__all__ = ["ClampedLikelihood", "FitResult", "FittedParameter", "Scores", "evaluate", "fit"]

"""Parameters from a recording.

Contents
--------
fit, FitResult, FittedParameter
    Maximum likelihood of recorded spikes.
evaluate, Scores
    Held-out scores.
cross_validate, CrossValidation
    Blocks of the training recording held out, to choose between models.
choose_voltage, VoltageChoice
    Whether the recorded voltage helps, decided inside the training recording.
profile_likelihood, Profile, parametric_bootstrap
    Uncertainty beyond standard errors.
ClampedLikelihood
    The likelihood itself, with gradient and Fisher information.
"""

from neurocode.fitting.cross_validation import CrossValidation, cross_validate
from neurocode.fitting.fit import fit
from neurocode.fitting.goodness import Scores, evaluate
from neurocode.fitting.likelihood import ClampedLikelihood
from neurocode.fitting.result import FitResult, FittedParameter
from neurocode.fitting.uncertainty import Profile, parametric_bootstrap, profile_likelihood
from neurocode.fitting.voltage_choice import VoltageChoice, choose_voltage

__all__ = [
    "ClampedLikelihood", "CrossValidation", "FitResult", "FittedParameter", "Profile", "Scores", "VoltageChoice", "choose_voltage",
    "cross_validate", "evaluate", "fit", "parametric_bootstrap", "profile_likelihood",
]  # fmt: skip

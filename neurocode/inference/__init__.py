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

from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.clamped.voltage_choice import VoltageChoice, choose_voltage
from neurocode.inference.cross_validation import CrossValidation, cross_validate
from neurocode.inference.fit import fit
from neurocode.inference.held_out import Scores, evaluate
from neurocode.inference.result import FitResult, FittedParameter
from neurocode.inference.uncertainty import Profile, parametric_bootstrap, profile_likelihood

__all__ = [
    "ClampedLikelihood", "CrossValidation", "FitResult", "FittedParameter", "Profile", "Scores", "VoltageChoice", "choose_voltage",
    "cross_validate", "evaluate", "fit", "parametric_bootstrap", "profile_likelihood",
]  # fmt: skip

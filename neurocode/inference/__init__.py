"""Parameters from recordings, by the likelihood of recorded spikes.

Contents
--------
fit, FitResult, FittedParameter
    Maximum likelihood: under a recorded current, or of spike times alone.
evaluate, Scores
    Held-out scores.
cross_validate, CrossValidation
    Blocks of the training recording held out, to choose between models.
choose_voltage, VoltageChoice
    Whether the recorded voltage helps, decided inside the training recording.
profile_likelihood, Profile
    The likelihood along one parameter.
parametric_bootstrap
    Refits of what the fitted model produced.
Likelihood, Block
    What all of these ask of a likelihood; :class:`ClampedLikelihood` and :class:`PassageLikelihood`
    are two.
"""

from neurocode.inference.bootstrap import parametric_bootstrap
from neurocode.inference.clamped import ClampedLikelihood, VoltageChoice, choose_voltage
from neurocode.inference.cross_validation import CrossValidation, cross_validate
from neurocode.inference.fit import fit
from neurocode.inference.held_out import Scores, evaluate
from neurocode.inference.likelihood import Block, Likelihood
from neurocode.inference.passage import PassageLikelihood
from neurocode.inference.profile import Profile, profile_likelihood
from neurocode.inference.result import FitResult, FittedParameter

__all__ = [
    "Block",
    "ClampedLikelihood",
    "CrossValidation",
    "FitResult",
    "FittedParameter",
    "Likelihood",
    "PassageLikelihood",
    "Profile",
    "Scores",
    "VoltageChoice",
    "choose_voltage",
    "cross_validate",
    "evaluate",
    "fit",
    "parametric_bootstrap",
    "profile_likelihood",
]

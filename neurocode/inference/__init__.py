"""Parameters from recordings, by the likelihood of recorded spikes.

Contents
--------
fit, FitResult, FittedParameter
    Maximum-likelihood fits of spikes under a recorded current, or of spike times alone.
evaluate, Scores
    Held-out scores.
cross_validate, CrossValidation
    Scores of held-out blocks of the training recording, to choose between models.
choose_voltage, VoltageChoice
    Whether the recorded voltage helps, decided inside the training recording.
profile_likelihood, Profile
    The likelihood as a function of one parameter, maximised over all others.
parametric_bootstrap
    Refits of recordings that the fitted model produced.
score_test
    Which terms a fitted model lacks, by derivatives where they are absent.
Likelihood, Block
    The interface that all of these use, which :class:`ClampedLikelihood` and
    :class:`PassageLikelihood` implement, and a block of time that is held out.
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
from neurocode.inference.score_test import score_test

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
    "score_test",
]

"""Spikes under a recorded current: the likelihood of a model with escape noise whose spikes are
clamped to the recorded ones.

Contents
--------
ClampedLikelihood
    The likelihood, with gradient and Fisher information.
choose_voltage, VoltageChoice
    The decision whether fitting the recorded voltage helps, made inside the training recording.
"""

from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.clamped.voltage_choice import VoltageChoice, choose_voltage

__all__ = ["ClampedLikelihood", "VoltageChoice", "choose_voltage"]

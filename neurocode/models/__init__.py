"""Neuron models as Brian2 equations, and a library of named models.

Contents
--------
NeuronModel, Parameter, EscapeNoise
    The classes of a model and its parts.
lif, escape_lif, noisy_lif, normalised_lif, current_lif, adlif
    Leaky integrate-and-fire neurons of the library.
adex, eif, qif, izhikevich, meta_neuron
    Nonlinear neurons.
gif, glif, igif, igif_ia, glm
    Neurons for fits under a recorded current, and the generalised linear model.
lif_diffusive, eif_diffusive, qif_diffusive, lif_coloured
    Models with white noise for spike times alone, optionally with adaptation and a periodic drive.
load, by_name, LIBRARY
    Load a model from a TOML file, or get a library model by its name.
"""

from __future__ import annotations

from neurocode.models.adex import adex
from neurocode.models.adlif import adlif
from neurocode.models.catalogue import LIBRARY, by_name
from neurocode.models.diffusive import eif_diffusive, lif_coloured, lif_diffusive, qif_diffusive
from neurocode.models.escape_lif import escape_lif
from neurocode.models.files import load
from neurocode.models.gif import gif
from neurocode.models.glif import glif
from neurocode.models.glm import glm
from neurocode.models.igif import igif, igif_ia
from neurocode.models.integrate_and_fire import eif, izhikevich, meta_neuron, qif
from neurocode.models.lif import current_lif, lif, noisy_lif, normalised_lif
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter

__all__ = [
    "LIBRARY",
    "EscapeNoise",
    "NeuronModel",
    "Parameter",
    "adex",
    "adlif",
    "by_name",
    "current_lif",
    "eif",
    "eif_diffusive",
    "escape_lif",
    "gif",
    "glif",
    "glm",
    "igif",
    "igif_ia",
    "izhikevich",
    "lif",
    "lif_coloured",
    "lif_diffusive",
    "load",
    "meta_neuron",
    "noisy_lif",
    "normalised_lif",
    "qif",
    "qif_diffusive",
]

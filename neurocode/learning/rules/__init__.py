"""Learning rules, one interface: ``rule.fit(network, task)``.

Contents
--------
Rule, RuleResult, Course, population_readout
    What rules share.
SurrogateGradient
    Gradients through time.
Tempotron, TempotronNeurons, Kernel, Patterns, latency_patterns, TempotronResult
    Neurons with a fixed potential that learn which patterns of spikes to fire for.
LayerTempotron
    The same for the layer of a network, on a task.
SpikeProp, SpikeTimeNetwork, SpikeTimes, SpikePropResult
    Gradient descent on the times of single spikes.
PairSTDP, SupervisedSTDP, IntrinsicPerturbation
    Plasticity by spike timing, in JAX and as Brian2 synapses; with labels; and intrinsic parameters
    that learn beside it.
"""

from __future__ import annotations

from neurocode.learning.rules.intrinsic_perturbation import IntrinsicPerturbation
from neurocode.learning.rules.patterns import Patterns, latency_patterns
from neurocode.learning.rules.rule import Course, Rule, RuleResult, population_readout
from neurocode.learning.rules.spikeprop import (
    SpikeProp,
    SpikePropResult,
    SpikeTimeNetwork,
    SpikeTimes,
)
from neurocode.learning.rules.stdp import PairSTDP
from neurocode.learning.rules.supervised_stdp import SupervisedSTDP
from neurocode.learning.rules.surrogate_gradient import SurrogateGradient
from neurocode.learning.rules.tempotron import Kernel, Tempotron, TempotronNeurons, TempotronResult
from neurocode.learning.rules.tempotron_layer import LayerTempotron

__all__ = [
    "Course",
    "IntrinsicPerturbation",
    "Kernel",
    "LayerTempotron",
    "PairSTDP",
    "Patterns",
    "Rule",
    "RuleResult",
    "SpikeProp",
    "SpikePropResult",
    "SpikeTimeNetwork",
    "SpikeTimes",
    "SupervisedSTDP",
    "SurrogateGradient",
    "Tempotron",
    "TempotronNeurons",
    "TempotronResult",
    "latency_patterns",
    "population_readout",
]

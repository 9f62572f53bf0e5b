"""Learning rules with one interface: ``rule.fit(network, task)``.

Contents
--------
Rule, RuleResult, Course, population_readout
    What the rules share.
SurrogateGradient
    Gradients through time.
Tempotron, TempotronNeurons, Kernel, Patterns, latency_patterns, TempotronResult
    Neurons with a fixed postsynaptic potential that learn for which spike patterns to fire.
LayerTempotron
    The same rule for the layer of a network, on a task.
SpikeProp, SpikeTimeNetwork, SpikeTimes, SpikePropResult
    Gradient descent on the times of single spikes.
PairSTDP, SupervisedSTDP, IntrinsicPerturbation
    Spike-timing-dependent plasticity in JAX and as Brian2 synapses, the same with labels, and
    intrinsic parameters that learn at the same time.
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

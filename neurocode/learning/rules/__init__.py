"""Learning rules besides gradients through time.

Contents
--------
Tempotron, Kernel, Patterns, latency_patterns, TempotronResult
    A neuron that learns which patterns of spikes to fire for.
SpikeProp, SpikeTimeNetwork, SpikePropResult
    Gradient descent on the times of single spikes.
PairSTDP
    Plasticity by spike timing, in JAX and as Brian2 synapses.
"""

from __future__ import annotations

from neurocode.learning.rules.spikeprop import SpikeProp, SpikePropResult, SpikeTimeNetwork
from neurocode.learning.rules.stdp import PairSTDP
from neurocode.learning.rules.tempotron import Kernel, Patterns, Tempotron, TempotronResult, latency_patterns

__all__ = [
    "Kernel", "PairSTDP", "Patterns", "SpikeProp", "SpikePropResult", "SpikeTimeNetwork", "Tempotron", "TempotronResult",
    "latency_patterns",
]  # fmt: skip

"""Networks whose neurons are models, trained by gradients.

Contents
--------
Network, Layer, Dense, Convolution, Pool, BatchNorm, Chain, Recurrent, Shortcut, TimeBasis, Response
    The parts of a network.
Output, Readout, Voters, JointDecision, RecordedNeurons
    How the network is read; a readout of your own is a subclass of :class:`Output`.
fluctuation_driven
    Initial weights with which every layer fires.
Surrogate, Regulariser
    The derivatives that stand in for those of spikes, and penalties of activity and weights.
train, evaluate, Settings, TrainingResult, Task, Part, stratified
    Train a network on a task and measure it.
save, load
    Write a network to a file and read it back.
run_in_brian, to_nir, from_nir
    Run a network in Brian2, and exchange networks with NIR.
free_running
    A network that is fed its own output.
rules
    Learning rules, among them gradients through time.
NetworkComplexityClassifier, output_trains
    A network read by the complexity of its output.
estimate_gradient, enumerated_gradients, energy, perturbations
    Estimates of the gradients of noisy networks, the energy of a network, and its robustness.
architectures
    Deep networks of the literature.
tasks
    :mod:`neurocode.tasks`: tasks that are generated, and tasks read from files.
"""

from __future__ import annotations

from neurocode import tasks
from neurocode.learning import architectures, perturbations, rules
from neurocode.learning.complexity_readout import NetworkComplexityClassifier, output_trains
from neurocode.learning.connections import BatchNorm, Chain, Convolution, Dense, Pool, Recurrent
from neurocode.learning.energy import energy
from neurocode.learning.enumeration import enumerated_gradients
from neurocode.learning.estimators import GradientEstimate, estimate_gradient
from neurocode.learning.evaluation import evaluate
from neurocode.learning.export import BrianRun, run_in_brian
from neurocode.learning.fluctuation_driven import fluctuation_driven
from neurocode.learning.free_running import free_running
from neurocode.learning.layer import Layer, Shortcut
from neurocode.learning.network import Network, Response
from neurocode.learning.network_file import load, save
from neurocode.learning.nir_exchange import from_nir, to_nir
from neurocode.learning.output import Output
from neurocode.learning.readout import Readout
from neurocode.learning.recorded_neurons import RecordedNeurons
from neurocode.learning.regularisers import Regulariser
from neurocode.learning.settings import Settings
from neurocode.learning.surrogate import Surrogate
from neurocode.learning.time_basis import TimeBasis
from neurocode.learning.training import train
from neurocode.learning.training_result import TrainingResult
from neurocode.learning.voting import JointDecision, Voters
from neurocode.tasks.task import Part, Task, stratified

__all__ = [
    "BatchNorm",
    "BrianRun",
    "Chain",
    "Convolution",
    "Dense",
    "GradientEstimate",
    "JointDecision",
    "Layer",
    "Network",
    "NetworkComplexityClassifier",
    "Output",
    "Part",
    "Pool",
    "Readout",
    "RecordedNeurons",
    "Recurrent",
    "Regulariser",
    "Response",
    "Settings",
    "Shortcut",
    "Surrogate",
    "Task",
    "TimeBasis",
    "TrainingResult",
    "Voters",
    "architectures",
    "energy",
    "enumerated_gradients",
    "estimate_gradient",
    "evaluate",
    "fluctuation_driven",
    "free_running",
    "from_nir",
    "load",
    "output_trains",
    "perturbations",
    "rules",
    "run_in_brian",
    "save",
    "stratified",
    "tasks",
    "to_nir",
    "train",
]

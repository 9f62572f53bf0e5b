"""Simulation of models: the same equations run in Brian2, JAX and Numba.

Contents
--------
simulate
    Repeated trials of a model as a Neo block.
simulated_experiment
    A simulated recording whose parameters are known, to test a fit.
step_function, Step, StepOutput
    The model as a differentiable JAX step.
linearise, Linearisation
    A model near a steady state: decay, oscillation, resonance.
stimuli
    Frozen noise, steps and ramps.
register_integrators
    Make symplectic Euler and the matrix exponential known to Brian2.
"""

from neurocode.simulation import stimuli
from neurocode.simulation.integrators import register_integrators
from neurocode.simulation.linearisation import Linearisation, linearise
from neurocode.simulation.recorded import simulated_experiment
from neurocode.simulation.simulate import simulate
from neurocode.simulation.step import Step, StepOutput, step_function

__all__ = [
    "Linearisation",
    "Step",
    "StepOutput",
    "linearise",
    "register_integrators",
    "simulate",
    "simulated_experiment",
    "step_function",
    "stimuli",
]

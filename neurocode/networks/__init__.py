"""A user's Brian2 objects, read as they are: run in JAX, differentiated, and given values back.

Contents
--------
from_brian, BrianNetwork
    Read a network of Brian2 objects; run it, fit it, and get it as a function of its values.
Recorded, NetworkFit
    What a network records when it is called as a function, and what a fit has found.
jax_function
    Give a user's own function in equations a JAX version.
"""

from neurocode.networks.differentiable import Recorded
from neurocode.networks.fit import NetworkFit
from neurocode.networks.jax_functions import jax_function
from neurocode.networks.network import BrianNetwork, from_brian

__all__ = ["BrianNetwork", "NetworkFit", "Recorded", "from_brian", "jax_function"]

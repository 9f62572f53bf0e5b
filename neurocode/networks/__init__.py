"""A user's Brian2 objects, read as they are: run in JAX, differentiated, and given values back.

Contents
--------
from_brian, BrianNetwork
    Read a network of Brian2 objects; run it, and get it as a function of its values.
Recorded
    What a network records when it is called as a function.
jax_function
    Give a user's own function in equations a JAX version.
"""

from neurocode.networks.differentiable import Recorded
from neurocode.networks.jax_functions import jax_function
from neurocode.networks.network import BrianNetwork, from_brian

__all__ = ["BrianNetwork", "Recorded", "from_brian", "jax_function"]

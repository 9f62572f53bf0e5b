"""Readouts in which spiking neurons vote, alone or together with leaky integrators."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.layer import Layer
from neurocode.learning.output import Output
from neurocode.learning.readout import Readout

Array = jax.Array


class Voters(Output):
    """Spiking neurons that vote for classes: the output of a step is the share of the voters of
    each class that spike (Sun et al. 2023).

    Parameters
    ----------
    layer : Layer
        Layer whose neurons are the voters, those of the first class first. It must have neither
        shortcut nor dropout.
    n_classes : int

    Raises
    ------
    ModelError
        If the classes do not have the same number of voters, or the layer has a shortcut or
        dropout.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense
    >>> dense, model = Dense(4, 20, key=jax.random.key(0)), nc.models.noisy_lif("none")
    >>> voters = Voters(Layer(dense, model, 1e-3), 2)
    >>> voters(jnp.ones((5, 3, 4))).shape
    (5, 3, 2)
    """

    layer: Layer
    n_classes: int = eqx.field(static=True)

    def __init__(self, layer: Layer, n_classes: int) -> None:
        if n_classes < 1 or layer.n % n_classes:
            raise ModelError(f"{layer.n} voters do not divide into {n_classes} classes.")
        if layer.shortcut is not None or layer.dropout:
            raise ModelError("A layer of voters must have neither shortcut nor dropout.")
        self.layer, self.n_classes = layer, n_classes

    @property
    def n_out(self) -> int:
        """Number of classes."""
        return self.n_classes

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self.layer.dynamics.step.dt

    def votes(self, spikes: Array, key: Array | None, training: bool, adjoint: bool) -> Array:
        """Return the spikes of the voters (time, batch, classes, voters)."""
        fired = self.layer(spikes, key, training=training, adjoint=adjoint)
        return fired.reshape(*fired.shape[:2], self.n_classes, -1)

    def __call__(
        self,
        spikes: Array,
        key: Array | None = None,
        *,
        training: bool = False,
        adjoint: bool = True,
    ) -> Array:
        """Return the share of the voters of each class that spike (time, batch, classes)."""
        return self.votes(spikes, key, training, adjoint).mean(axis=-1)


class JointDecision(Output):
    """A convex combination of the decisions of voters, of potentials and of time steps; it is
    learned together with the weights.

    The score of class ``c`` is ``sum_t w_t [a sum_p v_p s_cp(t) + (1 - a) q_c(t)]``. Here ``s_cp``
    are the spikes of its voters, and ``q`` is the softmax over the potentials of leaky integrators
    that read the same neurons. The weights ``w`` of steps and ``v`` of voters are positive and sum
    to one, and ``a`` lies between 0 and 1. The output of a step is the bracket times ``w_t`` times
    the number of steps, so that its mean over time is the score. Sun et al. 2023 name a generalised
    joint decision framework, whose equations we do not have: this definition is our choice, not
    from the paper.

    Parameters
    ----------
    voters : Voters
    integrators : Readout
    n_steps : int
        Number of steps of the sequences.

    Raises
    ------
    ModelError
        If voters and integrators differ in inputs, classes or time step.
    """

    voters: Voters
    integrators: Readout
    share: Array
    of_steps: Array
    of_voters: Array

    def __init__(self, voters: Voters, integrators: Readout, n_steps: int) -> None:
        if (voters.n_in, voters.n_out, voters.dt) != (
            integrators.n_in,
            integrators.n_out,
            integrators.dt,
        ):
            raise ModelError(
                "Voters and integrators of a joint decision need the same inputs, classes and "
                "time step."
            )
        self.voters, self.integrators = voters, integrators
        self.share, self.of_steps = jnp.zeros(()), jnp.zeros(n_steps)
        self.of_voters = jnp.zeros(voters.layer.n // voters.n_classes)

    @property
    def n_out(self) -> int:
        """Number of classes."""
        return self.voters.n_out

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self.voters.dt

    def __call__(
        self,
        spikes: Array,
        key: Array | None = None,
        *,
        training: bool = False,
        adjoint: bool = True,
    ) -> Array:
        """Return weighted decisions (time, batch, classes), whose mean over time is the score.

        Raises
        ------
        ModelError
            For sequences of another number of steps.
        """
        if len(spikes) != len(self.of_steps):
            raise ModelError(
                f"The joint decision weighs {len(self.of_steps)} steps, the sequences have "
                f"{len(spikes)}."
            )
        votes = self.voters.votes(spikes, key, training, adjoint) @ jax.nn.softmax(self.of_voters)
        beliefs = jax.nn.softmax(self.integrators(spikes, training=training), axis=-1)
        share, of_steps = jax.nn.sigmoid(self.share), jax.nn.softmax(self.of_steps)
        return len(spikes) * of_steps[:, None, None] * (share * votes + (1 - share) * beliefs)

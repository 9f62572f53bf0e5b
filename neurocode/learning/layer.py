"""A layer: connections, a population of neurons of one model, and connections inside it."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax

from neurocode.errors import ModelError
from neurocode.learning.connections import Convolution, Dense, Recurrent
from neurocode.learning.dynamics import Dynamics
from neurocode.learning.intrinsic import Intrinsic
from neurocode.learning.surrogate import Surrogate
from neurocode.learning.timeloop import run
from neurocode.models.model import NeuronModel

Array = jax.Array


class Layer(eqx.Module):
    """Neurons of one model driven by the spikes of the layer before and by their own.

    Parameters
    ----------
    connection : Dense or Convolution
    model : NeuronModel
        With one input; its ``per_neuron`` parameters get a value for each neuron where they are learned.
    dt : float
        Time step in seconds.
    recurrent : Recurrent, optional
    learned : sequence of str
        Intrinsic parameters that are learned; see :class:`Intrinsic`.
    spread : bool
        Draw learned parameters with two bounds uniformly between them instead of starting at the model's values.
    surrogate : Surrogate, optional
        None for the derivative of the spike probability, for models with escape noise.
    reset_gradient : bool
        Whether gradients flow through the reset ("attached").
    dropout : float
        Probability with which an outgoing spike is dropped in training; connections inside the layer are spared.
    segment : int, optional
        In training save only the state every so many steps and make the steps between again: memory for one segment instead of
        the whole sequence, for about one more run of the loop. The same gradients.
    current_unit, margin_unit : str, optional
        For models that are not dimensionless: the input of a weighted sum of one, such as ``"0.5 nA"``, and the distance to
        threshold that counts as one for the surrogate derivative, such as ``"20 mV"``.
    key : jax.Array, optional
        Needed with ``spread``.

    Raises
    ------
    ModelError
        For a model that cannot be a layer (see :meth:`Dynamics.of`), or segments of less than a step.

    Examples
    --------
    >>> import neurocode as nc
    >>> key = jax.random.key(0)
    >>> layer = Layer(Dense(3, 5, key=key), nc.models.adlif(), 1e-3, learned=("a", "b"))
    >>> layer(jax.numpy.ones((10, 2, 3))).shape
    (10, 2, 5)
    """

    connection: Dense | Convolution
    recurrent: Recurrent | None
    intrinsic: Intrinsic
    dynamics: Dynamics = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    segment: int | None = eqx.field(static=True)

    def __init__(
        self,
        connection: Dense | Convolution,
        model: NeuronModel,
        dt: float,
        *,
        recurrent: Recurrent | None = None,
        learned: Sequence[str] = (),
        spread: bool = False,
        surrogate: Surrogate | None = Surrogate(),  # noqa: B008  a frozen value
        reset_gradient: bool = False,
        dropout: float = 0.0,
        segment: int | None = None,
        current_unit: str | float | None = None,
        margin_unit: str | float | None = None,
        key: Array | None = None,
    ) -> None:
        if segment is not None and segment < 1:
            raise ModelError(f"Segments of a time loop have at least one step, not {segment}.")
        self.connection, self.recurrent, self.dropout, self.segment = connection, recurrent, dropout, segment
        self.intrinsic = Intrinsic(model, learned, connection.n_out, key if spread else None)
        self.dynamics = Dynamics.of(model, dt, surrogate, reset_gradient, current_unit, margin_unit)

    @property
    def model(self) -> NeuronModel:
        """Model of the neurons, at its own values."""
        return self.intrinsic.model

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.connection.n_out

    @property
    def needs_key(self) -> bool:
        """Whether the neurons are noisy."""
        return self.model.is_stochastic

    def __call__(self, x: Array, key: Array | None = None, *, adjoint: bool = True) -> Array:
        """Spikes (time, batch, n) for inputs (time, batch, n_in); ``key`` for noisy neurons."""
        current = self.connection(x)
        names = self.dynamics.step.prepare(self.intrinsic.values())
        state = self.dynamics.step.initial_state(names, current.shape[1:])
        keys = jax.random.split(key, len(x)) if self.needs_key else None
        recurrence = None if self.recurrent is None else self.recurrent.recurrence
        return run(self.dynamics, state, current, names, recurrence, keys, adjoint=adjoint, segment=self.segment)

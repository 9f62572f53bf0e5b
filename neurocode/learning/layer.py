"""A layer: incoming connections, neurons of one model, and recurrent connections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax

from neurocode.errors import ModelError
from neurocode.learning.connections import Connection, Recurrent, measured, project
from neurocode.learning.dynamics import Dynamics, unit_of_margin
from neurocode.learning.intrinsic import Intrinsic
from neurocode.learning.random_numbers import required
from neurocode.learning.surrogate import Surrogate
from neurocode.learning.timeloop import run
from neurocode.models.model import NeuronModel
from neurocode.units import parse_unit

Array = jax.Array


class Shortcut(eqx.Module):
    """The input of an earlier layer, which a layer receives besides the spikes of the layer before
    (He et al. 2016).

    Parameters
    ----------
    back : int
        Number of layers to go back: one is the input of the layer before.
    connection : Connection, optional
        Connection between that input and the neurons; without it the input is added directly.

    Raises
    ------
    ModelError
        If the shortcut goes back by less than one layer.
    """

    connection: Connection | None
    back: int = eqx.field(static=True)

    def __init__(self, back: int = 1, connection: Connection | None = None) -> None:
        if back < 1:
            raise ModelError(f"A shortcut goes back by at least one layer, not {back}.")
        self.back, self.connection = back, connection

    def __call__(self, x: Array, training: bool = False) -> Array:
        """Return what the earlier input (time, batch, n) adds to the weighted sums of the layer."""
        return x if self.connection is None else project(self.connection, x, training)

    def measured(self, x: Array) -> Shortcut:
        """Return a copy whose normalisations hold the mean and variance of the earlier input."""
        return (
            self if self.connection is None else Shortcut(self.back, measured(self.connection, x))
        )


class Layer(eqx.Module):
    """Neurons of one model driven by the spikes of the layer before and by their own.

    Parameters
    ----------
    connection : Dense, Convolution, Pool or Chain
    model : NeuronModel
        A model with one input. Its ``per_neuron`` parameters have one value per neuron where they
        are learned.
    dt : float
        Time step in seconds.
    recurrent : Recurrent, optional
    shortcut : Shortcut, optional
    learned : sequence of str
        Intrinsic parameters that are learned; see :class:`Intrinsic`.
    shared : sequence of str
        Learned parameters with one value for the whole layer.
    spread : bool
        Whether to draw learned parameters with two bounds uniformly between them instead of
        starting at the model's values.
    surrogate : Surrogate, optional
        Derivative of a spike. None takes the derivative of the spike probability, for models with
        escape noise.
    reset_gradient : bool
        Whether gradients flow through the reset ("attached").
    draw_gradient : {"straight_through", "trapezoid", "secant", "trapezoid_secant"}
        What stands in for the derivative of a spike that was drawn with probability p. All but the
        first need a model with escape noise and no surrogate. ``"straight_through"`` is the
        derivative of p; it is exact where the expected loss is linear in the spike.
        ``"trapezoid"`` is that derivative divided by 2p where there is a spike and by 2(1 - p)
        where there is none. Its mean replaces L(1) - L(0) by (L'(0) + L'(1))/2, which is exact
        where the loss is quadratic in the spike; its variance grows as 1/(4p(1 - p)). For two
        categories it is ReinMax (Liu et al. 2023, "Bridging Discrete and Backpropagation:
        Straight-Through and Beyond", NeurIPS). ``"secant"`` is our choice, not from a paper:
        through the reset a spike changes the next state and the probability of the next spike by
        their differences with and without the spike, not by their derivatives, which are far off
        where the noise is narrow; it needs ``reset_gradient=True``. ``"trapezoid_secant"`` combines
        both.
    dropout : float
        Probability with which an outgoing spike is dropped in training; recurrent connections are
        not affected.
    segment : int, optional
        In training, number of steps between saved states; the steps in between are computed again.
        This takes memory for one segment instead of the whole sequence and costs about one more run
        of the loop. The gradients are the same.
    current_unit, margin_unit : str, optional
        For models that are not dimensionless: the input that a weighted sum of one stands for, such
        as ``"0.5 nA"``, and the distance to threshold that counts as one for the surrogate
        derivative, such as ``"20 mV"``.
    key : jax.Array, optional
        Random key, needed with ``spread``.

    Raises
    ------
    ModelError
        For a model that cannot be a layer or a draw gradient that it cannot have (see
        :meth:`Dynamics.of`), segments shorter than one step, or a dropout outside [0, 1).

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense
    >>> key = jax.random.key(0)
    >>> layer = Layer(Dense(3, 5, key=key), nc.models.adlif(), 1e-3, learned=("a", "b"))
    >>> layer(jax.numpy.ones((10, 2, 3))).shape
    (10, 2, 5)
    """

    connection: Connection
    recurrent: Recurrent | None
    shortcut: Shortcut | None
    intrinsic: Intrinsic
    dynamics: Dynamics = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    segment: int | None = eqx.field(static=True)

    def __init__(
        self,
        connection: Connection,
        model: NeuronModel,
        dt: float,
        *,
        recurrent: Recurrent | None = None,
        shortcut: Shortcut | None = None,
        learned: Sequence[str] = (),
        shared: Sequence[str] = (),
        spread: bool = False,
        surrogate: Surrogate | None = Surrogate(),  # noqa: B008  a frozen value
        reset_gradient: bool = False,
        draw_gradient: str = "straight_through",
        dropout: float = 0.0,
        segment: int | None = None,
        current_unit: str | float | None = None,
        margin_unit: str | float | None = None,
        key: Array | None = None,
    ) -> None:
        if segment is not None and segment < 1:
            raise ModelError(f"Segments of a time loop need at least one step, not {segment}.")
        if not 0 <= dropout < 1:
            raise ModelError(
                f"The share of spikes that dropout takes is from 0 up to 1, not {dropout}."
            )
        self.connection, self.recurrent, self.shortcut = connection, recurrent, shortcut
        self.dropout, self.segment = dropout, segment
        self.intrinsic = Intrinsic(
            model, learned, connection.n_out, key if spread else None, shared
        )
        self.dynamics = Dynamics.of(
            model, dt, surrogate, reset_gradient, current_unit, margin_unit, draw_gradient
        )

    def with_model(self, model: NeuronModel) -> Layer:
        """Return a layer with the same connections and learned values and another model, which has
        the same learned parameters, input and units."""
        return self._remade(model, self.dynamics.draw_gradient)

    def with_draw_gradient(self, draw_gradient: str) -> Layer:
        """Return the same layer with another stand-in for the derivative of a drawn spike."""
        return self._remade(self.model, draw_gradient)

    def _remade(self, model: NeuronModel, draw_gradient: str) -> Layer:
        old, coordinates = self.dynamics, self.intrinsic.coordinates
        units = (parse_unit(unit).scale for unit in (*model.inputs.values(), unit_of_margin(model)))
        layer = Layer(
            self.connection,
            model,
            old.step.dt,
            recurrent=self.recurrent,
            shortcut=self.shortcut,
            learned=tuple(coordinates),
            shared=[name for name, value in coordinates.items() if value.ndim == 0],
            surrogate=old.surrogate,
            reset_gradient=old.reset_gradient,
            draw_gradient=draw_gradient,
            dropout=self.dropout,
            segment=self.segment,
            current_unit=old.current / next(units),
            margin_unit=old.distance / next(units),
        )
        return eqx.tree_at(lambda part: part.intrinsic.coordinates, layer, coordinates)

    @property
    def model(self) -> NeuronModel:
        """Model of the neurons with its original values, before learning."""
        return self.intrinsic.model

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.connection.n_in

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.connection.n_out

    @property
    def connections(self) -> tuple[Connection | Recurrent, ...]:
        """All connections that bring spikes to the neurons."""
        shortcut = None if self.shortcut is None else self.shortcut.connection
        return tuple(
            part for part in (self.connection, self.recurrent, shortcut) if part is not None
        )

    @property
    def needs_key(self) -> bool:
        """Whether the neurons are noisy."""
        return self.model.is_stochastic

    @property
    def sources(self) -> tuple[str, ...]:
        """Paper behind the gradient through a spike: that of the surrogate, or of the derivative of
        the spike probability where spikes are drawn."""
        return (
            ("Ma, Yan, Tang 2023",) if self.dynamics.surrogate is None else ("Neftci et al. 2019",)
        )

    def earlier(self, signals: Sequence[Array]) -> Array | None:
        """Return the input of the shortcut, given the inputs of all layers up to this one."""
        return None if self.shortcut is None else signals[-1 - self.shortcut.back]

    def current(self, x: Array, earlier: Array | None = None, training: bool = False) -> Array:
        """Return the weighted sums (time, batch, n) of inputs (time, batch, n_in), including those
        of the input that the shortcut takes."""
        current = project(self.connection, x, training)
        return current if earlier is None else current + self._shortcut()(earlier, training)

    def _shortcut(self) -> Shortcut:
        if self.shortcut is None:
            raise ModelError("The layer has no shortcut that takes an earlier input.")
        return self.shortcut

    def measured(self, x: Array, earlier: Array | None = None) -> Layer:
        """Return a copy whose normalisations hold the mean and variance of these inputs; see
        :func:`neurocode.learning.network.calibrated`."""
        shortcut = None if earlier is None else self._shortcut().measured(earlier)
        places = lambda layer: (layer.connection, layer.shortcut)  # noqa: E731
        return eqx.tree_at(
            places,
            self,
            (measured(self.connection, x), shortcut),
            is_leaf=lambda node: node is None,
        )

    def __call__(
        self,
        x: Array,
        key: Array | None = None,
        *,
        earlier: Array | None = None,
        training: bool = False,
        adjoint: bool = True,
    ) -> Array:
        """Return the spikes (time, batch, n) for inputs (time, batch, n_in); noisy neurons need
        ``key``, and the shortcut needs ``earlier``."""
        return self.driven(self.current(x, earlier, training), key, adjoint=adjoint)

    def driven(self, current: Array, key: Array | None = None, *, adjoint: bool = True) -> Array:
        """Return the spikes (time, batch, n) for weighted sums (time, batch, n)."""
        if self.needs_key:
            keys = jax.random.split(required(key, "A layer of noisy neurons"), len(current))
        else:
            keys = None
        return self._run(current, keys=keys, adjoint=adjoint, segment=self.segment)

    def replayed(self, current: Array, fired: Array) -> Array:
        """Return spikes (time, batch, n) of neurons with escape noise that have been drawn already,
        with the gradient of the draw."""
        return self._run(current, fired=fired)

    def _run(self, current: Array, **options: Any) -> Array:
        names = self.dynamics.step.prepare(self.intrinsic.values())
        state = self.dynamics.initial_state(names, current.shape[1:])
        recurrence = None if self.recurrent is None else self.recurrent.recurrence
        return run(self.dynamics, state, current, names, recurrence, **options)

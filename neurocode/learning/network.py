"""A network: layers of neurons one after another, and a readout of the last layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import pandas as pd

from neurocode.display import html, lines
from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import BatchNorm
from neurocode.learning.layer import Layer
from neurocode.learning.output import Output
from neurocode.learning.parts_file import KIND, made, require_writable, table_of
from neurocode.learning.random_numbers import required
from neurocode.learning.sealed import read_sealed, write_sealed
from neurocode.learning.trainable import trainable

Array = jax.Array
Disturbance = Callable[[Array, Array], Array]

MAGIC = b"neurocode network 1"
#: Number folded into the random key of a layer to give the key of its disturbance.
DISTURB = 3_000_017


class Response(NamedTuple):
    """Response of a network.

    Attributes
    ----------
    potentials : array (time, batch, outputs)
        Potentials of the readout.
    spikes : tuple of array (time, batch, n)
        Spikes of each layer, 0 or 1.
    """

    potentials: Array
    spikes: tuple[Array, ...]


class Network(eqx.Module):
    """Layers and a readout.

    The input of a step acts on all layers up to the readout in the same step; recurrent spikes act
    in the next step.

    Parameters
    ----------
    layers : list of Layer and Output
        Layers of neurons, and as last entry a readout: :class:`Readout`, :class:`Voters`,
        :class:`JointDecision`, :class:`RecordedNeurons` or another subclass of :class:`Output`.
    disturbance : callable, optional
        Function that changes the outgoing spikes (time, batch, n) of every layer, given a random
        key; recurrent spikes are not changed.

    Raises
    ------
    ModelError
        If the sizes of consecutive layers or of shortcuts do not match, or time steps differ.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> layer = Layer(Dense(4, 8, key=a), nc.models.adlif(), 1e-3)
    >>> network = Network([layer, Readout(Dense(8, 3, key=b), 1e-3)])
    >>> network(jax.numpy.ones((20, 2, 4))).potentials.shape
    (20, 2, 3)
    """

    layers: tuple[Layer, ...]
    readout: Output
    disturbance: Disturbance | None = eqx.field(static=True)

    def __init__(
        self, layers: Sequence[Layer | Output], disturbance: Disturbance | None = None
    ) -> None:
        *parts, readout = layers
        hidden = [part for part in parts if isinstance(part, Layer)]
        if not isinstance(readout, Output) or len(hidden) < len(parts):
            raise ModelError("A network is a list of layers that ends with one readout.")
        for number, (before, after) in enumerate(zip(hidden, layers[1:], strict=True)):
            if before.n != after.n_in:
                raise ModelError(
                    f"Layer {number + 1} takes {after.n_in} inputs, but layer {number} has "
                    f"{before.n} neurons."
                )
        for number, layer in enumerate(hidden):
            _check_shortcut(hidden, number, layer)
        if len({layer.dynamics.step.dt for layer in hidden} | {readout.dt}) > 1:
            raise ModelError("All layers of a network need the same time step.")
        self.layers, self.readout, self.disturbance = tuple(hidden), readout, disturbance

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return (*self.layers, self.readout)[0].n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.readout.n_out

    @property
    def populations(self) -> tuple[Layer, ...]:
        """All layers of neurons, including those inside the readout."""
        return (*self.layers, *self.readout.layers)

    @property
    def is_stochastic(self) -> bool:
        """Whether two responses to the same input can differ."""
        return self.disturbance is not None or any(layer.needs_key for layer in self.populations)

    @property
    def is_normalised(self) -> bool:
        """Whether a connection is normalised over batch and time."""
        parts = jax.tree.leaves(self, is_leaf=lambda node: isinstance(node, BatchNorm))
        return any(isinstance(part, BatchNorm) for part in parts)

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self.readout.dt

    @property
    def n_parameters(self) -> int:
        """Number of values that are learned."""
        return sum(int(leaf.size) for leaf in jax.tree.leaves(trainable(self)[0]))

    def projected(self) -> Network:
        """Return a copy with all intrinsic parameters inside their bounds."""
        layers = [
            eqx.tree_at(lambda part: part.intrinsic, layer, layer.intrinsic.projected())
            for layer in self.layers
        ]
        return Network([*layers, self.readout.projected()], self.disturbance)

    def __call__(
        self, x: Array, key: Array | None = None, *, training: bool = False, adjoint: bool = True
    ) -> Response:
        """Return the response to inputs.

        Parameters
        ----------
        x : array (time, batch, inputs)
        key : jax.Array, optional
            Random key for noisy neurons and dropout.
        training : bool
            Whether dropout is applied and each batch is normalised by its own mean and variance.
        adjoint : bool
            Whether the gradient takes the adjoint of :mod:`neurocode.learning.timeloop`; otherwise
            JAX differentiates the time loop.

        Raises
        ------
        DataError
            For inputs of another number of channels.
        ModelError
            For a noisy network, or dropout, without a key.
        """
        if x.ndim != 3 or x.shape[2] != self.n_in:
            raise DataError(
                f"The network takes inputs of shape (time, batch, {self.n_in}), not {x.shape}."
            )
        if key is None and (
            self.is_stochastic or (training and any(layer.dropout for layer in self.layers))
        ):
            raise ModelError("A network with noise or dropout needs a random key.")
        signals, spikes = [x], []
        for number, layer in enumerate(self.layers):
            draw, drop, disturb = _keys(key, number)
            fired = layer(
                signals[-1],
                draw,
                earlier=layer.earlier(signals),
                training=training,
                adjoint=adjoint,
            )
            spikes.append(fired)
            if training and layer.dropout:
                fired = (
                    fired
                    * jax.random.bernoulli(
                        required(drop, "Dropout"), 1 - layer.dropout, fired.shape
                    )
                    / (1 - layer.dropout)
                )
            if self.disturbance is not None:
                fired = self.disturbance(fired, required(disturb, "A disturbance"))
            signals.append(fired)
        potentials = self.readout(
            signals[-1], noise_key(key, len(self.layers)), training=training, adjoint=adjoint
        )
        return Response(potentials, tuple(spikes))

    def to_dataframe(self) -> pd.DataFrame:
        """Return a table with one row per layer, the readout last.

        Returns
        -------
        pandas.DataFrame
            Columns ``kind`` and ``model``, the numbers of inputs ``n_in`` and of neurons or outputs
            ``n_out``, ``recurrent`` and ``shortcut`` (whether the layer has one), ``learned``
            (names of learned intrinsic parameters), and ``n_parameters`` (number of learned
            values).
        """
        learned, _ = trainable(self)
        rows = [
            _row(f"layer {k + 1}", part, learned.layers[k]) for k, part in enumerate(self.layers)
        ]
        return pd.DataFrame([*rows, _row("readout", self.readout, learned.readout)]).set_index(
            "part"
        )

    def summary(self) -> str:
        """Return a description of the network, one line per layer."""
        return lines(self._heading(), self._rows(), most=len(self.layers) + 2)

    def __repr__(self) -> str:
        return lines(self._heading(), self._rows())

    def _repr_html_(self) -> str:
        return html(self._heading(), self.to_dataframe())

    def _heading(self) -> str:
        return (
            f"Network of {self.n_in} inputs and {self.n_out} outputs: {self.n_parameters} learned "
            f"values, steps of {1e3 * self.dt:g} ms{', noisy' if self.is_stochastic else ''}"
        )

    def _rows(self) -> list[str]:
        rows = []
        for name, row in self.to_dataframe().to_dict("index").items():
            extras = [f"model {row['model']}"] if row["model"] else []
            extras += [what for what in ("recurrent", "shortcut") if row[what]]
            extras += [f"learns {', '.join(row['learned'])}"] if row["learned"] else []
            rows.append(
                "; ".join([f"{name}: {row['kind']}, {row['n_in']} to {row['n_out']}", *extras])
            )
        return rows

    def table(self) -> dict[str, Any]:
        """Return the parts of the network as plain values, without the values of arrays."""
        return {KIND: Network.__name__, "layers": table_of([*self.layers, self.readout])}

    def save(self, path: str | Path) -> Path:
        """Write the network to a file that :meth:`load` reads.

        Parameters
        ----------
        path : path

        Returns
        -------
        pathlib.Path

        Raises
        ------
        ModelError
            For a network with a disturbance, or with a part that is neither from neurocode nor a
            readout whose fields are the arguments of its constructor.
        """
        path = Path(path)
        write_sealed(path, MAGIC, self.writable_table(), jax.tree.leaves(self))
        return path

    def writable_table(self) -> dict[str, Any]:
        """Return :meth:`table` if the network can be rebuilt from it.

        Raises
        ------
        ModelError
            See :meth:`save`.
        """
        if self.disturbance is not None:
            raise ModelError(
                "A network with a disturbance cannot be written; write the network without it."
            )
        require_writable([*self.layers, self.readout])
        return self.table()

    @classmethod
    def load(cls, path: str | Path, readouts: Sequence[type[Output]] = ()) -> Network:
        """Read a network that :meth:`save` wrote; its arrays are identical bit for bit.

        Parameters
        ----------
        path : path
        readouts : sequence of classes
            Further readouts that the network may end with. Of what a file names, only these and
            the classes of neurocode are constructed.

        Returns
        -------
        Network

        Raises
        ------
        DataError
            If the file is missing, damaged or of another kind, or the parts of the network do not
            fit together. The message names the file.

        Examples
        --------
        >>> import tempfile
        >>> from neurocode.learning import Dense, Readout
        >>> network = Network([Readout(Dense(3, 2, key=jax.random.key(0)), 1e-3)])
        >>> Network.load(network.save(Path(tempfile.mkdtemp()) / "network.bin"))
        Network of 3 inputs and 2 outputs: 8 learned values, steps of 1 ms
          readout: Readout, 3 to 2
        """
        path = Path(path)
        table, leaves = read_sealed(path, MAGIC, "network of neurocode")
        return cls.rebuilt(table, leaves, path, readouts)

    @classmethod
    def rebuilt(
        cls, table: Any, leaves: Sequence[Array], path: Path, readouts: Sequence[type[Output]] = ()
    ) -> Network:
        """Return a network built from its table and its arrays.

        Raises
        ------
        DataError
            If they do not fit together; the message names ``path``.
        """
        structures = []

        def outline() -> list[Array]:
            options = dict(table)
            if options.pop(KIND) != Network.__name__:
                raise ModelError("it is not a whole network")
            network = Network(**{name: made(value, readouts) for name, value in options.items()})
            structures.append(jax.tree.structure(network))
            return jax.tree.leaves(network)

        try:
            # evaluated abstractly: a wrong size in the table must not allocate memory
            expected = jax.eval_shape(outline)
            if [_form(leaf) for leaf in leaves] != [_form(leaf) for leaf in expected]:
                raise ModelError("its arrays are not those of its parts")
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            MemoryError,
            OverflowError,
            RecursionError,
        ) as error:
            raise DataError(
                f"{path}: the network does not fit together ({str(error).rstrip('.')})."
            ) from None
        return jax.tree.unflatten(structures[0], leaves)


def _form(array: Any) -> tuple[str, tuple[int, ...]]:
    """Return the kind of the numbers of an array, and its shape."""
    return array.dtype.kind, array.shape


def _row(name: str, part: Layer | Output, learned: Layer | Output) -> dict[str, Any]:
    """Return one row of the table of a network."""
    hidden = isinstance(part, Layer)
    layers = (part,) if hidden else part.layers
    return {
        "part": name,
        "kind": type(part.connection if hidden else part).__name__,
        "model": ", ".join(layer.model.name for layer in layers),
        "n_in": part.n_in,
        "n_out": part.n if hidden else part.n_out,
        "recurrent": any(layer.recurrent is not None for layer in layers),
        "shortcut": any(layer.shortcut is not None for layer in layers),
        "learned": [key for layer in layers for key in layer.intrinsic.coordinates],
        "n_parameters": sum(int(leaf.size) for leaf in jax.tree.leaves(learned)),
    }


def calibrated(network: Network, x: Array, key: Array | None = None) -> Network:
    """Return a network whose normalisations hold the mean and variance that these inputs cause,
    measured one layer after another.

    Parameters
    ----------
    network : Network
    x : array (time, batch, inputs)
    key : jax.Array, optional
        Random key for noisy neurons.

    Returns
    -------
    Network
    """
    signals, layers = [x], []
    for number, layer in enumerate(network.layers):
        earlier = layer.earlier(signals)
        layers.append(layer.measured(signals[-1], earlier))
        signals.append(layers[-1](signals[-1], noise_key(key, number), earlier=earlier))
    return Network([*layers, network.readout.measured(signals[-1])], network.disturbance)


def noise_key(key: Array | None, number: int) -> Array | None:
    """Return the random key of the noise of a layer; the readout counts as the last layer."""
    return _keys(key, number)[0]


def _keys(key: Array | None, number: int) -> tuple[Array | None, ...]:
    """Return random keys for the noise, the dropout and the disturbance of a layer."""
    if key is None:
        return (None,) * 3
    layer_key = jax.random.fold_in(key, number)
    return (*jax.random.split(layer_key), jax.random.fold_in(layer_key, DISTURB))


def _check_shortcut(layers: list[Layer], number: int, layer: Layer) -> None:
    if layer.shortcut is None:
        return
    if layer.shortcut.back > number:
        raise ModelError(
            f"The shortcut of layer {number} goes back by {layer.shortcut.back} layers, before "
            f"the input."
        )
    connection, source = layer.shortcut.connection, layers[number - layer.shortcut.back]
    n_in, n_out = (layer.n, layer.n) if connection is None else (connection.n_in, connection.n_out)
    if (n_in, n_out) != (source.n_in, layer.n):
        raise ModelError(
            f"The shortcut of layer {number} takes {n_in} inputs to {n_out} neurons, expected "
            f"{source.n_in} and {layer.n}."
        )

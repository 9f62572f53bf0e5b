"""The base class of all readouts, with which a network ends."""

# annotations are not postponed here: Equinox reads AbstractVar when the class is made
from abc import abstractmethod

import equinox as eqx
import jax

from neurocode.learning.connections import Connection, measured
from neurocode.learning.layer import Layer

Array = jax.Array


class Output(eqx.Module):
    """How the spikes of the last layer are read.

    A subclass has fields, like every module of Equinox. Those that are connections, layers or
    readouts receive the spikes of the last layer. The subclass defines ``n_out`` and ``dt``, as
    fields or properties, and in ``__call__`` how it reads these spikes. The rest follows from its
    fields; it can also be written to a file if the arguments of its constructor are its fields.

    Attributes
    ----------
    n_out : int
        Number of outputs.
    dt : float
        Time step in seconds.

    Examples
    --------
    >>> from neurocode.learning import Dense
    >>> class Counts(Output):
    ...     "Weighted counts of the spikes so far."
    ...
    ...     connection: Connection
    ...     dt: float = eqx.field(static=True)
    ...
    ...     @property
    ...     def n_out(self):
    ...         return self.connection.n_out
    ...
    ...     def __call__(self, spikes, key=None, *, training=False, adjoint=True):
    ...         return jax.numpy.cumsum(self.connection(spikes), axis=0)
    >>> counts = Counts(Dense(3, 2, key=jax.random.key(0)), 1e-3)
    >>> counts.n_in, counts(jax.numpy.ones((5, 1, 3))).shape
    (3, (5, 1, 2))
    """

    n_out: eqx.AbstractVar[int]
    dt: eqx.AbstractVar[float]

    @abstractmethod
    def __call__(
        self,
        spikes: Array,
        key: Array | None = None,
        *,
        training: bool = False,
        adjoint: bool = True,
    ) -> Array:
        """Return potentials (time, batch, n_out) for spikes (time, batch, n_in); ``key`` is for
        noise inside the readout."""

    @property
    def parts(self) -> dict[str, "Connection | Layer | Output"]:
        """Fields that receive the spikes of the last layer."""
        return {
            name: part
            for name, part in vars(self).items()
            if isinstance(part, Connection | Layer | Output)
        }

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return next(iter(self.parts.values())).n_in

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers of neurons inside the readout."""
        inside = [
            (part,) if isinstance(part, Layer) else getattr(part, "layers", ())
            for part in self.parts.values()
        ]
        return tuple(layer for layers in inside for layer in layers)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Connections from the neurons that are read."""
        incoming = []
        for part in self.parts.values():
            incoming += (
                [part.connection]
                if isinstance(part, Layer)
                else part.connections
                if isinstance(part, Output)
                else [part]
            )
        return tuple(incoming)

    def projected(self) -> "Output":
        """Return a copy with every learned parameter inside its bounds."""
        return self._with({name: _projected(part) for name, part in self.parts.items()})

    def measured(self, spikes: Array) -> "Output":
        """Return a copy whose normalisations hold the mean and variance of these spikes."""
        parts = self.parts.items()
        return self._with(
            {
                name: measured(part, spikes)
                if isinstance(part, Connection)
                else part.measured(spikes)
                for name, part in parts
            }
        )

    def _with(self, parts: dict[str, "Connection | Layer | Output"]) -> "Output":
        return eqx.tree_at(
            lambda output: [getattr(output, name) for name in parts], self, list(parts.values())
        )


def _projected(part: Connection | Layer | Output) -> Connection | Layer | Output:
    if isinstance(part, Layer):
        return eqx.tree_at(lambda layer: layer.intrinsic, part, part.intrinsic.projected())
    return part.projected() if isinstance(part, Output) else part

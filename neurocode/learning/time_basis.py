"""Input that depends only on the time since the onset of a stimulus."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.connections import uniform_weights

Array = jax.Array


class TimeBasis(eqx.Module):
    """A function of time for each neuron, linear between equally spaced knots whose values are
    learned.

    If the stimulus of repeated trials is not available, the time since its onset can replace it.
    The input has one channel, the time in seconds. Before the first knot and after the last the
    function is constant. It equals a weighted sum of triangular basis functions, which are not
    computed explicitly.

    Parameters
    ----------
    duration : float
        Time of the last knot in seconds; the first is at zero.
    spacing : float
        Time between knots in seconds.
    n_out : int
    key : jax.Array
        Random key of the initial values, which are uniform between plus and minus one. Biases start
        at zero.

    Raises
    ------
    ModelError
        If the spacing is not positive or longer than the duration.

    Examples
    --------
    >>> basis = TimeBasis(1.0, 0.5, 1, key=jax.random.key(0))
    >>> basis = eqx.tree_at(lambda part: part.weight, basis, jnp.array([[0.0], [2.0], [0.0]]))
    >>> basis(jnp.array([[[0.25]], [[0.75]], [[9.0]]]))[:, 0, 0].tolist()
    [1.0, 1.0, 0.0]
    """

    weight: Array
    bias: Array
    spacing: float = eqx.field(static=True)

    def __init__(self, duration: float, spacing: float, n_out: int, *, key: Array) -> None:
        if not 0 < spacing <= duration:
            raise ModelError(f"Knots every {spacing:g} s do not fit into {duration:g} s.")
        self.spacing = spacing
        self.weight = uniform_weights(key, (round(duration / spacing) + 1, n_out), 1)
        self.bias = jnp.zeros(n_out)

    @property
    def n_in(self) -> int:
        """Number of inputs: one, the time."""
        return 1

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return self.weight.shape[1]

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step: two knots for each neuron."""
        return 2 * self.n_out

    def __call__(self, x: Array) -> Array:
        """Return the values (time, batch, n_out) at times (time, batch, 1)."""
        last = len(self.weight) - 1
        place = jnp.clip(x / self.spacing, 0, last)
        before = jnp.minimum(place.astype(int), last - 1)
        part = place - before
        knots = before[..., 0]
        return (1 - part) * self.weight[knots] + part * self.weight[knots + 1] + self.bias

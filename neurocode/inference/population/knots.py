"""Functions that are linear between knots."""

from __future__ import annotations

import jax
import jax.numpy as jnp

Array = jax.Array

#: Bins between two knots of a free function of time, and weight in nats of the squared differences
#: between neighbouring knots.
KNOT_BINS, ROUGHNESS = 5, 0.1


def between_knots(knots: Array, places: Array) -> Array:
    """Return values at places between knots, which are counted from zero.

    Parameters
    ----------
    knots : array (cells, knots)
    places : array
        Not negative, and at most the number of the last knot.

    Returns
    -------
    array (cells, shape of the places)

    Examples
    --------
    >>> between_knots(jnp.array([[0.0, 1.0, 4.0]]), jnp.array([0.5, 2.0])).tolist()
    [[0.5, 4.0]]
    """
    before = jnp.minimum(places.astype(int), knots.shape[1] - 2)
    share = (places - before).astype(knots.dtype)
    return knots[:, before] * (1 - share) + knots[:, before + 1] * share


def roughness(knots: Array) -> Array:
    """Return the penalty of the differences between neighbouring knots in nats, per cell."""
    return ROUGHNESS * jnp.sum(jnp.diff(knots, axis=1) ** 2, axis=1)

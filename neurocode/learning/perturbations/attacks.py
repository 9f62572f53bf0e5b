"""Inputs moved by the gradient of a network's loss: the fast gradient sign, its iteration, and a search on the sphere.

The gradient of a noisy network is averaged over several passes (expectation over its noise): that of one pass can understate how
far the network can be misled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from neurocode.errors import DataError
from neurocode.learning.losses import loss_and_score
from neurocode.learning.network import Network
from neurocode.learning.task import Part, Task

Array = jax.Array
Slope = Callable[[Array, Array], Array]

BATCH = 250


def fast_gradient_sign(
    net: Network, part: Part, task: Task, size: float, *, passes: int = 1, seed: int = 0, shared: bool = False
) -> Part:
    """Inputs plus ``size`` times the sign of the gradient of the loss (Goodfellow et al. 2015), not clipped.

    Parameters
    ----------
    net : Network
        That is attacked; another one may then be tested on the result (transfer).
    part : Part
    task : Task
    size : float
        In the unit of the inputs.
    passes : int
        Of a noisy network, over which the gradient is averaged.
    seed : int
    shared : bool
        One change of each sequence for all its steps; else every step has its own, as in the released code.

    Returns
    -------
    Part

    Raises
    ------
    DataError
        For a negative size.

    Examples
    --------
    >>> from neurocode.learning import Dense, Readout, tasks
    >>> task = tasks.digits(steps=4)
    >>> net = Network([Readout(Dense(64, 10, key=jax.random.key(0)), 1e-3)])
    >>> attacked = fast_gradient_sign(net, task.test, task, 0.1)
    >>> float(np.abs(attacked.inputs - task.test.inputs).max()).__round__(3)
    0.1
    """

    def move(x: Array, key: Array, slope: Slope) -> Array:
        return x + size * jnp.sign(slope(x, key))

    return _moved(net, part, task, move, size, passes, seed, shared)


def projected_gradient(
    net: Network, part: Part, task: Task, size: float, *, norm: str = "largest", steps: int = 10, rate: float | None = None,
    passes: int = 1, seed: int = 0, shared: bool = False,
) -> Part:  # fmt: skip
    """Ascent of the loss in steps, each followed by a projection onto the ball of radius ``size`` (Madry et al. 2018).

    Parameters
    ----------
    norm : {"largest", "euclidean"}
        Of the ball: the largest change of an entry, or the length of the change of a sequence.
    steps : int
    rate : float, optional
        Length of a step in that norm; 2.5 sizes over the number of steps where not given.

    Other arguments, returned value and errors are those of :func:`fast_gradient_sign`; an unknown norm raises ``DataError``.
    """
    if norm not in ("largest", "euclidean"):
        raise DataError(f"'{norm}' is no norm of an attack; known are largest, euclidean.")
    rate = 2.5 * size / steps if rate is None else rate

    def move(x: Array, key: Array, slope: Slope) -> Array:
        def ascend(change: Array, own: Array) -> tuple[Array, None]:
            way = slope(x + change, own)
            if norm == "largest":
                return jnp.clip(change + rate * jnp.sign(way), -size, size), None
            change = change + rate * way / jnp.maximum(_length(way), 1e-12)
            return change * jnp.minimum(1.0, size / jnp.maximum(_length(change), 1e-12)), None

        return x + jax.lax.scan(ascend, jnp.zeros_like(x[:1] if shared else x), jax.random.split(key, steps))[0]

    return _moved(net, part, task, move, size, passes, seed, shared)


def direct_optimisation(
    net: Network, part: Part, task: Task, length: float, *, steps: int = 30, rate: float = 2e-3, passes: int = 1, seed: int = 0
) -> Part:
    """The worst change of a given Euclidean length that Adam finds from a random start, one for all steps of a sequence.

    The change is ``length z / |z|`` with free ``z``, started uniformly on the unit sphere: on the sphere, not inside it, as in the
    code released with Ma, Yan, Tang 2023.

    Parameters
    ----------
    length : float
        Of the change of one step of a sequence, over its channels.
    steps : int
    rate : float
        Of Adam.

    Other arguments, returned value and errors are those of :func:`fast_gradient_sign`.
    """
    adam = optax.adam(rate)

    def move(x: Array, key: Array, slope: Slope) -> Array:
        start = jax.random.normal(key, x[:1].shape)
        start = start / _length(start)

        def ascend(carry: tuple, own: Array) -> tuple[tuple, None]:
            free, inner = carry
            change, back = jax.vjp(lambda z: length * z / _length(z), free)
            (way,) = back(slope(x + change, own))
            updates, inner = adam.update(-way, inner)
            return (optax.apply_updates(free, updates), inner), None

        (free, _), _ = jax.lax.scan(ascend, (start, adam.init(start)), jax.random.split(key, steps))
        return x + length * free / _length(free)

    return _moved(net, part, task, move, length, passes, seed, True)


def random_direction(part: Part, length: float, *, seed: int = 0) -> Part:
    """Inputs changed by a given Euclidean length in a random direction, one for all steps of a sequence: the control of an attack.

    Parameters
    ----------
    part : Part
    length : float
        Of the change of one step of a sequence, over its channels.
    seed : int

    Returns
    -------
    Part

    Raises
    ------
    DataError
        For a negative length.
    """
    _require_size(length)
    way = np.random.default_rng(seed).normal(size=(len(part), 1, part.inputs.shape[2]))
    way *= length / np.linalg.norm(way, axis=2, keepdims=True)
    return replace(part, inputs=(part.inputs + way).astype(part.inputs.dtype))


def _moved(
    net: Network, part: Part, task: Task, move: Callable[[Array, Array, Slope], Array], size: float, passes: int, seed: int,
    shared: bool,
) -> Part:  # fmt: skip
    _require_size(size)

    @eqx.filter_jit
    def attacked(net: Network, x: Array, targets: Array, valid: Array, key: Array) -> Array:
        def loss(change: Array, inputs: Array, own: Array) -> Array:
            return loss_and_score(task.loss, net(inputs + change, own).potentials, targets, valid)[0]

        def slope(inputs: Array, own: Array) -> Array:
            change = jnp.zeros_like(inputs[:1] if shared else inputs)
            slopes = jax.lax.map(lambda k: jax.grad(loss)(change, inputs, k), jax.random.split(own, passes))
            return jnp.mean(slopes, axis=0)

        return move(x, key, slope)

    found = []
    for number, start in enumerate(range(0, len(part), BATCH)):
        own = part.select(np.arange(start, min(start + BATCH, len(part))))
        x = jnp.moveaxis(jnp.asarray(own.inputs, jnp.result_type(float)), 0, 1)
        targets = own.targets if own.targets.ndim == 1 else np.moveaxis(own.targets, 0, 1)
        key = jax.random.fold_in(jax.random.key(seed), number)
        found.append(np.moveaxis(np.asarray(attacked(net, x, jnp.asarray(targets), jnp.asarray(own.valid.T), key)), 1, 0))
    return replace(part, inputs=np.concatenate(found).astype(np.result_type(part.inputs.dtype, np.float32)))


def _length(change: Array) -> Array:
    """Euclidean length of the change of each sequence (time, batch, channels)."""
    return jnp.sqrt(jnp.sum(change**2, axis=(0, 2), keepdims=True))


def _require_size(size: float) -> None:
    if size < 0:
        raise DataError(f"The size of a disturbance is not negative, but {size}.")

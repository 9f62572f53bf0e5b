"""Inputs moved by the gradient of a network's loss: the fast gradient sign, its iteration, and a
search on the sphere.

The gradient of a noisy network is averaged over several passes (expectation over its noise): that
of one pass can understate how far the network can be misled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError
from neurocode.extras import Library
from neurocode.learning.evaluation import as_batch
from neurocode.learning.network import Network
from neurocode.learning.objective import Batch
from neurocode.tasks.loss import Loss
from neurocode.tasks.presentation import Presentation
from neurocode.tasks.task import Part, Task

optax = Library("optax")
Array = jax.Array
Slope = Callable[[Array, Array], Array]
Move = Callable[[Array, Array, Slope, Array], Array]

BATCH = 250
#: Length below which a direction counts as none.
TINY = 1e-12


def fast_gradient_sign(
    network: Network,
    part: Part,
    task: Task,
    size: float,
    *,
    passes: int = 1,
    seed: int = 0,
    shared: bool = False,
) -> Part:
    """Inputs plus ``size`` times the sign of the gradient of the loss (Goodfellow et al. 2015), not
    clipped.

    Parameters
    ----------
    network : Network
        That is attacked; another one may then be tested on the result (transfer).
    part : Part
    task : Task
    size : float
        In the unit of the inputs.
    passes : int
        Of a noisy network, over which the gradient is averaged.
    seed : int
    shared : bool
        One change of each sequence for all its steps; else every step has its own, as in the
        released code.

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
    >>> task = tasks.digits(n_steps=4)
    >>> network = Network([Readout(Dense(64, 10, key=jax.random.key(0)), 1e-3)])
    >>> attacked = fast_gradient_sign(network, task.test, task, 0.1)
    >>> float(np.abs(attacked.inputs - task.test.inputs).max()).__round__(3)
    0.1
    """

    return _moved(network, part, task, _Sign(), size, passes, seed, shared)


def projected_gradient(
    network: Network,
    part: Part,
    task: Task,
    size: float,
    *,
    norm: str = "largest",
    n_steps: int = 10,
    passes: int = 1,
    seed: int = 0,
    shared: bool = False,
) -> Part:
    """Ascent of the loss, each step projected onto the ball of radius ``size`` (Madry et al. 2018);
    steps are 2.5 sizes in all.

    Parameters
    ----------
    norm : {"largest", "euclidean"}
        Of the ball: the largest change of an entry, or the length of the change of a sequence.
    n_steps : int

    Other arguments, returned value and errors are those of :func:`fast_gradient_sign`; an unknown
    norm raises ``DataError``.
    """
    if norm not in ("largest", "euclidean"):
        raise DataError(f"'{norm}' is no norm of an attack; known are largest, euclidean.")
    return _moved(network, part, task, _Ascent(norm, n_steps, shared), size, passes, seed, shared)


def direct_optimisation(
    network: Network,
    part: Part,
    task: Task,
    length: float,
    *,
    n_steps: int = 30,
    rate: float = 2e-3,
    passes: int = 1,
    seed: int = 0,
) -> Part:
    """The worst change of a given Euclidean length that Adam finds from a random start, one for all
    steps of a sequence.

    The change is ``length z / |z|`` with free ``z``, started uniformly on the unit sphere: on the
    sphere, not inside it, as in the code released with Ma, Yan, Tang 2023.

    Parameters
    ----------
    length : float
        Of the change of one step of a sequence, over its channels.
    n_steps : int
    rate : float
        Of Adam.

    Other arguments, returned value and errors are those of :func:`fast_gradient_sign`.
    """
    return _moved(network, part, task, _OnSphere(n_steps, rate), length, passes, seed, True)


def random_direction(part: Part, length: float, *, seed: int = 0) -> Part:
    """Inputs changed by a given Euclidean length in a random direction, one for all steps of a
    sequence: the control of an attack.

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


@dataclass(frozen=True)
class _Sign:
    """One step along the sign of the gradient."""

    def __call__(self, x: Array, key: Array, slope: Slope, size: Array) -> Array:
        return x + size * jnp.sign(slope(x, key))


@dataclass(frozen=True)
class _Ascent:
    """Steps along the gradient inside a ball."""

    norm: str
    n_steps: int
    shared: bool

    def __call__(self, x: Array, key: Array, slope: Slope, size: Array) -> Array:
        rate = 2.5 * size / self.n_steps

        def ascend(change: Array, own: Array) -> tuple[Array, None]:
            way = slope(x + change, own)
            if self.norm == "largest":
                return jnp.clip(change + rate * jnp.sign(way), -size, size), None
            change = change + rate * way / jnp.maximum(_length(way), TINY)
            return change * jnp.minimum(1.0, size / jnp.maximum(_length(change), TINY)), None

        start = jnp.zeros_like(x[:1] if self.shared else x)
        return x + jax.lax.scan(ascend, start, jax.random.split(key, self.n_steps))[0]


@dataclass(frozen=True)
class _OnSphere:
    """Steps of Adam over directions."""

    n_steps: int
    rate: float

    def __call__(self, x: Array, key: Array, slope: Slope, size: Array) -> Array:
        adam = optax.adam(self.rate)
        start = jax.random.normal(key, x[:1].shape)
        start = start / _length(start)

        def ascend(carry: tuple, own: Array) -> tuple[tuple, None]:
            free, inner = carry
            change, back = jax.vjp(lambda z: size * z / _length(z), free)
            (way,) = back(slope(x + change, own))
            updates, inner = adam.update(-way, inner)
            return (optax.apply_updates(free, updates), inner), None

        (free, _), _ = jax.lax.scan(
            ascend, (start, adam.init(start)), jax.random.split(key, self.n_steps)
        )
        return x + size * free / _length(free)


@eqx.filter_jit
def _attacked(
    network: Network,
    batch: Batch,
    key: Array,
    size: Array,
    move: Move,
    loss: Loss,
    presentation: Presentation | None,
    passes: int,
    shared: bool,
) -> Array:
    """Moved inputs of a batch; one program for all sizes."""

    def cost(change: Array, inputs: Array, own: Array) -> Array:
        moved = inputs + change
        moved = moved if presentation is None else presentation.shown(moved, own, training=False)
        evidence = loss.evidence(network, batch._replace(inputs=moved), own, False)[0]
        return loss.loss_and_score(evidence, batch.targets, batch.valid)[0]

    def slope(inputs: Array, own: Array) -> Array:
        change = jnp.zeros_like(inputs[:1] if shared else inputs)
        slopes = jax.lax.map(
            lambda k: jax.grad(cost)(change, inputs, k), jax.random.split(own, passes)
        )
        return jnp.mean(slopes, axis=0)

    return move(batch.inputs, key, slope, size)


def _moved(
    network: Network,
    part: Part,
    task: Task,
    move: Move,
    size: float,
    passes: int,
    seed: int,
    shared: bool,
) -> Part:
    _require_size(size)
    found = []
    for number, start in enumerate(range(0, len(part), BATCH)):
        batch = as_batch(part.select(np.arange(start, min(start + BATCH, len(part)))))
        key = jax.random.fold_in(jax.random.key(seed), number)
        moved = _attacked(
            network,
            batch,
            key,
            jnp.asarray(size, batch.inputs.dtype),
            move,
            task.loss,
            task.presentation,
            passes,
            shared,
        )
        found.append(np.moveaxis(np.asarray(moved), 1, 0))
    return replace(
        part, inputs=np.concatenate(found).astype(np.result_type(part.inputs.dtype, np.float32))
    )


def _length(change: Array) -> Array:
    """Euclidean length of the change of each sequence (time, batch, channels)."""
    return jnp.sqrt(jnp.sum(change**2, axis=(0, 2), keepdims=True))


def _require_size(size: float) -> None:
    if size < 0:
        raise DataError(f"The size of a disturbance is not negative, but {size}.")

"""Inputs changed along the gradient of the loss of a network: the fast gradient sign, its
iteration, and a search on the sphere.

The gradient of a noisy network is averaged over several passes (expectation over its noise), as the
gradient of a single pass can understate how far the network can be misled.
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
from neurocode.tasks.losses import as_loss
from neurocode.tasks.presentation import Presentation
from neurocode.tasks.task import Part, Task

optax = Library("optax")
Array = jax.Array
Slope = Callable[[Array, Array], Array]
Move = Callable[[Array, Array, Slope, Array], Array]

BATCH = 250
#: Smallest length by which a direction is divided.
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
    """Return inputs plus ``size`` times the sign of the gradient of the loss (Goodfellow et al.
    2015), not clipped.

    Parameters
    ----------
    network : Network
        Network that is attacked; another network may then be tested on the result (transfer).
    part : Part
    task : Task
    size : float
        Size of the change in the unit of the inputs.
    passes : int
        Number of passes of a noisy network over which the gradient is averaged.
    seed : int
    shared : bool
        Whether all steps of a sequence share one change; otherwise every step has a change of its
        own, as in the released code.

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
    """Return inputs after gradient ascent of the loss, in which each step is projected onto the
    ball of radius ``size`` (Madry et al. 2018); the steps add up to 2.5 times ``size``.

    Parameters
    ----------
    norm : {"largest", "euclidean"}
        Norm of the ball: the largest change of an entry, or the length of the change of a sequence.
    n_steps : int
        Number of steps.

    Other arguments, the returned value and errors are those of :func:`fast_gradient_sign`; an
    unknown norm raises ``DataError``.
    """
    if norm not in ("largest", "euclidean"):
        raise DataError(f"'{norm}' is not a norm of an attack; known are largest, euclidean.")
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
    """Return inputs with the worst change of a given Euclidean length that Adam finds from a random
    start; all steps of a sequence share the change.

    The change is ``length z / |z|`` with free ``z`` that starts uniformly on the unit sphere. It
    lies on the sphere, not inside it, as in the code released with Ma, Yan, Tang 2023.

    Parameters
    ----------
    length : float
        Length of the change of one step of a sequence, over its channels.
    n_steps : int
        Number of steps.
    rate : float
        Learning rate of Adam.

    Other arguments, the returned value and errors are those of :func:`fast_gradient_sign`.
    """
    return _moved(network, part, task, _OnSphere(n_steps, rate), length, passes, seed, True)


def random_direction(part: Part, length: float, *, seed: int = 0) -> Part:
    """Return inputs changed by a given Euclidean length in a random direction, which all steps of a
    sequence share. It is the control of an attack.

    Parameters
    ----------
    part : Part
    length : float
        Length of the change of one step of a sequence, over its channels.
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
    direction = np.random.default_rng(seed).normal(size=(len(part), 1, part.inputs.shape[2]))
    direction *= length / np.linalg.norm(direction, axis=2, keepdims=True)
    return replace(part, inputs=(part.inputs + direction).astype(part.inputs.dtype))


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

        def ascend(change: Array, step_key: Array) -> tuple[Array, None]:
            direction = slope(x + change, step_key)
            if self.norm == "largest":
                return jnp.clip(change + rate * jnp.sign(direction), -size, size), None
            change = change + rate * direction / jnp.maximum(_length(direction), TINY)
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

        def ascend(carry: tuple, step_key: Array) -> tuple[tuple, None]:
            free, inner = carry
            change, back = jax.vjp(lambda z: size * z / _length(z), free)
            (direction,) = back(slope(x + change, step_key))
            updates, inner = adam.update(-direction, inner)
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
    """Return the changed inputs of a batch. The size is an argument of the compiled program, so
    that one program serves all sizes."""

    def cost(change: Array, inputs: Array, pass_key: Array) -> Array:
        moved = inputs + change
        if presentation is not None:
            moved = presentation.shown(moved, pass_key, training=False)
        evidence = loss.evidence(network, batch._replace(inputs=moved), pass_key, False)[0]
        return loss.loss_and_score(evidence, batch.targets, batch.valid)[0]

    def slope(inputs: Array, pass_key: Array) -> Array:
        change = jnp.zeros_like(inputs[:1] if shared else inputs)
        slopes = jax.lax.map(
            lambda k: jax.grad(cost)(change, inputs, k), jax.random.split(pass_key, passes)
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
    batches = []
    for number, start in enumerate(range(0, len(part), BATCH)):
        batch = as_batch(part.select(np.arange(start, min(start + BATCH, len(part)))))
        key = jax.random.fold_in(jax.random.key(seed), number)
        moved = _attacked(
            network,
            batch,
            key,
            jnp.asarray(size, batch.inputs.dtype),
            move,
            as_loss(task.loss),
            task.presentation,
            passes,
            shared,
        )
        batches.append(np.moveaxis(np.asarray(moved), 1, 0))
    return replace(
        part, inputs=np.concatenate(batches).astype(np.result_type(part.inputs.dtype, np.float32))
    )


def _length(change: Array) -> Array:
    """Return the Euclidean length of the change of each sequence (time, batch, channels)."""
    return jnp.sqrt(jnp.sum(change**2, axis=(0, 2), keepdims=True))


def _require_size(size: float) -> None:
    if size < 0:
        raise DataError(f"The size of a disturbance must not be negative, not {size}.")

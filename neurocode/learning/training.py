"""Training of a network on a task by gradient descent."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from neurocode.errors import TrainingError
from neurocode.extras import Library
from neurocode.frames import column
from neurocode.learning.checkpoint import load_checkpoint, save_checkpoint
from neurocode.learning.diagnosis import diagnose
from neurocode.learning.evaluation import (
    Evaluation,
    as_batch,
    check_fit,
    evaluate,
    on_devices,
    time_first,
)
from neurocode.learning.identity import identity
from neurocode.learning.network import Network, calibrated
from neurocode.learning.objective import Report, gradient
from neurocode.learning.settings import DEFAULT_SETTINGS, Settings, require_whole
from neurocode.learning.trainable import scaled_intrinsic, trainable
from neurocode.learning.training_result import TrainingResult
from neurocode.locks import alone
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import as_loss
from neurocode.tasks.presentation import Presentation
from neurocode.tasks.task import Part, Task, stratified

optax = Library("optax")
Array = jax.Array
Progress = Callable[[dict[str, float]], None]

#: Number folded into the key of an epoch for the order of its data, so that this key differs from
#: those of the updates.
ORDER = 2_000_003
CHECKPOINT = "checkpoint.bin"


class State(NamedTuple):
    """Everything that a training run needs to continue."""

    learned: Network
    optimiser: Any
    best: Network
    best_score: Array
    epoch: Array
    history: Array


def train(
    network: Network,
    task: Task,
    *,
    seed: int = 0,
    settings: Settings = DEFAULT_SETTINGS,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    loss: str | Loss | None = None,
) -> TrainingResult:
    """Train a network.

    Parameters
    ----------
    network : Network
    task : Task
    seed : int
        Seed of the order of the data, dropout and noise. The same seed gives the same network on
        the same machine.
    settings : Settings
    folder : path, optional
        Folder in which a checkpoint is kept after every epoch. If it already holds one, training
        continues from there; the result is the same as without interruption.
    progress : callable, optional
        Function that is called with the row of each epoch.
    loss : str or Loss, optional
        Loss that replaces the one of the task.

    Returns
    -------
    TrainingResult

    Raises
    ------
    TrainingError
        For a seed that is negative or not whole, or if the loss or a gradient is not finite; the
        message then names update, layer and parameter.
    DataError
        If the task does not fit the network or the loss, the folder cannot be written to, another
        training run is using it, or its checkpoint is damaged or belongs to another run (another
        network, task, data, settings, seed, precision or version).

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Network, Readout, tasks
    >>> task = tasks.burst_sequences(n_classes=2, n_samples=40, seed=1)
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> layer = Layer(Dense(10, 16, key=a), nc.models.normalised_lif(), 1e-3)
    >>> network = Network([layer, Readout(Dense(16, 2, key=b), 1e-3)])
    >>> len(train(network, task, settings=Settings(epochs=2, batch_size=14)).history)
    2
    """
    require_whole("seed", seed, 0)
    task = task if loss is None else replace(task, loss=loss)
    check_fit(network, task, settings.batch_size)
    if folder is None:
        return _trained(network, task, seed, settings, None, progress)
    path = Path(folder) / CHECKPOINT
    with alone(path, "another training is writing this checkpoint."):
        return _trained(network, task, seed, settings, path, progress)


def _trained(
    network: Network,
    task: Task,
    seed: int,
    settings: Settings,
    path: Path | None,
    progress: Progress | None,
) -> TrainingResult:
    """Train from the start, or from the checkpoint at ``path`` if there is one."""
    updates, loss = len(task.training) // settings.batch_size, as_loss(task.loss)
    learned, rest = trainable(_of_their_type(network), settings.weights, settings.intrinsic)
    empty = jnp.zeros((settings.epochs, 5 + len(network.layers)))
    inner = settings.optimiser(updates * settings.epochs).init(learned)
    state = State(learned, inner, learned, jnp.asarray(-jnp.inf), jnp.asarray(0), empty)
    described = {} if path is None else identity(network, task, settings, seed)
    if path is not None and path.exists():
        state = load_checkpoint(path, state, described)
    data = on_devices(task.training)
    key = jax.random.key(seed)
    # the learning rate is an argument of the compiled program, so that one program serves all rates
    rate, fixed = jnp.asarray(settings.learning_rate), replace(settings, learning_rate=1.0)
    while int(state.epoch) < settings.epochs:
        began, epoch = time.perf_counter(), int(state.epoch)
        epoch_key = jax.random.fold_in(key, epoch)
        order = jax.random.permutation(jax.random.fold_in(epoch_key, ORDER), len(task.training))[
            : updates * settings.batch_size
        ]
        order = order.reshape(updates, -1)
        learned, inner, reports, fault = _epoch(
            state.learned,
            state.optimiser,
            epoch_key,
            order,
            data,
            rest,
            loss,
            task.free_running_from,
            fixed,
            task.presentation,
            rate,
        )
        if int(fault) < updates:
            indices = np.asarray(order)[int(fault)]
            batch = as_batch(task.training.select(indices))
            again = jax.random.fold_in(epoch_key, int(fault))
            batch = batch._replace(inputs=task.shown(batch.inputs, again, training=True))
            what = diagnose(
                learned, rest, batch, loss, settings.regulariser, again, task.free_running_from
            )
            where = (
                f"Update {epoch * updates + int(fault) + 1} (epoch {epoch + 1}, batch "
                f"{int(fault) + 1})"
            )
            raise TrainingError(f"{where} is not finite: {what}.")
        fresh = _calibrated(eqx.combine(learned, rest), task, settings, seed)
        validation = evaluate(
            fresh, task.validation, task, seed=seed, batch_size=settings.batch_size
        )
        state = _recorded(
            state._replace(learned=learned, optimiser=inner),
            reports,
            validation,
            task,
            time.perf_counter() - began,
        )
        if path is not None:
            save_checkpoint(path, state, described)
        if progress is not None:
            progress(_rows(state).iloc[-1].to_dict())
    return _result(state, rest, task, seed, settings)


def _of_their_type(network: Network) -> Network:
    """Return a network whose arrays have the types that updates give them. An array that came from
    a plain number would otherwise cause a second compilation."""
    return jax.tree.map(lambda array: jax.lax.convert_element_type(array, array.dtype), network)


def _calibrated(network: Network, task: Task, settings: Settings, seed: int) -> Network:
    """Return a network whose normalisations hold the mean and variance of training sequences, with
    labels in proportion."""
    if not network.is_normalised:
        return network
    chosen, key = stratified(task.training, settings.calibration, seed), jax.random.key(seed)
    return eqx.filter_jit(calibrated)(
        network, task.shown(as_batch(chosen).inputs, key, training=False), key
    )


@partial(eqx.filter_jit, donate="none")
def _epoch(
    learned: Network,
    inner: Any,
    key: Array,
    order: Array,
    data: Part,
    rest: Network,
    loss: Loss,
    free_running_from: int | None,
    settings: Settings,
    presentation: Presentation | None,
    learning_rate: Array,
) -> tuple[Network, Any, Report, Array]:
    """Make all updates of an epoch; after an update that is not finite nothing changes any more."""
    optimiser = settings.optimiser(len(order) * settings.epochs, learning_rate)

    def visit(carry: tuple, step: tuple[Array, Array]) -> tuple[tuple, Report]:
        learned, inner, fault = carry
        number, indices = step
        batch = time_first(data.select(indices))
        update_key = jax.random.fold_in(key, number)
        if presentation is not None:
            batch = batch._replace(
                inputs=presentation.shown(batch.inputs, update_key, training=True)
            )
        slopes, report = gradient(
            learned,
            rest,
            batch,
            loss,
            settings.regulariser,
            update_key,
            settings.blocks,
            free_running_from,
            settings.devices,
        )
        changes, after = optimiser.update(slopes, inner, learned)
        if settings.intrinsic and settings.intrinsic_factor != 1.0:
            changes = scaled_intrinsic(changes, settings.intrinsic_factor)
        new = eqx.combine(optax.apply_updates(learned, changes), rest).projected()
        new, _ = trainable(new, settings.weights, settings.intrinsic)
        sound = jnp.isfinite(report.loss) & jnp.all(
            jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(slopes)])
        )
        sound &= fault == len(order)
        keep = partial(jax.tree.map, lambda fresh, old: jnp.where(sound, fresh, old))
        return (
            keep(new, learned),
            keep(after, inner),
            jnp.where(sound, fault, jnp.minimum(fault, number)),
        ), report

    (learned, inner, fault), reports = jax.lax.scan(
        visit, (learned, inner, jnp.asarray(len(order))), (jnp.arange(len(order)), order)
    )
    return learned, inner, reports, fault


def _recorded(
    state: State, reports: Report, validation: Evaluation, task: Task, seconds: float
) -> State:
    """Return the state with the row of an epoch added and the best network so far."""
    score = float(jnp.sum(reports.score) / jnp.sum(reports.answers))
    rates = jnp.mean(reports.rates, axis=0)
    row = jnp.asarray(
        [float(jnp.mean(reports.loss)), score, validation.loss, validation.score, seconds]
    )
    history = state.history.at[state.epoch].set(jnp.concatenate([row, rates]))
    quality = _sign(task) * validation.score
    better = quality > float(state.best_score)
    best = state.learned if better else state.best
    return State(
        state.learned,
        state.optimiser,
        best,
        jnp.maximum(state.best_score, quality),
        state.epoch + 1,
        history,
    )


def _sign(task: Task) -> float:
    """Return what a score is multiplied by so that a larger value is better."""
    return 1.0 if as_loss(task.loss).larger_is_better else -1.0


def _rows(state: State) -> pd.DataFrame:
    n = int(state.epoch)
    names = ["loss", "score", "validation_loss", "validation_score", "seconds"]
    names += [f"rate_{k}" for k in range(state.history.shape[1] - len(names))]
    frame = pd.DataFrame(np.asarray(state.history[:n], float), columns=names)
    frame.insert(0, "epoch", np.arange(1, n + 1))
    return frame


def _result(
    state: State, rest: Network, task: Task, seed: int, settings: Settings
) -> TrainingResult:
    history = _rows(state)
    best, last = (
        _calibrated(eqx.combine(learned, rest), task, settings, seed)
        for learned in (state.best, state.learned)
    )
    test = evaluate(best, task.test, task, seed=seed, batch_size=settings.batch_size)
    scores = _sign(task) * column(history.set_index("epoch"), "validation_score")
    return TrainingResult(
        best,
        last,
        history,
        int(cast("int", scores.idxmax())),
        test.loss,
        test.score,
        as_loss(task.loss).score_name,
    )

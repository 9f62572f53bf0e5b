"""Training of a network on a task by gradients."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import neurocode
from neurocode.errors import DataError, TrainingError
from neurocode.extras import Library
from neurocode.learning.checkpoint import load_checkpoint, save_checkpoint
from neurocode.learning.diagnosis import diagnose
from neurocode.learning.network import Network, calibrated, scaled_intrinsic, trainable
from neurocode.learning.network_file import description
from neurocode.learning.objective import Batch, Report, gradient, objective
from neurocode.learning.regularisers import Regulariser
from neurocode.learning.settings import DEFAULT_SETTINGS, Settings, require_whole
from neurocode.learning.task import Part, Task, stratified
from neurocode.locks import alone

optax = Library("optax")
Array = jax.Array
Progress = Callable[[dict[str, float]], None]

#: Added to the key of a training for the order of its data, so that it is not one of an update.
ORDER = 2_000_003
CHECKPOINT = "checkpoint.bin"


class State(NamedTuple):
    """Everything that a training goes on from."""

    learned: Network
    optimiser: Any
    best: Network
    best_score: Array
    epoch: Array
    history: Array


@dataclass(frozen=True)
class TrainingResult:
    """A trained network.

    Attributes
    ----------
    network : Network
        Of the epoch with the best validation score.
    last : Network
        Of the last epoch.
    history : pandas.DataFrame
        A row an epoch: ``epoch, loss, score, validation_loss, validation_score, rate_0 …, seconds``. Scores are the share of
        right answers, the mean squared error, or the log probability of recorded spikes in nats a step.
    best_epoch : int
    test_loss, test_score : float
        Of ``network``.
    """

    network: Network
    last: Network
    history: pd.DataFrame
    best_epoch: int
    test_loss: float
    test_score: float


def train(
    net: Network,
    task: Task,
    *,
    seed: int = 0,
    settings: Settings = DEFAULT_SETTINGS,
    folder: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a network.

    Parameters
    ----------
    net : Network
    task : Task
    seed : int
        Of the order of the data, dropout and noise. The same seed gives the same network on one machine.
    settings : Settings
    folder : path, optional
        Keep a checkpoint of every epoch there and go on from one that is found: the result is that of an uninterrupted run.
    progress : callable, optional
        Called with the row of each epoch.

    Returns
    -------
    TrainingResult

    Raises
    ------
    TrainingError
        For a seed that is negative or not whole, or if the loss or a gradient is not finite: names update, layer and parameter.
    DataError
        If the task does not fit the network, the folder cannot be written to, another training is running in it, or its checkpoint
        is damaged or of another training: of another network, task, data, settings, seed, precision or version.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Network, Readout, tasks
    >>> task = tasks.burst_sequences(classes=2, samples=40, seed=1)
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> net = Network([Layer(Dense(10, 16, key=a), nc.models.adlif(), 1e-3), Readout(Dense(16, 2, key=b), 1e-3)])
    >>> len(train(net, task, settings=Settings(epochs=2, batch_size=14)).history)
    2
    """
    require_whole("seed", seed, 0)
    check_fit(net, task, settings.batch_size)
    if folder is None:
        return _trained(net, task, seed, settings, None, progress)
    path = Path(folder) / CHECKPOINT
    with alone(path, "another training is writing this checkpoint."):
        return _trained(net, task, seed, settings, path, progress)


def _trained(
    net: Network, task: Task, seed: int, settings: Settings, path: Path | None, progress: Progress | None
) -> TrainingResult:
    """Train from the start, or from the checkpoint at a path where there is one."""
    updates = len(task.training) // settings.batch_size
    learned, rest = trainable(net, settings.weights, settings.intrinsic)
    empty = jnp.zeros((settings.epochs, 5 + len(net.layers)))
    inner = settings.optimiser(updates * settings.epochs).init(learned)
    state = State(learned, inner, learned, jnp.asarray(-jnp.inf), jnp.asarray(0), empty)
    described = {} if path is None else _described(net, task, settings, seed)
    if path is not None and path.exists():
        state = load_checkpoint(path, state, described)
    data = _on_devices(task.training)
    key = jax.random.key(seed)
    while int(state.epoch) < settings.epochs:
        began, epoch = time.perf_counter(), int(state.epoch)
        epoch_key = jax.random.fold_in(key, epoch)
        order = jax.random.permutation(jax.random.fold_in(epoch_key, ORDER), len(task.training))[: updates * settings.batch_size]
        order = order.reshape(updates, -1)
        learned, inner, reports, fault = _epoch(
            state.learned, state.optimiser, epoch_key, order, data, rest, task.loss, task.free_running_from, settings
        )
        if int(fault) < updates:
            indices = np.asarray(order)[int(fault)]
            batch = as_batch(task.training.select(indices))
            again = jax.random.fold_in(epoch_key, int(fault))
            what = diagnose(learned, rest, batch, task.loss, settings.regulariser, again, task.free_running_from)
            where = f"Update {epoch * updates + int(fault) + 1} (epoch {epoch + 1}, batch {int(fault) + 1})"
            raise TrainingError(f"{where} is not finite: {what}.")
        fresh = _calibrated(eqx.combine(learned, rest), task, settings, seed)
        validation = evaluate(fresh, task.validation, task, seed=seed, batch_size=settings.batch_size)
        state = _recorded(State(learned, inner, *state[2:]), reports, validation, task, time.perf_counter() - began)
        if path is not None:
            save_checkpoint(path, state, described)
        if progress is not None:
            progress(_rows(state).iloc[-1].to_dict())
    return _result(state, rest, task, seed, settings)


class Evaluation(NamedTuple):
    """Loss, score (share of right answers or mean squared error), spikes per neuron and step of each layer."""

    loss: float
    score: float
    rates: tuple[float, ...]


def evaluate(net: Network, part: Part, task: Task, *, seed: int = 0, batch_size: int = 256, passes: int = 1) -> Evaluation:
    """Loss and score of a network on a part of a task, without dropout.

    Parameters
    ----------
    net : Network
    part : Part
    task : Task
    seed : int
        Of the noise of noisy networks.
    batch_size : int
    passes : int
        Of a noisy network, whose potentials are averaged (an ensemble).

    Raises
    ------
    TrainingError
        For a seed, a batch size or passes that are not whole numbers in range.
    """
    for name, value, least in (("seed", seed, 0), ("batch_size", batch_size, 1), ("passes", passes, 1)):
        require_whole(name, value, least)
    learned, rest = trainable(net)
    reports, weights = [], []
    for number, start in enumerate(range(0, len(part), batch_size)):
        indices = np.arange(start, min(start + batch_size, len(part)))
        key = jax.random.fold_in(jax.random.key(seed), number)
        batch = as_batch(part.select(indices))
        reports.append(_measured(learned, batch, key, rest, task.loss, task.free_running_from, passes))
        weights.append(float(reports[-1].answers))
    share = np.array(weights) / sum(weights)
    loss = float(sum(w * float(r.loss) for w, r in zip(share, reports, strict=True)))
    rates = np.sum([w * np.asarray(r.rates) for w, r in zip(share, reports, strict=True)], axis=0)
    return Evaluation(loss, float(sum(float(r.score) for r in reports) / sum(weights)), tuple(float(rate) for rate in rates))


@eqx.filter_jit
def _measured(
    learned: Network, batch: Batch, key: Array, rest: Network, loss: str, free_running_from: int | None, passes: int
) -> Report:
    return objective(learned, rest, batch, loss, Regulariser(), key, False, free_running_from, passes=passes)[1]


def _calibrated(net: Network, task: Task, settings: Settings, seed: int) -> Network:
    """With the moments of its normalisations on training sequences, every label in proportion."""
    if not net.is_normalised:
        return net
    chosen = stratified(task.training, settings.calibration, seed)
    return eqx.filter_jit(calibrated)(net, as_batch(chosen).inputs, jax.random.key(seed))


@partial(eqx.filter_jit, donate="none")
def _epoch(
    learned: Network, inner: Any, key: Array, order: Array, data: Part, rest: Network, loss: str, free_running_from: int | None,
    settings: Settings,
) -> tuple[Network, Any, Report, Array]:  # fmt: skip
    """All updates of an epoch; after one that is not finite nothing changes any more."""
    optimiser = settings.optimiser(len(order) * settings.epochs)

    def visit(carry: tuple, step: tuple[Array, Array]) -> tuple[tuple, Report]:
        learned, inner, fault = carry
        number, indices = step
        batch = _batch(data.select(indices))
        update_key = jax.random.fold_in(key, number)
        slopes, report = gradient(
            learned, rest, batch, loss, settings.regulariser, update_key, settings.blocks, free_running_from, settings.devices
        )
        changes, after = optimiser.update(slopes, inner, learned)
        if settings.intrinsic and settings.intrinsic_factor != 1.0:
            changes = scaled_intrinsic(changes, settings.intrinsic_factor)
        new = eqx.combine(optax.apply_updates(learned, changes), rest).projected()
        new, _ = trainable(new, settings.weights, settings.intrinsic)
        sound = jnp.isfinite(report.loss) & jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(slopes)]))
        sound &= fault == len(order)
        keep = partial(jax.tree.map, lambda fresh, old: jnp.where(sound, fresh, old))
        return (keep(new, learned), keep(after, inner), jnp.where(sound, fault, jnp.minimum(fault, number))), report

    (learned, inner, fault), reports = jax.lax.scan(
        visit, (learned, inner, jnp.asarray(len(order))), (jnp.arange(len(order)), order)
    )
    return learned, inner, reports, fault


def _on_devices(part: Part) -> Part:
    targets = part.targets.astype(np.int32 if np.issubdtype(part.targets.dtype, np.integer) else np.float32)
    return Part(jnp.asarray(part.inputs), jnp.asarray(targets), jnp.asarray(part.valid))


def as_batch(part: Part) -> Batch:
    """Sequences of a part as a network takes them."""
    return _batch(_on_devices(part))


def _batch(part: Part) -> Batch:
    """Time first, numbers of the type that is computed in."""
    inputs = jnp.moveaxis(part.inputs, 0, 1).astype(jnp.result_type(float))
    targets = part.targets if part.targets.ndim == 1 else jnp.moveaxis(part.targets, 0, 1)
    valid = part.valid.T
    return Batch(inputs, targets, valid)


def check_fit(net: Network, task: Task, batch_size: int) -> None:
    """Refuse a task that a network cannot learn in batches of a size."""
    if net.n_in != task.n_inputs or net.n_out != task.n_outputs:
        raise DataError(
            f"Task '{task.name}' has {task.n_inputs} inputs and {task.n_outputs} outputs, the network {net.n_in} and {net.n_out}."
        )
    if not np.isclose(net.dt, task.dt):
        raise DataError(f"Task '{task.name}' has a time step of {task.dt} s, the network one of {net.dt} s.")
    if len(task.training) < batch_size:
        raise DataError(f"Task '{task.name}' has {len(task.training)} training sequences, fewer than a batch.")


def _described(net: Network, task: Task, settings: Settings, seed: int) -> dict[str, Any]:
    """What a checkpoint must agree on: the network at its start, the task, how it is trained, and by what."""
    table = {
        "version": neurocode.__version__, "precision": str(jnp.result_type(float)), "seed": seed, "settings": asdict(settings),
        "network": description(net), "disturbance": description(net.disturbance), "starting arrays": _digest(jax.tree.leaves(net)),
        "task": {name: getattr(task, name) for name in ("name", "loss", "n_outputs", "dt", "free_running_from")},
        "data": {name: _digest(jax.tree.leaves(getattr(task, name))) for name in ("training", "validation", "test")},
    }  # fmt: skip
    return json.loads(json.dumps(table))


def _digest(arrays: list[Array | np.ndarray]) -> str:
    """Hash of arrays, their types and shapes."""
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        for row in np.atleast_1d(array):
            digest.update(row.tobytes())
    return digest.hexdigest()


def _recorded(state: State, reports: Report, validation: Evaluation, task: Task, seconds: float) -> State:
    """The state with the row of an epoch, and the best network so far."""
    score = float(jnp.sum(reports.score) / jnp.sum(reports.answers))
    rates = jnp.mean(reports.rates, axis=0)
    row = jnp.asarray([float(jnp.mean(reports.loss)), score, validation.loss, validation.score, seconds])
    history = state.history.at[state.epoch].set(jnp.concatenate([row, rates]))
    quality = _quality(task, validation.score)
    better = quality > float(state.best_score)
    best = state.learned if better else state.best
    return State(state.learned, state.optimiser, best, jnp.maximum(state.best_score, quality), state.epoch + 1, history)


def _quality(task: Task, score: float | pd.Series) -> float | pd.Series:
    """A score of which more is better."""
    return -score if task.loss == "squared_error" else score


def _rows(state: State) -> pd.DataFrame:
    n = int(state.epoch)
    names = ["loss", "score", "validation_loss", "validation_score", "seconds"]
    names += [f"rate_{k}" for k in range(state.history.shape[1] - len(names))]
    frame = pd.DataFrame(np.asarray(state.history[:n], float), columns=names)
    frame.insert(0, "epoch", np.arange(1, n + 1))
    return frame


def _result(state: State, rest: Network, task: Task, seed: int, settings: Settings) -> TrainingResult:
    history = _rows(state)
    best, last = (_calibrated(eqx.combine(own, rest), task, settings, seed) for own in (state.best, state.learned))
    test = evaluate(best, task.test, task, seed=seed, batch_size=settings.batch_size)
    scores = _quality(task, history["validation_score"])
    return TrainingResult(best, last, history, int(history["epoch"][scores.idxmax()]), test.loss, test.score)

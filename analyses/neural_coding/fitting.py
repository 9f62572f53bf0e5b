"""The fit of a model to a recording: settings chosen on validation, held-out likelihood, and
simulated spikes."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import gaussian_filter1d

from analyses.neural_coding import integrate_and_fire
from analyses.neural_coding.models import NOISY, network, without_output_noise
from analyses.neural_coding.recordings import FINE, Recording, Span
from neurocode.errors import TrainingError
from neurocode.learning import Network, Part, Settings, Task, train

#: Seconds of a training sequence that count, seconds before them in which the neurons settle, and
#: number of sequences per update.
WINDOW, SETTLING, BATCH = 0.7, 0.3, 24
#: Number of passes of the noise over which the probability of held-out spikes is averaged.
PASSES = 20
#: Tuned values: the width of the kernel of a histogram in seconds, on a grid beyond which no
#: recording chooses; three for every network, the spacing of knots in seconds if the feature is
#: time, otherwise the learning rate. The fixed rate is that of models whose spacing is tuned.
KERNELS, SPACINGS, RATES, FIXED_RATE = (
    (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28),
    (0.01, 0.03, 0.1),
    (0.03, 0.1, 0.3),
    0.03,
)
#: Weight, in repeats, of the mean rate in a histogram, so that no bin has probability zero; chosen
#: here.
PRIOR_REPEATS = 0.5


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    setting : float
        The tuned value; NaN if nothing is tuned.
    validation : float
        Log probability of the validation part in nats per bin; NaN if nothing is tuned.
    log_probability : numpy.ndarray (repeats, units)
        Log probability of every held-out repeat in nats.
    spikes : numpy.ndarray of bool (repeats, steps, units)
        Simulated spikes, with as many repeats as requested.
    width : float
        Mean width of the noise that hidden neurons learned; NaN if they have none.
    failed : int
        Number of settings with which the training ended at a gradient that is not finite; these
        settings are not chosen.
    """

    setting: float
    validation: float
    log_probability: np.ndarray
    spikes: np.ndarray
    width: float = np.nan
    failed: int = 0


def fit(
    model: str, recording: Recording, updates: int, n_repeats: int, seed: int, settings: int
) -> Fit:
    """Fit a model with each of the first ``settings`` settings and keep the one best on validation.

    Raises
    ------
    TrainingError
        If the training fails with all of them.
    """
    if model == "psth":
        return _histogram(recording, KERNELS, n_repeats, seed)
    if model in integrate_and_fire.CLAMPED:
        return _under_current(model, recording, n_repeats, seed, settings)
    grid = (SPACINGS if recording.by_time else RATES)[:settings]
    kind = "output" if model == "deterministic" else model
    trainings, failures = [], []
    for setting in grid:
        try:
            trainings.append((*_trained(kind, recording, setting, updates, seed), setting))
        except TrainingError as error:
            failures.append(error)
    if not trainings:
        raise failures[0]
    net, validation, setting = max(trainings, key=lambda entry: entry[1])
    if model == "deterministic":
        impossible = np.full(recording.test.counted.shape[::2], -np.inf)
        return Fit(
            setting,
            validation,
            impossible,
            _certain(net, recording, n_repeats),
            failed=len(failures),
        )
    width = float(np.mean(net.layers[0].intrinsic.values()["scale"])) if model in NOISY else np.nan
    logs, spikes = (
        held_out(net, recording.test, recording.dt, seed),
        drawn(net, recording, n_repeats, seed),
    )
    return Fit(setting, validation, logs, spikes, width, len(failures))


def _under_current(
    model: str, recording: Recording, n_repeats: int, seed: int, settings: int
) -> Fit:
    """Fit a neuron by maximum likelihood; the validation part, which chooses the settings of the
    other models, is not used."""
    neuron = integrate_and_fire.fitted(
        model, recording, seed, settings * integrate_and_fire.STARTS_A_SETTING
    )
    span, per_bin = recording.test, round(recording.dt / FINE)
    logs = integrate_and_fire.bin_log_probabilities(
        neuron, recording.drive, per_bin, settling=round(SETTLING / FINE)
    )
    spikes = integrate_and_fire.own_spikes(neuron, recording.drive, per_bin, n_repeats, seed)
    counted = slice(span.start, span.stop)
    return Fit(np.nan, np.nan, logs[:, counted].sum(axis=1)[:, None], spikes[:, counted, None])


def _trained(
    model: str, recording: Recording, setting: float, updates: int, seed: int
) -> tuple[Network, float]:
    spacing, rate = (setting, FIXED_RATE) if recording.by_time else (SPACINGS[0], setting)
    task = task_of(recording)
    batch = min(BATCH, len(task.training))
    epochs = max(1, round(updates / (len(task.training) // batch)))
    training_settings = Settings(
        epochs=epochs, batch_size=batch, learning_rate=rate, schedule="cosine", clip=1.0
    )
    result = train(
        network(model, recording, spacing, seed), task, seed=seed, settings=training_settings
    )
    return result.network, float(result.history["validation_score"].max())


def task_of(recording: Recording) -> Task:
    """Return training and validation parts cut into sequences.

    The test part of the task is the validation part again, so that training never sees the test.
    """
    training, validation = (
        joined([windows(span, k, recording.dt) for span in spans for k in range(len(span.spikes))])
        for spans in (recording.training, recording.validation)
    )
    return Task(
        recording.name,
        training,
        validation,
        validation,
        loss="spike_log_likelihood",
        n_outputs=recording.n_units,
        dt=recording.dt,
    )


def windows(span: Span, repeat: int, dt: float) -> Part:
    """Return a repeat cut into sequences that begin before the steps that count.

    Steps before the onset of the stimulus repeat its first feature and have no spikes.
    """
    length, before = round(WINDOW / dt), round(SETTLING / dt)
    starts = np.arange(span.start, span.stop, length)
    at = starts[:, None] + np.arange(-before, length)[None]
    inside = np.clip(at, 0, len(span.features) - 1)
    spikes = span.spikes[repeat][inside] & (at >= 0)[:, :, None] & (at < span.stop)[:, :, None]
    valid = (at >= starts[:, None]) & (at < span.stop)
    return Part(span.features[inside], spikes.astype(np.float32), valid)


def joined(parts: list[Part]) -> Part:
    """Return the sequences of several parts in one."""
    return Part(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("inputs", "targets", "valid")
        )
    )


def held_out(net: Network, span: Span, dt: float, seed: int) -> np.ndarray:
    """Return the log probability (repeats, units) of every repeat in nats, separately for each
    unit.

    If hidden neurons are noisy, the probability of a sequence is the mean over passes; the training
    sees one pass at a time.
    """
    repeats = len(span.spikes)
    part = joined([windows(span, k, dt) for k in range(repeats)])
    arrays = [
        jnp.asarray(np.swapaxes(values, 0, 1)) for values in (part.inputs, part.targets, part.valid)
    ]
    passes = PASSES if net.layers and net.layers[0].needs_key else 1
    logs = np.asarray(_sequences(net, *arrays, jax.random.split(jax.random.key(seed), passes)))
    return logs.reshape(repeats, -1, logs.shape[1]).sum(axis=1)


@eqx.filter_jit
def _sequences(
    net: Network, inputs: jax.Array, targets: jax.Array, valid: jax.Array, keys: jax.Array
) -> jax.Array:
    """Return the log (sequences, units) of the probability averaged over passes."""

    def once(key: jax.Array) -> jax.Array:
        spikes = net(inputs, key).spikes
        logs = net.readout.log_probability(spikes[-1] if spikes else inputs, targets)
        return jnp.sum(logs * valid[:, :, None], axis=0)

    return jax.nn.logsumexp(jax.lax.map(once, keys), axis=0) - jnp.log(len(keys))


def drawn(net: Network, recording: Recording, n_repeats: int, seed: int) -> np.ndarray:
    """Return simulated spikes over the held-out stretch, with each repeat run from the onset of the
    stimulus."""
    span = recording.test
    response = eqx.filter_jit(net)(_stimulus(span, n_repeats), jax.random.key(seed))
    return _stretch(response.potentials, span)


def _certain(net: Network, recording: Recording, n_repeats: int) -> np.ndarray:
    """Return the spikes of the network without any noise: one response, repeated."""
    span = recording.test
    hidden = eqx.filter_jit(net)(_stimulus(span, 1), jax.random.key(0)).spikes[-1]
    return np.repeat(
        _stretch(eqx.filter_jit(without_output_noise(net.readout))(hidden), span), n_repeats, axis=0
    )


def _stimulus(span: Span, n_repeats: int) -> jax.Array:
    return jnp.repeat(jnp.asarray(span.features[: span.stop])[:, None], n_repeats, axis=1)


def _stretch(spikes: jax.Array, span: Span) -> np.ndarray:
    return np.moveaxis(np.asarray(spikes) > 0, 1, 0)[:, span.start : span.stop]


def _histogram(recording: Recording, widths: tuple[float, ...], n_repeats: int, seed: int) -> Fit:
    """Return Poisson spikes with the rate of other repeats of the same stimulus.

    The width of the kernel is chosen on the last fifth of these repeats.
    """
    span = recording.test
    repeats = recording.average[:, span.start : span.stop]
    n_chosen = max(1, len(repeats) // 5)
    choosing = repeats[-n_chosen:]
    scores = [
        _poisson(rate_of(repeats[:-n_chosen], width, recording.dt), choosing).sum()
        for width in widths
    ]
    best = int(np.argmax(scores))
    probability = rate_of(repeats, widths[best], recording.dt)
    spikes = np.random.default_rng(seed).random((n_repeats, *probability.shape)) < probability
    logs = _poisson(probability, span.counted).sum(axis=1)
    return Fit(widths[best], scores[best] / choosing[:, :, 0].size, logs, spikes)


def rate_of(spikes: np.ndarray, width: float, dt: float) -> np.ndarray:
    """Return the probability of a spike in each bin (steps, units).

    It is the mean over repeats, smoothed by a Gaussian kernel and shrunk towards its mean over
    time."""
    mean = np.maximum(spikes.mean(axis=(0, 1)), 0.5 / spikes[..., 0].size)
    smooth = gaussian_filter1d(spikes.mean(axis=0), width / dt, axis=0, mode="nearest")
    return (len(spikes) * smooth + PRIOR_REPEATS * mean) / (len(spikes) + PRIOR_REPEATS)


def _poisson(probability: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.where(spikes, np.log(probability), np.log1p(-probability))


def constant_log_probability(recording: Recording) -> np.ndarray:
    """Return the log probability (repeats, units) in nats under the constant rates of training.

    Bits per spike are counted from it.
    """
    probability = np.minimum(recording.rates * recording.dt, 0.5)
    return _poisson(probability, recording.test.counted).sum(axis=1)

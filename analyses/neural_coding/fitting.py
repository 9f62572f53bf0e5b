"""A model fitted to a recording: settings chosen on validation, held-out likelihood, and spikes of
its own."""

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

#: Seconds that count in a training sequence, those before that the neurons settle in, and sequences
#: of an update.
WINDOW, SETTLING, BATCH = 0.7, 0.3, 24
#: Passes of the noise over which the probability of what was held out is averaged.
PASSES = 20
#: What is tuned, three settings for every model: the width of the kernel of a histogram in seconds,
#: the spacing of knots in seconds where the feature is time, else the learning rate.
KERNELS, SPACINGS, RATES, FIXED_RATE = (
    (0.005, 0.02, 0.08),
    (0.01, 0.03, 0.1),
    (0.01, 0.03, 0.1),
    0.03,
)
#: Repeats of the mean that a histogram is drawn towards, so that no bin is impossible: ours.
PRIOR_REPEATS = 0.5


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    setting : float
        The tuned one; NaN where nothing is tuned.
    validation : float
        Log probability of validation in nats a bin; NaN where nothing is tuned.
    log_probability : numpy.ndarray (repeats, units)
        Of every held-out repeat in nats.
    spikes : numpy.ndarray of bool (repeats, steps, units)
        Of the model's own, as many repeats as asked.
    width : float
        Mean width of the noise that hidden neurons learned; NaN without.
    failed : int
        Settings with which the training ended at a gradient that is not finite; they are not
        chosen.
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
        If it trains with none of them.
    """
    if model == "psth":
        return _histogram(recording, KERNELS[:settings], n_repeats, seed)
    if model in integrate_and_fire.CLAMPED:
        return _under_current(model, recording, n_repeats, seed, settings)
    grid = (SPACINGS if recording.by_time else RATES)[:settings]
    kind = "output" if model == "deterministic" else model
    found, failures = [], []
    for setting in grid:
        try:
            found.append((*_trained(kind, recording, setting, updates, seed), setting))
        except TrainingError as error:
            failures.append(error)
    if not found:
        raise failures[0]
    net, validation, setting = max(found, key=lambda entry: entry[1])
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
    """A neuron fitted by maximum likelihood; what would choose for the others is not looked at."""
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
    own = Settings(epochs=epochs, batch_size=batch, learning_rate=rate, schedule="cosine", clip=1.0)
    result = train(network(model, recording, spacing, seed), task, seed=seed, settings=own)
    return result.network, float(result.history["validation_score"].max())


def task_of(recording: Recording) -> Task:
    """Training and validation in sequences; the test part is validation again, so that nothing of
    the test is seen."""
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
    """A repeat in sequences that begin before they count; what lies before the onset repeats the
    first feature, without spikes."""
    length, before = round(WINDOW / dt), round(SETTLING / dt)
    starts = np.arange(span.start, span.stop, length)
    at = starts[:, None] + np.arange(-before, length)[None]
    inside = np.clip(at, 0, len(span.features) - 1)
    spikes = span.spikes[repeat][inside] & (at >= 0)[:, :, None] & (at < span.stop)[:, :, None]
    valid = (at >= starts[:, None]) & (at < span.stop)
    return Part(span.features[inside], spikes.astype(np.float32), valid)


def joined(parts: list[Part]) -> Part:
    """Sequences of several parts."""
    return Part(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("inputs", "targets", "valid")
        )
    )


def held_out(net: Network, span: Span, dt: float, seed: int) -> np.ndarray:
    """Log probability (repeats, units) of every repeat in nats, each unit by itself.

    With noise inside, the probability of a sequence is the mean over passes, as in the loss of
    training.
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
    """Log probability (sequences, units), mean probability over passes."""

    def once(key: jax.Array) -> jax.Array:
        spikes = net(inputs, key).spikes
        logs = net.readout.log_probability(spikes[-1] if spikes else inputs, targets)
        return jnp.sum(logs * valid[:, :, None], axis=0)

    return jax.nn.logsumexp(jax.lax.map(once, keys), axis=0) - jnp.log(len(keys))


def drawn(net: Network, recording: Recording, n_repeats: int, seed: int) -> np.ndarray:
    """Spikes of the model's own over the held-out stretch, each repeat from the onset of the
    stimulus."""
    span = recording.test
    response = eqx.filter_jit(net)(_stimulus(span, n_repeats), jax.random.key(seed))
    return _stretch(response.potentials, span)


def _certain(net: Network, recording: Recording, n_repeats: int) -> np.ndarray:
    """The same with neither noise: one response, repeated."""
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
    """Poisson spikes with the rate of other repeats, its kernel chosen on the last fifth of them."""
    span, others = recording.test, recording.average[:, recording.test.start : recording.test.stop]
    n_chosen = max(1, len(others) // 5)
    scores = [
        _poisson(rate_of(others[:-n_chosen], width, recording.dt), others[-n_chosen:]).sum()
        for width in widths
    ]
    best = int(np.argmax(scores))
    probability = rate_of(others, widths[best], recording.dt)
    spikes = np.random.default_rng(seed).random((n_repeats, *probability.shape)) < probability
    logs = _poisson(probability, span.counted).sum(axis=1)
    return Fit(widths[best], scores[best] / others[-n_chosen:, :, 0].size, logs, spikes)


def rate_of(spikes: np.ndarray, width: float, dt: float) -> np.ndarray:
    """Probability of a spike in each bin (steps, units): the mean of repeats through a Gaussian
    kernel, drawn towards its mean."""
    mean = np.maximum(spikes.mean(axis=(0, 1)), 0.5 / spikes[..., 0].size)
    smooth = gaussian_filter1d(spikes.mean(axis=0), width / dt, axis=0, mode="nearest")
    return (len(spikes) * smooth + PRIOR_REPEATS * mean) / (len(spikes) + PRIOR_REPEATS)


def _poisson(probability: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.where(spikes, np.log(probability), np.log1p(-probability))


def constant_log_probability(recording: Recording) -> np.ndarray:
    """Log probability (repeats, units) under the rates of training, in nats: what bits a spike are
    counted from."""
    probability = np.minimum(recording.rates * recording.dt, 0.5)
    return _poisson(probability, recording.test.counted).sum(axis=1)

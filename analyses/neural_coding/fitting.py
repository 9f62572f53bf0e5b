"""A model fitted to a recording: settings chosen on validation, held-out likelihood, and spikes of its own."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import gaussian_filter1d

from analyses.neural_coding.models import network, without_output_noise
from analyses.neural_coding.recordings import Recording, Span
from neurocode.learning import Network, Part, Settings, Task, evaluate, train

#: Seconds that count in a training sequence, those before that the neurons settle in, and sequences of an update.
WINDOW, SETTLING, BATCH = 0.7, 0.3, 24
#: Passes of the noise over which the probability of what was held out is averaged.
PASSES = 20
#: What is tuned, three settings for every model: the width of the kernel of a histogram in seconds, the spacing of knots in seconds
#: where the feature is time, else the learning rate.
KERNELS, SPACINGS, RATES, FIXED_RATE = (0.005, 0.02, 0.08), (0.01, 0.03, 0.1), (0.01, 0.03, 0.1), 0.03
#: Repeats of the mean that a histogram is drawn towards, so that no bin is impossible: ours.
PRIOR_REPEATS = 0.5


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    setting : float
        The tuned one.
    validation : float
        Log probability of validation in nats a bin.
    repeats : numpy.ndarray (repeats,)
        Log probability of every held-out repeat in nats.
    spikes : numpy.ndarray of bool (repeats, steps, units)
        Of the model's own, as many repeats as asked.
    width : float
        Mean width of the noise that hidden neurons learned; NaN without.
    """

    setting: float
    validation: float
    repeats: np.ndarray
    spikes: np.ndarray
    width: float = np.nan


def fit(model: str, recording: Recording, updates: int, n_repeats: int, seed: int, settings: int) -> Fit:
    """Fit a model with each of the first ``settings`` settings and keep the one best on validation."""
    if model == "psth":
        return _histogram(recording, KERNELS[:settings], n_repeats, seed)
    grid = (SPACINGS if recording.by_time else RATES)[:settings]
    kind = "output" if model == "deterministic" else model
    found = [(*_trained(kind, recording, setting, updates, seed), setting) for setting in grid]
    net, task, validation, setting = max(found, key=lambda entry: entry[2])
    if model == "deterministic":
        return Fit(setting, validation, np.full(len(recording.test.spikes), -np.inf), _certain(net, recording, n_repeats))
    repeats = [held_out(net, task, recording.test, k, recording.dt, seed) for k in range(len(recording.test.spikes))]
    width = float(np.mean(net.layers[0].intrinsic.values()["scale"])) if model == "internal" else np.nan
    return Fit(setting, validation, np.array(repeats), drawn(net, recording, n_repeats, seed), width)


def _trained(model: str, recording: Recording, setting: float, updates: int, seed: int) -> tuple[Network, Task, float]:
    spacing, rate = (setting, FIXED_RATE) if recording.by_time else (SPACINGS[0], setting)
    task = task_of(recording)
    batch = min(BATCH, len(task.training))
    epochs = max(1, round(updates / (len(task.training) // batch)))
    own = Settings(epochs=epochs, batch_size=batch, learning_rate=rate, schedule="cosine", clip=1.0)
    result = train(network(model, recording, spacing, seed), task, seed=seed, settings=own)
    return result.network, task, float(result.history["validation_score"].max())


def task_of(recording: Recording) -> Task:
    """Training and validation in sequences; the test part is validation again, so that nothing of the test is seen."""
    training, validation = (
        joined([windows(span, k, recording.dt) for span in spans for k in range(len(span.spikes))])
        for spans in (recording.training, recording.validation)
    )
    return Task(
        recording.name, training, validation, validation, loss="spike_log_likelihood", n_outputs=recording.n_units, dt=recording.dt
    )


def windows(span: Span, repeat: int, dt: float) -> Part:
    """A repeat in sequences that begin before they count; what lies before the onset repeats the first feature, without spikes."""
    length, before = round(WINDOW / dt), round(SETTLING / dt)
    starts = np.arange(span.start, span.stop, length)
    at = starts[:, None] + np.arange(-before, length)[None]
    inside = np.clip(at, 0, len(span.features) - 1)
    spikes = span.spikes[repeat][inside] & (at >= 0)[:, :, None] & (at < span.stop)[:, :, None]
    valid = (at >= starts[:, None]) & (at < span.stop)
    return Part(span.features[inside], spikes.astype(np.float32), valid)


def joined(parts: list[Part]) -> Part:
    """Sequences of several parts."""
    return Part(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("inputs", "targets", "valid")))


def held_out(net: Network, task: Task, span: Span, repeat: int, dt: float, seed: int) -> float:
    """Log probability of a repeat in nats, of a noisy network the mean over passes for each sequence."""
    part = windows(span, repeat, dt)
    own = evaluate(net, part, task, seed=seed + repeat, passes=PASSES if net.layers and net.layers[0].needs_key else 1)
    return own.score * int(part.valid.sum())


def drawn(net: Network, recording: Recording, n_repeats: int, seed: int) -> np.ndarray:
    """Spikes of the model's own over the held-out stretch, each repeat from the onset of the stimulus."""
    span = recording.test
    response = eqx.filter_jit(net)(_stimulus(span, n_repeats), jax.random.key(seed))
    return _stretch(response.potentials, span)


def _certain(net: Network, recording: Recording, n_repeats: int) -> np.ndarray:
    """The same with neither noise: one response, repeated."""
    span = recording.test
    hidden = eqx.filter_jit(net)(_stimulus(span, 1), jax.random.key(0)).spikes[-1]
    return np.repeat(_stretch(eqx.filter_jit(without_output_noise(net.readout))(hidden), span), n_repeats, axis=0)


def _stimulus(span: Span, n_repeats: int) -> jax.Array:
    return jnp.repeat(jnp.asarray(span.features[: span.stop])[:, None], n_repeats, axis=1)


def _stretch(spikes: jax.Array, span: Span) -> np.ndarray:
    return np.moveaxis(np.asarray(spikes) > 0, 1, 0)[:, span.start : span.stop]


def _histogram(recording: Recording, widths: tuple[float, ...], n_repeats: int, seed: int) -> Fit:
    """Poisson spikes with the rate of other repeats, its kernel chosen on the last fifth of them."""
    span, others = recording.test, recording.average[:, recording.test.start : recording.test.stop]
    n_chosen = max(1, len(others) // 5)
    scores = [_poisson(rate_of(others[:-n_chosen], width, recording.dt), others[-n_chosen:]).sum() for width in widths]
    best = int(np.argmax(scores))
    probability = rate_of(others, widths[best], recording.dt)
    spikes = np.random.default_rng(seed).random((n_repeats, *probability.shape)) < probability
    repeats = _poisson(probability, span.counted).sum(axis=(1, 2))
    return Fit(widths[best], scores[best] / others[-n_chosen:, :, 0].size, repeats, spikes)


def rate_of(spikes: np.ndarray, width: float, dt: float) -> np.ndarray:
    """Probability of a spike in each bin (steps, units): the mean of repeats through a Gaussian kernel, drawn towards its mean."""
    mean = np.maximum(spikes.mean(axis=(0, 1)), 0.5 / spikes[..., 0].size)
    smooth = gaussian_filter1d(spikes.mean(axis=0), width / dt, axis=0, mode="nearest")
    return (len(spikes) * smooth + PRIOR_REPEATS * mean) / (len(spikes) + PRIOR_REPEATS)


def _poisson(probability: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    return np.where(spikes, np.log(probability), np.log1p(-probability))


def constant_log_probability(recording: Recording) -> np.ndarray:
    """Log probability of every held-out repeat under the rates of training, in nats: what bits a spike are counted from."""
    probability = np.minimum(recording.rates * recording.dt, 0.5)
    return _poisson(probability, recording.test.counted).sum(axis=(1, 2))

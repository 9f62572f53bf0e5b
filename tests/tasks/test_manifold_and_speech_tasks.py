"""Random manifolds and mel frames: what their definitions imply, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import wavfile

from neurocode.errors import DataError
from neurocode.learning import tasks
from neurocode.tasks.manifolds import _spectrum
from neurocode.tasks.speech import BANDS, mel_filters


def spike_times(part):
    assert np.all(part.inputs.sum(axis=1) == 1)
    return part.inputs.argmax(axis=1)


@pytest.mark.parametrize("spectrum", ["printed", "released"])
def test_every_input_spikes_once_before_the_latest_step(spectrum):
    """Rates carry nothing; each class uses its whole range of times; parts are 80, 10 and 10 % of
    every class."""
    task = tasks.random_manifolds(n_classes=3, n_samples=200, spectrum=spectrum, seed=1)
    for part, per_class in ((task.training, 160), (task.validation, 20), (task.test, 20)):
        assert np.bincount(part.targets).tolist() == [per_class] * 3
        times = spike_times(part)
        assert times.min() >= 0 and times.max() <= 50
    times = np.concatenate(
        [spike_times(part) for part in (task.training, task.validation, task.test)]
    )
    assert times.min() == 0 and times.max() == 50


def test_spectra_are_those_of_paper_and_package():
    """Printed: 1/k of 1000 terms. Released: 1/((k + 1) + 1), without frequency zero, cut at the
    precision."""
    k, weights = _spectrum(1.0, "printed")
    assert len(k) == 1000 and weights[9] == pytest.approx(0.1)
    k, weights = _spectrum(1.0, "released")
    assert k[0] == 1 and k[-1] == 999 and weights[0] == pytest.approx(1 / 3)
    assert [len(_spectrum(alpha, "released")[0]) for alpha in (2.0, 3.0)] == [31, 9]


def test_a_smooth_line_has_one_dimension():
    """Times of a class on a one-dimensional manifold of alpha 3 lie near their nearest neighbour,
    those of random times do not."""
    task = tasks.random_manifolds(n_classes=2, n_samples=400, smoothness=3.0, seed=2)
    times = spike_times(task.training)[task.training.targets == 0].astype(float)
    shuffled = np.stack(
        [np.random.default_rng(k).permutation(times[:, k]) for k in range(times.shape[1])], axis=1
    )

    def nearest(points):
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        return np.median(np.min(distances + 1e9 * np.eye(len(points)), axis=1))

    assert nearest(times) < 0.1 * nearest(shuffled)


def test_impossible_manifolds_are_refused():
    with pytest.raises(DataError, match="printed, released"):
        tasks.random_manifolds(spectrum="pink")
    with pytest.raises(DataError, match="two classes"):
        tasks.random_manifolds(n_classes=1)


def test_a_tone_lights_its_band():
    """A tone of 1 kHz: the band whose filter passes most of it; and one mean and one spread for
    all."""
    rate = 16_000
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    frames = tasks.mel_frames(tone, rate)
    assert (
        frames.shape == (80, BANDS) and abs(frames.mean()) < 1e-5 and abs(frames.std() - 1) < 1e-5
    )
    expected = np.argmax(mel_filters(512, rate)[:, 32])
    assert np.all(np.argmax(frames, axis=1) == expected)
    short = tasks.mel_frames(tone[: rate // 10], rate)
    assert np.array_equal(short[10], short[-1]) and not np.array_equal(short[0], short[-1])


def test_mel_filters_tile_the_band():
    """Neighbouring triangles overlap so that between the first and the last peak they add to
    one."""
    filters = mel_filters(4096, 16_000)
    peaks = filters.argmax(axis=1)
    assert np.allclose(filters[:, peaks[0] + 1 : peaks[-1]].sum(axis=0), 1, atol=0.02)


def test_spoken_digits_are_read_by_their_names(tmp_path):
    random = np.random.default_rng(0)
    for language in ("german", "english"):
        for digit in range(10):
            wavfile.write(
                tmp_path / f"lang-{language}_speaker-01_trial-0_digit-{digit}.wav",
                8000,
                (3000 * random.normal(size=6000)).astype(np.int16),
            )
    task = tasks.spoken_digits(tmp_path, n_frames=20)
    assert task.n_inputs == 40 and task.n_outputs == 20 and task.dt == pytest.approx(2e-3)
    labels = np.concatenate([part.targets for part in (task.training, task.validation, task.test)])
    assert sorted(labels) == list(range(20)) and task.training.inputs.shape[1] == 100


def test_bad_waveforms_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match="no file such as"):
        tasks.spoken_digits(tmp_path)
    path = tmp_path / "lang-german_speaker-01_trial-0_digit-1.wav"
    path.write_bytes(b"RIFF cut short")
    with pytest.raises(DataError, match="digit-1"):
        tasks.spoken_digits(tmp_path)
    with pytest.raises(DataError, match="one finite, changing channel"):
        tasks.mel_frames(np.zeros(8000), 8000)

"""Spoken words as input currents: mel frames of a waveform (code released with Zenke & Vogels
2021)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from neurocode.errors import DataError
from neurocode.tasks.task import Task, split

#: Pre-emphasis, window and shift of a frame in seconds, points of the Fourier transform, and number
#: of bands.
EMPHASIS, WINDOW, SHIFT, POINTS, BANDS = 0.95, 25e-3, 10e-3, 512, 40
#: File names of the Heidelberg digits, such as ``lang-german_speaker-03_trial-7_digit-4.wav``.
DIGIT = re.compile(
    r"lang-(?P<language>english|german)_speaker-(?P<speaker>\d+)_trial-\d+_digit-(?P<digit>\d)$"
)


def mel_frames(waveform: np.ndarray, sampling_rate: float, n_frames: int = 80) -> np.ndarray:
    """Return the logarithmic energy of a waveform in 40 mel bands every 10 ms, standardised by one
    mean and one standard deviation over all frames and bands.

    Parameters
    ----------
    waveform : numpy.ndarray (samples,)
    sampling_rate : float
        Sampling rate in hertz.
    n_frames : int
        Number of frames of the result. Longer waveforms are cut; for shorter ones the last frame is
        repeated.

    Returns
    -------
    numpy.ndarray (frames, 40)

    Raises
    ------
    DataError
        For a waveform that is constant, not one-dimensional, not finite, or shorter than one
        window.

    Examples
    --------
    >>> mel_frames(np.sin(np.arange(8000) * 0.3), 8000.0).shape
    (80, 40)
    """
    signal = np.asarray(waveform, float)
    length, shift = round(WINDOW * sampling_rate), round(SHIFT * sampling_rate)
    if (
        signal.ndim != 1
        or len(signal) < length
        or not np.all(np.isfinite(signal))
        or np.ptp(signal) == 0
    ):
        raise DataError(
            f"A waveform of shape {signal.shape} is not one finite, changing channel of at least "
            f"{1e3 * WINDOW:g} ms."
        )
    signal = np.append(signal[0], signal[1:] - EMPHASIS * signal[:-1])
    windows = np.lib.stride_tricks.sliding_window_view(signal, length)[::shift] * np.hamming(length)
    points = max(POINTS, length)
    power = np.abs(np.fft.rfft(windows, points)) ** 2 / points
    energies = np.log10(
        np.maximum(power @ mel_filters(points, sampling_rate).T, np.finfo(float).eps)
    )[:n_frames]
    energies = np.concatenate(
        [energies, np.repeat(energies[-1:], n_frames - len(energies), axis=0)]
    )
    return ((energies - energies.mean()) / energies.std()).astype(np.float32)


def mel_filters(points: int, sampling_rate: float) -> np.ndarray:
    """Return triangular filters (40, points/2 + 1) of equal width in mel, from 0 Hz to the Nyquist
    frequency."""
    top = 2595 * np.log10(1 + sampling_rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(points, 1 / sampling_rate)[None]
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return np.clip(
        np.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle)),
        0,
        None,
    )


def spoken_digits(
    folder: str | Path, *, n_frames: int = 80, repeat: int = 5, seed: int = 0
) -> Task:
    """Return the task of naming Heidelberg digits from their waveforms, with twenty classes and
    input currents instead of spikes.

    Parameters
    ----------
    folder : path
        Folder with WAV files named as published, such as
        ``lang-german_speaker-03_trial-7_digit-4.wav``.
    n_frames : int
        Number of frames of 10 ms of each word.
    repeat : int
        Number of steps for which a frame is held; 5 gives steps of 2 ms (our choice, not from the
        paper; it is not known how the paper maps frames to steps).
    seed : int
        Seed of the split into 70, 10 and 20 %.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        If there is no such file, or one cannot be read.
    """
    files = [(path, DIGIT.match(path.stem)) for path in sorted(Path(folder).glob("*.wav"))]
    named = [(path, match) for path, match in files if match]
    if not named:
        raise DataError(
            f"{folder}: there is no file such as lang-german_speaker-03_trial-7_digit-4.wav."
        )
    inputs = np.stack([np.repeat(_read(path, n_frames), repeat, axis=0) for path, _ in named])
    labels = np.array([_label(match) for _, match in named], np.int32)
    parts = split(inputs, labels, np.ones(inputs.shape[:2], bool), (0.7, 0.1), seed)
    return Task("spoken-digits", *parts, loss="max_over_time", n_outputs=20, dt=SHIFT / repeat)


def _read(path: Path, n_frames: int) -> np.ndarray:
    try:
        rate, waveform = wavfile.read(path)
        return mel_frames(waveform, rate, n_frames)
    except (ValueError, EOFError, DataError) as error:
        raise DataError(f"{path}: the waveform cannot be read ({error}).") from None


def _label(match: re.Match[str]) -> int:
    """Return the label of a file by its name: the digit, plus ten if it is in English."""
    return int(match["digit"]) + 10 * (match["language"] == "english")

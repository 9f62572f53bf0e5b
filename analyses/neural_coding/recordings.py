"""Recordings as stimulus features and spikes in bins, and the part of each that is held out.

Files are found by their names below the data folder, so other recordings of the same kinds can be
added there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import wavfile
from scipy.signal import lfilter

import neurocode as nc
from analyses.datasets import binned, data_folder
from neurocode.errors import DataError
from neurocode.recordings.layout import Layout, read_layout

#: Bins in seconds. They are shorter than the shortest interval, except for 33 spikes of the retina.
BIN, RETINA_BIN = 1e-3, 2e-3
#: Time step in seconds of neurons that are fitted under one current; a bin is a whole number of
#: steps.
FINE = 2e-4
#: Time constants in ms of the filtered copies that are added to a stimulus.
FILTERS_MS = (5.0, 20.0, 80.0, 320.0)
#: Edges of the frequency bands of a song in hertz, and length of its windows in seconds.
BAND_EDGES, WINDOW = np.geomspace(500.0, 8000.0, 17), 10e-3
#: Number of contiguous blocks of the song with a waveform; each is held out once.
BLOCKS = 5
#: Ends of the parts of a single trial in which a model is trained and chosen, as shares of the
#: trial; the rest is held out.
TRAINED, CHOSEN = 0.55, 0.7
WAVEFORM, ENVELOPE = "A8", "grasshopper_stimulus"


@dataclass(frozen=True)
class Span:
    """A stretch of a stimulus and the repeats recorded on it.

    Attributes
    ----------
    features : numpy.ndarray (steps, channels)
        Features from the start of the stimulus, also if the stretch begins later.
    spikes : numpy.ndarray of bool (repeats, steps, units)
    start, stop : int
        The steps that count.
    """

    features: np.ndarray
    spikes: np.ndarray
    start: int
    stop: int

    @property
    def counted(self) -> np.ndarray:
        """Spikes (repeats, steps, units) of the stretch."""
        return self.spikes[:, self.start : self.stop]


@dataclass(frozen=True)
class Drive:
    """A stimulus that consists of one current, in steps of ``FINE``, for neurons that are fitted
    under it.

    Attributes
    ----------
    training : neurocode.Experiment
        The stretch in which the other models are also trained.
    current : numpy.ndarray (steps,)
        Current of the test in ampere, from the start of the stimulus to the last step that counts.
    spikes : numpy.ndarray of bool (repeats, steps)
        Held-out repeats.
    after : float
        Seconds of recording before the test began, for models that drift.
    """

    training: nc.Experiment
    current: np.ndarray
    spikes: np.ndarray
    after: float


@dataclass(frozen=True)
class Recording:
    """Units that were recorded together.

    Attributes
    ----------
    dataset, name : str
    dt : float
        Bin in seconds.
    by_time : bool
        Whether the feature is the time since the onset of the stimulus.
    training, validation : list of Span
        Stretches in which models are trained, and in which their settings are chosen.
    test : Span
    average : numpy.ndarray (repeats, steps, units) or None
        Repeats of the same stimulus that are not in the test, for the peristimulus time histogram;
        its kernel is chosen on the last fifth of them.
    drive : Drive or None
        The current, if the stimulus is one current.
    """

    dataset: str
    name: str
    dt: float
    by_time: bool
    training: list[Span]
    validation: list[Span]
    test: Span
    average: np.ndarray | None
    drive: Drive | None = None

    @property
    def n_units(self) -> int:
        """Number of units."""
        return self.test.spikes.shape[2]

    @property
    def rates(self) -> np.ndarray:
        """Rate of every unit in training, in hertz."""
        spikes = sum(span.counted.sum(axis=(0, 1)) for span in self.training)
        steps = sum(span.counted.shape[0] * span.counted.shape[1] for span in self.training)
        return np.maximum(spikes, 0.5) / (steps * self.dt)

    @property
    def fewest_spikes(self) -> int:
        """Spikes of all units in the part of training, validation and test that holds fewest."""
        parts = (self.training, self.validation, [self.test])
        return min(int(sum(span.counted.sum() for span in part)) for part in parts)


def filtered(stimulus: np.ndarray, dt: float) -> np.ndarray:
    """Return channels (steps, n) together with their exponentially filtered copies (steps, 5 n)."""
    channels = [stimulus]
    for tau in FILTERS_MS:
        keep = np.exp(-1e3 * dt / tau)
        start = keep * stimulus[:1]
        channels.append(lfilter([1 - keep], [1, -keep], stimulus, axis=0, zi=start)[0])
    return np.concatenate(channels, axis=1)


def standardised(features: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return features standardised by the mean and the standard deviation of ``like``."""
    return ((features - like.mean(axis=0)) / np.maximum(like.std(axis=0), 1e-12)).astype(np.float32)


def times_of(steps: int, dt: float) -> np.ndarray:
    """Return the time since onset (steps, 1) in seconds."""
    return ((np.arange(steps) + 0.5) * dt).astype(np.float32)[:, None]


def raphe(name: str) -> Recording:
    """Return a cell driven by injected current.

    Models are trained on its training file, whose last fifth chooses their settings. Every second
    repeat of the test is held out.
    """
    folder = data_folder("raphe")
    experiment = nc.Experiment.from_files(
        folder / f"{name}_training.abf", test=folder / f"{name}_test.abf"
    )
    (training,), test = experiment.repeats, experiment.test.repeats
    driven = [
        1e12 * averaged(repeat.current, repeat.dt, BIN)[:, None] for repeat in (training, test[0])
    ]
    training_features = filtered(driven[0], BIN)
    features = [standardised(filtered(current, BIN), training_features) for current in driven]
    spikes = binned([training.spike_times], BIN, len(training_features))[:, :, None]
    repeats = binned([repeat.spike_times for repeat in test], BIN, len(driven[1]))[:, :, None]
    edge = round(0.8 * len(training_features))
    held_out = binned(
        [repeat.spike_times for repeat in test[1::2]], FINE, len(driven[1]) * round(BIN / FINE)
    )
    drive = Drive(
        nc.Experiment.of_repeats([training.time_slice(0.0, edge * BIN)]),
        averaged(test[0].current, test[0].dt, FINE)[: held_out.shape[1]],
        held_out,
        training.duration,
    )
    return Recording(
        "raphe",
        name,
        BIN,
        False,
        [Span(features[0], spikes, 0, edge)],
        [Span(features[0], spikes, edge, len(training_features))],
        Span(features[1], repeats[1::2], 0, len(driven[1])),
        repeats[::2],
        drive,
    )


def averaged(signal: np.ndarray, dt: float, width: float) -> np.ndarray:
    """Return the means of a signal, sampled every ``dt`` seconds, in bins of ``width`` seconds."""
    samples = round(width / dt)
    return signal[: len(signal) // samples * samples].reshape(-1, samples).mean(axis=1)


def grasshopper(name: str) -> Recording:
    """Return a receptor driven by an envelope, without repeats; the last three tenths are held
    out."""
    folder = data_folder("grasshopper")
    path = folder / f"{ENVELOPE}{name}.txt"
    stimulus = _table(path, 2)
    interval = 1e-6 * (stimulus[1, 0] - stimulus[0, 0])
    envelope = averaged(stimulus[:, 1], interval, BIN)[:, None]
    times = read_layout(
        folder / f"grasshopper_spike_times{name}.txt", Layout(time_unit="us")
    ).train(0)
    steps = len(envelope)
    spikes = binned([times], BIN, steps)[:, :, None]
    features = filtered(envelope, BIN)
    edges = [round(share * steps) for share in (TRAINED, CHOSEN)]
    features = standardised(features, features[: edges[0]])
    spans = [
        Span(features, spikes, start, stop)
        for start, stop in zip((0, *edges), (*edges, steps), strict=True)
    ]
    return Recording("grasshopper", name, BIN, False, spans[:1], spans[1:2], spans[2], None)


def song_block(name: str) -> Recording:
    """Return a unit on the song whose waveform is available, named ``unit/block``.

    One block of time is held out, and the next one chooses the settings.
    """
    unit, block = name.split("/")
    features = _spectrogram(data_folder("starling") / f"{WAVEFORM}.wav")
    spikes = _song_spikes(unit, WAVEFORM, len(features))
    edges = np.linspace(0, len(features), BLOCKS + 1).round().astype(int)
    held = int(block)
    choosing = (held + 1) % BLOCKS
    trained = [k for k in range(BLOCKS) if k not in (held, choosing)]
    features = standardised(
        features, np.concatenate([features[edges[k] : edges[k + 1]] for k in trained])
    )
    spans = [Span(features, spikes, edges[k], edges[k + 1]) for k in range(BLOCKS)]
    return Recording(
        "song-waveform",
        name,
        BIN,
        False,
        [spans[k] for k in trained],
        [spans[choosing]],
        spans[held],
        None,
    )


def song(name: str) -> Recording:
    """Return a unit on a song whose waveform is not available, named ``unit/song``.

    The feature is the time since onset; a third of the trials is held out.
    """
    unit, song_name = name.split("/")
    motifs = pd.read_csv(data_folder("starling") / "motifs.csv")
    ends = motifs.loc[motifs["song"] == song_name, "stop"]
    if ends.empty:
        raise DataError(
            f"{data_folder('starling') / 'motifs.csv'}: there is no song '{song_name}'."
        )
    steps = round(1e-3 * float(ends.max()) / BIN)
    return _by_time("song-time", name, _song_spikes(unit, song_name, steps), BIN, 1 / 3)


def retina(name: str) -> Recording:
    """Return units on a movie that is not available.

    The feature is the time since onset; a third of the trials is held out.
    """
    path = data_folder("retina-movies") / f"{name}.mat"
    trains = read_layout(path, Layout("Spikes", "unit,trial", "ms"))
    steps = int(np.ceil(trains.times.max()) / RETINA_BIN)
    spikes = [
        binned([trains.train(k) for k in trains.trains_of(unit)], RETINA_BIN, steps)
        for unit in range(trains.n_units)
    ]
    return _by_time("retina", name, np.stack(spikes, axis=2), RETINA_BIN, 1 / 3)


def _by_time(dataset: str, name: str, spikes: np.ndarray, dt: float, share: float) -> Recording:
    """Return a recording by time since onset; its parts take trials in turn, so that each spans the
    session."""
    trials, steps = spikes.shape[:2]
    held = np.arange(trials) % round(1 / share) == 1
    remaining = np.flatnonzero(~held)
    choosing = remaining[-max(1, len(remaining) // 4) :] if len(remaining) < 8 else remaining[2::4]
    trained = np.setdiff1d(remaining, choosing)
    if not held.any() or not len(trained):
        raise DataError(
            f"{dataset} {name}: {trials} trials are too few to train, choose and hold out; at "
            f"least 3 are needed."
        )
    features = times_of(steps, dt)
    spans = [
        Span(features, spikes[part], 0, steps) for part in (trained, choosing, np.flatnonzero(held))
    ]
    average = np.concatenate([spikes[trained], spikes[choosing]])
    return Recording(dataset, name, dt, True, spans[:1], spans[1:2], spans[2], average)


def _song_spikes(unit: str, song_name: str, steps: int) -> np.ndarray:
    path = data_folder("starling") / unit / f"{song_name}.txt"
    trains = read_layout(path, Layout(axes="trial", time_unit="ms"))
    return binned([trains.train(k) for k in range(len(trains.unit))], BIN, steps)[:, :, None]


def _spectrogram(path: Path) -> np.ndarray:
    """Return the logarithmic power of a song in bands, and its exponentially filtered copies
    (steps, channels)."""
    rate, waveform = wavfile.read(path)
    if waveform.ndim != 1:
        raise DataError(f"{path}: a song has one channel, not {waveform.shape[1]}.")
    length, shift = round(WINDOW * rate), round(BIN * rate)
    padded = np.concatenate([np.zeros(length - shift), waveform.astype(float)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::shift] * np.hanning(length)
    points = 4 * length
    power = np.abs(np.fft.rfft(frames, points)) ** 2
    band = np.digitize(np.fft.rfftfreq(points, 1 / rate), BAND_EDGES)
    bands = np.stack([power[:, band == k].mean(axis=1) for k in range(1, len(BAND_EDGES))], axis=1)
    return filtered(np.log10(bands + 1e-4 * bands.mean()), BIN)


def _table(path: Path, columns: int) -> np.ndarray:
    try:
        table = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from None
    if table.shape[1] != columns or not np.all(np.isfinite(table)):
        raise DataError(
            f"{path}: expected {columns} columns of finite numbers, found {table.shape[1]}."
        )
    return table


READERS: dict[str, Callable[[str], Recording]] = {
    "raphe": raphe,
    "grasshopper": grasshopper,
    "song-waveform": song_block,
    "song-time": song,
    "retina": retina,
}
#: Folder of the recordings of every kind.
FOLDERS = {
    "raphe": "raphe",
    "grasshopper": "grasshopper",
    "song-waveform": "starling",
    "song-time": "starling",
    "retina": "retina-movies",
}


@cache
def recording(dataset: str, name: str) -> Recording:
    """Return a recording by the kind of its data and its name."""
    return READERS[dataset](name)


def names(dataset: str) -> list[str]:
    """Return the names of the recordings of a kind in its folder."""
    folder = data_folder(FOLDERS[dataset])
    if dataset == "raphe":
        return sorted(path.stem.removesuffix("_training") for path in folder.glob("*_training.abf"))
    if dataset == "grasshopper":
        return sorted(path.stem.removeprefix(ENVELOPE) for path in folder.glob(f"{ENVELOPE}*.txt"))
    if dataset == "retina":
        return sorted(path.stem for path in folder.glob("Movie*.mat"))
    songs = [(path.parent.name, path.stem) for path in sorted(folder.glob("*/*.txt"))]
    if dataset == "song-waveform":
        return [
            f"{unit}/{block}" for unit, song in songs if song == WAVEFORM for block in range(BLOCKS)
        ]
    return [f"{unit}/{song}" for unit, song in songs if song != WAVEFORM]

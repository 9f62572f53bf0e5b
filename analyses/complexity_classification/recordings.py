"""Recorded trains whose state is to be read: windows or trials, their states, and the blocks that
are held out together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.io import loadmat

from analyses.datasets import binned, data_folder
from neurocode.errors import DataError
from neurocode.recordings.layout import Layout, read_layout

FOLDS = 5


@dataclass(frozen=True)
class States:
    """Trains of known states.

    Attributes
    ----------
    name : str
    rasters : numpy.ndarray of bool (samples, units, bins)
    bin_size : float
        In seconds.
    labels : numpy.ndarray of int (samples,)
    folds : numpy.ndarray of int (samples,)
        Number of the fold of each sample; a fold is held out as a whole. Folds are blocks of time,
        or consist of trials in turn.
    blocked : bool
        Whether samples of a fold follow one another in one state, so that only whole folds can be
        exchanged.
    """

    name: str
    rasters: np.ndarray
    bin_size: float
    labels: np.ndarray
    folds: np.ndarray
    blocked: bool

    @property
    def interpretable(self) -> bool:
        """Whether there are enough bins for a complexity that is more than its bias."""
        return self.rasters.shape[2] >= 100


def in_turn(labels: np.ndarray) -> np.ndarray:
    """Return the fold of each sample; the samples of each state go to the folds in turn."""
    folds = np.empty(len(labels), int)
    for label in np.unique(labels):
        in_state = np.flatnonzero(labels == label)
        folds[in_state] = np.arange(len(in_state)) % FOLDS
    return folds


def _variables(folder: str, name: str, *variables: str) -> list[np.ndarray]:
    """Return variables of a MAT file of the data folder."""
    path = data_folder(folder) / f"{name}.mat"
    try:
        content = loadmat(path)
        return [content[variable] for variable in variables]
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from None


def light() -> States:
    """Return the states of a retinal neuron in low and high light, 30 s each.

    Samples are windows of a second; folds are five contiguous blocks of six windows per light.
    """
    rasters, windows = [], 30
    for times in map(np.ravel, _variables("stn", "08_spikes-1", "SpikesLow", "SpikesHigh")):
        rasters.append(
            binned([times[(times >= k) & (times < k + 1)] - k for k in range(windows)], 2e-3, 500)
        )
    labels = np.repeat([0, 1], windows)
    folds = np.tile(np.arange(windows) // (windows // FOLDS), 2)
    return States("light, retina", np.concatenate(rasters)[:, None], 2e-3, labels, folds, True)


def direction() -> States:
    """Return the states of a subthalamic neuron in 50 movements to the left or right, from the two
    seconds around their start."""
    directions, trains = _variables("stn", "10_spikes-1", "direction", "train")
    labels = directions.ravel().astype(int)
    rasters = trains.astype(bool).reshape(len(labels), 500, 4).any(axis=2)
    return States(
        "direction, subthalamic nucleus", rasters[:, None], 4e-3, labels, in_turn(labels), False
    )


def songs(unit: str) -> States:
    """Return the states of an auditory neuron: which song was played.

    Trains are cut to the length of the shortest song.
    """
    folder = data_folder("starling")
    stops = pd.read_csv(folder / "motifs.csv").groupby("song")["stop"].max()
    files = [path for path in sorted((folder / unit).glob("*.txt")) if path.stem in stops.index]
    shortest = 1e-3 * float(min(stops[path.stem] for path in files))
    bins = int(shortest / 4e-3)
    rasters, labels = [], []
    for label, path in enumerate(files):
        trains = read_layout(path, Layout(axes="trial", time_unit="ms"))
        rasters.append(binned([trains.train(k) for k in range(len(trains.unit))], 4e-3, bins))
        labels += [label] * len(rasters[-1])
    return States(
        f"song, starling {unit}",
        np.concatenate(rasters)[:, None],
        4e-3,
        np.array(labels),
        in_turn(np.array(labels)),
        False,
    )


def images(pair: int) -> States:
    """Return the states of 38 ganglion cells: which of two natural images was shown.

    The two images are neighbours in the set; each was shown in 30 trials of 300 ms.
    """
    (stimuli,) = _variables("retina-movies", "NaturalImages1", "Spikes")
    rasters = []
    for stimulus in stimuli.ravel()[2 * pair : 2 * pair + 2]:
        units = [binned([1e-3 * np.ravel(times) for times in unit], 3e-3, 100) for unit in stimulus]
        rasters.append(np.stack(units, axis=1))
    labels = np.repeat([0, 1], [len(trials) for trials in rasters])
    return States(
        f"images {2 * pair + 1} and {2 * pair + 2}, retina",
        np.concatenate(rasters),
        3e-3,
        labels,
        in_turn(labels),
        False,
    )


def set_names() -> list[str]:
    """Return the names of all sets of states in the data folder."""
    units = sorted(path.name for path in data_folder("starling").iterdir() if path.is_dir())
    return [
        "stn-light",
        "stn-direction",
        *(f"song-{unit}" for unit in units),
        *(f"images-{pair}" for pair in range(10)),
    ]


def states_of(name: str) -> States:
    """Return a set of states by its name; only the files of this set are read."""
    if name.startswith("song-"):
        return songs(name.removeprefix("song-"))
    if name.startswith("images-"):
        return images(int(name.removeprefix("images-")))
    return {"stn-light": light, "stn-direction": direction}[name]()

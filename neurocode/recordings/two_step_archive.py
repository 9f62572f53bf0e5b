"""The archive of moving bars of Mahuas et al. (2020): three MATLAB files in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurocode.errors import DataError
from neurocode.recordings.mat import read_mat
from neurocode.recordings.population import PopulationExperiment

#: Files of the archive up to the name of the stimulus, and length of a bin in seconds, which the
#: files do not hold.
PIECES, REPEATS, TEST = "nonrepeat_data_*.mat", "repeat_data_*.mat", "test_data_*.mat"
BIN_SECONDS = 1.667e-3


def is_two_step(folder: str | Path) -> bool:
    """Return whether a folder holds the files of the archive."""
    folder = Path(folder)
    return folder.is_dir() and all(any(folder.glob(name)) for name in (PIECES, REPEATS, TEST))


def read_two_step(folder: str | Path) -> PopulationExperiment:
    """Read pieces with their stimulus, repeats without one, and the repeats of the test.

    Pieces are ``spikes_train`` (cells, bins, pieces) with ``stimulus`` (positions, 1, bins,
    pieces), repeats ``spikes_train`` (cells, bins, repeats), the test ``spikes_test`` with
    ``stimulus_test``. A frame lasts as many bins as the stimulus stays the same.

    Parameters
    ----------
    folder : path

    Raises
    ------
    DataError
        If a file is missing or twice there, cannot be read, or its arrays do not fit.
    """
    pieces, repeats, test = (_only(Path(folder), name) for name in (PIECES, REPEATS, TEST))
    spikes, stimulus = read_mat(pieces, ["spikes_train", "stimulus"])
    (repeated,) = read_mat(repeats, ["spikes_train"])
    spikes_test, stimulus_test = read_mat(test, ["spikes_test", "stimulus_test"])
    if spikes.ndim != 3 or stimulus.ndim != 4 or stimulus_test.ndim != 3:
        raise DataError(
            f"{pieces}: the arrays have the shapes {spikes.shape} and {stimulus.shape}, expected "
            f"(cells, bins, pieces) and (positions, 1, bins, pieces)."
        )
    frames = np.moveaxis(stimulus[:, 0], -1, 0)
    shown = stimulus_test[:, 0]
    bins_per_frame = int(np.gcd(frame_bins(frames), frame_bins(shown[None])))
    return PopulationExperiment(
        list(np.moveaxis(spikes, 2, 0)),
        [piece.T[::bins_per_frame] for piece in frames],
        dt=BIN_SECONDS,
        bins_per_frame=bins_per_frame,
        repeats=repeated,
        test=spikes_test,
        test_stimulus=shown.T[::bins_per_frame],
        name=Path(folder).name,
    )


def frame_bins(stimulus: NDArray) -> int:
    """Return the number of bins after which a stimulus may change.

    Parameters
    ----------
    stimulus : array (pieces, features, bins)

    Examples
    --------
    >>> frame_bins(np.array([[[0, 0, 1, 1, 1, 1, 0, 0]]]))
    2
    """
    changes = np.flatnonzero(np.any(np.diff(stimulus, axis=2) != 0, axis=(0, 1))) + 1
    return int(np.gcd.reduce(np.append(changes, stimulus.shape[2])))


def _only(folder: Path, pattern: str) -> Path:
    paths = sorted(folder.glob(pattern))
    if len(paths) != 1:
        raise DataError(f"{folder}: {len(paths)} files are called {pattern}, expected one.")
    return paths[0]

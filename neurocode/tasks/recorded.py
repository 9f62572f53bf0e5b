"""Tasks from files: electrocardiograms, spoken digits as spikes, Braille letters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.io

from neurocode.errors import DataError
from neurocode.extras import Library
from neurocode.tasks.task import Part, Task, shuffled, split

h5py, pooch = Library("h5py"), Library("pooch")

#: Published address of the Heidelberg spiking data sets (Cramer et al. 2020).
HEIDELBERG = "https://zenkelab.org/datasets/"
#: Number of first steps in which the readout settles and which do not count (Baronig et al. 2025).
SETTLING = 10


def ecg(folder: str | Path, *, n_validation: int = 60, seed: int = 0) -> Task:
    """Return the task of labelling every step of electrocardiograms of the QT database, which are
    level-crossing coded (Yin, Corradi, Bohté 2021).

    Parameters
    ----------
    folder : path
        Folder that holds ``QTDB_train.mat`` and ``QTDB_test.mat``.
    n_validation : int
        Number of training traces used for validation (our choice, not from the paper; Baronig et
        al. 2025 take 30).
    seed : int
        Seed of the choice of validation traces.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        If a file is missing or of another layout.
    """
    train, test = (_qtdb(Path(folder), name) for name in ("train", "test"))
    order = np.random.default_rng(seed).permutation(len(train))
    parts = (
        train.select(order[n_validation:]),
        train.select(order[:n_validation]),
        shuffled(test, seed),
    )
    return Task("ecg", *parts, loss="per_step", n_outputs=6, dt=1e-3)


def _qtdb(folder: Path, which: str) -> Part:
    paths = sorted(folder.glob(f"*{which}*.mat"))
    if not paths:
        raise DataError(
            f"{folder}: there is no file of the {which} part, such as QTDB_{which}.mat."
        )
    try:
        file = scipy.io.loadmat(paths[0])
        inputs, targets = file["x"], file["y"]
    except (ValueError, NotImplementedError, OSError, KeyError, TypeError) as error:
        raise DataError(f"{paths[0]}: the file cannot be read ({error}).") from None
    if (
        inputs.ndim != 3
        or targets.shape[:2] != inputs.shape[:2]
        or inputs.shape[2] != 4
        or targets.shape[2] != 6
    ):
        raise DataError(
            f"{paths[0]}: x {inputs.shape} and y {targets.shape} are not traces of 4 channels "
            f"with 6 classes."
        )
    labels = np.argmax(targets, axis=2).astype(np.int32)
    return Part(inputs.astype(np.float32), labels, np.ones(labels.shape, bool))


def heidelberg(
    training: str | Path,
    test: str | Path,
    *,
    validation: str | Path | None = None,
    bin_size: float = 4e-3,
    factor: int = 5,
    fewest_steps: int = 250,
    seed: int = 0,
) -> Task:
    """Return the task of naming Spiking Heidelberg Digits or Spiking Speech Commands, from their
    HDF5 files (Cramer et al. 2020).

    Parameters
    ----------
    training, test, validation : path
        Files such as ``shd_train.h5``; without a validation file a fifth of the training part is
        used for validation.
    bin_size : float
        Time step in seconds; spikes are counted in bins of this width.
    factor : int
        Number of neighbouring channels that are joined.
    fewest_steps : int
        Number of steps to which shorter recordings are padded; the added steps count (Baronig et
        al. 2025).
    seed : int

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For a file that is missing, damaged or of another layout. The message names the file.
    """
    whole, tested = (
        _spoken(Path(path), bin_size, factor, fewest_steps) for path in (training, test)
    )
    n_outputs = int(max(whole.targets.max(), tested.targets.max())) + 1
    if validation is None:
        learned, chosen, _ = split(whole.inputs, whole.targets, whole.valid, (0.8, 0.2), seed)
    else:
        learned, chosen = (
            shuffled(whole, seed),
            shuffled(_spoken(Path(validation), bin_size, factor, fewest_steps), seed),
        )
    parts = (learned, chosen, shuffled(tested, seed))
    return Task(
        Path(training).stem, *parts, loss="sum_of_softmax", n_outputs=n_outputs, dt=bin_size
    )


def _spoken(
    path: Path, bin_size: float, factor: int, fewest_steps: int, channels: int = 700
) -> Part:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    try:
        with h5py.File(path) as file:
            times, units, labels = (
                file["spikes/times"][()],
                file["spikes/units"][()],
                file["labels"][()],
            )
    except (OSError, KeyError, RuntimeError) as error:
        raise DataError(
            f"{path}: this is not a file of spiking digits ({str(error).splitlines()[0]})."
        ) from None
    if not len(times) == len(units) == len(labels):
        raise DataError(
            f"{path}: {len(times)} spike times, {len(units)} units and {len(labels)} labels do "
            f"not fit."
        )
    lengths = [int(np.max(t) / bin_size) + 1 if len(t) else 1 for t in times]
    steps = max(fewest_steps, *lengths)
    inputs = np.zeros((len(times), steps, -(-channels // factor)), np.float32)
    valid = np.zeros((len(times), steps), bool)
    for number, (moments, unit) in enumerate(zip(times, units, strict=True)):
        if (
            len(moments) != len(unit)
            or (len(unit) and np.max(unit) >= channels)
            or np.any(np.asarray(moments) < 0)
        ):
            raise DataError(
                f"{path}: sample {number} has spikes without a unit, of a unit beyond "
                f"{channels - 1}, or before zero."
            )
        np.add.at(
            inputs[number],
            ((np.asarray(moments, float) / bin_size).astype(int), np.asarray(unit, int) // factor),
            1,
        )
        valid[number, SETTLING : max(lengths[number], fewest_steps)] = True
    return Part(inputs, np.asarray(labels, np.int32), valid)


def download_heidelberg(name: str) -> Path:
    """Download and unpack ``shd_train``, ``shd_test``, ``ssc_train``, ``ssc_valid`` or ``ssc_test``
    unless it has been downloaded already, and return its path.

    Raises
    ------
    DataError
        For an unknown name.
    """
    known = ("shd_train", "shd_test", "ssc_train", "ssc_valid", "ssc_test")
    if name not in known:
        raise DataError(f"'{name}' is not a Heidelberg data set; known are {', '.join(known)}.")
    return Path(
        pooch.retrieve(
            f"{HEIDELBERG}{name}.h5.gz",
            known_hash=None,
            processor=pooch.Decompress(name=f"{name}.h5"),
        )
    )


def braille(path: str | Path, *, seed: int = 0) -> Task:
    """Return the task of naming Braille letters read by twelve taxels (Müller-Cleve et al. 2022),
    with 27 classes and trials of different lengths.

    Parameters
    ----------
    path : path
        NPZ file with ``taxels`` (trials, time, 12), ``n_steps``, ``letter``.
    seed : int
        Seed of the split into 70, 10 and 20 %.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        If the file cannot be read or has another layout.
    """
    taxels, lengths, letters = arrays_of(Path(path), "taxels", "n_steps", "letter")
    if taxels.ndim != 3 or len(lengths) != len(taxels) or np.max(lengths) > taxels.shape[1]:
        raise DataError(
            f"{path}: taxels {taxels.shape} do not fit {len(lengths)} lengths of up to "
            f"{np.max(lengths)} steps."
        )
    labels = np.unique(letters, return_inverse=True)[1].astype(np.int32)
    inputs = taxels.astype(np.float32)
    valid = np.arange(inputs.shape[1]) < lengths[:, None]
    inputs = (
        (inputs - inputs[valid].mean(axis=0))
        / np.maximum(inputs[valid].std(axis=0), 1e-6)
        * valid[:, :, None]
    )
    parts = split(inputs, labels, valid, (0.7, 0.1), seed)
    return Task("braille", *parts, loss="max_over_time", n_outputs=int(labels.max()) + 1, dt=1e-3)


def arrays_of(path: Path, *names: str) -> list[np.ndarray]:
    """Return arrays of an NPZ file by their names."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in names]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path}: the file cannot be read or lacks {', '.join(names)} ({error})."
        ) from None

"""Recordings of event cameras, counted into frames: N-MNIST and DVS-Gesture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.tasks.task import Part, Task, shuffled, split

#: Side of the sensor in pixels, and duration of a recording in seconds (Orchard et al. 2015).
NMNIST_SIDE, NMNIST_DURATION = 34, 0.3
GESTURE_SIDE, GESTURE_CLASSES = 128, 11
#: Layout of AEDAT 3.1: the header of a packet, the number of the polarity event type, and an event.
PACKET = np.dtype(
    [
        ("type", "<u2"),
        ("source", "<u2"),
        ("size", "<u4"),
        ("offset", "<u4"),
        ("overflow", "<u4"),
        ("capacity", "<u4"),
        ("number", "<u4"),
        ("valid", "<u4"),
    ]
)
POLARITY = 1
EVENT = np.dtype([("data", "<u4"), ("time", "<u4")])


def nmnist(
    folder: str | Path, *, n_steps: int = 10, validation_share: float = 0.1, seed: int = 0
) -> Task:
    """Return the task of naming digits recorded by a moving event camera (Orchard et al. 2015).
    Events of each polarity and pixel are counted in bins of equal duration.

    Parameters
    ----------
    folder : path
        Folder with ``Train/0`` to ``Train/9`` and ``Test/0`` to ``Test/9``, which hold one ``.bin``
        file per recording.
    n_steps : int
        Number of frames of 2 x 34 x 34 counts.
    validation_share : float
        Share of the training recordings used for validation (our choice, not from the paper).
    seed : int
        Seed of the choice of validation recordings.

    Returns
    -------
    Task
        A task with 2312 channels, polarity first.

    Raises
    ------
    DataError
        For a folder without recordings, or a file that is truncated or has events outside the
        sensor. The message names it.
    """
    training, test = (_recordings(Path(folder) / name, n_steps) for name in ("Train", "Test"))
    return _task("nmnist", training, test, 10, NMNIST_DURATION / n_steps, validation_share, seed)


def dvs_gesture(
    folder: str | Path,
    *,
    n_steps: int = 20,
    side: int = 32,
    validation_share: float = 0.1,
    seed: int = 0,
) -> Task:
    """Return the task of naming gestures recorded by an event camera (Amir et al. 2017). All frames
    hold the same number of events; the counts of a frame are divided by the largest.

    Parameters
    ----------
    folder : path
        Folder with ``trials_to_train.txt``, ``trials_to_test.txt``, and for each trial its
        ``.aedat`` (3.1) and ``_labels.csv`` files.
    n_steps : int
        Number of frames per gesture.
    side : int
        Side of the frames; neighbouring pixels are added up.
    validation_share : float
        Share of the training gestures used for validation (our choice, not from the paper).
    seed : int
        Seed of the choice of validation gestures.

    Returns
    -------
    Task
        One sequence per gesture, with ``2 side side`` channels, polarity first. A step is said to
        last 1 ms, although frames have no fixed duration.

    Raises
    ------
    DataError
        For a file that is missing, truncated or of another layout, a gesture with too few events,
        or a side that does not divide 128. The message names it.
    """
    if GESTURE_SIDE % side:
        raise DataError(
            f"Frames of {side} by {side} do not divide a sensor of {GESTURE_SIDE} by "
            f"{GESTURE_SIDE}."
        )
    training, test = (
        _trials(Path(folder), name, n_steps, side)
        for name in ("trials_to_train.txt", "trials_to_test.txt")
    )
    return _task("dvs-gesture", training, test, GESTURE_CLASSES, 1e-3, validation_share, seed)


def _task(
    name: str,
    training: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    classes: int,
    dt: float,
    validation_share: float,
    seed: int,
) -> Task:
    whole, last = (
        Part(frames, labels, np.ones(frames.shape[:2], bool)) for frames, labels in (training, test)
    )
    first, second, _ = split(
        whole.inputs, whole.targets, whole.valid, (1 - validation_share, validation_share), seed
    )
    return Task(
        name, first, second, shuffled(last, seed), loss="mean_potential", n_outputs=classes, dt=dt
    )


def _recordings(folder: Path, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    files = [
        (path, label) for label in range(10) for path in sorted((folder / str(label)).glob("*.bin"))
    ]
    if not files:
        raise DataError(f"{folder}: there are no recordings such as 0/00002.bin.")
    frames = np.stack([_nmnist_frames(path, n_steps) for path, _ in files])
    return frames, np.array([label for _, label in files], np.int32)


def _nmnist_frames(path: Path, n_steps: int) -> np.ndarray:
    content = np.fromfile(path, np.uint8)
    if not len(content) or len(content) % 5:
        raise DataError(
            f"{path}: {len(content)} bytes are not a whole number of events of 5 bytes."
        )
    x, y, high, middle, low = content.reshape(-1, 5).astype(int).T
    if max(x.max(), y.max()) >= NMNIST_SIDE:
        raise DataError(
            f"{path}: an event lies at ({x.max()}, {y.max()}), outside a sensor of {NMNIST_SIDE} "
            f"by {NMNIST_SIDE}."
        )
    seconds = 1e-6 * (((high & 0x7F) << 16) | (middle << 8) | low)
    frame = np.minimum((seconds / NMNIST_DURATION * n_steps).astype(int), n_steps - 1)
    return _counted(frame, high >> 7, y, x, n_steps, NMNIST_SIDE)


def _trials(folder: Path, name: str, n_steps: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        trials = [line.strip() for line in (folder / name).read_text().splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"{folder / name}: the list of trials cannot be read ({error}).") from None
    frames, labels = [], []
    for trial in trials:
        events = read_aedat(folder / trial)
        for label, begin, end in _labels(folder / trial.replace(".aedat", "_labels.csv")):
            gesture = events[(events["time"] >= begin) & (events["time"] < end)]
            if len(gesture) < n_steps:
                raise DataError(
                    f"{folder / trial}: the gesture from {begin} to {end} us has {len(gesture)} "
                    f"events, fewer than the {n_steps} frames."
                )
            frames.append(_gesture_frames(gesture["data"], n_steps, side))
            labels.append(label)
    if not frames:
        raise DataError(f"{folder / name}: the trials do not contain a gesture.")
    return np.stack(frames), np.array(labels, np.int32)


def _labels(path: Path) -> np.ndarray:
    """Return the class (from zero), begin and end (in microseconds) of each gesture."""
    try:
        table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=int, ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: this is not a table of class, startTime_usec, endTime_usec ({error})."
        ) from None
    if table.shape[1:] != (3,) or table[:, 0].min() < 1 or table[:, 0].max() > GESTURE_CLASSES:
        raise DataError(
            f"{path}: expected columns class (1 to {GESTURE_CLASSES}), startTime_usec, "
            f"endTime_usec."
        )
    return table - [1, 0, 0]


def read_aedat(path: str | Path) -> np.ndarray:
    """Return the valid polarity events of an AEDAT 3.1 file, in the order of the file.

    Parameters
    ----------
    path : path

    Returns
    -------
    numpy.ndarray
        Events with the fields ``data`` (bit 1 is the polarity, bits 2 to 16 are the row, bits 17 to
        31 the column) and ``time`` in microseconds.

    Raises
    ------
    DataError
        If the file is missing, truncated or of another format.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from None
    if not content.startswith(b"#!AER-DAT3.1"):
        raise DataError(f"{path}: this is not an AEDAT 3.1 file.")
    place, packets = 0, [np.zeros(0, EVENT)]
    while content[place : place + 1] == b"#":
        place = content.index(b"\n", place) + 1
    while place < len(content):
        if place + PACKET.itemsize > len(content):
            raise DataError(f"{path}: the file ends inside the header of a packet.")
        packet = np.frombuffer(content, PACKET, 1, place)[0]
        place += PACKET.itemsize
        end = place + int(packet["capacity"]) * int(packet["size"])
        if end > len(content):
            raise DataError(
                f"{path}: the file ends inside a packet of {packet['capacity']} events."
            )
        if packet["type"] == POLARITY:
            events = np.frombuffer(content, EVENT, int(packet["number"]), place)
            packets.append(events[events["data"] & 1 == 1])
        place = end
    return np.concatenate(packets)


def _gesture_frames(data: np.ndarray, n_steps: int, side: int) -> np.ndarray:
    shrink = GESTURE_SIDE // side
    x, y, polarity = (data >> 17) & 0x7FFF, (data >> 2) & 0x7FFF, (data >> 1) & 1
    frame = np.arange(len(data)) * n_steps // len(data)
    counts = _counted(frame, polarity, y // shrink, x // shrink, n_steps, side)
    return counts / np.maximum(counts.max(axis=1, keepdims=True), 1)


def _counted(
    frame: np.ndarray, polarity: np.ndarray, y: np.ndarray, x: np.ndarray, n_steps: int, side: int
) -> np.ndarray:
    """Return the number of events of each frame, polarity and pixel, as (frame, channel)."""
    place = ((frame * 2 + polarity) * side + y) * side + x
    return (
        np.bincount(place.astype(int), minlength=n_steps * 2 * side**2)
        .reshape(n_steps, -1)
        .astype(np.float32)
    )

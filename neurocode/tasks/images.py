"""Images shown for some steps as constant inputs: digits, Fashion-MNIST, CIFAR-10."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.tasks.recorded import arrays_of
from neurocode.tasks.task import Part, Task, shuffled, split

#: Mean and standard deviation of the red, green and blue of CIFAR-10 (Ma, Yan, Tang 2023, released
#: code).
CIFAR_MEAN, CIFAR_DEVIATION = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
CIFAR_SHAPE = (3, 32, 32)
#: Magic numbers at the start of files of images and of labels in the format of MNIST.
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049


def mnist(path: str | Path, *, n_steps: int = 25, seed: int = 0) -> Task:
    """Return the task of naming handwritten digits, each shown for some steps as a constant input
    between 0 and 1.

    Parameters
    ----------
    path : path
        NPZ file with ``images`` (images, 28, 28) and ``labels``.
    n_steps : int
        Number of steps for which an image is shown (the default is our choice).
    seed : int
        Seed of the split into 70, 10 and 20 %.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        If the file cannot be read or lacks an array.
    """
    images, labels = arrays_of(Path(path), "images", "labels")
    return _divided("mnist", images.reshape(len(images), -1) / 255.0, labels, n_steps, seed)


def digits(*, n_steps: int = 25, seed: int = 0) -> Task:
    """Return the task of naming the 8 by 8 digits that come with scikit-learn, shown as in
    :func:`mnist`."""
    from sklearn.datasets import load_digits

    images, labels = (np.asarray(part) for part in load_digits(return_X_y=True))
    return _divided("digits", images / 16.0, labels, n_steps, seed)


def fashion_mnist(
    folder: str | Path, *, n_steps: int = 8, n_validation: int = 6000, seed: int = 0
) -> Task:
    """Return the task of Fashion-MNIST (Xiao et al. 2017), or of MNIST itself, from its four files;
    inputs lie between 0 and 1.

    Parameters
    ----------
    folder : path
        Folder with ``train-images-idx3-ubyte.gz``, ``train-labels-idx1-ubyte.gz``,
        ``t10k-images-idx3-ubyte.gz``, ``t10k-labels-idx1-ubyte.gz``.
    n_steps : int
        Number of steps for which an image is shown.
    n_validation : int
        Number of training images used for validation (our choice, not from the paper).
    seed : int
        Seed of the choice of validation images.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For a file that is missing, damaged or of another layout. The message names the file.
    """
    parts = []
    for name in ("train", "t10k"):
        images = _idx(Path(folder) / f"{name}-images-idx3-ubyte.gz", IMAGES_MAGIC, 3)
        labels = _idx(Path(folder) / f"{name}-labels-idx1-ubyte.gz", LABELS_MAGIC, 1)
        if len(images) != len(labels):
            raise DataError(
                f"{folder}: {len(images)} images and {len(labels)} labels of the {name} part do "
                f"not fit."
            )
        parts.append((images.reshape(len(images), -1) / 255.0, labels))
    training, test = parts
    return _given("fashion-mnist", training, test, n_steps, n_validation, seed)


def cifar10(
    folder: str | Path, *, n_steps: int = 2, n_validation: int = 5000, seed: int = 0
) -> Task:
    """Return the task of CIFAR-10 (Krizhevsky 2009) from its binary files. Each colour has mean
    zero and variance one, and channels come first.

    Parameters
    ----------
    folder : path
        Folder with ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin``.
    n_steps : int
        Number of steps for which an image is shown; two in the runs of Ma, Yan, Tang 2023.
    n_validation : int
        Number of training images used for validation (our choice, not from the paper).
    seed : int
        Seed of the choice of validation images.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For a file that is missing or of another layout. The message names the file.
    """
    training = [_cifar(Path(folder) / f"data_batch_{k}.bin") for k in range(1, 6)]
    images, labels = (np.concatenate(part) for part in zip(*training, strict=True))
    return _given(
        "cifar10",
        (images, labels),
        _cifar(Path(folder) / "test_batch.bin"),
        n_steps,
        n_validation,
        seed,
    )


def _cifar(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    content, row = np.fromfile(path, np.uint8), 1 + int(np.prod(CIFAR_SHAPE))
    if not len(content) or len(content) % row or content[::row].max() > 9:
        raise DataError(
            f"{path}: {len(content)} bytes are not rows of a label from 0 to 9 and {row - 1} "
            f"colours."
        )
    rows = content.reshape(-1, row)
    colours = rows[:, 1:].reshape(len(rows), 3, -1).astype(np.float32) / 255.0
    mean, deviation = (
        np.array(values, np.float32)[:, None] for values in (CIFAR_MEAN, CIFAR_DEVIATION)
    )
    return ((colours - mean) / deviation).reshape(len(rows), -1), rows[:, 0]


def _idx(path: Path, magic: int, dimensions: int) -> np.ndarray:
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from None
    head = np.frombuffer(content[: 4 * (1 + dimensions)], ">i4")
    if (
        len(head) != 1 + dimensions
        or head[0] != magic
        or len(content) != 4 * len(head) + np.prod(head[1:])
    ):
        raise DataError(
            f"{path}: this is not a whole file of {'images' if dimensions == 3 else 'labels'} in "
            f"the format of MNIST."
        )
    return np.frombuffer(content, np.uint8, offset=4 * len(head)).reshape(head[1:])


def _shown(
    images: np.ndarray, labels: np.ndarray, n_steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inputs = np.broadcast_to(
        images[:, None, :].astype(np.float32), (len(images), n_steps, images.shape[1])
    )
    return inputs, labels.astype(np.int32), np.ones((len(images), n_steps), bool)


def _divided(name: str, images: np.ndarray, labels: np.ndarray, n_steps: int, seed: int) -> Task:
    parts = split(*_shown(images, labels, n_steps), (0.7, 0.1), seed)
    return Task(name, *parts, loss="mean_potential", n_outputs=int(labels.max()) + 1, dt=1e-3)


def _given(
    name: str,
    training: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    n_steps: int,
    n_validation: int,
    seed: int,
) -> Task:
    """Return a task that has a separate test part; validation images are taken from the training
    images."""
    count = len(training[0])
    if not 0 < n_validation < count:
        raise DataError(f"{n_validation} of {count} training images cannot be set aside.")
    first, second, _ = split(
        *_shown(*training, n_steps), ((count - n_validation) / count, n_validation / count), seed
    )
    return Task(
        name,
        first,
        second,
        shuffled(Part(*_shown(*test, n_steps)), seed),
        loss="mean_potential",
        n_outputs=10,
        dt=1e-3,
    )

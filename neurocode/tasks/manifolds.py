"""Smooth random manifolds in spike times (Zenke & Vogels 2021)."""

from __future__ import annotations

import numpy as np

from neurocode.errors import DataError
from neurocode.tasks.task import Part, Task

#: Number of terms of the sum in the paper, and precision at which the released code truncates it.
TERMS, PRECISION = 1000, 1e-3
SPECTRA = ("printed", "released")
#: Shares of each class used for training and validation.
TRAINING, VALIDATION = 0.8, 0.1


def random_manifolds(
    n_classes: int = 10,
    n_samples: int = 1000,
    *,
    n_inputs: int = 20,
    dimension: int = 1,
    smoothness: float = 1.0,
    spectrum: str = "printed",
    n_steps: int = 100,
    latest: int = 50,
    seed: int = 0,
) -> Task:
    """Return the task "Randman": each class is a random smooth manifold, whose coordinates are the
    times of one spike in each input.

    Coordinate ``i`` of a point ``x`` drawn uniformly from the unit cube is ``prod_j sum_k w_k A_ijk
    sin(2 pi (k x_j B_ijk + C_ijk))`` with uniform ``A``, ``B``, ``C``, scaled over the samples of
    its class to lie between 0 and 1.

    Parameters
    ----------
    n_classes, n_samples : int
        Number of classes, and number of samples per class. Of each class 80, 10 and 10 % are used
        for training, validation and test.
    n_inputs : int
        Number of coordinates, with one input per coordinate.
    dimension : int
        Dimension of the manifolds; a larger one is harder.
    smoothness : float
        Exponent alpha of the spectrum; a smaller one is harder.
    spectrum : {"printed", "released"}
        Weights ``w_k = k^-alpha`` for ``k`` from 1 to 1000 as printed in the paper, or, as computed
        by default in the released package, ``w_k = 1/((k + 1)^alpha + 1)`` for ``k`` from 1 to
        ``ceil(0.001^(-1/alpha)) - 1``, at most 999. It is not known which of them the figures of
        the paper used.
    n_steps, latest : int
        Number of steps of 1 ms in a sequence, and the step of the latest possible spike.
    seed : int
        Seed of the manifolds and the samples.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For an unknown spectrum, or numbers that are too small.

    Examples
    --------
    >>> task = random_manifolds(n_classes=2, n_samples=20)
    >>> task.training.inputs.shape, float(task.training.inputs.sum(axis=1).max())
    ((32, 100, 20), 1.0)
    """
    if spectrum not in SPECTRA:
        raise DataError(f"'{spectrum}' is not a spectrum; known are {', '.join(SPECTRA)}.")
    if (
        n_classes < 2
        or n_samples < 10
        or min(n_inputs, dimension) < 1
        or not smoothness > 0
        or not 0 < latest < n_steps
    ):
        raise DataError(
            "Random manifolds need two classes, ten samples of each, an input, a dimension, a "
            "positive smoothness, and spikes that end before the sequence."
        )
    random = np.random.default_rng(seed)
    times = np.stack(
        [
            _class(random, n_samples, n_inputs, dimension, smoothness, spectrum)
            for _ in range(n_classes)
        ]
    )
    steps_of = np.floor(latest * times).astype(int)
    edges = np.cumsum([round(TRAINING * n_samples), round(VALIDATION * n_samples)])
    parts = [_part(part, n_steps, random) for part in np.split(steps_of, edges, axis=1)]
    return Task(
        f"random-manifolds-{spectrum}", *parts, loss="max_over_time", n_outputs=n_classes, dt=1e-3
    )


def _class(
    random: np.random.Generator,
    n_samples: int,
    n_inputs: int,
    dimension: int,
    smoothness: float,
    spectrum: str,
) -> np.ndarray:
    """Return the coordinates (samples, inputs), between 0 and 1, of points of one manifold."""
    k, weights = _spectrum(smoothness, spectrum)
    a, b, c = random.random((3, n_inputs, dimension, len(k)))
    points = random.random((n_samples, dimension))
    values = np.ones((n_samples, n_inputs))
    for axis in range(dimension):
        for coordinate in range(n_inputs):
            phases = np.outer(points[:, axis], k * b[coordinate, axis]) + c[coordinate, axis]
            values[:, coordinate] *= np.sin(2 * np.pi * phases) @ (weights * a[coordinate, axis])
    low, high = values.min(axis=0), values.max(axis=0)
    return (values - low) / (high - low)


def _spectrum(smoothness: float, spectrum: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies and the weights."""
    if spectrum == "printed":
        k = np.arange(1, TERMS + 1)
        return k, k**-smoothness
    # the released code sets the amplitude of the term of frequency zero to zero
    k = np.arange(1, min(int(np.ceil(PRECISION ** (-1 / smoothness))), TERMS))
    return k, 1.0 / ((k + 1.0) ** smoothness + 1.0)


def _part(times: np.ndarray, n_steps: int, random: np.random.Generator) -> Part:
    """Return the sequences of one part in random order, given spike times (classes, samples,
    inputs)."""
    n_classes, n_samples, n_inputs = times.shape
    spikes = np.zeros((n_classes * n_samples, n_steps, n_inputs), np.float32)
    np.put_along_axis(spikes, times.reshape(-1, 1, n_inputs), 1.0, axis=1)
    labels = np.repeat(np.arange(n_classes, dtype=np.int32), n_samples)
    order = random.permutation(len(labels))
    return Part(spikes[order], labels[order], np.ones((len(labels), n_steps), bool))

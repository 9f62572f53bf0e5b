"""Smooth random manifolds in spike times (Zenke & Vogels 2021)."""

from __future__ import annotations

import numpy as np

from neurocode.errors import DataError
from neurocode.tasks.task import Part, Task

#: Terms of the printed sum; precision at which the released code cuts it.
TERMS, PRECISION = 1000, 1e-3
SPECTRA = ("printed", "released")
#: Shares of each class for training and validation.
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
    """Randman: each class is a random smooth manifold, whose coordinates are the times of one spike
    in each input.

    Coordinate ``i`` of a point ``x`` drawn uniformly from the unit cube is ``prod_j sum_k w_k A_ijk
    sin(2 pi (k x_j B_ijk + C_ijk))`` with uniform ``A``, ``B``, ``C``, scaled over the samples of
    its class to lie between 0 and 1.

    Parameters
    ----------
    n_classes, n_samples : int
        Number of classes, and of samples of each; 80, 10 and 10 % of each class for training,
        validation and test.
    n_inputs : int
        Coordinates, one input each.
    dimension : int
        Of the manifolds; more is harder.
    smoothness : float
        Exponent alpha of the spectrum; less is harder.
    spectrum : {"printed", "released"}
        Weights ``w_k = k^-alpha`` for ``k`` from 1 to 1000 as the paper prints, or as its released
        package computes by default: ``w_k = 1/((k + 1)^alpha + 1)`` for ``k`` from 1 to
        ``ceil(0.001^(-1/alpha)) - 1``, at most 999. Which of them the figures of the paper used is
        not known.
    n_steps, latest : int
        Steps of 1 ms of a sequence, and the step of the latest possible spike.
    seed : int
        Of manifolds and samples.

    Returns
    -------
    Task

    Raises
    ------
    DataError
        For an unknown spectrum, or numbers too small.

    Examples
    --------
    >>> task = random_manifolds(n_classes=2, n_samples=20)
    >>> task.training.inputs.shape, float(task.training.inputs.sum(axis=1).max())
    ((32, 100, 20), 1.0)
    """
    if spectrum not in SPECTRA:
        raise DataError(f"'{spectrum}' is no spectrum; known are {', '.join(SPECTRA)}.")
    if (
        n_classes < 2
        or n_samples < 10
        or min(n_inputs, dimension) < 1
        or not smoothness > 0
        or not 0 < latest < n_steps
    ):
        raise DataError(
            "Random manifolds need two classes, ten samples of each, an input, a dimension, a "
            "positive smoothness, and spikes that "
            "end before the sequence."
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
    """Coordinates (samples, inputs) of points of one manifold, between 0 and 1."""
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
    """Frequencies and weights."""
    if spectrum == "printed":
        k = np.arange(1, TERMS + 1)
        return k, k**-smoothness
    # the amplitude of the term of frequency zero is set to zero there
    k = np.arange(1, min(int(np.ceil(PRECISION ** (-1 / smoothness))), TERMS))
    return k, 1.0 / ((k + 1.0) ** smoothness + 1.0)


def _part(times: np.ndarray, n_steps: int, random: np.random.Generator) -> Part:
    """Sequences of one part (classes, samples, inputs), in random order."""
    n_classes, n_samples, n_inputs = times.shape
    spikes = np.zeros((n_classes * n_samples, n_steps, n_inputs), np.float32)
    np.put_along_axis(spikes, times.reshape(-1, 1, n_inputs), 1.0, axis=1)
    labels = np.repeat(np.arange(n_classes, dtype=np.int32), n_samples)
    order = random.permutation(len(labels))
    return Part(spikes[order], labels[order], np.ones((len(labels), n_steps), bool))

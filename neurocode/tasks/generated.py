"""Generated tasks: burst sequences and spring-mass trajectories (Baronig et al. 2025, released
code)."""

from __future__ import annotations

import numpy as np

from neurocode.errors import DataError
from neurocode.tasks.task import Task, split

#: Burst sequences: number of steps, number of channels, number of channels that a class fixes,
#: width of a burst (as a variance, in units of ten steps), probability of a spike outside of bursts
#: and probability added at their centre, and the first step that counts.
STEPS, CHANNELS, FIXED, VARIANCE, FLOOR, HEIGHT, VALID_FROM = 200, 10, 3, 0.1, 0.05, 0.75, 160
#: Spring-mass systems: number of masses, range of stiffness, sampling rate in hertz, number of time
#: points, and number of steps with the true input.
MASSES, STIFFNESS, SAMPLING, MOMENTS, FORCED = 4, (500, 10000), 402.0, 202, 101


def burst_sequences(n_classes: int = 20, n_samples: int = 8000, seed: int = 42) -> Task:
    """Return the task of detecting burst sequences: each channel has one burst, and a class fixes
    the times of three bursts.

    Parameters
    ----------
    n_classes, n_samples : int
        Numbers of classes and of samples; the published ones are 20 and 8000.
    seed : int
        Seed of the classes, the samples and the split into 70, 10 and 20 %.

    Returns
    -------
    Task
        A task with 200 steps of 1 ms, of which the last 40 count.

    Raises
    ------
    DataError
        For fewer than two classes or ten samples.

    Examples
    --------
    >>> burst_sequences(n_classes=5, n_samples=20).n_inputs
    10
    """
    if n_classes < 2 or n_samples < 10:
        raise DataError(
            f"Burst sequences need two classes and ten samples, not {n_classes} and {n_samples}."
        )
    random = np.random.default_rng(seed)
    chosen, centres = [], []
    for _ in range(n_classes):
        chosen.append(random.choice(CHANNELS, FIXED, replace=False))
        centres.append(0.1 + 0.75 * random.random(FIXED))
    inputs = np.empty((n_samples, STEPS, CHANNELS), np.float32)
    labels = np.empty(n_samples, np.int32)
    time = 0.1 * np.arange(STEPS)
    for sample in range(n_samples):
        labels[sample] = random.integers(n_classes)
        burst_times = 0.1 + 0.75 * random.random(CHANNELS)
        burst_times[chosen[labels[sample]]] = centres[labels[sample]]
        bumps = np.exp(-((time[:, None] - 0.1 * STEPS * burst_times) ** 2) / (2 * VARIANCE))
        probability = FLOOR + HEIGHT * bumps / bumps.max(axis=0)
        inputs[sample] = random.random((STEPS, CHANNELS)) < probability
    valid = np.zeros((n_samples, STEPS), bool)
    valid[:, VALID_FROM:] = True
    parts = split(inputs, labels, valid, (0.7, 0.1), seed)
    return Task("burst-sequences", *parts, loss="sum_of_softmax", n_outputs=n_classes, dt=1e-3)


def spring_mass(
    n_samples: int = 4096, seed: int = 42, stiffness: tuple[int, int] = STIFFNESS
) -> Task:
    """Return the task of predicting the next displacement of a chain of four masses on springs.
    After 101 steps the input is the network's prediction.

    Parameters
    ----------
    n_samples : int
        Number of trajectories; the published one is 4096.
    seed : int
        Seed of the springs, the initial displacements and the split into 80, 10 and 10 %.
    stiffness : (int, int)
        Smallest and largest stiffness of a spring between masses of one. A spring that is four
        times as stiff oscillates twice as fast. The published values are 500 and 10000.

    Returns
    -------
    Task
        A task with steps of 1 ms, each of which stands for a sample of 2.49 ms, as the time
        constants of the paper are in steps.

    Raises
    ------
    DataError
        For fewer than ten samples, or a stiffness that is not positive and ordered.

    Examples
    --------
    >>> task = spring_mass(n_samples=20)
    >>> float(abs(task.training.inputs[:, 1:] - task.training.targets[:, :-1]).max())
    0.0
    """
    if n_samples < 10:
        raise DataError(f"Spring-mass trajectories need ten samples, not {n_samples}.")
    if not 0 < stiffness[0] <= stiffness[1]:
        raise DataError(
            f"The stiffness of springs must run from a positive number to one at least as large, "
            f"not {stiffness}."
        )
    random = np.random.default_rng(seed)
    springs = random.integers(stiffness[0], stiffness[1] + 1, MASSES + 1)
    coupling = (
        np.diag(springs[:-1] + springs[1:]) - np.diag(springs[1:-1], 1) - np.diag(springs[1:-1], -1)
    )
    squares, modes = np.linalg.eigh(coupling.astype(float))
    start = random.standard_normal((n_samples, MASSES))
    times = np.arange(MOMENTS) / SAMPLING
    # without damping and initial velocity every mode of the chain is a cosine
    amplitudes = start @ modes
    paths = np.einsum(
        "sm,tm,nm->stn", amplitudes, np.cos(np.outer(times, np.sqrt(squares))), modes
    ).astype(np.float32)
    inputs, targets = paths[:, :-1], paths[:, 1:]
    parts = split(inputs, targets, np.ones(inputs.shape[:2], bool), (0.8, 0.1), seed)
    return Task(
        "spring-mass",
        *parts,
        loss="squared_error",
        n_outputs=MASSES,
        dt=1e-3,
        free_running_from=FORCED,
    )

"""Tasks of the study by name, distance and seed: 30 trains of 250 bins of a millisecond.

Every task has two classes of equal size. Twenty trains come from the source of the class. The other
ten are Bernoulli trains with the same probability in both classes, so that a network also has to
learn which trains are informative. Sizes and rates are our choice, not from the paper.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import gamma

from analyses.datasets import smaller
from neurocode.learning import Task
from neurocode.tasks.sources import Bernoulli, BinnedPoisson, GammaRenewal, Markov, Source
from neurocode.tasks.task import split

CHANNELS, INFORMATIVE, STEPS, DT = 30, 20, 250, 1e-3
#: Number of samples per seed, half of them in each class, and the shares of training and
#: validation; the rest is the test part.
SAMPLES, SHARES = 2000, (0.3, 0.2)
#: Probability of a spike in a bin, and the corresponding rate (Hz).
P, RATE = 0.1, 100.0

#: Sources of the trains of a class, each with the number of its trains.
Class = tuple[tuple[Source, int], ...]


def _with_background(*groups: tuple[Source, int], p: float = P) -> Class:
    return (*groups, (Bernoulli(p), CHANNELS - INFORMATIVE))


def bernoulli(distance: float) -> tuple[Class, Class]:
    """Return two classes whose spike probabilities differ by a distance."""
    return tuple(_with_background((Bernoulli(P + shift), INFORMATIVE)) for shift in (0.0, distance))


def markov(distance: float) -> tuple[Class, Class]:
    """Return classes of independent bins and of correlated neighbouring bins, at equal rates."""
    return tuple(
        _with_background((source, INFORMATIVE)) for source in (Bernoulli(P), Markov(P, distance))
    )


def renewal(distance: float) -> tuple[Class, Class]:
    """Return classes of independent bins and of gamma-distributed intervals, at equal rates.

    The shape of the intervals is one plus the distance.
    """
    p = occupied(RATE, 1 + distance)
    return tuple(
        _with_background((s, INFORMATIVE), p=p)
        for s in (Bernoulli(p), GammaRenewal(RATE, 1 + distance, DT))
    )


def poisson(distance: float) -> tuple[Class, Class]:
    """Return classes of Poisson trains, ten of which are faster and ten slower by a relative
    distance.

    The fast trains of one class are the slow trains of the other.
    """
    fast, slow = (BinnedPoisson(RATE * (1 + sign * distance), DT) for sign in (1, -1))
    half, p = INFORMATIVE // 2, (fast.p + slow.p) / 2
    return tuple(
        _with_background((first, half), (second, half), p=p)
        for first, second in ((fast, slow), (slow, fast))
    )


def occupied(rate: float, shape: float) -> float:
    """Return the probability that a bin holds a spike of a gamma renewal process in equilibrium.

    It is the rate times the integral of the survival function over the bin.
    """
    scale = 1 / (rate * shape)
    survival = DT * gamma.sf(DT, shape, scale=scale) + gamma.cdf(DT, shape + 1, scale=scale) / rate
    return float(rate * survival)


FAMILIES: dict[str, Callable[[float], tuple[Class, Class]]] = {
    "bernoulli": bernoulli,
    "markov": markov,
    "gamma": renewal,
    "poisson": poisson,
}
#: Labels of the tasks in figures.
TITLES = {
    "bernoulli": "Bernoulli,\nprobability",
    "markov": "Markov,\ncorrelation",
    "gamma": "gamma renewal,\nshape",
    "poisson": "Poisson,\nrates by train",
}


def make_task(row: dict) -> Task:
    """Return the task of a row."""
    random = np.random.default_rng(row["seed"])
    drawn = [
        trains_of(sources, SAMPLES // 2, random)
        for sources in FAMILIES[row["dataset"]](row["distance"])
    ]
    inputs = np.concatenate(drawn).swapaxes(1, 2).astype(np.float32)
    labels = np.repeat(np.arange(2, dtype=np.int32), SAMPLES // 2)
    parts = split(inputs, labels, np.ones(inputs.shape[:2], bool), SHARES, row["seed"])
    task = Task(row["dataset"], *parts, loss="mean_potential", n_outputs=2, dt=DT)
    return smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task


def trains_of(sources: Class, samples: int, random: np.random.Generator) -> np.ndarray:
    """Return trains (samples, channels, bins) of a class."""
    parts = [
        source.draw(samples * channels, STEPS, int(random.integers(2**31))).reshape(
            samples, channels, STEPS
        )
        for source, channels in sources
    ]
    return np.concatenate(parts, axis=1)

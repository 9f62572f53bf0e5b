"""Tasks of the study by name, distance and seed: 30 trains of which 20 tell two sources apart, 250
bins of a millisecond.

Every task is two classes of equal size. Twenty trains come from one of two sources, ten are
Bernoulli trains of the same probability in both, so that what is learned is also which trains to
listen to. Sizes and rates are ours.
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
#: Samples of a seed, half of each class, and the shares of training and validation; the rest is the
#: test part.
SAMPLES, SHARES = 2000, (0.3, 0.2)
#: Probability of a spike in a bin, and the rate (Hz) that has it.
P, RATE = 0.1, 100.0

#: Sources of the trains of a class, each with how many trains it gives.
Class = tuple[tuple[Source, int], ...]


def _with_background(*groups: tuple[Source, int], p: float = P) -> Class:
    return (*groups, (Bernoulli(p), CHANNELS - INFORMATIVE))


def bernoulli(distance: float) -> tuple[Class, Class]:
    """Spike probabilities that differ by a distance."""
    return tuple(_with_background((Bernoulli(P + shift), INFORMATIVE)) for shift in (0.0, distance))


def markov(distance: float) -> tuple[Class, Class]:
    """Independent bins, and neighbouring bins of a correlation, at equal rates."""
    return tuple(
        _with_background((source, INFORMATIVE)) for source in (Bernoulli(P), Markov(P, distance))
    )


def renewal(distance: float) -> tuple[Class, Class]:
    """Independent bins, and gamma-distributed intervals whose shape is larger than one by a
    distance, at equal rates."""
    p = occupied(RATE, 1 + distance)
    return tuple(
        _with_background((s, INFORMATIVE), p=p)
        for s in (Bernoulli(p), GammaRenewal(RATE, 1 + distance, DT))
    )


def poisson(distance: float) -> tuple[Class, Class]:
    """Poisson trains of which ten are faster and ten slower by a relative distance, in the other
    class the other way round."""
    fast, slow = (BinnedPoisson(RATE * (1 + sign * distance), DT) for sign in (1, -1))
    half, p = INFORMATIVE // 2, (fast.p + slow.p) / 2
    return tuple(
        _with_background((first, half), (second, half), p=p)
        for first, second in ((fast, slow), (slow, fast))
    )


def occupied(rate: float, shape: float) -> float:
    """Probability that a bin holds a spike of a gamma renewal process in equilibrium: rate times
    the integral of the survival."""
    scale = 1 / (rate * shape)
    survival = DT * gamma.sf(DT, shape, scale=scale) + gamma.cdf(DT, shape + 1, scale=scale) / rate
    return float(rate * survival)


FAMILIES: dict[str, Callable[[float], tuple[Class, Class]]] = {
    "bernoulli": bernoulli,
    "markov": markov,
    "gamma": renewal,
    "poisson": poisson,
}
#: Tasks by the name that a reader sees.
TITLES = {
    "bernoulli": "Bernoulli,\nprobability",
    "markov": "Markov,\ncorrelation",
    "gamma": "gamma renewal,\nshape",
    "poisson": "Poisson,\nrates by train",
}


def make_task(row: dict) -> Task:
    """Task of a row."""
    random = np.random.default_rng(row["seed"])
    drawn = [
        trains_of(own, SAMPLES // 2, random) for own in FAMILIES[row["dataset"]](row["distance"])
    ]
    inputs = np.concatenate(drawn).swapaxes(1, 2).astype(np.float32)
    labels = np.repeat(np.arange(2, dtype=np.int32), SAMPLES // 2)
    parts = split(inputs, labels, np.ones(inputs.shape[:2], bool), SHARES, row["seed"])
    task = Task(row["dataset"], *parts, loss="mean_potential", n_outputs=2, dt=DT)
    return smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task


def trains_of(sources: Class, samples: int, random: np.random.Generator) -> np.ndarray:
    """Trains (samples, channels, bins) of a class."""
    parts = [
        source.draw(samples * channels, STEPS, int(random.integers(2**31))).reshape(
            samples, channels, STEPS
        )
        for source, channels in sources
    ]
    return np.concatenate(parts, axis=1)

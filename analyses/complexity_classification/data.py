"""Tasks of the study by name and seed: 500 bins of a millisecond, 50 % training, a sixth validation, a third test unless said."""

from __future__ import annotations

from functools import partial

import numpy as np
from sklearn.datasets import load_breast_cancer

from analyses.complexity_classification.recordings import recorded_task
from analyses.datasets import data_folder, smaller
from neurocode.learning import Task
from neurocode.tasks.recorded import arrays_of
from neurocode.tasks.sources import Bernoulli, Markov, tell_sources_apart
from neurocode.tasks.task import split

STEPS, DT, SAMPLES = 500, 1e-3, 1200
SHARES = (0.5, 1 / 6)
#: Two digits that are alike, at 14 x 14 pixels, and the probability of a spike of the brightest: ours.
PAIR, SIDE, BRIGHTEST = (4, 9), 14, 0.2


def sources(*pair: Bernoulli | Markov, seed: int) -> Task:
    """Two sources of single trains."""
    return tell_sources_apart(pair, n_samples=SAMPLES, n_bins=STEPS, shares=SHARES, seed=seed)


def mnist_pair(seed: int) -> Task:
    """Two digits; each pixel a Bernoulli train."""
    images, labels = arrays_of(data_folder("mnist10k") / "mnist10k.npz", "images", "labels")
    images = images.reshape(len(images), SIDE, 2, SIDE, 2).mean(axis=(2, 4)).reshape(len(images), -1) / 255.0
    chosen = np.flatnonzero(np.isin(labels, PAIR))
    chosen = np.random.default_rng(seed).permutation(chosen)[:SAMPLES]
    return rate_coded("mnist-pair", BRIGHTEST * images[chosen], (labels[chosen] == PAIR[1]).astype(np.int32), seed)


def breast_cancer(seed: int) -> Task:
    """Breast Cancer Wisconsin (Diagnostic) of scikit-learn: ranks of each of 30 features as the rate of a Bernoulli train."""
    values, labels = load_breast_cancer(return_X_y=True)
    ranks = values.argsort(axis=0).argsort(axis=0) / (len(values) - 1)
    return rate_coded("breast-cancer", BRIGHTEST * ranks, labels.astype(np.int32), seed)


def rate_coded(name: str, probabilities: np.ndarray, labels: np.ndarray, seed: int) -> Task:
    """Probabilities (samples, channels) as trains."""
    random = np.random.default_rng(seed)
    inputs = random.random((len(labels), STEPS, probabilities.shape[1]), dtype=np.float32) < probabilities[:, None]
    parts = split(inputs, labels, np.ones(inputs.shape[:2], bool), SHARES, seed)
    return Task(name, *parts, loss="mean_potential", n_outputs=2, dt=DT)


MAKERS = {
    "rates": partial(sources, Bernoulli(0.1), Bernoulli(0.2)), "markov": partial(sources, Bernoulli(0.2), Markov(0.2, 0.5)),
    "mnist": mnist_pair, "breast": breast_cancer,
}  # fmt: skip


def make_task(row: dict) -> Task:
    """Task of a row."""
    name = row["task"]
    task = MAKERS[name](seed=row["seed"]) if name in MAKERS else recorded_task(name, row["seed"])
    if not row["sequences"]:
        return task
    return smaller(task, row["sequences"], row["seed"])

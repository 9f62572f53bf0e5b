"""What is read from trains: complexities or counts of every unit, by one decoder, or their mean by a threshold."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from neurocode.learning import Network, Part, Task, output_trains
from neurocode.statistics import ThresholdClassifier, raster_complexities

Features = dict[str, np.ndarray]


def features(rasters: np.ndarray) -> Features:
    """Complexity and count (samples, trains) of rasters (samples, trains, bins)."""
    return {"complexity": raster_complexities(rasters), "count": rasters.sum(axis=2).astype(float)}


def discriminant() -> ClassifierMixin:
    """Shrunk linear discriminant of standardised features."""
    return make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))


def rasters_of(part: Part, net: Network | None) -> np.ndarray:
    """Trains (samples, trains, bins) of the neurons of a network, or without one those of the inputs."""
    inputs = np.swapaxes(part.inputs, 1, 2)
    return inputs.astype(bool) if net is None else output_trains(net, inputs)


def readout_scores(task: Task, net: Network | None) -> dict[str, float]:
    """Accuracy of every feature, by the discriminant of units and by a threshold on their mean, fitted to the training part."""
    found = {name: features(rasters_of(getattr(task, name), net)) for name in ("training", "validation", "test")}
    scores = {}
    for name in ("complexity", "count"):
        units = discriminant().fit(found["training"][name], task.training.targets)
        mean = ThresholdClassifier().fit(found["training"][name], task.training.targets)
        for part in ("validation", "test"):
            targets = getattr(task, part).targets
            scores[f"{part}_{name}"] = float(units.score(found[part][name], targets))
            scores[f"{part}_{name}_mean"] = float(mean.score(found[part][name], targets))
    counts = found["test"]["count"]
    rates = {"rate": float(counts.mean() / task.test.inputs.shape[1]), "silent": float(np.mean(counts == 0))}
    return {**scores, **rates}

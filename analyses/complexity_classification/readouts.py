"""Readouts of trains: complexities or counts of every unit, read by the same kind of decoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from neurocode.learning import Network, Part, Task, output_trains
from neurocode.statistics import raster_complexities

Features = dict[str, np.ndarray]


def features(rasters: np.ndarray) -> Features:
    """Return complexity and count (samples, trains) of rasters (samples, trains, bins)."""
    return {"complexity": raster_complexities(rasters), "count": rasters.sum(axis=2).astype(float)}


def discriminant() -> Pipeline:
    """Return a shrinkage linear discriminant of standardised features."""
    return make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    )


def rasters_of(part: Part, net: Network | None) -> np.ndarray:
    """Return the trains (samples, trains, bins) of the last layer of a network, or the inputs
    themselves if there is no network."""
    inputs = np.swapaxes(part.inputs, 1, 2)
    return inputs.astype(bool) if net is None else output_trains(net, inputs)


def read_out(
    task: Task, net: Network | None, parts: Sequence[str]
) -> tuple[dict[str, float], dict[str, Pipeline]]:
    """Fit a decoder of each feature to the training part, and test it on other parts.

    Returns
    -------
    (dict of str to float, dict of str to Pipeline)
        Accuracies by part and feature, such as ``test_complexity``, and the decoders by feature.
    """
    training = features(rasters_of(task.training, net))
    decoders = {
        name: discriminant().fit(values, task.training.targets) for name, values in training.items()
    }
    scores = {}
    for part in parts:
        values, targets = (
            features(rasters_of(getattr(task, part), net)),
            getattr(task, part).targets,
        )
        scores |= {
            f"{part}_{name}": float(decoder.score(values[name], targets))
            for name, decoder in decoders.items()
        }
    return scores, decoders

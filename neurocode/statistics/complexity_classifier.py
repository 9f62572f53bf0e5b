"""Classification of spike trains by a threshold on their complexity alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neurocode.errors import DataError
from neurocode.statistics.lempel_ziv import count_lz76_automaton, count_lz76_dense
from neurocode.statistics.surrogates import surrogate_complexity
from neurocode.units import unmasked

#: scikit-learn annotates nothing here, and its defaults are texts where arrays are expected.
_validated: Any = validate_data


def raster_complexities(rasters: np.ndarray, *, n_surrogates: int = 0, seed: int = 0) -> np.ndarray:
    """LZ76 of every train of many samples: normalised by length, or by surrogates of the same rate.

    Parameters
    ----------
    rasters : numpy.ndarray (samples, trains, bins)
        Zero or one.
    n_surrogates : int
        Zero for ``c log2(n)/n``. Otherwise, the count is divided by the mean count of this many
        trains with the same number of spikes at random places, which removes the effect of the
        rate.
    seed : int
        Seed of the surrogates.

    Returns
    -------
    numpy.ndarray (samples, trains)
        The value of a silent train is ``2 log2(n)/n``. With surrogates it is 1, because a silent
        train has no surrogates and no structure beyond its rate.

    Raises
    ------
    DataError
        For another shape, other values, or fewer than two bins.

    Examples
    --------
    >>> raster_complexities(np.array([[[0, 1] * 50, [0, 0] * 50]])).round(3).tolist()
    [[0.199, 0.133]]
    """
    rasters = unmasked(rasters, "Rasters")
    if rasters.ndim != 3 or rasters.shape[2] < 2:
        raise DataError(
            f"Rasters have the shape (samples, trains, bins) with two bins at least, not "
            f"{rasters.shape}."
        )
    if not np.all((rasters == 0) | (rasters == 1)):
        raise DataError("Rasters hold zero or one.")
    samples, trains, bins = rasters.shape
    flat = np.ascontiguousarray(rasters.reshape(-1, bins).astype(np.uint8))
    if not n_surrogates:
        return (_counts(flat) * np.log2(bins) / bins).reshape(samples, trains)
    events = [np.flatnonzero(row) for row in flat]
    ratios = surrogate_complexity(
        events, np.full(len(events), bins), n_surrogates=n_surrogates, seed=seed
    ).ratio
    return np.where(np.isfinite(ratios), ratios, 1.0).reshape(samples, trains)


@njit(cache=True, nogil=True)
def _counts(rasters: np.ndarray) -> np.ndarray:
    counts = np.empty(len(rasters))
    for row in range(len(rasters)):
        words, _ = count_lz76_dense(rasters[row], 1)
        counts[row] = words if words >= 0 else count_lz76_automaton(rasters[row])[0]
    return counts


class ThresholdClassifier(ClassifierMixin, BaseEstimator):
    """Classifier by thresholds on one number, the mean of the features, with the fewest errors in
    training.

    Classes are ordered by their medians, which gives the direction. Between two neighbouring
    classes the threshold with the fewest errors is taken, in the middle of the widest such gap
    between samples.

    Attributes
    ----------
    classes_ : numpy.ndarray
    order_ : numpy.ndarray
        Classes from the lowest numbers to the highest.
    thresholds_ : numpy.ndarray (classes - 1,)

    Examples
    --------
    >>> classes = ["low", "low", "high", "high"]
    >>> model = ThresholdClassifier().fit([[0.1], [0.2], [0.7], [0.9]], classes)
    >>> model.predict([[0.4], [0.5]]).tolist(), model.thresholds_.round(2).tolist()
    (['low', 'high'], [0.45])
    """

    def __sklearn_tags__(self) -> Tags:
        """Tags of an estimator that reads one number and cannot use others."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def fit(self, X: np.ndarray, y: np.ndarray) -> ThresholdClassifier:
        """Fit thresholds on features (samples, features) and classes (samples,)."""
        X, y = _validated(self, X, y)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        values = X.mean(axis=1)
        medians = [np.median(values[labels == k]) for k in range(len(self.classes_))]
        self.order_ = np.argsort(medians, kind="stable")
        thresholds = []
        for low, high in zip(self.order_, self.order_[1:], strict=False):
            in_pair = (labels == low) | (labels == high)
            thresholds.append(best_threshold(values[in_pair], labels[in_pair] == high))
        self.thresholds_ = np.maximum.accumulate(np.array(thresholds, float))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of every sample."""
        check_is_fitted(self)
        X = _validated(self, X, reset=False)
        return self.classes_[
            self.order_[np.searchsorted(self.thresholds_, X.mean(axis=1), side="right")]
        ]


def best_threshold(values: np.ndarray, high: np.ndarray) -> float:
    """Return the threshold with the fewest errors if the samples ``high`` should lie above it;
    among equals, the one in the widest gap."""
    order = np.argsort(values, kind="stable")
    values, high = values[order], high[order]
    edges = np.concatenate([[values[0] - 1.0], (values[1:] + values[:-1]) / 2, [values[-1] + 1.0]])
    gaps = np.concatenate([[0.0], np.diff(values), [0.0]])
    errors = np.concatenate([[0], np.cumsum(high)]) + np.concatenate(
        [np.cumsum((~high)[::-1])[::-1], [0]]
    )
    possible = np.concatenate([[True], np.diff(values) > 0, [True]])
    best = np.flatnonzero(possible & (errors == errors[possible].min()))
    return float(edges[best[np.argmax(gaps[best])]])


class ComplexityClassifier(ClassifierMixin, BaseEstimator):
    """Classifier of spike trains by Lempel-Ziv complexity, averaged over the trains of a sample.

    Parameters
    ----------
    n_surrogates : int
        See :func:`raster_complexities`.
    seed : int

    Attributes
    ----------
    classes_ : numpy.ndarray
    classifier_ : ThresholdClassifier
    n_bins_ : int
        Number of bins in training; complexities of other lengths cannot be compared with these.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> X = random.random((40, 1, 200)) < np.repeat([0.05, 0.4], 20)[:, None, None]
    >>> ComplexityClassifier().fit(X, np.repeat([0, 1], 20)).score(X, np.repeat([0, 1], 20))
    1.0
    """

    def __init__(self, n_surrogates: int = 0, seed: int = 0) -> None:
        self.n_surrogates, self.seed = n_surrogates, seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> ComplexityClassifier:
        """Fit to rasters (samples, trains, bins) and classes (samples,)."""
        self.n_bins_ = np.shape(X)[-1]
        self.classifier_ = ThresholdClassifier().fit(self._features(X), y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of every sample."""
        check_is_fitted(self)
        if np.shape(X)[-1] != self.n_bins_:
            raise DataError(
                f"The classifier was fitted to trains of {self.n_bins_} bins, not of "
                f"{np.shape(X)[-1]}."
            )
        return self.classifier_.predict(self._features(X))

    def _features(self, X: np.ndarray) -> np.ndarray:
        return raster_complexities(X, n_surrogates=self.n_surrogates, seed=self.seed)

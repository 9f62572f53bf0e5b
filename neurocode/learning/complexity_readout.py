"""A trained network read by the complexity of its output trains."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from neurocode.errors import DataError
from neurocode.learning.network import Network
from neurocode.statistics.complexity_classifier import ComplexityClassifier

#: Number of samples that go through a network at once.
BATCH = 200


def output_trains(network: Network, inputs: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Spikes of the last layer of a network.

    Parameters
    ----------
    network : Network
        A network with at least one layer of neurons.
    inputs : numpy.ndarray (samples, channels, bins)
    seed : int
        Seed of the noise of noisy neurons.

    Returns
    -------
    numpy.ndarray of bool (samples, neurons, bins)

    Raises
    ------
    DataError
        For inputs of another shape or number of channels, or a network without neurons.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer
    >>> from neurocode.learning.rules import population_readout
    >>> layer = Layer(Dense(3, 6, key=jax.random.key(0)), nc.models.normalised_lif(), 1e-3)
    >>> output_trains(Network([layer, population_readout(6, 2, 1e-3)]), np.ones((4, 3, 50))).shape
    (4, 6, 50)
    """
    inputs = np.asarray(inputs)
    if inputs.ndim != 3 or inputs.shape[1] != network.n_in:
        raise DataError(
            f"The network takes samples of shape (samples, {network.n_in}, bins), not "
            f"{inputs.shape}."
        )
    if not network.layers:
        raise DataError("The network has no layer of neurons whose trains could be read.")
    trains = []
    for number, start in enumerate(range(0, len(inputs), BATCH)):
        key = jax.random.fold_in(jax.random.key(seed), number) if network.is_stochastic else None
        part = jnp.asarray(inputs[start : start + BATCH])
        trains.append(np.asarray(_responses(network, part, key)))
    return np.concatenate(trains)


@eqx.filter_jit
def _responses(network: Network, part: jax.Array, key: jax.Array | None) -> jax.Array:
    spikes = network(jnp.moveaxis(part, 2, 0).astype(jnp.result_type(float)), key).spikes[-1]
    return jnp.moveaxis(spikes > 0, 0, 2)


class NetworkComplexityClassifier(ClassifierMixin, BaseEstimator):
    """A network whose class is read from the Lempel-Ziv complexity of its output trains
    ("SNN-LZC").

    Parameters
    ----------
    network : Network
        Already trained; ``fit`` only places the thresholds.
    n_surrogates : int
        See :func:`neurocode.statistics.raster_complexities`, which also says how a silent train is
        counted.
    seed : int

    Attributes
    ----------
    classes_ : numpy.ndarray
    classifier_ : ComplexityClassifier

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer
    >>> from neurocode.learning.rules import population_readout
    >>> from neurocode.tasks.sources import Bernoulli
    >>> dense = Dense(1, 6, key=jax.random.key(0))
    >>> layer = Layer(dense, nc.models.normalised_lif(), 1e-3, current_unit=40.0)
    >>> network = Network([layer, population_readout(6, 2, 1e-3)])
    >>> trains = [Bernoulli(p).draw(20, 300, seed=k) for k, p in enumerate((0.05, 0.3))]
    >>> X, y = np.concatenate(trains)[:, None], np.repeat([0, 1], 20)
    >>> NetworkComplexityClassifier(network).fit(X, y).score(X, y) > 0.9
    True
    """

    def __init__(self, network: Network, n_surrogates: int = 0, seed: int = 0) -> None:
        self.network, self.n_surrogates, self.seed = network, n_surrogates, seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> NetworkComplexityClassifier:
        """Fit thresholds to inputs (samples, channels, bins) and classes (samples,)."""
        trains = output_trains(self.network, X, seed=self.seed)
        self.classifier_ = ComplexityClassifier(self.n_surrogates, self.seed).fit(trains, y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Class of every sample."""
        check_is_fitted(self)
        return self.classifier_.predict(output_trains(self.network, X, seed=self.seed))

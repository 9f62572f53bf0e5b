"""The generator of noisy layers: distribution, and independence between neurons, steps, streams and
keys."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import Dense, Layer, Readout
from neurocode.learning.random_numbers import normal, uniform

STEPS, SHAPE = 400, (25, 40)


def drawn(function, stream=1, seed=0):
    """Return numbers of all steps (step, number), with keys as a layer would split them."""
    keys = jax.random.split(jax.random.key(seed), STEPS)
    return np.asarray(
        jax.vmap(lambda key: function(key, stream, SHAPE, jnp.float32))(keys), float
    ).reshape(STEPS, -1)


def test_numbers_have_the_distribution_they_claim():
    """400 000 numbers: Kolmogorov-Smirnov at 1e-6, four moments of the normal within five standard
    errors."""
    assert stats.kstest(drawn(uniform).ravel(), "uniform").pvalue > 1e-6
    z = drawn(normal).ravel()
    assert stats.kstest(z, "norm").pvalue > 1e-6
    truth, fourth = [0, 1, 0, 3], [1, 3, 15, 105]
    for power, mean, square in zip(range(1, 5), truth, fourth, strict=True):
        assert abs(np.mean(z**power) - mean) < 5 * np.sqrt((square - mean**2) / z.size)


def test_uniform_numbers_never_are_zero_or_one():
    """Of 23 bits, in the middle of their cells: the inverse of a distribution function stays
    finite."""
    u = np.asarray(uniform(jax.random.key(3), 0, (2**22,), jnp.float32))
    assert u.min() > 0 and u.max() < 1
    assert u.min() < 4e-6 and u.max() > 1 - 4e-6
    assert np.all(np.isfinite(np.asarray(normal(jax.random.key(3), 0, (2**22,), jnp.float32))))


@pytest.mark.parametrize("pair", ["neighbours", "steps", "streams", "keys"])
def test_pairs_of_numbers_are_independent(pair):
    """Chi-square over 16 by 16 cells of about 200 000 disjoint pairs, p above 1e-6; also of the
    low-order half of the bits."""
    first = drawn(uniform)
    other = {
        "neighbours": lambda: (first[:, ::2], first[:, 1::2]),
        "steps": lambda: (first[::2], first[1::2]),
        "streams": lambda: (first, drawn(uniform, stream=2)),
        "keys": lambda: (first, drawn(uniform, seed=1)),
    }[pair]()
    for scale in (1.0, 2.0**12):
        x, y = (np.ravel(part) * scale % 1.0 for part in other)
        counts = np.histogram2d(x, y, bins=16, range=[[0, 1], [0, 1]])[0]
        assert stats.chisquare(counts.ravel()).pvalue > 1e-6


def test_no_lag_or_combination_of_steps_is_correlated():
    """Correlations at lags 1 to 60 of the count and of 500 pairs of steps: largest of them below
    5.5 standard errors."""
    u = drawn(uniform) - 0.5
    flat = u.ravel() / u.std()
    lags = [np.mean(flat[:-lag] * flat[lag:]) * np.sqrt(flat.size) for lag in range(1, 61)]
    rows = u / u.std()
    pairs = itertools.islice(itertools.combinations(range(STEPS), 2), 500)
    steps = [np.mean(rows[a] * rows[b]) * np.sqrt(rows.shape[1]) for a, b in pairs]
    assert np.max(np.abs(lags)) < 5.5 and np.max(np.abs(steps)) < 5.5


def test_what_draws_asks_for_a_random_key():
    key = jax.random.key(0)
    with pytest.raises(ModelError, match=r"A readout with bounds .* needs a random key"):
        Readout(Dense(2, 1, key=key), 1e-3, bounds=(1e-3, 1e-2))
    layer = Layer(Dense(2, 1, key=key), nc.models.noisy_lif(), 1e-3, surrogate=None)
    with pytest.raises(ModelError, match="A layer of noisy neurons needs a random key"):
        layer(jnp.ones((3, 1, 2)))

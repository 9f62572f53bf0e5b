"""Complexity of growing trains and classification by it: equal to the count of the whole, and as
accurate as measured before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76, normalised_lz76
from neurocode.statistics.complexity_classifier import (
    ComplexityClassifier,
    ThresholdClassifier,
    best_threshold,
    raster_complexities,
)
from neurocode.statistics.online_complexity import OnlineLZ76
from neurocode.statistics.surrogates import surrogate_complexity
from neurocode.tasks.sources import Bernoulli, Markov


@settings(max_examples=100, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda a: st.tuples(st.just(a), st.lists(st.integers(0, a - 1), min_size=1, max_size=150))
    )
)
def test_every_prefix_has_the_count_of_the_whole_algorithm(case):
    alphabet, symbols = case
    stream = OnlineLZ76(alphabet)
    assert [stream.push(symbol) for symbol in symbols] == [
        lz76(symbols[: k + 1]) for k in range(len(symbols))
    ]
    assert OnlineLZ76(alphabet).extend(symbols) == stream.count and len(stream) == len(symbols)


def test_long_streams_grow_and_are_equal():
    """50 000 random and periodic symbols in pieces, beyond the first room."""
    bits = np.concatenate(
        [np.random.default_rng(0).integers(0, 2, 30_000), np.tile([0, 1, 1], 6667)]
    )
    stream = OnlineLZ76()
    for piece in np.array_split(bits, 37):
        count = stream.extend(piece)
    assert count == lz76(bits) and stream.normalised == pytest.approx(normalised_lz76(bits))
    with pytest.raises(DataError, match="from 0 to 1"):
        stream.push(2)
    assert np.isnan(OnlineLZ76().normalised)


def test_rasters_have_the_complexities_of_their_trains():
    rasters = np.random.default_rng(1).random((5, 3, 257)) < 0.2
    complexities = raster_complexities(rasters)
    np.testing.assert_allclose(
        complexities,
        [[normalised_lz76(train) for train in sample] for sample in rasters],
        rtol=1e-12,
    )
    assert raster_complexities(np.zeros((1, 1, 500)))[0, 0] == pytest.approx(2 * np.log2(500) / 500)
    assert raster_complexities(np.zeros((1, 1, 500)), n_surrogates=19)[0, 0] == 1.0
    regular = np.tile(np.arange(500) % 10 == 0, (1, 1, 1))
    assert raster_complexities(regular, n_surrogates=19)[0, 0] < 0.4
    for wrong, says in (
        (np.zeros((2, 5)), "shape"),
        (np.full((1, 1, 5), 2), "zero or one"),
        (np.zeros((1, 1, 1)), "two bins"),
    ):
        with pytest.raises(DataError, match=says):
            raster_complexities(wrong)


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=25))
@settings(max_examples=100, deadline=None)
def test_no_threshold_has_fewer_errors(pairs):
    values, high = np.array([v for v, _ in pairs], float), np.array([h for _, h in pairs])
    n_errors = np.sum((values > best_threshold(values, high)) != high)
    assert n_errors == min(np.sum((values > edge) != high) for edge in np.arange(-0.5, 9))


@parametrize_with_checks([ThresholdClassifier()])
def test_the_estimator_is_one_of_scikit_learn(estimator, check):
    check(estimator)


def test_markov_and_bernoulli_of_one_rate_are_told_apart_as_measured():
    """0.906 by complexity at p 0.2, correlation 0.5, 500 bins (fact sheet, standard error 0.018);
    counts give 0.55."""
    X = [
        np.concatenate(
            [
                source.draw(800, 500, k)
                for k, source in enumerate((Bernoulli(0.2), Markov(0.2, 0.5)))
            ]
        )[:, None]
    ]
    y = np.repeat([0, 1], 800)
    train = np.arange(1600) % 2 == 0
    score = ComplexityClassifier().fit(X[0][train], y[train]).score(X[0][~train], y[~train])
    assert score == pytest.approx(0.906, abs=0.03)
    counts = X[0].sum(axis=2)
    by_count = ThresholdClassifier().fit(counts[train], y[train]).score(counts[~train], y[~train])
    assert by_count == pytest.approx(0.55, abs=0.05)
    assert (
        ComplexityClassifier(n_surrogates=19)
        .fit(X[0][train], y[train])
        .score(X[0][~train], y[~train])
        > 0.85
    )


def test_other_lengths_and_more_classes():
    random = np.random.default_rng(2)
    X = random.random((90, 2, 300)) < np.repeat([0.02, 0.1, 0.5], 30)[:, None, None]
    model = ComplexityClassifier().fit(X, np.repeat(["a", "b", "c"], 30))
    assert (
        model.score(X, np.repeat(["a", "b", "c"], 30)) > 0.95
        and len(model.classifier_.thresholds_) == 2
    )
    with pytest.raises(DataError, match="300 bins, not of 200"):
        model.predict(X[:, :, :200])


def test_streams_by_hand():
    """Prefixes of 0001101001000101 after Lempel and Ziv: 0 · 001 · 10 · 100 · 1000 · 101."""
    stream = OnlineLZ76()
    counts = [stream.push(int(symbol)) for symbol in "0001101001000101"]
    assert counts == [1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6] and len(stream) == 16
    assert stream.normalised == pytest.approx(6 * np.log2(16) / 16)
    assert np.isnan(OnlineLZ76().normalised) and OnlineLZ76(3).extend([]) == 0
    of_four_symbols = OnlineLZ76(4)
    of_four_symbols.push(3)
    assert (
        np.isnan(of_four_symbols.normalised)
        and of_four_symbols.push(2) == 2
        and of_four_symbols.normalised == pytest.approx(2 * 0.5 / 2)
    )


@pytest.mark.parametrize("symbols", [[2], [-1], [0.5], [[0, 1]], ["a"], [np.nan]])
def test_symbols_outside_the_alphabet_are_named(symbols):
    stream = OnlineLZ76()
    with pytest.raises(DataError, match="numbers from 0 to 1"):
        stream.extend(symbols)
    assert len(stream) == 0


def test_alphabets_of_one_symbol_are_named():
    with pytest.raises(DataError, match="at least two symbols, not 1"):
        OnlineLZ76(1)


def test_room_is_made_before_it_is_needed():
    """Symbol by symbol over the first room of 1024, with a larger alphabet: the count is that of
    the whole at every hundredth."""
    symbols = np.random.default_rng(4).integers(0, 3, 2500)
    stream = OnlineLZ76(3)
    for k, symbol in enumerate(symbols):
        count = stream.push(symbol)
        if k % 100 == 0:
            assert count == lz76(symbols[: k + 1])
    assert stream.count == lz76(symbols)


def test_complexities_of_rasters_by_hand():
    """Six words of sixteen bins; over surrogates a train without any stands at one."""
    train = np.array([int(bit) for bit in "0001101001000101"])
    assert raster_complexities([[train]])[0, 0] == pytest.approx(6 * 4 / 16)
    assert raster_complexities([[[0, 1]]])[0, 0] == pytest.approx(2 / 2)
    complexities = raster_complexities([[train, 0 * train]], n_surrogates=19, seed=2)
    again = surrogate_complexity([np.flatnonzero(train), []], [16, 16], n_surrogates=19, seed=2)
    assert complexities.tolist() == [[again.ratio[0], 1.0]]
    with pytest.raises(DataError, match="zero or one"):
        raster_complexities([[[0, -1]]])


def test_thresholds_by_hand():
    """Errors at each place between 1 2 3 5 with classes low high low high: one at 1.5 and at 4, of
    which the gap at 4 is wider."""
    values, high = np.array([3.0, 1.0, 5.0, 2.0]), np.array([False, False, True, True])
    assert best_threshold(values, high) == 4.0
    assert best_threshold(np.array([1.0, 2.0]), np.array([True, True])) == 0.0
    assert best_threshold(np.array([1.0, 2.0]), np.array([False, False])) == 3.0
    assert best_threshold(np.array([1.0, 1.0, 2.0]), np.array([False, True, True])) in (0.0, 1.5)
    assert best_threshold(np.array([2.0, 2.0]), np.array([False, True])) in (1.0, 3.0)
    assert (
        best_threshold(np.array([1.0, 2.0, 4.0, 5.0]), np.array([False, False, True, True])) == 3.0
    )


def test_classes_are_ordered_by_their_medians():
    """Medians 1, 5 and 9 of b, c, a: thresholds half way between neighbours; a value on a threshold
    belongs to the higher class."""
    X = np.array([[1.0], [1.0], [9.0], [9.0], [5.0], [5.0]])
    model = ThresholdClassifier().fit(X, list("bbaacc"))
    assert model.classes_[model.order_].tolist() == [
        "b",
        "c",
        "a",
    ] and model.thresholds_.tolist() == [3.0, 7.0]
    assert model.predict([[0.0], [2.999], [3.0], [7.0], [8.0]]).tolist() == [
        "b",
        "b",
        "c",
        "a",
        "a",
    ]
    mean = ThresholdClassifier().fit(np.array([[0.0, 2.0], [4.0, 6.0]]), [0, 1])
    assert mean.thresholds_.tolist() == [3.0] and mean.predict(
        [[1.0, 4.9], [1.0, 5.1]]
    ).tolist() == [0, 1]
    assert ThresholdClassifier().fit(X[:2], ["b", "b"]).predict(X).tolist() == ["b"] * 6


def test_thresholds_do_not_cross():
    """The upper pair alone would be parted below the lower pair: the higher of both stands."""
    X = np.array([0.0, 0, 10, 4, 4, 4, 5, 5, 0, 0, 5.0])[:, None]
    y = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2]
    model = ThresholdClassifier().fit(X, y)
    assert np.all(np.diff(model.thresholds_) >= 0)


def test_the_classifier_by_complexity_passes_its_options_on():
    random = np.random.default_rng(6)
    X = random.random((20, 1, 64)) < np.repeat([0.1, 0.5], 10)[:, None, None]
    y = np.repeat([0, 1], 10)
    for options in ({}, {"n_surrogates": 19, "seed": 3}):
        model = ComplexityClassifier(**options).fit(X, y)
        inner = ThresholdClassifier().fit(raster_complexities(X, **options), y)
        assert (
            model.classifier_.thresholds_.tolist() == inner.thresholds_.tolist()
            and model.n_bins_ == 64
        )
        assert (
            model.predict(X).tolist() == inner.predict(raster_complexities(X, **options)).tolist()
        )
    assert (
        model.get_params() == {"n_surrogates": 19, "seed": 3}
        and model.__sklearn_tags__().classifier_tags is not None
    )

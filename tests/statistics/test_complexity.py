"""Lempel-Ziv counts against their definition, the literature's examples, and entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neurocode as nc
from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76, lz76_of_events, lz78, normalised_lz76
from neurocode.statistics.lempel_ziv import (
    count_lz76,
    count_lz76_automaton,
    count_lz76_binary,
    count_lz76_dense,
    events_of,
    histogram,
)


def by_definition(symbols):
    """Words of the exhaustive history, and whether the last is unfinished: each occurrence searched for from scratch."""
    text = bytes(symbols)
    start, words, unfinished = 0, 0, False
    while start < len(text):
        size = 1
        while start + size <= len(text) and text[start : start + size] in text[: start + size - 1]:
            size += 1
        words, unfinished, start = words + 1, start + size > len(text), start + size
    return words, unfinished


def lz78_by_definition(symbols):
    known, word, words = set(), b"", 0
    for symbol in bytes(symbols):
        word += bytes([symbol])
        if word not in known:
            known.add(word)
            words, word = words + 1, b""
    return words + bool(word)


@pytest.mark.parametrize(
    ("text", "lz76_words", "lz78_words"),
    [
        ("0001101001000101", 6, 7),
        ("1001111011000010", 6, 8),
        ("1010101010", 3, 6),
        ("0" * 16, 2, 6),
        ("1" * 16, 2, 6),
        ("0", 1, 1),
        ("banana", 4, 5),
    ],
)
def test_examples_of_the_literature(text, lz76_words, lz78_words):
    assert lz76(text) == lz76_words and lz78(text) == lz78_words


def test_the_unfinished_word_can_be_left_out():
    assert lz76("banana", count_unfinished=False) == 3 and lz78("banana", count_unfinished=False) == 4


@settings(max_examples=10_000, deadline=None)
@given(st.integers(2, 30), st.integers(0, 80), st.floats(0.05, 5.0), st.booleans(), st.integers(0, 2**32 - 1))
def test_counts_equal_the_definition(alphabet, length, evenness, repeated, seed):
    """10 000 random strings over 2 to 30 symbols, from nearly constant to uniform, some periodic."""
    random = np.random.default_rng(seed)
    symbols = random.choice(alphabet, size=length, p=random.dirichlet(np.full(alphabet, evenness))).astype(np.uint8)
    if repeated and length:
        symbols = np.resize(symbols[: 1 + length // 5], length)
    words, unfinished = by_definition(symbols)
    assert lz76(symbols) == words
    assert lz76(symbols, count_unfinished=False) == words - unfinished
    assert lz78(symbols) == lz78_by_definition(symbols)


@pytest.mark.parametrize("seed", range(40))
def test_all_ways_of_counting_agree_on_long_strings(seed):
    random = np.random.default_rng(seed)
    p = random.uniform(0.01, 0.99)
    symbols = (random.random(20_000) < p).astype(np.uint8)
    if seed % 4 == 0:
        symbols = np.tile(symbols[:50], 400) ^ (random.random(20_000) < 0.01)
    counts = histogram(symbols)
    background = int(np.argmax(counts))
    expected = count_lz76_automaton(symbols)
    found = count_lz76(*events_of(symbols, background, symbols.size - int(counts[background])), symbols.size)
    assert found in (expected, (-1, False))
    assert count_lz76_dense(symbols, 1) in (expected, (-1, False))
    assert count_lz76_binary(np.flatnonzero(symbols), symbols.size) == expected
    assert lz76(symbols) == expected[0]


def test_sequences_of_any_kind_are_the_same_to_the_count():
    bits = np.random.default_rng(1).integers(0, 2, 300)
    text = "".join(map(str, bits))
    forms = [bits, bits.astype(bool), bits.tolist(), text, text.encode(), bits * 1000 - 7, bits.astype(float), 1 - bits]
    assert len({lz76(form) for form in forms}) == 1


def test_events_stand_for_their_sequence():
    random = np.random.default_rng(2)
    times, symbols = np.flatnonzero(random.random(5000) < 0.1), None
    dense = np.zeros(5000, int)
    dense[times] = 1
    assert lz76_of_events(times, 5000) == lz76(dense)
    symbols = random.integers(1, 5, times.size)
    dense[times] = symbols
    assert lz76_of_events(times, 5000, symbols) == lz76(dense)


def test_normalised_count_tends_to_the_entropy_rate():
    """Published bias of the sheet for 10 000 fair coins: 1.027 (sd 0.005); bound of six standard deviations."""
    bits = np.random.default_rng(3).integers(0, 2, 10_000)
    assert normalised_lz76(bits) == pytest.approx(1.027, abs=0.03)
    assert np.isnan(normalised_lz76([1]))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lz76(np.zeros((2, 2))), "one dimension"),
        (lambda: lz76([0.0, np.nan]), "not finite"),
        (lambda: lz76_of_events([3, 2], 10), "must increase"),
        (lambda: lz76_of_events([3, 12], 10), "must increase inside"),
        (lambda: normalised_lz76([0, 1, 2], alphabet_size=2), "alphabet size"),
    ],
)
def test_bad_sequences_are_named(call, says):
    with pytest.raises(DataError, match=says):
        call()


def test_empty_sequence_has_no_word():
    assert lz76([]) == 0 and lz78("") == 0 and lz76_of_events([], 0) == 0


def test_complexity_is_reached_from_the_package():
    assert nc.complexity.lz76("banana") == 4 and nc.statistics.complexity is nc.complexity

"""Lempel-Ziv counts against their definition, the literature's examples, and entropy."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError
from neurocode.statistics.complexity import (
    lz76,
    lz76_of_events,
    lz78,
    normalised_lz76,
    occupied_bins,
    symbols_of,
)
from neurocode.statistics.lempel_ziv import (
    count_lz76,
    count_lz76_automaton,
    count_lz76_binary,
    count_lz76_dense,
    count_lz78,
    events_of,
    hash_levels,
    histogram,
)


def by_definition(symbols):
    """Words of the exhaustive history, and whether the last is unfinished: each occurrence searched
    for from scratch."""
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
    assert (
        lz76("banana", count_unfinished=False) == 3 and lz78("banana", count_unfinished=False) == 4
    )


@pytest.mark.parametrize("seed", range(10))
def test_counts_equal_the_definition(seed):
    """2000 random strings over 2 to 30 symbols, from nearly constant to uniform, some periodic."""
    random = np.random.default_rng(seed)
    for _ in range(200):
        alphabet, length = random.integers(2, 31), random.integers(0, 81)
        frequencies = random.dirichlet(np.full(alphabet, 10 ** random.uniform(-1.3, 0.7)))
        symbols = random.choice(alphabet, size=length, p=frequencies).astype(np.uint8)
        if length and random.random() < 0.5:
            symbols = np.resize(symbols[: 1 + length // 5], length)
        words, unfinished = by_definition(symbols)
        assert lz76(symbols) == words
        assert lz76(symbols, count_unfinished=False) == words - unfinished
        assert lz78(symbols) == lz78_by_definition(symbols)


@pytest.mark.parametrize("seed", range(20))
def test_all_ways_of_counting_agree_on_long_strings(seed):
    random = np.random.default_rng(seed)
    p = random.uniform(0.01, 0.99)
    symbols = (random.random(20_000) < p).astype(np.uint8)
    if seed % 4 == 0:
        symbols = np.tile(symbols[:50], 400) ^ (random.random(20_000) < 0.01)
    counts = histogram(symbols)
    background = int(np.argmax(counts))
    expected = count_lz76_automaton(symbols)
    by_events = count_lz76(
        *events_of(symbols, background, symbols.size - int(counts[background])), symbols.size
    )
    assert by_events in (expected, (-1, False))
    assert count_lz76_dense(symbols, 1) in (expected, (-1, False))
    assert count_lz76_binary(np.flatnonzero(symbols), symbols.size) == expected
    assert lz76(symbols) == expected[0]


def test_sequences_of_any_kind_are_the_same_to_the_count():
    bits = np.random.default_rng(1).integers(0, 2, 300)
    text = "".join(map(str, bits))
    forms = [
        bits,
        bits.astype(bool),
        bits.tolist(),
        text,
        text.encode(),
        bits * 1000 - 7,
        bits.astype(float),
        1 - bits,
    ]
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
    """Published bias of the sheet for 10 000 fair coins: 1.027 (sd 0.005); bound of six standard
    deviations."""
    bits = np.random.default_rng(3).integers(0, 2, 10_000)
    assert normalised_lz76(bits) == pytest.approx(1.027, abs=0.03)
    assert np.isnan(normalised_lz76([1]))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lz76(np.zeros((2, 2))), "one dimension"),
        (lambda: lz76([0.0, np.nan]), "not finite"),
        (lambda: lz76_of_events([3, 2], 10), "must increase"),
        (lambda: lz76_of_events([3, 3], 10), "must increase"),
        (lambda: lz76_of_events([-1, 3], 10), "must increase inside"),
        (lambda: lz76_of_events([3, 10], 10), "must increase inside"),
        (lambda: lz76_of_events([0.5, 1.9], 10), "Event positions are a sequence of whole numbers"),
        (lambda: lz76_of_events([np.nan], 10), "whole numbers"),
        (lambda: lz76_of_events(["1"], 10), "whole numbers"),
        (lambda: lz76_of_events([[1, 2]], 10), "whole numbers"),
        (lambda: lz76_of_events([1, 2], 10, [1]), "2 events need one symbol each"),
        (lambda: lz76_of_events([1, 2], 10, [1, 0]), "other than the zero of the background"),
        (
            lambda: lz76_of_events([1, 2], 10, [1, 1.5]),
            "Symbols of events are a sequence of whole numbers",
        ),
        (lambda: normalised_lz76([0, 0], alphabet_size=1), "alphabet size of 1 is below 2"),
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


def text_of(*symbols):
    return np.array(symbols, np.uint8)


@pytest.mark.parametrize(
    ("text", "words", "unfinished"),
    [
        ("", 0, False),
        ("0", 1, False),
        ("00", 2, True),
        ("01", 2, False),
        ("010", 3, True),
        ("011", 3, True),
        ("0100", 3, False),
    ],
)
def test_every_way_of_counting_by_hand(text, words, unfinished):
    """0 · 1 · 00: the third word of 0100 is new, that of 010 is cut off by the end."""
    codes = text_of(*map(int, text))
    assert count_lz76_automaton(codes) == (words, unfinished)
    assert count_lz76_dense(codes, 1) == (words, unfinished)
    assert count_lz76(np.flatnonzero(codes), np.ones(codes.sum(), np.uint8), codes.size) == (
        words,
        unfinished,
    )
    if text:
        assert count_lz76_binary(np.flatnonzero(codes), codes.size) == (words, unfinished)
    assert lz76(text) == words and lz76(text, count_unfinished=False) == words - unfinished


@pytest.mark.parametrize(
    ("text", "words", "unfinished"),
    [
        ("", 0, False),
        ("0", 1, False),
        ("00", 2, True),
        ("01", 2, False),
        ("010", 3, True),
        ("0100", 3, False),
        ("01001", 4, True),
    ],
)
def test_incremental_parsing_by_hand(text, words, unfinished):
    """0 · 1 · 00 · 1: a word is a known one and a symbol more, and the last one is cut off where it
    is known already."""
    assert count_lz78(text_of(*map(int, text))) == (words, unfinished)
    assert lz78(text) == words and lz78(text, count_unfinished=False) == words - unfinished


def test_events_and_frequencies():
    sequence = text_of(3, 0, 0, 1, 0, 3)
    assert histogram(sequence).tolist() == [3, 1, 0, 2] and histogram(text_of(0, 0)).tolist() == [2]
    assert histogram(text_of(255)).tolist() == [0] * 255 + [1] and histogram(
        text_of(1)
    ).tolist() == [0, 1]
    times, symbols = events_of(sequence, 0, 3)
    assert times.tolist() == [0, 3, 5] and symbols.tolist() == [3, 1, 3]


def test_occupied_bins_by_hand():
    """Edges belong to the later bin, also within rounding; the end belongs to the last."""
    assert occupied_bins(np.array([0.0, 0.1, 0.15, 0.3 - 1e-17, 0.7]), 0.7, 0.1)[0].tolist() == [
        0,
        1,
        3,
        6,
    ]
    bins, count = occupied_bins(np.array([0.29]), 0.3, 0.01)
    assert bins.tolist() == [29] and count == 30
    assert (
        occupied_bins(np.array([0.05]), 0.31, 0.1)[1] == 4
        and occupied_bins(np.array([]), 0.0, 0.1)[1] == 1
    )
    assert occupied_bins(np.array([0.9]), 0.9000000000000001, 0.005)[1] == 180


def test_symbols_and_their_frequencies():
    for sequence, codes, counts in (
        ([True, False, True], [1, 0, 1], [1, 2]),
        ([5, 2, 5], [5, 2, 5], [0, 0, 1, 0, 0, 2]),
        ([-1, 2, -1], [0, 1, 0], [2, 1]),
        ([300, 2], [1, 0], [1, 1]),
        ([255, 0], [255, 0], [1] + [0] * 254 + [1]),
        ([0.5, 0.1, 0.5], [1, 0, 1], [1, 2]),
        ("ba", [1, 0], [1, 1]),
        (b"\x01\x00", [1, 0], [1, 1]),
        (np.array([1, 1], np.uint8), [1, 1], [0, 2]),
        ([], [], []),
    ):
        result = symbols_of(sequence)
        assert result[0].tolist() == codes and result[1].tolist() == counts
    many = np.arange(300) * 7 - 5
    assert symbols_of(many)[0].tolist() == list(range(300)) and lz76(many) == 300
    assert lz76(np.concatenate([many, many])) == 301
    with pytest.raises(DataError, match="not finite"):
        symbols_of([np.inf, 1.0])


def test_events_with_symbols_by_hand():
    assert lz76_of_events([1, 3], 5, [1, 2]) == lz76("01020") and lz76_of_events(
        [1, 3], 5, [2, 1]
    ) == lz76("02010")
    assert lz76_of_events([1, 3], 5, [1, 2], count_unfinished=False) == lz76(
        "01020", count_unfinished=False
    )
    assert lz76_of_events([0, 1], 3, count_unfinished=False) == lz76("110", count_unfinished=False)
    assert (
        lz76_of_events([], 1) == 1
        and lz76_of_events([0], 1) == 1
        and lz76_of_events([], 2, count_unfinished=False) == 1
    )


def test_normalised_count_by_hand():
    """Six words of sixteen symbols: 6 * 4 / 16 to base 2, half of it to base 4."""
    bits = [int(bit) for bit in "0001101001000101"]
    assert normalised_lz76(bits) == pytest.approx(1.5) and normalised_lz76(
        bits, alphabet_size=4
    ) == pytest.approx(0.75)
    assert normalised_lz76([0, 1]) == pytest.approx(1.0) and normalised_lz76(
        [0, 3, 5], alphabet_size=3
    ) == pytest.approx(1.0)


def test_levels_of_hashes():
    """Gaps of one length tell nothing: 80 events to a level. Four even ones tell 2 bits each, seven
    2.8 and unequal ones more."""
    ones = np.ones(200, np.uint8)
    assert hash_levels(np.arange(0, 2000, 10), ones).tolist() == [0, 80, 160]
    gaps = np.tile([1, 2, 3, 4], 50)
    assert hash_levels(np.cumsum(gaps), ones).tolist() == [0, 2, 4]
    assert hash_levels(np.cumsum(np.arange(1, 201)), ones).tolist() == [0, 1, 2]
    assert hash_levels(np.array([3]), ones[:1]).tolist() == [0, 1]
    symbols = np.tile([1, 2], 100).astype(np.uint8)
    assert hash_levels(np.arange(0, 2000, 10), symbols).tolist() == [0, 4, 8]
    seven = np.cumsum(np.arange(2**20) % 7 + 1)
    assert hash_levels(seven, np.ones(seven.size, np.uint8)).tolist() == list(range(8))


def test_the_budget_of_candidates_hands_over_to_the_automaton():
    """Runs of 1, 2, 3 … zeros: every word compares all events before it, and there are 64 for each
    event and 10 000 more to spend.

    218 runs are the most that this pays for; the automaton counts a word a run and one for the
    first event in either case.
    """
    for runs, expected in ((218, (219, False)), (219, (-1, False))):
        times = np.concatenate([[0], np.cumsum(np.arange(1, runs) + 1)])
        length = int(times[-1]) + runs + 1
        assert count_lz76(times, np.ones(runs, np.uint8), length) == expected
        assert count_lz76_binary(times, length) == (runs + 1, False)
        assert lz76_of_events(times, length) == runs + 1


def test_the_budget_of_the_dense_count_hands_over_to_the_automaton():
    """A period of 200 with a fault every 311 symbols: 9641 symbols are the most whose candidates
    are paid for."""
    period = np.zeros(200, np.uint8)
    period[[3, 66, 100]] = 1
    symbols = np.tile(period, 300)
    symbols[np.arange(1, 192) * 311] ^= 1
    assert count_lz76_dense(symbols[:9641], 1) == (54, True) == count_lz76_automaton(symbols[:9641])
    assert count_lz76_dense(symbols[:9642], 1) == (-1, False) and count_lz76_automaton(
        symbols[:9642]
    ) == (54, False)

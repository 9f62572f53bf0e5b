"""Compiled loops as plain Python, where an index outside an array raises: inside their arrays, and
the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.statistics import (
    complexity_classifier,
    entropy,
    lempel_ziv,
    online_complexity,
    spike_distances,
    surrogates,
    variability,
)

RANDOM = np.random.default_rng(0)
BITS = RANDOM.integers(0, 2, 60).astype(np.uint8)
WORDS = RANDOM.integers(0, 4, 60).astype(np.uint8)
EVENTS = np.flatnonzero(RANDOM.random(400) < 0.05)
FIRST, SECOND = np.sort(RANDOM.uniform(0, 1, 12)), np.sort(RANDOM.uniform(0, 1, 9))
OFFSETS, FIRST_TRAIN = np.array([0, 5, 5, 12]), np.array([0, 2, 3])


def online(symbols):
    """Arrays of an automaton of sixty symbols and what is left in them."""
    room = 2 * len(symbols) + 2
    arrays = (
        np.full((room, 2), -1, np.int64),
        np.full(room, -1, np.int64),
        np.zeros(room, np.int64),
        np.array([1, 0, 0, 0, 0, 0]),
    )
    return symbols.astype(np.int64), *arrays


CALLS = {
    "counts": (complexity_classifier._counts, lambda: (np.stack([BITS, BITS[::-1]]),)),
    "context_tree": (entropy._context_tree_log_probability, lambda: (BITS, 2, 4)),
    "context_tree_of_words": (entropy._context_tree_log_probability, lambda: (WORDS, 4, 2)),
    "histogram": (lempel_ziv.histogram, lambda: (WORDS,)),
    "events_of": (lempel_ziv.events_of, lambda: (BITS, 0, int(BITS.sum()))),
    "hash_levels": (lempel_ziv.hash_levels, lambda: (EVENTS, np.ones(len(EVENTS), np.uint8))),
    "count_lz76": (lempel_ziv.count_lz76, lambda: (EVENTS, np.ones(len(EVENTS), np.uint8), 400)),
    "count_lz76_dense": (lempel_ziv.count_lz76_dense, lambda: (WORDS, 2)),
    "count_lz76_automaton": (lempel_ziv.count_lz76_automaton, lambda: (WORDS,)),
    "count_lz76_binary": (lempel_ziv.count_lz76_binary, lambda: (EVENTS, 400)),
    "count_lz78": (lempel_ziv.count_lz78, lambda: (WORDS,)),
    "online": (online_complexity._extend, lambda: online(BITS)),
    "victor_purpura": (spike_distances._victor_purpura, lambda: (FIRST, SECOND, 20.0)),
    "exponential_product": (spike_distances._exponential_product, lambda: (FIRST, SECOND, 0.05)),
    "surrogates": (surrogates._surrogate_counts, lambda: (EVENTS, 400, True, 2, 1)),
    "intervals": (variability._interval_kernel, lambda: (FIRST, OFFSETS, FIRST_TRAIN, 5e-3, 6e-3)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_compiled_loop_stays_inside_its_arrays(name):
    """The arguments that are written into are compared as well."""
    compiled, arguments = CALLS[name]
    inside, outside = arguments(), arguments()
    with np.errstate(over="ignore"):  # of hashes
        expected, from_python = compiled(*inside), compiled.py_func(*outside)
    for a, b in zip((expected, *inside), (from_python, *outside), strict=True):
        for inside_array, outside_array in zip(
            a if isinstance(a, tuple) else (a,), b if isinstance(b, tuple) else (b,), strict=True
        ):
            assert inside_array is outside_array is None or np.allclose(
                np.asarray(inside_array, float),
                np.asarray(outside_array, float),
                equal_nan=True,
                rtol=1e-9,
            )

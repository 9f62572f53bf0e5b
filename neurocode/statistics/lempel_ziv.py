"""Counting Lempel-Ziv words: LZ76 on the events of a sequence, with a linear-time fallback, and
LZ78.

A sequence is held as its *events*: the positions where it differs from its most frequent symbol.
The longest earlier match of a word then starts with a stretch of the background symbol, an event,
and the events that follow, so earlier events with the same continuation are the only candidates.
They are found by hashes of the next few events; the work is proportional to the number of events.
Sequences with so many long repeats that candidates pile up are handed to a suffix automaton, which
is linear for every sequence.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Candidates and comparisons per event after which the suffix automaton takes over.
BUDGET = 64
#: Collision entropy (bits per symbol) from which every position is indexed, not only events.
DENSE_BITS = 0.62
#: Bits of collision entropy between one hash level and the next, and largest number of levels.
BITS_PER_LEVEL, MOST_LEVELS = 4.0, 8


@njit(cache=True, nogil=True)
def histogram(sequence: np.ndarray) -> np.ndarray:
    """How often each of the symbols 0 to the largest occurs, for symbols of one byte."""
    counts = np.zeros(256, np.int64)
    for symbol in sequence:
        counts[symbol] += 1
    largest = 255
    while largest > 0 and counts[largest] == 0:
        largest -= 1
    return counts[: largest + 1]


@njit(cache=True, nogil=True)
def events_of(sequence: np.ndarray, background: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and symbols of the ``count`` entries that are not the background symbol."""
    times, symbols = np.empty(count, np.int64), np.empty(count, sequence.dtype)
    k = 0
    for position in range(sequence.size):
        if sequence[position] != background:
            times[k], symbols[k] = position, sequence[position]
            k += 1
    return times, symbols


@njit(cache=True, nogil=True)
def hash_levels(times: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Return the numbers of following events that are hashed, spaced by about four bits of
    information."""
    size = 1 << 12
    counts = np.zeros(size, np.int64)
    for k in range(1, times.size):
        counts[((times[k] - times[k - 1]) * 31 + symbols[k]) & (size - 1)] += 1
    collision = 0.0
    for count in counts:
        collision += (count / max(times.size - 1, 1)) ** 2
    bits = max(-np.log2(max(collision, 1e-12)), 0.05)
    spacing = max(1, round(BITS_PER_LEVEL / bits))
    needed = np.log2(times.size + 2.0) / bits
    n_levels = min(MOST_LEVELS, max(2, int(np.ceil(needed / spacing)) + 1))
    return np.arange(n_levels) * spacing


@njit(cache=True, nogil=True)
def _token(times: np.ndarray, symbols: np.ndarray, k: int) -> np.uint64:
    """Return the gap before an event and its symbol as one number; zero past the end."""
    if k >= times.size:
        return np.uint64(0)
    return np.uint64(times[k] - times[k - 1]) * np.uint64(31) + np.uint64(symbols[k])


@njit(cache=True, nogil=True)
def count_lz76(times: np.ndarray, symbols: np.ndarray, length: int) -> tuple[int, bool]:
    """Words of the exhaustive history (Lempel & Ziv 1976), and whether the last one is unfinished.

    Returns a count of -1 when the budget of candidates is spent.
    """
    n_events = times.size
    levels = hash_levels(times, symbols)
    n_levels = levels.size
    table_bits = 4
    while (1 << table_bits) < n_events:
        table_bits += 1
    shift = np.uint64(64 - table_bits)
    heads = np.full((n_levels, 1 << table_bits), -1, np.int32)
    previous = np.empty((n_levels, n_events), np.int32)
    multiplier, mixer = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
    powers = np.ones(n_levels, np.uint64)
    rolling = np.zeros(n_levels, np.uint64)
    for level in range(n_levels):
        for j in range(1, levels[level] + 1):
            powers[level] *= multiplier
            rolling[level] = rolling[level] * multiplier + _token(times, symbols, j)
    start, words, k, longest_gap, work = 0, 0, 0, 0, 0
    budget = BUDGET * n_events + 10_000
    keys = np.zeros(n_levels, np.int64)
    while start < length:
        run_end = times[k] if k < n_events else length
        run = run_end - start
        run_start = times[k - 1] + 1 if k > 0 else 0
        match = run if start > run_start else min(run, longest_gap)
        if k < n_events:
            symbol_hash = np.uint64(symbols[k]) * mixer
            for level in range(n_levels):
                keys[level] = np.int64(((rolling[level] ^ symbol_hash) * mixer) >> shift)
            if match == run:
                best, most = -1, length - times[k]
                for level in range(n_levels - 1, -1, -1):
                    following = levels[level]
                    if k + following >= n_events:
                        continue
                    candidate = heads[level, keys[level]]
                    known_span = times[k + following] - times[k]
                    while candidate >= 0:
                        work += 1
                        previous_time = times[candidate - 1] if candidate > 0 else -1
                        if (
                            times[candidate] - previous_time > run
                            and times[candidate + following] - times[candidate] == known_span
                            and symbols[candidate] == symbols[k]
                        ):
                            a, b = candidate + 1, k + 1
                            offset = times[k] - times[candidate]
                            while (
                                b < n_events
                                and times[b] - times[a] == offset
                                and symbols[a] == symbols[b]
                            ):
                                a += 1
                                b += 1
                            work += (b - k) >> 2
                            if b - k > following:
                                limit = times[b] if b < n_events else length
                                reach = min(limit - times[k], times[a] - times[candidate])
                                if reach > best:
                                    best = reach
                                if reach >= most:
                                    break
                        candidate = previous[level, candidate]
                    if work > budget:
                        return -1, False
                    if best >= 0:
                        break
                    most = known_span
                if best >= 0:
                    match = run + best
        words += 1
        if start + match >= length:
            return words, True
        start += match + 1
        while k < n_events and times[k] < start:
            gap_before = times[k] - (times[k - 1] if k > 0 else -1)
            longest_gap = max(longest_gap, gap_before - 1)
            symbol_hash = np.uint64(symbols[k]) * mixer
            for level in range(n_levels):
                following = levels[level]
                if k + following < n_events:
                    key = np.int64(((rolling[level] ^ symbol_hash) * mixer) >> shift)
                    previous[level, k] = heads[level, key]
                    heads[level, key] = k
                if following > 0:
                    leaving, entering = (
                        _token(times, symbols, k + 1),
                        _token(times, symbols, k + 1 + following),
                    )
                    rolling[level] = (
                        rolling[level] * multiplier + entering - leaving * powers[level]
                    )
            k += 1
    return words, False


@njit(cache=True, nogil=True)
def count_lz76_dense(sequence: np.ndarray, bits: int) -> tuple[int, bool]:
    """Count as :func:`count_lz76` does, for symbols of ``bits`` bits that are all frequent;
    candidates are found by their next q symbols.

    ``marked`` holds every word of up to q symbols that has begun before. A position marks its long
    words first and stops at the first one that is marked already, so marking costs little more than
    one access per position.
    """
    length = sequence.size
    total = 1
    while (1 << (total + 1)) < length and total < 22:
        total += 1
    q = max(1, total // bits)
    heads = np.full(1 << (bits * q), -1, np.int32)
    marked = np.zeros(1 << (bits * q), np.bool_)
    previous = np.empty(length, np.int32)
    mask = (1 << (bits * q)) - 1
    code = 0
    for j in range(q):
        code = (code << bits) | (np.int64(sequence[j]) if j < length else 0)
    start, words, work = 0, 0, 0
    budget = BUDGET * length + 10_000
    while start < length:
        remaining = length - start
        match = 0
        if remaining >= q and heads[code] >= 0:
            candidate = heads[code]
            while candidate >= 0:
                reach = q
                while reach < remaining and sequence[candidate + reach] == sequence[start + reach]:
                    reach += 1
                work += 1 + (reach >> 3)
                if reach > match:
                    match = reach
                    if match == remaining:
                        break
                candidate = previous[candidate]
            if work > budget:
                return -1, False
        else:
            size = min(q - 1, remaining)
            while size > 0 and not marked[(1 << (bits * size)) | (code >> (bits * (q - size)))]:
                size -= 1
            match = size
        words += 1
        if match >= remaining:
            return words, True
        for position in range(start, start + match + 1):
            size = length - position
            if size >= q:
                previous[position] = heads[code]
                heads[code] = position
                size = q
            size = min(size, q - 1)
            while size > 0 and not marked[(1 << (bits * size)) | (code >> (bits * (q - size)))]:
                marked[(1 << (bits * size)) | (code >> (bits * (q - size)))] = True
                size -= 1
            entering = position + q
            code = ((code << bits) & mask) | (
                np.int64(sequence[entering]) if entering < length else 0
            )
        start += match + 1
    return words, False


@njit(cache=True, nogil=True)
def _edge(
    first_edge: np.ndarray, next_edge: np.ndarray, label: np.ndarray, state: int, symbol: int
) -> int:
    edge: int = first_edge[state]
    while edge >= 0 and label[edge] != symbol:
        edge = next_edge[edge]
    return edge


@njit(cache=True, nogil=True)
def count_lz76_automaton(sequence: np.ndarray) -> tuple[int, bool]:
    """Count as :func:`count_lz76` does by a suffix automaton (Blumer et al. 1985), in linear time
    for every sequence and with 70 bytes per symbol."""
    length = sequence.size
    link, size = np.full(2 * length + 2, -1, np.int32), np.zeros(2 * length + 2, np.int32)
    first_end, first_edge = (
        np.zeros(2 * length + 2, np.int32),
        np.full(2 * length + 2, -1, np.int32),
    )
    next_edge, target = np.empty(3 * length + 3, np.int32), np.empty(3 * length + 3, np.int32)
    label = np.empty(3 * length + 3, np.int32)
    n_states, n_edges, last = 1, 0, 0
    for position in range(length):
        symbol = sequence[position]
        new = n_states
        n_states += 1
        size[new], first_end[new] = size[last] + 1, position
        state, edge = last, -1
        while state >= 0:
            edge = _edge(first_edge, next_edge, label, state, symbol)
            if edge >= 0:
                break
            label[n_edges], target[n_edges], next_edge[n_edges] = symbol, new, first_edge[state]
            first_edge[state] = n_edges
            n_edges += 1
            state = link[state]
        if state < 0:
            link[new] = 0
        elif size[target[edge]] == size[state] + 1:
            link[new] = target[edge]
        else:
            old, clone = target[edge], n_states
            n_states += 1
            size[clone], link[clone], first_end[clone] = size[state] + 1, link[old], first_end[old]
            copied = first_edge[old]
            while copied >= 0:
                label[n_edges], target[n_edges], next_edge[n_edges] = (
                    label[copied],
                    target[copied],
                    first_edge[clone],
                )
                first_edge[clone] = n_edges
                n_edges += 1
                copied = next_edge[copied]
            while state >= 0:
                edge = _edge(first_edge, next_edge, label, state, symbol)
                if edge < 0 or target[edge] != old:
                    break
                target[edge] = clone
                state = link[state]
            link[old], link[new] = clone, clone
        last = new
    words, state = 0, 0
    for position in range(length):
        edge = _edge(first_edge, next_edge, label, state, sequence[position])
        if edge >= 0 and first_end[target[edge]] < position:
            state = target[edge]
        else:
            words += 1
            state = 0
    return words + (state != 0), state != 0


@njit(cache=True, nogil=True)
def count_lz76_binary(times: np.ndarray, length: int) -> tuple[int, bool]:
    """Count LZ76 words of the binary sequence with ones at ``times``, by the most suitable of the
    three algorithms."""
    share = times.size / length
    dense = -np.log2(share**2 + (1 - share) ** 2) >= DENSE_BITS
    sequence = np.zeros(length if dense or share > 0.5 else 0, np.uint8)
    if sequence.size:
        _mark(sequence, times)
    if dense:
        words, unfinished = count_lz76_dense(sequence, 1)
    else:
        events = times if share <= 0.5 else _places_of_zeros(sequence)
        words, unfinished = count_lz76(events, np.ones(events.size, np.uint8), length)
    if words >= 0:
        return words, unfinished
    if not sequence.size:
        sequence = np.zeros(length, np.uint8)
        _mark(sequence, times)
    return count_lz76_automaton(sequence)


@njit(cache=True, nogil=True)
def _mark(sequence: np.ndarray, times: np.ndarray) -> None:
    """Ones at ``times``, by a loop: Numba compiles it much faster than an indexed array."""
    for time in times:
        sequence[time] = 1


@njit(cache=True, nogil=True)
def _places_of_zeros(sequence: np.ndarray) -> np.ndarray:
    count = 0
    for symbol in sequence:
        count += symbol == 0
    places, k = np.empty(count, np.int64), 0
    for place in range(sequence.size):
        if sequence[place] == 0:
            places[k] = place
            k += 1
    return places


@njit(cache=True, nogil=True)
def count_lz78(sequence: np.ndarray) -> tuple[int, bool]:
    """Words of the incremental parsing (Ziv & Lempel 1978), and whether the last is unfinished."""
    first_child, next_sibling = (
        np.full(sequence.size + 1, -1, np.int32),
        np.full(sequence.size + 1, -1, np.int32),
    )
    label = np.empty(sequence.size + 1, np.int32)
    nodes, node = 1, 0
    for symbol in sequence:
        child = first_child[node]
        while child >= 0 and label[child] != symbol:
            child = next_sibling[child]
        if child >= 0:
            node = child
        else:
            label[nodes], next_sibling[nodes] = symbol, first_child[node]
            first_child[node] = nodes
            nodes += 1
            node = 0
    return nodes - 1 + (node != 0), node != 0

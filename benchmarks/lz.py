"""LZ76 against antropy and lzcomplexity: counts asserted equal, then timed in turn.

antropy scans quadratically and is timed up to 1e5 symbols. lzcomplexity leaves an unfinished last
word out, so its count may be one less. Usage:

    python benchmarks/lz.py --csv
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import neurocode as nc
from benchmarks.timings import Timing, parser_of, present, print_csv

Count = Callable[[np.ndarray], int]

PEERS = ("lzcomplexity", "antropy")
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
#: Longest sequence of a peer that scans quadratically.
LARGEST = {"antropy": 10**5}
SOURCES = {"p=0.01": (2, 0.01), "p=0.05": (2, 0.05), "p=0.5": (2, 0.5), "8 symbols": (8, None)}
TRAINS, TRAIN_LENGTH = 1000, 10**4


def draw(alphabet: int, p: float | None, size: int, random: np.random.Generator) -> np.ndarray:
    """Independent symbols: Bernoulli with ``p``, or uniform over the alphabet."""
    return (
        (random.random(size) < p).astype(np.uint8)
        if p is not None
        else random.integers(0, alphabet, size).astype(np.uint8)
    )


def by_antropy() -> Count:
    """Count of antropy, which finishes the last word."""
    import antropy

    return lambda sequence: int(antropy.lziv_complexity(sequence, normalize=False))


def by_lzcomplexity() -> Count:
    """Count of lzcomplexity."""
    import lzcomplexity

    return lambda sequence: lzcomplexity.factorization(sequence.tobytes())[0]


def counts_of(peers: Sequence[str]) -> dict[str, Count]:
    """Our count and those of peers."""
    make = {"lzcomplexity": by_lzcomplexity, "antropy": by_antropy}
    return {"neurocode": nc.complexity.lz76, **{name: make[name]() for name in peers}}


def require_equal(functions: dict[str, Count], sequence: np.ndarray) -> None:
    """Stop unless peers count as we do; lzcomplexity may count one less."""
    counts = {name: function(sequence) for name, function in functions.items()}
    for name, count in counts.items():
        less = counts["neurocode"] - count
        assert less == 0 or (name == "lzcomplexity" and less == 1), counts


def timed(functions: dict[str, Callable], argument: object, repeats: int) -> dict[str, float]:
    """Median seconds of each function, called in turn."""
    seconds = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            began = time.perf_counter()
            function(argument)
            seconds[name].append(time.perf_counter() - began)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def many(count: Count) -> Callable[[list[np.ndarray]], list[int]]:
    """The count over many trains in a thread a core."""

    def run(trains: list[np.ndarray]) -> list[int]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(count, trains))

    return run


def bytes_a_symbol(size: int = 10**6) -> dict[str, float]:
    """Largest working arrays of the three counts, by their formulas."""
    return {
        "events, p=0.01": 0.01 * (8 + 1 + 4 * 3) + 3 * 4 * 16384 / size,
        "every position": 4 + 4 * 2**19 / size + 2**19 / size,
        "suffix automaton": 68.0,
    }


def timings_of(case: str, seconds: dict[str, float]) -> list[Timing]:
    """What was measured of a case, which is printed too."""
    print(f"{case}: " + ", ".join(f"{name} {1e3 * s:.4g} ms" for name, s in seconds.items()))
    return [
        Timing(case, name, theirs, seconds["neurocode"])
        for name, theirs in seconds.items()
        if name != "neurocode"
    ]


def measure(largest: float, peers: Sequence[str]) -> list[Timing]:
    """Sequences of every source and length, and many trains of one length."""
    functions, random, found = counts_of(peers), np.random.default_rng(1), []
    for source, (alphabet, p) in SOURCES.items():
        for size in (size for size in SIZES if size <= largest):
            sequence = draw(alphabet, p, size, random)
            asked = {n: f for n, f in functions.items() if size <= LARGEST.get(n, size)}
            require_equal(asked, sequence)
            seconds = timed(asked, sequence, 3 if size >= 10**5 else 9)
            found += timings_of(f"{source} n={size:.0e}", seconds)
        trains = [draw(alphabet, p, TRAIN_LENGTH, random) for _ in range(TRAINS)]
        side_by_side = {n: many(f) for n, f in functions.items() if n not in LARGEST}
        case = f"{source} {TRAINS} trains of {TRAIN_LENGTH:.0e}"
        found += timings_of(case, timed(side_by_side, trains, 3))
    return found


def main() -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    parser.add_argument("--largest", type=float, default=1e7, help="largest sequence")
    arguments = parser.parse_args()
    print(
        f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores; bytes a symbol (1e6): "
        f"{bytes_a_symbol()}"
    )
    timings = measure(arguments.largest, present(PEERS))
    if arguments.csv:
        print_csv("lz", timings)


if __name__ == "__main__":
    main()

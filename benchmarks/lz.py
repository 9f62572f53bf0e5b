"""LZ76 against antropy and lzcomplexity: counts asserted equal, then timed in turn.

antropy scans quadratically and is timed up to 1e5 symbols. lzcomplexity leaves an unfinished last
word out, so its count may be one less. Usage:

    python benchmarks/lz.py --csv
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import antropy
import lzcomplexity
import numpy as np

import neurocode as nc

SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
ANTROPY_SIZES = (10**3, 10**4, 10**5)
SOURCES = {"p=0.01": (2, 0.01), "p=0.05": (2, 0.05), "p=0.5": (2, 0.5), "8 symbols": (8, None)}
TRAINS, TRAIN_LENGTH = 1000, 10**4


def draw(alphabet: int, p: float | None, size: int, random: np.random.Generator) -> np.ndarray:
    """Independent symbols: Bernoulli with ``p``, or uniform over the alphabet."""
    return (
        (random.random(size) < p).astype(np.uint8)
        if p is not None
        else random.integers(0, alphabet, size).astype(np.uint8)
    )


def by_antropy(sequence: np.ndarray) -> int:
    """Count of antropy, which finishes the last word."""
    return int(antropy.lziv_complexity(sequence, normalize=False))


def by_lzcomplexity(sequence: np.ndarray) -> int:
    """Count of lzcomplexity."""
    return lzcomplexity.factorization(sequence.tobytes())[0]


def timed(functions: dict[str, Callable], argument: object, repeats: int) -> dict[str, float]:
    """Median seconds of each function, called in turn."""
    seconds = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            began = time.perf_counter()
            function(argument)
            seconds[name].append(time.perf_counter() - began)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def many(count: Callable[[np.ndarray], int]) -> Callable[[list[np.ndarray]], list[int]]:
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


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--largest", type=float, default=1e7, help="largest sequence")
    parser.add_argument(
        "--csv",
        action="store_true",
        help="end with benchmark,case,peer,peer_seconds,our_seconds,ratio",
    )
    arguments = parser.parse_args()
    print(
        f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores; bytes a symbol (1e6): "
        f"{bytes_a_symbol()}"
    )
    random, rows = np.random.default_rng(1), []
    for label, (alphabet, p) in SOURCES.items():
        for size in (size for size in SIZES if size <= arguments.largest):
            sequence = draw(alphabet, p, size, random)
            functions = {"neurocode": nc.complexity.lz76, "lzcomplexity": by_lzcomplexity}
            functions |= {"antropy": by_antropy} if size in ANTROPY_SIZES else {}
            counts = {name: function(sequence) for name, function in functions.items()}
            assert counts.get("antropy", counts["neurocode"]) == counts["neurocode"], counts
            assert counts["neurocode"] - counts["lzcomplexity"] in (0, 1), counts
            seconds = timed(functions, sequence, 3 if size >= 10**5 else 9)
            rows += [
                (f"{label} n={size:.0e}", peer, seconds[peer], seconds["neurocode"])
                for peer in seconds
                if peer != "neurocode"
            ]
            print(
                f"{label:>10}, n = {size:.0e}: "
                + ", ".join(f"{name} {value * 1e3:.4g} ms" for name, value in seconds.items())
            )
        trains = [draw(alphabet, p, TRAIN_LENGTH, random) for _ in range(TRAINS)]
        seconds = timed(
            {"neurocode": many(nc.complexity.lz76), "lzcomplexity": many(by_lzcomplexity)},
            trains,
            3,
        )
        rows.append(
            (
                f"{label} {TRAINS} trains of {TRAIN_LENGTH:.0e}",
                "lzcomplexity",
                seconds["lzcomplexity"],
                seconds["neurocode"],
            )
        )
        print(
            f"{label:>10}, {TRAINS} trains: "
            + ", ".join(f"{name} {value * 1e3:.4g} ms" for name, value in seconds.items())
        )
    if arguments.csv:
        print("benchmark,case,peer,peer_seconds,our_seconds,ratio")
        for case, peer, theirs, ours in rows:
            print(f"lz,{case},{peer},{theirs:.6g},{ours:.6g},{theirs / ours:.4g}")


if __name__ == "__main__":
    main()

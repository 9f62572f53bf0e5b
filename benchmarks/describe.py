"""Interval statistics of many units against a loop over Elephant, and the time of the whole
description.

python benchmarks/describe.py --csv
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

import neo
import numpy as np
import quantities as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

import neurocode as nc
from benchmarks.timings import Timing, parser_of, print_csv
from neurocode.statistics.variability import interval_statistics

SHARED = ("mean_isi", "min_isi", "cv", "cv2", "lv", "lvr")
ROUNDS = 3


def units(count: int, spikes: int, seed: int = 1) -> list[neo.SpikeTrain]:
    """Gamma renewal trains of different regularity."""
    random = np.random.default_rng(seed)
    trains = [
        np.cumsum(random.gamma(shape, 0.1 / shape, spikes))
        for shape in random.uniform(0.5, 8, count)
    ]
    return [neo.SpikeTrain(times * pq.s, t_stop=(times[-1] + 0.1) * pq.s) for times in trains]


def by_elephant(trains: list[neo.SpikeTrain]) -> np.ndarray:
    """The columns that both give, unit after unit."""
    from elephant.statistics import cv, cv2, isi, lv, lvr

    rows = []
    for train in trains:
        intervals = isi(train)
        values = [float(statistic(intervals)) for statistic in (cv, cv2, lv, lvr)]
        rows.append(
            [float(intervals.mean().rescale("s")), float(intervals.min().rescale("s")), *values]
        )
    return np.array(rows)


def by_us(trains: list[neo.SpikeTrain]) -> np.ndarray:
    """The same columns by the statistics of ``describe``."""
    return interval_statistics(trains)[list(SHARED)].to_numpy()


def measure(count: int, spikes: int) -> list[Timing]:
    """Both over the same trains in turn; stops unless the columns are equal to 1e-12."""
    trains = units(count, spikes)
    nc.describe(trains[:2], n_surrogates=19)
    by_elephant(trains[:2])
    seconds: dict[str, list[float]] = {"ours": [], "elephant": []}
    for _ in range(ROUNDS):
        columns = []
        for name, function in (("ours", by_us), ("elephant", by_elephant)):
            began = time.perf_counter()
            columns.append(function(trains))
            seconds[name].append(time.perf_counter() - began)
        np.testing.assert_allclose(*columns, rtol=1e-12)
    ours, theirs = (float(np.median(values)) for values in seconds.values())
    case = f"{count} units x {spikes} spikes"
    print(f"{case}: Elephant {theirs:.2f} s, neurocode {ours:.3f} s; equal to 1e-12")
    return [Timing(case, "Elephant", theirs, ours)]


def whole_description(count: int, spikes: int, surrogates: int = 200) -> float:
    """Seconds of the whole table, surrogates included."""
    trains = units(count, spikes)
    nc.describe(trains[:2], n_surrogates=19)
    began = time.perf_counter()
    nc.describe(trains, n_surrogates=surrogates)
    seconds = time.perf_counter() - began
    print(f"whole description with {surrogates} surrogates of each kind a unit: {seconds:.1f} s")
    return seconds


def main() -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    parser.add_argument("--units", type=int, default=5000)
    parser.add_argument("--spikes", type=int, default=200)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    timings = measure(arguments.units, arguments.spikes)
    whole_description(arguments.units, arguments.spikes)
    if arguments.csv:
        print_csv("describe", timings)


if __name__ == "__main__":
    main()

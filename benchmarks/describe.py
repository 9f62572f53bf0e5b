"""Interval statistics of many units against a loop over Elephant, and the time of the whole
description.

python benchmarks/describe.py --csv
"""

from __future__ import annotations

import argparse
import os
import time
import warnings

import elephant.statistics
import neo
import numpy as np
import quantities as pq

import neurocode as nc
from neurocode.statistics.variability import interval_statistics

SHARED = ("mean_isi", "min_isi", "cv", "cv2", "lv", "lvr")


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
    rows = []
    for train in trains:
        intervals = elephant.statistics.isi(train)
        values = [
            float(f(intervals))
            for f in (
                elephant.statistics.cv,
                elephant.statistics.cv2,
                elephant.statistics.lv,
                elephant.statistics.lvr,
            )
        ]
        rows.append(
            [float(intervals.mean().rescale("s")), float(intervals.min().rescale("s")), *values]
        )
    return np.array(rows)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=5000)
    parser.add_argument("--spikes", type=int, default=200)
    parser.add_argument(
        "--csv",
        action="store_true",
        help="end with benchmark,case,peer,peer_seconds,our_seconds,ratio",
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    trains = units(arguments.units, arguments.spikes)
    nc.describe(trains[:2], n_surrogates=19)
    seconds = {"neurocode": [], "elephant": []}
    for _ in range(3):
        began = time.perf_counter()
        ours = interval_statistics(trains)[list(SHARED)].to_numpy()
        seconds["neurocode"].append(time.perf_counter() - began)
        began = time.perf_counter()
        theirs = by_elephant(trains)
        seconds["elephant"].append(time.perf_counter() - began)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    peer, our = (float(np.median(seconds[name])) for name in ("elephant", "neurocode"))
    print(
        f"{arguments.units} units x {arguments.spikes} spikes: Elephant {peer:.2f} s, neurocode "
        f"{our:.3f} s; equal to 1e-12"
    )
    began = time.perf_counter()
    nc.describe(trains, n_surrogates=200)
    print(
        f"whole description with 200 surrogates of each kind a unit: "
        f"{time.perf_counter() - began:.1f} s"
    )
    if arguments.csv:
        print("benchmark,case,peer,peer_seconds,our_seconds,ratio")
        print(
            f"describe,{arguments.units} units x {arguments.spikes} "
            f"spikes,elephant,{peer:.4g},{our:.4g},{peer / our:.4g}"
        )


if __name__ == "__main__":
    main()

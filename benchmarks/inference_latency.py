"""From a train of inputs to a decision by complexity: a batch of one, from one array to the other.

Three layers of 64, 64 and 10 neurons on 64 inputs, weights at random, scaled so that every layer
fires; the complexity of the ten output trains, their mean and a threshold. Single precision, one
call after another on one thread. A busy machine is refused. Usage:

    OMP_NUM_THREADS=1 python benchmarks/inference_latency.py --csv

"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import neurocode as nc
from benchmarks.quiet import refuse_busy_machine
from neurocode.learning import Dense, Layer, Network, Readout
from neurocode.statistics import raster_complexities

SIZES, DT = (64, 64, 64, 10), 1e-3
#: Scale of the weights by which the layers fire in about a tenth of the bins or more.
NEURONS = {"lif": (nc.models.normalised_lif, 28.0), "meta-neuron": (nc.models.meta_neuron, 6.0)}
LENGTHS, SHARE, THRESHOLD = (100, 500), 0.2, 0.5


def network(name: str) -> Network:
    """Three layers of one kind of neuron, with positive weights in part so that none is silent."""
    make, gain = NEURONS[name]
    keys = jax.random.split(jax.random.key(0), len(SIZES))
    layers = [
        Layer(Dense(a, b, key=key), make(), DT)
        for a, b, key in zip(SIZES, SIZES[1:], keys, strict=False)
    ]
    net = Network([*layers, Readout(Dense(SIZES[-1], 2, key=keys[-1]), DT)])
    return jax.tree.map(lambda leaf: gain * (leaf + 0.02) if leaf.ndim == 2 else leaf, net)


def milliseconds(call: Callable[[], object], calls: int) -> np.ndarray:
    """Time of every call."""
    call()
    found = np.empty(calls)
    for k in range(calls):
        began = time.perf_counter()
        call()
        found[k] = time.perf_counter() - began
    return 1e3 * found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument(
        "--csv", action="store_true", help="end with neuron,bins,part,median_ms,percentile_95_ms"
    )
    arguments = parser.parse_args()
    refuse_busy_machine()
    rows = []
    for name in NEURONS:
        net = network(name)
        spikes = jax.jit(lambda x, net=net: net(x[:, None]).spikes)
        for bins in LENGTHS:
            x = (np.random.default_rng(0).random((bins, SIZES[0])) < SHARE).astype(np.float32)
            print(
                f"{name}, {bins} bins: spikes in",
                ", ".join(f"{own.mean():.1%}" for own in spikes(x)),
                "of the bins",
            )

            def answer(spikes: Callable = spikes, x: np.ndarray = x) -> np.ndarray:
                return np.asarray(spikes(x)[-1])

            def decide(trains: np.ndarray) -> bool:
                return bool(raster_complexities(np.moveaxis(trains, 0, 2)).mean() > THRESHOLD)

            trains = answer()
            parts = {
                "network": answer,
                "complexity": lambda trains=trains, decide=decide: decide(trains),
                "both": lambda answer=answer, decide=decide: decide(answer()),
            }
            for part, call in parts.items():
                times = milliseconds(call, arguments.calls)
                rows.append((name, bins, part, np.median(times), np.quantile(times, 0.95)))
                print(
                    f"  {part:10s} median {rows[-1][3]:.3f} ms, 95th percentile {rows[-1][4]:.3f} "
                    f"ms"
                )
    if arguments.csv:
        print("neuron,bins,part,median_ms,percentile_95_ms")
        for row in rows:
            print(",".join([*map(str, row[:3]), *(f"{value:.4f}" for value in row[3:])]))


if __name__ == "__main__":
    main()

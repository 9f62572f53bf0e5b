"""Throughput of large noisy populations against Brian2: Cython at runtime and C++ standalone with
OpenMP.

First the same leaky integrate-and-fire neurons with white noise by the same method (plain Euler,
0.1 ms) in all three, interleaved. Then the seconds until the rate is right to 0.5 %: Brian2 with a
smaller and smaller time step, ours with crossings inside the step. Usage:

    python benchmarks/population.py --csv

"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace

import brian2
import numpy as np
from scipy.integrate import quad
from scipy.special import erfcx

import neurocode as nc
from neurocode.models import NeuronModel
from neurocode.simulation.brian import neuron_group
from neurocode.simulation.numba_engine import run_numba

#: Accuracy of the rate that the second part asks for.
ACCURACY = 0.005


def siegert(model: NeuronModel) -> float:
    """Rate in hertz (Siegert 1951)."""
    v = model.values
    deviation, mean = v["sigma"] * np.sqrt(v["tau"]), v["E_L"] + v["mu"] * v["tau"]
    integral = quad(
        lambda x: erfcx(-x), (v["V_r"] - mean) / deviation, (v["V_T"] - mean) / deviation
    )[0]
    return 1.0 / (v["t_ref"] + v["tau"] * np.sqrt(np.pi) * integral)


def by_brian(
    model: NeuronModel, n: int, duration: float, dt: float, target: str, seed: int
) -> tuple[float, float]:
    """Seconds of the run itself, compilation apart, and rate in hertz."""
    brian2.seed(seed)
    if target == "cython":
        brian2.prefs.codegen.target = "cython"
        group = neuron_group(model, n, dt)
        monitor = brian2.SpikeMonitor(group)
        network = brian2.Network(group, monitor)
        network.run(2 * dt * brian2.second, namespace={})
        before = monitor.num_spikes
        began = time.perf_counter()
        network.run(duration * brian2.second, namespace={})
        return time.perf_counter() - began, (monitor.num_spikes - before) / n / duration
    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.prefs.devices.cpp_standalone.openmp_threads = os.cpu_count()
    try:
        group = neuron_group(model, n, dt)
        monitor = brian2.SpikeMonitor(group)
        network = brian2.Network(group, monitor)
        network.run(duration * brian2.second, namespace={})
        with tempfile.TemporaryDirectory() as directory:
            brian2.device.build(directory=directory, compile=True, run=True)
            spikes = monitor.num_spikes
            seconds = brian2.device._last_run_time
        return seconds, spikes / n / duration
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


def by_us(model: NeuronModel, n: int, duration: float, dt: float, seed: int) -> tuple[float, float]:
    """Seconds and rate in hertz."""
    began = time.perf_counter()
    run = run_numba(model, dt, round(duration / dt), n, parameters={}, stimulus=None, seed=seed)
    return time.perf_counter() - began, sum(map(len, run.spike_steps)) / n / duration


def share_of_random_numbers(n: int, duration: float, dt: float, seconds: float) -> float:
    """Share of our time that drawing as many normal numbers takes, on all cores."""
    import numba

    @numba.njit(nogil=True)
    def draw(rng: np.random.Generator, count: int) -> float:
        total = 0.0
        for _ in range(count):
            total += rng.standard_normal()
        return total

    rng = np.random.Generator(np.random.SFC64(1))
    draw(rng, 10)
    began = time.perf_counter()
    draw(rng, 20_000_000)
    each = (time.perf_counter() - began) / 20e6
    return each * n * duration / dt / (os.cpu_count() or 1) / seconds


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--neurons", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--csv",
        action="store_true",
        help="end with benchmark,case,peer,peer_seconds,our_seconds,ratio",
    )
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    inside = nc.models.lif_diffusive()
    euler = replace(inside, within_step=False, integrator="euler")
    truth = siegert(inside)
    n, duration, dt = arguments.neurons, arguments.seconds, 1e-4
    by_us(euler, 2, 0.1, dt, 0), by_us(inside, 2, 0.1, dt, 0)
    rounds = {"ours": [], "cython": [], "standalone": []}
    for number in range(arguments.rounds):
        rounds["ours"].append(by_us(euler, n, duration, dt, number))
        for target in ("cython", "standalone"):
            rounds[target].append(by_brian(euler, n, duration, dt, target, number))
    lines, median = (
        [],
        {
            name: float(np.median([seconds for seconds, _ in values]))
            for name, values in rounds.items()
        },
    )
    for name, values in rounds.items():
        rate = np.mean([rate for _, rate in values])
        speed = n * duration / dt / median[name]
        print(
            f"Euler, {n} neurons x {duration:g} s: {name} {median[name]:.3f} s, {speed:.2e} "
            f"neuron-steps a second, {rate:.3f} Hz"
        )
    share = share_of_random_numbers(n, duration, dt, median["ours"])
    print(f"drawing the normal numbers alone is {share:.0%} of our time")
    for peer in ("cython", "standalone"):
        lines.append(
            f"population,same method,Brian2 "
            f"{peer},{median[peer]:.4f},{median['ours']:.4f},{median[peer] / median['ours']:.2f}"
        )
    ours, rate = by_us(inside, n, duration, 4e-4, 1)
    for step in (4e-4, 1e-4):
        seconds, rate = by_us(inside, n, duration, step, 1)
        print(
            f"crossings inside the step, {step * 1e3:g} ms: {seconds:.3f} s, rate error "
            f"{rate / truth - 1:+.3%}"
        )
        ours = seconds if step == 4e-4 else ours
    for step, length in ((1e-4, duration), (1e-5, duration), (1e-6, duration / 5)):
        seconds, rate = by_brian(euler, n, length, step, "standalone", 5)
        error = rate / truth - 1
        print(
            f"Brian2 standalone, Euler, {step * 1e3:g} ms: {seconds * duration / length:.1f} s, "
            f"rate error {error:+.3%}"
        )
        if abs(error) < ACCURACY:
            break
    cython, _ = by_brian(euler, n, 2000 * step, step, "cython", 5)
    best = {"standalone": seconds * duration / length, "cython": cython * duration / (2000 * step)}
    print(
        f"Brian2 cython at that step: {best['cython']:.1f} s for {duration:g} s, from {2000} steps"
    )
    for peer, seconds in best.items():
        lines.append(
            f"population,rate within 0.5 %,Brian2 "
            f"{peer},{seconds:.4f},{ours:.4f},{seconds / ours:.2f}"
        )
    if arguments.csv:
        print("benchmark,case,peer,peer_seconds,our_seconds,ratio")
        print("\n".join(lines))


if __name__ == "__main__":
    main()

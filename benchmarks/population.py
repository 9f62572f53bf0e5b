"""Throughput of large noisy populations against Brian2: Cython at runtime and C++ standalone with
OpenMP.

First the same leaky integrate-and-fire neurons with white noise by the same method (plain Euler,
0.1 ms) in all three, interleaved. Then the seconds until the rate is right to 0.5 %: Brian2 with a
smaller and smaller time step, ours with crossings inside the step. Usage:

    python benchmarks/population.py --csv

"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import brian2
import numpy as np
from scipy.integrate import quad
from scipy.special import erfcx

sys.path.insert(0, str(Path(__file__).parents[1]))

import neurocode as nc
from benchmarks.timings import Timing, parser_of, print_csv
from neurocode.models import NeuronModel
from neurocode.simulation.brian import neuron_group
from neurocode.simulation.numba_engine import run_numba

#: Accuracy of the rate that the second part asks for.
ACCURACY = 0.005
#: Targets of Brian2, and the time step of the first part and of our crossings inside the step.
TARGETS, STEP, OUR_STEP = ("cython", "standalone"), 1e-4, 4e-4
#: Steps of which Cython's time for the second part is reckoned.
COUNTED_STEPS = 2000


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


def same_method(n: int, duration: float, n_rounds: int) -> list[Timing]:
    """Euler's method in all three, interleaved."""
    euler = replace(nc.models.lif_diffusive(), within_step=False, integrator="euler")
    by_us(euler, 2, 0.1, STEP, 0)
    rounds: dict[str, list[tuple[float, float]]] = {"ours": [], "cython": [], "standalone": []}
    for seed in range(n_rounds):
        rounds["ours"].append(by_us(euler, n, duration, STEP, seed))
        for target in TARGETS:
            rounds[target].append(by_brian(euler, n, duration, STEP, target, seed))
    medians = {}
    for name, values in rounds.items():
        medians[name] = float(np.median([seconds for seconds, _ in values]))
        rate = np.mean([rate for _, rate in values])
        print(
            f"Euler, {n} neurons x {duration:g} s: {name} {medians[name]:.3f} s, "
            f"{n * duration / STEP / medians[name]:.2e} neuron-steps a second, {rate:.3f} Hz"
        )
    share = share_of_random_numbers(n, duration, STEP, medians["ours"])
    print(f"drawing the normal numbers alone is {share:.0%} of our time")
    return [
        Timing("same method", f"Brian2 {target}", medians[target], medians["ours"])
        for target in TARGETS
    ]


def our_accurate_run(n: int, duration: float, truth: float) -> float:
    """Seconds with crossings inside the step; the rate's error is printed for two steps."""
    inside = nc.models.lif_diffusive()
    by_us(inside, 2, 0.1, STEP, 0)
    by_us(inside, n, duration, OUR_STEP, 1)
    seconds = {}
    for step in (OUR_STEP, STEP):
        seconds[step], rate = by_us(inside, n, duration, step, 1)
        print(
            f"crossings inside the step, {step * 1e3:g} ms: {seconds[step]:.3f} s, rate error "
            f"{rate / truth - 1:+.3%}"
        )
    return seconds[OUR_STEP]


def brians_accurate_run(n: int, duration: float, truth: float) -> dict[str, float]:
    """Seconds of Brian2 with the first step whose rate is right to ``ACCURACY``; Cython's are
    reckoned from some steps."""
    euler = replace(nc.models.lif_diffusive(), within_step=False, integrator="euler")
    for step, length in ((1e-4, duration), (1e-5, duration), (1e-6, duration / 5)):
        seconds, rate = by_brian(euler, n, length, step, "standalone", 5)
        error, whole = rate / truth - 1, seconds * duration / length
        print(
            f"Brian2 standalone, Euler, {step * 1e3:g} ms: {whole:.1f} s, rate error {error:+.3%}"
        )
        if abs(error) < ACCURACY:
            break
    counted = COUNTED_STEPS * step
    cython, _ = by_brian(euler, n, counted, step, "cython", 5)
    print(
        f"Brian2 cython at that step: {cython * duration / counted:.1f} s for {duration:g} s, "
        f"from {COUNTED_STEPS} steps"
    )
    return {"standalone": whole, "cython": cython * duration / counted}


def accurate(n: int, duration: float) -> list[Timing]:
    """Seconds until the rate is right to ``ACCURACY``."""
    truth = siegert(nc.models.lif_diffusive())
    ours = our_accurate_run(n, duration, truth)
    return [
        Timing("rate within 0.5 %", f"Brian2 {target}", theirs, ours)
        for target, theirs in brians_accurate_run(n, duration, truth).items()
    ]


def main() -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    parser.add_argument("--neurons", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    timings = same_method(arguments.neurons, arguments.seconds, arguments.rounds)
    timings += accurate(arguments.neurons, arguments.seconds)
    if arguments.csv:
        print_csv("population", timings)


if __name__ == "__main__":
    main()

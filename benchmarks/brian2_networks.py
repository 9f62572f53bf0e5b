"""Whole networks of Brian2 in the engines of neurocode, in Cython and in C++: spikes, seconds.

The networks are Brian2's own examples CUBA and COBAHH (4000 neurons, 1 s) and STDP (1000 inputs,
10 s). Every engine is compiled before it is timed; the timed runs of one process take turns. C++
runs in a process of its own, and only the loop is counted. Spikes of CUBA and COBAHH are compared
one by one; STDP draws its inputs at random. Usage:

    python benchmarks/brian2_networks.py --csv benchmarks/brian2_networks.csv
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import Hz, Network, ms, mV, nS, second, siemens, uF, umetre

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def cuba() -> Network:
    """Network with current-based synapses (Vogels & Abbott 2005), as Brian2's example CUBA."""
    names = {
        "taum": 20 * ms,
        "taue": 5 * ms,
        "taui": 10 * ms,
        "Vt": -50 * mV,
        "Vr": -60 * mV,
        "El": -49 * mV,
    }
    neurons = brian2.NeuronGroup(
        4000,
        """dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
        dge/dt = -ge/taue : volt
        dgi/dt = -gi/taui : volt""",
        threshold="v > Vt",
        reset="v = Vr",
        refractory=5 * ms,
        method="exact",
        namespace=names,
    )
    neurons.v = "Vr + rand()*(Vt - Vr)"
    return connected(neurons, 1.62 * mV, -9 * mV)


def cobahh() -> Network:
    """Network of Hodgkin-Huxley neurons (Brette et al. 2007), as Brian2's example COBAHH."""
    area = 20000 * umetre**2
    per_area = siemens / brian2.cm**2 * area
    names = {
        "Cm": 1 * uF / brian2.cm**2 * area,
        "gl": 5e-5 * per_area,
        "g_na": 0.1 * per_area,
        "g_kd": 0.03 * per_area,
        "El": -60 * mV,
        "EK": -90 * mV,
        "ENa": 50 * mV,
        "VT": -63 * mV,
        "taue": 5 * ms,
        "taui": 10 * ms,
        "Ee": 0 * mV,
        "Ei": -80 * mV,
    }
    neurons = brian2.NeuronGroup(
        4000,
        """dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v) - g_na*(m*m*m)*h*(v - ENa)
            - g_kd*(n*n*n*n)*(v - EK))/Cm : volt
        dm/dt = alpha_m*(1 - m) - beta_m*m : 1
        dn/dt = alpha_n*(1 - n) - beta_n*n : 1
        dh/dt = alpha_h*(1 - h) - beta_h*h : 1
        dge/dt = -ge/taue : siemens
        dgi/dt = -gi/taui : siemens
        alpha_m = 0.32*(mV**-1)*4*mV/exprel((13*mV - v + VT)/(4*mV))/ms : Hz
        beta_m = 0.28*(mV**-1)*5*mV/exprel((v - VT - 40*mV)/(5*mV))/ms : Hz
        alpha_h = 0.128*exp((17*mV - v + VT)/(18*mV))/ms : Hz
        beta_h = 4./(1 + exp((40*mV - v + VT)/(5*mV)))/ms : Hz
        alpha_n = 0.032*(mV**-1)*5*mV/exprel((15*mV - v + VT)/(5*mV))/ms : Hz
        beta_n = .5*exp((10*mV - v + VT)/(40*mV))/ms : Hz""",
        threshold="v > -20*mV",
        refractory=3 * ms,
        method="exponential_euler",
        namespace=names,
    )
    neurons.v = "El + (randn()*5 - 5)*mV"
    neurons.ge = "(randn()*1.5 + 4)*10.*nS"
    neurons.gi = "(randn()*12 + 20)*10.*nS"
    return connected(neurons, 6 * nS, 67 * nS)


def connected(neurons: Any, excitation: Any, inhibition: Any) -> Network:
    """Connect the first four fifths of the neurons by ``ge``, the others by ``gi``."""
    excite, inhibit = (
        brian2.Synapses(neurons, neurons, on_pre=f"{name} += w", namespace={"w": weight})
        for name, weight in (("ge", excitation), ("gi", inhibition))
    )
    excite.connect("i < 3200", p=0.02)
    inhibit.connect("i >= 3200", p=0.02)
    return Network(neurons, excite, inhibit, brian2.SpikeMonitor(neurons, name="spikes"))


def stdp() -> Network:
    """Plastic synapses on one neuron (Song, Miller & Abbott 2000), as Brian2's example STDP."""
    names = {
        "taum": 10 * ms,
        "taupre": 20 * ms,
        "taupost": 20 * ms,
        "Ee": 0 * mV,
        "vt": -54 * mV,
        "vr": -60 * mV,
        "El": -74 * mV,
        "taue": 5 * ms,
        "gmax": 0.01,
        "dApre": 1e-4,
        "dApost": -1.05e-4,
    }
    inputs = brian2.PoissonGroup(1000, rates=15 * Hz)
    neurons = brian2.NeuronGroup(
        1,
        "dv/dt = (ge*(Ee - v) + El - v)/taum : volt\ndge/dt = -ge/taue : 1",
        threshold="v > vt",
        reset="v = vr",
        method="euler",
        namespace=names,
    )
    neurons.v = -60 * mV
    synapses = brian2.Synapses(
        inputs,
        neurons,
        """w : 1
        dApre/dt = -Apre/taupre : 1 (event-driven)
        dApost/dt = -Apost/taupost : 1 (event-driven)""",
        on_pre="ge += w\nApre += dApre\nw = clip(w + Apost, 0, gmax)",
        on_post="Apost += dApost\nw = clip(w + Apre, 0, gmax)",
        namespace=names,
    )
    synapses.connect()
    synapses.w = "rand()*gmax"
    return Network(inputs, neurons, synapses, brian2.SpikeMonitor(inputs, name="spikes"))


NETWORKS: dict[str, tuple[Callable[[], Network], float, bool]] = {
    "CUBA": (cuba, 1.0, True),
    "COBAHH": (cobahh, 1.0, True),
    "STDP": (stdp, 10.0, False),
}


def measured(name: str, repeats: int) -> dict[str, object]:
    """Run one network everywhere."""
    import neurocode as nc

    make, duration, same = NETWORKS[name]
    brian2.start_scope()
    brian2.seed(1)
    brian2.prefs.codegen.target = "cython"
    net = make()
    network = nc.from_brian(net)
    arguments = network._n_steps(duration), network.captured.arrays, network.captured.constants, 0
    net.store()

    def cython() -> set[tuple[int, int]]:
        net.restore()
        net.run(duration * second)
        monitor = net["spikes"]
        return set(zip(np.round(monitor.t_ / network.plan.dt).astype(int), monitor.i, strict=True))

    def engine(kind: str) -> set[tuple[int, int]]:
        parts = [p["spikes"] for p in network._runner(kind)(*arguments)[1] if "spikes" in p]
        rows, neurons = (
            np.concatenate([getattr(p, w) for p in parts]) for w in ("rows", "neurons")
        )
        return set(zip(rows, neurons, strict=True))

    runs: dict[str, Callable[[], set]] = {
        "cython": cython,
        "jax": lambda: engine("jax"),
        "numba": lambda: engine("numba"),
    }
    spikes, seconds = {}, {kind: [] for kind in runs}
    first = {}
    for turn in range(repeats + 1):
        for kind, run in runs.items():
            began = time.perf_counter()
            spikes[kind] = run()
            taken = time.perf_counter() - began
            if turn == 0:
                first[kind] = taken
            else:
                seconds[kind].append(taken)
    row: dict[str, object] = {"network": name, "simulated": duration}
    row["spikes"] = len(spikes["cython"])
    for kind in ("jax", "numba"):
        row[f"differing_{kind}"] = len(spikes[kind] ^ spikes["cython"]) if same else ""
    for kind, values in seconds.items():
        row[f"{kind}_median"] = round(float(np.median(values)), 3)
        row[f"{kind}_fastest"] = round(min(values), 3)
        row[f"{kind}_first"] = round(first[kind], 2)
    row["cpp_loop"] = round(standalone(name, repeats), 3)
    return row


def standalone(name: str, repeats: int) -> float:
    """Fewest seconds of the loop of Brian2's C++ program."""
    code = (
        "import sys, brian2; sys.path.insert(0, {root!r})\n"
        "brian2.set_device('cpp_standalone', directory={folder!r}, build_on_run=False)\n"
        "from benchmarks.brian2_networks import NETWORKS\n"
        "brian2.seed(1); make, duration, _ = NETWORKS[{name!r}]\n"
        "net = make(); net.run(duration*brian2.second)\n"
        "brian2.device.build(directory={folder!r}, compile=True, run=False, debug=False)\n"
        "for _ in range({repeats}):\n"
        "    brian2.device.run({folder!r}, with_output=False, run_args=[])\n"
        "    print('loop', brian2.device._last_run_time)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        text = code.format(root=str(ROOT), folder=folder, name=name, repeats=repeats)
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=True
        )
    return min(float(each) for each in done.stdout.split("loop")[1:])


def main() -> None:
    """Measure all networks, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=tuple(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--csv", type=Path, help="file for the table")
    given = parser.parse_args()
    rows = []
    for name in given.only:
        rows.append(measured(name, given.repeats))
        print(rows[-1], flush=True)
    if given.csv:
        with given.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()

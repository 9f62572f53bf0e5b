"""Fits to spike times alone against the method of Ladenbauer et al. 2019, rebuilt: same data, same
run.

The peer maximises the same likelihood with Nelder-Mead, its density from a Fokker-Planck equation
by finite volumes and implicit Euler steps, compiled; it gives no standard errors. Grid, time step,
start and tolerances of the peer are ours. Both likelihoods are evaluated at the end by one solver
on a fine mesh. Usage:

    python benchmarks/spike_times.py --sets 100 --csv

"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from rich.progress import track
from scipy.optimize import minimize

import neurocode as nc
from neurocode.inference.passage import Intervals
from neurocode.inference.passage.equations import passage_equations
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.passage.resolution import mesh_of
from neurocode.inference.passage.start import starting_models

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "analyses" / "diffusion"))
from recovery import N_INTERVALS, spike_times

from benchmarks.timings import Timing, parser_of, print_csv

#: Peer: cells between lowest potential and threshold, time step (ms), lowest potential below reset
#: (mV).
PEER_CELLS, PEER_STEP, PEER_LOWEST = 300, 0.1, 20.0
CASES = {"lif-diffusive": 10.0, "eif-diffusive": 20.0}


@numba.njit(cache=True)
def peer_density(
    mu: float,
    sigma: float,
    tau: float,
    exponential: float,
    peak: float,
    t_max: float,
    cells: int,
    step: float,
    low: float,
):
    """Interval density (1/ms) on a grid of times, reset at 0, leak reversal at 5, threshold of
    initiation at 10 mV."""
    width = (peak + low) / cells
    half = 0.5 * sigma * sigma
    up, down = np.zeros(cells), np.zeros(cells)
    for i in range(cells):
        v = -low + (i + 1) * width
        drift = (5.0 - v + exponential * 2.0 * np.exp((v - 10.0) / 2.0)) / tau + mu
        z = width * drift / half
        fitted = z / np.expm1(z) if abs(z) > 1e-6 else 1.0 - z / 2
        up[i], down[i] = half / width**2 * (fitted + z), half / width**2 * fitted
    down[cells - 1] = 0.0
    p = np.zeros(cells)
    p[int(low / width)] = 1.0
    n = int(t_max / step) + 2
    density = np.zeros(n)
    ratio, y = np.zeros(cells), np.zeros(cells)
    for k in range(1, n):
        pivot = 1.0 + step * up[0]
        y[0] = p[0] / pivot
        for i in range(1, cells):
            ratio[i] = step * down[i - 1] / pivot
            pivot = 1.0 + step * (up[i] + down[i - 1]) - ratio[i] * step * up[i - 1]
            y[i] = (p[i] + step * up[i - 1] * y[i - 1]) / pivot
        p[cells - 1] = y[cells - 1]
        for i in range(cells - 2, -1, -1):
            p[i] = y[i] + ratio[i + 1] * p[i + 1]
        density[k] = up[cells - 1] * p[cells - 1]
    return density


def fit_peer(name: str, intervals: Intervals) -> tuple[dict[str, float], float, int]:
    """Nelder-Mead from the same start; parameters in the library's units, seconds, evaluations."""
    lengths = intervals.lengths * 1e3
    start = starting_models(nc.models.by_name(name), intervals)[1]
    x = np.array(
        [
            start.parameters["mu"].value,
            *(np.log(start.parameters[n].value) for n in ("sigma", "tau")),
        ]
    )
    x = np.append(x, min(start.parameters["t_ref"].value, 0.9 * lengths.min()))
    began = time.perf_counter()

    def cost(x: np.ndarray) -> float:
        mu, sigma, tau, refractory = x[0], np.exp(x[1]), np.exp(x[2]), x[3]
        if not 0 <= refractory < lengths.min() or not 0.5 < tau < 500 or not 0.005 < sigma < 50:
            return 1e10
        density = peer_density(
            mu,
            sigma,
            tau,
            float(name.startswith("eif")),
            CASES[name],
            lengths.max(),
            PEER_CELLS,
            PEER_STEP,
            PEER_LOWEST,
        )
        found = np.interp(lengths - refractory, PEER_STEP * np.arange(len(density)), density)
        return -float(np.sum(np.log(np.maximum(found, 1e-300))))

    result = minimize(
        cost, x, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-4, "maxfev": 4000}
    )
    values = {
        "mu": result.x[0],
        "sigma": np.exp(result.x[1]),
        "tau": np.exp(result.x[2]),
        "t_ref": result.x[3],
    }
    return values, time.perf_counter() - began, result.nfev


def judged(name: str, intervals: Intervals, values: dict[str, float]) -> float:
    """Log-likelihood of both, on one fine mesh, the interval that no spike ends left out."""
    model = nc.models.by_name(name)
    bounds = model.parameters["t_ref"].bounds
    model = model.with_parameters(
        {**values, "t_ref": float(np.clip(values["t_ref"], bounds[0], bounds[1]))}
    )
    equations = passage_equations(model)
    likelihood = PassageLikelihood(
        model,
        equations,
        intervals,
        mesh_of(model, equations, intervals, 40.0, 50.0),
        extrapolate=True,
    )
    return float(np.sum(likelihood.solution(likelihood.origin).log_density[intervals.observed]))


def main() -> None:
    """Run the benchmark."""
    parser = parser_of(__doc__)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--case", action="append", choices=tuple(CASES))
    parser.add_argument(
        "--prior-width", type=float, default=3.0, help="of our fit, in unconstrained coordinates"
    )
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    timings = []
    for name in arguments.case or CASES:
        warm = Intervals.of(spike_times(name, N_INTERVALS, seed=999))
        nc.fit(nc.models.by_name(name), spike_times(name, N_INTERVALS, seed=999))
        fit_peer(name, warm)
        rows = []
        for seed in track(range(arguments.sets), name):
            times = spike_times(name, N_INTERVALS, seed)
            intervals = Intervals.of(times)
            began = time.perf_counter()
            result = nc.fit(nc.models.by_name(name), times, prior_width=arguments.prior_width)
            seconds = time.perf_counter() - began
            ours = {n: result.parameters[n].value for n in ("mu", "sigma", "tau", "t_ref")}
            theirs, peer_seconds, evaluations = fit_peer(name, intervals)
            row = {
                "seed": seed,
                "our_seconds": seconds,
                "peer_seconds": peer_seconds,
                "evaluations": evaluations,
                "converged": result.converged,
            }
            row["gain"] = judged(name, intervals, ours) - judged(name, intervals, theirs)
            row |= {f"our_{n}": v for n, v in ours.items()} | {
                f"peer_{n}": v for n, v in theirs.items()
            }
            rows.append(row)
        table = pd.DataFrame(rows)
        print(
            f"\n{name}, {len(table)} data sets of {N_INTERVALS} intervals, converged "
            f"{table['converged'].mean():.0%}"
        )
        for parameter in ("mu", "sigma", "tau", "t_ref"):
            truth = nc.models.by_name(name).parameters[parameter].value
            errors = [
                np.sqrt(np.mean((table[f"{who}_{parameter}"] - truth) ** 2))
                for who in ("our", "peer")
            ]
            print(
                f"  root mean square error of {parameter}: ours {errors[0]:.4g}, peer "
                f"{errors[1]:.4g} (truth {truth:g})"
            )
        for slack in (0.0, 0.01, 0.1):
            print(
                f"  our log-likelihood not more than {slack} nats below the peer's in "
                f"{np.mean(table['gain'] >= -slack):.0%}"
            )
        print(
            f"  gain in nats: quantiles "
            f"{np.round(np.quantile(table['gain'], [0, 0.05, 0.5, 0.95, 1]), 4)}"
        )
        ours, theirs = table["our_seconds"].median(), table["peer_seconds"].median()
        print(
            f"  seconds a fit: ours with standard errors {ours:.3f}, peer without {theirs:.3f}, "
            f"{table['evaluations'].median():.0f} evaluations"
        )
        timings.append(Timing(name, "Fokker-Planck and Nelder-Mead", theirs, ours))
    if arguments.csv:
        print_csv("spike_times", timings)


if __name__ == "__main__":
    main()

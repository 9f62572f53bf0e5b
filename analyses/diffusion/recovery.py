"""Recovery of diffusions to threshold from 400 interspike intervals: bias, coverage, and the
Cramer-Rao bound.

Spike times of the library's LIF, EIF and adaptive LIF neurons with white noise are simulated with
crossings inside the step and fitted without any knowledge of the truth. Usage:

    python analyses/diffusion/recovery.py --runs 100 --jobs 2
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

import neurocode as nc
from neurocode.inference.passage import Intervals
from neurocode.inference.passage.equations import passage_equations
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.passage.resolution import mesh_of
from neurocode.inference.passage.solution import Parameters

RESULTS = Path(__file__).parent / "results"
MODELS = ("lif-diffusive", "eif-diffusive", "adaptive-lif-diffusive")
N_INTERVALS, DT = 400, 2e-5
#: Intervals that the expected information is averaged over.
N_BOUND = 20_000


def spike_times(name: str, n_intervals: int, seed: int) -> np.ndarray:
    """Return spike times in seconds with ``n_intervals`` intervals; the first second is left
    out."""
    model = nc.models.by_name(name)
    duration = 1.0 + n_intervals * 0.09 + 3.0
    times = (
        nc.simulate(model, duration=duration, dt=DT, seed=seed, engine="numba")
        .segments[0]
        .spiketrains[0]
        .magnitude
    )
    times = times[times > 1.0]
    if len(times) <= n_intervals:
        raise RuntimeError(f"{name}, seed {seed}: only {len(times)} spikes")
    return times[: n_intervals + 1]


def run(seed: int, name: str, n_intervals: int = N_INTERVALS) -> list[dict[str, object]]:
    """Fit one data set; one row per free parameter."""
    result = nc.fit(nc.models.by_name(name), spike_times(name, n_intervals, seed))
    rows = []
    for parameter, truth in nc.models.by_name(name).parameters.items():
        fitted = result.parameters[parameter]
        if not fitted.fixed:
            low, high = fitted.interval_95
            rows.append(
                {
                    "model": name,
                    "seed": seed,
                    "parameter": parameter,
                    "truth": truth.value,
                    "estimate": fitted.value,
                    "standard_error": fitted.standard_error,
                    "low": low,
                    "high": high,
                    "covered": low <= truth.value <= high,
                    "identified": fitted.identified,
                    "converged": result.converged,
                    "passed": result.goodness["rescaling"].passed,
                    "seconds": result.seconds,
                }
            )
    return rows


def bound(name: str, n_intervals: int = N_INTERVALS) -> dict[str, float]:
    """Return the Cramer-Rao bound: the standard errors from the expected information of
    ``n_intervals`` intervals at the true values."""
    model = nc.models.by_name(name)
    intervals = Intervals.of(spike_times(name, N_BOUND, seed=10_000))
    equations = passage_equations(model)
    likelihood = PassageLikelihood(
        model,
        equations,
        intervals,
        mesh_of(model, equations, intervals, 16.0, 20.0),
        extrapolate=True,
    )
    solution, scale = likelihood.solution(likelihood.origin), Parameters.of(model).x
    scores = solution.density_slopes[intervals.observed] * scale
    information = scores.T @ scores * n_intervals / intervals.n_observed
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return {
        n: float(e) * model.parameters[n].value for n, e in zip(model.free, errors, strict=True)
    }


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Summarise the runs; one row per model and parameter."""
    rows, bounds = [], {name: bound(name) for name in runs["model"].unique()}
    for (name, parameter), group in runs.groupby(["model", "parameter"], sort=False):
        error = group["estimate"] - group["truth"]
        rows.append(
            {
                "model": name,
                "parameter": parameter,
                "truth": group["truth"].iloc[0],
                "mean": group["estimate"].mean(),
                "median": group["estimate"].median(),
                "bias_in_sd": error.mean() / error.std(),
                "rms_error": float(np.sqrt(np.mean(error**2))),
                "cramer_rao": bounds[name][parameter],
                "median_standard_error": group["standard_error"].median(),
                "coverage": group["covered"].mean(),
                "identified": group["identified"].mean(),
                "converged": group["converged"].mean(),
                "seconds": group["seconds"].median(),
                "runs": len(group),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study and write its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(
        arguments.jobs, mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        rows = []
        for name in arguments.model or MODELS:
            results = pool.map(partial(run, name=name), range(arguments.runs))
            rows += [row for result in track(results, name, total=arguments.runs) for row in result]
    runs = pd.DataFrame(rows)
    table = summary(runs)
    runs.to_csv(arguments.output / "recovery_runs.csv", index=False, float_format="%.6g")
    table.to_csv(arguments.output / "recovery.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3g}"))
    print(
        "pooled coverage:", runs.groupby("model", sort=False)["covered"].mean().round(3).to_dict()
    )


if __name__ == "__main__":
    main()

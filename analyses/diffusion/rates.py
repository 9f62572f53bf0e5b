"""Noise without a time-step error: rate and CV of a leaky integrate-and-fire neuron with white
noise against theory.

Twenty neurons between 2 and 100 Hz are simulated at 0.1 ms and compared with the rate of Siegert
(1951) and the CV of Brunel (2000); four of them at other time steps and with plain Euler. A million
intervals of a LIF and of an EIF neuron are compared with the first-passage distribution of the
Fokker-Planck solver. Usage:

    python analyses/diffusion/rates.py

"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares
from scipy.special import erfcx

import neurocode as nc
from neurocode.inference.passage import interval_distribution
from neurocode.models import NeuronModel
from neurocode.simulation.numba_engine import run_numba

RESULTS = Path(__file__).parent / "results"
TAU = 20e-3
#: Rate (Hz), CV and refractory period (ms) of the twenty neurons; our choice, not from the papers.
POINTS = [
    (2, 0.9, 0),
    (2, 0.98, 2),
    (5, 0.8, 0),
    (5, 0.9, 2),
    (5, 1.0, 0),
    (10, 0.5, 0),
    (10, 0.7, 2),
    (10, 0.95, 0),
    (20, 0.3, 0),
    (20, 0.5, 2),
    (20, 0.7, 0),
    (20, 0.9, 2),
    (40, 0.2, 0),
    (40, 0.4, 2),
    (40, 0.6, 0),
    (60, 0.3, 2),
    (60, 0.8, 0),
    (100, 0.2, 0),
    (100, 0.3, 2),
    (100, 0.6, 0),
]
CONVERGENCE = (1, 6, 12, 19)
TIME_STEPS = (1.6e-3, 8e-4, 4e-4, 2e-4, 1e-4)


def theory(mean: float, deviation: float, refractory: float) -> tuple[float, float]:
    """Return the rate (Hz) and the CV of a leaky integrate-and-fire neuron with white noise.

    ``mean`` and ``deviation`` are the mean and the stationary standard deviation of the free
    potential, in units in which the threshold is one and the reset zero. ``refractory`` is in
    seconds.
    """
    low, high = -mean / (deviation * np.sqrt(2)), (1 - mean) / (deviation * np.sqrt(2))
    passage = TAU * np.sqrt(np.pi) * quad(lambda x: erfcx(-x), low, high, epsabs=0, epsrel=1e-11)[0]

    def integrand(x: float) -> float:
        return quad(
            lambda d: erfcx(-(x - d)) ** 2 * np.exp(x * x - (x - d) ** 2),
            0,
            60,
            epsrel=1e-9,
            limit=500,
        )[0]

    variance = 2 * np.pi * TAU**2 * quad(integrand, low, high, epsrel=1e-8, limit=200)[0]
    rate = 1.0 / (refractory + passage)
    return rate, float(np.sqrt(variance) * rate)


def neuron(rate: float, cv: float, refractory: float) -> tuple[NeuronModel, float, float]:
    """Return the library's LIF neuron fitted to a rate and CV, and its theoretical rate and CV."""

    def residuals(x: np.ndarray) -> np.ndarray:
        reached = theory(x[0], np.exp(x[1]), refractory)
        return np.array([np.log(reached[0] / rate), 3 * (reached[1] - cv)])

    starts = [(0.8, np.log(0.3)), (1.1, np.log(0.1)), (0.5, np.log(0.6))]
    best = min(
        (least_squares(residuals, start, diff_step=1e-4) for start in starts),
        key=lambda fit: fit.cost,
    )
    mean, deviation = best.x[0], np.exp(best.x[1])
    model = nc.models.lif_diffusive()
    values = model.values
    distance = values["V_T"] - values["V_r"]
    drift = (distance * mean - (values["E_L"] - values["V_r"])) / TAU
    model = model.with_parameters(
        {
            "mu": drift,
            "sigma": deviation * distance * np.sqrt(2 / TAU) / np.sqrt(1e3) * 1e3,
            "tau": TAU * 1e3,
            "t_ref": refractory * 1e3,
        }
    )
    return model, *theory(mean, deviation, refractory)


def simulated(
    model: NeuronModel, dt: float, rate: float, n_spikes: float, seed: int
) -> dict[str, float]:
    """Return rate and CV of 1000 simulated neurons with their standard errors.

    About the first ten intervals of each neuron are left out.
    """
    duration = n_spikes / rate / 1000 + 10 / rate
    trains = run_numba(
        model, dt, round(duration / dt), 1000, parameters={}, stimulus=None, seed=seed
    ).times(dt)
    intervals = [np.diff(train[train > 10 / rate]) for train in trains]
    pooled = np.concatenate(intervals)
    mean, cv = float(np.mean(pooled)), float(np.std(pooled) / np.mean(pooled))
    counts = np.array([np.sum(train > 10 / rate) for train in trains]) / (duration - 10 / rate)
    batches = np.array([np.std(part) / np.mean(part) for part in np.array_split(pooled, 50)])
    return {
        "rate": float(np.mean(counts)),
        "rate_error": float(np.std(counts, ddof=1) / np.sqrt(len(counts))),
        "cv": cv,
        "cv_error": float(np.std(batches, ddof=1) / np.sqrt(50)),
        "mean_interval": mean,
        "n_spikes": len(pooled),
    }


def rates(n_spikes: float) -> pd.DataFrame:
    """Compare the twenty neurons, simulated at 0.1 ms, with theory; one row per neuron."""
    rows = []
    for number, (rate, cv, refractory) in enumerate(track(POINTS, "rates")):
        model, true_rate, true_cv = neuron(rate, cv, refractory * 1e-3)
        measured = simulated(model, 1e-4, true_rate, n_spikes * max(true_cv, 0.3) ** 2, seed=number)
        error, spread = measured["rate"] / true_rate - 1, measured["rate_error"] / true_rate
        rows.append(
            {
                "siegert_rate": true_rate,
                "brunel_cv": true_cv,
                "refractory_ms": refractory,
                "mean_above_threshold": bool(model.values["mu"] * TAU > 5e-3),
                **measured,
                "relative_error": error,
                "relative_standard_error": spread,
                "cv_difference": measured["cv"] - true_cv,
                "within": bool(abs(error) < 0.002 + 2 * spread),
            }
        )
    return pd.DataFrame(rows)


def convergence(n_spikes: float) -> pd.DataFrame:
    """Return the rate error of four neurons by time step, with crossings inside the step and with
    plain Euler."""
    rows = []
    for number in track(CONVERGENCE, "time steps"):
        rate, cv, refractory = POINTS[number]
        inside, true_rate, true_cv = neuron(rate, cv, refractory * 1e-3)
        euler = replace(inside, within_step=False, integrator="euler")
        for method, model in (("inside the step", inside), ("Euler", euler)):
            for dt in TIME_STEPS:
                measured = simulated(
                    model, dt, true_rate, n_spikes * max(true_cv, 0.3) ** 2, seed=number
                )
                error, spread = measured["rate"] / true_rate - 1, measured["rate_error"] / true_rate
                point = {
                    "siegert_rate": true_rate,
                    "brunel_cv": true_cv,
                    "method": method,
                    "dt_ms": dt * 1e3,
                }
                rows.append({**point, "relative_error": error, "relative_standard_error": spread})
    return pd.DataFrame(rows)


def distributions(n_intervals: int) -> pd.DataFrame:
    """Return the Kolmogorov-Smirnov distance of simulated intervals to the Fokker-Planck
    solution."""
    rows = []
    for name, dt in (("lif-diffusive", 1e-4), ("eif-diffusive", 2e-5), ("qif-diffusive", 2e-5)):
        model = nc.models.by_name(name)
        pilot = simulated(model, 1e-4, 20.0, 2e4, seed=1)
        duration = 1.1 * n_intervals * pilot["mean_interval"] / 1000
        trains = run_numba(
            model, dt, round(duration / dt), 1000, parameters={}, stimulus=None, seed=2
        ).times(dt)
        # Take the first intervals of each neuron: stopping at a fixed time would favour short ones.
        intervals = np.sort(
            np.concatenate([np.diff(train)[: n_intervals // 1000] for train in trains])
        )
        nodes = np.geomspace(0.5 * intervals[0], 1.01 * intervals[-1], 1500)
        cumulative = CubicSpline(nodes, interval_distribution(model, nodes)[1])(intervals)
        n = len(intervals)
        distance = float(
            max(np.max(cumulative - np.arange(n) / n), np.max(np.arange(1, n + 1) / n - cumulative))
        )
        rows.append(
            {
                "model": name,
                "dt_ms": dt * 1e3,
                "n_intervals": n,
                "ks": distance,
                "band": 1.358 / np.sqrt(n),
                "passed": distance < 1.358 / np.sqrt(n),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study and write its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--spikes", type=float, default=2e6, help="number of spikes of a neuron with a CV of one"
    )
    parser.add_argument("--intervals", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    tables = {"rates": rates(arguments.spikes), "distributions": distributions(arguments.intervals)}
    tables["convergence"] = convergence(arguments.spikes / 4)
    for name, frame in tables.items():
        frame.to_csv(arguments.output / f"{name}.csv", index=False, float_format="%.6g")
        print(frame.to_string(index=False, float_format=lambda x: f"{x:.4g}"))


if __name__ == "__main__":
    main()

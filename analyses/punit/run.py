"""Electroreceptor afferents fitted to baseline spikes alone: constant input, periodic drive, and
the laboratory's model.

P-unit spikes lock to the electric organ discharge (EOD). Each of the 24 cells (Benda laboratory,
github.com/bendalab/punitmodel) is fitted by an adaptive leaky integrate-and-fire neuron with white
noise, once with constant input as the control and once with a sine at the frequency of the EOD,
whose amplitude and phase are fitted. The frequency is the one at which the vector strength of the
spikes is largest; for the 14 cells in the laboratory's table it is sought near the frequency given
there. The laboratory's model is the published noisy adaptive integrate-and-fire neuron with the
laboratory's parameters, simulated without a stimulus beyond the EOD. Usage:

    NEUROCODE_DATA=... python analyses/punit/run.py --jobs 2

"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from rich.progress import track

import neurocode as nc
from neurocode.errors import NeurocodeError

RESULTS = Path(__file__).parent / "results"
MODELS = {"constant": "adaptive-lif-diffusive", "periodic": "adaptive-lif-diffusive-periodic"}
#: Number of intervals that are fitted, from the start of a cell's recording, and number of
#: simulated intervals by which a model is described (both chosen here).
FITTED, SIMULATED = 300, 20_000
#: Band in which the EOD frequency is sought, in hertz.
BAND = (400.0, 1100.0)
EDGES = np.linspace(0.0, 12.0, 121)


def spikes_of(folder: Path, cell: str) -> np.ndarray:
    """Baseline spike times of a cell in seconds."""
    return np.sort(np.load(next((folder / cell).glob("baseline_spikes_trial_*.npy"))))


def vector_strength(times: np.ndarray, frequency: float) -> float:
    """Return the length of the mean phase vector at a frequency."""
    return float(np.abs(np.mean(np.exp(2j * np.pi * frequency * times))))


def locked_frequency(times: np.ndarray, around: float | None = None) -> float:
    """Return the frequency (Hz) with the largest vector strength.

    It is sought within 5 Hz of ``around``, or in the whole band of the fish.
    """
    part = times[times < times[0] + 5.0]
    low, high = (around - 5, around + 5) if around is not None else BAND
    grid = np.arange(low, high, 0.02)
    strengths = np.abs(np.exp(2j * np.pi * np.outer(grid, part)).mean(axis=1))
    best = grid[int(np.argmax(strengths))]
    for width in (0.02, 0.002, 0.0005):
        fine = best + np.linspace(-width, width, 41)
        best = fine[int(np.argmax([vector_strength(times[: FITTED + 1], f) for f in fine]))]
    return float(best)


@numba.njit
def laboratory_spikes(p: np.ndarray, frequency: float, duration: float, seed: int) -> np.ndarray:
    """Simulate the laboratory's model under its EOD and return spike times in seconds.

    The rectified sine passes through a dendritic low-pass filter into a noisy adaptive
    integrate-and-fire neuron; the equations are integrated by Euler steps.
    """
    (
        v_zero,
        a_zero,
        threshold,
        v_base,
        delta_a,
        tau_a,
        v_offset,
        mem_tau,
        noise,
        gain,
        dend_tau,
        refractory,
        dt,
    ) = p
    np.random.seed(seed)
    n = int(duration / dt)
    v, adaptation, dendrite, last = v_zero, a_zero, 0.0, -1.0
    spikes = np.empty(n // 4)
    count = 0
    for k in range(n):
        stimulus = max(np.sin(2 * np.pi * frequency * k * dt), 0.0)
        dendrite += (stimulus - dendrite) / dend_tau * dt
        v += (
            (
                v_base
                - v
                + v_offset
                + dendrite * gain
                - adaptation
                + noise / np.sqrt(dt) * np.random.normal()
            )
            / mem_tau
            * dt
        )
        adaptation += -adaptation / tau_a * dt
        if last >= 0 and k * dt - last < refractory + 0.5 * dt:
            v = v_base
        if v > threshold:
            v = v_base
            last = k * dt
            spikes[count] = k * dt
            count += 1
            adaptation += delta_a / tau_a
    return spikes[:count]


def laboratory(row: dict[str, str], n: int, rate: float, seed: int = 1) -> np.ndarray:
    """Return intervals of the laboratory's model of a cell; the first two seconds are left out."""
    names = (
        "v_zero",
        "a_zero",
        "threshold",
        "v_base",
        "delta_a",
        "tau_a",
        "v_offset",
        "mem_tau",
        "noise_strength",
        "input_scaling",
        "dend_tau",
        "ref_period",
        "deltat",
    )
    values = np.array([float(row[name]) for name in names])
    times = laboratory_spikes(values, float(row["EODf"]), 2.0 + n / rate, seed)
    return np.diff(times[times > 2.0])


def statistics(intervals: np.ndarray, recorded: np.ndarray | None = None) -> dict[str, float]:
    """Return rate, CV, serial correlation at two lags, and the largest distance between the
    distribution function and the recorded one."""
    if len(intervals) < 50:
        return {}
    centred = intervals - np.mean(intervals)
    row = {"rate": 1 / np.mean(intervals), "cv": np.std(intervals) / np.mean(intervals)}
    row |= {
        f"rho_{lag}": float(np.mean(centred[:-lag] * centred[lag:]) / np.mean(centred**2))
        for lag in (1, 2)
    }
    if recorded is not None:
        points = np.sort(recorded)
        below = np.searchsorted(np.sort(intervals), points, side="right") / len(intervals)
        row["distance"] = float(np.max(np.abs(below - np.arange(1, len(points) + 1) / len(points))))
    return row


def run(cell: str, folder: Path, table: dict[str, dict[str, str]]) -> list[dict[str, object]]:
    """Fit one cell by both models; one row each for the recording, the two models, and the
    laboratory's model if the cell has one."""
    times = spikes_of(folder, cell)
    known = table.get(cell)
    frequency = locked_frequency(times, float(known["EODf"]) if known else None)
    recorded = np.diff(times)
    fitted = times[: FITTED + 1]
    base = {
        "cell": cell,
        "frequency": frequency,
        "tabulated": bool(known),
        "vector_strength": vector_strength(fitted, frequency),
    }
    rows = [
        {
            **base,
            "model": "recorded",
            "n_intervals": len(recorded),
            **statistics(recorded),
            "histogram": histogram(recorded),
        }
    ]
    for label, name in MODELS.items():
        model = nc.models.by_name(name)
        if label == "periodic":
            model = model.with_parameters(frequency=frequency)
        try:
            result = nc.fit(model, fitted)
        except NeurocodeError as error:
            rows.append({**base, "model": label, "verdict": str(error)})
            continue
        rate = result.training_rate
        block = result.predict(duration=SIMULATED / rate, seed=1, dt=min(2e-5, 0.02 / rate))
        intervals = np.diff(block.segments[0].spiketrains[0].magnitude)
        values = {n: p.value for n, p in result.parameters.items() if not p.fixed}
        errors = {f"{n}_se": p.standard_error for n, p in result.parameters.items() if not p.fixed}
        rows.append(
            {
                **base,
                "model": label,
                "n_intervals": result.n_spikes,
                **statistics(intervals, recorded),
                "ks": result.goodness["rescaling"].statistic,
                "ks_band": result.goodness["rescaling"].band,
                "rescaled_correlation": result.goodness["dependence"],
                "survives": result.survives,
                "bic": result.bic,
                "bits_per_spike": result.bits_per_spike,
                "converged": result.converged,
                "seconds": result.seconds,
                "verdict": "; ".join(result.verdicts),
                **values,
                **errors,
                "histogram": histogram(intervals),
            }
        )
    if known:
        intervals = laboratory(known, SIMULATED, 1 / np.mean(recorded))
        rows.append(
            {
                **base,
                "model": "laboratory",
                "n_intervals": len(intervals),
                **statistics(intervals, recorded),
                "histogram": histogram(intervals),
            }
        )
    return rows


def histogram(intervals: np.ndarray) -> str:
    """Return the share of intervals in each bin, as text for the table that the figure is drawn
    from."""
    counts = np.histogram(intervals * 1e3, EDGES)[0] / max(len(intervals), 1)
    return " ".join(f"{value:.4g}" for value in counts)


def main() -> None:
    """Run the study; cells that the table holds already are not run again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cells", type=int, default=None, help="fit only the first CELLS cells")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    folder = Path(os.environ["NEUROCODE_DATA"]) / "punit"
    with (folder / "models.csv").open(encoding="utf-8") as file:
        table = {row["cell"]: row for row in csv.DictReader(file)}
    cells = sorted(path.name for path in folder.iterdir() if path.is_dir())[: arguments.cells]
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "cells.csv"
    done = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["cell"])
    waiting = [cell for cell in cells if cell not in set(done["cell"])]
    with ProcessPoolExecutor(
        arguments.jobs, mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        futures = [pool.submit(run, cell, folder=folder, table=table) for cell in waiting]
        for future in track(as_completed(futures), "cells", total=len(futures)):
            done = pd.concat([done, pd.DataFrame(future.result())], ignore_index=True)
            done.sort_values(["cell"], kind="stable").to_csv(path, index=False, float_format="%.6g")
    print(
        done.drop(columns=["histogram", "verdict"]).to_string(
            index=False, float_format=lambda x: f"{x:.3g}"
        )
    )


if __name__ == "__main__":
    main()

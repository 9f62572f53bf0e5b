"""Recovery of a generalised integrate-and-fire neuron and of an adaptive LIF: coverage and bias of
the estimates.

Recordings of 60 s are simulated in Brian2 from known parameters and fitted in JAX from the
library's default values. Runs that do not converge are counted, not dropped. Usage:

    python analyses/recovery/run.py --runs 100
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import neo
import numpy as np
import pandas as pd
from rich.progress import track

import neurocode as nc
from neurocode.models import EscapeNoise, NeuronModel, Parameter

DT, DURATION = 5e-4, 60.0
#: Standard deviation of the noise added to the simulated voltage, in mV (chosen here).
VOLTAGE_NOISE = 0.5
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class System:
    """A recovery: the neuron that produced the data, the model that is fitted, the mean of the
    input current, and the interval in seconds at which the fit also explains the voltage (None: it
    does not)."""

    truth: NeuronModel
    model: NeuronModel
    mean_current: float
    voltage: float | None = None


def adaptive_lif() -> NeuronModel:
    """Leaky integrate-and-fire neuron with one adaptation current and a soft threshold (chosen
    here)."""
    return NeuronModel(
        name="adaptive_lif",
        equations="""
            dv/dt = (E_L - v + R*(I - w))/tau_m : volt (unless refractory)
            dw/dt = -w/tau_w : amp
            I : amp
        """,
        margin="v - V_T",
        reset="v = E_L\nw += b",
        refractory="t_ref",
        integrator="exponential_euler",
        initial={"v": "E_L"},
        noise=EscapeNoise("exponential", scale="Delta_V", rate="lambda_0"),
        parameters={
            "E_L": Parameter.of("-70 mV", fixed=True),
            "R": Parameter.of("200 Mohm", fixed=True),
            "tau_m": Parameter.of("20 ms", ("1 ms", "200 ms")),
            "tau_w": Parameter.of("80 ms", ("5 ms", "2000 ms")),
            "b": Parameter.of("20 pA"),
            "V_T": Parameter.of("-50 mV", ("-69 mV", "20 mV")),
            "Delta_V": Parameter.of("3 mV", ("0.05 mV", "50 mV")),
            "lambda_0": Parameter.of("1 kHz", fixed=True),
            "t_ref": Parameter.of("3 ms", fixed=True),
        },
    )


def systems() -> dict[str, System]:
    """Return the three recoveries.

    All true values are chosen here, and differ from the values at which the fits start.
    """
    gif = nc.models.gif((20.0, 200.0))
    cell = {
        "g_L": "5 nS",
        "V_r": "-58 mV",
        "V_T": "-48 mV",
        "Delta_V": "2.5 mV",
        "a_eta_1": "12 pA",
        "a_eta_2": "4 pA",
        "a_gamma_1": "6 mV",
        "a_gamma_2": "2 mV",
    }
    seen = gif.with_fixed("C", "E_L", fixed=False)
    adapting = adaptive_lif()
    return {
        "gif": System(gif.with_parameters(cell), gif, 110.0),
        "gif and voltage": System(
            seen.with_parameters(cell, C="90 pF", E_L="-68 mV"), seen, 110.0, voltage=0.01
        ),
        "adaptive lif": System(
            adapting.with_parameters(
                tau_m="15 ms", tau_w="150 ms", b="12 pA", V_T="-52 mV", Delta_V="2 mV"
            ),
            adapting,
            110.0,
        ),
    }


def recordings(system: System, runs: int, seed: int) -> list[nc.Experiment]:
    """Return the recordings of all runs, simulated in Brian2 under one frozen current."""
    current = nc.simulation.stimuli.frozen_noise(
        DURATION, DT, mean=system.mean_current, standard_deviation=120.0, seed=seed
    )
    options = {"trials": runs, "seed": seed, "engine": "brian2"}
    block = nc.simulate(system.truth, current, record=("v",) if system.voltage else (), **options)
    random = np.random.default_rng(seed)
    return [
        nc.Experiment(s.spiketrains[0], current, _measured(s, random) if system.voltage else None)
        for s in block.segments
    ]


def _measured(segment: neo.Segment, random: np.random.Generator) -> neo.AnalogSignal:
    voltage = segment.analogsignals[0].rescale("mV")
    return voltage + VOLTAGE_NOISE * random.standard_normal(voltage.shape) * voltage.units


def fit_runs(name: str, system: System, runs: int, seed: int) -> pd.DataFrame:
    """Fit all runs of a system; one row per run and estimated parameter."""
    rows = []
    for run, experiment in enumerate(track(recordings(system, runs, seed), description=name)):
        result = nc.fit(system.model, experiment, starts=2, seed=run, voltage=system.voltage)
        for parameter in system.model.free:
            fitted, truth = result.parameters[parameter], system.truth.parameters[parameter].value
            low, high = fitted.interval_95
            rows.append(
                {
                    "system": name,
                    "run": run,
                    "parameter": parameter,
                    "unit": fitted.unit,
                    "truth": truth,
                    "estimate": fitted.value,
                    "standard_error": fitted.standard_error,
                    "covered": low <= truth <= high,
                    "identified": fitted.identified,
                    "converged": result.converged,
                }
            )
    return pd.DataFrame(rows)


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage of the 95 % intervals and the bias in standard errors, one row per
    parameter."""
    frame = frame.assign(deviation=(frame["estimate"] - frame["truth"]) / frame["standard_error"])
    grouped = frame.groupby(["system", "parameter"], sort=False)
    return grouped.agg(
        truth=("truth", "first"),
        unit=("unit", "first"),
        mean=("estimate", "mean"),
        spread=("estimate", "std"),
        mean_standard_error=("standard_error", "mean"),
        coverage=("covered", "mean"),
        bias=("deviation", "mean"),
        identified=("identified", "mean"),
        converged=("converged", "mean"),
    ).reset_index()


def claims(table: pd.DataFrame, runs: int) -> pd.DataFrame:
    """Compare the requirements on the estimates with the measured values; three rows per system."""
    rows = []
    for system, part in table.groupby("system", sort=False):
        pooled, smallest, largest = (
            part["coverage"].mean(),
            part["coverage"].min(),
            part["bias"].abs().max(),
        )
        for claim, value, met in (
            ("pooled coverage of 95 % intervals in 93-97 %", pooled, 0.93 <= pooled <= 0.97),
            ("smallest coverage of a parameter at least 88 %", smallest, smallest >= 0.88),
            ("largest bias below 0.3 standard errors", largest, largest < 0.3),
        ):
            verdict = "confirmed" if met else "not confirmed"
            rows.append((f"{system}: {claim}", "ours", np.nan, value, np.nan, runs, verdict))
    return pd.DataFrame(
        rows, columns=["claim", "source", "paper_value", "our_mean", "our_sd", "seeds", "verdict"]
    )


def main() -> None:
    """Run the study and write its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    frame = pd.concat(
        [
            fit_runs(name, system, arguments.runs, arguments.seed)
            for name, system in systems().items()
        ]
    )
    table = summarise(frame)
    verdicts = claims(table, arguments.runs)
    frame.to_csv(arguments.output / "runs.csv", index=False, float_format="%.8g")
    table.to_csv(arguments.output / "coverage.csv", index=False, float_format="%.6g")
    verdicts.to_csv(arguments.output / "claims.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))
    print(verdicts.to_string(index=False))


if __name__ == "__main__":
    main()

"""Dorsal raphe neurons on the map of trained neurons: does a subthreshold current make them
resonators?

A GIF has one variable below threshold, so it integrates for all values of its parameters. Here the
GIF with a voltage-following threshold gains the adaptation current of the adaptive LIF neuron,
``dw/dt = (a_w (v - E_L) - w)/tau_w``; ``a_w/g_L`` is the effective coupling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import neurocode as nc
from analyses.datasets import data_folder
from neurocode.models.parameter import Parameter
from neurocode.simulation import linearise

CELLS = ("DRN156", "DRN158", "DRN159", "DRN162", "DRN164")
#: Time step in seconds with which the fitted neurons are linearised; the step of the trained
#: neurons is one sample of their data.
DT = 2e-4


def coupled() -> nc.NeuronModel:
    """Return the GIF with a voltage-following threshold and a linear subthreshold adaptation
    current."""
    base = nc.models.by_name("igif")
    more = {
        "a_w": Parameter.of("1 nS", ("-2 nS", "200 nS"), description="subthreshold coupling"),
        "tau_w": Parameter.of("100 ms", ("2 ms", "500 ms"), description="adaptation time constant"),
    }
    equations = (
        base.equations.replace(" + I)/C", " - w + I)/C")
        + "\ndw/dt = (a_w*(v - E_L) - w)/tau_w : amp"
    )
    return replace(
        base, name="igif-coupled", equations=equations, parameters={**base.parameters, **more}
    )


def raphe_row(cell: str, coupling: bool, seed: int) -> dict[str, Any]:
    """Fit the training recording of a cell; return the held-out likelihood and the place on the
    map.

    The row names its data set, as rows of networks do.
    """
    folder = data_folder("raphe")
    training, test = (
        next(iter(sorted(folder.glob(f"{cell}*_{part}.abf")))) for part in ("training", "test")
    )
    experiment = nc.Experiment.from_files(training, test=test)
    result = nc.fit(coupled() if coupling else nc.models.by_name("igif"), experiment, seed=seed)
    scores = nc.evaluate(result, experiment)
    fitted = linearise(result.model, DT)
    frequency, ratio = fitted.resonance()
    row = {
        "dataset": "raphe",
        "sequences": 0,
        "converged": result.converged,
        "log_likelihood": result.log_likelihood,
        "bic": float(result.bic),
        "bits_per_spike": float(result.bits_per_spike),
        "held_out_bits": float(scores.bits_per_spike),
        "frequency": float(fitted.frequency),
        "resonance_frequency": float(frequency),
        "resonance_ratio": float(ratio),
    }
    if coupling:
        values, estimates = result.model.values, result.parameters
        row |= {
            "effective_coupling": values["a_w"] / values["g_L"],
            "effective_coupling_se": estimates["a_w"].standard_error / estimates["g_L"].value,
            "tau_u": values["C"] / values["g_L"],
            "tau_w": values["tau_w"],
        }
    return row


def rows() -> list[dict[str, Any]]:
    """Return rows of each cell with and without the coupling."""
    return [
        {"cell": cell, "coupling": coupling, "seed": 0}
        for cell in CELLS
        for coupling in (True, False)
    ]

"""Statistics of the spikes of trained neurons as in physiology, and their responses below threshold
with the learned parameters."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

import neurocode as nc
from analyses.adaptive_lif.networks import STEP, make_network, make_task
from analyses.adaptive_lif.training import trained
from neurocode.learning import Network, Part, stratified
from neurocode.recordings import Trains
from neurocode.simulation import linearise

#: Number of surrogates of each train.
SURROGATES = 200
#: Number of untrained neurons with which trained ones are compared.
UNTRAINED = 500
COLUMNS = [
    "n_spikes",
    "rate",
    "cv",
    "lv",
    "serial_correlation",
    "lz_ratio",
    "lz_z",
    "lz_q",
    "lz_isi_ratio",
    "lz_isi_z",
    "lz_isi_q",
]


def neurons_row(folder: Path, traces: int, **row: Any) -> dict[str, str]:
    """Return the neurons of the first layer of a network as JSON.

    Each has the statistics of its spikes in some test traces, its parameters and its resonance.
    """
    task, result = trained(row, folder)
    described_part = stratified(task.test, traces, row["seed"])
    table = nc.describe(
        trains(result.network, described_part),
        bin_size=STEP,
        n_surrogates=SURROGATES,
        seed=row["seed"],
    )
    table = pd.concat([table[COLUMNS].reset_index(drop=True), learned(result.network)], axis=1)
    return {"described": table.to_json(orient="records", double_precision=6)}


def trains(net: Network, part: Part) -> Trains:
    """Return the spikes of every neuron of the first layer in every sequence."""
    x = jnp.moveaxis(jnp.asarray(part.inputs), 0, 1)
    return Trains.of_rasters(np.asarray(net(x).spikes[0]).transpose(2, 1, 0), STEP)


def learned(net: Network) -> pd.DataFrame:
    """Return the learned parameters of the first layer, and the response of each neuron below
    threshold."""
    layer = net.layers[0]
    values = {
        name: np.asarray(layer.intrinsic.values()[name], float)
        for name in layer.intrinsic.coordinates
    }
    linear = linearise(layer.model, STEP, parameters=values)
    frequency, ratio = linear.resonance()
    q = layer.model.values.get("q", 1.0)
    table = pd.DataFrame({name: q * v if name in ("a", "b") else v for name, v in values.items()})
    return table.assign(
        radius=linear.spectral_radius,
        frequency=linear.frequency,
        resonance_frequency=frequency,
        resonance_ratio=ratio,
    )


def neurons_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per neuron of all networks in a table of :func:`neurons_row`."""
    parts = [
        pd.read_json(io.StringIO(row["described"])).assign(arm=row["arm"], seed=row["seed"])
        for row in table.to_dict("records")
    ]
    return pd.concat(parts, ignore_index=True)


def write_untrained(row: dict[str, Any], folder: Path) -> None:
    """Write the neurons of a large network before training."""
    start = make_network({**row, "arm": "SE", "neurons": UNTRAINED}, make_task(row))
    learned(start).to_csv(folder / "untrained.csv", index=False, float_format="%.6g")

"""Spikes of trained neurons as a physiologist would describe them, and what their learned
parameters make of them."""

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

#: Surrogates of each train.
SURROGATES = 200
#: Neurons at the start of training that trained ones are compared with.
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
    """Neurons of the first layer of a network as JSON: statistics of their spikes in some test
    traces, parameters, resonance."""
    task, result = trained(row, folder)
    shown = stratified(task.test, traces, row["seed"])
    table = nc.describe(
        trains(result.network, shown), bin_size=STEP, n_surrogates=SURROGATES, seed=row["seed"]
    )
    table = pd.concat([table[COLUMNS].reset_index(drop=True), learned(result.network)], axis=1)
    return {"described": table.to_json(orient="records", double_precision=6)}


def trains(net: Network, part: Part) -> Trains:
    """Spikes of every neuron of the first layer in every sequence."""
    x = jnp.moveaxis(jnp.asarray(part.inputs), 0, 1)
    return Trains.of_rasters(np.asarray(net(x).spikes[0]).transpose(2, 1, 0), STEP)


def learned(net: Network) -> pd.DataFrame:
    """Learned parameters of the first layer, and the response of each neuron below threshold."""
    layer = net.layers[0]
    values = {
        name: np.asarray(layer.intrinsic.values()[name], float)
        for name in layer.intrinsic.coordinates
    }
    found = linearise(layer.model, STEP, parameters=values)
    frequency, ratio = found.resonance()
    q = layer.model.values.get("q", 1.0)
    table = pd.DataFrame({name: q * v if name in ("a", "b") else v for name, v in values.items()})
    return table.assign(
        radius=found.spectral_radius,
        frequency=found.frequency,
        resonance_frequency=frequency,
        resonance_ratio=ratio,
    )


def neurons_of(table: pd.DataFrame) -> pd.DataFrame:
    """A row a neuron of all networks of a table of :func:`neurons_row`."""
    parts = [
        pd.read_json(io.StringIO(row["described"])).assign(arm=row["arm"], seed=row["seed"])
        for row in table.to_dict("records")
    ]
    return pd.concat(parts, ignore_index=True)


def write_untrained(row: dict[str, Any], folder: Path) -> None:
    """Neurons of a large network at its start."""
    start = make_network({**row, "arm": "SE", "neurons": UNTRAINED}, make_task(row))
    learned(start).to_csv(folder / "untrained.csv", index=False, float_format="%.6g")

"""Rows of the training tables: the published settings, our reduced ones, and a quick look.

What the released configurations do not give (the LIF neuron of the electrocardiograms, seeds) is ours. Steps of the networks stand
for one sample of the data; time constants are in steps.
"""

from __future__ import annotations

import itertools
from typing import Any

PROTOCOLS = ("reduced", "published", "quick")
TABLES = ("ecg", "burst_sequences", "spring_mass")
#: Of all tasks; slope and height below are alpha and c alpha/2 of the SLAYER exponential.
COMMON = {"rate": 0.01, "tau_low": 5.0, "tau_high": 25.0, "schedule": "constant", "layers": 1, "recurrent": True, "blocks": 1}
ECG = {**COMMON, "task": "ecg", "neurons": 36, "batch": 64, "dropout": 0.15, "readout": 3.0, "slope": 5.0, "height": 0.5}
BURSTS = {**COMMON, "task": "burst-sequences", "dropout": 0.0, "readout": 15.0, "slope": 5.0, "blocks": 4}
SPRINGS = {**COMMON, "task": "spring-mass", "dropout": 0.0, "readout": None}
CLASSES = (5, 10, 20)
SEEDS = {"published": range(5), "reduced": range(5), "quick": range(1)}
#: Of 2857 sequences 70 % are 2000 for training.
BURST_SIZES = {
    "published": {"samples": 8000, "epochs": 400, "batch": 128},
    "reduced": {"samples": 2857, "epochs": 40, "batch": 50, "neurons": 128, "schedule": "cosine", "blocks": 2},
    "quick": {"samples": 290, "epochs": 2, "batch": 50, "neurons": 128, "schedule": "cosine", "blocks": 2},
}
SPRING_SIZES = {
    "published": {"samples": 4096, "epochs": 200, "batch": 256, "neurons": 200},
    "reduced": {"samples": 1024, "epochs": 60, "batch": 32, "neurons": 100, "schedule": "cosine"},
    "quick": {"samples": 200, "epochs": 2, "batch": 32, "neurons": 100, "schedule": "cosine"},
}


def _cell(name: str, springs: bool = False) -> dict[str, Any]:
    q = {"SE": 228.0, "EF": 65.0} if springs else {"SE": 120.0, "EF": 60.0}
    return {"cell": name, "q": q.get(name, 0.0)}


def ecg(protocol: str) -> list[dict[str, Any]]:
    """Electrocardiograms: reduced with cosine decay, 60 validation traces (ours) instead of 30 in every protocol."""
    base = {**ECG, "validation": 60}
    if protocol == "quick":
        return [{**base, **_cell(name), "epochs": 2, "schedule": "cosine", "seed": 0} for name in ("SE", "LIF")]
    if protocol == "published":
        sizes = itertools.product((1, 2), ("SE", "EF", "LIF"), SEEDS[protocol])
        return [{**base, **_cell(name), "layers": layers, "epochs": 400, "seed": seed} for layers, name, seed in sizes]
    cosine = {**base, "schedule": "cosine", "epochs": 150}
    rows = [{**cosine, **_cell(name), "seed": seed} for seed in SEEDS[protocol] for name in ("SE", "EF", "LIF")]
    rows += [{**cosine, **_cell("SE"), "layers": 2, "seed": seed} for seed in range(2)]
    return [*rows, {**cosine, **_cell("SE"), "epochs": 400, "seed": 0}]


def burst_sequences(protocol: str) -> list[dict[str, Any]]:
    """Burst sequences of several numbers of classes; 510 and 512 neurons give both cells one number of parameters."""
    cells = {"SE": {"height": 1.0}, "LIF": {"height": 0.5, "tau_high": 50.0}}
    published = {"SE": 510, "LIF": 512}
    rows = []
    for seed, classes, name in itertools.product(SEEDS[protocol], CLASSES, cells):
        size = {"neurons": published[name]} if protocol == "published" else {}
        rows.append({**BURSTS, **_cell(name), **cells[name], **BURST_SIZES[protocol], **size, "classes": classes, "seed": seed})
    return rows if protocol != "quick" else [row for row in rows if row["classes"] == CLASSES[0]]


def spring_mass(protocol: str) -> list[dict[str, Any]]:
    """Spring-mass trajectories with and without connections inside the layer; the plateau schedules of the paper are not used."""
    adaptive = {"slope": 5.0, "height": 1.0}
    cells = {"SE": adaptive, "EF": adaptive, "LIF": {"slope": 10.0, "height": 2.5, "tau_low": 1.0}}
    return [
        {**SPRINGS, **_cell(name, springs=True), **cells[name], **SPRING_SIZES[protocol], "recurrent": recurrent, "seed": seed}
        for seed, name, recurrent in itertools.product(SEEDS[protocol], cells, (True, False))
    ]


ROWS = {"ecg": ecg, "burst_sequences": burst_sequences, "spring_mass": spring_mass}

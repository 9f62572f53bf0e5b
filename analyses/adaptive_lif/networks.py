"""Tasks and networks of the study, from the settings of a row (Baronig et al. 2025, released code
and configurations).

The name of an arm is that of a neuron, which may be followed by how it is used. ``SE`` and ``EF``
are the two discretisations of the adaptive LIF neuron, ``LIF`` has no adaptation, ``ALIF`` has a
threshold that jumps with every spike (Bellec et al. 2018), and ``LSTM`` is the cell of Equinox. Its
use is ``normalised`` (batch normalisation of the input from other layers), ``feed-forward`` (no
connections inside a layer) or ``delays`` (learned axonal delays).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax

import neurocode as nc
from analyses.adaptive_lif.delays import DelayedDense
from analyses.adaptive_lif.lstm import LongShortTermMemory, matched_units
from analyses.datasets import data_folder, dataset
from neurocode.learning import (
    BatchNorm,
    Chain,
    Dense,
    Layer,
    Network,
    Readout,
    Recurrent,
    Settings,
    Surrogate,
    Task,
    tasks,
)
from neurocode.learning.connections import Connection
from neurocode.models.parameter import Parameter
from neurocode.tasks.losses import as_loss

Row = dict[str, Any]

CELLS = {"SE": "symplectic", "EF": "euler-forward"}
STEP = 1e-3
CLIP = 1.5
#: Number of electrocardiogram traces that choose the epoch. This is our choice; Baronig et al. 2025
#: take 30.
VALIDATION = 60
#: Smallest and largest stiffness: the published ones, and a tenth and six times of them (our
#: choice, not from the paper).
STIFFNESS = {"springs": (500, 10_000), "springs-slow": (50, 1000), "springs-fast": (3000, 60_000)}
#: Longest axonal delay in steps (our choice, not from the paper).
LONGEST_DELAY = 12


@dataclass(frozen=True)
class Setting:
    """What the released configurations fix for a task: times in steps and the surrogate, with
    separate values for LIF neurons.

    Attributes
    ----------
    q : dict
        Scale of coupling and adaptation of each discretisation.
    height, lif_height : float
        Height of the surrogate derivative; ``c alpha/2`` of the SLAYER exponential.
    slope, lif_slope : float
        Slope of the surrogate derivative; ``alpha`` of the SLAYER exponential.
    readout : float or None
        Time constant of the readout in steps; if None, one between 1 and 20 is learned for each
        output.
    lif_tau : (float, float)
        Bounds of the membrane time constants of LIF and ALIF neurons.
    dropout : float
    """

    q: dict[str, float]
    height: float
    lif_height: float
    readout: float | None
    lif_tau: tuple[float, float] = (5.0, 25.0)
    slope: float = 5.0
    lif_slope: float = 5.0
    dropout: float = 0.0


RELEASED_Q = {"SE": 120.0, "EF": 60.0}
SPRINGS = Setting({"SE": 228.0, "EF": 65.0}, 1.0, 2.5, None, (1.0, 25.0), lif_slope=10.0)
#: The settings of the LIF neuron on electrocardiograms and all settings on Braille are not
#: released. We use those of the adaptive neurons, which is our choice, not from the paper.
SETTINGS = {
    "ecg": Setting(RELEASED_Q, 0.5, 0.5, 3.0, dropout=0.15),
    "bursts": Setting(RELEASED_Q, 1.0, 0.5, 15.0, (5.0, 50.0)),
    "springs": SPRINGS,
    "braille": Setting(RELEASED_Q, 1.0, 1.0, 10.0),
}


def setting_of(row: Row) -> Setting:
    """Return the setting of the task of a row; the name of the task begins with that of the
    setting."""
    return SETTINGS[row["dataset"].partition("-")[0]]


def make_task(row: Row) -> Task:
    """Return the task of a row.

    Bursts and springs are drawn anew for each seed, and so is the validation part of recorded
    tasks. Names are ``ecg``, ``braille``, ``bursts-N`` with the number of classes, ``springs``,
    ``springs-slow`` and ``springs-fast``."""
    name, drawn = row["dataset"], 42 + row["seed"]
    if name == "ecg":
        return tasks.ecg(data_folder("qtdb-ecg"), n_validation=VALIDATION, seed=row["seed"])
    if name == "braille":
        return replace(dataset("braille", row["seed"]), loss=as_loss("mean_potential"))
    if name in STIFFNESS:
        return tasks.spring_mass(row["samples"], drawn, STIFFNESS[name])
    return tasks.burst_sequences(int(name.removeprefix("bursts-")), row["samples"], drawn)


def parts_of(arm: str) -> tuple[str, str]:
    """Return the neuron of an arm, and how it is used."""
    neuron, _, use = arm.partition("-")
    return neuron, use


def make_model(row: Row) -> tuple[nc.NeuronModel, tuple[str, ...]]:
    """Return the neuron of a row and the parameters that it learns."""
    setting, (neuron, _) = setting_of(row), parts_of(row["arm"])
    if neuron in CELLS:
        return nc.models.adlif(CELLS[neuron]).with_parameters(q=setting.q[neuron]), (
            "tau_u",
            "tau_w",
            "a",
            "b",
        )
    low, high = setting.lif_tau
    tau = Parameter.of(
        f"{(low + high) / 2} ms",
        (f"{low} ms", f"{high} ms"),
        per_neuron=True,
        description="membrane time constant",
    )
    lif = nc.models.by_name("lif-normalised")
    if neuron == "LIF":
        return replace(lif, parameters={**lif.parameters, "tau": tau}), ("tau",)
    return alif(lif, tau), ("tau", "tau_w", "b")


def alif(lif: nc.NeuronModel, tau: Parameter) -> nc.NeuronModel:
    """Return a LIF neuron whose threshold jumps by ``b`` with every spike and decays again.

    The neuron is that of Bellec et al. 2018; the bounds are our choice, not from the paper.
    """
    adlif = nc.models.adlif().parameters
    return replace(
        lif,
        name="alif",
        description="Leaky integrate-and-fire neuron with an adaptive threshold (Bellec et al. "
        "2018).",
        equations=lif.equations + "\ndw/dt = -w/tau_w : 1",
        margin="u - theta - w",
        reset="u = 0\nw += b",
        parameters={**lif.parameters, "tau": tau, "tau_w": adlif["tau_w"], "b": adlif["b"]},
    )


def make_network(row: Row, task: Task) -> Network:
    """Return the network of a row before training.

    Time constants, couplings and adaptations are drawn uniformly between their bounds. The number
    of cells of an LSTM is chosen so that its number of learned values comes nearest to that of the
    SE network of the same row.
    """
    neuron, use = parts_of(row["arm"])
    keys = iter(jax.random.split(jax.random.key(row["seed"]), 3 * row["layers"] + 2))
    if neuron == "LSTM":
        wanted = make_network({**row, "arm": "SE"}, task).n_parameters
        return Network(
            [
                LongShortTermMemory(
                    task.n_inputs, matched_units(wanted, task), task.n_outputs, STEP, key=next(keys)
                )
            ]
        )
    setting, (model, learned) = setting_of(row), make_model(row)
    slope, height = (
        (setting.slope, setting.height)
        if neuron in CELLS
        else (setting.lif_slope, setting.lif_height)
    )
    options = {
        "surrogate": Surrogate("slayer", slope=slope, height=height),
        "dropout": setting.dropout,
    }
    layers, n_in = [], task.n_inputs
    for number in range(row["layers"]):
        inside = (
            None
            if use == "feed-forward"
            else Recurrent(row["neurons"], orthogonal=True, key=next(keys))
        )
        connection = _connection(use, number, n_in, row["neurons"], next(keys))
        layers.append(
            Layer(
                connection,
                model,
                STEP,
                recurrent=inside,
                learned=learned,
                spread=True,
                key=next(keys),
                **options,
            )
        )
        n_in = row["neurons"]
    bounds = (STEP, 20 * STEP) if setting.readout is None else None
    last = _connection(
        "delays" if use == "delays" else "", row["layers"], n_in, task.n_outputs, next(keys)
    )
    return Network(
        [
            *layers,
            Readout(last, STEP, (setting.readout or 10.0) * STEP, bounds=bounds, key=next(keys)),
        ]
    )


def _connection(use: str, number: int, n_in: int, n_out: int, key: jax.Array) -> Connection:
    """Return the connection to a layer; axons of neurons may be delayed, inputs are not."""
    if use == "delays" and number:
        return DelayedDense(n_in, n_out, LONGEST_DELAY, key=key)
    dense = Dense(n_in, n_out, key=key)
    return Chain([dense, BatchNorm(n_out)]) if use == "normalised" else dense


def make_settings(row: Row) -> Settings:
    """Return the training settings of a row; clipping is as released, and the same for every
    arm."""
    return Settings(
        epochs=row["epochs"],
        batch_size=row["batch"],
        learning_rate=row["rate"],
        schedule=row["schedule"],
        clip=CLIP,
        blocks=row["blocks"],
    )

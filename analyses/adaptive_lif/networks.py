"""Tasks and networks of the study, from the settings of a row (Baronig et al. 2025, released code
and configurations).

An arm is a neuron and how it is used: ``SE`` and ``EF`` are the two discretisations of the adaptive
LIF neuron, ``LIF`` has no adaptation, ``ALIF`` a threshold that jumps with every spike (Bellec et
al. 2018), ``LSTM`` is the cell of Equinox. After the neuron may stand ``normalised`` (batch
normalisation of what comes from other layers), ``feed-forward`` (no connections inside a layer) or
``delays`` (learned axonal delays).
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
#: Traces of the electrocardiograms that choose the epoch (ours; Baronig et al. 2025 take 30).
VALIDATION = 60
#: Least and greatest stiffness: the published one, a tenth and six times of it (ours).
STIFFNESS = {"springs": (500, 10_000), "springs-slow": (50, 1000), "springs-fast": (3000, 60_000)}
#: Longest axonal delay in steps (ours).
LONGEST_DELAY = 12


@dataclass(frozen=True)
class Setting:
    """What the released configurations fix for a task: times in steps, the surrogate, and of LIF
    neurons their own.

    Attributes
    ----------
    q : dict
        Scale of coupling and adaptation of each discretisation.
    height, lif_height : float
        Of the surrogate derivative; ``c alpha/2`` of the SLAYER exponential.
    slope, lif_slope : float
        ``alpha`` of it.
    readout : float or None
        Time constant of the readout; None learns one between 1 and 20 for each output.
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
#: The LIF neuron of the electrocardiograms, and all of Braille, are not released: those of the
#: adaptive neurons are taken (ours).
SETTINGS = {
    "ecg": Setting(RELEASED_Q, 0.5, 0.5, 3.0, dropout=0.15),
    "bursts": Setting(RELEASED_Q, 1.0, 0.5, 15.0, (5.0, 50.0)),
    "springs": SPRINGS,
    "braille": Setting(RELEASED_Q, 1.0, 1.0, 10.0),
}


def setting_of(row: Row) -> Setting:
    """Of the task of a row, whose name begins with that of the setting."""
    return SETTINGS[row["dataset"].partition("-")[0]]


def make_task(row: Row) -> Task:
    """Task of a row; bursts and springs are drawn anew for each seed, what validates recorded tasks
    too.

    Names are ``ecg``, ``braille``, ``bursts-N`` with the number of classes, ``springs``,
    ``springs-slow`` and ``springs-fast``.
    """
    name, drawn = row["dataset"], 42 + row["seed"]
    if name == "ecg":
        return tasks.ecg(data_folder("qtdb-ecg"), n_validation=VALIDATION, seed=row["seed"])
    if name == "braille":
        return replace(dataset("braille", row["seed"]), loss=as_loss("mean_potential"))
    if name in STIFFNESS:
        return tasks.spring_mass(row["samples"], drawn, STIFFNESS[name])
    return tasks.burst_sequences(int(name.removeprefix("bursts-")), row["samples"], drawn)


def parts_of(arm: str) -> tuple[str, str]:
    """Neuron of an arm, and how it is used."""
    neuron, _, use = arm.partition("-")
    return neuron, use


def make_model(row: Row) -> tuple[nc.NeuronModel, tuple[str, ...]]:
    """Neuron of a row and the parameters it learns."""
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
    """A LIF neuron whose threshold jumps by ``b`` with every spike and comes back (Bellec et al.
    2018); bounds are ours."""
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
    """Network of a row at its start; time constants, couplings and adaptations are drawn uniformly
    between their bounds.

    An LSTM has as many cells as bring it nearest to the number of learned values of the SE network
    of the same row.
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
    """Between layers: axons of neurons may be delayed, inputs are not."""
    if use == "delays" and number:
        return DelayedDense(n_in, n_out, LONGEST_DELAY, key=key)
    dense = Dense(n_in, n_out, key=key)
    return Chain([dense, BatchNorm(n_out)]) if use == "normalised" else dense


def make_settings(row: Row) -> Settings:
    """How a row is trained; clipping as released, for every arm alike."""
    return Settings(
        epochs=row["epochs"],
        batch_size=row["batch"],
        learning_rate=row["rate"],
        schedule=row["schedule"],
        clip=CLIP,
        blocks=row["blocks"],
    )

"""The currents that the protocol of an Axon binary file commands, for recordings that hold only the
voltage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings.plausible import is_unit

#: Kinds of epochs that are drawn, and the names of the others (Axon's file format; pyABF).
STEP, RAMP = 1, 2
OTHER_EPOCHS = {
    0: "off",
    3: "pulse train",
    4: "triangle train",
    5: "cosine train",
    7: "biphasic train",
}
#: A waveform comes from the table of epochs (1) or from a file (2); this mode of operation has
#: sweeps with a protocol.
FROM_EPOCHS, EPISODIC = 1, 5
#: The first epoch begins at the number of samples of the sweep divided by this.
FIRST_HOLDING = 64


class Command(NamedTuple):
    """Waveforms that one output commands.

    Attributes
    ----------
    name, unit : str
    waveforms : list of numpy.ndarray
        One waveform per sweep, in ``unit``.
    """

    name: str
    unit: str
    waveforms: list[np.ndarray]


def commanded_currents(info: Mapping[str, Any], n_samples: Sequence[int]) -> list[Command]:
    """Draw the currents that a protocol commands from its table of epochs.

    The first 1/64 of a sweep is held. Then epochs follow each other, each a step to its level or a
    ramp to it from the previous level. After the last epoch the output returns to the holding
    level or, if the protocol says so, stays at the last level through the start of the next sweep.
    Neo draws steps (:meth:`neo.io.AxonIO.read_protocol`); it takes ramps for steps and always
    returns to the holding level.

    Parameters
    ----------
    info : mapping
        The header of a file as :class:`neo.rawio.AxonRawIO` reads it.
    n_samples : sequence of int
        Number of samples of each sweep.

    Raises
    ------
    DataError
        If the currents are not known; the message says why.
    """
    if info["fFileVersionNumber"] < 2:
        raise DataError("files of version 1 hold no protocol that Neo reads")
    if info["protocol"]["nOperationMode"] != EPISODIC:
        raise DataError("it was recorded without a protocol of sweeps")
    outputs = {
        number: output
        for number, output in enumerate(info["listDACInfo"])
        if output["nWaveformEnable"] and _is_current(_text(output["DACChUnits"]))
    }
    if not outputs:
        raise DataError("its protocol commands no current")
    if info["sections"].get("UserListSection", {}).get("llNumEntries", 0):
        raise DataError("its protocol takes values from a list that changes from sweep to sweep")
    if info["protocol"].get("nAlternateDACOutputState"):
        raise DataError("its protocol alternates between outputs")
    return [
        _command(output, info["dictEpochInfoPerDAC"].get(number, {}), n_samples)
        for number, output in outputs.items()
    ]


def _command(
    output: Mapping[str, Any], epochs: Mapping[int, Mapping[str, Any]], n_samples: Sequence[int]
) -> Command:
    name = _text(output["DACChNames"])
    if output["nWaveformSource"] != FROM_EPOCHS:
        raise DataError(
            f"the waveform of '{name}' came from a stimulus file that the recording does not hold"
        )
    if output["nLeakSubtractType"]:
        raise DataError(f"leak was subtracted by sub-sweeps of '{name}'")
    used = [
        epoch
        for _, epoch in sorted(epochs.items())
        if epoch["lEpochInitDuration"] or epoch["lEpochDurationInc"]
    ]
    strange = [epoch["nEpochType"] for epoch in used if epoch["nEpochType"] not in (STEP, RAMP)]
    if strange:
        raise DataError(
            f"the protocol of '{name}' holds an epoch of kind "
            f"'{OTHER_EPOCHS.get(strange[0], strange[0])}'"
        )
    level, waveforms = float(output["fDACHoldingLevel"]), []
    for sweep, n in enumerate(n_samples):
        waveform, level = _sweep(used, sweep, n, level, returns=not output["nInterEpisodeLevel"])
        waveforms.append(waveform)
    return Command(name, _text(output["DACChUnits"]), waveforms)


def _sweep(
    epochs: Sequence[Mapping[str, Any]], sweep: int, n: int, held: float, *, returns: bool
) -> tuple[np.ndarray, float]:
    """Waveform of one sweep that begins at the level ``held``, and the level at which it ends."""
    waveform, begin, level = np.full(n, held), n // FIRST_HOLDING, held
    for epoch in epochs:
        length = max(0, int(epoch["lEpochInitDuration"] + epoch["lEpochDurationInc"] * sweep))
        target = float(epoch["fEpochInitLevel"] + epoch["fEpochLevelInc"] * sweep)
        part = waveform[begin : begin + length]
        is_ramp = epoch["nEpochType"] == RAMP
        part[:] = (
            level + (target - level) * np.arange(len(part)) / max(length - 1, 1)
            if is_ramp
            else target
        )
        begin, level = begin + length, target
    level = held if returns else level
    waveform[begin:] = level
    return waveform, level


def _text(value: bytes | str) -> str:
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else value).strip("\0 ")


def _is_current(unit: str) -> bool:
    try:
        pq.Quantity(1.0, unit if is_unit(unit) else "dimensionless").rescale("A")
    except (LookupError, ValueError):
        return False
    return True

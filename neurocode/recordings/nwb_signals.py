"""Writing signals of a segment as series of an NWB file: as current clamp where there are a voltage
and its current."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import neo

from neurocode.extras import Library
from neurocode.recordings.nwb_types import File
from neurocode.units import number_in

nwb, icephys = Library("pynwb"), Library("pynwb.icephys")

#: Settings of an amplifier (in ampere, ohm and farad) by their names in NWB; they are annotations
#: of a voltage.
SETTINGS = ("bias_current", "bridge_balance", "capacitance_compensation")
#: Names of the electrode and amplifier of signals that name no electrode.
ELECTRODE, AMPLIFIER = "electrode", "amplifier"


def add_signals(file: File, segment: neo.Segment, number: int) -> None:
    """Add the signals of a segment to a file.

    Parameters
    ----------
    file : pynwb.NWBFile
    segment : neo.Segment
    number : int
        Number of the segment; it is written into the comments of each series, so that a reader can
        restore the segment.
    """
    electrodes: dict[str, list[neo.AnalogSignal]] = {}
    for signal in segment.analogsignals:
        electrodes.setdefault(str(signal.annotations.get("electrode") or ELECTRODE), []).append(
            signal
        )
    rows, plain = [], []
    for name, signals in electrodes.items():
        pair = _clamped_pair(signals)
        if pair is None:
            plain += signals
        else:
            stem = f"segment_{number}" + (f"_{name}" if len(electrodes) > 1 else "")
            rows.append(_add_pair(file, pair, name, stem, number, segment))
            plain += [signal for signal in signals if all(signal is not entry for entry in pair)]
    for index, signal in enumerate(plain):
        description = signal.name or "signal"
        name = f"segment_{number}_signal_{index}"
        file.add_acquisition(
            nwb.TimeSeries(
                name=name,
                data=signal.magnitude,
                unit=signal.dimensionality.string,
                description=description,
                **_place(signal, number),
            )
        )
    if rows:
        file.add_icephys_simultaneous_recording(recordings=rows, id=number)


def _clamped_pair(
    signals: Sequence[neo.AnalogSignal],
) -> tuple[neo.AnalogSignal, neo.AnalogSignal] | None:
    """The one voltage and the one current of an electrode, if they are sampled alike."""
    voltages, currents = (
        [signal for signal in signals if _factor(signal, unit) is not None] for unit in ("V", "A")
    )
    if len(voltages) != 1 or len(currents) != 1:
        return None
    (voltage,), (current,) = voltages, currents
    alike = voltage.sampling_rate == current.sampling_rate and voltage.t_start == current.t_start
    return (
        (voltage, current)
        if alike and voltage.shape == current.shape and voltage.shape[1] == 1
        else None
    )


def _add_pair(
    file: File,
    pair: tuple[neo.AnalogSignal, neo.AnalogSignal],
    electrode_name: str,
    stem: str,
    number: int,
    segment: neo.Segment,
) -> int:
    """Add response and stimulus, and return their row in the table of intracellular recordings."""
    voltage, current = pair
    electrode = _electrode(file, electrode_name)
    stated = {
        name: float(voltage.annotations[name])
        for name in SETTINGS
        if voltage.annotations.get(name) is not None
    }
    shared = {
        "electrode": electrode,
        "stimulus_description": str(segment.annotations.get("stimulus_description", "N/A")),
    }
    response = icephys.CurrentClampSeries(
        name=f"{stem}_voltage", **_data(voltage, "V"), **_place(voltage, number), **shared, **stated
    )
    stimulus = icephys.CurrentClampStimulusSeries(
        name=f"{stem}_current", **_data(current, "A"), **_place(current, number), **shared
    )
    file.add_acquisition(response)
    file.add_stimulus(stimulus)
    return file.add_intracellular_recording(
        electrode=electrode, response=response, stimulus=stimulus
    )


def _electrode(file: File, name: str) -> Any:
    if name in file.icephys_electrodes:
        return file.icephys_electrodes[name]
    device = file.devices.get(AMPLIFIER) or file.create_device(
        name=AMPLIFIER, description="not stated"
    )
    return file.create_icephys_electrode(name=name, description="not stated", device=device)


def _data(signal: neo.AnalogSignal, unit: str) -> dict[str, object]:
    """The stored numbers of a signal, with their factor to volt or ampere."""
    return {
        "data": signal.magnitude[:, 0],
        "conversion": _factor(signal, unit),
        "description": signal.name or "signal",
    }


def _place(signal: neo.AnalogSignal, number: int) -> dict[str, object]:
    return {
        "rate": number_in(signal.sampling_rate, "Hz"),
        "starting_time": number_in(signal.t_start, "s"),
        "comments": f"segment {number}",
    }


def _factor(signal: neo.AnalogSignal, unit: str) -> float | None:
    """Factor from the unit of a signal to volt or ampere, rounded to 12 digits; None for another
    dimension."""
    try:
        return float(f"{float(signal.units.rescale(unit)):.12g}")
    except ValueError:
        return None

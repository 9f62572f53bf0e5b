"""Reading Axon binary files; the table of sections is checked before Neo follows it."""

from __future__ import annotations

import struct
from pathlib import Path

import neo
import neo.io

from neurocode.errors import DataError
from neurocode.recordings.channels import PASS_BOTH, channels_of
from neurocode.recordings.plausible import require_unit
from neurocode.recordings.protocol import commanded_currents

#: Version 2: offset of the table of sections, number of its entries, and bytes per block
#: (pyABF's notes).
TABLE, SECTIONS, BLOCK = 76, 18, 512


def read_abf(path: Path) -> neo.Block:
    """Read an Axon binary file by Neo.

    Where a voltage was recorded and no current, the current that the protocol commands is added
    (:func:`neurocode.recordings.protocol.commanded_currents`), annotated ``source="protocol"``.
    Where that is not known either, the segments say why under ``missing_channel``.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If a section is larger than the file, or a channel has an invalid unit.
    """
    _require_sections(path)
    reader = neo.io.AxonIO(str(path))
    for channel in reader.header["signal_channels"]:
        require_unit(path, channel["name"], channel["units"])
    block = reader.read_block()
    if (
        block.segments
        and channels_of(block.segments[0], "voltage")
        and not channels_of(block.segments[0], "current")
    ):
        _add_commands(block, reader)
    return block


def _add_commands(block: neo.Block, reader: neo.io.AxonIO) -> None:
    voltages = [channels_of(segment, "voltage")[0].signal for segment in block.segments]
    try:
        commands = commanded_currents(reader._axon_info, [len(voltage) for voltage in voltages])
    except DataError as error:
        for segment in block.segments:
            segment.annotate(missing_channel=f"{error}: {PASS_BOTH}")
        return
    for command in commands:
        for segment, voltage, waveform in zip(
            block.segments, voltages, command.waveforms, strict=True
        ):
            timing = {"sampling_rate": voltage.sampling_rate, "t_start": voltage.t_start}
            segment.analogsignals.append(
                neo.AnalogSignal(
                    waveform, units=command.unit, name=command.name, **timing, source="protocol"
                )
            )


def _require_sections(path: Path) -> None:
    """Refuse a section (first block, bytes per entry, number of entries) that reaches beyond the
    end of the file."""
    with path.open("rb") as file:
        head = file.read(TABLE + 16 * SECTIONS)
    if not head.startswith(b"ABF2"):
        return
    size = path.stat().st_size
    for block, entry_bytes, entries in struct.iter_unpack("<IIq", head[TABLE:]):
        end = block * BLOCK + max(entry_bytes, 1) * entries
        if entries < 0 or end > size:
            raise DataError(
                f"{path}: the file is damaged: a section of {entries} entries ends at byte {end} "
                f"of {size}."
            )

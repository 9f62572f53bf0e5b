"""Axon binary files, whose table of sections is looked over before Neo walks through what it declares."""

from __future__ import annotations

import struct
from pathlib import Path

import neo

from neurocode.errors import DataError
from neurocode.recordings.plausible import require_unit

#: Version 2: where the table of sections begins, how many entries it has, and the bytes that blocks are counted in (pyABF's notes).
TABLE, SECTIONS, BLOCK = 76, 18, 512


def read_abf(path: Path) -> neo.Block:
    """Read an Axon binary file by Neo.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If a section is larger than the file, or a channel is in no unit.
    """
    _require_sections(path)
    reader = neo.io.AxonIO(str(path))
    for channel in reader.header["signal_channels"]:
        require_unit(path, channel["name"], channel["units"])
    return reader.read_block()


def _require_sections(path: Path) -> None:
    """Refuse a section (first block, bytes an entry, number of entries) that reaches beyond the end of the file."""
    with path.open("rb") as file:
        head = file.read(TABLE + 16 * SECTIONS)
    if not head.startswith(b"ABF2"):
        return
    size = path.stat().st_size
    for block, entry_bytes, entries in struct.iter_unpack("<IIq", head[TABLE:]):
        end = block * BLOCK + max(entry_bytes, 1) * entries
        if entries < 0 or end > size:
            raise DataError(f"{path}: the file is damaged: a section of {entries} entries ends at byte {end} of {size}.")

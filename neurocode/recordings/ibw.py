"""Reading Igor binary waves; the header is checked before igor2 allocates what it declares."""

from __future__ import annotations

import struct
from pathlib import Path

import neo
import neo.io

from neurocode.errors import DataError
from neurocode.extras import require
from neurocode.logs import quiet
from neurocode.recordings.channels import PASS_BOTH
from neurocode.recordings.guard import damage_named

#: For each version: where the header declares the sizes of the parts, and the number of parts
#: (WaveMetrics, Technical Note 3).
SIZES = {1: (2, 1), 2: (2, 2), 3: (2, 3), 5: (4, 13)}


def read_ibw(path: Path) -> neo.Block:
    """Read an Igor binary wave by Neo.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If the file is damaged, or its parts are larger than the file.
    """
    require("igor2")
    with damage_named(path, "Neo"):
        _require_sizes(path)
        with quiet("igor2"):  # it logs the bytes of a damaged file
            block = neo.io.IgorIO(str(path)).read_block()
    for segment in block.segments:
        segment.annotate(missing_channel=f"a wave holds one channel: {PASS_BOTH}")
    return block


def _require_sizes(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(64)
    order = "<" if head[0] else ">"
    (version,) = struct.unpack_from(f"{order}h", head)
    if version not in SIZES:
        raise DataError(
            f"{path}: the file is of version {version}, expected an Igor binary wave of version "
            f"1, 2, 3 or 5."
        )
    place, count = SIZES[version]
    sizes = struct.unpack_from(f"{order}{count}i", head, place)
    size = path.stat().st_size
    if min(sizes) < 0 or sum(sizes) > size:
        raise DataError(
            f"{path}: the file declares parts of {sum(sizes)} bytes in total (the smallest of "
            f"{min(sizes)}), but has {size} bytes."
        )

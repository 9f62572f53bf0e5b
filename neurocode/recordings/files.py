"""Recordings in and out: files to Neo blocks and back, with one sentence when a file cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import neo
import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.nwb import read_nwb, write_nwb
from neurocode.recordings.spike_times import read_spike_times

PLAIN_SUFFIXES = (".npy", ".csv", ".txt")


def read(path: str | Path, *, time_unit: str = "s") -> neo.Block:
    """Read a recording into a Neo block.

    Parameters
    ----------
    path : str or pathlib.Path
        NWB by pynwb; spike times in NPY, CSV or TXT; ABF, IBW, NIX and whatever else by Neo.
    time_unit : {"s", "ms", "us"}
        Of plain spike times; other formats carry their own.

    Returns
    -------
    neo.Block
        One segment a sweep.

    Raises
    ------
    DataError
        If the file is absent, empty, truncated or of an unknown format.

    Examples
    --------
    >>> read("absent.abf")
    Traceback (most recent call last):
    neurocode.errors.DataError: absent.abf: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty.")
    suffix = path.suffix.lower()
    if suffix in PLAIN_SUFFIXES:
        block = read_spike_times(path, time_unit)
    elif suffix == ".nwb":
        block = _guarded(path, "pynwb", lambda: read_nwb(path))
    else:
        reader = _reader(path)
        block = _guarded(path, type(reader).__name__, reader.read_block)
    if not block.segments:
        raise DataError(f"{path}: the file holds no sweep.")
    block.file_origin = str(path)
    return block


def write(block: neo.Block, path: str | Path) -> Path:
    """Write the spike trains and signals of a block as NWB or NIX.

    Parameters
    ----------
    block : neo.Block
    path : str or pathlib.Path
        Ends in ``.nwb`` or ``.nix``; a file there is replaced.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        For another suffix.

    Examples
    --------
    >>> import neurocode as nc, pathlib, tempfile
    >>> block = nc.simulate(nc.models.lif(), duration=0.1, engine="jax")
    >>> path = write(block, pathlib.Path(tempfile.mkdtemp()) / "x.nwb")
    >>> len(read(path).segments)
    1
    """
    path = Path(path)
    if path.suffix.lower() == ".nwb":
        return write_nwb(block, path)
    if path.suffix.lower() == ".nix":
        with neo.io.NixIO(str(path), "ow") as nix:
            nix.write_block(block)
        return path
    raise DataError(f"{path}: can write .nwb and .nix, not '{path.suffix}'.")


def block_of_trains(trains: Sequence[np.ndarray], duration: float, name: str) -> neo.Block:
    """Block with one segment a repeat from spike times in seconds."""
    block = neo.Block(name=name)
    for number, train in enumerate(trains):
        segment = neo.Segment(name=f"repeat {number}", index=number)
        segment.spiketrains.append(neo.SpikeTrain(train, units="s", t_stop=duration, name=name))
        block.segments.append(segment)
    return block


def _reader(path: Path) -> neo.io.baseio.BaseIO:
    try:
        return neo.get_io(str(path))
    except Exception:
        if path.suffix.lower().lstrip(".") in neo.io.io_by_extension:
            raise DataError(f"{path}: the file is damaged, truncated, or not of the format that its name says.") from None
        raise DataError(f"{path}: Neo knows no reader for this format.") from None


def _guarded(path: Path, reader: str, load: Callable[[], neo.Block]) -> neo.Block:
    try:
        return load()
    except DataError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise DataError(f"{path}: the file is damaged or truncated ({reader}: {reason}).") from None


def signal_of(segment: neo.Segment, unit: str, what: str, where: str) -> neo.AnalogSignal:
    """First channel of a segment that is measured in a unit of the same dimension.

    Parameters
    ----------
    segment : neo.Segment
    unit : str
        For example ``"V"`` or ``"A"``.
    what, where : str
        Name of the channel and of the file, used in the message.

    Raises
    ------
    DataError
        If there is none; the message lists the channels found.
    """
    for signal in segment.analogsignals:
        if _measures(signal, unit):
            return signal[:, :1]
    found = ", ".join(f"{s.name or 'unnamed'} in {s.units.dimensionality.string}" for s in segment.analogsignals) or "none"
    raise DataError(f"{where}: there is no {what} channel (in a unit of {unit}); channels found: {found}.")


def _measures(signal: neo.AnalogSignal, unit: str) -> bool:
    try:
        signal.units.rescale(unit)
    except ValueError:
        return False
    return True

"""Reading recordings into Neo blocks and writing them back; a file that cannot be used raises an
error of one sentence."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import neo
import neo.io
import numpy as np

from neurocode.errors import DataError
from neurocode.extras import require
from neurocode.recordings.abf import read_abf
from neurocode.recordings.guard import damage_named, require_file
from neurocode.recordings.hdf5 import require_self_contained, require_units
from neurocode.recordings.ibw import read_ibw
from neurocode.recordings.layout import LAYOUT_SUFFIXES, Layout, read_layout
from neurocode.recordings.nwb import read_nwb, read_nwb_units, write_nwb
from neurocode.recordings.phy import CLUSTERS, SPIKES, is_phy, read_phy
from neurocode.recordings.plausible import require_plausible
from neurocode.recordings.spike_times import read_spike_times
from neurocode.recordings.text import TEXT_SUFFIXES
from neurocode.recordings.time_units import SECONDS
from neurocode.recordings.trains import Trains

PLAIN_SUFFIXES = (".npy", *TEXT_SUFFIXES)


def read(path: str | Path, *, time_unit: str | None = None) -> neo.Block:
    """Read a recording into a Neo block.

    Parameters
    ----------
    path : str or pathlib.Path
        NWB by pynwb; spike times in NPY, CSV, TXT, TSV or DAT; ABF, IBW and NIX by Neo. No other
        file is opened.
    time_unit : {"s", "ms", "us"}, optional
        Unit of plain spike times, seconds by default; other formats state their own unit.

    Returns
    -------
    neo.Block
        One segment per sweep.

    Raises
    ------
    DataError
        If the file is absent, empty, truncated or of an unknown format, or if it refers to other
        files.

    Examples
    --------
    >>> read("absent.abf")
    Traceback (most recent call last):
    neurocode.errors.DataError: absent.abf: there is no such file.
    """
    path = require_file(path)
    suffix = path.suffix.lower()
    if suffix in PLAIN_SUFFIXES:
        block = read_spike_times(path, time_unit)
    elif suffix == ".nwb":
        block = read_nwb(path)
    elif suffix in NEO_READERS:
        with damage_named(path, "Neo"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            block = NEO_READERS[suffix](path)
    else:
        raise DataError(
            f"{path}: there is no reader for '{suffix}' files; "
            f"{READ_INSTEAD.get(suffix, OTHER_FORMATS)}."
        )
    with damage_named(path, "Neo"):
        require_plausible(path, block)
    if not block.segments:
        raise DataError(f"{path}: the file holds no sweep.")
    block.file_origin = str(path)
    return block


def read_trains(path: str | Path, layout: Layout | None = None) -> Trains:
    """Read spike trains from a file of any readable format.

    Parameters
    ----------
    path : str or pathlib.Path
        A MAT, HDF5, NPY, NPZ, Parquet or text file, which is read by the layout; an NWB file, of
        which the units are read; a folder of Kilosort or Phy; or any other file of spike trains
        that :func:`read` takes.
    layout : Layout, optional
        Description of the file. Its start and end, in its unit of time, select a window of any
        file.

    Returns
    -------
    Trains

    Raises
    ------
    DataError
        If the file holds no spike train, or the window lies outside the recording.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "cell.csv"
    >>> _ = file.write_text("time\\n0.5\\n1.5\\n")
    >>> read_trains(file, Layout(t_stop=1.0)).times.tolist()
    [0.5]
    """
    layout = Layout() if layout is None else layout
    scale = SECONDS[layout.unit_of_time]
    start, stop = (
        None if limit is None else limit * scale for limit in (layout.t_start, layout.t_stop)
    )
    if is_phy(path):
        return read_phy(
            path, labels=layout.labels, sampling_rate=layout.sampling_rate, t_stop=stop
        ).window(start, stop)
    path = require_file(path)
    _require_whole_folder(path)
    if path.suffix.lower() in LAYOUT_SUFFIXES:
        return read_layout(path, layout)
    trains = (
        read_nwb_units(path, start, stop)
        if path.suffix.lower() == ".nwb"
        else Trains.of(read(path))
    )
    if not trains.n_units:
        raise DataError(f"{path}: the file holds no spike train.")
    first, last = trains.t_start.min(), trains.t_stop.max()
    for limit in (start, stop):
        if limit is not None and not first <= limit <= last:
            raise DataError(
                f"{path}: the window reaches to {limit:g} s, the recording lasts from {first:g} "
                f"to {last:g} s."
            )
    return trains.window(start, stop)


def trains_of(spiketrains: object) -> Trains:
    """Trains of a path, which is read, or of anything that :meth:`Trains.of` takes.

    Raises
    ------
    DataError
        If there are no trains, or they cannot be read.

    Examples
    --------
    >>> trains_of("absent.nwb")
    Traceback (most recent call last):
    neurocode.errors.DataError: absent.nwb: there is no such file.
    """
    return (
        read_trains(spiketrains) if isinstance(spiketrains, (str, Path)) else Trains.of(spiketrains)
    )


def _require_whole_folder(path: Path) -> None:
    """Refuse the spike times of a spike sorting by themselves: its clusters and sampling rate are
    in other files of the folder."""
    if path.name == SPIKES and (path.parent / CLUSTERS).is_file():
        raise DataError(f"{path}: this is a part of the sorting in {path.parent}; give the folder.")


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
        For any other suffix.

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
        require("nixio")
        with neo.io.NixIO(str(path), "ow") as nix:
            nix.write_block(block)
        return path
    raise DataError(f"{path}: can write .nwb and .nix, not '{path.suffix}'.")


def block_of_trains(trains: Sequence[np.ndarray], duration: float, name: str) -> neo.Block:
    """Block with one segment per repeat from spike times in seconds."""
    block = neo.Block(name=name)
    for number, train in enumerate(trains):
        segment = neo.Segment(name=f"repeat {number}", index=number)
        segment.spiketrains.append(neo.SpikeTrain(train, units="s", t_stop=duration, name=name))
        block.segments.append(segment)
    return block


def _read_nix(path: Path) -> neo.Block:
    require("nixio")
    require_self_contained(path)
    require_units(path)
    reader: Any = neo.io.NixIO(str(path), "ro")  # Neo annotates what it holds as None
    with reader as nix:
        if len(nix.nix_file.blocks) != 1:
            raise DataError(
                f"{path}: the file holds {len(nix.nix_file.blocks)} blocks, expected one."
            )
        return nix.read_block()


#: Readers by the suffix of a file. Neo has more readers, but one of them unpickles files and others
#: invent data.
NEO_READERS: dict[str, Callable[[Path], neo.Block]] = {
    ".abf": read_abf,
    ".ibw": read_ibw,
    ".nix": _read_nix,
}
READ_INSTEAD: dict[str, str] = dict.fromkeys(
    (".mat", ".h5", ".hdf5"),
    "say where its spike times are by a layout (neurocode.recordings.read_layout, neurocode "
    "describe)",
)
READ_INSTEAD |= dict.fromkeys(
    (".npz", ".parquet"),
    "its spike trains are read by neurocode.recordings.read_trains and neurocode describe",
)
READABLE_SUFFIXES = (".nwb", *NEO_READERS, *LAYOUT_SUFFIXES)
OTHER_FORMATS = (
    f"known are {', '.join([*NEO_READERS, '.nwb', *PLAIN_SUFFIXES])}: open others "
    f"with Neo and write them as .nix or .nwb"
)

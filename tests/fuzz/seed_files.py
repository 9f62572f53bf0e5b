"""Small whole files of every format that recordings come in, written here so that fuzzing needs no
recorded data."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import neo
import numpy as np
import pandas as pd
import pynwb
import quantities as pq
import scipy.io

from neurocode.recordings import write
from neurocode.recordings.nwb import write_nwb

#: Recorded files that join where NEUROCODE_DATA is set.
RECORDED = {
    "abf": "abf/17o05027_ic_ramp.abf",
    "ibw": "ibw/B6_Ch0_IDRest_181.ibw",
    "nwb": "nwb/A8604-211122.nwb",
    "mat": "aplysia/Jan1312da04spks.mat",
}
TIMES = np.array([0.004, 0.009, 0.013])


def write_seeds(folder: Path, recorded: Path | None) -> dict[str, list[Path]]:
    """Seeds by format, the recorded ones after those written here."""
    block = _block()
    seeds = {
        "abf": [_abf(folder / "seed.abf")],
        "ibw": [_ibw(folder / "seed.ibw")],
        "nwb": [_nwb(block, folder / "seed.nwb")],
        "nix": [write(block, folder / "seed.nix")],
        "mat": [_mat(folder / f"seed_{kind}.mat", **how) for kind, how in MAT_KINDS.items()],
        "npy": [_npy(folder / "seed.npy")],
        "csv": [_csv(folder / "seed.csv")],
        "tsv": [_table_of_text(folder / "seed.tsv")],
        "npz": [_npz(folder / "seed.npz"), _npz(folder / "seed_packed.npz", np.savez_compressed)],
        "parquet": [_parquet(folder / "seed.parquet")],
        "phy": [_phy(folder / "seed.phy")],
    }
    for name, path in RECORDED.items():
        if recorded is not None and (recorded / path).is_file():
            seeds[name].append(recorded / path)
    return seeds


def _block() -> neo.Block:
    block, segment = neo.Block(name="seed"), neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain(TIMES, units="s", t_stop=0.02, name="cell"))
    for values, unit in ((np.linspace(-70, 20, 20), "mV"), (np.linspace(0, 50, 20), "pA")):
        segment.analogsignals.append(
            neo.AnalogSignal(values, units=unit, sampling_rate=1 * pq.kHz, name=unit)
        )
    block.segments.append(segment)
    return block


def _nwb(block: neo.Block, path: Path) -> Path:
    """Without the text of the NWB standard, which would be most of the file."""
    whole = write_nwb(block, path.with_suffix(".whole.nwb"))
    with pynwb.NWBHDF5IO(str(whole), "r") as source, pynwb.NWBHDF5IO(str(path), "w") as target:
        target.export(source, nwbfile=source.read(), cache_spec=False)
    whole.unlink()
    return path


def _abf(path: Path) -> Path:
    """Axon Binary Format 1.83: one gap-free sweep of a voltage and a current."""
    header = bytearray(6144)
    fields = {
        0: ("4sfhi", b"ABF ", 1.83, 3, 40),
        24: ("i", 0),
        40: ("i", 12),
        100: ("h", 1),
        120: ("hf", 2, 500.0),
        16: ("2i", 1, 20200101),
        138: ("i", 40),
        244: ("f", 10.0),
        252: ("i", 32768),
        378: ("16h", *range(16)),
        410: ("16h", 0, 1, *[-1] * 14),
        442: ("10s10s", b"Vm", b"Im"),
        602: ("8s8s", b"mV", b"pA"),
    }
    for place, (form, *values) in fields.items():
        struct.pack_into("<" + form, header, place, *values)
    for place in (730, 922, 1050):
        struct.pack_into("<16f", header, place, *[1.0] * 16)
    values = np.column_stack([np.linspace(-70, 20, 20), np.linspace(0, 50, 20)]).astype("<f4")
    path.write_bytes(bytes(header) + values.tobytes())
    return path


def _ibw(path: Path) -> Path:
    """Igor Binary Wave 5 of twenty millivolts."""
    data = np.linspace(-70, 20, 20).astype("<f4").tobytes()
    head, wave = bytearray(64), bytearray(320)
    struct.pack_into("<hhi", head, 0, 5, 0, len(wave) + len(data))
    for place, (form, *values) in {
        12: ("i", 20),
        16: ("h", 2),
        26: ("h", 1),
        28: ("32s", b"Vm"),
        68: ("i", 20),
        84: ("d", 1e-3),
        148: ("4s", b"mV"),
        152: ("4s", b"s"),
    }.items():
        struct.pack_into("<" + form, wave, place, *values)
    total = int(np.sum(np.frombuffer(bytes(head + wave), "<i2"), dtype=np.int64))
    struct.pack_into("<h", head, 2, (-total + 2**15) % 2**16 - 2**15)
    path.write_bytes(bytes(head + wave) + data)
    return path


MAT_KINDS = {"5": {}, "compressed": {"do_compression": True}, "4": {"format": "4"}}


def _mat(path: Path, **how: object) -> Path:
    """Cells of two trains as the newer formats hold them, a table of units and times as the oldest
    does."""
    cells = np.empty((1, 2), object)
    cells[0, :] = [TIMES, TIMES[:2]]
    content = np.column_stack([[0, 0, 1], TIMES]) if how.get("format") == "4" else cells
    scipy.io.savemat(path, {"spks": content}, **how)
    return path


def _npy(path: Path) -> Path:
    np.save(path, TIMES)
    return path


def _csv(path: Path) -> Path:
    path.write_text("time\n" + "\n".join(map(str, TIMES)) + "\n", encoding="utf-8")
    return path


def _table_of_text(path: Path) -> Path:
    path.write_text(
        "unit,time_ms\n"
        + "\n".join(f"{unit},{time * 1e3}" for unit, time in zip("aba", TIMES, strict=True))
        + "\n"
    )
    return path


def _npz(path: Path, save: Callable = np.savez) -> Path:
    save(path, times=TIMES, units=np.array([2, 7, 2]))
    return path


def _parquet(path: Path) -> Path:
    pd.DataFrame({"time": TIMES, "unit": ["a", "b", "a"]}).to_parquet(path)
    return path


def _phy(folder: Path) -> Path:
    folder.mkdir()
    np.save(folder / "spike_times.npy", np.array([120, 270, 390], np.uint64))
    np.save(folder / "spike_clusters.npy", np.array([0, 3, 0], np.int32))
    (folder / "params.py").write_text(
        "dat_path = 'raw.dat'\nn_channels_dat = 2\ndtype = 'int16'\noffset = 0\nsample_rate = "
        "30000.\n"
    )
    (folder / "raw.dat").write_bytes(bytes(4 * 600))
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n3\tmua\n")
    return folder

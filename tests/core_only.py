"""Runs in a process without the libraries of the extras: what works there, and the message if a
library is needed."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

#: Actions, and the library that each asks for first.
NEEDS = {
    "read NWB": "pynwb",
    "write NWB": "pynwb",
    "read NIX": "nixio",
    "write NIX": "nixio",
    "read IBW": "igor2",
    "read HDF5": "h5py",
    "read MATLAB 7.3": "h5py",
    "read spoken digits": "h5py",
    "download": "pooch",
    "run a study": "pyarrow",
    "read the table of a study": "pyarrow",
    "two workers": "distributed",
    "optimiser": "optax",
    "to NIR": "nir",
    "from NIR": "nir",
}
WORKS = ("list data sets", "read MATLAB 5", "read NPY", "one worker")


def main() -> None:
    """Hide the libraries, run all actions in the given folder, and write a report of the
    messages."""
    from neurocode.extras import LIBRARIES

    folder = Path(sys.argv[1])
    os.environ.pop("NEUROCODE_DATA", None)
    sys.modules.update(dict.fromkeys(LIBRARIES))  # None: as if it were not there
    names = [
        module.name
        for module in pkgutil.walk_packages(
            importlib.import_module("neurocode").__path__, "neurocode."
        )
    ]
    names = [name for name in names if name != "neurocode.__main__"]
    report: dict[str, object] = {
        "modules": len(names),
        "imported": sum(bool(importlib.import_module(name)) for name in names),
    }
    report |= {name: outcome(action) for name, action in actions(folder).items()}
    report |= commands(folder)
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def outcome(action: Callable[[], object]) -> str:
    """Return the message of an action about a missing library, or ``done``."""
    from neurocode.errors import MissingExtraError

    try:
        action()
    except MissingExtraError as error:
        return str(error)
    return "done"


def actions(folder: Path) -> dict[str, Callable[[], object]]:
    """Actions by their names; files of other formats hold only as much as is looked at first."""
    import jax
    import neo
    import numpy as np
    import scipy.io

    import neurocode as nc
    from neurocode.recordings import Layout, datasets, read_layout
    from neurocode.recordings.hdf5 import SIGNATURE

    for name in ("a.nwb", "a.nix", "a.ibw", "a.h5"):
        (folder / name).write_bytes(SIGNATURE)
    (folder / "later.mat").write_bytes(bytes(512) + SIGNATURE)
    (folder / "table.parquet").write_bytes(b"PAR1")
    scipy.io.savemat(folder / "early.mat", {"times": np.array([0.25, 0.5])})
    np.save(folder / "a.npy", np.array([0.25, 0.5]))
    connections = [
        nc.learning.Dense(1, 2, key=jax.random.key(0)),
        nc.learning.Dense(2, 1, key=jax.random.key(1)),
    ]
    layers = [
        nc.learning.Layer(connections[0], nc.models.normalised_lif(), 1e-3),
        nc.learning.Readout(connections[1], 1e-3),
    ]
    network = nc.learning.Network(layers)
    layout = Layout(variable="times")
    return {
        "read NWB": lambda: nc.read(folder / "a.nwb"),
        "write NWB": lambda: nc.write(neo.Block(), folder / "b.nwb"),
        "read NIX": lambda: nc.read(folder / "a.nix"),
        "write NIX": lambda: nc.write(neo.Block(), folder / "b.nix"),
        "read IBW": lambda: nc.read(folder / "a.ibw"),
        "read HDF5": lambda: read_layout(folder / "a.h5", layout),
        "read MATLAB 7.3": lambda: read_layout(folder / "later.mat", layout),
        "read MATLAB 5": lambda: read_layout(folder / "early.mat", layout),
        "read NPY": lambda: nc.read(folder / "a.npy"),
        "list data sets": datasets.available,
        "download": lambda: datasets.fetch("raphe", "DRN164_5ht_test.abf", folder=folder),
        "read spoken digits": lambda: nc.learning.tasks.heidelberg(
            folder / "a.h5", folder / "a.h5"
        ),
        "run a study": lambda: nc.studies.run_study(dict, [], folder / "new.parquet"),
        "read the table of a study": lambda: nc.studies.study_table(folder / "table.parquet"),
        "one worker": lambda: list(nc.studies.side_by_side(abs, [(-1,)])),
        "two workers": lambda: list(nc.studies.side_by_side(abs, [(-1,)], workers=2)),
        "optimiser": lambda: nc.learning.Settings().optimiser(1),
        "to NIR": lambda: nc.learning.to_nir(network),
        "from NIR": lambda: nc.learning.from_nir(folder / "a.nir", 1e-3),
    }


def commands(folder: Path) -> dict[str, str]:
    """Return exit codes and output of commands, and the names of the files that one of them
    wrote."""
    nwb, out = folder / "a.nwb", folder / "out"
    report = {
        "--help": command("--help"),
        "describe session.nwb": command("describe", nwb, "-o", folder / "described"),
        "simulate": command(
            "simulate",
            "--model",
            "lif",
            "--step",
            "300 pA",
            "--duration",
            "0.1",
            "--engine",
            "jax",
            "-o",
            out,
        ),
    }
    report["files of simulate"] = " ".join(sorted(path.name for path in out.iterdir()))
    return report


def command(*arguments: object) -> str:
    """Return the exit code of a command and its output, on one line."""
    from neurocode.cli import main as run

    sys.argv, code, printed = ["neurocode", *map(str, arguments)], 0, io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            run()
        except SystemExit as end:
            code = end.code or 0
    return f"{code} {' '.join(printed.getvalue().split())}"

"""Bad input from the command line: an exit code, one sentence that says what is wrong, no
traceback, and nothing written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from neurocode.cli import main

HUGE_NPY = (
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
)
INJECTED = """
name = "injected"
equations = "dv/dt = (I - v)/tau : 1\\nI : 1"
margin = "v - 1"
reset = "v = 0"
[parameters]
tau = "10 ms"
"zz = 0.0\\n  print(123456)\\n  yy" = "1"
"""
VOLTS_TO_NUMBER = """
name = "mixed"
equations = "dv/dt = (I - v)/tau : 1\\nI : 1"
margin = "v - 1"
reset = "v = -65*mV"
[parameters]
tau = "10 ms"
"""


def write_files(folder: Path) -> None:
    """Write files that cannot be used; the name of each says why."""
    (folder / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch executed'\ntR.")
    (folder / "unknown.foo").write_bytes(b"abc")
    (folder / "empty.nwb").write_bytes(b"")
    (folder / "cut.nwb").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    (folder / "cut.abf").write_bytes(b"ABF2" + bytes(100))
    (folder / "text.abf").write_text("not an ABF file")
    (folder / "cut.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    (folder / "folder.npy").mkdir()
    (folder / "huge.npy").write_bytes(HUGE_NPY)
    for name, text in {
        "semicolons.csv": "0.1;0.2\n0.3;\n",
        "hexadecimal.txt": "0x1A\n0x2B\n",
        "words.txt": "one\ntwo\n",
        "two_columns.csv": "0.1,1\n0.2,2\n",
        "list.toml": "[1, 2",
        "axes.toml": "axes = 3\n",
        "unknown_key.toml": "axis = 'unit'\n",
        "injected.toml": INJECTED,
        "mixed.toml": VOLTS_TO_NUMBER,
        "no_equations.toml": "name = 'x'\n",
    }.items():
        (folder / name).write_text(text)
    for name, values in {
        "objects": np.array([{1: 2}], object),
        "complex": np.array([0.1 + 1j]),
        "boolean": np.array([True, False]),
        "unsorted": np.array([0.3, 0.1]),
        "negative": np.array([-0.1, 0.2]),
        "infinite": np.array([0.1, np.inf]),
        "nan": np.array([0.1, np.nan]),
        "enormous": np.array([0.1, 1e308]),
        "epoch": 1.7e9 + np.arange(5.0),
        "good": np.arange(1, 9.0),
        "three": np.array([0.1, 0.2, 0.3]),
    }.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=True)
    scipy.io.savemat(folder / "cells.mat", {"Spikes": np.array([[0.1, 0.2]])})
    scipy.io.savemat(folder / "fractions.mat", {"counts": np.array([[0.5, 1.9, 0.0]])})
    scipy.io.savemat(folder / "negative_counts.mat", {"counts": np.array([[1.0, -1.0, 0.0]])})
    with h5py.File(folder / "linked.h5", "w") as file:
        file["spikes"] = h5py.ExternalLink("other.h5", "/spikes")
    other = folder / "other"
    other.mkdir()
    shutil.copy(folder / "injected.toml", other / "mixed.toml")


BINS = ["--variable", "counts", "--axes", "trial,bin"]
#: Arguments, exit code, and what the sentence must name.
CASES = {
    "describe: a pickle": (["describe", "evil.pkl"], 1, "evil.pkl"),
    "describe: an unknown suffix": (["describe", "unknown.foo"], 1, "unknown.foo"),
    "describe: no such file": (["describe", "absent.nwb"], 1, "no such file"),
    "describe: an empty file": (["describe", "empty.nwb"], 1, "empty"),
    "describe: a cut NWB file": (["describe", "cut.nwb"], 1, "cut.nwb"),
    "describe: a cut MAT file": (["describe", "cut.mat", "--variable", "x"], 1, "cut.mat"),
    "describe: a folder": (["describe", "folder.npy"], 1, "folder.npy"),
    "describe: a file that declares terabytes": (["describe", "huge.npy"], 1, "huge.npy"),
    "describe: hexadecimal": (["describe", "hexadecimal.txt"], 1, "hexadecimal.txt"),
    "describe: words": (["describe", "words.txt"], 1, "words.txt"),
    "describe: two columns": (["describe", "two_columns.csv"], 1, "two_columns.csv"),
    "describe: objects": (["describe", "objects.npy"], 1, "objects.npy"),
    "describe: complex": (["describe", "complex.npy"], 1, "complex.npy"),
    "describe: boolean": (["describe", "boolean.npy"], 1, "boolean"),
    "describe: no such variable": (["describe", "cells.mat", "--variable", "absent"], 1, "absent"),
    "describe: no variable": (["describe", "cells.mat"], 1, "cells.mat"),
    "describe: unknown axis": (
        ["describe", "cells.mat", "--variable", "Spikes", "--axes", "moon"],
        None,
        "moon",
    ),
    "describe: unknown unit": (["describe", "good.npy", "--time-unit", "h"], 1, "'h'"),
    "describe: fractions of counts": (["describe", "fractions.mat", *BINS], 1, "0.5"),
    "describe: negative counts": (["describe", "negative_counts.mat", *BINS], 1, "-1"),
    "describe: bin of no width": (
        ["describe", "fractions.mat", *BINS, "--bin-size", "0"],
        None,
        "bin",
    ),
    "describe: an external link": (
        ["describe", "linked.h5", "--variable", "spikes"],
        1,
        "linked.h5",
    ),
    "describe: an absent layout": (
        ["describe", "good.npy", "--layout", "absent.toml"],
        None,
        "absent.toml",
    ),
    "describe: a layout that is no TOML": (
        ["describe", "good.npy", "--layout", "list.toml"],
        None,
        "list.toml",
    ),
    "describe: a layout of the wrong type": (
        ["describe", "good.npy", "--layout", "axes.toml"],
        None,
        "axes",
    ),
    "describe: an unknown entry of a layout": (
        ["describe", "good.npy", "--layout", "unknown_key.toml"],
        None,
        "axis",
    ),
    "describe: a window of no length": (
        ["describe", "good.npy", "--t-start", "5", "--t-stop", "2"],
        None,
        "start",
    ),
    "describe: a complexity bin of no width": (
        ["describe", "good.npy", "--complexity-bin", "0"],
        None,
        "bin",
    ),
    "fit: no such file": (["fit", "absent.abf", "--model", "gif"], 1, "no such file"),
    "fit: a pickle": (["fit", "evil.pkl", "--model", "gif"], 1, "evil.pkl"),
    "fit: a cut file": (["fit", "cut.abf", "--model", "gif"], 1, "cut.abf"),
    "fit: text named ABF": (["fit", "text.abf", "--model", "gif"], 1, "text.abf"),
    "fit: tests that do not match": (
        ["fit", "a.abf", "b.abf", "--test", "c.abf"],
        1,
        "1 test recordings for 2",
    ),
    "fit: training as test": (
        ["fit", "cut.abf", "--test", "cut.abf", "--model", "gif"],
        1,
        "cut.abf",
    ),
    "fit: an unknown model": (["fit", "cut.abf", "--model", "nothing"], 2, "nothing"),
    "fit: an absent model": (["fit", "cut.abf", "--model", "absent.toml"], 2, "no such model file"),
    "fit: a model that is code": (
        ["fit", "cut.abf", "--model", "injected.toml"],
        2,
        "injected.toml",
    ),
    "fit: a model of mixed units": (["fit", "cut.abf", "--model", "mixed.toml"], 2, "mixed"),
    "fit: two models of one name": (
        ["fit", "cut.abf", "--model", "mixed.toml", "--model", "other/mixed.toml"],
        None,
        "mixed",
    ),
    "fit: no start": (["fit", "cut.abf", "--model", "gif", "--starts", "0"], 2, "starts"),
    "fit: a negative prior": (
        ["fit", "cut.abf", "--model", "gif", "--prior-width", "-1"],
        2,
        "prior-width",
    ),
    "fit: a negative seed": (["fit", "cut.abf", "--model", "gif", "--seed", "-1"], 2, "seed"),
    "fit: one prediction": (
        ["fit", "cut.abf", "--model", "gif", "--predictions", "1"],
        2,
        "predictions",
    ),
    "fit: volts as current": (
        ["fit", "cut.abf", "--model", "gif", "--current-offset", "5 mV"],
        None,
        "offset",
    ),
    "fit: spikes alone and a test": (
        ["fit-spikes", "good.npy", "--test", "good.npy"],
        2,
        "No such option: --test",
    ),
    "simulate: no duration": (["simulate", "--model", "lif"], 2, "--duration"),
    "simulate: years": (["simulate", "--model", "lif", "--duration", "1000000"], None, "74.5 GiB"),
    "simulate: no trial": (
        ["simulate", "--model", "lif", "--duration", "1", "--trials", "0"],
        2,
        "trials",
    ),
    "simulate: a negative duration": (
        ["simulate", "--model", "lif", "--duration", "-1"],
        None,
        "duration",
    ),
    "simulate: NaN seconds": (
        ["simulate", "--model", "lif", "--duration", "nan"],
        None,
        "duration",
    ),
    "simulate: volts as current": (
        ["simulate", "--step", "1 mV", "--duration", "1"],
        1,
        "The step",
    ),
    "simulate: two currents": (
        ["simulate", "--step", "1 pA", "--noise", "1 pA", "1 pA", "--duration", "1"],
        2,
        "exclude",
    ),
    "simulate: an unknown engine": (
        ["simulate", "--model", "lif", "--duration", "1", "--engine", "moon"],
        None,
        "moon",
    ),
    "simulate: a model without equations": (
        ["simulate", "--model", "no_equations.toml", "--duration", "1"],
        2,
        "equations",
    ),
    "simulate: a model that is code": (
        ["simulate", "--model", "injected.toml", "--duration", "1"],
        2,
        "injected.toml",
    ),
    "train: an unknown task": (["train", "moon"], 2, "moon"),
    "train: no neuron": (["train", "digits", "--hidden", "0"], 2, "hidden"),
    "train: no epoch": (["train", "digits", "--epochs", "0"], 2, "epochs"),
    "train: a negative rate": (["train", "digits", "--rate", "-1"], None, "rate"),
    "train: an unknown neuron": (["train", "digits", "--neuron", "moon"], 2, "moon"),
    "train: an unknown parameter": (["train", "digits", "--learn", "moon"], None, "moon"),
    "train: no data": (["train", "ecg"], 2, "data"),
    "study: an unknown study": (["study", "moon"], 2, "moon"),
    "figures: an unknown figure": (["figures", "moon"], 2, "moon"),
    "figures: no tables": (["figures", "adaptive-lif", "--tables", "absent"], None, "absent"),
    "data: an unknown set": (["data", "fetch", "moon"], 1, "moon"),
    "an unknown command": (["fly"], 2, "fly"),
}
#: Units that cannot be used stand in the table with the reason, beside those that can.
REASONS = {
    "describe: an enormous time": (["describe", "enormous.npy"], 0, "enormous: times lie outside"),
    "describe: times since 1970": (["describe", "epoch.npy"], 0, "epoch"),
    "describe: times out of order": (["describe", "unsorted.npy"], 0, "not sorted"),
    "describe: a negative time": (["describe", "negative.npy"], 0, "negative"),
    "describe: an infinite time": (["describe", "infinite.npy"], 0, "infinite"),
    "describe: a time that is no number": (["describe", "nan.npy"], 0, "nan"),
    "fit: three spikes": (
        ["fit-spikes", "three.npy", "--model", "lif-diffusive"],
        1,
        "2 interspike intervals",
    ),
    "fit: times out of order": (
        ["fit-spikes", "unsorted.npy", "--model", "lif-diffusive"],
        1,
        "not sorted",
    ),
}
NO_OUTPUT = ("data", "fly")


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    write_files(folder)
    return folder


def run(arguments, monkeypatch):
    """Return the exit code of a command; an error without a one-sentence message is raised and
    fails the test."""
    monkeypatch.setattr(sys, "argv", ["neurocode", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_said_in_one_sentence(case, bad_files, tmp_path, monkeypatch, capsys):
    arguments, code, says = CASES[case]
    monkeypatch.chdir(bad_files)
    output = [] if arguments[0] in NO_OUTPUT else ["-o", str(tmp_path / "out")]
    exit_code = run([*arguments, *output], monkeypatch)
    printed = capsys.readouterr()
    assert exit_code == code if code is not None else exit_code in (1, 2)
    message = (
        printed.err[printed.err.find("neurocode: ") :]
        if "neurocode: " in printed.err
        else printed.err
    )
    assert says.lower() in (message or printed.out).lower()
    assert "Traceback" not in printed.err + printed.out
    assert not (tmp_path / "out").exists()
    assert not (bad_files / "executed").exists() and "123456" not in printed.out


@pytest.mark.parametrize("case", REASONS)
def test_a_unit_that_cannot_be_used_is_reported_with_the_reason(
    case, bad_files, tmp_path, monkeypatch, capsys
):
    arguments, code, says = REASONS[case]
    monkeypatch.chdir(bad_files)
    monkeypatch.setattr(sys, "argv", ["neurocode", *arguments, "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        main()
    printed = " ".join(capsys.readouterr().out.split())
    assert stop.value.code == code and says in printed
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    "command", [["describe", "good.npy"], ["simulate", "--model", "lif", "--duration", "0.1"]]
)
@pytest.mark.parametrize("target", ["good.npy", "/proc/out"])
def test_an_output_that_cannot_be_written_is_refused_first(
    command, target, bad_files, monkeypatch, capsys
):
    monkeypatch.chdir(bad_files)
    assert run([*command, "-o", target], monkeypatch) in (1, 2)
    assert target in capsys.readouterr().err

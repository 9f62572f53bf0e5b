"""Every number of a comparison and of a fit to spike times is written under its own name, and every
option reaches the fit."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from neurocode.cli import fit_task, recording_task, unit_report, unit_task
from neurocode.cli.inputs import data_hash
from neurocode.recordings import Trains

RECORDING = {
    "recording": "cell",
    "folder": "cell/gif",
    "bits_per_spike": {"training": 0.1, "test": 0.2},
    "bic": 7.0,
    "converged": True,
    "cross_validation": {"bits_per_spike": 0.3},
    "md_star": {"4ms": 0.4, "8ms": 0.5},
    "gamma": {"2ms": 0.6, "4ms": 0.7},
    "reliability": {"4ms": 0.8, "8ms": 0.9},
    "md_star_ceiling": {"4ms": 1.1, "8ms": 1.2},
    "seconds": 8.0,
    "md_star_ceiling_sd": {"4ms": 1.3, "8ms": 1.4},
    "ks": {"statistic": 1.5, "band": 1.6},
    "reservations": ["a", "b"],
}
UNIT = {
    "file": "a.npy",
    "unit": "0",
    "folder": "a/0/lif",
    "bits_per_spike": {"training": 0.1},
    "n_spikes": 50,
    "survives": True,
    "ks": {"statistic": 0.2, "band": 0.3},
    "dependence": {"rank_correlation": 0.4},
    "statistics": {
        "recorded": {"rate": 1.0, "cv": 2.0, "serial_correlation": 3.0},
        "model": {"rate": 4.0, "cv": 5.0, "serial_correlation": 6.0},
    },
    "parameters": {
        "mu": {"value": 7.0, "standard_error": 8.0, "unit": "mV/ms", "fixed": False},
        "V_T": {"value": 9.0, "standard_error": None, "unit": "mV", "fixed": True},
    },
}


def test_scores_of_a_recording_stand_under_their_names():
    row = recording_task.COMPARISON.frame([RECORDING]).iloc[0]
    assert row.drop(["recording", "model", "folder", "error"]).to_dict() == {
        "rank": 1.0,
        "cross_validated_bits": 0.3,
        "training_bits": 0.1,
        "bic": 7.0,
        "converged": True,
        "held_out_bits": 0.2,
        "md_star_4ms": 0.4,
        "md_star_8ms": 0.5,
        "gamma_4ms": 0.7,
        "reliability_8ms": 0.9,
        "ceiling_8ms": 1.2,
        "ks": 1.5,
        "reservations": 2,
        "seconds": 8.0,
    }


def test_numbers_of_a_unit_stand_under_their_names():
    row = unit_task.COMPARISON.frame([UNIT]).iloc[0]
    expected = {
        "n_intervals": 50,
        "ks": 0.2,
        "ks_band": 0.3,
        "rescaled_correlation": 0.4,
        "rate_recorded": 1.0,
        "cv_recorded": 2.0,
        "serial_correlation_recorded": 3.0,
        "rate_model": 4.0,
        "cv_model": 5.0,
        "serial_correlation_model": 6.0,
        "mu (mV/ms)": 7.0,
        "mu_se": 8.0,
    }
    assert {name: row[name] for name in expected} == expected and not any(
        name.startswith("V_T") for name in row.index
    )


@pytest.fixture
def handed(monkeypatch):
    """Return what is passed to the functions that fit, score and cross-validate."""
    options = {}

    def keep(name, answer):
        return lambda *arguments, **more: options.update({name: (arguments, more)}) or answer

    for module, name in (
        (recording_task, "fit"),
        (unit_task, "fit"),
        (recording_task, "evaluate"),
        (recording_task, "write_fit"),
    ):
        monkeypatch.setattr(module, name, keep(f"{module.__name__.rsplit('.', 1)[1]}.{name}", name))
    monkeypatch.setattr(
        recording_task, "choose_voltage", keep("choose_voltage", SimpleNamespace(interval=0.5))
    )
    monkeypatch.setattr(fit_task, "cross_validate", keep("cross_validate", None))
    monkeypatch.setattr(fit_task, "replace", lambda result, **more: result)
    return options


def test_options_of_a_recording_reach_its_fit_and_its_scores(handed):
    options = {
        "prior_width": 2.0,
        "seed": 5,
        "starts": 4,
        "predictions": 9,
        "inputs": {},
        "current_offset": "0 pA",
    }
    files = {
        "training": "a.nix",
        "test": None,
        "electrode": None,
        "current": None,
        "test_current": None,
    }
    detection = {"spike_threshold": 0.0, "dead_time": 3.0}
    task = recording_task.RecordingTask(
        model="gif", voltage="auto", **files, **options, **detection
    )
    data = SimpleNamespace(repeats=[SimpleNamespace(voltage=np.zeros(2))], test="test")
    neuron, result = task.fitted(data, None)
    assert result == "fit" and handed["choose_voltage"][1] == {
        "prior_width": 2.0,
        "seed": 5,
        "progress": None,
    }
    assert handed["recording_task.fit"] == (
        (neuron, data),
        {"seed": 5, "starts": 4, "progress": None, "prior_width": 2.0, "voltage": 0.5},
    )
    task.write("folder", "result", data, [])
    assert handed["recording_task.evaluate"] == (("result", data), {"n_predictions": 9, "seed": 5})
    fit_task._cross_validated(task, neuron, "result", data, None)
    assert handed["cross_validate"] == (
        (neuron, "result", data),
        {"prior_width": 2.0, "progress": None},
    )


def test_every_option_of_reading_reaches_the_reader(monkeypatch):
    options = {
        "sweeps": "1",
        "test_sweeps": "2",
        "voltage_channel": "v",
        "current_channel": "i",
        "t_start": 0.5,
        "t_stop": 0.75,
        "bias_current": "add",
        "current_offset": "5 pA",
        "spike_threshold": -5.0,
        "dead_time": 2.0,
    }
    files = {
        "training": "a.nix",
        "test": None,
        "electrode": "aec.nix",
        "current": None,
        "test_current": None,
    }
    task = recording_task.RecordingTask(
        model="gif",
        prior_width=3.0,
        seed=0,
        starts=1,
        predictions=2,
        voltage="no",
        inputs={},
        **files,
        **options,
    )
    monkeypatch.setattr(
        recording_task.Experiment, "from_files", lambda *paths, **handed: (paths, handed)
    )
    assert task.data() == (("a.nix", None), {"electrode": "aec.nix", **options})


def test_options_of_a_unit_reach_its_data_its_model_and_its_fit(handed, tmp_path):
    """The second of two units, whose trains go on for 1 s after the last spike."""
    np.savez(tmp_path / "a.npz", first=[0.125], second=[0.25, 0.5])
    layout = {"axes": "spike", "t_stop": 1.5}
    options = {
        "file": str(tmp_path / "a.npz"),
        "unit": "second",
        "index": 1,
        "layout": layout,
        "inputs": {},
        "seed": 0,
    }
    task = unit_task.UnitTask(
        model="lif-diffusive-periodic",
        prior_width=2.0,
        frequency=7.5,
        end_at_last_spike=True,
        **options,
    )
    data = task.data()
    assert data.times.tolist() == [0.25, 0.5] and data.t_stop.tolist() == [0.5]
    assert task.neuron.values["frequency"] == 7.5
    neuron, _ = task.fitted(data, None)
    assert handed["unit_task.fit"] == ((neuron, data), {"prior_width": 2.0, "progress": None})


def test_recorded_intervals_and_those_of_the_model_are_told_apart(tmp_path, monkeypatch):
    """Recorded intervals of 1, 3, 1 and 3 s, those of the model of 0.5 s: 1/2 Hz and 2 Hz."""
    drawn, simulated = {}, {}

    def predict(**options):
        simulated.update(options)
        return [0.5, 1.0, 1.5, 2.0]

    result = SimpleNamespace(
        training_rate=10.0,
        predict=predict,
        to_dictionary=dict,
        model=SimpleNamespace(save=lambda path: None),
        survives=True,
        cross_validation=None,
        n_spikes=3,
        message="done",
        bic=1.0,
        bits_per_spike=0.5,
        seconds=1.0,
        goodness={"rescaling": SimpleNamespace(quantiles=np.array([0.5]), band=0.1)},
    )
    monkeypatch.setattr(unit_report, "parameter_table", lambda result: pd.DataFrame())
    monkeypatch.setattr(unit_report, "parameter_section", lambda table: [])
    monkeypatch.setattr(unit_report, "spike_times_figure", lambda **parts: drawn.update(parts))
    monkeypatch.setattr(unit_report, "save_figure", lambda figure, path: (None, None))
    monkeypatch.setattr(unit_report.page, "image", lambda path, caption: "")
    names = {"file": "a.npy", "unit": "0", "model": "lif"}
    entry = unit_report.write_unit_fit(
        tmp_path, result, Trains.of([[0.0, 1.0, 4.0, 5.0, 8.0]]), names=names, seed=4
    )
    recorded, model = entry["statistics"]["recorded"], entry["statistics"]["model"]
    assert recorded == {"rate": 0.5, "cv": 0.5, "serial_correlation": pytest.approx(-1)}
    assert model == {"rate": 2.0, "cv": 0.0, "serial_correlation": None}
    assert (
        drawn["recorded"].tolist() == [1, 3, 1, 3]
        and drawn["simulated"].tolist() == [0.5] * 3
        and drawn["band"] == 0.1
    )
    assert [len(values) for values in drawn["correlations"]] == [10, 10]
    assert [values[0] for values in drawn["correlations"]] == [
        pytest.approx(-1),
        pytest.approx(np.nan, nan_ok=True),
    ]
    # 20000 intervals at 10 Hz last 2000 s, and at 1 Hz no longer than 4000 s.
    assert simulated["seed"] == 4 and simulated["duration"] == 2000
    result.training_rate = 1.0
    unit_report.simulated_train(result, 0)
    assert simulated["duration"] == 4000


def test_the_same_file_in_another_place_is_other_data(tmp_path):
    """A test recording is not the same as an electrode recording."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    a, b = tmp_path / "a", tmp_path / "b"
    assert (
        len(
            {
                data_hash(files)
                for files in (
                    [a, b, None],
                    [a, None, b],
                    [None, a, b],
                    [b, a, None],
                    [a, None, None],
                )
            }
        )
        == 5
    )

"""The function ``simulate``: units, shapes, and errors that name bad input."""

from __future__ import annotations

import brian2
import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError, ModelError

LIF = nc.models.lif()


def test_units_of_the_current_do_not_change_the_spikes():
    amperes = np.full(3000, 400e-12)
    signals = [
        neo.AnalogSignal(amperes * scale, units=unit, sampling_rate=10 * pq.kHz)
        for unit, scale in (("A", 1.0), ("nA", 1e9), ("pA", 1e12))
    ]
    blocks = [nc.simulate(LIF, s, engine="jax") for s in signals] + [
        nc.simulate(LIF, amperes, dt="0.1 ms", engine="jax")
    ]
    trains = [b.segments[0].spiketrains[0].magnitude.tolist() for b in blocks]
    assert len(trains[0]) > 5 and all(train == trains[0] for train in trains)


@pytest.mark.parametrize("quantity", [400 * pq.pA, 0.4 * pq.nA, 400 * brian2.pA], ids=str)
def test_a_quantity_is_converted_not_stripped(quantity):
    block = nc.simulate(LIF, np.ones(300) * quantity, dt=1e-4, engine="jax", seed=np.int64(3))
    np.testing.assert_allclose(block.segments[0].analogsignals[0].rescale("pA").magnitude, 400.0)
    assert block.annotations["seed"] == 3


def test_the_largest_run_and_the_rounding_of_steps():
    count_steps, require_memory = (
        nc.simulation.stimuli.count_steps,
        nc.simulation.stimuli.require_memory,
    )
    assert [count_steps(length, 1e-3) for length in (0.0006, 0.0014, 0.0016, 2.0)] == [
        1,
        1,
        2,
        2000,
    ]
    require_memory(2**30, 1.0, 1)
    require_memory(2**19, 0.5, 2**10)
    with pytest.raises(DataError, match=r"needs 8\.01 GiB"):
        require_memory(2**30 + 2**20, 1.0, 1)
    with pytest.raises(DataError, match="needs 1 TiB"):
        require_memory(2**37, 1.0, 1)


def test_block_holds_what_was_asked():
    block = nc.simulate(
        LIF, np.full(1000, 400e-12), dt=1e-4, trials=2, record=("v",), seed=1, engine="jax"
    )
    assert len(block.segments) == 2
    train, (voltage, current) = block.segments[0].spiketrains[0], block.segments[0].analogsignals
    assert train.units == pq.s and float(train.t_stop) == pytest.approx(0.1)
    assert voltage.units == pq.mV and current.units == pq.pA and len(voltage) == 1000
    assert block.annotations["seed"] == 1


def test_a_finer_step_holds_the_current():
    signal = nc.simulation.stimuli.steps([0.0, 400.0], 0.1, 1e-3)
    assert len(nc.simulate(LIF, signal, dt=1e-4, engine="jax").segments[0].analogsignals[0]) == 2000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"current": np.array([np.nan, 0.0]), "dt": 1e-4}, "not finite"),
        ({"current": np.zeros(0), "dt": 1e-4}, "shape"),
        ({"current": np.zeros(10)}, "needs dt"),
        ({"current": np.full(10, 0.3), "dt": 1e-4}, "unit"),
        ({"current": np.zeros((10, 3)), "dt": 1e-4, "trials": 2}, "columns"),
        ({}, "duration"),
        ({"duration": -1.0}, "positive"),
        ({"duration": "1 mV"}, "duration"),
        ({"duration": 1.0, "trials": 0}, "trials"),
        (
            {"current": neo.AnalogSignal([1.0, 2.0], units="mV", sampling_rate=1 * pq.kHz)},
            "expected a unit of",
        ),
        ({"current": np.zeros(10), "dt": 1e-4, "duration": 1.0}, "longer than the current"),
        ({"current": np.zeros(10) * pq.mV, "dt": 1e-4}, "The current is in mV, expected a unit of"),
        (
            {"current": np.zeros(10) * brian2.mV, "dt": 1e-4},
            "The current is in volt, expected a unit of",
        ),
        ({"current": 200 * np.ones(10) * pq.A, "dt": 1e-4}, "reaches 200 A"),
        (
            {"current": np.zeros(10, complex), "dt": 1e-4},
            "The current must be real numbers, not complex numbers",
        ),
        (
            {"current": np.zeros(10, bool), "dt": 1e-4},
            "The current must be real numbers, not truth values",
        ),
        (
            {"current": [[1.0], [1.0, 2.0]], "dt": 1e-4},
            "The current must be real numbers, not list",
        ),
        ({"current": "300 pA", "dt": 1e-4}, "The current must be real numbers, not str"),
        ({"duration": True}, "duration is True"),
        ({"duration": 0.1, "trials": True}, "trials must be a positive whole number, not True"),
        ({"duration": 0.1, "trials": 1.5}, "trials must be a positive whole number, not 1.5"),
        ({"duration": 0.1, "seed": -1}, "seed is -1, expected a whole number"),
        ({"duration": 0.1, "seed": 1.5}, "seed is 1.5"),
        ({"duration": 0.1, "seed": True}, "seed is True"),
        ({"duration": 0.1, "seed": 2**32}, "from 0 to 4294967295"),
        ({"duration": 1e-5}, "shorter than the time step"),
        (
            {"duration": 1e4, "record": ("v",), "trials": 1000},
            "10000 s in steps of 0.1 ms with 2001 signals needs 1.46 TiB, but at most",
        ),
        (
            {"duration": 1e6},
            "1000000 s in steps of 0.1 ms with 1 signal needs 74.5 GiB, but at most 8 GiB are "
            "allowed: shorten the",
        ),
        ({"duration": 1e300}, "shorten the duration"),
    ],
)
def test_bad_data_are_named(options, says):
    with pytest.raises(DataError, match=says):
        nc.simulate(LIF, **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"engine": "nest"}, "engine"),
        ({"record": ("x",)}, "'x'"),
        ({"parameters": {"V_T": np.zeros(3)}}, "outside|shape"),
        ({"parameters": {"V_T": "3 pA"}}, "V_T"),
    ],
)
def test_bad_use_is_named(options, says):
    with pytest.raises(ModelError, match=says):
        nc.simulate(LIF, duration=0.1, **options)


def test_trials_of_a_run_are_repeats_of_one_unit(tmp_path):
    """In the block and in files: a row with five trains, of which each is as long as the run."""
    block = nc.simulate(
        nc.models.noisy_lif(), np.full(300, 0.6), dt=1e-3, trials=5, seed=1, engine="jax"
    )
    for trains in (
        block,
        *(
            nc.recordings.read_trains(nc.write(block, tmp_path / f"run{suffix}"))
            for suffix in (".nwb", ".nix")
        ),
    ):
        table = nc.describe(trains, n_surrogates=0)
        assert table["n_trains"].tolist() == [5] and table["duration"].item() == pytest.approx(1.5)


@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_a_reset_copies_a_state_before_it_is_changed(engine):
    """v rises by one per step; at 2 it is copied to w, and w is not changed when v then falls."""
    model = nc.NeuronModel(
        name="copying",
        equations="dv/dt = 1/ms : 1\ndw/dt = 0/ms : 1",
        margin="v - 1.5",
        reset="w = v\nv -= 5",
        integrator="euler",
        parameters={},
    )
    block = nc.simulate(model, duration="8 ms", dt="1 ms", record=("v", "w"), engine=engine, seed=0)
    recorded = {signal.name: signal.magnitude.ravel() for signal in block.segments[0].analogsignals}
    assert recorded["v"].tolist() == [0, 1, -3, -2, -1, 0, 1, -3]
    assert recorded["w"].tolist() == [0, 0, 2, 2, 2, 2, 2, 2]

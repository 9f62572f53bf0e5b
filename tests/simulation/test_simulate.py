"""The front door: units, shapes, and bad input by name."""

from __future__ import annotations

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
    blocks = [nc.simulate(LIF, s, engine="jax") for s in signals] + [nc.simulate(LIF, amperes, dt="0.1 ms", engine="jax")]
    trains = [b.segments[0].spiketrains[0].magnitude.tolist() for b in blocks]
    assert len(trains[0]) > 5 and all(train == trains[0] for train in trains)


def test_block_holds_what_was_asked():
    block = nc.simulate(LIF, np.full(1000, 400e-12), dt=1e-4, trials=2, record=("v",), seed=1, engine="jax")
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
        ({"current": neo.AnalogSignal([1.0, 2.0], units="mV", sampling_rate=1 * pq.kHz)}, "expected a unit of"),
        ({"current": np.zeros(10), "dt": 1e-4, "duration": 1.0}, "longer than the current"),
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

"""Every option of a fit has an effect or is refused with a one-sentence error; none is ignored."""

from __future__ import annotations

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError, FitError
from neurocode.inference import (
    choose_voltage,
    cross_validate,
    parametric_bootstrap,
    profile_likelihood,
)
from neurocode.inference.one_unit import one_unit
from neurocode.recordings import Trains

TIMES = np.cumsum(np.random.default_rng(1).gamma(8.0, 0.005, 60))
GIF, DIFFUSION = nc.models.gif((50.0,)), nc.models.lif_diffusive()


@pytest.mark.parametrize("model", [GIF, DIFFUSION])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prior_width": -1}, r"width of the prior is -1, expected a positive number, or infinity"),
        ({"prior_width": 0.0}, r"width of the prior is 0.0"),
        ({"prior_width": np.nan}, r"width of the prior is nan"),
        ({"prior_width": "wide"}, r"width of the prior is 'wide'"),
        ({"prior_width": True}, r"width of the prior is True"),
        ({"seed": -1}, r"The seed is -1, expected a whole number of at least 0"),
        ({"seed": 1.5}, r"The seed is 1.5"),
        ({"seed": True}, r"The seed is True"),
    ],
)
def test_options_out_of_range_are_refused(model, options, says):
    with pytest.raises(FitError, match=says):
        nc.fit(model, TIMES, **options)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"starts": 0}, FitError, "number of starts is 0, expected a whole number of at least 1"),
        ({"starts": 2.0}, FitError, "number of starts is 2.0"),
        ({"dt": 0.0}, DataError, "time step is 0.0 s, expected a positive time"),
        ({"dt": -1e-3}, DataError, "time step is -0.001 s"),
        ({"dt": np.nan}, DataError, "time step is nan"),
        ({"dt": 1 * pq.mV}, DataError, "time step is .* expected a number in second"),
        ({"voltage": -0.2}, DataError, "interval between voltages is -0.2 s"),
    ],
)
def test_options_of_a_clamped_fit_are_checked(options, error, says):
    with pytest.raises(error, match=says):
        nc.fit(GIF, TIMES, **options)


@pytest.mark.parametrize(("name", "value"), [("starts", 6), ("dt", 1e-4), ("voltage", 0.2)])
def test_a_diffusion_refuses_what_it_has_not(name, value):
    with pytest.raises(FitError, match=f"'{name}' \\({value}\\) does not apply"):
        nc.fit(DIFFUSION, TIMES, **{name: value})


def test_a_diffusion_says_the_seed_that_it_was_given_and_draws_nothing():
    first, second = (nc.fit(DIFFUSION, TIMES, seed=seed) for seed in (0, 7))
    assert (first.seed, second.seed) == (0, 7)
    assert first.parameters == second.parameters and first.log_likelihood == second.log_likelihood


def test_a_time_step_may_be_a_quantity():
    model = GIF.with_fixed(*[name for name in GIF.free if name != "V_T"])
    assert nc.fit(model, TIMES, dt=1 * pq.ms, starts=1).dt == 1e-3


def test_cross_validation_checks_its_options():
    for options, says in (
        ({"folds": 1}, "number of blocks is 1"),
        ({"prior_width": 0}, "width of the prior"),
    ):
        with pytest.raises(FitError, match=says):
            cross_validate(GIF, None, None, **options)


def test_scores_and_uncertainties_check_their_options():
    for call, says in (
        (
            lambda: nc.evaluate(None, None, n_predictions=1),
            "number of predictions is 1, expected a whole number of at least 2",
        ),
        (lambda: nc.evaluate(None, None, seed=-1), "The seed is -1"),
        (
            lambda: profile_likelihood(None, None, "V_T", n_points=2),
            "number of values is 2, expected a whole number of at least 3",
        ),
        (
            lambda: parametric_bootstrap(None, None, n_samples=0),
            "number of samples is 0, expected a whole number of at least 1",
        ),
        (lambda: parametric_bootstrap(None, None, seed=-1), "The seed is -1"),
        (lambda: choose_voltage(GIF, None, prior_width=0), "width of the prior is 0"),
        (lambda: choose_voltage(GIF, None, seed="one"), "The seed is 'one'"),
    ):
        with pytest.raises(FitError, match=says):
            call()


def block(signal=False):
    segments = []
    for _ in range(2):
        segments.append(neo.Segment())
        segments[-1].spiketrains.append(neo.SpikeTrain(TIMES, units="s", t_stop=3.0))
        if signal:
            segments[-1].analogsignals.append(
                neo.AnalogSignal(np.zeros(3), units="pA", sampling_rate=1 * pq.Hz)
            )
    whole = neo.Block()
    whole.segments.extend(segments)
    return whole


@pytest.mark.parametrize(
    ("data", "starts", "stops"),
    [
        (neo.SpikeTrain(TIMES, units="s", t_stop=4.0), [0.0], [4.0]),
        (neo.SpikeTrain(TIMES * 1e3, units="ms", t_stop=4e3, t_start=-500.0), [-0.5], [4.0]),
        ([neo.SpikeTrain(TIMES, units="s", t_stop=4.0)] * 2, [0.0, 0.0], [4.0, 4.0]),
        (block().segments[0].spiketrains, [0.0], [3.0]),
        ([segment.spiketrains[0] for segment in block().segments], [0.0, 0.0], [3.0, 3.0]),
        (TIMES, [0.0], [TIMES[-1]]),
        (TIMES.tolist(), [0.0], [TIMES[-1]]),
        (pd.Series(TIMES), [0.0], [TIMES[-1]]),
        (TIMES * 1e3 * pq.ms, [0.0], [TIMES[-1]]),
        ([TIMES, TIMES[:50]], [0.0, 0.0], [TIMES[-1], TIMES[49]]),
        (Trains.of([TIMES]), [0.0], [TIMES[-1]]),
        (block(), [0.0, 0.0], [3.0, 3.0]),
        (block().segments[0], [0.0], [3.0]),
        ({"cell": TIMES}, [0.0], [TIMES[-1]]),
        (pd.DataFrame({"time": TIMES}), [0.0], [TIMES[-1]]),
        (pd.DataFrame({"time_ms": TIMES * 1e3, "unit": 4}), [0.0], [TIMES[-1]]),
    ],
    ids=[
        "train",
        "milliseconds",
        "trains",
        "trains of a segment",
        "trains of segments",
        "array",
        "list",
        "series",
        "quantity",
        "arrays",
        "Trains",
        "block",
        "segment",
        "dict",
        "frame",
        "frame in ms",
    ],
)
def test_spike_times_are_taken_from(data, starts, stops):
    trains = one_unit(data)
    assert trains.n_units == 1 and trains.n_trains == len(stops)
    np.testing.assert_allclose(trains.train(0), TIMES, rtol=1e-15)
    np.testing.assert_allclose(trains.t_start, starts)
    np.testing.assert_allclose(trains.t_stop, stops)


@pytest.mark.parametrize("model", [GIF, DIFFUSION])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            block(signal=True),
            r"neo.Block with signals is not fitted as it is: expected the trains of "
            r"one unit, such as \[segment",
        ),
        (block(signal=True).segments[0], "neo.Segment with signals is not fitted as it is"),
        ({"cell": TIMES, "other": TIMES}, "hold 2 units, expected one; fit each by itself"),
        (
            {"cell": np.array([3000, 6000])},
            "The unit 'cell' holds whole numbers, which may be samples",
        ),
        (
            pd.DataFrame({"a": TIMES}),
            "The data frame has the columns a, expected one of spike times",
        ),
        ("spikes.txt", "A str is not fitted; expected"),
        (None, "A NoneType is not fitted; expected"),
        (3.0, "A float is not fitted; expected"),
        ([], "There is no spike train; expected"),
        ([{"cell": TIMES}], "A dict is not a spike train"),
        ([TIMES, 3.0], "A float is not a spike train"),
        ([TIMES, [TIMES, TIMES[:3]]], "A list is not a spike train"),
        (TIMES > 1, "of the type 'bool', expected real numbers in seconds"),
        (TIMES + 0j, "of the type 'complex128'"),
        (TIMES.astype(str), "of the type '<U"),
        (np.stack([TIMES, TIMES]), "one dimension, not 2"),
        (Trains.of([TIMES, TIMES]), "hold 2 units, expected one"),
    ],
    ids=[
        "block",
        "segment",
        "dict",
        "samples",
        "frame",
        "text",
        "none",
        "number",
        "nothing",
        "dicts",
        "numbers",
        "nested",
        "boolean",
        "complex",
        "strings",
        "matrix",
        "units",
    ],
)
def test_anything_else_is_refused_with_what_is_expected(model, data, says):
    with pytest.raises(DataError, match=says):
        nc.fit(model, data)

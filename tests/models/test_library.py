"""The library by name, models from outside it, and how a model changes its bounds and shows
itself."""

from __future__ import annotations

import inspect
import math
from functools import partial

import brian2
import numpy as np
import pandas as pd
import pytest
import quantities as pq
from typer.testing import CliRunner

import neurocode as nc
from neurocode.cli import app
from neurocode.errors import ModelError
from neurocode.models import LIBRARY, NeuronModel, Parameter

#: A neuron that is not in the library: an integrator that reaches one after ten steps of a constant
#: input.
OUTSIDE = NeuronModel(
    name="outside",
    equations="dv/dt = I/tau : 1\nI : 1",
    margin="v - 0.95",
    reset="v = 0",
    parameters={"tau": Parameter.of("10 ms", ("1 ms", "1 s"), description="time to one")},
)
#: Its spikes under a constant input of one in 0.1 s.
EVERY_TEN_STEPS = [round(0.01 * number - 0.001, 3) for number in range(1, 11)]


def simulated(model, folder):
    """Return the spike times that the command line writes."""
    options = {
        "--model": model,
        "--step": "1",
        "--duration": 0.1,
        "--dt": 1,
        "--engine": "numba",
        "-o": folder,
    }
    run = CliRunner().invoke(
        app, ["simulate", *(str(part) for option in options.items() for part in option)]
    )
    assert run.exit_code == 0, run.output
    return [round(time, 3) for time in pd.read_csv(folder / "spikes.csv")["time_s"]]


@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_model_has_the_name_that_it_goes_by(name):
    model = nc.models.by_name(name)
    assert model.name == name
    again = nc.models.by_name(model.name)
    assert again == model and again.parameters == model.parameters and again.noise == model.noise


def test_every_library_model_is_another_one():
    texts = [
        (m.equations, m.margin, m.reset, m.noise, m.after_reset, m.parameters)
        for m in map(nc.models.by_name, LIBRARY)
    ]
    assert all(first != second for k, first in enumerate(texts) for second in texts[:k])


def test_every_function_that_makes_a_library_model_is_reachable():
    makers = {make.func if isinstance(make, partial) else make for make in LIBRARY.values()}
    assert {make.__name__ for make in makers} <= set(nc.models.__all__)
    exported = (getattr(nc.models, name) for name in nc.models.__all__)
    returning = {
        f
        for f in exported
        if inspect.isfunction(f) and f.__annotations__.get("return") == "NeuronModel"
    }
    assert returning - {nc.models.load, nc.models.by_name} == makers


def test_a_library_model_is_a_row(monkeypatch, tmp_path):
    """A row added from outside the package is enough to make a model known by name and to the
    command line."""
    monkeypatch.setitem(LIBRARY, "outside", lambda: OUTSIDE)
    assert nc.models.by_name("outside") is OUTSIDE
    assert simulated("outside", tmp_path / "out") == EVERY_TEN_STEPS
    with pytest.raises(ModelError, match=r"known are lif, .*outside, or the path of a \.toml file"):
        nc.models.by_name("unheard")


def test_a_file_goes_wherever_a_name_goes(tmp_path):
    path = OUTSIDE.save(tmp_path / "outside.toml")
    assert nc.models.by_name(str(path)) == OUTSIDE
    assert simulated(path, tmp_path / "out") == EVERY_TEN_STEPS


def test_bounds_are_numbers_text_or_quantities():
    model = nc.models.lif()
    for bounds in (
        (1, 50),
        ("1 nS", "0.05 uS"),
        [1, 50] * pq.nS,
        [1, 50] * brian2.nS,
        np.array([1.0, 50.0]),
    ):
        changed = model.with_bounds(g_L=bounds)
        assert changed.parameters["g_L"].bounds == pytest.approx((1.0, 50.0)), bounds
        assert (
            changed.parameters["g_L"].value == 10.0
            and changed.with_bounds(g_L=("0.2 nS", "200 nS")) == model
        )
    parameters = model.with_bounds({"g_L": (1, math.inf)}, V_T=("-60 mV", "-40 mV")).parameters
    assert (
        parameters["g_L"].bounds == (1.0, math.inf)
        and parameters["V_T"].bounds == (-60.0, -40.0)
        and parameters["C"] == model.parameters["C"]
    )
    fitted = nc.inference.coordinates.Coordinates.of(model.with_bounds(g_L=(1, 50)))
    assert (fitted.low[1], fitted.high[1]) == pytest.approx((1e-9, 50e-9))


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        *(
            (bad, "are a lowest and a highest value, not")
            for bad in ("12", None, 5, (1, 2, 3), (), {1, 2}, ([1, 2], 3))
        ),
        ((50, 1), "must be ordered, not 50.0 and 1.0"),
        ((math.nan, 3), "must be ordered"),
        ((10, 10), "must be ordered"),
        (("1 mV", "2 mV"), "'1 mV' is not in a unit of nS"),
        ((20, 30), "value 10.0 nS lies outside its bounds 20.0 to 30.0"),
        ((True, 30), "real numbers"),
        ((None, 30), "real numbers"),
        (("low", 30), "not a value"),
    ],
)
def test_bounds_that_are_none_are_refused(bounds, says):
    with pytest.raises(ModelError, match=f"Parameter 'g_L': .*{says}") as error:
        nc.models.lif().with_bounds(g_L=bounds)
    assert "\n" not in str(error.value)
    with pytest.raises(ModelError, match="Model 'lif' has no parameter 'g'"):
        nc.models.lif().with_bounds(g=bounds)


def test_models_with_values_for_every_neuron_are_compared():
    pair = [
        nc.models.lif().with_parameters(C=np.array([100.0, last])) for last in (200.0, 200.0, 300.0)
    ]
    assert pair[0] == pair[1] != pair[2] and pair[0] != nc.models.lif() and Parameter(1.0) != 1.0
    assert Parameter(1.0, "mV") != Parameter(1.0, "pA") and hash(Parameter(1.0)) == hash(
        Parameter(1.0)
    )


def test_a_model_shows_its_equations_and_parameters():
    model = nc.models.gif((50.0,))
    frame = model.to_dataframe()
    assert list(frame.index) == list(model.parameters)
    assert frame.loc["V_T"].to_dict() == {
        "meaning": "threshold",
        "value": -45.0,
        "unit": "mV",
        "low": -90.0,
        "high": 20.0,
        "fixed": False,
        "per_neuron": False,
    }
    assert len(repr(model).splitlines()) == 10 and len(
        model.summary().splitlines()
    ) == 1 + 5 + 2 + len(model.parameters)
    for line in (
        "dv/dt = (g_L*(E_L - v) - (eta_1) + I)/C : volt (unless refractory)",
        "spike: v - theta > 0, exponential escape noise of Delta_V, lambda_0",
        "at a spike: v = V_r; eta_1 += a_eta_1; gamma_1 += a_gamma_1, then refractory for t_ref",
        "V_T = -45 mV (from -90 to 20): threshold",
        "C = 100 pF (fixed): membrane capacitance",
        "a_eta_1 = 20 pA (unbounded): jump of the spike-triggered current",
    ):
        assert f"  {line}" in model.summary().splitlines()
    page = model._repr_html_()
    assert (
        "<pre>dv/dt = (g_L*(E_L - v)" in page
        and "v - theta &gt; 0" in page
        and "<td>lowest" not in page
    )
    assert "<td>-45</td>" in page and "<td>mV</td>" in page
    assert repr(OUTSIDE).splitlines()[
        -1
    ] == "  tau = 10 ms (from 1 to 1000): time to one" and "at a spike: v = 0" in repr(OUTSIDE)
    assert (
        "C = 2 values pF" in nc.models.lif().with_parameters(C=np.array([100.0, 200.0])).summary()
    )

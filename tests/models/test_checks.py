"""Everything that a model may contain is checked once, before any engine: units, order, conditions,
noise, sizes."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models import EscapeNoise, NeuronModel, Parameter
from neurocode.models.dimensions import check_dimensions

LIF = nc.models.lif()


def change(**fields):
    return replace(LIF, **fields)


def dimensionless(equations, margin="v - 1", reset="v = 0", **more):
    parameters = {"tau": Parameter.of("10 ms"), **more.pop("parameters", {})}
    return NeuronModel("plain", equations, margin, reset, parameters, **more)


NESTED = "\n".join(
    [
        "dv/dt = (x30 - v)/tau : 1",
        "x0 = v + 1 : 1",
        *(f"x{k} = x{k - 1}*x{k - 1} : 1" for k in range(1, 31)),
    ]
)
TOWER = "\n".join(
    ["dv/dt = (x3 - v)/tau : 1", "x1 = v**16 : 1", "x2 = x1**16 : 1", "x3 = x2**16 : 1"]
)
WIDE = "dv/dt = (" + " + ".join(f"a{k}" for k in range(12)) + ")**12/tau : 1"
LONG = " + ".join(["v"] * 55)
DEEP = f"dv/dt = (x + {LONG})/tau : 1\nx = {LONG} : 1"
CHAIN = "\n".join(
    [
        "dv/dt = (x70 - v)/tau : 1",
        "x0 = v + 1 : 1",
        *(f"x{k} = x{k - 1} + 1 : 1" for k in range(1, 71)),
    ]
)

REFUSED = {
    # units: the margin, the reset, the initial value, the refractory period, the noise
    "margin": (
        lambda: change(parameters={**LIF.parameters, "V_T": Parameter.of("-50")}),
        "units in the margin do not fit",
    ),
    "reset": (lambda: change(reset="v = 0"), "reset of 'v' '0' has the unit 1, expected V"),
    "added in reset": (lambda: change(reset="v += g_L"), "units in the reset of 'v' do not fit"),
    "scaled in reset": (lambda: change(reset="v *= 2*mV"), "reset of 'v'.*expected V"),
    "initial": (
        lambda: change(initial={"v": "-70"}),
        r"initial value of 'v' '-70' has the unit 1, expected V",
    ),
    "refractory": (
        lambda: change(refractory="V_T"),
        "refractory period 'V_T' has the unit V, expected s",
    ),
    "scale": (lambda: change(noise=EscapeNoise("gaussian", "C")), "escape noise .*expected 1"),
    "rate": (
        lambda: replace(nc.models.gif(), noise=EscapeNoise("exponential", "Delta_V", "g_L")),
        "rate 'g_L' .*expected Hz",
    ),
    "equation": (
        lambda: change(equations="dv/dt = (E_L - v)/C : volt (unless refractory)"),
        "equation of 'v'.*expected",
    ),
    "subexpression": (
        lambda: dimensionless("dv/dt = -w/tau : 1\nw = v : volt"),
        "equation of 'w' 'v' has the unit 1, expected V",
    ),
    "exponent": (lambda: change(margin="v**g_L - 1"), "cannot be worked out"),
    "symbol": (lambda: dimensionless("dv/dt = -v/tau : V"), "holds the symbol 'V': write 'volt'"),
    "scaled unit": (lambda: dimensionless("dv/dt = -v/tau : mV"), "'mV' of 'v' is not a base unit"),
    # what may be read where
    "noise in margin": (
        lambda: change(margin="v - V_T + xi*volt*second**0.5"),
        "margin reads 'xi', which is white noise",
    ),
    "noise in reset": (
        lambda: change(reset="v = V_r + xi_2*volt*second**0.5"),
        "reset of 'v' reads 'xi_2', which is white noise",
    ),
    "noise in subexpression": (
        lambda: dimensionless("dv/dt = n/tau : 1\nn = xi*second**0.5 : 1"),
        "'n' reads 'xi'",
    ),
    "spiked in margin": (
        lambda: dimensionless("dv/dt = -v/tau : 1\nspiked : 1", "v - spiked"),
        "margin reads 'spiked'",
    ),
    "spiked through": (
        lambda: dimensionless("dv/dt = -v/tau : 1\nw = spiked : 1\nspiked : 1", "v - w"),
        "margin reads 'spiked'",
    ),
    "spiked in reset": (
        lambda: dimensionless("dv/dt = -v/tau : 1\nspiked : 1", reset="v = spiked"),
        "reset of 'v' reads 'spiked'",
    ),
    "input at zero": (
        lambda: change(initial={"v": "I/g_L"}),
        "initial value of 'v' reads 'I', which has no value yet",
    ),
    "time at zero": (
        lambda: change(initial={"v": "E_L*t/second"}),
        "initial value of 'v' reads 't'",
    ),
    "constant margin": (lambda: change(margin="V_T - E_L"), "depends on no variable"),
    "unknown": (lambda: change(margin="v - V"), "uses 'V', which is neither"),
    "unknown state at zero": (
        lambda: change(initial={"w": "1"}),
        "no differential equation defines it",
    ),
    # conditions and numbers
    "condition": (lambda: change(margin="v > V_T"), "needs a number: write 'v - V_T'"),
    "truth": (lambda: change(margin="v - V_T + True*volt"), "where it needs a number"),
    "counted": (lambda: change(margin="(v > V_T)*volt"), "where it needs a number"),
    "number as condition": (
        lambda: change(margin="v - V_T*int(v and V_T > 0*volt)"),
        "where it needs a condition",
    ),
    "three values": (lambda: change(margin="v - V_T*int(V_r < v < V_T)"), "compares three values"),
    # refractoriness and order
    "held after reset": (
        lambda: change(after_reset=("v",)),
        "cannot be marked 'unless refractory'",
    ),
    "flag": (
        lambda: dimensionless("dv/dt = -v/tau : 1\nw = v : 1 (constant over dt)"),
        "the flag 'constant over dt'",
    ),
    "flag on input": (
        lambda: dimensionless("dv/dt = -v/tau : 1\nI : 1 (unless refractory)"),
        "the flag 'unless refractory'",
    ),
    "quantity": (lambda: change(refractory="2 ms"), r"write '2\*ms'"),
    "comment": (lambda: change(margin="v - V_T # \n + 5*mV"), "a comment or a backslash"),
    "backslash": (lambda: change(margin="v \\\n - V_T"), "a comment or a backslash"),
    # sizes
    "nested": (lambda: dimensionless(NESTED), "put in, at most"),
    "tower": (lambda: dimensionless(TOWER), "put in, at most|powers to powers"),
    "wide": (
        lambda: dimensionless(WIDE, parameters={f"a{k}": Parameter(1.0) for k in range(12)}),
        "terms .* at most 2000",
    ),
    "deep": (lambda: dimensionless(DEEP), "equation of 'v' has 111 levels .* at most 100"),
    "chain": (lambda: dimensionless(CHAIN), "operations .* at most 4000"),
    "circle": (
        lambda: dimensionless("dv/dt = a/tau : 1\na = b : 1\nb = a : 1"),
        "depends on itself",
    ),
    "own": (lambda: dimensionless("dv/dt = a/tau : 1\na = a + 1 : 1"), "depends on itself"),
    # constants
    "zero": (lambda: change(margin="v - V_T/(1 - 1)"), "no finite real value"),
    "zero inside": (
        lambda: dimensionless("dv/dt = 1/w/tau : 1\nw = 0 : 1"),
        "no finite real value",
    ),
    "root": (lambda: change(margin="v - V_T*(-2)**0.5"), "no finite real value"),
    "whole": (
        lambda: change(margin="v - V_T*(100000*100000)"),
        "no finite real value below 2.15e.09",
    ),
    # types
    "parameter": (lambda: change(parameters={"C": 3.0}), "'C' must be a Parameter, not float"),
    "initial type": (lambda: change(initial={"v": 3}), "must be text, not int"),
    "initial list": (
        lambda: change(initial={"v": []}),
        "initial value of 'v' must be text, not list",
    ),
    "reset type": (lambda: change(reset=None), "reset must be text, not NoneType"),
    "noise type": (lambda: change(noise="gaussian"), "must be an EscapeNoise, not str"),
    "after type": (lambda: change(after_reset="v"), "must be a tuple of names"),
    "name": (lambda: change(name="a\nb"), "one line of at most 100 letters"),
    "long name": (lambda: change(name="a" * 101), "one line of at most 100 letters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_engines_would_take_in_different_ways_is_refused_in_one_sentence(case):
    make, says = REFUSED[case]
    began = time.perf_counter()
    with pytest.raises(ModelError, match=says) as error:
        make()
    assert time.perf_counter() - began < 2
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_powers_of_one_term_and_long_sums_are_no_towers():
    dimensionless("dv/dt = (v**8)**8/tau : 1")
    dimensionless("dv/dt = (" + " + ".join(["v"] * 50) + ")/tau : 1")
    dimensionless("dv/dt = (v - 1)**16/tau : 1")
    with pytest.raises(ModelError, match="powers to powers beyond 64"):
        dimensionless("dv/dt = x**2/tau : 1\nx = (v**8)**8 : 1")


def test_units_are_compared_by_dimension_and_named():
    check_dimensions(
        (("margin", "v - V_T + I/g", "volt"),),
        (("v", "volt"), ("V_T", "mV"), ("I", "pA"), ("g", "nS")),
    )
    with pytest.raises(ModelError, match="The margin 'v' has the unit V, expected A"):
        check_dimensions((("margin", "v", "amp"),), (("v", "volt"),))


def test_initial_values_are_worked_out_in_the_order_of_the_equations():
    """v = 3 comes first whatever the order of the table, so w = 2 v = 6 in every engine; the other
    way round w = 0."""
    for table in ({"v": "3", "w": "2*v"}, {"w": "2*v", "v": "3"}):
        first, last = (
            dimensionless(text, "v - 100", initial=table, integrator="exponential_euler")
            for text in (
                "dv/dt = -v/tau : 1\ndw/dt = -w/tau : 1",
                "dw/dt = -w/tau : 1\ndv/dt = -v/tau : 1",
            )
        )
        assert list(first.initial) == ["v", "w"] and list(last.initial) == ["w", "v"]
        for engine in ("brian2", "jax"):
            for model, expected in ((first, 6.0), (last, 0.0)):
                signal = (
                    nc.simulate(model, duration=2e-3, dt=1e-3, record=("w",), engine=engine)
                    .segments[0]
                    .analogsignals[0]
                )
                assert float(signal.magnitude[0, 0]) == expected


def test_what_was_checked_is_what_engines_are_given():
    model = change(
        margin="v\n -\tV_T",
        reset="v = V_r  # back;\n\n",
        refractory=" t_ref\n",
        integrator="Exponential_Euler",
    )
    assert model.integrator == "exponential_euler"
    assert (model.margin, model.reset_code, model.refractory) == ("v - V_T", "v = V_r", "t_ref")
    assert nc.models.izhikevich().reset_code == "v = V_r\nu += d"
    current = np.full(400, 500e-12)
    trains = [
        nc.simulate(neuron, current, dt=1e-4, engine=engine).segments[0].spiketrains[0].magnitude
        for neuron, engine in ((LIF, "jax"), (model, "jax"), (model, "brian2"))
    ]
    assert len(trains[0]) > 1
    np.testing.assert_array_equal(trains[0], trains[1])
    np.testing.assert_array_equal(trains[0], trains[2])


def test_a_term_that_brian_drops_is_not_dropped():
    """Brian2's exponential_euler reads v + v**2 as v; the text is refused instead."""
    model = dimensionless(
        "dv/dt = (v + v**2)/tau : 1", initial={"v": "0.5"}, integrator="exponential_euler"
    )
    for engine in ("brian2", "jax", "numba"):
        with pytest.raises(ModelError, match="equation of 'v' is not linear in 'v'; take 'rk4'"):
            nc.simulate(model, duration=2e-3, dt=1e-3, engine=engine)
    nc.simulate(
        replace(model, equations="dv/dt = (v + 2)/tau : 1"), duration=2e-3, dt=1e-3, engine="jax"
    )


def coupled(n, integrator):
    rows = [
        f"dx{i}/dt = (-x{i} + {' + '.join(f'a{j}*x{j}' for j in range(n))})/tau : 1"
        for i in range(n)
    ]
    parameters = {f"a{j}": Parameter(0.1) for j in range(n)}
    return dimensionless(
        "\n".join(rows), "x0 - 1", "x0 = 0", parameters=parameters, integrator=integrator
    )


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (coupled(12, "exact"), "at most 2 states, not 12; 'matrix_exponential'"),
        (coupled(3, "linear"), "at most 2 states, not 3"),
        (coupled(6, "matrix_exponential"), "6 coupled states make too long a program"),
        (replace(LIF, integrator="gsl_rkf45"), "no integrator 'gsl_rkf45'"),
        (replace(LIF, integrator="independent"), "no integrator 'independent'"),
    ],
)
def test_integrators_that_would_take_hours_are_refused_at_once(model, says):
    for engine in ("brian2", "jax", "numba"):
        began = time.perf_counter()
        with pytest.raises(ModelError, match=says):
            nc.simulate(model, duration=1e-3, dt=1e-4, engine=engine)
        assert time.perf_counter() - began < 5


@pytest.mark.parametrize("engine", ["brian2", "jax", "numba"])
def test_what_is_updated_after_the_reset_goes_on_during_refractoriness(engine):
    """w relaxes towards the potential of after the reset, by a step of an Euler scheme written out
    here."""
    model = dimensionless(
        "dv/dt = (I - v)/tau : 1 (unless refractory)\ndw/dt = (v + 1 - w)/tau : 1\nI : 1",
        "v - 0.4 + 0.2*w",
        "v = 0",
        refractory="3*ms",
        after_reset=("w",),
    )
    expected, v, w, since = [], 0.0, 0.0, 10**6
    for step in range(100):
        v += 0.1 * (1.1 - v) if since >= 3 else 0.0
        spike = v - 0.4 + 0.2 * w > 0 and since >= 3
        v, since = (0.0, 1) if spike else (v, since + 1)
        w += 0.1 * (v + 1 - w)
        expected += [step] if spike else []
    block = nc.simulate(model, np.full(100, 1.1), dt=1e-3, engine=engine)
    assert len(expected) > 8
    np.testing.assert_array_equal(
        np.round(block.segments[0].spiketrains[0].magnitude * 1e3), expected
    )


@pytest.mark.parametrize("engine", ["brian2", "jax", "numba"])
def test_a_neuron_that_has_not_spiked_is_not_refractory(engine):
    """However long its refractory period: one spike, at once."""
    model = dimensionless(
        "dv/dt = (2 - v)/tau : 1", refractory="20000*second", initial={"v": "1.5"}
    )
    block = nc.simulate(model, duration=5e-3, dt=1e-3, engine=engine)
    np.testing.assert_array_equal(block.segments[0].spiketrains[0].magnitude, [0.0])


def test_several_inputs_are_refused_by_every_engine():
    model = dimensionless("dv/dt = (-v + I + J)/tau : 1\nI : 1\nJ : 1")
    for engine in ("brian2", "jax", "numba"):
        with pytest.raises(ModelError, match=r"has 2 inputs \(I, J\), expected one"):
            nc.simulate(model, duration=1e-3, dt=1e-4, engine=engine)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (200 * pq.pA, 200.0),
        (0.2 * pq.nA, 200.0),
        (np.array([1.0, 2.0]) * pq.nA, [1000.0, 2000.0]),
        (200, 200.0),
        ("0.2 nA", 200.0),
    ],
)
def test_quantities_keep_their_unit(value, expected):
    np.testing.assert_allclose(Parameter(1.0, "pA").with_value(value).value, expected)
    if not isinstance(value, str):
        np.testing.assert_allclose(Parameter(value, "pA").value, expected)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"value": 3 * pq.mV}, "not in a unit of pA"),
        ({"value": 3 + 1j}, "real numbers, not complex numbers"),
        ({"value": True}, "real numbers, not truth values"),
        ({"value": "3"}, "real numbers, not str"),
        ({"value": np.nan}, "must be finite"),
        ({"unit": ["pA"]}, "unit of a parameter must be text, not list"),
        ({"fixed": "yes"}, "'fixed' of a parameter must be true or false, not 'yes'"),
        ({"per_neuron": 1}, "'per_neuron' of a parameter must be true or false, not 1"),
        ({"description": 5}, "description of a parameter must be text, not int"),
        ({"bounds": (1.0, 1.0)}, "must be ordered"),
        ({"bounds": (0.0, 1.0, 2.0)}, "a lowest and a highest"),
        ({"bounds": (1.5, 2.0)}, "outside its bounds"),
        ({"bounds": (0.0, 0.5)}, "outside its bounds"),
    ],
)
def test_parameters_that_say_nothing_are_refused(options, says):
    with pytest.raises(ModelError, match=says):
        Parameter(**{"value": 1.0, "unit": "pA", **options})

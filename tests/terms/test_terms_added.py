"""Where terms enter models of every form, and which names and units they get there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worked import MV, NS, PA, slope, value

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models import NeuronModel, Parameter

PARAMETERS = {
    "C": Parameter.of("100 pF"),
    "g_L": Parameter.of("5 nS"),
    "E_L": Parameter.of("-70 mV"),
    "V_T": Parameter.of("-50 mV"),
    "tau": Parameter.of("20 ms"),
    "tau_x": Parameter.of("5 ms"),
    "R": Parameter.of("200 Mohm"),
}


def neuron(line, margin="v - V_T", **more):
    equations = f"dv/dt = {line} : volt\nI : amp"
    return NeuronModel("mine", equations, margin, "v = E_L", PARAMETERS, **more)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("(g_L*(E_L - v) + I)/C", "(g_L*(E_L - v) + I - I_z)/C"),
        ("(I - g_L*(v - E_L))/C", "(I - g_L*(v - E_L) - I_z)/C"),
        ("g_L*(E_L - v)/C + I/C", "(g_L*(E_L - v) - I_z)/C + I/C"),
        ("I/C + (g_L*(E_L - v))/C", "(I - I_z)/C + (g_L*(E_L - v))/C"),
        ("(E_L - v)/tau + I/C", "(E_L - v)/tau + (I - I_z)/C"),
        ("(E_L - v + R*I)/tau", "(E_L - v + R*I - I_z)/tau"),
        ("(-v)/tau + I/(g_L*tau)", "(-v - I_z)/tau + I/(g_L*tau)"),
        ("2*((E_L - v)/tau)", "2*((E_L - v)/tau) - I_z/tau"),
        ("(E_L - v)/tau - (v/tau)", "(E_L - v - I_z)/tau - (v/tau)"),
        ("C**-1*(g_L*(E_L - v) + I)", "C**-1*(g_L*(E_L - v) + I) - I_z/C"),
    ],
)
def test_a_current_enters_where_currents_are_divided(line, expected):
    model = nc.terms.add(neuron(line), "spike-current")
    assert model.parsed[0].expression == expected
    states = {"v": -60 * MV, "I": 30 * PA, "z_z": 2.0}
    divisor = 100e-12 if "I_z)/C" in expected or "I_z/C" in expected else 20e-3
    loss = value(model, "I_z", **states) / divisor
    before = slope(neuron(line), "v", **states)
    assert slope(model, "v", **states) == pytest.approx(before - loss, rel=1e-9)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nc.models.normalised_lif(), "no differential equation for a membrane potential 'v'"),
        (nc.models.lif_diffusive(), "crosses its threshold within the step"),
        (neuron("(E_L - v)/(tau + tau_x)"), "neither one capacitance nor one time constant"),
    ],
)
def test_a_model_without_a_place_for_currents_is_refused(model, message):
    with pytest.raises(ModelError, match=f"Term 'spike-current' cannot be added: .*{message}"):
        nc.terms.add(model, "spike-current")


def test_a_threshold_is_raised_where_it_is_defined():
    gif = nc.terms.add(nc.models.gif((50.0,)), "spike-threshold")
    assert gif.margin == "v - theta" and gif.subexpressions["theta"] == "V_T + gamma_1 + theta_z"
    lif = nc.terms.add(nc.models.lif(), "spike-threshold", "drift-threshold")
    assert lif.margin == "v - V_T - theta_z - theta_drift"
    assert value(lif, lif.margin, v=-50 * MV, y_z=2.0, t=0.0) == pytest.approx(-2 * MV)


@pytest.mark.parametrize("make", [nc.models.adex, nc.models.eif])
def test_a_threshold_that_only_counts_spikes_is_not_raised(make):
    with pytest.raises(ModelError, match="spikes begin in the membrane equation, and 'V_peak'"):
        nc.terms.add(make(), "spike-threshold")
    assert nc.terms.add(make(), "m-current").parsed[0].expression.endswith("+ I - I_M)/C")


def test_two_terms_of_one_kind_get_numbers_and_both_count():
    slow = nc.terms.named("spike-current").with_parameters(tau_z="1 s", a_z="7 pA")
    model = nc.terms.add(nc.models.gif((50.0,)), "spike-current", slow)
    assert nc.terms.parameter_names(nc.models.gif(), slow) == {"a_z": "a_z", "tau_z": "tau_z"}
    assert model.parsed[0].expression.endswith("+ I - I_z - I_z_2)/C")
    assert (model.values["tau_z"], model.values["tau_z_2"]) == pytest.approx((0.1, 1.0))
    assert model.reset_code.splitlines()[-2:] == ["z_z += 1", "z_z_2 += 1"]
    states = {"v": -70 * MV, "I": 0.0, "eta_1": 0.0, "z_z": 1.0, "z_z_2": 1.0}
    assert slope(model, "v", **states) == pytest.approx(-12 * PA / 100e-12)
    assert slope(model, "z_z_2", **states) == pytest.approx(-1.0)


def test_all_names_of_a_term_get_a_number_if_one_is_taken():
    base = replace(nc.models.lif(), parameters=nc.models.lif().parameters | {"k_M": Parameter(1.0)})
    model = nc.terms.add(base, "m-current")
    assert {"I_M_2", "w_M_2", "tau_w_M_2"} <= {equation.name for equation in model.parsed}
    assert "V_M_2" in model.parameters and "V_M" not in model.parameters
    assert model.parameters["E_K"].value == -85.0


def test_a_shared_parameter_is_that_of_the_model():
    base = nc.models.igif_ia().with_parameters(E_K="-90 mV")
    model = nc.terms.add(base, "m-current", "spike-conductance")
    assert "E_K_2" not in model.parameters
    assert value(model, "I_M", v=-40 * MV, w_M=1.0) == pytest.approx(2 * NS * 50 * MV)
    other = replace(base, parameters=base.parameters | {"E_L": Parameter.of("-80 mV")})
    adapting = nc.terms.add(other, "subthreshold-adaptation")
    assert slope(adapting, "x_w", v=-70 * MV, x_w=10 * MV) == pytest.approx(0.0, abs=1e-12)


def test_a_shared_name_of_another_unit_is_not_shared():
    base = neuron("(g_L*(E_L - v) + I)/C")
    base = replace(base, parameters=base.parameters | {"E_K": Parameter.of("3 ms")})
    model = nc.terms.add(base, "spike-conductance")
    assert (model.parameters["E_K"].unit, model.parameters["E_K_2"].value) == ("ms", -85.0)


def test_the_input_of_a_term_is_that_of_the_model():
    base = replace(
        neuron("(g_L*(E_L - v) + I)/C"), equations="dv/dt = (drive)/C : volt\ndrive : amp"
    )
    model = nc.terms.add(base, "drift-gain")
    assert "I_gain = -a_gain*drive*(1 - exp(-t/tau_gain)) : amp" in model.equations
    alone = replace(base, equations="dv/dt = (g_L*(E_L - v))/C : volt")
    with pytest.raises(ModelError, match="reads the input, and model 'mine' has 0 of them"):
        nc.terms.add(alone, "drift-gain")


def test_without_a_capacitance_a_current_is_a_voltage():
    """10 nS count as one, 1 nA as 100 mV, and potentials stay."""
    model = nc.terms.add(neuron("(E_L - v + R*I)/tau"), "m-current", "spike-current")
    parameters = model.parameters
    assert (parameters["g_M"].value, parameters["g_M"].unit) == (pytest.approx(0.2), "1")
    assert parameters["g_M"].bounds == pytest.approx((0.0, 20.0))
    assert (parameters["a_z"].value, parameters["a_z"].unit) == (pytest.approx(0.5), "mV")
    assert parameters["V_M"] == nc.terms.named("m-current").parameters["V_M"]
    assert value(model, "I_M", v=-35 * MV, w_M=0.5) == pytest.approx(0.2 * 0.5 * 50 * MV)


def test_without_volts_potentials_are_numbers():
    base = nc.models.escape_lif()
    with pytest.raises(
        ModelError, match=r"'E_K' is in mV, .*such as potential=\('-70 mV', '5 mV'\)"
    ):
        nc.terms.add(base, "m-current")
    model = nc.terms.add(base, "m-current", "spike-threshold", potential=("-70 mV", "5 mV"))
    numbers = {name: model.parameters[name].value for name in ("E_K", "V_M", "k_M", "g_M", "b_z")}
    assert numbers == pytest.approx({"E_K": -3, "V_M": 7, "k_M": 2, "g_M": 0.2, "b_z": 0.2})
    assert model.parameters["V_M"].bounds == pytest.approx((-2.0, 14.0))
    assert model.parsed[0].expression == "(I - v - I_M)/tau" and model.margin == "v - theta_z"
    assert value(model, "I_M", v=7.0, w_M=0.5) == pytest.approx(0.2 * 0.5 * 10)
    assert model.parameters["tau_M"].unit == "ms"


@pytest.mark.parametrize(
    "potential", ["-70 mV", ("-70 mV",), ("-70 mV", "5 ms"), ("0 mV", "-1 mV")]
)
def test_a_scale_of_potentials_is_two_texts_in_volt(potential):
    with pytest.raises(
        ModelError, match=r"must be two texts in volt, such as \('-70 mV', '5 mV'\)"
    ):
        nc.terms.add(nc.models.escape_lif(), "m-current", potential=potential)


@pytest.mark.parametrize("name", ["glif5", "adex", "noisy-lif-diffusive", "igif-ia", "lif"])
def test_absent_terms_leave_the_spikes_of_other_models(name):
    base = nc.models.by_name(name)
    names = ["spike-conductance", "drift-gain"]
    names += [] if name == "adex" else ["spike-threshold"]
    terms = [nc.terms.named(one).screened() for one in names]
    extended = nc.terms.add(base, *terms, potential=("-70 mV", "5 mV"))
    noise = nc.simulation.stimuli.frozen_noise(
        0.2, 5e-4, mean=2.0, standard_deviation=0.5, seed=1, unit="1"
    )
    current = noise.magnitude[:, 0] * (4e-10 if base.only_input[1] == "amp" else 3.0)
    first, second = (
        nc.simulate(m, current, dt=5e-4, seed=2).segments[0].spiketrains[0]
        for m in (base, extended)
    )
    assert len(first) >= 3 and first.magnitude.tolist() == second.magnitude.tolist()


def test_an_extended_model_is_written_and_read_again(tmp_path):
    model = nc.terms.add(nc.models.gif((50.0,)), "m-current", "a-type-spikes", "refractory")
    again = nc.models.load(model.save(tmp_path / "extended.toml"))
    assert again == model and again.parameters == model.parameters
    current = nc.simulation.stimuli.frozen_noise(
        0.3, 5e-4, mean=250, standard_deviation=150, seed=1
    )
    first, second = (
        nc.simulate(m, current, seed=2).segments[0].spiketrains[0] for m in (model, again)
    )
    assert len(first) >= 3 and first.magnitude.tolist() == second.magnitude.tolist()


def test_a_long_name_is_cut():
    model = nc.terms.add(nc.models.lif(), *["drift-rest"] * 9)
    assert len(model.name) == 100 and model.name.endswith("...")
    assert "I_rest_9" in model.subexpressions


def test_what_is_no_term_is_refused():
    with pytest.raises(ModelError, match=r"There is no term 'unheard'; known are a-type, .*\.toml"):
        nc.terms.add(nc.models.lif(), "unheard")
    with pytest.raises(ModelError, match="A term is a Term or a name in the library, not 3"):
        nc.terms.add(nc.models.lif(), 3)

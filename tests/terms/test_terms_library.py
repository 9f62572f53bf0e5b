"""The library of terms: each is absent where it says so, and what it adds is as worked out by
hand."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from worked import MS, MV, NS, PA, slope, value

import neurocode as nc
from neurocode.citing import keys_in
from neurocode.inference.clamped.lanes import Clamp
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.coordinates import Coordinates
from neurocode.terms.catalogue import FOLDER

TERMS = {term.name: term for term in nc.terms.all()}
BASE = nc.models.gif((50.0,))
DT = 1e-3
CURRENT = nc.simulation.stimuli.frozen_noise(0.25, DT, mean=250.0, standard_deviation=150.0, seed=3)


def spikes(model, engine="brian2", current=CURRENT):
    block = nc.simulate(model, current, dt=DT, trials=4, seed=5, engine=engine)
    return [
        segment.spiketrains[0].rescale("ms").magnitude.round(6).tolist()
        for segment in block.segments
    ]


@pytest.fixture(scope="module")
def spikes_of_the_base():
    trains = spikes(BASE)
    assert all(len(train) >= 3 for train in trains)
    return trains


def test_each_file_is_a_term_of_its_name():
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == list(TERMS)
    assert len(TERMS) >= 22


@pytest.mark.parametrize("name", TERMS)
def test_a_term_that_is_absent_leaves_the_spikes_of_the_model(name, spikes_of_the_base):
    term = TERMS[name]
    screened = term.screened(**(term.grid_points[-1]))
    assert spikes(nc.terms.add(BASE, screened)) == spikes_of_the_base


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_described_with_its_source_and_the_meaning_of_its_parameters(name):
    term = TERMS[name]
    assert len(term.description) > 20
    papers = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", term.source)
    assert len(keys_in(term.source)) == len(papers)
    assert papers or "our choice, not from a paper" in term.source.lower()
    assert all(parameter.description for parameter in term.parameters.values())
    assert keys_in(nc.terms.add(BASE, term).description)[1:] == keys_in(term.source)
    assert nc.cite(term).count("year = ") == len({*keys_in(term.source)}) + 2


@pytest.mark.parametrize("name", TERMS)
def test_a_term_can_be_fitted_and_screened(name):
    """It starts present and within finite bounds; a screened one starts absent, and its amplitudes
    alone are free, with coordinates around zero."""
    term = TERMS[name]
    for parameter in term.amplitudes:
        start, bounds = term.parameters[parameter], term.parameters[parameter].bounds
        assert start.value != term.absent[parameter]
        assert bounds[0] <= term.absent[parameter] < bounds[1] and math.isfinite(bounds[1])
    assert term.grid and len(term.grid_points) <= 12
    model = nc.terms.add(BASE, term.screened(**term.grid_points[0]))
    assert model.free == (*BASE.free, *term.amplitudes)
    z = Coordinates.of(model).to_coordinates(model.values)
    assert z[-len(term.amplitudes) :] == pytest.approx(0.0, abs=0.0)
    assert Coordinates.of(model).slope(z)[-1] > 0


@pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.initial])
def test_a_term_starts_in_its_steady_state(name):
    """A cell at rest stays at rest until the first input."""
    model, states = nc.terms.add(BASE, TERMS[name]), {"v": -70 * MV, "t": 0.0, "I": 0.0}
    for state in TERMS[name].initial:
        states[state] = value(model, model.initial[state], **states)
    for state in TERMS[name].initial:
        expected = 1.0 if state == "age_f" else 0.0
        assert slope(model, state, **states) == pytest.approx(expected, abs=1e-12)


#: Current in pA (outward positive) or addition to the threshold in mV, where states, time in s and
#: input in pA are given: half an activation at its half potential, times conductance and driving
#: force in nS and mV.
BY_HAND = {
    "m-current": ({"v": -35, "w_M": 0.5}, 2 * 0.5 * 50),
    "slow-potassium": ({"v": -65, "ca_AHP": 5}, 2 * 0.5 * 20),
    "spike-conductance": ({"v": -60, "z_sg": 2}, 1 * 2 * 25),
    "a-type": ({"v": -45, "h_A": 0.25}, 10 * 0.5 * 0.25 * 40),
    "a-type-two-times": ({"v": -60, "h_A": 1, "j_A": 0}, 10 / 2**4 * 0.6 * 25),
    "a-type-voltage-time": ({"v": -45, "h_A": 0.25}, 10 * 0.5 * 0.25 * 40),
    "a-type-spikes": ({"v": -45, "h_A": 0.25}, 10 * 0.5 * 0.25 * 40),
    "h-current": ({"v": -75, "r_h": 0.5}, 1 * 0.5 * (-75 + 43)),
    "t-type-calcium": ({"v": -57, "h_T": 1}, 0.5 * 0.5**2 * (-57 - 120)),
    "persistent-sodium": ({"v": -40}, 0.3 * 0.5 * (-40 - 50)),
    "exponential-sodium": ({"v": -50}, -0.5 * 2 * math.e),
    "subthreshold-adaptation": ({"v": 0, "x_w": 10}, 4 * 10),
    "passive-dendrite": ({"v": -60, "v_d": -65}, 2 * 5),
    "threshold-linear": ({"x_l": 10}, 0.2 * 10),
    "threshold-nonlinear": ({"x_n": 10}, 0.5 * 10),
    "threshold-slow": ({"x_s2": 10}, 0.2 * 10),
    "spike-current": ({"z_z": 3}, 3 * 5),
    "spike-threshold": ({"y_z": 3}, 3 * 1),
    "refractory": ({"age_f": 6e-3}, 10 / 2),
    "drift-threshold": ({"t": 20}, 1 - math.exp(-1)),
    "drift-rest": ({"t": 20}, -5 * (1 - math.exp(-1))),
    "drift-gain": ({"t": 20, "I": 100}, -0.05 * 100 * (1 - math.exp(-1))),
}
SCALES = {"v": MV, "v_d": MV, "x_w": MV, "x_l": MV, "x_n": MV, "x_s2": MV, "I": PA}


@pytest.mark.parametrize("name", BY_HAND)
def test_what_a_term_adds_is_as_worked_out_by_hand(name):
    term, (known, expected) = TERMS[name], BY_HAND[name]
    model = nc.terms.add(BASE, term)
    known = {state: number * SCALES.get(state, 1) for state, number in known.items()}
    unit = PA if term.current else MV
    assert value(model, term.current or term.threshold, **known) == pytest.approx(
        expected * unit, rel=1e-9
    )


def test_a_current_is_subtracted_and_a_threshold_added():
    """Of the slope of the potential and the margin of a plain GIF at -50 mV."""
    states = {"v": -50 * MV, "eta_1": 0.0, "gamma_1": 0.0, "I": 0.0, "t": 0.0}
    plain = slope(BASE, "v", **states)
    assert plain == pytest.approx(4 * NS * -20 * MV / 100e-12)
    for name, more in (("spike-current", {"z_z": 4.0}), ("persistent-sodium", {})):
        model = nc.terms.add(BASE, name)
        current = value(model, TERMS[name].current, **states, **more)
        assert slope(model, "v", **states, **more) == pytest.approx(plain - current / 100e-12)
    model = nc.terms.add(BASE, "spike-threshold")
    assert value(BASE, BASE.margin, **states) == pytest.approx(-5 * MV)
    assert value(model, model.margin, **states, y_z=2.0) == pytest.approx(-7 * MV)


def test_activation_and_inactivation_are_half_at_their_half_potentials():
    for name, state, half in (
        ("m-current", "w_M", "V_M"),
        ("a-type", "h_A", "V_hA"),
        ("a-type-two-times", "j_A", "V_hA"),
        ("h-current", "r_h", "V_h"),
        ("t-type-calcium", "h_T", "V_hT"),
    ):
        model = nc.terms.add(BASE, name)
        at_half = {"v": model.values[half], state: 0.5}
        assert slope(model, state, **at_half) == pytest.approx(0.0, abs=1e-12)
        slope_parameter = model.values[half.replace("V_", "k_")]
        deeper = 1 / (1 + math.e)
        sign = 1 if name == "m-current" else -1
        states = {"v": model.values[half] - sign * slope_parameter, state: deeper}
        assert slope(model, state, **states) == pytest.approx(0.0, abs=1e-9)


def test_time_constants_that_depend_on_the_potential():
    """M-type: its scale over 3.3 + 1 at half activation. A-type: half of what is added at its half
    potential."""
    model = nc.terms.add(BASE, "m-current", "a-type-voltage-time")
    assert value(model, "tau_w_M", v=-35 * MV) == pytest.approx(1.0 / 4.3)
    assert value(model, "tau_h_A", v=-65 * MV) == pytest.approx((20 + 60 / 2) * MS)
    assert value(model, "tau_h_A", v=-120 * MV) == pytest.approx(80 * MS, rel=1e-3)


def test_the_soft_onset_of_the_threshold_and_its_cap():
    model = nc.terms.add(BASE, "threshold-nonlinear", "exponential-sodium")
    assert slope(model, "x_n", v=-62 * MV, x_n=5 * MV * math.log(2)) == pytest.approx(0, abs=1e-12)
    assert value(model, "I_e", v=0.0) == pytest.approx(-0.5 * NS * 2 * MV * math.exp(5))


def test_the_refractory_threshold_falls_after_its_duration():
    model = nc.terms.add(BASE, "refractory")
    after = [value(model, "theta_f", age_f=age * MS) / MV for age in (0, 5, 7, 1e5)]
    expected = [10 / (1 + math.exp(-6)), 10 / (1 + 1 / math.e), 10 / (1 + math.e), 0.0]
    assert after == pytest.approx(expected, abs=1e-12)


def test_what_a_spike_does():
    """One step under a strong current, in which the neuron spikes for certain."""
    model = nc.terms.add(
        nc.models.gif((50.0,), escape_noise=False).with_parameters(V_T="-80 mV"),
        "a-type-spikes",
        "slow-potassium",
        "refractory",
    )
    step = nc.simulation.step_function(model, 1e-4)
    state, output = step(step.initial_state(model.values), 0.0, model.values)
    assert bool(output.spikes)
    before = 1 / (1 + math.exp((-70 + 74) / 4))
    assert float(state["h_A"]) == pytest.approx(before / 2, rel=1e-3)
    assert (float(state["ca_AHP"]), float(state["age_f"])) == (1.0, 0.0)


#: One of each kind, in one model, because every program takes seconds to compile.
MIXED = ("m-current", "a-type-spikes", "drift-gain", "threshold-nonlinear", "refractory")


def test_absent_terms_leave_the_likelihood_and_the_spikes_in_jax():
    rng = np.random.default_rng(0)
    current = CURRENT.magnitude[:, 0] * PA
    extended = nc.terms.add(BASE, *(TERMS[name].screened() for name in MIXED))
    spiked = np.zeros(len(current), bool)
    spiked[rng.choice(np.arange(20, len(current), 20), 12, replace=False)] = True
    data = Clamp(current, spiked, np.ones(len(current), bool))
    values = []
    for model in (BASE, extended):
        likelihood = ClampedLikelihood(model, [data], DT, chunk_steps=len(current))
        z = likelihood.coordinates.to_coordinates(model.values)
        values.append(likelihood.log_likelihood(z))
    assert values[1] == pytest.approx(values[0], rel=1e-9) and math.isfinite(values[0])
    assert extended.free[-2] == "a_n"
    z[-2] += 0.5
    assert abs(likelihood.log_likelihood(z) - values[0]) > 1e-3
    assert spikes(extended, "jax") == spikes(BASE, "jax")

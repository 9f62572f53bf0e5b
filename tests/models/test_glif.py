"""GLIF1 to GLIF5 against the rules of the published database, written out step by step, and against
closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models.glif import LEVELS

DT = 1e-4
TIMES = np.arange(2000) * DT
CURRENT = (
    420e-12 + 120e-12 * np.sin(2 * np.pi * 7 * TIMES) + 60e-12 * np.sin(2 * np.pi * 31 * TIMES)
)


def published(level, p, cut):
    """Spikes and potential by the rules of the database: nothing runs in the ``cut`` steps that
    begin with that of a spike; after the last of them the potential is a line in that at the spike,
    and threshold and currents are what is left of them plus their amplitudes. NaN before the last
    step of a cut."""
    reset_rules, currents, adaptive = level in (2, 4, 5), level >= 3, level == 5
    v, spike_part, voltage_part, after = p["E_L"], 0.0, 0.0, np.zeros(2)
    tau = np.array([p["tau_1"], p["tau_2"]]) if currents else np.ones(2)
    amplitude = np.array([p["a_1"], p["a_2"]]) if currents else np.zeros(2)
    leak = np.exp(-DT * p["g_L"] / p["C"])
    spikes, potential, step = [], np.full(len(CURRENT), np.nan), 0
    while step < len(CURRENT):
        target = p["E_L"] + (CURRENT[step] + after.sum()) / p["g_L"]
        if adaptive:
            decay = np.exp(-DT / p["tau_v"])
            voltage_part = voltage_part * decay + p["a_v"] * p["tau_v"] * (v - p["E_L"]) * (
                1 - decay
            )
        v, after = target + (v - target) * leak, after * np.exp(-DT / tau)
        if reset_rules:
            spike_part *= np.exp(-DT / p["tau_s"])
        if v <= p["V_T"] + spike_part + voltage_part:
            potential[step], step = v, step + 1
            continue
        spikes.append(step)
        v = p["E_L"] + (p["f_v"] * (v - p["E_L"]) + p["V_add"] if reset_rules else 0.0)
        after = after * np.exp(-(cut - 1) * DT / tau) + amplitude
        if reset_rules:
            spike_part = spike_part * np.exp(-(cut - 1) * DT / p["tau_s"]) + p["a_s"]
        step += cut
        if step <= len(CURRENT):
            potential[step - 1] = v
    return spikes, potential


@pytest.mark.parametrize("level", LEVELS)
def test_every_engine_spikes_by_the_published_rules(level):
    """Amplitudes larger than those of the library, so that a term left out moves spikes by many
    steps."""
    larger = {"a_s": "2 mV", "a_1": "-20 pA", "a_v": "15 Hz", "V_add": "12 mV", "f_v": 0.35}
    model = nc.models.glif(level, escape_noise=False)
    model = model.with_parameters(
        {name: value for name, value in larger.items() if name in model.parameters}
    )
    values = dict(model.values)
    # the amplitudes hold a step later, at the end of the refractory period
    for name in {"a_1", "a_2", "a_s"} & set(values):
        values[name] *= np.exp(DT / values[f"tau_{name[2:]}"])
    spikes, potential = published(level, values, cut=round(values["t_ref"] / DT))
    assert len(spikes) >= 5
    known = np.isfinite(potential[:-1])
    for engine in ("brian2", "jax", "numba"):
        segment = nc.simulate(
            model, CURRENT, dt=DT, engine=engine, record=() if engine == "numba" else ("v",)
        ).segments[0]
        steps = np.round(segment.spiketrains[0].rescale("s").magnitude / DT).astype(int)
        np.testing.assert_array_equal(steps, spikes, err_msg=engine)
        if engine != "numba":  # which keeps spikes alone
            # at the start of each step
            recorded = segment.analogsignals[0].rescale("V").magnitude[1:, 0]
            np.testing.assert_allclose(recorded[known], potential[:-1][known], rtol=0, atol=1e-12)


def test_the_interval_under_a_constant_current_is_that_of_an_integrator():
    """t_ref + tau ln(R I / (R I - (V_T - E_L))), every interval the same but for the step."""
    model, current, dt = nc.models.glif(1, escape_noise=False), 400e-12, 1e-5
    p = model.values
    rise = current / p["g_L"]
    interval = p["t_ref"] + p["C"] / p["g_L"] * np.log(rise / (rise - (p["V_T"] - p["E_L"])))
    train = (
        nc.simulate(model, np.full(20_000, current), dt=dt, engine="numba")
        .segments[0]
        .spiketrains[0]
        .rescale("s")
        .magnitude
    )
    assert len(train) == 19 and train[0] == pytest.approx(interval - p["t_ref"], abs=dt)
    np.testing.assert_allclose(np.diff(train), interval, atol=1.01 * dt)


def test_what_a_spike_leaves_has_its_amplitude_when_the_refractory_period_ends():
    """One spike at a pulse: currents, spike part of the threshold, and the part that follows the
    potential, which stands still."""
    model, dt = nc.models.glif(5, escape_noise=False), 1e-4
    p = model.values
    current = np.zeros(1000)
    current[100:200] = 420e-12
    names = ("theta_s", "I_1", "I_2", "theta_v")
    segment = nc.simulate(model, current, dt=dt, engine="jax", record=names).segments[0]
    (spike,) = np.round(segment.spiketrains[0].rescale("s").magnitude / dt).astype(int)
    traces = {name: segment.analogsignals[k] for k, name in enumerate(names)}
    traces = {
        name: trace.rescale("A" if name[0] == "I" else "V").magnitude[:, 0]
        for name, trace in traces.items()
    }
    # states are those at the start of a step, so that of the spike is one later
    end = spike + 1 + round(p["t_ref"] / dt)
    for name, jump, tau in (
        ("theta_s", "a_s", "tau_s"),
        ("I_1", "a_1", "tau_1"),
        ("I_2", "a_2", "tau_2"),
    ):
        assert np.all(traces[name][: spike + 1] == 0)
        expected = p[jump] * np.exp(-np.arange(1000 - end) * dt / p[tau])
        np.testing.assert_allclose(traces[name][end:], expected, rtol=1e-10)
    assert np.ptp(traces["theta_v"][spike + 1 : end]) == 0 < traces["theta_v"][spike]


@pytest.mark.parametrize("level", [0, 6, -1, True, 3.0, "3", None, [3]])
def test_another_level_is_refused(level):
    with pytest.raises(ModelError, match=r"level of a GLIF is .*, expected one of 1, 2, 3, 4, 5"):
        nc.models.glif(level)


def test_parameters_of_a_level_are_those_of_the_article():
    """Its Table 2: what each level adds to the one below; the noise is ours."""
    names = [set(nc.models.glif(level, escape_noise=False).parameters) for level in LEVELS]
    assert names[0] == {"C", "g_L", "E_L", "V_T", "t_ref"}
    assert names[1] - names[0] == {"f_v", "V_add", "tau_s", "a_s"} and names[2] - names[0] == {
        "tau_1",
        "a_1",
        "tau_2",
        "a_2",
    }
    assert names[3] == names[1] | names[2] and names[4] - names[3] == {"a_v", "tau_v"}
    for level in LEVELS:
        noisy = nc.models.glif(level)
        assert (
            set(noisy.parameters) == names[level - 1] | {"Delta_V", "lambda_0"}
            and noisy.noise.family == "exponential"
        )


# That the currents are those of the rules every engine says above, and that fits recover what made
# their data those of other models do.
@pytest.mark.long
def test_a_fit_recovers_the_after_spike_currents():
    """GLIF3 with escape noise, 20 s from the JAX engine: every free parameter within three standard
    errors, which are small."""
    dt, truth = 1e-3, nc.models.glif(3).with_parameters(Delta_V="2 mV", a_2="-120 pA", a_1="-15 pA")
    current = nc.simulation.stimuli.frozen_noise(
        20, dt, mean=280.0, standard_deviation=150.0, seed=1
    )
    trains = [s.spiketrains[0] for s in nc.simulate(truth, current, seed=2, engine="jax").segments]
    start = truth.with_parameters(
        V_T="-49 mV", g_L="7 nS", a_1="-9.2 pA", a_2="-199 pA", Delta_V="3 mV"
    )
    result = nc.fit(start, nc.Experiment(trains, current), starts=1)
    assert result.converged
    for name in truth.free:
        fitted = result.parameters[name]
        assert abs(fitted.value - truth.parameters[name].value) < 3 * fitted.standard_error, name
        assert fitted.standard_error < 0.15 * abs(fitted.value), name


def test_every_value_of_the_fifth_level_and_what_is_fixed():
    """Cell 490626718 of the database, rounded, in SI; fixed is what spikes do not tell, or what a
    recording fixes."""
    model = nc.models.glif(5)
    expected = {
        "C": 59e-12,
        "g_L": 9.4e-9,
        "E_L": -79e-3,
        "V_T": -52e-3,
        "t_ref": 4e-3,
        "f_v": 0.2,
        "V_add": 18.5e-3,
        "tau_s": 0.11,
        "a_s": 0.37e-3,
        "tau_1": 0.33,
        "tau_2": 0.01,
        "a_1": -9.2e-12,
        "a_2": -199e-12,
        "a_v": 5.0,
        "tau_v": 0.011,
        "Delta_V": 3e-3,
        "lambda_0": 1000.0,
    }
    assert model.values == pytest.approx(expected, rel=1e-12)
    fixed = {name for name, parameter in model.parameters.items() if parameter.fixed}
    assert fixed == {"C", "E_L", "t_ref", "f_v", "tau_s", "tau_1", "tau_2", "lambda_0"}

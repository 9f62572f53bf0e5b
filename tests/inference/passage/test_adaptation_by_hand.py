"""Adaptation and drive along passages, computed by hand; what a fit to spike times passes on."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.inference.passage.equations import passage_equations
from neurocode.statistics.time_rescaling import TimeRescaling

MODEL = nc.models.lif_diffusive(adaptation=True).with_parameters(b=0.2, tau_w=100.0)
B, TAU_W, SCALE = 0.2, 0.1, 1e-2  # V/s, s, V from reset to threshold


@pytest.fixture(scope="module")
def equations():
    return passage_equations(MODEL)


def test_the_adaptation_decays_between_spikes_and_jumps_at_them(equations):
    assert equations.others == ("w",) and not equations.constant and not equations.periodic
    with jax.enable_x64(True):
        after = equations.advance({"w": jnp.asarray(3.0)}, jnp.asarray(0.05), MODEL.values)
        jumped = equations.after_spike({"w": jnp.asarray(3.0)}, MODEL.values)
    assert float(after["w"]) == pytest.approx(3.0 * np.exp(-0.5), rel=1e-9)
    assert float(jumped["w"]) == pytest.approx(3.0 + MODEL.values["b"], rel=1e-12)


def test_trains_start_in_the_steady_state_of_their_typical_interval(equations):
    """At intervals of 40 ms: w = b/(1 - exp(-0.4)); then each interval decays and jumps; the second
    train starts anew."""
    b = MODEL.values["b"]
    durations, first = np.array([0.02, 0.1, 0.03]), np.array([True, False, True])
    with jax.enable_x64(True):
        states = equations.states_at_spikes(
            jnp.asarray(durations), jnp.asarray(first), jnp.asarray(0.04), MODEL.values
        )["w"]
    steady = b / (1 - np.exp(-0.4))
    np.testing.assert_allclose(states, [steady, steady * np.exp(-0.2) + b, steady], rtol=1e-9)


def test_inputs_along_a_passage_are_the_adaptation_at_its_times(equations):
    """Two steps of a passage of 30 ms, 2 ms after the spike: minus w at 2 + 7.5, 2 + 22.5 and 2 +
    15, 2 + 30 ms."""
    shares = (np.array([0.5, 0.5]), np.array([0.25, 0.75]), np.array([0.5, 1.0]))
    with jax.enable_x64(True):
        values = {**MODEL.values, "t_ref": 2e-3}
        path = equations.path(
            jnp.zeros(2), {"w": jnp.full(2, 0.5)}, shares, jnp.asarray(0.03), values
        )
        scale = float(equations.scale(values))
    np.testing.assert_allclose(path.step, [0.015, 0.015], rtol=1e-12)
    for inputs, times in ((path.middle_input, [9.5e-3, 24.5e-3]), (path.end_input, [17e-3, 32e-3])):
        np.testing.assert_allclose(
            inputs, -0.5 * np.exp(-np.array(times) / TAU_W) / scale, rtol=1e-9
        )


def test_drift_and_diffusion_are_in_distances_from_reset_to_threshold(equations):
    values = MODEL.values
    with jax.enable_x64(True):
        drift, diffusion = equations.table(values, jnp.array([0.0, 0.5, 1.0]))
    scale = values["V_T"] - values["V_r"]
    potential = values["V_r"] + scale * np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(
        drift, ((values["E_L"] - potential) / values["tau"] + values["mu"]) / scale, rtol=1e-9
    )
    assert float(diffusion) == pytest.approx(0.5 * (values["sigma"] / scale) ** 2, rel=1e-12)
    assert float(equations.refractory_period(values)) == pytest.approx(values["t_ref"])


def test_a_drive_is_a_sine_of_the_time_at_which_a_passage_goes_on():
    """The value of the sine at time zero is subtracted, because the drift contains it."""
    model = nc.models.lif_diffusive(periodic=True).with_parameters(
        frequency=50.0, drive_cos=0.3, drive_sin=0.1
    )
    equations = passage_equations(model)
    assert equations.periodic and equations.others == () and not equations.constant
    values = {**model.values, "t_ref": 1e-3}
    with jax.enable_x64(True):
        path = equations.path(
            jnp.array([0.4]),
            {},
            (jnp.array([1.0]), jnp.array([0.5]), jnp.array([1.0])),
            jnp.asarray(0.02),
            values,
        )
        scale = float(equations.scale(values))
    for inputs, time in ((path.middle_input, 0.411), (path.end_input, 0.421)):
        phase = 2 * np.pi * 50 * time
        expected = (
            values["drive_cos"] * (np.cos(phase) - 1) + values["drive_sin"] * np.sin(phase)
        ) / scale
        np.testing.assert_allclose(inputs, [expected], rtol=1e-9)


def test_a_model_survives_only_if_it_converged_and_both_tests_pass():
    model = nc.models.lif_diffusive()
    model = model.with_fixed(*[name for name in model.free if name not in ("mu", "sigma")])
    template = nc.fit_spike_times(model, np.cumsum(np.random.default_rng(1).gamma(8.0, 0.005, 60)))
    passed = TimeRescaling(0.1, 0.2, True, np.array([0.5]))

    def measured(**changed):
        goodness = {"rescaling": passed, "dependence": 0.25, "dependence_p": 0.051, **changed}
        return replace(template, converged=True, goodness=goodness, verdicts=("one", "two"))

    good = measured()
    assert (
        good.survives
        and not replace(good, converged=False).survives
        and not measured(dependence_p=0.05).survives
    )
    assert (
        not measured(rescaling=replace(passed, passed=False)).survives
        and replace(good, goodness={}).survives is None
    )
    table = good.to_dictionary()
    assert table["ks"] == {"statistic": 0.1, "band": 0.2, "passed": True} and table["verdicts"] == [
        "one",
        "two",
    ]
    assert (
        table["dependence"] == {"rank_correlation": 0.25, "p_value": 0.051}
        and table["survives"] is True
    )
    block = template.predict(duration=0.5, trials=2, seed=3)
    assert template.likelihood == "passage" and len(block.segments) == 2
    assert float(block.segments[0].spiketrains[0].t_stop.rescale("s")) == pytest.approx(0.5)

"""Several engines from one text give the same spikes and the same state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

import neurocode as nc
from neurocode.errors import ModelError

#: As many as show at least five spikes under each current.
STEPS = 1500
INTEGRATORS = (
    "euler",
    "rk2",
    "rk4",
    "exponential_euler",
    "symplectic_euler",
    "symplectic_exponential_euler",
    "matrix_exponential",
)

#: Model, time step, and (constant, ramp end, noise mean, noise spread) of the currents, in SI;
#: regular spiking throughout.
CASES = {
    "lif": (nc.models.lif(), 5e-4, (300e-12, 450e-12, 300e-12, 150e-12)),
    "adlif-symplectic": (nc.models.adlif(), 1e-3, (100.0, 160.0, 100.0, 30.0)),
    "adlif-euler-forward": (nc.models.adlif("euler-forward"), 1e-3, (70.0, 110.0, 70.0, 20.0)),
    "adex": (nc.models.adex(), 3e-4, (1000e-12, 1500e-12, 1000e-12, 400e-12)),
    "gif": (nc.models.gif(escape_noise=False), 5e-4, (250e-12, 350e-12, 200e-12, 80e-12)),
}


def currents_of(dt, scales):
    n = STEPS
    constant, ramp_end, mean, spread = scales
    noise = nc.simulation.stimuli.frozen_noise(
        n * dt, dt, mean=mean, standard_deviation=spread, seed=1, unit="1"
    )
    return np.column_stack(
        [np.full(n, constant), np.linspace(0, ramp_end, n), noise.magnitude[:, 0]]
    )


def arrays(block, count):
    return [
        np.stack([s.analogsignals[k].magnitude[:, 0] for s in block.segments]) for k in range(count)
    ]


#: More of the library, each with its own integrator: (model, time step, scales). The
#: regular-spiking Izhikevich neuron (b < 0) multiplies rounding errors along a slow ramp, so its
#: coupling is positive here.
MORE_CASES = {
    "eif": (nc.models.eif(), 2e-4, (400e-12, 500e-12, 350e-12, 150e-12)),
    "qif": (nc.models.qif(), 2e-4, (200e-12, 400e-12, 200e-12, 80e-12)),
    "izhikevich": (
        nc.models.izhikevich().with_parameters(b="1 nS"),
        2e-4,
        (300e-12, 500e-12, 300e-12, 100e-12),
    ),
    "igif-ia": (
        replace(nc.models.igif_ia(), noise=None),
        5e-4,
        (800e-12, 1200e-12, 800e-12, 200e-12),
    ),
}


@pytest.mark.parametrize("case", MORE_CASES)
def test_more_models_agree_with_their_own_integrator(case):
    model, dt, scales = MORE_CASES[case]
    current = currents_of(dt, scales)
    blocks = [
        nc.simulate(model, current, dt=dt, trials=3, engine=engine) for engine in ("brian2", "jax")
    ]
    trains = [
        [np.round(s.spiketrains[0].magnitude / dt).astype(int) for s in block.segments]
        for block in blocks
    ]
    assert sum(map(len, trains[0])) >= 15
    for first, second in zip(*trains, strict=True):
        assert len(first) >= 3
        np.testing.assert_array_equal(first, second)


#: Rate in the first 20 and in the last 1000 of 2000 steps at constant drive, from the published
#: step.
META_NEURON = {
    (0.02, 0.2, 0.0, 0.08): {
        0.3: (0.0, 0.0),
        0.5: (0.15, 0.049),
        0.7: (0.30, 0.096),
        1.0: (0.50, 0.166),
    },
    (0.06, 0.219, -0.010, 0.050): {
        0.3: (0.0, 0.0),
        0.5: (0.30, 0.18),
        0.7: (0.50, 0.33),
        1.0: (0.85, 0.53),
    },
    (0.005, 0.158, -0.058, 0.065): {
        0.3: (0.0, 0.0),
        0.5: (0.15, 0.017),
        0.7: (0.30, 0.032),
        1.0: (0.55, 0.054),
    },
}


@pytest.mark.parametrize("types", META_NEURON)
def test_meta_neuron_fires_as_its_published_step(types):
    values = dict(zip("abcd", types, strict=True))
    for drive, (initial_rate, steady_rate) in META_NEURON[types].items():
        block = nc.simulate(
            nc.models.meta_neuron(), np.full(2000, drive), dt=1e-3, parameters=values, engine="jax"
        )
        steps = np.round(block.segments[0].spiketrains[0].magnitude * 1e3).astype(int)
        assert np.sum(steps < 20) / 20 == pytest.approx(initial_rate, abs=1e-9)
        assert np.sum(steps >= 1000) / 1000 == pytest.approx(steady_rate, abs=5e-3)


def is_quick(case, integrator):
    """Return whether a combination belongs to the quick tests: every integrator for one neuron; for
    the others their own integrator and those that are refused."""
    refused = (case, integrator) == ("adex", "matrix_exponential")
    return case == "adlif-symplectic" or integrator == CASES[case][0].integrator or refused


@pytest.mark.parametrize(
    ("case", "integrator"),
    [
        pytest.param(case, integrator, marks=() if is_quick(case, integrator) else pytest.mark.long)
        for case in CASES
        for integrator in INTEGRATORS
    ],
)
def test_engines_agree_spike_for_spike(case, integrator):
    model, dt, scales = CASES[case]
    model = replace(model, integrator=integrator)
    options = {"dt": dt, "trials": 3, "record": model.states}
    if case == "adex" and integrator == "matrix_exponential":
        with pytest.raises(ModelError, match="not linear"):
            nc.simulate(model, currents_of(dt, scales), engine="jax", **options)
        return
    blocks = [
        nc.simulate(model, currents_of(dt, scales), engine=engine, **options)
        for engine in ("brian2", "jax")
    ]
    trains = [
        [np.round(s.spiketrains[0].magnitude / dt).astype(int) for s in block.segments]
        for block in blocks
    ]
    for first, second in zip(*trains, strict=True):
        assert len(first) >= 5
        np.testing.assert_array_equal(first, second)
    near_spike = np.zeros((3, STEPS), bool)
    for trial, steps in enumerate(trains[0]):
        for lag in range(round(0.5e-3 / dt) + 1):
            near_spike[trial, np.maximum(steps - lag, 0)] = True
    for first, second in zip(*(arrays(block, len(model.states)) for block in blocks), strict=True):
        error = np.abs(first - second) / np.ptp(first, axis=1, keepdims=True)
        assert np.max(error[~near_spike]) < 1e-9
        assert np.max(error) < 1e-6


# Escape noise alone also the next test draws in both engines.
@pytest.mark.parametrize(
    "mode", [pytest.param("escape", marks=pytest.mark.long), "diffusive", "both"]
)
def test_stochastic_engines_draw_the_same_intervals(mode):
    """Each engine simulates 100 s of a renewal process; the Kolmogorov-Smirnov test has a
    false-alarm rate of 0.1 % per mode."""
    model = nc.models.noisy_lif(mode)
    intervals = []
    for engine in ("brian2", "jax"):
        block = nc.simulate(model, np.full(1000, 0.4), dt=1e-3, trials=100, seed=4, engine=engine)
        intervals.append(
            np.concatenate([np.diff(s.spiketrains[0].magnitude) for s in block.segments])
        )
    assert min(len(x) for x in intervals) > 500
    assert ks_2samp(*intervals).pvalue > 1e-3


def test_gif_engines_draw_the_same_intervals():
    """Each engine simulates 100 s; Kolmogorov-Smirnov test at 0.1 %."""
    intervals = []
    for engine in ("brian2", "jax"):
        block = nc.simulate(
            nc.models.gif(), np.full(2000, 150e-12), dt=5e-4, trials=100, seed=5, engine=engine
        )
        intervals.append(
            np.concatenate([np.diff(s.spiketrains[0].magnitude) for s in block.segments])
        )
    assert ks_2samp(*intervals).pvalue > 1e-3


def reference_adlif(current, symplectic, dt, values):
    """The update order of Baronig et al. 2025, written out."""
    alpha, beta = np.exp(-dt / values["tau_u"]), np.exp(-dt / values["tau_w"])
    u = w = z = 0.0
    spikes, states = [], []
    for k, drive in enumerate(current):
        states.append((u, w))
        before = alpha * u + (1 - alpha) * (drive - w)
        spike = float(before > 1.0)
        after = before * (1 - spike)
        seen_u, seen_z = (after, spike) if symplectic else (u, z)
        w = beta * w + (1 - beta) * values["q"] * (values["a"] * seen_u + values["b"] * seen_z)
        u, z = after, spike
        if spike:
            spikes.append(k)
    return np.array(spikes), np.array(states)


@pytest.mark.parametrize("discretisation", ["symplectic", "euler-forward"])
@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_adlif_follows_the_published_order(discretisation, engine):
    model = nc.models.adlif(discretisation)
    current = nc.simulation.stimuli.frozen_noise(
        3.0, 1e-3, mean=80, standard_deviation=40, seed=2, unit="1"
    ).magnitude[:, 0]
    block = nc.simulate(model, current, dt=1e-3, record=("u", "w"), engine=engine)
    spikes, states = reference_adlif(current, discretisation == "symplectic", 1e-3, model.values)
    assert len(spikes) > 50
    np.testing.assert_array_equal(
        np.round(block.segments[0].spiketrains[0].magnitude / 1e-3).astype(int), spikes
    )
    for k in (0, 1):
        np.testing.assert_allclose(
            block.segments[0].analogsignals[k].magnitude[:, 0],
            states[:, k],
            atol=1e-9 * np.ptp(states[:, k]),
        )


@pytest.mark.parametrize("wrong", [(), ("u",)])
def test_a_wrong_update_order_is_noticed(wrong):
    model = replace(nc.models.adlif(), after_reset=wrong)
    current = np.full(1000, 100.0)
    block = nc.simulate(model, current, dt=1e-3, engine="jax")
    spikes, _ = reference_adlif(current, True, 1e-3, model.values)
    assert not np.array_equal(
        np.round(block.segments[0].spiketrains[0].magnitude / 1e-3).astype(int), spikes
    )


@pytest.mark.long
def test_standalone_equals_runtime():
    options = {"dt": 1e-4, "record": ("v",)}
    current = currents_of(1e-4, CASES["lif"][2])[:, 2]
    first, second = (
        nc.simulate(nc.models.lif(), current, engine=e, **options)
        for e in ("brian2-standalone", "brian2")
    )
    np.testing.assert_array_equal(
        *(b.segments[0].spiketrains[0].magnitude for b in (first, second))
    )
    np.testing.assert_allclose(
        *(b.segments[0].analogsignals[0].magnitude for b in (first, second)), atol=1e-12
    )


def test_heterogeneous_parameters_equal_single_runs():
    values = np.array([-52.0, -50.0, -48.0])
    current = np.full(5000, 350e-12)
    for engine in ("brian2", "jax"):
        together = nc.simulate(
            nc.models.lif(), current, dt=1e-4, trials=3, parameters={"V_T": values}, engine=engine
        )
        for trial, value in enumerate(values):
            alone = nc.simulate(
                nc.models.lif(), current, dt=1e-4, parameters={"V_T": value}, engine="jax"
            )
            np.testing.assert_array_equal(
                *(b.spiketrains[0].magnitude for b in (together.segments[trial], alone.segments[0]))
            )


@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_a_seed_gives_the_same_spikes_and_touches_no_global_state(engine):
    import jax

    np.random.seed(7)
    state = np.random.get_state()[1].copy()
    precision = jax.config.jax_enable_x64
    runs = [
        nc.simulate(
            nc.models.noisy_lif("both"), np.full(500, 0.4), dt=1e-3, trials=2, seed=s, engine=engine
        )
        for s in (1, 1, 2)
    ]
    trains = [[s.spiketrains[0].magnitude.tolist() for s in run.segments] for run in runs]
    assert trains[0] == trains[1] != trains[2]
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert jax.config.jax_enable_x64 == precision

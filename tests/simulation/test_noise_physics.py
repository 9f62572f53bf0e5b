"""Diffusive noise against theory: Ornstein-Uhlenbeck moments and the Siegert rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfcx

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models import NeuronModel, Parameter
from neurocode.simulation.numba_engine import run_numba


def ornstein_uhlenbeck():
    return NeuronModel(
        name="ou",
        equations="dv/dt = (mu - v)/tau + sigma*sqrt(2/tau)*xi : volt",
        margin="v - 1*volt",
        reset="v = mu",
        initial={"v": "mu"},
        parameters={
            "mu": Parameter.of("-60 mV"),
            "sigma": Parameter.of("3 mV"),
            "tau": Parameter.of("10 ms"),
        },
    )


@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_ornstein_uhlenbeck_moments(engine):
    """Mean, variance and autocovariance within four standard errors of 400 independent paths (false
    alarm 6e-5 each)."""
    block = nc.simulate(
        ornstein_uhlenbeck(),
        duration=0.5,
        dt=1e-4,
        trials=400,
        record=("v",),
        seed=3,
        engine=engine,
    )
    v = np.stack([s.analogsignals[0].magnitude[:, 0] for s in block.segments])[:, 1000:] + 60.0
    lag = 100
    estimates = {
        0.0: v.mean(axis=1),
        9.0: (v**2).mean(axis=1),
        9.0 * np.exp(-1): (v[:, :-lag] * v[:, lag:]).mean(axis=1),
    }
    for truth, values in estimates.items():
        assert abs(values.mean() - truth) < 4 * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("engine", ["brian2", "jax"])
def test_matrix_exponential_is_exact_for_coloured_noise_at_any_time_step(engine):
    """Moments of a leaky integrator driven by an Ornstein-Uhlenbeck process, one step as long as
    the slower of both time constants: within four standard errors of 1000 independent paths (false
    alarm 6e-5 each)."""
    tau_m, tau_n, dt = 20.0, 5.0, 20.0
    model = NeuronModel(
        name="coloured",
        equations="dv/dt = (-v + n)/tau_m : volt (unless refractory)\ndn/dt = -n/tau_n + "
        "sigma*sqrt(2/tau_n)*xi : volt",
        margin="v - 1*volt",
        reset="v = 0*volt",
        refractory="2*ms",
        integrator="matrix_exponential",
        parameters={
            "tau_m": Parameter.of("20 ms"),
            "tau_n": Parameter.of("5 ms"),
            "sigma": Parameter.of("3 mV"),
        },
    )
    block = nc.simulate(
        model, duration=2.0, dt=dt * 1e-3, trials=1000, record=("v", "n"), seed=3, engine=engine
    )
    v, n = (
        np.stack([s.analogsignals[k].magnitude[:, 0] for s in block.segments])[:, 40:]
        for k in (0, 1)
    )
    shared = 9.0 * tau_n / (tau_m + tau_n)
    fast, slow = np.exp(-dt / tau_n), np.exp(-dt / tau_m)
    lagged = shared * slow + shared * tau_n / (tau_m - tau_n) * (slow - fast)
    estimates = {
        "variance of n": (9.0, n**2),
        "autocovariance of n": (9.0 * fast, n[:, 1:] * n[:, :-1]),
        "variance of v": (shared, v**2),
        "covariance": (shared, v * n),
        "autocovariance of v": (lagged, v[:, 1:] * v[:, :-1]),
    }
    for name, (truth, values) in estimates.items():
        means = values.mean(axis=1)
        assert abs(means.mean() - truth) < 4 * means.std(ddof=1) / np.sqrt(len(means)), name


def test_matrix_exponential_refuses_noise_that_depends_on_the_state():
    model = NeuronModel(
        name="multiplicative",
        equations="dv/dt = -v/tau + v*sqrt(2/tau)*xi : 1",
        margin="v - 1",
        reset="v = 0",
        integrator="matrix_exponential",
        parameters={"tau": Parameter.of("10 ms")},
    )
    with pytest.raises(ModelError, match="not additive"):
        nc.simulate(model, duration=0.1, engine="jax")


def siegert_rate(mean, sigma, tau, threshold, reset, refractory):
    """Rate of a leaky integrate-and-fire neuron with white noise; sigma is the stationary standard
    deviation."""
    low, high = (reset - mean) / (sigma * np.sqrt(2)), (threshold - mean) / (sigma * np.sqrt(2))
    integral = quad(lambda x: erfcx(-x), low, high)[0]
    return 1.0 / (refractory + tau * np.sqrt(np.pi) * integral)


def test_rate_of_a_noisy_lif_tends_to_siegert_as_root_dt():
    """Extrapolated within 1 % (about four standard errors); every coarser step is further below."""
    model = NeuronModel(
        name="white noise lif",
        equations="dv/dt = (mu - v)/tau + sigma*sqrt(2/tau)*xi : 1 (unless refractory)",
        margin="v - 1",
        reset="v = 0",
        refractory="t_ref",
        parameters={
            "mu": Parameter(0.9),
            "sigma": Parameter(0.25),
            "tau": Parameter.of("20 ms"),
            "t_ref": Parameter.of("2 ms"),
        },
    )
    truth = siegert_rate(0.9, 0.25, 0.02, 1.0, 0.0, 0.002)
    steps, rates = np.array([4e-4, 2e-4, 1e-4]), []
    for dt in steps:
        run = run_numba(model, dt, round(4.5 / dt), 2000, parameters={}, stimulus=None, seed=8)
        n_spikes = sum(int(np.sum(s * dt >= 0.5)) for s in run.spike_steps)
        rates.append(n_spikes / (2000 * 4.0))
    rates = np.array(rates)
    assert np.all(np.diff(rates) > 0) and np.all(rates < truth)
    _, intercept = np.polyfit(np.sqrt(steps), rates, 1)
    assert abs(intercept / truth - 1) < 0.01
    shortfall = truth - rates
    assert shortfall[0] / shortfall[2] == pytest.approx(2.0, abs=0.3)

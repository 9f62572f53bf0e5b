"""Derivatives of networks: reverse against forward, against central differences, worked values."""

from __future__ import annotations

from collections.abc import Callable

import brian2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning.surrogate import Surrogate


def neurons(extra: str = "", drive: str = "I") -> NeuronGroup:
    group = NeuronGroup(
        4,
        f"dv/dt = ({drive} - v)/tau : 1 (unless refractory)\nI : 1\n{extra}",
        threshold="v > 1",
        reset="v = v - 1",
        refractory=1.5 * ms,
        method="euler",
        name="neurons",
    )
    group.I = [0.9, 1.3, 1.7, 2.1]
    group.v = [0.9, 0.2, 0.4, 0.6]
    return group


def delayed() -> list[object]:
    group = neurons()
    synapses = Synapses(group, group, "w : 1", on_pre="v_post += w", name="synapses")
    synapses.connect(condition="i != j")
    synapses.w = np.linspace(0.02, 0.12, 12)
    synapses.delay = np.linspace(0, 3, 12) * ms
    return [group, synapses]


def plastic() -> list[object]:
    group = neurons()
    synapses = Synapses(
        group,
        group,
        """w : 1
        da/dt = -a/taua : 1 (event-driven)
        db/dt = -b/taua : 1 (event-driven)""",
        on_pre="v_post += w\na += 0.1\nw += b*w",
        on_post="b -= 0.12\nw += a*w",
        name="synapses",
    )
    synapses.connect(condition="i != j")
    synapses.w = np.linspace(0.02, 0.08, 12)
    synapses.pre.delay = 0.7 * ms
    return [group, synapses]


def summed() -> list[object]:
    group = neurons("S : 1", "I + S")
    synapses = Synapses(
        group,
        group,
        "w : 1\nds/dt = -s/taua : 1 (clock-driven)\nS_post = w*s : 1 (summed)",
        on_pre="s += 1 - s",
        method="exact",
        name="synapses",
    )
    synapses.connect()
    synapses.w = np.linspace(-0.3, 0.3, 16)
    return [group, synapses]


def read(make: Callable[[], list[object]]) -> tuple[nc.networks.BrianNetwork, list[object]]:
    objects = make()
    objects += [SpikeMonitor(objects[0], name="spikes")]
    objects += [StateMonitor(objects[0], "v", record=True, dt=0.5 * ms, name="states")]
    objects += [brian2.PopulationRateMonitor(objects[0], name="rate")]
    names = {"tau": 8 * ms, "taua": 15 * ms}
    return nc.from_brian(Network(*objects), namespace=names), objects


def smooth_output(recorded: nc.networks.Recorded) -> jax.Array:
    v = recorded.states["states"]["v"]
    return (v**2 * jnp.linspace(0.5, 1.5, v.size).reshape(v.shape)).mean()


NETWORKS = [delayed, plastic, summed]


@pytest.mark.parametrize("make", NETWORKS)
def test_both_deliveries_agree(make):
    network, _ = read(make)
    segment = network.run("40 ms").segments[0]
    with jax.enable_x64(True):
        recorded = network.function("40 ms")({})
    spikes = np.asarray(recorded.spikes["spikes"])
    for i, train in enumerate(segment.spiketrains):
        np.testing.assert_array_equal(np.flatnonzero(spikes[:, i]) * 1e-4, train.magnitude)
    assert spikes.sum() > 10
    signals = {each.name: each.magnitude for each in segment.analogsignals}
    np.testing.assert_allclose(
        recorded.states["states"]["v"], signals["neurons.v"], rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(recorded.rates["rate"], signals["neurons.rate"].ravel())


def test_both_deliveries_draw_the_same_numbers():
    source = brian2.PoissonGroup(10, rates=200 * brian2.Hz)
    group = NeuronGroup(
        4,
        "dv/dt = -v/tau + 0.1*xi*tau**-0.5 : 1",
        threshold="v > 0.7",
        reset="v = 0.2*rand()",
        method="euler",
        name="neurons",
    )
    synapses = Synapses(source, group, "w : 1", on_pre="v_post += w*rand()\nw += 0.01*randn()")
    synapses.connect(p=0.6)
    synapses.w = 0.3
    synapses.delay = np.linspace(0, 2, len(synapses)) * ms
    spikes = SpikeMonitor(group, name="spikes")
    objects = [source, group, synapses, spikes]
    network = nc.from_brian(Network(*objects), namespace={"tau": 8 * ms})
    trains = network.run("30 ms", seed=4).segments[0].spiketrains
    with jax.enable_x64(True):
        seen = np.asarray(network.function("30 ms", seed=4)({}).spikes["spikes"])
    assert seen.sum() > 5
    for i, train in enumerate(trains):
        np.testing.assert_array_equal(np.flatnonzero(seen[:, i]) * 1e-4, train.magnitude)


@pytest.mark.parametrize("surrogate", [None, Surrogate("superspike", slope=5.0)])
@pytest.mark.parametrize("make", NETWORKS)
def test_reverse_equals_forward(make, surrogate):
    network, _ = read(make)
    values = network.values(["synapses.w", "neurons.tau", "neurons.I"])
    f = network.function("20 ms", surrogate=surrogate)

    def loss(values):
        recorded = f(values)
        return smooth_output(recorded) + 0.1 * recorded.spikes["spikes"].sum()

    rng = np.random.default_rng(0)
    along = {k: np.asarray(rng.normal(size=v.shape) * (0.01 + 0 * v)) for k, v in values.items()}
    with jax.enable_x64(True):
        gradient = jax.grad(loss)(values)
        _, forward = jax.jvp(loss, (values,), (along,))
    gradient = {name: np.asarray(value) for name, value in gradient.items()}
    reverse = sum(np.sum(gradient[name] * along[name]) for name in values)
    assert reverse == pytest.approx(float(forward), rel=1e-12)
    assert all(np.abs(gradient[k]).max() > 1e-6 for k in values)


@pytest.mark.parametrize("make", NETWORKS)
def test_central_differences(make):
    """Between changes of spikes the derivative is exact."""
    network, _ = read(make)
    values = network.values(["synapses.w", "neurons.tau", "neurons.I"])
    f = network.function("20 ms")
    with jax.enable_x64(True):
        gradient = jax.grad(lambda values: smooth_output(f(values)))(values)
        spikes = np.asarray(f(values).spikes["spikes"])
        assert spikes.sum() > 5
        for name, place, step in [
            ("synapses.w", 9, 1e-6),
            ("neurons.tau", (), 1e-9),
            ("neurons.I", 2, 1e-6),
        ]:
            sides = []
            for sign in (1, -1):
                moved = {**values, name: np.array(values[name])}
                moved[name][place] += sign * step
                recorded = f(moved)
                assert np.array_equal(np.asarray(recorded.spikes["spikes"]), spikes)
                sides.append(float(smooth_output(recorded)))
            difference = (sides[0] - sides[1]) / (2 * step)
            assert abs(difference) > 1e-5
            assert float(gradient[name][place]) == pytest.approx(difference, rel=1e-6)


def test_worked_surrogate():
    """One Euler step: v = v0 + dt/tau (I - v0), and the derivative of the spike is h(v - 1)."""
    group = NeuronGroup(
        2,
        "dv/dt = (I - v)/tau : 1\nI : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
        name="neurons",
    )
    group.v, group.I = [0.95, 0.999], [3, 3]
    spikes = SpikeMonitor(group, name="spikes")
    network = nc.from_brian(Network(group, spikes), namespace={"tau": 10 * ms})
    f = network.function("0.1 ms", surrogate=Surrogate("superspike", slope=10.0))
    with jax.enable_x64(True):
        values = network.values(["neurons.I", "neurons.v"])
        gradient = jax.grad(lambda values: f(values).spikes["spikes"].sum())(values)
        after_reset = f(values).final["neurons.v"]
    v = np.array([0.95, 0.999]) + 0.01 * (3 - np.array([0.95, 0.999]))
    h = 1 / (1 + 10 * np.abs(v - 1)) ** 2
    np.testing.assert_allclose(gradient["neurons.I"], 0.01 * h, rtol=1e-12)
    np.testing.assert_allclose(gradient["neurons.v"], 0.99 * h, rtol=1e-12)
    np.testing.assert_allclose(after_reset, [v[0], 0.0], rtol=1e-12)


def test_refused_derivatives():
    group = neurons()
    synapses = Synapses(group, group, on_pre="v_post = clip(v_post + 0.2, 0, 1.2)")
    synapses.connect()
    network = nc.from_brian(Network(group, synapses), namespace={"tau": 8 * ms})
    with pytest.raises(ModelError, match="in an order that matters, so that the network has no"):
        network.function("1 ms")
    network, _ = read(delayed)
    with pytest.raises(ModelError, match=r"'neurons\.I' is in float32"):
        network.function("1 ms")({"neurons.I": jnp.ones(4, jnp.float32)})
    two = NeuronGroup(2, "v : 1\nu : 1", threshold="v > 1 and u > 1", reset="v = 0")
    network = nc.from_brian(Network(two))
    with pytest.raises(ModelError, match="has no single distance to threshold"):
        network.function("1 ms", surrogate=Surrogate())


def test_any_threshold_is_covered_where_spikes_have_no_derivative():
    """Of three neurons, one fulfils both conditions, so that its reset is differentiated alone."""
    group = NeuronGroup(3, "v : 1\nu : 1", threshold="v > 1 and u > 1", reset="v *= 0.25")
    group.v, group.u = [2, 2, 0.5], [2, 0.5, 2]
    f = nc.from_brian(Network(group)).function("0.1 ms")
    key = f"{group.name}.v"
    with jax.enable_x64(True):
        gradient = jax.grad(lambda v: f({key: v}).final[key].sum())(jnp.array([2.0, 2.0, 0.5]))
    np.testing.assert_array_equal(gradient, [0.25, 1.0, 1.0])

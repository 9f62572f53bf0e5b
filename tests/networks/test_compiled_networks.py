"""The compiled loop runs networks as the scan in JAX does, which is compared with Brian2."""

from __future__ import annotations

import brian2
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import (
    EventMonitor,
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    PopulationRateMonitor,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    check_units,
    implementation,
    ms,
)

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.networks import compiled


def everything() -> tuple[Network, dict[str, object]]:
    """Groups, pathways and monitors of every kind, without random numbers."""
    drive = TimedArray(np.array([1.1, 2.0, 1.6]), dt=7 * ms)
    columns = TimedArray(np.linspace(0.0, 0.4, 16).reshape(4, 4), dt=4 * ms)
    leaky = NeuronGroup(
        5,
        """dv/dt = (gain*drive(t) + total + columns(t, k) - v)/tau : 1 (unless refractory)
        total : 1
        gain : 1
        tired = floor(2.7*v)//2 : 1
        k : integer
        large = v > 0.6 : boolean""",
        threshold="v > 1 and large",
        reset="v = 0.1*(i % 2)",
        refractory="1*ms + 0.3*k*ms",
        events={"near": "v > 0.9"},
        method="exponential_euler",
        name="leaky",
    )
    leaky.gain, leaky.k, leaky.v = np.linspace(0.7, 1.4, 5), [0, 1, 2, 3, 1], 0.3
    slow = NeuronGroup(3, "x : 1", threshold="x > 0.35", reset="x -= 0.3", dt=0.5 * ms, name="slow")
    slow.run_regularly("x = clip(x + 0.06*(i + 1)**2, 0, inf)", dt=1 * ms)
    given = SpikeGeneratorGroup(3, [0, 2, 2, 1], [0, 1, 4, 4] * ms, period=5 * ms, name="given")
    plastic = Synapses(
        leaky,
        leaky,
        """w : 1
        da/dt = -a/(5*ms) : 1 (event-driven)
        db/dt = -b/(7*ms) : 1 (event-driven)""",
        on_pre="v_post += w\na += 0.1\nw = clip(w + b, 0, 0.3)",
        on_post="b -= 0.02\nw = clip(w + 0.5*a, 0, 0.3)",
        name="plastic",
    )
    plastic.connect(condition="i != j")
    plastic.w = np.linspace(0.02, 0.2, 20)
    plastic.pre.delay = np.linspace(0, 3, 20) * ms
    summed = Synapses(
        slow,
        leaky,
        "ds/dt = -s/(2*ms) : 1 (clock-driven)\ntotal_post = s : 1 (summed)",
        on_pre="s += 0.2",
        method="exact",
        name="summed",
    )
    summed.connect(condition="(i + j) % 2 == 0")
    forced = Synapses(given, leaky[1:4], on_pre="v_post *= 0.8", delay=0.4 * ms, name="forced")
    forced.connect(condition="i == j")
    objects = [leaky, slow, given, plastic, summed, forced]
    objects += [SpikeMonitor(each, name=f"of_{each.name}") for each in (leaky, slow, given)]
    objects += [
        EventMonitor(leaky[1:], "near", variables=["v", "k"], name="near"),
        StateMonitor(leaky, ["v", "tired", "large", "k"], record=[4, 1], name="states"),
        StateMonitor(plastic, ["w", "a"], record=True, dt=0.3 * ms, name="weights"),
        PopulationRateMonitor(leaky[:3], name="rate"),
    ]
    names = {"drive": drive, "columns": columns, "tau": 4 * ms}
    return Network(*objects), names


@pytest.fixture(scope="module")
def network() -> nc.networks.network.BrianNetwork:
    brian2.prefs.codegen.target = "numpy"  # the fixture that does so for a test comes later
    objects, names = everything()
    objects.run(1.3 * ms, namespace=names)  # spikes are on their way when it is read
    return nc.from_brian(objects, namespace=names)


@pytest.fixture(scope="module")
def expected(network) -> tuple[dict, dict]:
    return seen(network, "jax")


def seen(network: nc.networks.network.BrianNetwork, engine: str) -> tuple[dict, dict]:
    """Times of all spikes and all signals, by name."""
    segment = network.run("30 ms", engine=engine).segments[0]
    trains, signals = segment.spiketrains, segment.analogsignals
    values = {
        f"{train.annotations['monitor']} {train.name}": (train.magnitude, train.array_annotations)
        for train in trains
    }
    return values, {f"{s.annotations['monitor']} {s.name}": s for s in signals}


def test_every_kind_of_object(network, expected) -> None:
    trains, signals = seen(network, "numba")
    assert trains.keys() == expected[0].keys() and signals.keys() == expected[1].keys()
    for name, (times, at_spikes) in trains.items():
        others, values = expected[0][name]
        np.testing.assert_array_equal(times, others, err_msg=name)
        for variable, value in at_spikes.items():
            np.testing.assert_allclose(value, values[variable], rtol=1e-12, err_msg=name)
    for name, signal in signals.items():
        other = expected[1][name]
        assert signal.units == other.units and signal.t_start == other.t_start
        np.testing.assert_allclose(
            signal.magnitude, other.magnitude, rtol=1e-12, atol=1e-15, err_msg=name
        )
    # every pathway and monitor has something to do
    assert (
        min(
            sum(len(t) for n, (t, _) in trains.items() if n.startswith(m))
            for m in ("of_leaky", "of_slow", "of_given", "near")
        )
        > 5
    )
    assert np.ptp(signals["weights plastic.w"].magnitude, axis=0).astype(bool).sum() > 10


def test_buffers_that_fill_change_nothing(network, expected, monkeypatch) -> None:
    """Room for the spikes of a step or two, and pieces of some tens of steps."""
    monkeypatch.setattr(compiled, "ROOM", 6)
    monkeypatch.setattr(compiled, "MOST_BYTES", 20_000)
    trains, signals = seen(network, "numba")
    for name, (times, _) in trains.items():
        np.testing.assert_array_equal(times, expected[0][name][0], err_msg=name)
    for name, signal in signals.items():
        assert signal.shape == expected[1][name].shape
        np.testing.assert_allclose(signal.magnitude[-1], expected[1][name].magnitude[-1])


def test_every_run_starts_from_the_state_that_was_read(network) -> None:
    runs = [seen(network, "numba")[0] for _ in range(2)]
    for name, (times, _) in runs[0].items():
        np.testing.assert_array_equal(times, runs[1][name][0])


def test_values_replace_those_of_the_network() -> None:
    """dv/dt = I/tau from zero in Euler steps of a tenth: the threshold is passed after 1/(0.1 I)
    steps."""
    group = NeuronGroup(
        2, "dv/dt = I/tau : 1\nI : 1", threshold="v > 0.999", reset="v = 0", method="euler"
    )
    network = nc.from_brian(Network(group, SpikeMonitor(group)), namespace={"tau": 1 * ms})
    values = {f"{group.name}.I": np.array([1.0, 2.0]), f"{group.name}.tau": 2e-3}
    block = network.run("4 ms", engine="numba", values=values)
    first, second = (train.magnitude for train in block.segments[0].spiketrains)
    np.testing.assert_allclose(first, [1.9e-3, 3.9e-3])
    np.testing.assert_allclose(second, [0.9e-3, 1.9e-3, 2.9e-3, 3.9e-3])


def test_random_numbers_have_their_means_and_follow_the_seed() -> None:
    """Each mean lies within 4.5 standard errors of what is expected: a false alarm in 20 000 runs
    for each of five."""
    noisy = NeuronGroup(200, "dx/dt = xi/sqrt(second) : 1\nu : 1\np : 1", method="euler")
    noisy.run_regularly("u += rand()\np += poisson(0.3)", dt=0.1 * ms)
    poisson = PoissonGroup(200, 150 * Hz)
    target = NeuronGroup(200, "v : 1")
    inputs = PoissonInput(target, "v", 40, 100 * Hz, weight=1.0)
    net = Network(noisy, poisson, target, inputs, SpikeMonitor(poisson, name="poisson"))
    for group, names in ((noisy, ["x", "u", "p"]), (target, ["v"])):
        net.add(StateMonitor(group, names, record=True))
    network = nc.from_brian(net)
    same, other = (network.run("100 ms", engine="numba", seed=seed) for seed in (3, 4))
    again = network.run("100 ms", engine="numba", seed=3)
    signals = {s.name.split(".")[1]: s.magnitude for s in same.segments[0].analogsignals}
    n, steps = 200, 999  # a monitor sees a step before its draws
    expected = {
        "u": (0.5 * steps, np.sqrt(steps / 12 / n)),
        "p": (0.3 * steps, np.sqrt(0.3 * steps / n)),
        "v": (40 * 0.01 * steps, np.sqrt(40 * 0.01 * 0.99 * steps / n)),
    }
    for name, (mean, error) in expected.items():
        assert abs(signals[name][-1].mean() - mean) < 4.5 * error, name
    variance = np.mean(signals["x"][-1] ** 2)
    assert abs(variance - 0.0999) < 4.5 * 0.0999 * np.sqrt(2 / n)
    counts = [sum(map(len, block.segments[0].spiketrains)) for block in (same, again, other)]
    assert abs(counts[0] - 3000) < 4.5 * np.sqrt(3000)
    assert counts[0] == counts[1] != counts[2]


def test_what_the_compiled_loop_does_not_know_is_refused() -> None:
    @implementation("numpy", discard_units=True)
    @check_units(x=1, result=1)
    def squash(x):
        return x / (1 + np.abs(x))

    nc.jax_function(squash, lambda x: x / (1 + jnp.abs(x)))
    group = NeuronGroup(1, "dv/dt = squash(v)/ms : 1", method="euler", name="squashed")
    network = nc.from_brian(Network(group), namespace={"squash": squash})
    with pytest.raises(ModelError, match=r"'squash', which has a JAX version only: use engine"):
        network.run("1 ms", engine="numba")
    with pytest.raises(ModelError, match="There is no engine 'c'; known are jax, numba"):
        network.run("1 ms", engine="c")

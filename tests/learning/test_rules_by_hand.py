"""Learning rules, each step of which is computed by hand or written out again in NumPy."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, fields, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import lambertw

import neurocode as nc
from neurocode.errors import DataError, ModelError, TrainingError
from neurocode.learning import (
    Chain,
    Dense,
    Layer,
    Network,
    Part,
    Readout,
    Recurrent,
    Settings,
    Task,
)
from neurocode.learning.objective import Batch
from neurocode.learning.rules import (
    Course,
    IntrinsicPerturbation,
    Kernel,
    LayerTempotron,
    PairSTDP,
    Patterns,
    RuleResult,
    SpikeProp,
    SpikePropResult,
    SpikeTimeNetwork,
    SpikeTimes,
    SupervisedSTDP,
    SurrogateGradient,
    Tempotron,
    TempotronNeurons,
    TempotronResult,
    latency_patterns,
    population_readout,
)
from neurocode.learning.rules.rule import classes_of_neurons, only_layer
from neurocode.learning.rules.spikeprop import Weights, _update
from neurocode.learning.rules.tempotron_layer import no_change, time_of_maximum

DT = 1e-3
#: Of a neuron that keeps a half of its potential in a step and takes its weighted sum whole, with
#: its threshold at one.
HALVING = nc.models.noisy_lif("none")


@eqx.filter_jit
def updated(rule, *arguments):
    """An update as one program instead of one for every operation, which takes several times as
    long."""
    return rule.update(*arguments)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def network(weights, bias=None, learned=()):
    """A layer of given weights (inputs, neurons) that keeps a half, neuron ``j`` speaking for class
    ``j`` modulo two."""
    weights = jnp.asarray(weights, float)
    dense = Dense(*weights.shape, bias=bias is not None, key=jax.random.key(0))
    dense = eqx.tree_at(lambda part: part.weight, dense, weights)
    dense = (
        dense
        if bias is None
        else eqx.tree_at(lambda part: part.bias, dense, jnp.asarray(bias, float))
    )
    return Network(
        [Layer(dense, HALVING, DT, learned=learned), population_readout(weights.shape[1], 2, DT)]
    )


def batch_of(inputs, labels, valid=None):
    """Inputs (batch, time, channels)."""
    inputs = jnp.moveaxis(jnp.asarray(inputs, float), 0, 1)
    valid = jnp.ones(inputs.shape[:2], bool) if valid is None else jnp.asarray(valid).T
    return Batch(inputs, jnp.asarray(labels), valid)


# Patterns
# --------------------------------------------------------------------------------------------------


def test_patterns_hold_spikes_by_time():
    patterns = Patterns.of([[[0.03, 0.01], [0.02]], [[], [0.0]], [[], []]], [1, 0, 2])
    assert patterns.times.tolist() == [0.01, 0.02, 0.03, 0.0] and patterns.synapses.tolist() == [
        0,
        1,
        0,
        1,
    ]
    assert (
        patterns.first.tolist() == [0, 3, 4, 4]
        and patterns.n_synapses == 2
        and len(patterns) == 3
        and patterns.labels.tolist() == [1, 0, 2]
    )
    for labels in ([-1], [0.5]):
        with pytest.raises(DataError, match="whole numbers from zero"):
            Patterns.of([[[0.1]]], labels)
    for time in (-0.1, np.inf):
        with pytest.raises(
            DataError, match="Pattern 0 holds spike times that are not finite or negative"
        ):
            Patterns.of([[[0.0, time]]], [0])


def test_latency_patterns_have_a_spike_a_synapse_and_labels_by_chance():
    """400 patterns: labels of one within 5 standard errors of half (6e-7), mean time likewise of
    half the duration."""
    patterns = latency_patterns(400, 7, 0.3, seed=1)
    times, synapses = patterns.times.reshape(400, 7), patterns.synapses.reshape(400, 7)
    assert np.all(np.diff(times, axis=1) > 0) and np.array_equal(
        np.sort(synapses, axis=1), np.tile(np.arange(7), (400, 1))
    )
    assert (
        patterns.first.tolist() == list(range(0, 2801, 7))
        and patterns.n_synapses == 7
        and set(patterns.labels) == {0, 1}
    )
    assert abs(patterns.labels.mean() - 0.5) < 5 * 0.5 / 20
    assert abs(times.mean() - 0.15) < 5 * 0.3 / np.sqrt(12 * 2800) and 0.29 < times.max() < 0.3


# Tempotron
# --------------------------------------------------------------------------------------------------


def test_the_kernel_at_a_few_times():
    """Four time constants of the synapse are one of the membrane: V_0 (e^-x - e^-4x) after x of 15
    ms."""
    kernel = Kernel()
    v0 = 1 / (4 ** (-1 / 3) - 4 ** (-4 / 3))
    assert kernel.scale == pytest.approx(v0, rel=1e-12) and kernel.peak_time == pytest.approx(
        5e-3 * np.log(4), rel=1e-12
    )
    np.testing.assert_allclose(
        kernel(np.array([-1.0, 0.0, 0.015])),
        [0, 0, v0 * (np.exp(-1) - np.exp(-4))],
        rtol=1e-12,
        atol=1e-15,
    )
    for options in ({"tau_s": 0.0}, {"tau_s": 0.015}, {"tau_s": -1.0}):
        with pytest.raises(TrainingError, match="must be 0 < tau_s < tau"):
            Kernel(**options)


def test_maxima_by_hand():
    """One spike; one that pushes down; a second, inhibitory spike before the peak, where the
    maximum then lies; silence."""
    peak = Kernel().peak_time
    patterns = Patterns.of(
        [[[0.01], []], [[], [0.01]], [[0.0], [0.002]], [[], []], [[0.0], [0.1]]], [0] * 5
    )
    best, when = TempotronNeurons(2).maxima(np.array([[2.0], [-5.0]]), patterns)
    np.testing.assert_allclose(best[:, 0], [2, 0, 2 * Kernel()(0.002), 0, 2], rtol=1e-12)
    np.testing.assert_allclose(when[:, 0], [0.01 + peak, 0, 0.002, 0, peak], rtol=1e-9)
    later = Patterns.of([[[0.0, 0.1]]], [0])
    best, when = TempotronNeurons(1).maxima(np.array([[1.0]]), later)
    assert best[0, 0] > 1 and when[0, 0] > 0.1


def test_predictions_reach_the_threshold_or_are_the_highest():
    patterns = Patterns.of([[[0.01], []], [[], [0.01]]], [0, 1])
    for threshold, expected in ((1.9, [1, 1]), (2.1, [0, 1]), (3.1, [0, 0])):
        assert (
            TempotronNeurons(2, threshold=threshold)
            .predict(np.array([[2.0], [3.0]]), patterns)
            .tolist()
            == expected
        )
    assert TempotronNeurons(2, 3).predict(
        np.array([[0.1, 0.2, 0.3], [0.3, 0.1, 0.2]]), patterns
    ).tolist() == [2, 0]
    for options in (
        {"n_synapses": 0},
        {"n_synapses": 1, "n": 0},
        {"n_synapses": 1, "threshold": 0.0},
    ):
        with pytest.raises(TrainingError, match="must be positive"):
            TempotronNeurons(**options)


@pytest.mark.parametrize(
    ("momentum", "weights"),
    [(0.5, [0.1, 0.25, 0.425, 0.6125, 0.80625, 1.003125]), (0.0, np.arange(1, 7) / 10)],
)
def test_misses_move_a_weight_by_hand(momentum, weights):
    """One spike whose potential peaks at its weight: each miss adds the rate and the momentum of
    the change before.

    A weight of zero moves no potential, so it starts at 1e-6 times the first normal number of the
    seed, 0.126.
    """
    patterns, neurons = Patterns.of([[[0.01]]], [1]), TempotronNeurons(1)
    start = 1e-6 * np.random.default_rng(0).standard_normal()
    for cycles, expected in enumerate(weights, 1):
        result = Tempotron(0.1, momentum, cycles).fit(neurons, patterns, spread=1e-6)
        assert result.weights[0, 0] == pytest.approx(expected + start, rel=1e-9)
        assert result.errors[0].tolist() == [1] * cycles and not result.learned
    result = Tempotron(0.1, 0.5).fit(neurons, patterns, spread=1e-6)
    assert result.errors[0].tolist() == [1] * 6 + [0] and result.learned


def test_false_alarms_move_a_weight_down_and_later_spikes_stay():
    """From the weights of the seed; the synapse whose spike comes long after the maximum is not
    touched."""
    start = 2.0 * np.random.default_rng(3).standard_normal(2)
    assert start[0] > 1.2 and start[1] < 0
    patterns = Patterns.of([[[0.0], [0.2]]], [0])
    result = Tempotron(0.1, 0.5, cycles=2).fit(TempotronNeurons(2), patterns, seed=3, spread=2.0)
    np.testing.assert_allclose(result.weights[:, 0], start - [0.25, 0.0], rtol=1e-9)


def test_a_potential_that_just_reaches_the_threshold_fires():
    patterns = Patterns.of([[[0.01]]], [1])
    start = 3.0 * np.random.default_rng(0).standard_normal(1)
    best = float(TempotronNeurons(1).maxima(start[:, None], patterns)[0][0, 0])
    neurons = TempotronNeurons(1, threshold=best)
    assert neurons.predict(start[:, None], patterns).tolist() == [1]
    result = Tempotron(cycles=3).fit(neurons, patterns, seed=0, spread=3.0)
    assert result.errors[0].tolist() == [0] and result.weights[0, 0] == start[0]


def test_weights_start_small():
    """At a hundredth of the normal numbers of the seed, where no other size is asked for."""
    result = Tempotron(1e-12, 0.0, cycles=1).fit(
        TempotronNeurons(3), Patterns.of([[[0.01], [0.01], [0.02]]], [1]), seed=2
    )
    np.testing.assert_allclose(
        result.weights[:, 0], 0.01 * np.random.default_rng(2).standard_normal(3), rtol=1e-6
    )


def test_each_of_several_neurons_fires_for_its_label():
    patterns = Patterns.of([[[0.01], []], [[], [0.01]]], [0, 1])
    result = Tempotron(0.6, 0.0, cycles=9).fit(TempotronNeurons(2, 2), patterns, spread=1e-9)
    np.testing.assert_allclose(result.weights, 1.2 * np.eye(2), atol=2e-9)
    assert [errors.tolist() for errors in result.errors] == [
        [1, 1, 0],
        [1, 1, 0],
    ] and result.learned
    with pytest.raises(DataError, match="Labels go up to 2, but 2 neurons distinguish 2"):
        Tempotron().fit(TempotronNeurons(1, 2), Patterns.of([[[0.1]]], [2]))
    with pytest.raises(DataError, match="Labels go up to 2, but 1 neurons distinguish 2"):
        Tempotron().fit(TempotronNeurons(1), Patterns.of([[[0.1]]], [2]))
    with pytest.raises(DataError, match="Patterns have 1 synapses, but the neurons have 3"):
        Tempotron().fit(TempotronNeurons(3), Patterns.of([[[0.1]]], [1]))


@pytest.mark.parametrize(
    ("rule", "options"),
    [(Tempotron, {"cycles": 0}), (LayerTempotron, {"intrinsic_factor": -1.0})]
    + [
        (rule, option)
        for rule in (Tempotron, LayerTempotron)
        for option in ({"learning_rate": 0.0}, {"momentum": 1.0}, {"momentum": -0.1})
    ],
)
def test_tempotrons_that_mean_nothing_are_refused(rule, options):
    with pytest.raises(TrainingError, match="momentum must be from 0 up to 1"):
        rule(**options)


#: Of one input; the first sequence is of class 0, the second of class 1.
SEQUENCES = [[[1.0], [0.0], [1.0]], [[0.0], [1.0], [0.0]]]


def test_a_layer_learns_as_the_tempotron_does_by_hand():
    """Neuron 0 reaches 1.2 for the other class in the second step, neuron 1 only 0.3 for its own:
    half of the answers are wrong.

    There the potential moves by 1 with the weight and by 1.5 with the bias, and the batch holds two
    sequences.
    """
    net, batch, rule = (
        network([[1.2, 0.3]], [0.0, 0.0]),
        batch_of(SEQUENCES, [0, 1]),
        LayerTempotron(0.1, 0.5),
    )
    memory = no_change(net)
    for weights, biases in (([1.15, 0.35], [-0.075, 0.075]), ([1.075, 0.425], [-0.1875, 0.1875])):
        net, memory, error = updated(rule, net, memory, batch, jax.random.key(0))
        np.testing.assert_allclose(net.layers[0].connection.weight, [weights], rtol=1e-12)
        np.testing.assert_allclose(net.layers[0].connection.bias, biases, rtol=1e-12)
        assert float(error) == 0.5
    np.testing.assert_allclose(net.readout.connection.weight, np.eye(2))


def test_steps_that_do_not_count_are_no_maximum():
    """Without the second step of the second sequence only the miss is left: a quarter, and its
    highest potential is the third."""
    batch = batch_of(SEQUENCES, [0, 1], [[True] * 3, [True, False, True]])
    net = network([[1.2, 0.3]], [0.0, 0.0])
    net, _, error = updated(LayerTempotron(0.1, 0.0), net, no_change(net), batch, jax.random.key(0))
    np.testing.assert_allclose(
        net.layers[0].connection.weight, [[1.2, 0.3 + 0.05 * 0.5]], rtol=1e-12
    )
    np.testing.assert_allclose(net.layers[0].connection.bias, [0.0, 0.05 * 1.75], rtol=1e-12)
    assert float(error) == 0.25


def test_the_time_of_the_maximum_by_hand():
    """The highest value, of several the first; where it is ten units or more, or no number, the
    first that is not negative."""
    margins = jnp.array(
        [
            [-1.0, -1.0, -1.0, -1.0, -jnp.inf, -3.0],
            [0.0, 0.5, 0.5, 0.25, -2.0, -1.0],
            [20.0, 10.0, 9.99, jnp.nan, -2.0, -2.0],
        ]
    )[:, None]
    assert time_of_maximum(margins).tolist() == [[1, 1, 2, 1, 1, 1]]


def test_a_layer_that_just_reaches_its_threshold_fires():
    net = network([[1.0, 0.3]])
    after, _, error = updated(
        LayerTempotron(0.1, 0.0),
        net,
        no_change(net),
        batch_of([[[1.0], [0.0]]], [0]),
        jax.random.key(0),
    )
    assert float(error) == 0 and after.layers[0].connection.weight.tolist() == [[1.0, 0.3]]


@pytest.mark.parametrize("factor", [0.0, 0.1, 1.0])
def test_thresholds_move_against_the_potentials(factor):
    """The slope by the place between two bounds is minus their distance: half the rate times that,
    and times the factor."""
    net = network([[1.2, 0.3]], [0.0, 0.0], learned=("theta",))
    low, high = HALVING.parameters["theta"].si_bounds
    start = net.layers[0].intrinsic.coordinates["theta"]
    rule = LayerTempotron(0.001, 0.0, intrinsic_factor=factor)
    net, _, _ = updated(rule, net, no_change(net), batch_of(SEQUENCES, [0, 1]), jax.random.key(0))
    moved = net.layers[0].intrinsic.coordinates["theta"] - start
    np.testing.assert_allclose(
        moved, 0.0005 * factor * (high - low) * np.array([1, -1]), rtol=1e-6, atol=1e-15
    )
    np.testing.assert_allclose(net.layers[0].connection.weight, [[1.1995, 0.3005]], rtol=1e-12)


# What rules share
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counting:
    """A rule that counts: it stores updates in one weight, what it was shown in others, its key in
    a bias, and its errors in their number."""

    broken: int = -1

    def update(self, network, memory, batch, key):
        memory = memory + 1
        counts = jnp.sum(batch.inputs, axis=(0, 1))
        weight = network.readout.connection.weight.at[:, 1].add(counts).at[0, 0].add(1.0)
        weight = jnp.where(memory == self.broken, jnp.nan, weight)
        places = lambda net: (net.readout.connection.weight, net.readout.connection.bias)  # noqa: E731
        return (
            eqx.tree_at(places, network, (weight, jnp.stack([jax.random.uniform(key), 0.0]))),
            memory,
            1.0 * memory,
        )


def counted(n, label=1, start=0.0, **course):
    """Result of counting on ``n`` sequences, each of a channel of its own; validation shows the
    first channel alone."""
    inputs = np.eye(n)[:, None, :]
    training = Part(inputs, np.arange(n) % 2, np.ones((n, 1), bool))
    validation = Part(inputs[:1], np.array([label]), np.ones((1, 1), bool))
    task = Task("counting", training, validation, validation, "last_step", 2, DT)
    dense = eqx.tree_at(
        lambda part: part.weight,
        Dense(n, 2, key=jax.random.key(0)),
        jnp.zeros((n, 2)).at[0, 0].set(start),
    )
    return Course(**course).run(
        Network([Readout(dense, DT, 1e-9)]), task, Counting(), jnp.asarray(0), 4
    )


def test_a_course_looks_at_even_distances_and_means_errors_since_the_last():
    """Seven updates, three looks: after 2, 5 and 7; errors 1, 2; 3, 4, 5; 6, 7."""
    history = counted(6, updates=7, batch_size=2, looks=3).history
    assert list(history.columns) == ["update", "error", "validation_score"]
    assert history["update"].tolist() == [2, 5, 7] and history["error"].tolist() == [1.5, 4.0, 6.5]


def test_a_course_shows_every_sequence_once_in_an_epoch():
    """Of five sequences two at a time, the fifth is left out and the order is drawn anew; of six
    none is."""
    six = counted(6, label=0, updates=3, batch_size=2, looks=1).network.readout.connection
    assert six.weight[:, 1].tolist() == [1.0] * 6 and float(six.weight[0, 0]) == 3
    assert float(six.bias[0]) == float(jax.random.uniform(jax.random.fold_in(jax.random.key(4), 3)))
    five = counted(5, label=0, updates=2, batch_size=2, looks=1).network.readout.connection.weight[
        :, 1
    ]
    assert sorted(five.tolist()) == [0.0, 1.0, 1.0, 1.0, 1.0]
    many = counted(
        5, label=0, updates=200, batch_size=2, looks=1
    ).network.readout.connection.weight[:, 1]
    assert float(many.sum()) == 400 and np.all(np.abs(np.asarray(many) - 80) <= 20)


def test_a_course_keeps_the_first_of_the_best_networks():
    """The first output passes the second for the first channel when its updates are more than its
    showings: at once, and stays."""
    result = counted(6, label=0, updates=6, batch_size=2, looks=3)
    assert result.history["validation_score"].tolist() == [1.0, 1.0, 1.0]
    assert float(result.network.readout.connection.weight[0, 0]) == 2
    later = counted(6, label=0, start=-4.0, updates=6, batch_size=2, looks=3)
    assert later.history["validation_score"].tolist() == [0.0, 0.0, 1.0]
    assert float(later.network.readout.connection.weight[0, 0]) == 2
    never = counted(6, label=1, updates=6, batch_size=2, looks=3)
    assert never.history["validation_score"].tolist() == [0.0, 0.0, 0.0]
    assert float(never.network.readout.connection.weight[0, 0]) == 2


def test_a_course_refuses_what_it_cannot_run():
    for options in ({"updates": 0}, {"batch_size": 0}, {"looks": 0}, {"updates": 3, "looks": 4}):
        with pytest.raises(
            TrainingError, match="must be positive, with no more looks than updates"
        ):
            Course(**options)
    assert Course(updates=1, batch_size=1, looks=1).looks == 1
    with pytest.raises(DataError, match="has 3 training sequences, fewer than a batch"):
        counted(3, batch_size=4)
    inputs = np.eye(2)[:, None, :]
    part = Part(inputs, np.array([0, 1]), np.ones((2, 1), bool))
    net = Network([Readout(Dense(2, 2, key=jax.random.key(0)), DT)])
    task = Task("broken", part, part, part, "last_step", 2, DT)
    with pytest.raises(
        TrainingError, match=r"After update 4 weights or intrinsic parameters are not finite"
    ):
        Course(updates=6, batch_size=1, looks=3).run(
            net, task, Counting(broken=3), jnp.asarray(0), 0
        )


def test_neurons_speak_for_classes_in_turn():
    readout = population_readout(5, 2, DT, 0.05)
    np.testing.assert_allclose(
        readout.connection.weight, [[1 / 3, 0], [0, 1 / 2], [1 / 3, 0], [0, 1 / 2], [1 / 3, 0]]
    )
    assert (
        readout.time_constant == 0.05
        and readout.connection.bias is None
        and population_readout(2, 2, DT).time_constant == 0.1
    )
    assert classes_of_neurons(network(np.ones((1, 5)))).tolist() == [0, 1, 0, 1, 0]


def test_rules_take_one_layer_without_noise_or_loops():
    net = network(np.ones((2, 2)))
    layer = net.layers[0]
    assert only_layer(net, "The rule") is layer
    looped = Layer(layer.connection, HALVING, DT, recurrent=Recurrent(2, key=jax.random.key(0)))
    noisy = Layer(layer.connection, nc.models.noisy_lif("escape"), DT, surrogate=None)
    for layers in ([], [layer, layer], [looped], [noisy]):
        with pytest.raises(
            ModelError,
            match="The rule trains one layer of neurons without noise and without connections "
            "among",
        ):
            only_layer(Network([*layers, net.readout]), "The rule")
    chained = Readout(Chain([net.readout.connection]), DT)
    with pytest.raises(ModelError, match="The rule needs a Readout with a dense connection"):
        only_layer(Network([layer, chained]), "The rule")


# SpikeProp
# --------------------------------------------------------------------------------------------------

ONE = SpikeTimeNetwork(1, 1, 1, delays=(1.0,))


def rise(weight):
    """Time in units of tau at which ``w y exp(1 - y)`` reaches one, on the way up."""
    return float(-lambertw(-1 / (np.e * weight), 0).real)


def pair(hidden, output):
    return Weights(
        *(jnp.broadcast_to(jnp.asarray(weight, float), (1, 1, 1)) for weight in (hidden, output))
    )


def test_spike_times_are_those_of_the_lambert_function():
    """One synapse each: 1 ms of delay and tau times -W(-1/(e w)); silence below the threshold or
    without input."""
    hidden, output = ONE(pair(2.0, 1.5), jnp.array([3.0]))
    first = 3 + 1 + 7 * rise(2.0)
    assert float(hidden[0]) == pytest.approx(first, abs=1e-8)
    assert float(output[0]) == pytest.approx(first + 1 + 7 * rise(1.5), abs=1e-8)
    assert np.isinf(float(ONE(pair(0.99, 2.0), jnp.array([3.0]))[0][0]))
    assert np.isinf(float(ONE(pair(2.0, 2.0), jnp.array([jnp.inf]))[1][0]))
    assert np.isinf(float(ONE(pair(2.0, 2.0), jnp.array([49.0]))[0][0]))
    soon = SpikeTimeNetwork(1, 1, 1, delays=(0.125,))
    assert float(soon(pair(50.0, 50.0), jnp.array([0.0]))[0][0]) == pytest.approx(
        0.125 + 7 * rise(50.0), abs=1e-8
    )
    two_synapses = SpikeTimeNetwork(1, 1, 1, delays=(1.0, 1.0), tau=5.0, threshold=2.0)
    halves = Weights(jnp.full((2, 1, 1), 2.0), jnp.full((2, 1, 1), 2.0))
    assert float(two_synapses(halves, jnp.array([0.0]))[0][0]) == pytest.approx(
        1 + 5 * rise(2.0), abs=1e-8
    )


def test_spike_times_move_as_the_implicit_function_does():
    """dt/dw = -tau y / (w (1 - y)), and where a potential grazes the threshold, by the smallest
    slope instead: -1/(0.02 w)."""
    when = jax.grad(lambda w: ONE(pair(w, 2.0), jnp.array([3.0]))[0][0])
    assert float(when(2.0)) == pytest.approx(-7 * rise(2.0) / (2 * (1 - rise(2.0))), rel=1e-6)
    assert float(when(1.0001)) == pytest.approx(-1 / (0.02 * 1.0001), rel=1e-6)
    assert float(
        jax.grad(lambda t: ONE(pair(2.0, 2.0), jnp.stack([t]))[1][0])(3.0)
    ) == pytest.approx(1.0, rel=1e-9)


def test_the_first_update_of_spikeprop_by_hand():
    """Both weights move by rate times error times tau y / (w (1 - y)); a second pattern adds its
    own."""
    start = ONE.start(1)
    w, v = float(start.hidden[0, 0, 0]), float(start.output[0, 0, 0])
    assert w > 1.05 and v > 1.05
    delay = 2 + 7 * (rise(w) + rise(v))
    steep = [7 * rise(weight) / (weight * (1 - rise(weight))) for weight in (w, v)]
    for inputs in ([0.0], [0.0, 2.0]):
        task = SpikeTimes([[t] for t in inputs], [[delay - 1.0]] * len(inputs))
        delays = np.array(inputs) + 1.0
        result = SpikeProp(learning_rate=0.01).fit(ONE, task, cycles=1, seed=1)
        assert result.errors.tolist() == pytest.approx([0.5 * np.sum(delays**2)], rel=1e-6)
        moved = [
            float(result.weights.hidden[0, 0, 0]) - w,
            float(result.weights.output[0, 0, 0]) - v,
        ]
        np.testing.assert_allclose(moved, 0.01 * delays.sum() * np.array(steep), rtol=1e-5)


def test_silent_neurons_grow_and_count_as_the_horizon():
    """Of two patterns one is silent for want of input: half the growth; negative weights grow
    downwards."""
    net = replace(ONE, horizon=30.0)
    task = SpikeTimes([[0.0], [29.5]], [[12.0], [20.0]])
    start = net.start(1)
    result = SpikeProp(learning_rate=1e-12, growth=0.02).fit(net, task, cycles=1, seed=1)
    for after, before in zip(result.weights, start, strict=True):
        np.testing.assert_allclose(after - before, 0.01, atol=1e-9)
    delay = 2 + 7 * (rise(float(start.hidden[0, 0, 0])) + rise(float(start.output[0, 0, 0])))
    assert result.errors[0] == pytest.approx(0.5 * ((delay - 12) ** 2 + 100), rel=1e-6)
    _, after = _update(pair(-0.5, 0.5), jnp.array([[0.0]]), jnp.array([[9.0]]), net, 0.1, 0.02)
    np.testing.assert_allclose(
        [after.hidden.ravel()[0], after.output.ravel()[0]], [-0.52, 0.52], rtol=1e-8
    )


def test_spikeprop_ends_when_the_error_is_small_enough():
    start = ONE.start(1)
    exact = 2 + 7 * (rise(float(start.hidden[0, 0, 0])) + rise(float(start.output[0, 0, 0])))
    task = SpikeTimes([[0.0]], [[exact - 0.1]])
    result = SpikeProp(learning_rate=1.0).fit(ONE, task, cycles=50, stop=1e-4, seed=1)
    assert (
        result.errors[0] == pytest.approx(0.005, rel=1e-4)
        and result.errors[-1] < 1e-4 <= result.errors[-2]
    )
    assert len(SpikeProp(learning_rate=1e-9).fit(ONE, task, cycles=3, seed=1).errors) == 3


def test_weights_at_the_start_let_neurons_fire():
    """Uniform from a tenth to one of three and of four thresholds over the synapses of a neuron:
    160 000 and 25 000 draws."""
    net = SpikeTimeNetwork(
        100, 100, 10, delays=tuple(float(k) for k in range(1, 17)), threshold=2.0
    )
    weights = net.start(0)
    for values, top, n in (
        (weights.hidden, 3 * 2 / (16 * 100), 100),
        (weights.output, 4 * 2 / (16 * 100), 10),
    ):
        assert values.shape == (16, 100, n)
        assert (
            0.1 * top <= float(values.min()) < 0.11 * top
            and 0.99 * top < float(values.max()) <= top
        )
        assert float(values.mean()) == pytest.approx(0.55 * top, rel=0.02)


def test_spike_times_and_networks_that_mean_nothing_are_refused():
    for inputs, targets in (
        ([[0.0]], [[1.0], [2.0]]),
        ([0.0], [[1.0]]),
        ([[0.0]], [1.0]),
        (np.zeros((0, 1)), np.zeros((0, 1))),
    ):
        with pytest.raises(DataError, match="one row per pattern"):
            SpikeTimes(inputs, targets)
    for inputs, targets in (([[-0.1]], [[1.0]]), ([[0.0]], [[np.inf]])):
        with pytest.raises(DataError, match="finite and not negative"):
            SpikeTimes(inputs, targets)
    for options in (
        {"n_in": 0},
        {"n_hidden": 0},
        {"delays": ()},
        {"delays": (1.0, 0.0)},
        {"tau": 0.0},
        {"resolution": 0.0},
    ):
        with pytest.raises(TrainingError, match="must be positive"):
            SpikeTimeNetwork(**{"n_in": 1, **options})
    for options in ({"learning_rate": 0.0}, {"growth": 0.0}):
        with pytest.raises(TrainingError, match="must be positive"):
            SpikeProp(**options)
    for inputs, targets, says in (
        ([[0.0, 1.0]], [[1.0]], "not 2 and 1"),
        ([[0.0]], [[1.0, 2.0]], "not 1 and 2"),
    ):
        with pytest.raises(DataError, match=f"1 input and 1 target times per pattern, {says}"):
            SpikeProp().fit(ONE, SpikeTimes(inputs, targets))


# Defaults
# --------------------------------------------------------------------------------------------------


def test_defaults_are_those_that_are_written():
    assert Kernel() == Kernel(15e-3, 3.75e-3)
    assert TempotronNeurons(2) == TempotronNeurons(2, 1, Kernel(15e-3, 3.75e-3), 1.0)
    assert Course() == Course(200, 32, 10)
    assert Tempotron() == Tempotron(1e-3, 0.99, 5000)
    assert LayerTempotron() == LayerTempotron(1e-3, 0.99, Course(200, 32, 10), 1.0)
    assert SpikeTimeNetwork(2) == SpikeTimeNetwork(
        2, 5, 1, tuple(range(1, 17)), 7.0, 1.0, 50.0, 0.1
    )
    assert SpikeProp() == SpikeProp(0.003, 0.005)
    assert PairSTDP() == PairSTDP(0.01, 0.0105, 20e-3, 20e-3, 1.0, 0.0, None)
    assert SupervisedSTDP() == SupervisedSTDP(
        PairSTDP(0.01, 0.0105, 20e-3, 20e-3, 1.0, 0.0, None), 1.0, None, Course(200, 32, 10)
    )
    assert IntrinsicPerturbation() == IntrinsicPerturbation("reward", 0.05, 0.05, 0.1)
    assert SurrogateGradient() == SurrogateGradient(Settings())


@pytest.mark.parametrize(
    "value",
    [
        Kernel(),
        TempotronNeurons(2),
        TempotronResult(np.ones((1, 1)), []),
        Course(),
        RuleResult(None, None),
        Tempotron(),
        LayerTempotron(),
        SpikeTimeNetwork(2),
        SpikeTimes([[0.0]], [[1.0]]),
        SpikePropResult(None, np.zeros(1)),
        SpikeProp(),
        PairSTDP(),
        SupervisedSTDP(),
        IntrinsicPerturbation(),
        SurrogateGradient(),
        Patterns.of([[[0.1]]], [1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_rules_and_what_they_return_do_not_change(value):
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, 1)


# Plasticity
# --------------------------------------------------------------------------------------------------

#: Traces keep a half before and a quarter after, and an eligibility a half.
TIMES = {"tau_plus": DT / np.log(2), "tau_minus": DT / np.log(4)}
PRE, POST = np.array([[1.0], [0.0], [1.0]]), np.array([[0.0], [1.0], [1.0]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 1 + 0.2 * 0.5 - 0.4 * 0.25 + 0.2 * 1.25),
        ({"mu": 1.0}, 1.05 - 0.4 * 0.525 * 0.25 + 0.2 * (1 - 0.9975 / 2) * 1.25),
        (
            {"mu": 2.0},
            1.025 - 0.4 * 0.5125**2 * 0.25 + 0.2 * (1 - (1.025 - 0.1 * 0.5125**2) / 2) ** 2 * 1.25,
        ),
        ({"a_plus": 1.0}, 2.0),
        ({"a_minus": 9.0}, 0.0 + 0.2 * 1.25),
    ],
)
def test_pairs_by_hand(options, expected):
    """Before at steps 0 and 2, after at 1 and 2, weight 1 of 2: +0.5, then -0.25 and +1.25 of the
    amplitudes of the step."""
    rule = PairSTDP(**({"a_plus": 0.1, "a_minus": 0.2, "w_max": 2.0, **TIMES} | options))
    assert float(rule.run(PRE, POST, [[1.0]], DT)[0, 0]) == pytest.approx(expected, rel=1e-12)


def test_rewarded_pairs_by_hand():
    """Eligibilities 0, 0.1 and 0.05 - 0.1 + 0.25 under rewards of 5, 2 and 1; without reward
    nothing is written."""
    rule = PairSTDP(a_plus=0.1, a_minus=0.2, w_max=2.0, tau_reward=DT / np.log(2), **TIMES)
    assert float(rule.run(PRE, POST, [[1.0]], DT, [5.0, 2.0, 1.0])[0, 0]) == pytest.approx(
        1 + 0.2 + 0.2, rel=1e-12
    )
    assert float(rule.run(PRE, POST, [[1.0]], DT, np.zeros(3))[0, 0]) == 1.0
    assert float(rule.run(PRE, POST, [[1.0]], DT, [0.0, 99.0, 0.0])[0, 0]) == 2.0
    for reward in (np.zeros(2), np.array([0.0, np.nan, 0.0])):
        with pytest.raises(DataError, match="one finite number per step"):
            rule.run(PRE, POST, [[1.0]], DT, reward)


def test_held_changes_by_hand():
    """Sums of 0.5 + 1.25 before, and 0.25 after; of two sequences, one without spikes, which count
    2 and 7."""
    pre, post = (np.stack([part, 0 * part], axis=1) for part in (PRE, POST))
    for mu, expected in (
        (0.0, 2 * (0.1 * 1.75 - 0.2 * 0.25) * 2),
        (1.0, 2 * (0.1 * 0.75 * 1.75 - 0.2 * 0.25 * 0.25) * 2),
    ):
        rule = PairSTDP(a_plus=0.1, a_minus=0.2, w_max=2.0, mu=mu, **TIMES)
        change = rule.held_change(
            jnp.array([[0.5]]), jnp.asarray(pre), jnp.asarray(post), DT, jnp.array([2.0, 7.0])
        )
        assert float(change[0, 0]) == pytest.approx(expected, rel=1e-12)


def test_plasticity_refuses_shapes_that_do_not_fit():
    spikes = np.zeros((5, 1))
    for pre, post, weights in (
        (spikes[:, 0], spikes, [[0.5]]),
        (spikes, spikes[:, 0], [[0.5]]),
        (spikes, spikes[:4], [[0.5]]),
        (spikes, spikes, [[0.5], [0.5]]),
        (spikes, np.zeros((5, 2)), [[0.5]]),
    ):
        with pytest.raises(DataError, match="do not fit weights"):
            PairSTDP().run(pre, post, weights, DT)
    for pre, post in ((spikes - 1, spikes), (spikes, spikes + 2), (spikes + 0.5, spikes)):
        with pytest.raises(DataError, match="zero or one in every step"):
            PairSTDP().run(pre, post, [[0.5]], DT)
    for weight in (-0.01, 1.01, np.nan):
        with pytest.raises(DataError, match="between 0 and 1"):
            PairSTDP().run(spikes, spikes, [[weight]], DT)
    for edge in (0.0, 1.0):
        assert float(PairSTDP().run(spikes, spikes, [[edge]], DT)[0, 0]) == edge


@pytest.mark.parametrize(
    "name", ["a_plus", "a_minus", "tau_plus", "tau_minus", "w_max", "tau_reward", "mu"]
)
def test_plasticity_of_numbers_that_mean_nothing_is_refused(name):
    for value in (-0.1, np.nan, np.inf) if name == "mu" else (-0.1, 0.0, np.nan, np.inf):
        with pytest.raises(TrainingError, match="must be positive"):
            PairSTDP(**{name: value})


def fired(weights, x, teacher=0.0):
    """Spikes (time, neurons) of neurons that keep a half and reset to zero, for inputs (time,
    inputs)."""
    v, spikes = np.zeros(weights.shape[1]), []
    for step_input in x:
        v = 0.5 * v + step_input @ weights + teacher
        spikes.append((v > 1).astype(float))
        v = v * (1 - spikes[-1])
    return np.array(spikes)


def traced(spikes, keep, include_step=True):
    """Exponential traces, with or without the spike of the step itself."""
    trace, traces = np.zeros(spikes.shape[1]), []
    for step_spikes in spikes:
        trace = keep * trace
        traces.append(trace + step_spikes if include_step else trace)
        trace = trace + step_spikes
    return np.array(traces)


@pytest.mark.parametrize(
    ("teacher", "mu", "size"),
    [(0.6, 0.5, 0.05), (0.6, 0.0, 0.9), (None, 0.5, 0.05), (None, 0.0, 0.9)],
)
def test_supervised_plasticity_is_what_it_says_in_numpy(teacher, mu, size):
    """Three sequences of ten steps, the last three of one uncounted, two inputs, four neurons:
    written out again.

    Small changes, and such that leave the bounds.
    """
    random = np.random.default_rng(2)
    weights, labels = random.uniform(0.3, 1.2, (2, 4)), np.array([0, 1, 1])
    weights[:, 0] = 0.2, 0.3
    x, valid = (random.random((3, 10, 2)) < 0.5).astype(float), np.ones((3, 10), bool)
    valid[1, 7:] = False
    plasticity = PairSTDP(
        a_plus=size, a_minus=0.6 * size, w_max=1.5, mu=mu, tau_plus=5e-3, tau_minus=8e-3
    )
    rule = SupervisedSTDP(plasticity, teacher=teacher)
    updated, _, wrong = rule.update(
        network(weights), None, batch_of(x, labels, valid), jax.random.key(0)
    )
    classes, answers, posts = np.arange(4) % 2, [], []
    for inputs, label, counted in zip(x, labels, valid, strict=True):
        free = fired(weights, inputs) * counted[:, None]
        answers.append(np.argmax([free[:, classes == k].sum() / 2 for k in (0, 1)]))
        driven = (
            None
            if teacher is None
            else fired(weights, inputs, np.where(classes == label, teacher, -teacher))
            * counted[:, None]
        )
        posts.append(free * (classes == answers[-1]) if teacher is None else driven)
    reward = np.where(np.array(answers) == labels, 1.0, -1.0)
    share = (reward - reward.mean() if teacher is None else np.ones(3)) / 3
    change = np.zeros_like(weights)
    for inputs, counted, post, part in zip(x, valid, posts, share, strict=True):
        pre = inputs * counted[:, None]
        up = traced(pre, np.exp(-1 / 5)).T @ post
        down = pre.T @ traced(post, np.exp(-1 / 8), include_step=False)
        change += (
            part
            * 1.5
            * size
            * ((1 - weights / 1.5) ** mu * up - 0.6 * (weights / 1.5) ** mu * down)
        )
    new = np.clip(weights + change, 0, 1.5)
    assert size < 0.1 or np.any(weights + change < 0) or np.any(weights + change > 1.5)
    new = np.clip(new * weights.sum(axis=0) / np.maximum(new.sum(axis=0), 1e-12), 0, 1.5)
    np.testing.assert_allclose(updated.layers[0].connection.weight, new, rtol=1e-9)
    assert (
        float(wrong) == pytest.approx(np.mean(np.array(answers) != labels))
        and np.abs(new - weights).max() > 1e-3
    )
    assert 0 < float(wrong) < 1


def test_supervised_plasticity_starts_within_its_bounds_and_refuses_what_it_cannot():
    rule = SupervisedSTDP(PairSTDP(w_max=1.5))
    assert rule._bounded(network([[-0.5, 0.7, 2.0]]).layers[0]).connection.weight.tolist() == [
        [0.0, 0.7, 1.5]
    ]
    for teacher in (0.0, -1.0, np.nan):
        with pytest.raises(TrainingError, match="teacher's current must be positive"):
            SupervisedSTDP(teacher=teacher)


# Perturbation
# --------------------------------------------------------------------------------------------------


def test_the_goals_of_a_perturbation_by_hand():
    """Rates of neurons 0 and 1 of classes 0 and 1: 2/3 and 1/2 (of two counted steps) against 0 and
    1/3.

    Weights of two fire in every step with input one; the third step of the second sequence does not
    count.
    """
    x = [[[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]
    batch = batch_of(x, [0, 1], [[True] * 3, [True, True, False]])
    layer, classes = network(2 * np.eye(2)).layers[0], jnp.array([0, 1])
    own_rate, other_rate = np.array([2 / 3, 1 / 2]), np.array([0.0, 1 / 3])
    goal = IntrinsicPerturbation("reward")._goal(layer, batch, classes)
    np.testing.assert_allclose(
        goal, (own_rate - other_rate) / (own_rate + other_rate + 1e-3), rtol=1e-12
    )
    goal = IntrinsicPerturbation("homeostasis", target=0.25)._goal(layer, batch, classes)
    np.testing.assert_allclose(goal, -(((own_rate + other_rate) / 2 / 0.25 - 1) ** 2), rtol=1e-12)
    alone = IntrinsicPerturbation("reward")._goal(layer, batch, jnp.array([5, 1]))
    assert float(alone[0]) == pytest.approx(-(1 / 3) / (1 / 3 + 1e-3), rel=1e-12)
    everything = IntrinsicPerturbation("reward")._goal(
        layer, batch._replace(targets=jnp.array([1, 1])), jnp.array([1, 1])
    )
    assert float(everything[0]) == pytest.approx((1 / 3) / (1 / 3 + 1e-3), rel=1e-12)


def test_a_perturbation_moves_along_its_signs_by_the_slope_of_the_goal():
    """Thresholds up and down by 0.2 of their range from 1.2; the neuron at 1 fires only with the
    lower, the one at 9 with both."""
    layer = network([[1.0, 9.0]], learned=("theta",)).layers[0]
    low, high = HALVING.parameters["theta"].si_bounds
    start = jnp.full(2, (1.2 - low) / (high - low))
    layer = eqx.tree_at(lambda module: module.intrinsic.coordinates["theta"], layer, start)
    size = 0.4 / (high - low)
    batch = batch_of([[[1.0]], [[0.0]]], [0, 1])
    key = jax.random.key(1)
    signs = np.asarray(jax.random.rademacher(jax.random.fold_in(key, 0), (2,), float))
    rule = IntrinsicPerturbation("reward", learning_rate=1e-4, size=size)
    moved = rule.moved(layer, batch, jnp.array([0, 0]), key).intrinsic.coordinates["theta"] - start
    np.testing.assert_allclose(
        moved, [-1e-4 * (1 / 1.001) / (2 * size), 0.0], rtol=1e-6, atol=1e-15
    )
    assert abs(signs[0]) == 1


@pytest.mark.parametrize("name", ["learning_rate", "size", "target"])
def test_perturbations_of_nothing_are_refused(name):
    for value in (0.0, -1.0, np.nan):
        with pytest.raises(TrainingError, match="must be positive"):
            IntrinsicPerturbation(**{name: value})
    with pytest.raises(ModelError, match="each with one value per neuron"):
        IntrinsicPerturbation().check(network(np.ones((1, 2))).layers[0])
    shared = Layer(
        Dense(1, 2, key=jax.random.key(0)), HALVING, DT, learned=("theta",), shared=("theta",)
    )
    with pytest.raises(ModelError, match="each with one value per neuron"):
        IntrinsicPerturbation().check(shared)
    IntrinsicPerturbation().check(network(np.ones((1, 2)), learned=("theta",)).layers[0])

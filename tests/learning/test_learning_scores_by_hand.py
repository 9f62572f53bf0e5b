"""Losses, readouts, regularisers, reports of batches, evaluation, updates and the choice of the
network, computed by hand."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError, TrainingError
from neurocode.learning import (
    Dense,
    JointDecision,
    Layer,
    Network,
    Part,
    Readout,
    RecordedNeurons,
    Recurrent,
    Regulariser,
    Settings,
    Shortcut,
    Surrogate,
    Task,
    TrainingResult,
    Voters,
    evaluate,
    train,
)
from neurocode.learning.network import calibrated
from neurocode.learning.objective import Batch, gradient, mesh_of, objective
from neurocode.learning.trainable import trainable
from neurocode.tasks.losses import LOSSES, CrossEntropy, as_loss, cross_entropy

DT = 1e-3
#: Time constant of which a step keeps a half.
HALF = float(DT / np.log(2))
# cross entropy of equal evidence, and of evidence that is right by one
LOG2, LOG1P = np.log(2), np.log1p(np.exp(-1))


# One program each instead of one for every operation, which takes several times as long.
@eqx.filter_jit
def judged(loss, evidence, targets, valid):
    return loss.loss_and_score(evidence, targets, valid)


@eqx.filter_jit
def response(net, *arguments, **options):
    return net(*arguments, **options)


reported, differentiated = eqx.filter_jit(objective), eqx.filter_jit(gradient)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


# Losses
# --------------------------------------------------------------------------------------------------

#: Three steps, two sequences, two outputs; of the first the middle step does not count, of the
#: second the last two do not.
POTENTIALS = np.array(
    [[[0.0, 1.0], [3.0, 1.0]], [[8.0, -8.0], [9.0, 0.0]], [[2.0, -1.0], [-9.0, 7.0]]]
)
VALID = np.array([[True, True], [False, False], [True, False]])
# of evidence ahead by 1, 3 and 2
SOFT = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-2))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("max_over_time", [[2, 1], [3, 1]]),
        ("mean_potential", [[1, 0], [3, 1]]),
        ("last_step", [[2, -1], [3, 1]]),
        (
            "sum_of_softmax",
            [[1 - SOFT[0] + SOFT[1], SOFT[0] + 1 - SOFT[1]], [SOFT[2], 1 - SOFT[2]]],
        ),
    ],
)
def test_aggregates_take_the_valid_steps_of_each_sequence(name, expected):
    np.testing.assert_allclose(
        LOSSES[name].aggregate(jnp.asarray(POTENTIALS), jnp.asarray(VALID)), expected, rtol=1e-12
    )


def test_a_sequence_without_valid_steps_has_no_mean():
    assert LOSSES["mean_potential"].aggregate(
        jnp.ones((2, 1, 1)), jnp.zeros((2, 1), bool)
    ).tolist() == [[0.0]]
    for name, targets in (
        ("per_step", jnp.zeros((2, 1), int)),
        ("squared_error", jnp.zeros((2, 1, 1))),
    ):
        assert [
            float(value)
            for value in judged(LOSSES[name], jnp.ones((2, 1, 1)), targets, jnp.zeros((2, 1), bool))
        ] == [
            0,
            0,
        ]


@pytest.mark.parametrize(
    "name", [name for name, loss in LOSSES.items() if isinstance(loss, CrossEntropy)]
)
def test_a_loss_of_labels_is_the_mean_cross_entropy_and_its_score_a_count(name):
    """Of the aggregates above; both sequences speak for the first output, or the second as the
    first of two equals."""
    evidence = np.asarray(LOSSES[name].aggregate(jnp.asarray(POTENTIALS), jnp.asarray(VALID)))
    ahead = evidence[:, 0] - evidence[:, 1]
    for labels, expected in (
        ([0, 0], np.log1p(np.exp(-ahead))),
        ([0, 1], np.log1p(np.exp([-ahead[0], ahead[1]]))),
    ):
        loss, right = judged(
            LOSSES[name], jnp.asarray(POTENTIALS), jnp.asarray(labels), jnp.asarray(VALID)
        )
        assert float(loss) == pytest.approx(expected.mean(), rel=1e-12)
        assert int(right) == labels.count(0)


def test_cross_entropy_by_hand():
    losses = cross_entropy(jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), jnp.array([1, 0, 0]))
    np.testing.assert_allclose(losses, [LOG2, LOG1P, 1 + LOG1P], rtol=1e-12)


def test_the_squared_error_of_rates_by_hand():
    """Means (1, 0) and (3, 1) against (0, 1) and (1, 0): squares 1, 1, 4 and 1 over four; one of
    two right."""
    loss, right = judged(
        LOSSES["rate_squared_error"], jnp.asarray(POTENTIALS), jnp.array([1, 0]), jnp.asarray(VALID)
    )
    assert float(loss) == pytest.approx(7 / 4, rel=1e-12) and int(right) == 1


def test_losses_of_steps_by_hand():
    """Three valid steps of six: leads 1 of the second, 3 and 2 of the first output."""
    targets = jnp.array([[1, 1], [0, 1], [1, 0]])
    loss, right = judged(LOSSES["per_step"], jnp.asarray(POTENTIALS), targets, jnp.asarray(VALID))
    expected = (np.log1p(np.exp(-1)) + np.log1p(np.exp(3)) + np.log1p(np.exp(2))) / 3
    assert float(loss) == pytest.approx(expected, rel=1e-12) and int(right) == 1
    wanted = jnp.asarray(POTENTIALS) - jnp.array([1.0, 3.0])
    loss, squares = judged(
        LOSSES["squared_error"], jnp.asarray(POTENTIALS), wanted, jnp.asarray(VALID)
    )
    assert float(loss) == pytest.approx((1 + 9) / 2, rel=1e-12) and float(squares) == pytest.approx(
        15.0, rel=1e-12
    )


def test_answers_are_steps_or_sequences():
    answers = {name: int(loss.answers(jnp.asarray(VALID))) for name, loss in LOSSES.items()}
    assert answers == {
        "max_over_time": 2,
        "sum_of_softmax": 2,
        "mean_potential": 2,
        "last_step": 2,
        "rate_squared_error": 2,
        "per_step": 3,
        "squared_error": 3,
        "spike_log_likelihood": 3,
    }
    with pytest.raises(ModelError, match="'hinge' is not a loss; known are max_over_time, "):
        as_loss("hinge")


# Readouts
# --------------------------------------------------------------------------------------------------


def readout_of(weights, bias=None, time_constant=HALF, **options):
    """Return a readout with given weights, whose potential keeps one half per step."""
    weights = jnp.asarray(weights, float)
    dense = Dense(*weights.shape, bias=bias is not None, key=jax.random.key(0))
    dense = eqx.tree_at(lambda part: part.weight, dense, weights)
    dense = (
        dense
        if bias is None
        else eqx.tree_at(lambda part: part.bias, dense, jnp.asarray(bias, float))
    )
    return Readout(dense, DT, time_constant, **options)


def test_a_leaky_integrator_by_hand():
    """Sums 3, 1, 3 and 0, of which a half enters and a half stays."""
    potentials = readout_of([[2.0]], [1.0])(jnp.array([1.0, 0.0, 1.0, -0.5]).reshape(4, 1, 1))
    np.testing.assert_allclose(potentials[:, 0, 0], [1.5, 1.25, 2.125, 1.0625], rtol=1e-12)


def test_a_readout_with_a_synapse_by_hand():
    """The current keeps a quarter and takes the sum 3, 1, 3 whole; the potential takes a half of
    the current of the step before."""
    potentials = readout_of([[2.0]], [1.0], synapse=float(DT / np.log(4)))(
        jnp.array([1.0, 0.0, 1.0, 0.0]).reshape(4, 1, 1)
    )
    np.testing.assert_allclose(
        potentials[:, 0, 0], [0.0, 1.5, 1.625, 0.8125 + 0.5 * 3.4375], rtol=1e-12
    )


def test_learned_time_constants_lie_between_their_bounds():
    readout = readout_of(np.ones((3, 4)), bounds=(0.01, 0.03), key=jax.random.key(1))
    assert (
        readout.place.shape == (4,)
        and float(readout.place.min()) >= 0
        and float(readout.place.max()) <= 1
        and readout.n_out == 4
    )
    readout = eqx.tree_at(lambda part: part.place, readout, jnp.array([-0.5, 0.0, 0.25, 1.5]))
    np.testing.assert_allclose(
        readout.time_constants, [0.0, 0.01, 0.015, 0.04], rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        readout.projected().time_constants, [0.01, 0.01, 0.015, 0.03], rtol=1e-12
    )
    np.testing.assert_allclose(
        readout.projected().keep, np.exp([-0.1, -0.1, -1 / 15, -1 / 30]), rtol=1e-12
    )
    plain = readout_of(np.ones((3, 4)))
    assert (
        plain.projected() is plain
        and plain.n_in == 3
        and plain.layers == ()
        and plain.connections == (plain.connection,)
    )
    np.testing.assert_allclose(plain.time_constants, [HALF] * 4, rtol=1e-12)
    assert Readout(plain.connection, DT).time_constant == 0.02


@pytest.mark.parametrize(
    "options",
    [
        {"time_constant": 0.0},
        {"time_constant": -1.0},
        {"time_constant": np.nan},
        {"time_constant": np.inf},
        {"synapse": 0.0},
        {"synapse": np.nan},
        {"synapse": np.inf},
        {"bounds": (0.0, 1.0)},
        {"bounds": (1.0, 1.0)},
        {"bounds": (2.0, 1.0)},
        {"bounds": (1.0, np.inf)},
    ],
)
def test_time_constants_that_mean_nothing_are_refused(options):
    with pytest.raises(ModelError, match="must be positive and finite"):
        readout_of([[1.0]], key=jax.random.key(0), **options)


# Regularisers
# --------------------------------------------------------------------------------------------------


def raster(counts, steps=5):
    """Return spikes (time, batch, n) in which each neuron fires the given number of times, from the
    first step on."""
    return jnp.asarray(np.arange(steps)[:, None, None] < np.asarray(counts), float)


def test_bounds_of_activity_by_hand():
    """Counts (0, 4) and (2, 5), then (1), (3): lacks of 1.5 are 1.5, 0; 0, 0 and 0.5, 0; excesses
    of 2 are 0, 1.5 and 0, 1."""
    spikes = [raster([[0, 4], [2, 5]]), raster([[1], [3]])]
    lower = Regulariser(lower=2.0, lower_count=1.5).activity(spikes)
    assert float(lower) == pytest.approx(2 * (1.5**2 / 4 + 0.5**2 / 2), rel=1e-12)
    once = Regulariser(upper=3.0, upper_count=2.0, upper_power=1).activity(spikes)
    assert float(once) == pytest.approx(3 * (1.5 / 2 + 1 / 2), rel=1e-12)
    twice = Regulariser(upper=3.0, upper_count=2.0).activity(spikes)
    assert float(twice) == pytest.approx(3 * (1.5**2 / 2 + 1 / 2), rel=1e-12)


def weights(net):
    first, second = net.layers
    return [
        first.connection.weight,
        first.recurrent.weight,
        second.connection.weight,
        second.shortcut.connection.weight,
        net.readout.connection.weight,
    ]


def biases(net):
    return [part.connection.bias for part in (*net.layers, net.readout)]


def small_network():
    """Weights of ones to fives, biases of a hundred, and thresholds that are learned."""
    model = nc.models.noisy_lif("none").with_parameters(theta=1.5)
    layers = [
        Layer(
            Dense(1, 2, key=jax.random.key(0)),
            model,
            DT,
            recurrent=Recurrent(2, key=jax.random.key(0)),
        )
    ]
    shortcut = Shortcut(1, Dense(1, 2, bias=False, key=jax.random.key(0)))
    layers.append(
        Layer(Dense(2, 2, key=jax.random.key(0)), model, DT, shortcut=shortcut, learned=("theta",))
    )
    net = Network([*layers, Readout(Dense(2, 3, key=jax.random.key(0)), DT)])
    net = eqx.tree_at(
        weights,
        net,
        [jnp.full(array.shape, number + 1.0) for number, array in enumerate(weights(net))],
    )
    return eqx.tree_at(biases, net, [jnp.full(array.shape, 100.0) for array in biases(net)])


def test_decays_by_hand():
    """Weights 2 ones, 4 twos, 4 threes, 2 fours, 6 fives: squares 2 + 16 + 36 + 32 + 150; two
    thresholds of 1.5."""
    net, spikes = small_network(), [raster([[0, 4], [2, 5]]), raster([[1], [3]])]
    half, thresholds = 0.5 * 236, 0.5 * 2 * 1.5**2
    assert float(Regulariser(weight_decay=0.1).weights(net)) == pytest.approx(0.1 * half, rel=1e-12)
    assert float(Regulariser(intrinsic_decay=0.1).intrinsic(net)) == pytest.approx(
        0.1 * thresholds, rel=1e-6
    )
    assert float(Regulariser()(net, spikes)) == 0.0
    lower = 2 * (1.5**2 / 4 + 0.5**2 / 2)
    for options, expected in (
        ({"weight_decay": 0.1}, 0.1 * half),
        ({"intrinsic_decay": 0.1}, 0.1 * thresholds),
        ({"lower": 2.0, "lower_count": 1.5}, lower),
        ({"upper": 3.0, "upper_count": 2.0}, 3 * (1.5**2 / 2 + 1 / 2)),
        (
            {"lower": 2.0, "lower_count": 1.5, "weight_decay": 0.2, "intrinsic_decay": 0.1},
            lower + 0.2 * half + 0.1 * thresholds,
        ),
    ):
        assert float(Regulariser(**options)(net, spikes)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "name", ["lower", "upper", "weight_decay", "intrinsic_decay", "lower_count", "upper_count"]
)
def test_strengths_and_counts_are_finite_and_not_negative(name):
    for value in (-1e-9, np.nan, np.inf):
        with pytest.raises(ModelError, match="finite and not negative"):
            Regulariser(**{name: value})
    assert getattr(Regulariser(**{name: 0.0}), name) == 0.0


@pytest.mark.parametrize("power", [0, 3, 1.5])
def test_the_upper_power_is_one_or_two(power):
    with pytest.raises(ModelError, match="upper power must be 1 or 2"):
        Regulariser(upper_power=power)


# Batches
# --------------------------------------------------------------------------------------------------


def line(weight=((1.0, -1.0),)):
    """Return a network without neurons, whose potentials are the weighted inputs themselves."""
    return Network([readout_of(weight, time_constant=1e-9)])


def batch_of(inputs, targets, valid=None):
    inputs = jnp.asarray(inputs, float).T[..., None]
    valid = jnp.ones(inputs.shape[:2], bool) if valid is None else jnp.asarray(valid).T
    return Batch(inputs, jnp.asarray(targets), valid)


def test_the_report_of_a_batch_by_hand():
    """Potentials (x, -x): leads of 2 and -1 for the first output; loss and penalty add, the report
    holds the loss alone."""
    learned, rest = trainable(line())
    batch = batch_of([[1.0], [-0.5]], [0, 0])
    value, report = reported(
        learned,
        rest,
        batch,
        LOSSES["last_step"],
        Regulariser(weight_decay=0.1),
        None,
        False,
        weight=0.5,
    )
    loss = (np.log1p(np.exp(-2)) + np.log1p(np.exp(1))) / 2
    assert float(report.loss) == pytest.approx(0.5 * loss, rel=1e-12)
    assert float(value) == pytest.approx(0.5 * loss + 0.1 * 0.5 * 2, rel=1e-12)
    assert (int(report.score), int(report.answers), report.rates.shape) == (1, 2, (0,))


def spiking(weight=1.2, model="none", **options):
    """Return a network with one neuron, which keeps one half per step, and a readout (s, -s) of its
    spikes."""
    options.setdefault("surrogate", None if model == "escape" else Surrogate())
    layer = Layer(
        Dense(1, 1, bias=False, key=jax.random.key(0)), nc.models.noisy_lif(model), DT, **options
    )
    layer = eqx.tree_at(lambda module: module.connection.weight, layer, jnp.full((1, 1), weight))
    return Network([layer, readout_of([[1.0, -1.0]], time_constant=1e-9)])


def test_rates_are_spikes_per_neuron_and_step():
    """Of six steps of two sequences the neuron fires where its input is one: three times."""
    learned, rest = trainable(spiking())
    batch = batch_of([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], [0, 0])
    _, report = reported(learned, rest, batch, LOSSES["last_step"], Regulariser(), None, False)
    assert report.rates.tolist() == [0.5]
    assert float(report.loss) == pytest.approx((np.log1p(np.exp(-2)) + LOG2) / 2, rel=1e-12)


def test_several_passes_average_the_potentials():
    """A noisy neuron, 8 passes: loss and score are those of the mean of the potentials of the same
    keys, not a mean of losses."""
    net, key = spiking(1.0, "escape"), jax.random.key(3)
    learned, rest = trainable(net)
    batch = batch_of([[1.0, 1.0], [1.0, 0.0]], [0, 1])
    _, report = reported(
        learned, rest, batch, LOSSES["mean_potential"], Regulariser(), key, False, passes=8
    )
    potentials = np.mean(
        [response(net, batch.inputs, own).potentials for own in jax.random.split(key, 8)], axis=0
    )
    loss, right = judged(LOSSES["mean_potential"], potentials, batch.targets, batch.valid)
    assert float(report.loss) == pytest.approx(float(loss), rel=1e-12) and int(report.score) == int(
        right
    )
    single = reported(learned, rest, batch, LOSSES["mean_potential"], Regulariser(), key, False)[1]
    alone = judged(
        LOSSES["mean_potential"],
        response(net, batch.inputs, key).potentials,
        batch.targets,
        batch.valid,
    )[0]
    assert float(single.loss) == pytest.approx(float(alone), rel=1e-12)


def recorded(weight=1.0):
    layer = Layer(
        Dense(1, 1, bias=False, key=jax.random.key(0)),
        nc.models.noisy_lif("escape"),
        DT,
        surrogate=None,
    )
    return RecordedNeurons(
        eqx.tree_at(lambda module: module.connection.weight, layer, jnp.full((1, 1), weight))
    )


def test_the_likelihood_of_recorded_spikes_by_hand():
    """Rest at zero, input one: the margin of the first step is 0, so a spike has probability a
    half; after it the next too.

    The third step does not count. Two sequences, of which the second is silent at input zero:
    Phi(1/0.3) each step.
    """
    learned, rest = trainable(Network([recorded()]))
    batch = Batch(
        jnp.array([[1.0, 0.0], [1.0, 0.0], [5.0, 0.0]])[..., None],
        jnp.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])[..., None],
        jnp.array([[True, True], [True, True], [False, True]]),
    )
    value, report = reported(
        learned,
        rest,
        batch,
        LOSSES["spike_log_likelihood"],
        Regulariser(),
        jax.random.key(0),
        False,
    )
    total = 2 * np.log(0.5) + 3 * float(jax.scipy.stats.norm.logcdf(1 / 0.3))
    assert float(report.score) == pytest.approx(total, rel=1e-9)
    assert float(report.loss) == float(value) == pytest.approx(-total / 5, rel=1e-9)
    assert int(report.answers) == 5


def test_several_passes_average_probabilities_of_what_was_recorded():
    """If a noisy layer comes before, the score of each sequence is the logarithm of the probability
    averaged over the passes."""
    hidden = spiking(1.0, "escape").layers[0]
    net, key = Network([hidden, recorded(2.0)]), jax.random.key(5)
    learned, rest = trainable(net)
    batch = Batch(
        jnp.ones((3, 2, 1)),
        jnp.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])[..., None],
        jnp.ones((3, 2), bool),
    )
    report = reported(
        learned, rest, batch, LOSSES["spike_log_likelihood"], Regulariser(), key, False, passes=7
    )[1]
    logs, probability = [], eqx.filter_jit(net.readout.log_probability)
    for own in jax.random.split(key, 7):
        spikes = response(net, batch.inputs, own).spikes[-1]
        logs.append(np.asarray(probability(spikes, batch.targets)).sum(axis=(0, 2)))
    expected = np.log(np.mean(np.exp(logs), axis=0)).sum()
    assert float(report.score) == pytest.approx(expected, rel=1e-9)


def test_the_gradient_by_hand():
    """Squared errors of one weight pair: d/dw mean over three valid steps of ((w1 x)^2 + (w2
    x)^2)/2, plus the decay."""
    learned, rest = trainable(line(((2.0, -1.0),)))
    batch = Batch(
        jnp.array([[1.0, 2.0], [3.0, 9.0]])[..., None],
        jnp.zeros((2, 2, 2)),
        jnp.array([[True, True], [True, False]]),
    )
    slopes, report = differentiated(
        learned, rest, batch, LOSSES["squared_error"], Regulariser(weight_decay=0.5), None
    )
    squares = 1 + 9 + 4
    np.testing.assert_allclose(
        slopes.readout.connection.weight,
        [[2 * squares / 3 + 0.5 * 2, -squares / 3 - 0.5]],
        rtol=1e-12,
    )
    assert float(report.loss) == pytest.approx(squares * 2.5 / 3, rel=1e-12)
    assert (
        float(report.score) == pytest.approx(squares * 2.5, rel=1e-12) and int(report.answers) == 3
    )


# Blocks of one sequence each, too, behind long: another program of the same kind.
@pytest.mark.parametrize("blocks", [2, pytest.param(4, marks=pytest.mark.long)])
def test_blocks_of_unequal_answers_weigh_as_in_the_whole_batch(blocks):
    """Four sequences with 1, 3, 2 and 3 valid steps; loss, score, answers, rates and gradient as of
    one block."""
    random = np.random.default_rng(0)
    learned, rest = trainable(spiking(2.0))
    valid = np.arange(3)[:, None] < [1, 3, 2, 3]
    batch = Batch(
        jnp.asarray(random.random((3, 4, 1))),
        jnp.asarray(random.integers(0, 2, (3, 4))),
        jnp.asarray(valid),
    )
    regulariser = Regulariser(lower=1.0, lower_count=2.0, weight_decay=0.1)
    whole, parts = (
        differentiated(learned, rest, batch, LOSSES["per_step"], regulariser, None, number)
        for number in (1, blocks)
    )
    for whole_leaf, parts_leaf in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        np.testing.assert_allclose(parts_leaf, whole_leaf, rtol=1e-9)


def test_more_devices_than_there_are_are_refused():
    here = len(jax.devices())
    assert mesh_of(here).devices.size == here
    with pytest.raises(TrainingError, match=f"{here + 1} devices were requested, but only {here}"):
        mesh_of(here + 1)


# Evaluation
# --------------------------------------------------------------------------------------------------


def part_of(inputs, targets, valid=None):
    inputs = np.asarray(inputs, float)[..., None]
    return Part(
        inputs,
        np.asarray(targets),
        np.ones(inputs.shape[:2], bool) if valid is None else np.asarray(valid),
    )


def task_of(training, validation=None, test=None, loss="last_step", n_outputs=2):
    return Task("by hand", training, validation or training, test or training, loss, n_outputs, DT)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 9])
def test_unequal_batches_weigh_by_their_sequences(batch_size):
    """Leads 2, -1, 0.5, 1, -4 of the first output, all labelled so: mean cross entropy, three of
    five right."""
    leads = np.array([2.0, -1.0, 0.5, 1.0, -4.0])
    part = part_of(leads[:, None] / 2, [0] * 5)
    evaluation = evaluate(line(), part, task_of(part), batch_size=batch_size)
    assert evaluation.loss == pytest.approx(np.log1p(np.exp(-leads)).mean(), rel=1e-12)
    assert evaluation.score == pytest.approx(3 / 5, abs=1e-15) and evaluation.rates == ()


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_unequal_batches_of_steps_weigh_by_their_answers(batch_size):
    """Squared errors 1, 4, 9; 16; 25, 36 of the valid steps: a mean over six answers."""
    part = part_of(
        [[1, 2, 3], [4, 0, 0], [5, 6, 0]],
        np.zeros((3, 3, 1)),
        np.arange(3) < np.array([[3], [1], [2]]),
    )
    evaluation = evaluate(
        line([[1.0]]), part, task_of(part, loss="squared_error", n_outputs=1), batch_size=batch_size
    )
    assert evaluation.loss == pytest.approx(
        91 / 6, rel=1e-12
    ) and evaluation.score == pytest.approx(91 / 6, rel=1e-12)


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_rates_of_unequal_batches_weigh_by_their_sequences(batch_size):
    """The neuron fires in 2, 0 and 1 of two steps of three sequences: half of all."""
    part = part_of([[1, 1], [0, 0], [1, 0]], [0, 0, 0])
    assert evaluate(spiking(), part, task_of(part), batch_size=batch_size).rates == pytest.approx(
        (0.5,), abs=1e-12
    )


def test_dropout_keeps_the_mean_of_what_is_sent_on_and_rests_in_evaluation():
    """A quarter dropped: potentials 0 or 4/3 in training, 1 without; the share kept of 4000 within
    5 standard errors (6e-7)."""
    model = nc.models.noisy_lif("none")
    layer = Layer(Dense(1, 1, bias=False, key=jax.random.key(0)), model, DT, dropout=0.25)
    layer = eqx.tree_at(lambda module: module.connection.weight, layer, jnp.full((1, 1), 2.0))
    net = Network([layer, readout_of([[1.0]], time_constant=1e-9)])
    x = jnp.ones((1, 4000, 1))
    found = response(net, x, jax.random.key(1), training=True)
    values, counts = np.unique(np.round(found.potentials, 12), return_counts=True)
    assert values.tolist() == [0.0, round(4 / 3, 12)]
    assert abs(counts[1] / 4000 - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 4000)
    assert np.min(found.spikes[0]) == 1.0
    assert np.array_equal(response(net, x, jax.random.key(1)).potentials, np.ones((1, 4000, 1)))
    with pytest.raises(ModelError, match="dropout needs a random key"):
        net(x, training=True)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, np.nan])
def test_a_share_of_dropout_is_below_one(dropout):
    with pytest.raises(ModelError, match="from 0 up to 1, not"):
        Layer(Dense(1, 1, key=jax.random.key(0)), nc.models.noisy_lif("none"), DT, dropout=dropout)


# Training
# --------------------------------------------------------------------------------------------------


def test_the_schedules_of_the_learning_rate():
    """Adam moves by the rate where the gradient stays: a cosine over four updates is 1, (1 + sqrt
    1/2)/2, 1/2, (1 - sqrt 1/2)/2."""
    for schedule, expected in (
        ("constant", [1, 1, 1, 1]),
        ("cosine", [1, 0.5 + 0.125**0.5, 0.5, 0.5 - 0.125**0.5]),
    ):
        optimiser = Settings(learning_rate=0.1, schedule=schedule).optimiser(4)
        state, moves = optimiser.init(jnp.zeros(2)), []
        for _ in range(4):
            change, state = optimiser.update(jnp.array([3.0, -4.0]), state)
            moves.append(change)
        np.testing.assert_allclose(moves, -0.1 * np.outer(expected, [1, -1]), rtol=1e-6)


def test_the_longest_gradient():
    """(3, 4) is of length five: to one it is (0.6, 0.8), of which Adam's first moment takes a
    tenth."""
    for clip, expected in ((None, [0.3, 0.4]), (1.0, [0.06, 0.08]), (10.0, [0.3, 0.4])):
        optimiser = Settings(clip=clip).optimiser(1)
        _, state = optimiser.update(jnp.array([3.0, 4.0]), optimiser.init(jnp.zeros(2)))
        np.testing.assert_allclose(state[1][0].mu, expected, rtol=1e-12)


def far_away(n=5):
    """Return a task with inputs of one and targets of -1000 times these: the gradient of the weight
    of one output keeps its sign."""
    part = part_of(np.ones((n, 1)), np.full((n, 1, 1), -1000.0))
    return task_of(part, loss="squared_error", n_outputs=1)


@pytest.mark.parametrize(
    ("n", "batch_size", "epochs", "updates"), [(5, 2, 3, 6), (4, 2, 3, 6), (5, 5, 2, 2)]
)
def test_an_epoch_leaves_out_what_does_not_fill_a_batch(n, batch_size, epochs, updates):
    """The weight moves by the rate in every update."""
    settings = Settings(epochs=epochs, batch_size=batch_size, learning_rate=0.25)
    result = train(line([[0.0]]), far_away(n), settings=settings)
    assert float(result.last.readout.connection.weight[0, 0]) == pytest.approx(
        -0.25 * updates, rel=1e-3
    )
    assert result.history["epoch"].tolist() == list(range(1, epochs + 1))


def test_every_sequence_comes_once_in_an_epoch_in_an_order_of_its_own():
    """Inputs 1, 2, 4, 8 one at a time, a rate that moves nothing: the mean loss of every epoch is
    that of all; orders differ."""
    part = part_of(np.array([[1.0], [2.0], [4.0], [8.0]]), np.zeros((4, 1, 1)))
    settings = Settings(epochs=3, batch_size=1, learning_rate=1e-30)
    result = train(
        line([[1.0]]), task_of(part, loss="squared_error", n_outputs=1), settings=settings
    )
    assert result.history["loss"].tolist() == pytest.approx([85 / 4] * 3, rel=1e-6)
    fast = [
        train(
            line([[1.0]]),
            task_of(part, loss="squared_error", n_outputs=1),
            seed=seed,
            settings=replace(settings, epochs=1, learning_rate=0.1),
        ).history["loss"][0]
        for seed in range(4)
    ]
    assert len(set(fast)) > 1


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_an_epoch_is_that_of_the_seed(seed):
    """Three of four inputs fill a batch; the loss tells the one that is left out, which the key of
    seed, epoch and order names."""
    inputs = np.array([1.0, 2.0, 4.0, 8.0])
    task = task_of(part_of(inputs[:, None], np.zeros((4, 1, 1))), loss="squared_error", n_outputs=1)
    history = train(
        line([[1.0]]),
        task,
        seed=seed,
        settings=Settings(epochs=2, batch_size=3, learning_rate=1e-30),
    ).history
    for epoch, loss in enumerate(history["loss"]):
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), epoch), 2_000_003)
        chosen = jax.random.permutation(key, 4)[:3]
        assert loss == pytest.approx(np.mean(inputs[np.asarray(chosen)] ** 2), rel=1e-6)


def test_defaults_are_those_that_are_written():
    assert Settings() == Settings(
        100, 64, 1e-3, "constant", None, Regulariser(), 1, True, True, 1.0, 512, 1
    )
    assert Regulariser() == Regulariser(0.0, 1e-3, 0.0, 100.0, 2, 0.0, 0.0)


@pytest.mark.parametrize(
    "value", [Settings(), Regulariser(), TrainingResult(None, None, None, 1, 0.0, 0.0)]
)
def test_settings_and_results_do_not_change(value):
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, 1)


def test_the_history_of_an_epoch_by_hand():
    """A neuron that fires for both sequences, two batches of one; labels 0 and 1, validation of
    three; nothing moves."""
    training = part_of([[1.0], [1.0]], [0, 1])
    validation = part_of([[1.0], [0.0], [1.0]], [0, 0, 0])
    test = part_of([[1.0], [0.0], [0.0], [0.0]], [1, 0, 0, 1])
    epochs = []
    result = train(
        spiking(),
        task_of(training, validation, test),
        settings=Settings(epochs=1, batch_size=1, learning_rate=1e-30),
        progress=epochs.append,
    )
    row = result.history.iloc[0]
    right, wrong = np.log1p(np.exp(-2)), np.log1p(np.exp(2))
    assert (
        row["loss"] == pytest.approx((right + wrong) / 2, rel=1e-6)
        and row["score"] == 0.5
        and row["rate_0"] == 1.0
    )
    assert (
        row["validation_loss"] == pytest.approx((2 * right + LOG2) / 3, rel=1e-6)
        and row["validation_score"] == 1.0
    )
    assert (
        result.test_loss == pytest.approx((wrong + 3 * LOG2) / 4, rel=1e-6)
        and result.test_score == 0.5
    )
    assert list(result.history.columns) == [
        "epoch",
        "loss",
        "score",
        "validation_loss",
        "validation_score",
        "seconds",
        "rate_0",
    ]
    assert epochs == [row.to_dict()] and row["seconds"] > 0 and result.best_epoch == 1


def weight_of(net):
    return float(net.readout.connection.weight[0, 0])


def test_the_network_of_the_best_epoch_is_kept_and_tested():
    """The weight goes 0, -1, -2, -3, -4; squared errors of validation are around -2.2, those of the
    test part around -2."""
    training = far_away(2).training
    task = task_of(
        training,
        part_of([[1.0]], [[[-2.2]]]),
        part_of([[1.0]], [[[-2.0]]]),
        loss="squared_error",
        n_outputs=1,
    )
    result = train(
        line([[0.0]]), task, settings=Settings(epochs=4, batch_size=2, learning_rate=1.0)
    )
    np.testing.assert_allclose(
        result.history["validation_score"], [1.44, 0.04, 0.64, 3.24], rtol=1e-2
    )
    assert result.best_epoch == 2 and weight_of(result.network) == pytest.approx(-2, rel=1e-3)
    assert weight_of(result.last) == pytest.approx(-4, rel=1e-3)
    assert result.test_score == result.test_loss == pytest.approx(0, abs=1e-4)


def test_of_equal_epochs_the_first_is_kept():
    """Labels of validation that are right from the first epoch on: the first, though the weight
    goes on moving."""
    part = part_of([[1.0]], [0])
    result = train(
        line(((0.5, -0.5),)),
        task_of(part),
        settings=Settings(epochs=3, batch_size=1, learning_rate=0.1),
    )
    assert result.history["validation_score"].tolist() == [1.0, 1.0, 1.0] and result.best_epoch == 1
    assert weight_of(result.network) == pytest.approx(0.6, rel=1e-5) and weight_of(
        result.last
    ) == pytest.approx(0.8, rel=1e-2)


def test_a_score_that_falls_keeps_the_first_epoch_and_one_that_rises_the_last():
    """Validation labelled against training: its share of right answers falls when the weight turns
    its sign, in epoch two."""
    training, against = part_of([[1.0], [1.0]], [0, 0]), part_of([[1.0], [1.0]], [1, 1])
    settings = Settings(epochs=3, batch_size=2, learning_rate=0.4)
    start = line(((-0.5, 0.5),))
    falling = train(start, task_of(training, against), settings=settings)
    rising = train(start, task_of(training, training), settings=settings)
    assert (
        falling.history["validation_score"].tolist() == [1.0, 0.0, 0.0] and falling.best_epoch == 1
    )
    assert rising.history["validation_score"].tolist() == [0.0, 1.0, 1.0] and rising.best_epoch == 2
    assert weight_of(falling.network) == pytest.approx(-0.1, abs=1e-6)
    assert weight_of(rising.network) == pytest.approx(0.3, abs=0.01)


def test_an_update_that_is_not_finite_is_named_by_its_number():
    """Two batches an epoch, a rate of 1e200 in double precision: weights leave all bounds in the
    first, the second is named."""
    task = task_of(
        part_of([[1.0], [1.0], [1.0]], np.full((3, 1, 1), -1.0)), loss="squared_error", n_outputs=1
    )
    with pytest.raises(TrainingError, match=r"^Update 2 \(epoch 1, batch 2\) is not finite: "):
        train(line([[0.0]]), task, settings=Settings(epochs=2, batch_size=1, learning_rate=1e200))
    with pytest.raises(TrainingError, match=r"^Update 2 \(epoch 2, batch 1\) is not finite: "):
        train(line([[0.0]]), task, settings=Settings(epochs=2, batch_size=3, learning_rate=1e200))


def test_a_task_that_does_not_fit_is_refused_with_its_numbers():
    part = part_of(np.ones((3, 2)), [0, 1, 0])
    with pytest.raises(DataError, match="has 1 inputs and 2 outputs, the network 1 and 3"):
        train(line(((1.0, 2.0, 3.0),)), task_of(part), settings=Settings(batch_size=1))
    with pytest.raises(DataError, match="has 1 inputs and 2 outputs, the network 2 and 2"):
        train(line(np.ones((2, 2))), task_of(part), settings=Settings(batch_size=1))
    with pytest.raises(DataError, match=r"has a time step of 0.002 s, the network one of 0.001 s"):
        train(line(), replace(task_of(part), dt=2e-3), settings=Settings(batch_size=1))
    with pytest.raises(DataError, match="has 3 training sequences, fewer than a batch"):
        train(line(), task_of(part), settings=Settings(batch_size=4))
    assert train(line(), task_of(part), settings=Settings(epochs=1, batch_size=3)).best_epoch == 1


def test_the_factor_of_intrinsic_parameters_leaves_weights_alone():
    """One update of Adam: the weight moves by the rate, the place of the threshold between its
    bounds by a tenth of it."""
    part = part_of([[1.0]], [0])
    net = spiking(1.2, learned=("theta",))
    last = train(
        net,
        task_of(part),
        settings=Settings(epochs=1, batch_size=1, learning_rate=0.01, intrinsic_factor=0.1),
    ).last
    moved = abs(
        np.asarray(
            last.layers[0].intrinsic.coordinates["theta"]
            - net.layers[0].intrinsic.coordinates["theta"]
        )
    )
    assert moved == pytest.approx(np.array([0.001]), rel=1e-4)
    assert abs(float(last.layers[0].connection.weight[0, 0]) - 1.2) == pytest.approx(0.01, rel=1e-4)


# Noise, votes and disturbances
# -------------------------------------------------------------------------------------------------


def test_every_batch_of_an_evaluation_has_noise_of_its_own_from_the_seed():
    """Two sequences of 400 steps, each a batch: the key of batch ``k`` is that of the seed, folded
    with ``k``."""
    net, part = spiking(1.0, "escape"), part_of(np.ones((2, 400)), [0, 0])
    keys = [jax.random.fold_in(jax.random.key(5), number) for number in range(2)]
    expected = np.mean([response(net, jnp.ones((400, 1, 1)), key).spikes[0] for key in keys])
    assert evaluate(net, part, task_of(part), seed=5, batch_size=1).rates == pytest.approx(
        (expected,), abs=1e-12
    )


def voters(*weights):
    """Return neurons that fire in every step in which their input is above one."""
    layer = Layer(
        Dense(1, len(weights), bias=False, key=jax.random.key(0)),
        nc.models.noisy_lif("none"),
        DT,
        surrogate=Surrogate(),
    )
    return Voters(
        eqx.tree_at(lambda module: module.connection.weight, layer, jnp.array([weights])), 2
    )


def test_votes_are_shares_of_the_voters_of_each_class():
    """Both voters of the first class fire, the second of the other."""
    np.testing.assert_array_equal(
        voters(1.2, 1.2, 0.0, 1.2)(jnp.ones((2, 1, 1)))[:, 0], [[1.0, 0.5]] * 2
    )


def test_a_joint_decision_by_hand():
    """Weights 3/4 and 1/4 of voters, 1/4 and 3/4 of steps, 3/4 of votes; beliefs are the softmax of
    potentials 1 and -1."""
    joint = JointDecision(
        voters(1.2, 1.2, 0.0, 1.2), readout_of([[1.0, -1.0]], time_constant=1e-9), 2
    )
    logits = jnp.log(jnp.array([1.0, 3.0]))
    joint = eqx.tree_at(
        lambda module: (module.share, module.of_steps, module.of_voters),
        joint,
        (jnp.log(3.0), logits, logits[::-1]),
    )
    bracket = 0.75 * np.array([1.0, 0.25]) + 0.25 / (1 + np.exp([-2.0, 2.0]))
    np.testing.assert_allclose(
        joint(jnp.ones((2, 1, 1)))[:, 0], [0.5 * bracket, 1.5 * bracket], rtol=1e-12
    )


def test_a_readout_of_readouts_holds_their_layers_connections_and_bounds():
    integrators = readout_of([[1.0, -1.0]], bounds=(0.01, 0.03), key=jax.random.key(1))
    integrators = eqx.tree_at(lambda part: part.place, integrators, jnp.array([-0.5, 1.5]))
    joint = JointDecision(voters(1.2, 0.0), integrators, 2)
    assert [layer.n for layer in joint.layers] == [2] and joint.layers[0] is joint.voters.layer
    assert all(
        part is expected
        for part, expected in zip(
            joint.connections, (joint.voters.layer.connection, integrators.connection), strict=True
        )
    )
    np.testing.assert_allclose(
        joint.projected().integrators.time_constants, [0.01, 0.03], rtol=1e-12
    )


def test_a_network_stays_disturbed_when_it_is_projected_and_calibrated():
    def silence(spikes, key):
        return 0 * spikes

    net = Network([*spiking().layers, spiking().readout], silence)
    for same in (net.projected(), calibrated(net, jnp.ones((2, 1, 1)))):
        assert same.disturbance is silence
        assert (
            same(jnp.ones((2, 1, 1)), jax.random.key(0)).potentials.tolist() == [[[0.0, 0.0]]] * 2
        )

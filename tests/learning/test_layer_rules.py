"""Local rules that train the layer of a network: derivatives, plasticity of held weights, trials,
and tasks they must learn."""

from __future__ import annotations

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError, ModelError, TrainingError
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    NetworkComplexityClassifier,
    Settings,
    Voters,
    evaluate,
    output_trains,
    tasks,
)
from neurocode.learning.objective import Batch
from neurocode.learning.rules import (
    Course,
    IntrinsicPerturbation,
    LayerTempotron,
    PairSTDP,
    SupervisedSTDP,
    SurrogateGradient,
    Tempotron,
    TempotronNeurons,
    latency_patterns,
    population_readout,
)
from neurocode.learning.rules.tempotron_layer import margin_at, time_of_maximum, unreset_margins
from neurocode.tasks.sources import Bernoulli, tell_sources_apart

DT = 1e-3

# One program each instead of one for every operation.
unreset, latest = eqx.filter_jit(unreset_margins), jax.jit(time_of_maximum)
margin_then = eqx.filter_jit(margin_at)


def network(n_in, n, model, scale=1.0, learned=(), seed=0, bias=True):
    dense = Dense(n_in, n, bias=bias, key=jax.random.key(seed))
    dense = eqx.tree_at(lambda part: part.weight, dense, scale * dense.weight)
    return Network([Layer(dense, model, DT, learned=learned), population_readout(n, 2, DT)])


def channels(seed=0, samples=120):
    """Return two classes of Bernoulli trains on ten channels, of which five are active in each
    class."""
    random = np.random.default_rng(seed)
    task = tell_sources_apart(
        [Bernoulli(0.1), Bernoulli(0.1)], n_samples=samples, n_bins=60, n_trains=10, seed=seed
    )

    def marked(part):
        rates = np.where(np.arange(10) % 2 == part.targets[:, None], 0.2, 0.02)
        return type(part)(
            (random.random(part.inputs.shape) < rates[:, None]).astype(np.float32),
            part.targets,
            part.valid,
        )

    parts = {name: marked(getattr(task, name)) for name in ("training", "validation", "test")}
    return type(task)("channels", **parts, loss="mean_potential", n_outputs=2, dt=DT)


@pytest.mark.parametrize(
    "model", [nc.models.normalised_lif(), nc.models.meta_neuron()], ids=lambda model: model.name
)
def test_the_derivative_at_the_maximum_is_numerical(model):
    """Derivatives by weights and intrinsic parameters, with the time held fixed, are compared with
    central differences."""
    with jax.enable_x64(True):
        layer = network(4, 6, model, 2.0, learned=model.free[:2], seed=1).layers[0]
        x = jnp.asarray(np.random.default_rng(0).random((40, 3, 4)) < 0.3, float)
        when = latest(unreset(layer, x))
        arrays, rest = eqx.partition(layer, eqx.is_inexact_array)
        total = lambda part: jnp.sum(margin_at(eqx.combine(part, rest), x, when) ** 2)  # noqa: E731
        slopes = jax.jit(jax.grad(total))(arrays)
        total = jax.jit(total)
        places = [
            (lambda part: part.connection.weight, (2, 3)),
            (lambda part: part.connection.bias, (1,)),
        ]
        places += [
            (lambda part, name=name: part.intrinsic.coordinates[name], (2,))
            for name in model.free[:2]
        ]
        for place, index in places:
            sides = [
                float(total(eqx.tree_at(place, arrays, place(arrays).at[index].add(step))))
                for step in (1e-6, -1e-6)
            ]
            assert float(place(slopes)[index]) == pytest.approx(
                (sides[0] - sides[1]) / 2e-6, rel=1e-5, abs=1e-8
            )


def test_without_resets_a_leaky_neuron_is_a_filter():
    """The trajectory is the exponential filter of the weighted sums, and its highest value lies at
    the time that is found."""
    with jax.enable_x64(True):
        layer = network(3, 5, nc.models.normalised_lif(), 8.0, bias=False).layers[0]
        x = jnp.asarray(np.random.default_rng(0).random((50, 2, 3)) < 0.3, float)
        margins = np.asarray(unreset(layer, x))
        keep = np.exp(-DT / 15e-3)
        u, current = np.zeros((2, 5)), np.asarray(layer.current(x))
        for step in range(50):
            u = keep * u + (1 - keep) * current[step]
            np.testing.assert_allclose(margins[step], u - 1, atol=1e-12)
        assert margins.max() > 0.5
        when = latest(margins)
        np.testing.assert_allclose(margin_then(layer, x, when), margins.max(axis=0), atol=1e-12)


def test_a_trajectory_that_runs_away_counts_up_to_its_crossing():
    """A driven meta-neuron without resets diverges; its time is that of the first crossing, and its
    derivative is finite."""
    layer = network(1, 2, nc.models.meta_neuron(), 1.0).layers[0]
    layer = eqx.tree_at(lambda module: module.connection.bias, layer, jnp.array([2.0, 0.1]))
    x = jnp.zeros((60, 1, 1))
    margins = np.asarray(unreset(layer, x))
    assert not np.isfinite(margins[..., 0]).all() and np.isfinite(margins[..., 1]).all()
    when = np.asarray(latest(margins))
    assert when[0, 0] == np.argmax(margins[:, 0, 0] >= 0)
    slope = jax.grad(lambda own: jnp.sum(margin_at(own, x, jnp.asarray(when))), allow_int=True)
    found = jax.jit(slope)(eqx.filter(layer, eqx.is_array))
    assert np.isfinite(found.connection.bias).all()


def test_held_plasticity_is_the_eligibility_of_a_sequence():
    """Summed over a batch, the change of held weights equals what a reward at the end writes step
    by step."""
    random = np.random.default_rng(1)
    pre, post = random.random((80, 3, 4)) < 0.2, random.random((80, 3, 2)) < 0.2
    weights = random.uniform(0.3, 0.7, (4, 2))
    reward = np.eye(80)[-1]
    for mu in (0.0, 1.0):
        lasting = PairSTDP(a_plus=0.002, a_minus=0.003, mu=mu, tau_reward=1e12)
        apart = sum(
            np.asarray(lasting.run(pre[:, k], post[:, k], weights, DT, reward)) - weights
            for k in range(3)
        )
        with jax.enable_x64(True):
            together = PairSTDP(a_plus=0.002, a_minus=0.003, mu=mu).held_change(
                jnp.asarray(weights),
                jnp.asarray(pre, float),
                jnp.asarray(post, float),
                DT,
                jnp.ones(3),
            )
        np.testing.assert_allclose(np.asarray(together), apart, atol=1e-10)
        assert np.abs(apart).max() > 1e-3


COURSE = Course(updates=60, batch_size=24, looks=3)
RULES = {
    "tempotron": (LayerTempotron(learning_rate=0.3, momentum=0.5, course=COURSE), 3.0),
    "teacher": (
        SupervisedSTDP(PairSTDP(a_plus=0.02, a_minus=0.01, w_max=8.0), teacher=3.0, course=COURSE),
        12.0,
    ),
    "reward": (
        SupervisedSTDP(PairSTDP(a_plus=0.02, a_minus=0.01, w_max=8.0), teacher=None, course=COURSE),
        12.0,
    ),
    "gradient": (SurrogateGradient(Settings(epochs=20, batch_size=24, learning_rate=0.02)), 5.0),
}


@cache
def learned(name):
    """What a rule makes of the busy channels, and their task."""
    rule, scale = RULES[name]
    task = channels()
    return rule.fit(network(10, 16, nc.models.normalised_lif(), scale), task, seed=0), task


#: Of the others each update is worked on paper, and the teacher runs the same course.
QUICK = ("teacher", "gradient")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in RULES],
)
def test_every_rule_learns_which_channels_are_busy(name):
    """Every rule has the same interface and reaches more than 90 % from random weights, where
    chance is one half."""
    result, task = learned(name)
    assert evaluate(result.network, task.test, task).score > 0.9
    assert result.history["validation_score"].iloc[-1] >= result.history["validation_score"].iloc[0]


def test_a_network_is_read_by_complexity():
    """Thresholds on the complexity of the trained output classify more than 90 % correctly; inputs
    that do not fit are refused."""
    result, task = learned("gradient")
    net = result.network
    shifted = eqx.tree_at(
        lambda module: module.layers[0].connection.weight,
        net,
        net.layers[0].connection.weight.at[:, ::2].set(0),
    )
    parts = {
        name: (getattr(task, name).inputs.swapaxes(1, 2), getattr(task, name).targets)
        for name in ("training", "test")
    }
    assert NetworkComplexityClassifier(shifted).fit(*parts["training"]).score(*parts["test"]) > 0.9
    with pytest.raises(DataError, match="samples, 10, bins"):
        output_trains(net, np.zeros((3, 9, 20)))


def test_a_teacher_strengthens_what_its_class_fires_to():
    """For neurons of class one the weights from odd channels become larger than those from even
    channels; for class zero the reverse."""
    weight = learned("teacher")[0].network.layers[0].connection.weight
    for label in (0, 1):
        weights_of_class = np.asarray(weight)[:, label::2]
        assert weights_of_class[label::2].mean() > weights_of_class[1 - label :: 2].mean() + 0.5
    assert float(weight.min()) >= 0 and float(weight.max()) <= 8.0


def test_reward_finds_what_tells_pairs_apart_and_homeostasis_a_rate():
    """Spikes in pairs against as many alone, weights fixed: rewarded time constants come to fire
    for pairs rather, by 0.05 more in (a - b)/(a + b) of the rates; homeostasis, which knows no
    label, halves the squared distance of the rate to its target."""
    random = np.random.default_rng(0)
    labels = np.arange(40) % 2
    first, second = random.random((200, 40)) < 0.05, random.random((200, 40)) < 0.05
    x = first | np.where(labels, np.roll(first, 1, axis=0), second)
    batch = Batch(jnp.asarray(x[..., None], float), jnp.asarray(labels), jnp.ones(x.shape, bool))
    model = nc.models.normalised_lif().with_parameters(tau="5 ms", theta=0.5)
    layer = Layer(Dense(1, 20, key=jax.random.key(0)), model, DT, learned=("tau",))
    layer = eqx.tree_at(lambda module: module.connection.weight, layer, jnp.full((1, 20), 3.0))
    target = 0.02

    fired = eqx.filter_jit(lambda own: own.driven(own.current(batch.inputs)))

    def measured(own):
        rates = np.asarray(fired(own)).mean(axis=0)
        pairs, alone = rates[labels == 1].mean(axis=0), rates[labels == 0].mean(axis=0)
        return np.mean((pairs - alone) / (pairs + alone + 1e-3)), np.mean(
            (rates.mean(axis=0) / target - 1) ** 2
        )

    moved = {}
    for goal in ("reward", "homeostasis"):
        rule = IntrinsicPerturbation(goal, learning_rate=0.01, size=0.1, target=target)
        changed = layer
        move = eqx.filter_jit(rule.moved)
        for number in range(60):
            changed = move(changed, batch, jnp.ones(20, int), jax.random.key(number))
        moved[goal] = measured(changed)
    contrast, distance = measured(layer)
    assert moved["reward"][0] > contrast + 0.05
    assert moved["homeostasis"][1] < 0.5 * distance


def test_intrinsic_parameters_can_be_held():
    """Without ``intrinsic`` a randomly drawn time constant does not change by a bit while the
    weights learn."""
    task = channels()
    layer = Layer(
        Dense(10, 8, key=jax.random.key(0)),
        nc.models.normalised_lif(),
        DT,
        learned=("tau",),
        spread=True,
        key=jax.random.key(1),
    )
    net = Network([layer, population_readout(8, 2, DT)])
    network_after = (
        SurrogateGradient(Settings(epochs=1, batch_size=24, intrinsic=False)).fit(net, task).last
    )
    assert np.array_equal(
        network_after.layers[0].intrinsic.coordinates["tau"], layer.intrinsic.coordinates["tau"]
    )
    assert not np.array_equal(network_after.layers[0].connection.weight, layer.connection.weight)


def test_what_rules_cannot_learn_is_refused():
    net = network(10, 4, nc.models.normalised_lif())
    noisy = network(10, 4, nc.models.noisy_lif("escape"))
    with pytest.raises(ModelError, match="one layer of neurons without noise"):
        LayerTempotron().fit(noisy, channels())
    with pytest.raises(DataError, match="TempotronNeurons learn Patterns by the Tempotron"):
        LayerTempotron().fit(TempotronNeurons(3), channels())
    with pytest.raises(DataError, match="layer of a network learns by LayerTempotron"):
        Tempotron().fit(net, latency_patterns(3, 3, 0.1, 0))
    with pytest.raises(ModelError, match="needs learned intrinsic parameters"):
        SupervisedSTDP(perturbation=IntrinsicPerturbation()).fit(net, channels())
    with pytest.raises(DataError, match="inputs of zero or one"):
        SupervisedSTDP().fit(network(64, 4, nc.models.normalised_lif()), tasks.digits(n_steps=2))
    voters = Network(
        [
            Layer(Dense(10, 4, key=jax.random.key(0)), nc.models.normalised_lif(), DT),
            Voters(Layer(Dense(4, 4, key=jax.random.key(0)), nc.models.normalised_lif(), DT), 2),
        ]
    )
    with pytest.raises(ModelError, match="Readout with a dense"):
        LayerTempotron().fit(voters, channels())
    with pytest.raises(DataError, match="does not have one label per sequence"):
        LayerTempotron().fit(
            network(5, 4, nc.models.normalised_lif()), tasks.spring_mass(n_samples=40)
        )
    with pytest.raises(TrainingError, match="no more looks"):
        Course(updates=2, looks=3)
    with pytest.raises(TrainingError, match="not a goal"):
        IntrinsicPerturbation("pleasure")
    with pytest.raises(TrainingError, match="leave tau_reward out"):
        SupervisedSTDP(PairSTDP(tau_reward=1.0))
    with pytest.raises(ModelError, match="2 classes need"):
        population_readout(1, 2, DT)

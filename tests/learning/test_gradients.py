"""Gradients through neurons and networks, in float64: against finite differences, and two
derivations against each other."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, Surrogate
from neurocode.learning.dynamics import Dynamics
from neurocode.learning.surrogate import FAMILIES
from neurocode.learning.timeloop import Recurrence, run

UNITS = {
    "lif": ("0.5 nA", "20 mV"),
    "eif": ("0.5 nA", "20 mV"),
    "qif": ("0.5 nA", "20 mV"),
    "adex": ("0.5 nA", "20 mV"),
    "izhikevich": ("0.2 nA", "20 mV"),
    "gif": ("0.2 nA", "10 mV"),
    "igif": ("0.05 nA", "10 mV"),
    "igif-ia": ("0.05 nA", "10 mV"),
}
NEURONS = ("adlif", "lif-normalised", "lif-current", "noisy-lif", "meta-neuron", *UNITS)
#: Mean and spread of the input of a smooth spike, where that of the others drives a quadratic
#: neuron to infinity.
DRIVE = {"meta-neuron": (0.2, 0.1), "qif": (1.0, 0.5)}
TIME, BATCH, N = 30, 2, 6


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def loss_of(
    name,
    *,
    adjoint=True,
    reset=True,
    delay=(1,) * N,
    surrogate=None,
    smooth=False,
    segment=None,
    dt=1e-3,
    draw=None,
):
    """Return a random linear functional of the spikes of a recurrent layer, as a function of
    (parameters, inputs, weights)."""
    model = nc.models.by_name(name)
    surrogate = None if draw else surrogate or Surrogate("superspike", 5.0, smooth=smooth)
    dynamics = Dynamics.of(
        model, dt, surrogate, reset, *UNITS.get(name, (None, None)), draw or "straight_through"
    )
    random = np.random.default_rng(1)
    target = jnp.asarray(random.normal(size=(TIME, BATCH, N)))
    start = {n: jnp.full(N, float(model.values[n])) for n in model.free[:3]}
    drive = DRIVE.get(name, (3.0, 3.0)) if smooth else (3.0, 3.0)
    point = (
        start,
        jnp.asarray(random.normal(*drive, (TIME, BATCH, N))),
        jnp.asarray(random.normal(0, 0.5, (N, N))),
    )
    keys = jax.random.split(jax.random.key(1), TIME)

    def loss(point):
        learned, inputs, weight = point
        names = dynamics.step.prepare({**{n: float(v) for n, v in model.values.items()}, **learned})
        state = dynamics.initial_state(names, (BATCH, N))
        spikes = run(
            dynamics,
            state,
            inputs,
            names,
            Recurrence(weight, delay, True),
            keys,
            adjoint=adjoint,
            segment=segment,
        )
        return jnp.sum(spikes * target), jnp.sum(spikes)

    return loss, point


def relative(first, second):
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    pairs = ((np.asarray(a), np.asarray(b)) for a, b in pairs)
    return max(float(np.max(np.abs(a - b)) / (1e-300 + np.max(np.abs(b)))) for a, b in pairs)


ALIKE, MIXED = (1,) * N, (3, 1, 2, 4, 1, 2)
#: Of the leaky neuron all four; of the others gradients through the reset with delays that differ,
#: and neither.
CASES = [("lif", ALIKE, True), ("lif", MIXED, False)]
CASES += [
    (name, delay, reset) for name in NEURONS for delay, reset in ((MIXED, True), (ALIKE, False))
]
#: A program takes seconds to compile. Quick tests hold all four cases of the leaky neuron, and of
#: the others the gradient through the reset with delays that differ, which holds every term of
#: the other case; of neurons with exponentials or many states one.
QUICK = ("adlif", "lif-normalised", "lif-current", "noisy-lif", "meta-neuron", "gif")
CASES = [
    case
    if case[0] == "lif" or (case[0] in QUICK and case[1:] == (MIXED, True))
    else pytest.param(*case, marks=pytest.mark.long)
    for case in CASES
]


@pytest.mark.parametrize(("name", "delay", "reset"), CASES)
def test_the_adjoint_equals_autodiff_of_the_plain_loop(name, delay, reset):
    """Hard spikes, every library neuron, with delays: within 1e-10."""
    (first, point), (second, _) = (
        loss_of(name, adjoint=adjoint, reset=reset, delay=delay) for adjoint in (True, False)
    )
    gradients = jax.jit(
        lambda place: (jax.grad(first, has_aux=True)(place), jax.grad(second, has_aux=True)(place))
    )
    (slopes, spikes), (plain, _) = gradients(point)
    assert spikes >= 1 or name in ("gif", "igif", "igif-ia")
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))
    assert relative(slopes, plain) < 1e-10


DRAWS = [
    ("noisy-lif", "trapezoid", MIXED, True),
    ("noisy-lif", "secant", MIXED, True),
]
# Four gradients each: that the adjoint knows a detached reset the test above sees.
DRAWS += [
    pytest.param(*case, marks=pytest.mark.long)
    for case in (("noisy-lif", "trapezoid", ALIKE, False), ("gif", "trapezoid_secant", ALIKE, True))
]


@pytest.mark.parametrize(("name", "draw", "delay", "reset"), DRAWS)
def test_the_adjoint_equals_autodiff_through_the_trapezoid_and_the_secant(name, draw, delay, reset):
    """As above within 1e-10, in segments too; and it is not the straight-through gradient."""
    options = {"adjoint": True, "reset": reset, "delay": delay}
    cases = [{"draw": draw}, {"draw": draw, "adjoint": False}, {"draw": draw, "segment": 7}]
    losses = [loss_of(name, **options | case) for case in (*cases, {"draw": "straight_through"})]
    point = losses[0][1]
    gradients = jax.jit(lambda place: [jax.grad(loss, has_aux=True)(place) for loss, _ in losses])(
        point
    )
    (slopes, spikes), (plain, _), (parts, _), (straight, _) = gradients
    assert spikes > 10
    assert relative(slopes, plain) < 1e-10 and relative(parts, plain) < 1e-10
    assert relative(straight, slopes) > 0.1


# Keys of noise in segments also the test of the trapezoid and the secant sees.
@pytest.mark.parametrize("name", ["adlif", pytest.param("noisy-lif", marks=pytest.mark.long)])
def test_saving_segments_changes_no_gradient(name):
    """Segments of 7 steps leave a shorter one at the end of 30."""
    (whole, point), (parts, _) = (loss_of(name, segment=segment) for segment in (None, 7))
    slopes, again = jax.jit(
        lambda place: [jax.grad(f, has_aux=True)(place)[0] for f in (whole, parts)]
    )(point)
    assert relative(again, slopes) < 1e-10


def test_a_layer_in_segments_needs_less_memory_for_its_gradient():
    """Segments of the root of 2500 steps hold 2 x 50 states of two variables instead of 2500."""
    x = jnp.ones((2500, 4, 2))
    results = []
    for segment in (None, 50):
        layer = Layer(Dense(2, 16, key=jax.random.key(0)), nc.models.adlif(), 1e-3, segment=segment)
        loss = jax.jit(
            jax.grad(
                lambda weight, x, segmented=layer: jnp.sum(
                    eqx.tree_at(lambda n: n.connection.weight, segmented, weight)(x)
                )
            )
        )
        compiled = loss.lower(layer.connection.weight, x).compile()
        results.append(
            (compiled.memory_analysis().temp_size_in_bytes, compiled(layer.connection.weight, x))
        )
    (whole, slopes), (parts, again) = results
    assert relative(again, slopes) < 1e-10
    assert parts < 0.75 * whole
    with pytest.raises(ModelError, match="at least one step"):
        Layer(Dense(2, 16, key=jax.random.key(0)), nc.models.adlif(), 1e-3, segment=0)


SMOOTH = ["adlif", "lif-normalised", "meta-neuron", "izhikevich"]
SMOOTH += [pytest.param(name, marks=pytest.mark.long) for name in ("adex", "eif", "qif")]


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_spikes_have_the_gradient_of_finite_differences(name):
    """Along random directions of all parameters, inputs and weights, to 1e-6."""
    loss, point = loss_of(name, smooth=True, delay=MIXED, dt=1e-4 if name == "adex" else 1e-3)
    value, slopes = jax.jit(jax.value_and_grad(lambda p: loss(p)[0]))(point)
    compiled = jax.jit(lambda p: loss(p)[0])
    random, point, slopes = np.random.default_rng(4), *jax.tree.map(np.asarray, (point, slopes))
    for _ in range(3):
        way = jax.tree.map(
            lambda leaf: random.normal(size=leaf.shape) * np.maximum(np.abs(leaf), 1e-12), point
        )
        ahead, behind = (
            compiled(jax.tree.map(lambda leaf, w, s=step: leaf + s * w, point, way))
            for step in (2e-7, -2e-7)
        )
        parts = [
            float(np.sum(a * b))
            for a, b in zip(jax.tree.leaves(slopes), jax.tree.leaves(way), strict=True)
        ]
        scale = max(abs(sum(parts)), *(abs(part) for part in parts))
        assert abs(float(ahead - behind) / 4e-7 - sum(parts)) < 1e-6 * scale + 1e-8 * abs(
            float(value)
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_surrogates_are_the_derivatives_of_their_smooth_spikes(family):
    """Peak as stated, integral of the derivative, and the gradient of a hard spike is that
    derivative."""
    surrogate = Surrogate(family, slope=4.0, height=0.5, asymptotic=True)
    smooth = Surrogate(family, slope=4.0, height=0.5, asymptotic=True, smooth=True)
    assert surrogate.peak == 2.0
    assert float(surrogate.derivative(0.0)) == (0.0 if family == "zero" else 2.0)
    for x in (-0.7, -0.11, 0.13, 0.4):
        area = quad(
            lambda t: float(surrogate.derivative(t)), 0.0, x, points=[-0.25, 0.0, 0.25], limit=200
        )[0]
        assert float(smooth(x)) - 0.5 == pytest.approx(area, abs=1e-8)
        assert float(jax.grad(surrogate)(x)) == pytest.approx(
            float(surrogate.derivative(x)), rel=1e-12
        )
    assert surrogate(jnp.array([-1.0, 0.0, 1.0])).tolist() == [0.0, 0.0, 1.0]


def test_published_surrogates():
    """Values of papers' tables: superspike and logistic at rest for a slope of ten, SLAYER's peak c
    alpha / 2."""
    assert float(Surrogate("superspike").derivative(-1.0)) == pytest.approx(1 / 121)
    assert float(Surrogate("sigmoid", height=0.25).derivative(-1.0)) == pytest.approx(
        4.5e-5, rel=0.01
    )
    assert float(Surrogate("piecewise_linear").derivative(-1.0)) == 0.0
    assert Surrogate("superspike", asymptotic=True).peak == 10.0
    assert float(Surrogate("slayer", 5.0, 0.4 * 5 / 2).derivative(0.2)) == pytest.approx(np.exp(-1))


def test_an_attached_reset_adds_the_published_path():
    """dU[n+1]/dS[n] is minus the free potential (Zenke & Vogels 2021): one neuron, two steps."""
    model, surrogate = nc.models.normalised_lif(), Surrogate("superspike", 10.0)
    decay = np.exp(-1 / 15)

    def last_spike(x, attached):
        dynamics = Dynamics.of(model, 1e-3, surrogate, attached)
        names = dynamics.step.prepare({n: float(v) for n, v in model.values.items()})
        state = dynamics.step.initial_state(names, (1, 1))
        return run(dynamics, state, x.reshape(2, 1, 1), names)[1, 0, 0]

    x = jnp.array([20.0, 10.0])
    slope = jax.jit(jax.grad(last_spike), static_argnums=1)
    attached, detached = (slope(x, flag)[0] for flag in (True, False))
    free = (1 - decay) * 20.0
    end = (1 - decay) * 10.0
    assert free > 1
    by_spike = (
        surrogate.derivative(end - 1) * decay * -free * surrogate.derivative(free - 1) * (1 - decay)
    )
    assert float(detached) == 0.0
    assert float(attached) == pytest.approx(float(by_spike), rel=1e-12)


def test_stopping_recurrent_gradients_leaves_those_of_the_weights():
    layers = [
        Layer(
            Dense(3, N, key=jax.random.key(0)),
            nc.models.adlif(),
            1e-3,
            recurrent=Recurrent(N, gradient=g, key=jax.random.key(1)),
        )
        for g in (True, False)
    ]
    x = 9 * jnp.asarray(np.random.default_rng(0).random((40, 2, 3)))
    slope = eqx.filter_jit(eqx.filter_grad(lambda layer: jnp.sum(layer(x) * jnp.arange(N))))
    gradient, stopped = (slope(layer) for layer in layers)
    assert jnp.any(stopped.recurrent.weight != 0)
    assert not jnp.allclose(gradient.connection.weight, stopped.connection.weight)


def test_the_gradient_of_escape_noise_is_that_of_its_probability():
    """Mean over draws of the gradient of a single spike: the derivative of the spike probability,
    exactly for one step."""
    model = nc.models.noisy_lif()
    dynamics = Dynamics.of(model, 1e-3, None)
    names = dynamics.step.prepare({n: float(v) for n, v in model.values.items()})
    state = dynamics.step.initial_state(names, (1, 1))

    def spike(x):
        return run(
            dynamics, state, x.reshape(1, 1, 1), names, keys=jax.random.split(jax.random.key(0), 1)
        )[0, 0, 0]

    def probability(x):
        return model.noise.probability(x - 1.0, names, 1e-3)

    assert float(jax.grad(spike)(jnp.asarray(0.8))) == pytest.approx(
        float(jax.grad(probability)(0.8)), rel=1e-9
    )


def test_models_that_are_no_layer_are_refused():
    key = jax.random.key(0)
    for name, what in (("lif", "current_unit"), ("lif-diffusive", "one input")):
        with pytest.raises(ModelError, match=what):
            Layer(Dense(2, 2, key=key), nc.models.by_name(name), 1e-3)
    with pytest.raises(ModelError, match="no escape noise"):
        Layer(Dense(2, 2, key=key), nc.models.adlif(), 1e-3, surrogate=None)
    with pytest.raises(ModelError, match="no free parameter 'theta'"):
        Layer(Dense(2, 2, key=key), nc.models.adlif(), 1e-3, learned=("theta",))
    with pytest.raises(ModelError, match="Layer 1 takes 3 inputs"):
        Network(
            [
                Layer(Dense(2, 2, key=key), nc.models.adlif(), 1e-3),
                Readout(Dense(3, 2, key=key), 1e-3),
            ]
        )
    with pytest.raises(ModelError, match="not a surrogate"):
        Surrogate("relu")


@pytest.mark.parametrize("attached", [True, False])
def test_the_current_neuron_has_the_gradient_of_the_printed_update(attached):
    """``U[n+1] = (b U + (1 - b) I)(1 - S)`` written out, with and without the gradient through ``1
    - S`` (Zenke & Vogels 2021)."""
    model, surrogate = nc.models.by_name("lif-current"), Surrogate("superspike", 5.0)
    dynamics = Dynamics.of(model, 1e-3, surrogate, attached)
    random = np.random.default_rng(3)
    inputs, target = (
        jnp.asarray(random.normal(0.5, 1.5, (60, 2, 4))),
        jnp.asarray(random.normal(size=(60, 2, 4))),
    )
    mem, syn = np.exp(-0.1), np.exp(-0.2)

    def ours(inputs):
        names = dynamics.step.prepare(model.values)
        return run(dynamics, dynamics.step.initial_state(names, (2, 4)), inputs, names)

    def printed(inputs):
        def visit(carry, step_input):
            u, c, s = carry
            u = (mem * u + (1 - mem) * c) * (1 - (s if attached else jax.lax.stop_gradient(s)))
            s = surrogate(u - 1.0)
            return (u, syn * c + step_input, s), s

        return jax.lax.scan(visit, (jnp.zeros((2, 4)),) * 3, inputs)[1]

    gradient, expected = jax.jit(lambda x: (ours(x), printed(x)))(inputs)
    assert bool(jnp.array_equal(gradient, expected)) and float(jnp.sum(gradient)) > 20
    slopes = jax.jit(
        lambda x: [jax.grad(lambda y, f=f: jnp.sum(f(y) * target))(x) for f in (ours, printed)]
    )(inputs)
    assert relative(*slopes) < 1e-12

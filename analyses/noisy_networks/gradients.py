"""How far the gradients of noisy networks are off, by sums over all patterns of spikes of small
networks.

What is expected. With ``Q(o)`` the expected loss given the past and one spike ``o`` of probability
``p(x)``, the exact gradient is the sum over spikes of ``f(x) dx (Q(1) - Q(0))``, ``f = dp/dx``.
Straight through the draw ``Q'(o)`` stands for the difference:

    E Q'(o) - (Q(1) - Q(0)) = (p - 1/2) Q''(1/2) + Q'''/12 + …,     f dx (p - 1/2) = -1/2 d[p (1 -
    p)].

To leading order it is therefore the gradient of the loss of the mean response, without that of
``1/2 Q'' Var(o)``, what the noise itself adds to the loss. Weights of ``1/(2p)`` and ``1/(2(1 -
p))`` (trapezoid) leave ``Q'''/12``. ``Q''`` comes by three ways:

* the loss: ``w^T H w`` for a spike of readout weights ``w`` and Hessian ``H``: none for a linear
  loss;
* the reset: a spike moves the next potential by ``leak u``, or ``d = leak u / width`` widths of the
  noise, along a distribution function. The trapezoid is then off by ``d^2 (y^2 - 1)/12`` of the
  reset's share, the secant takes the difference itself. Memory without reset is linear in all
  spikes and adds nothing; reset without memory reaches no later step;
* the next noisy layer, likewise, with ``d = weight / width``; neither removes its third order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import neurocode as nc
from analyses.protocol import Pairs
from neurocode.learning import Dense, Layer, Network, Readout, enumerated_gradients
from neurocode.learning.estimators import sequence_losses
from neurocode.learning.network import Response
from neurocode.learning.objective import Batch
from neurocode.learning.recorded_neurons import clamped_log_probability
from neurocode.learning.trainable import trainable
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import as_loss

Array = jax.Array
Row = dict[str, Any]

STEP, READOUT = 1e-3, 4e-3
INPUTS, CLASSES = 2, 2
EXACT, STRAIGHT = "score_function", "straight_through"
CORRECTED = ("trapezoid", "secant", "trapezoid_secant")
#: Of which one setting at a time is varied; neurons of the noisy layers and steps make at most 4096
#: patterns.
BASE = {
    "dataset": "one noisy layer",
    "loss": "mean_potential",
    "neurons": "2",
    "steps": 4,
    "width": 0.3,
    "coupling": 0.5,
    "gain": 4.0,
}
DEEP = (
    {"dataset": "two noisy layers", "neurons": "2-2", "steps": 3},
    {"dataset": "three noisy layers", "neurons": "1-1-1", "steps": 4},
)
WIDTHS = (0.1, 0.2, 0.3, 0.5, 0.8)
SEEDS = 24


class LinearLoss(Loss):
    """Cross entropy of two classes, linear in the evidence: at equal evidence its derivative is a
    half and minus a half."""

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Mean over sequences, and the number of right answers."""
        mean = jnp.mean(evidence, axis=0)
        wrong = 0.5 - jax.nn.one_hot(targets, CLASSES, dtype=mean.dtype)
        return jnp.mean(jnp.sum(wrong * mean, axis=-1)), jnp.sum(
            jnp.argmax(mean, axis=-1) == targets
        )


def gradient_rows(protocol: str) -> list[Row]:
    """Rows of the enumeration: width, depth, steps, gain of the readout and weights between noisy
    layers, each varied alone."""
    shared = {"protocol": protocol, "sequences": 0, **BASE}
    if protocol == "quick":
        return [
            {**shared, "neurons": "1", "steps": 2, "parts": False, "seed": seed}
            for seed in range(2)
        ]
    varied = [{"width": width} for width in WIDTHS]
    varied += [{"steps": steps} for steps in (1, 2, 3, 6)]
    varied += [{"gain": gain} for gain in (1.0, 2.0, 8.0)]
    varied += [{"loss": "rate_squared_error", "gain": 1.0, "width": width} for width in WIDTHS]
    varied += [{**deep, "width": width} for deep in DEEP for width in WIDTHS]
    varied += [{**DEEP[0], "coupling": coupling} for coupling in (0.25, 1.0, 2.0)]
    return [{**shared, **own, "seed": seed} for own in varied for seed in range(SEEDS)]


def base_of(table: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    """Rows of the base of each depth, but for some settings."""
    bases = [{**BASE, **own, **settings} for own in ({}, *DEEP)]
    return pd.concat([table[(table[list(own)] == pd.Series(own)).all(axis=1)] for own in bases])


def gradient_pairs(table: pd.DataFrame, entry: dict[str, Any]) -> Pairs:
    """Of the networks of an entry's settings (``where``), one column minus another, or minus a
    number."""
    chosen = base_of(table, **entry.get("where", {})).sort_values("seed")
    second = entry["second"]
    values = chosen[entry["first"]] - (chosen[second] if isinstance(second, str) else second)
    return Pairs(values.to_numpy(float), 0)


def compare_gradients(
    *,
    loss: str,
    neurons: str,
    steps: int,
    width: float,
    coupling: float,
    gain: float,
    seed: int,
    parts: bool = True,
    **_: Any,
) -> dict[str, float]:
    """Estimates of a row's network against its exact gradient, and straight-through of networks
    without its nonlinear ``parts``.

    Returns
    -------
    dict of str to float
        For each estimator its size over that of the exact gradient (``…_ratio``), ``…_cosine``,
        ``…_error`` (distance over the size of the exact gradient) and ``…_variance`` (of one draw,
        over the square of that size); straight-through with a ``detached`` reset and in networks
        with a ``linear`` loss, without reset (``unreset``), without memory (``forgetful``), and
        ``linear_unreset``; ``predicted_unreset``, the ratio by the moments of the response.
    """
    with jax.enable_x64(True):
        model = nc.models.noisy_lif()
        variants = {
            "linear": (model, LinearLoss(), True),
            "unreset": (replace(model, reset="v = v"), as_loss(loss), True),
            "linear_unreset": (replace(model, reset="v = v"), LinearLoss(), True),
            "forgetful": (model.with_parameters(tau="1 ms", R=1.0), as_loss(loss), True),
            "detached": (model, as_loss(loss), False),
        }
        shape = (tuple(int(n) for n in neurons.split("-")), steps, width, coupling, gain, seed)
        network, batch = make_network(model, *shape)
        gradients = enumerated_gradients(network, batch, loss)
        exact = hidden(gradients[EXACT].mean)
        found = {
            f"{name}_variance": np.sum(hidden(own.variance)) / np.sum(exact**2)
            for name, own in gradients.items()
        }
        for name in (STRAIGHT, *CORRECTED):
            found |= against(exact, hidden(gradients[name].mean), name)
        if not parts:
            return {name: float(value) for name, value in found.items()}
        for name, (own, variant_loss, reset_gradient) in variants.items():
            network, batch = make_network(own, *shape, reset_gradient=reset_gradient)
            gradients = enumerated_gradients(network, batch, variant_loss, (EXACT, STRAIGHT))
            found |= against(hidden(gradients[EXACT].mean), hidden(gradients[STRAIGHT].mean), name)
        if "-" not in neurons:
            mean, whole = (
                hidden(own)
                for own in predicted(*make_network(variants["unreset"][0], *shape), as_loss(loss))
            )
            found["predicted_unreset"] = np.linalg.norm(mean) / np.linalg.norm(whole)
        return {name: float(value) for name, value in found.items()}


def make_network(
    model: nc.NeuronModel,
    neurons: tuple[int, ...],
    steps: int,
    width: float,
    coupling: float,
    gain: float,
    seed: int,
    reset_gradient: bool = True,
) -> tuple[Network, Batch]:
    """Network and one sequence of a row: weights of a seed, the same for every model and width."""
    random, layers, n_in = np.random.default_rng(seed), [], INPUTS
    narrow = model.with_parameters(scale=width)
    for number, n in enumerate(neurons):
        dense = Dense(n_in, n, key=jax.random.key(0))
        options = {"surrogate": None, "reset_gradient": reset_gradient, "learned": ("scale",)}
        # the width is a learned value, not a part of the model, so that one compiled program serves
        # all widths
        place = Layer(dense, narrow, STEP, **options).intrinsic.coordinates["scale"]
        mean, spread = (0.6, 0.5) if number == 0 else (0.5 * coupling, coupling)
        weight, bias = random.normal(mean, spread, (n_in, n)), random.normal(0.2, 0.2, n)
        values = (jnp.asarray(weight), jnp.asarray(bias), jnp.asarray(place))
        layers.append(eqx.tree_at(_places, Layer(dense, model, STEP, **options), values))
        n_in = n
    readout = Readout(Dense(n_in, CLASSES, key=jax.random.key(0)), STEP, READOUT)
    weight = jnp.asarray(random.normal(0, gain, (n_in, CLASSES)))
    readout = eqx.tree_at(
        lambda own: (own.connection.weight, own.connection.bias),
        readout,
        (weight, jnp.zeros(CLASSES)),
    )
    inputs = jnp.asarray(random.random((steps, 1, INPUTS)))
    return Network([*layers, readout]), Batch(inputs, jnp.asarray([0]), jnp.ones((steps, 1), bool))


def _places(layer: Layer) -> tuple[Array, Array, Array]:
    return layer.connection.weight, layer.connection.bias, layer.intrinsic.coordinates["scale"]


def hidden(gradient: Network) -> np.ndarray:
    """Weights and biases of the noisy layers in one row: the gradient of the readout is the same by
    every estimator."""
    return np.concatenate(
        [np.ravel(part) for layer in gradient.layers for part in _places(layer)[:2]]
    )


def against(exact: np.ndarray, found: np.ndarray, name: str) -> dict[str, float]:
    """Size, direction and distance of a gradient beside the exact one."""
    size, length = np.linalg.norm(exact), np.linalg.norm(found)
    return {
        f"{name}_ratio": length / size,
        f"{name}_cosine": exact @ found / (size * length),
        f"{name}_error": np.linalg.norm(found - exact) / size,
    }


@eqx.filter_jit
def predicted(network: Network, batch: Batch, loss: Loss) -> tuple[Network, Network]:
    """Gradients of the loss of the mean response, and of that with what its variance adds, of one
    layer that is not reset."""
    learned, rest = trainable(network)

    def chances(learned: Network) -> Array:
        layer = eqx.combine(learned, rest).layers[0]
        current = layer.current(batch.inputs)
        return jnp.exp(clamped_log_probability(layer, current, jnp.ones_like(current)))

    def of_spikes(spikes: Array) -> Array:
        return sequence_losses(loss, Response(network.readout(spikes), (spikes,)), batch)[0]

    p = chances(learned)
    slope = jax.grad(of_spikes)(p)
    curvature = jnp.diag(
        jax.hessian(lambda flat: of_spikes(flat.reshape(p.shape)))(p.ravel())
    ).reshape(p.shape)
    back = jax.vjp(chances, learned)[1]
    return back(slope)[0], back(slope + 0.5 * curvature * (1 - 2 * p))[0]

"""Errors of the gradients of noisy networks, by sums over all spike patterns of small networks.

Expected errors. Let ``Q(o)`` be the expected loss given the past and one spike ``o`` of probability
``p(x)``. The exact gradient is the sum over spikes of ``f(x) dx (Q(1) - Q(0))``, ``f = dp/dx``.
The straight-through estimator replaces the difference by ``Q'(o)``:

    E Q'(o) - (Q(1) - Q(0)) = (p - 1/2) Q''(1/2) + Q'''/12 + …,     f dx (p - 1/2) = -1/2 d[p (1 -
    p)].

To leading order it is therefore the gradient of the loss of the mean response. It misses the
gradient of ``1/2 Q'' Var(o)``, which the noise itself adds to the loss. Weights of ``1/(2p)`` and
``1/(2(1 - p))`` (trapezoid) leave an error of ``Q'''/12``. ``Q''`` has three sources:

* the loss: ``w^T H w`` for a spike with readout weights ``w`` and Hessian ``H``, which is zero for
  a linear loss;
* the reset: a spike moves the next potential by ``leak u``, or ``d = leak u / width`` widths of the
  noise, along a distribution function. The error of the trapezoid is then ``d^2 (y^2 - 1)/12`` of
  the share of the reset; the secant uses the difference itself. Memory without reset is linear in
  all spikes and adds nothing; a reset without memory does not reach later steps;
* the next noisy layer, in the same way, with ``d = weight / width``; neither the trapezoid nor the
  secant removes its third order.
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
#: Settings of which one at a time is varied. Neurons and steps of the noisy layers give at most
#: 4096 patterns.
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
    """A loss that is linear in the evidence for two classes.

    Its derivatives are those of the cross entropy at equal evidence: a half and minus a half.
    """

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Return the mean loss over sequences, and the number of correct answers."""
        mean = jnp.mean(evidence, axis=0)
        wrong = 0.5 - jax.nn.one_hot(targets, CLASSES, dtype=mean.dtype)
        return jnp.mean(jnp.sum(wrong * mean, axis=-1)), jnp.sum(
            jnp.argmax(mean, axis=-1) == targets
        )


def gradient_rows(protocol: str) -> list[Row]:
    """Return the rows of the enumeration.

    Width, depth, steps, gain of the readout and weights between noisy layers are varied one at a
    time.
    """
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
    return [{**shared, **setting, "seed": seed} for setting in varied for seed in range(SEEDS)]


def base_of(table: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    """Return the rows with the base settings of each depth, except that ``settings`` replace
    some."""
    bases = [{**BASE, **base, **settings} for base in ({}, *DEEP)]
    return pd.concat([table[(table[list(base)] == pd.Series(base)).all(axis=1)] for base in bases])


def gradient_pairs(table: pd.DataFrame, entry: dict[str, Any]) -> Pairs:
    """Return one column minus another column, or minus a number, for the networks of an entry.

    The networks are those with the base settings of each depth, changed by ``where`` of the entry.
    There are none in the quick protocol, whose rows lack some columns too.
    """
    chosen = base_of(table, **entry.get("where", {})).sort_values("seed")
    if chosen.empty:
        return Pairs(np.empty(0), 0)
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
    """Compare estimates of the gradient of a row's network with the exact gradient.

    If ``parts`` is true, the straight-through estimator is also compared in networks that lack one
    of the nonlinear parts.

    Returns
    -------
    dict of str to float
        For each estimator its size divided by that of the exact gradient (``…_ratio``),
        ``…_cosine``, ``…_error`` (distance divided by the size of the exact gradient) and
        ``…_variance`` (of one draw, divided by the square of that size). With ``parts`` also the
        same for straight-through with a ``detached`` reset and in networks with a ``linear`` loss,
        without reset (``unreset``), without memory (``forgetful``), and with neither
        (``linear_unreset``: a linear loss and no reset); and ``predicted_unreset``, the ratio that
        the moments of the response predict.
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
        results = {
            f"{name}_variance": np.sum(hidden(estimate.variance)) / np.sum(exact**2)
            for name, estimate in gradients.items()
        }
        for name in (STRAIGHT, *CORRECTED):
            results |= against(exact, hidden(gradients[name].mean), name)
        if not parts:
            return {name: float(value) for name, value in results.items()}
        for name, (variant_model, variant_loss, reset_gradient) in variants.items():
            network, batch = make_network(variant_model, *shape, reset_gradient=reset_gradient)
            gradients = enumerated_gradients(network, batch, variant_loss, (EXACT, STRAIGHT))
            results |= against(
                hidden(gradients[EXACT].mean), hidden(gradients[STRAIGHT].mean), name
            )
        if "-" not in neurons:
            mean, with_variance = (
                hidden(gradient)
                for gradient in predicted(
                    *make_network(variants["unreset"][0], *shape), as_loss(loss)
                )
            )
            results["predicted_unreset"] = np.linalg.norm(mean) / np.linalg.norm(with_variance)
        return {name: float(value) for name, value in results.items()}


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
    """Return the network and the single sequence of a row.

    The weights of a seed are the same for every model and width.
    """
    random, layers, n_in = np.random.default_rng(seed), [], INPUTS
    narrow = model.with_parameters(scale=width)
    for number, n in enumerate(neurons):
        dense = Dense(n_in, n, key=jax.random.key(0))
        options = {"surrogate": None, "reset_gradient": reset_gradient, "learned": ("scale",)}
        # The width is a learned value and not a part of the model, so that one compiled program
        # serves all widths.
        place = Layer(dense, narrow, STEP, **options).intrinsic.coordinates["scale"]
        mean, spread = (0.6, 0.5) if number == 0 else (0.5 * coupling, coupling)
        weight, bias = random.normal(mean, spread, (n_in, n)), random.normal(0.2, 0.2, n)
        values = (jnp.asarray(weight), jnp.asarray(bias), jnp.asarray(place))
        layers.append(eqx.tree_at(_places, Layer(dense, model, STEP, **options), values))
        n_in = n
    readout = Readout(Dense(n_in, CLASSES, key=jax.random.key(0)), STEP, READOUT)
    weight = jnp.asarray(random.normal(0, gain, (n_in, CLASSES)))
    readout = eqx.tree_at(
        lambda part: (part.connection.weight, part.connection.bias),
        readout,
        (weight, jnp.zeros(CLASSES)),
    )
    inputs = jnp.asarray(random.random((steps, 1, INPUTS)))
    return Network([*layers, readout]), Batch(inputs, jnp.asarray([0]), jnp.ones((steps, 1), bool))


def _places(layer: Layer) -> tuple[Array, Array, Array]:
    return layer.connection.weight, layer.connection.bias, layer.intrinsic.coordinates["scale"]


def hidden(gradient: Network) -> np.ndarray:
    """Return weights and biases of the noisy layers in one vector.

    The readout is left out, because its gradient is the same for every estimator.
    """
    return np.concatenate(
        [np.ravel(part) for layer in gradient.layers for part in _places(layer)[:2]]
    )


def against(exact: np.ndarray, estimate: np.ndarray, name: str) -> dict[str, float]:
    """Return the relative size, the cosine and the relative distance of a gradient to the exact
    one."""
    size, length = np.linalg.norm(exact), np.linalg.norm(estimate)
    return {
        f"{name}_ratio": length / size,
        f"{name}_cosine": exact @ estimate / (size * length),
        f"{name}_error": np.linalg.norm(estimate - exact) / size,
    }


@eqx.filter_jit
def predicted(network: Network, batch: Batch, loss: Loss) -> tuple[Network, Network]:
    """Return two predicted gradients of a network with one layer that is not reset.

    The first is that of the loss of the mean response; the second adds the gradient of what the
    variance of the response adds to the loss.
    """
    learned, fixed = trainable(network)

    def chances(learned: Network) -> Array:
        layer = eqx.combine(learned, fixed).layers[0]
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

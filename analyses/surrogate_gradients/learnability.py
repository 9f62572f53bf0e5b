"""Whether a start can learn at all, predicted from the surrogate derivative where its potentials
are.

A weight learns from the derivative at the potentials that it helps to make. From a silent start
these lie near rest, where a compact derivative is zero and one with a fast tail is lost beside the
smallest number that Adam adds to a gradient. The rule asks for the mean derivative over the
potentials of the start, of the layer in which it is smallest, and for the number of silent layers:
weights that no spike reaches have no gradient at all, so these layers wake one after another.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from analyses.protocol import is_trained
from analyses.surrogate_gradients.protocols import FITTED, HELD_OUT
from neurocode.learning import Layer, Network, Task, stratified

#: Sequences whose potentials are looked at.
SEQUENCES = 100
#: Smaller derivatives, which a gradient of 32 bits cannot hold either, count as this.
SMALLEST = 1e-45
FEATURES = ("log_derivative", "silent_layers")


def derivative_at_start(network: Network, task: Task, seed: int) -> dict[str, float]:
    """Mean derivative over neurons, time and sequences, of the layer in which it is smallest; that
    at rest; and silent layers."""
    signal = jnp.moveaxis(jnp.asarray(stratified(task.training, SEQUENCES, seed).inputs), 0, 1)
    means, silent = [], 0
    for layer in network.layers:
        distances = margins(layer, signal)
        means.append(float(jnp.mean(layer.dynamics.surrogate.derivative(distances))))
        signal = (distances > 0).astype(signal.dtype)
        silent += int(not bool(jnp.any(signal)))
    at_rest = float(network.layers[0].dynamics.surrogate.derivative(jnp.asarray(-1.0)))
    return {"derivative": min(means), "derivative_at_rest": at_rest, "silent_layers": silent}


@eqx.filter_jit
def margins(layer: Layer, x: jax.Array) -> jax.Array:
    """Distances to threshold (time, batch, n) of neurons driven by inputs (time, batch, inputs),
    without connections inside."""
    step = layer.dynamics.step
    names = step.prepare(layer.intrinsic.values())
    current = layer.current(x)

    def advance(
        state: dict[str, jax.Array], now: jax.Array
    ) -> tuple[dict[str, jax.Array], jax.Array]:
        state, output = step(state, now, names)
        return state, output.margin

    return jax.lax.scan(advance, step.initial_state(names, current.shape[1:]), current)[1]


def predicted(table: pd.DataFrame, derivative: str = "derivative") -> pd.Series:
    """Of every start the probability that it learns, from a logistic regression on the fitted
    shapes of all seeds.

    ``derivative`` is the column that the rule reads: that over the potentials of the start, or
    ``"derivative_at_rest"``.
    """
    own = with_features(table, derivative)
    fitted = own[own["shape"].isin(FITTED)]
    if fitted["learns"].nunique() < 2:
        return pd.Series(fitted["learns"].astype(float).mean(), index=table.index)
    scale = fitted[list(FEATURES)].std().replace(0.0, 1.0)
    rule = LogisticRegression(C=1e3, max_iter=1000).fit(
        fitted[list(FEATURES)] / scale, fitted["learns"]
    )
    return pd.Series(rule.predict_proba(own[list(FEATURES)] / scale)[:, 1], index=table.index)


def with_features(table: pd.DataFrame, derivative: str = "derivative") -> pd.DataFrame:
    """With the decimal logarithm of the derivative, and whether the start learned."""
    return table.assign(
        log_derivative=np.log10(np.maximum(table[derivative], SMALLEST)), learns=is_trained(table)
    )


def held_out(table: pd.DataFrame, derivative: str = "derivative") -> pd.DataFrame:
    """Rows of the shapes on which the rule is judged, with what it predicts."""
    own = with_features(table, derivative).assign(predicted=predicted(table, derivative))
    return own[own["shape"].isin(HELD_OUT)]


def area_by_seed(table: pd.DataFrame, derivative: str = "derivative") -> pd.Series:
    """Area under the curve of the rule on the held-out shapes, by seed; those of a seed that all
    learn, or none, say nothing."""
    parts = held_out(table, derivative).groupby("seed")
    areas = {
        seed: roc_auc_score(part["learns"], part["predicted"])
        for seed, part in parts
        if part["learns"].nunique() == 2
    }
    return pd.Series(areas, dtype=float)

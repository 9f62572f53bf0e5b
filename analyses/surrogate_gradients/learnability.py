"""A rule that predicts whether a network can learn from its initial weights at all.

A weight learns through the surrogate derivative at the potentials that it contributes to. In a
silent network these lie near rest, where a derivative of compact support is zero, and one with a
fast decaying tail is negligible beside the small constant that Adam adds to the size of a gradient.
The rule has two features: the mean derivative over the potentials of the untrained network, in the
layer where it is smallest, and the number of silent layers. Weights that no spike reaches have no
gradient at all, so silent layers begin to fire one after another.
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

#: Number of sequences whose potentials are computed.
SEQUENCES = 100
#: Lower bound on the derivative before its logarithm is taken; a 32-bit gradient holds nothing
#: smaller.
SMALLEST = 1e-45
FEATURES = ("log_derivative", "silent_layers")


def derivative_at_start(network: Network, task: Task, seed: int) -> dict[str, float]:
    """Return the features of an untrained network.

    They are the derivative averaged over neurons, time and sequences, in the layer where this is
    smallest; the derivative at rest; and the number of silent layers.
    """
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
    """Return the distances to threshold (time, batch, n) for inputs (time, batch, inputs).

    Recurrent connections of the layer are ignored.
    """
    step = layer.dynamics.step
    names = step.prepare(layer.intrinsic.values())
    current = layer.current(x)

    def advance(
        state: dict[str, jax.Array], current_in_step: jax.Array
    ) -> tuple[dict[str, jax.Array], jax.Array]:
        state, output = step(state, current_in_step, names)
        return state, output.margin

    return jax.lax.scan(advance, step.initial_state(names, current.shape[1:]), current)[1]


def predicted(table: pd.DataFrame, derivative: str = "derivative") -> pd.Series:
    """Return for every row the predicted probability that the network learns.

    The prediction is a logistic regression that is fitted to the rows of the shapes in ``FITTED``
    of all seeds. ``derivative`` is the column that it uses: ``"derivative"``, the mean over the
    potentials of the untrained network, or ``"derivative_at_rest"``.
    """
    rows = with_features(table, derivative)
    fitted = rows[rows["shape"].isin(FITTED)]
    if fitted["learns"].nunique() < 2:
        return pd.Series(fitted["learns"].astype(float).mean(), index=table.index)
    scale = fitted[list(FEATURES)].std().replace(0.0, 1.0)
    rule = LogisticRegression(C=1e3, max_iter=1000).fit(
        fitted[list(FEATURES)] / scale, fitted["learns"]
    )
    return pd.Series(rule.predict_proba(rows[list(FEATURES)] / scale)[:, 1], index=table.index)


def with_features(table: pd.DataFrame, derivative: str = "derivative") -> pd.DataFrame:
    """Return the table with the decimal logarithm of the derivative, and with whether the network
    learned."""
    return table.assign(
        log_derivative=np.log10(np.maximum(table[derivative], SMALLEST)), learns=is_trained(table)
    )


def held_out(table: pd.DataFrame, derivative: str = "derivative") -> pd.DataFrame:
    """Return the rows of the shapes on which the rule is judged, with its predictions."""
    rows = with_features(table, derivative).assign(predicted=predicted(table, derivative))
    return rows[rows["shape"].isin(HELD_OUT)]


def area_by_seed(table: pd.DataFrame, derivative: str = "derivative") -> pd.Series:
    """Return by seed the area under the receiver operating characteristic on the held-out shapes.

    A seed is left out if all of its networks learn or none does, because the area is then not
    defined.
    """
    parts = held_out(table, derivative).groupby("seed")
    areas = {
        seed: roc_auc_score(part["learns"], part["predicted"])
        for seed, part in parts
        if part["learns"].nunique() == 2
    }
    return pd.Series(areas, dtype=float)

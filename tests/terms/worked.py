"""Values of a model's text, computed without an engine."""

from __future__ import annotations

import numpy as np

from neurocode.models import NeuronModel

FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "clip": lambda x, low, high: min(max(x, low), high),
    "second": 1.0,
}
#: Units in which the tests write values.
MV, PA, MS, NS = 1e-3, 1e-12, 1e-3, 1e-9


def value(model: NeuronModel, text: str, **known: float) -> float:
    """Return the value (SI) of an expression, given those of states, inputs and time."""
    texts = model.subexpressions

    class Names(dict):
        def __missing__(self, name: str) -> float:
            return eval(texts[name], {"__builtins__": {}}, self)

    return eval(text, {"__builtins__": {}}, Names(FUNCTIONS | model.values | known))


def slope(model: NeuronModel, state: str, **known: float) -> float:
    """Return the derivative of a state in time."""
    return value(model, next(e.expression for e in model.parsed if e.name == state), **known)

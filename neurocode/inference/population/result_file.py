"""What a fitted population is rebuilt from: plain values of its neuron and front end."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neurocode.errors import FitError
from neurocode.inference.population.front_end import FrontEnd, Weights
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.linear_front_end import LinearFrontEnd, SeparableFilters
from neurocode.inference.population.neuron import PopulationNeuron
from neurocode.inference.population.subunit_front_end import SubunitFrontEnd
from neurocode.inference.population.time_front_end import TimeFrontEnd
from neurocode.models.files import from_dictionary
from neurocode.models.writing import to_dictionary

#: Front ends that can be saved, by the name in the file.
FRONT_ENDS = {"linear": LinearFrontEnd, "subunits": SubunitFrontEnd, "time": TimeFrontEnd}
#: Between the name of a group of weights and the name of a weight.
INSIDE = "/"


def likelihood_values(likelihood: PopulationLikelihood) -> dict[str, Any]:
    """Return the neuron, the front end and the number of cells as plain values.

    Raises
    ------
    FitError
        For a front end that is not one of the library.
    """
    neuron = likelihood.neuron
    return {
        "model": to_dictionary(neuron.base),
        "time_constants": neuron.time_constants,
        "dt": neuron.dt,
        "n_cells": likelihood.n_cells,
        "front_end": _front_end_values(likelihood.front_end),
    }


def likelihood_of(values: dict[str, Any]) -> PopulationLikelihood:
    """Return the likelihood that :func:`likelihood_values` took apart."""
    neuron = PopulationNeuron(
        from_dictionary(values["model"]), tuple(values["time_constants"]), values["dt"]
    )
    return PopulationLikelihood(neuron, _front_end_of(values["front_end"]), values["n_cells"])


def flat_weights(weights: Weights) -> dict[str, NDArray]:
    """Return weights in groups as one level of arrays.

    Examples
    --------
    >>> flat_weights({"a": np.zeros(2), "b": {"c": np.ones(1)}})
    {'a': array([0., 0.]), 'b/c': array([1.])}
    """
    arrays = {}
    for name, value in weights.items():
        group = (
            {f"{name}{INSIDE}{part}": leaf for part, leaf in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
        arrays |= {part: np.asarray(leaf) for part, leaf in group.items()}
    return arrays


def grouped_weights(arrays: dict[str, NDArray]) -> Weights:
    """Undo :func:`flat_weights`.

    Examples
    --------
    >>> grouped_weights({"a": np.zeros(2), "b/c": np.ones(1)})
    {'a': array([0., 0.]), 'b': {'c': array([1.])}}
    """
    weights: Weights = {}
    for name, value in arrays.items():
        group, inside, part = name.partition(INSIDE)
        if inside:
            weights.setdefault(group, {})[part] = value
        else:
            weights[name] = value
    return weights


def front_end_name(front_end: FrontEnd | None) -> str:
    """Return the name of a front end of the library, ``"none"``, or the name of its class."""
    # a class derived from one of the library may compute something else
    kinds = {class_: kind for kind, class_ in FRONT_ENDS.items()}
    return "none" if front_end is None else kinds.get(type(front_end), type(front_end).__name__)


def _front_end_values(front_end: FrontEnd | None) -> dict[str, Any] | None:
    if front_end is None:
        return None
    kind = front_end_name(front_end)
    if kind not in FRONT_ENDS:
        raise FitError(
            f"A front end of the class {kind} cannot be saved; known are {', '.join(FRONT_ENDS)}."
        )
    return {"kind": kind, **asdict(cast("Any", front_end))}


def _front_end_of(values: dict[str, Any] | None) -> FrontEnd | None:
    if values is None:
        return None
    options = {name: value for name, value in values.items() if name != "kind"}
    if "filters" in options:
        options["filters"] = SeparableFilters(**options["filters"])
    return FRONT_ENDS[values["kind"]](**options)

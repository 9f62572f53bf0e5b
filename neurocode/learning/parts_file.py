"""Tables of plain values that describe the parts of a network without the values of arrays, and
parts made from such tables; no code in a table is run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import BatchNorm, Chain, Convolution, Dense, Pool, Recurrent
from neurocode.learning.dynamics import unit_of_margin
from neurocode.learning.layer import Layer, Shortcut
from neurocode.learning.output import Output
from neurocode.learning.readout import Readout
from neurocode.learning.recorded_neurons import RecordedNeurons
from neurocode.learning.surrogate import Surrogate
from neurocode.learning.time_basis import TimeBasis
from neurocode.learning.voting import JointDecision, Voters
from neurocode.models.files import from_dictionary
from neurocode.models.model import NeuronModel
from neurocode.models.writing import to_dictionary
from neurocode.units import si_unit_text

#: Key of a table that names the class it describes; no option or parameter can have this name.
KIND = "is"
#: Value of this key for an array that a constructor takes.
ARRAY = "array"


class Kind(NamedTuple):
    """Two functions: one writes a part of a network as options, the other makes it from them."""

    options: Callable[[Any], dict[str, Any]]
    make: Callable[..., Any]


def require_writable(part: Any) -> None:
    """Raise for a part that :func:`made` cannot make again.

    Raises
    ------
    ModelError
        If there is such a part; the message names the first.
    """
    if unknown := _unknown(part):
        known = ", ".join(sorted(NAMES))
        raise ModelError(
            f"A network with a {unknown} cannot be written; known are {known}, and subclasses of "
            f"Output whose fields are the arguments of their constructor and whose names differ "
            f"from these."
        )


def table_of(part: Any) -> Any:
    """Return the parts of a network as plain values, without the values of arrays."""
    if isinstance(part, (tuple, list)):
        return [table_of(item) for item in part]
    if part is None or isinstance(part, (bool, int, float, str, np.generic)):
        return part.item() if isinstance(part, np.generic) else part
    if isinstance(part, NeuronModel):
        return _model_table(part)
    if isinstance(part, (jax.Array, np.ndarray)):
        return {KIND: ARRAY, "shape": list(part.shape), "type": part.dtype.str}
    if (kind := _kind(type(part))) is not None:
        options = kind.options(part)
        return {
            KIND: type(part).__name__,
            **{name: table_of(value) for name, value in options.items()},
        }
    return {KIND: type(part).__name__, "text": re.sub(" at 0x[0-9a-f]+", "", repr(part))}


def made(value: Any, readouts: Sequence[type[Output]] = ()) -> Any:
    """Return a part of a network made from a table of :func:`table_of`; its arrays have their
    initial values. ``readouts`` are classes in addition to those of neurocode.

    Raises
    ------
    DataError
        For a part that is not known.
    """
    if isinstance(value, list):
        return tuple(made(item, readouts) for item in value)
    if not isinstance(value, dict):
        return value
    options = dict(value)
    name = options.pop(KIND)
    if name == ARRAY:
        return jnp.zeros(options["shape"], options["type"])
    if name == NeuronModel.__name__:
        return _model(**options)
    names = {**{readout.__name__: readout for readout in readouts}, **NAMES}
    if name not in names:
        raise DataError(
            f"'{name}' is not a known part of a network; pass a class of your own as `readouts`"
        )
    kind = _kind(names[name])
    if kind is None:
        raise DataError(f"'{name}' is not a readout whose arguments are its fields")
    return kind.make(**{key: made(item, readouts) for key, item in options.items()})


def _kind(part: type) -> Kind | None:
    """Return how a class is written and made, or None if that is not known."""
    if part in KINDS:
        return KINDS[part]
    if not issubclass(part, Output) or part.__name__ in NAMES:
        return None
    arguments = inspect.signature(part).parameters
    kept = [name for name in arguments if name != "key"]
    if not all(hasattr(part, name) or name in part.__dataclass_fields__ for name in kept):
        return None
    return Kind(
        lambda output: {name: getattr(output, name) for name in kept},
        _keyed(part) if "key" in arguments else part,
    )


def _model_table(model: NeuronModel) -> dict[str, Any]:
    """Return a model as the table of its file, with the values of parameters that differ between
    neurons."""
    per_neuron = {
        name: parameter for name, parameter in model.parameters.items() if np.ndim(parameter.value)
    }
    first = {
        name: replace(parameter, value=float(np.ravel(parameter.value)[0]))
        for name, parameter in per_neuron.items()
    }
    table = to_dictionary(replace(model, parameters={**model.parameters, **first}))
    values = {
        name: np.asarray(parameter.value, float).tolist() for name, parameter in per_neuron.items()
    }
    return {KIND: NeuronModel.__name__, **table, "values": values}


def _model(values: dict[str, list[float]], **table: Any) -> NeuronModel:
    model = from_dictionary(table)
    per_neuron = {
        name: replace(model.parameters[name], value=np.array(value, float))
        for name, value in values.items()
    }
    return replace(model, parameters={**model.parameters, **per_neuron}) if per_neuron else model


def _layer(layer: Layer) -> dict[str, Any]:
    dynamics, coordinates = layer.dynamics, layer.intrinsic.coordinates
    (unit,) = layer.model.inputs.values()
    current = f"{float(dynamics.current)!r} {si_unit_text(unit)}"
    distance = f"{float(dynamics.distance)!r} {si_unit_text(unit_of_margin(layer.model))}"
    return {
        "connection": layer.connection,
        "model": layer.model,
        "dt": dynamics.step.dt,
        "recurrent": layer.recurrent,
        "shortcut": layer.shortcut,
        "learned": sorted(coordinates),
        "shared": sorted(name for name, value in coordinates.items() if value.ndim == 0),
        "surrogate": dynamics.surrogate,
        "reset_gradient": dynamics.reset_gradient,
        "draw_gradient": dynamics.draw_gradient,
        "dropout": layer.dropout,
        "segment": layer.segment,
        "current_unit": current,
        "margin_unit": distance,
    }


def _convolution(part: Convolution) -> dict[str, Any]:
    channels, size = part.weight.shape[0], part.weight.shape[-1]
    options = {
        "shape": part.shape,
        "channels": channels,
        "size": size,
        "pool": part.pool,
        "stride": part.stride,
    }
    return {**options, "bias": part.bias is not None}


def _readout(part: Readout) -> dict[str, Any]:
    options = {"connection": part.connection, "dt": part.dt, "time_constant": part.time_constant}
    return {**options, "bounds": part.bounds, "synapse": part.synapse}


def _keyed(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a constructor that gets a random key; the arrays of the file replace what it draws."""
    return lambda **options: make(**options, key=jax.random.key(0))


KINDS: dict[type, Kind] = {
    Layer: Kind(_layer, Layer),
    Shortcut: Kind(lambda part: {"back": part.back, "connection": part.connection}, Shortcut),
    Dense: Kind(
        lambda part: {
            "n_in": part.n_in,
            "n_out": part.n_out,
            "bias": part.bias is not None,
            "delay": part.delay,
        },
        _keyed(Dense),
    ),
    Convolution: Kind(_convolution, _keyed(Convolution)),
    Pool: Kind(
        lambda part: {"shape": part.shape, "side": part.side, "highest": part.highest}, Pool
    ),
    BatchNorm: Kind(lambda part: {"n": part.n, "channels": len(part.scale)}, BatchNorm),
    Chain: Kind(lambda part: {"parts": part.parts}, Chain),
    Recurrent: Kind(
        lambda part: {"n": len(part.weight), "delay": part.delay, "gradient": part.gradient},
        _keyed(Recurrent),
    ),
    TimeBasis: Kind(
        lambda part: {
            "duration": (len(part.weight) - 1) * part.spacing,
            "spacing": part.spacing,
            "n_out": part.n_out,
        },
        _keyed(TimeBasis),
    ),
    Readout: Kind(_readout, _keyed(Readout)),
    Voters: Kind(
        lambda part: {"layer": part.layer, "classes": part.n_classes},
        lambda layer, classes: Voters(layer, classes),
    ),
    JointDecision: Kind(
        lambda part: {
            "voters": part.voters,
            "integrators": part.integrators,
            "steps": len(part.of_steps),
        },
        lambda voters, integrators, steps: JointDecision(voters, integrators, steps),
    ),
    RecordedNeurons: Kind(lambda part: {"layer": part.layer}, RecordedNeurons),
    Surrogate: Kind(asdict, Surrogate),
}
NAMES: dict[str, type] = {kind.__name__: kind for kind in (*KINDS, NeuronModel)}


def _unknown(part: Any) -> str | None:
    """Return the name of the class of the first unknown part, or None."""
    if isinstance(part, (list, tuple)):
        return next((name for item in part if (name := _unknown(item))), None)
    if part is None or isinstance(
        part, (bool, int, float, str, np.generic, np.ndarray, jax.Array, NeuronModel)
    ):
        return None
    if (kind := _kind(type(part))) is None:
        return type(part).__name__
    return _unknown(list(kind.options(part).values()))

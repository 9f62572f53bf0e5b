"""Networks in files: what one is made of in plain values, then its arrays; nothing in a file is run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import BatchNorm, Chain, Convolution, Dense, Pool, Recurrent
from neurocode.learning.dynamics import unit_of_margin
from neurocode.learning.layer import Layer, Shortcut
from neurocode.learning.network import Network
from neurocode.learning.readout import Readout
from neurocode.learning.recorded_neurons import RecordedNeurons
from neurocode.learning.sealed import read_sealed, write_sealed
from neurocode.learning.surrogate import Surrogate
from neurocode.learning.time_basis import TimeBasis
from neurocode.learning.voting import JointDecision, Voters
from neurocode.models.files import from_dictionary
from neurocode.models.model import NeuronModel
from neurocode.models.writing import to_dictionary
from neurocode.units import si_unit_text

MAGIC = b"neurocode network 1"
#: Key that names what a table describes; no option and no parameter can have this name.
KIND = "is"


class Kind(NamedTuple):
    """How a part of a network is written as options, and made from them."""

    options: Callable[[Any], dict[str, Any]]
    make: Callable[..., Any]


def save(net: Network, path: str | Path) -> Path:
    """Write a network to a file that :func:`load` reads.

    Parameters
    ----------
    net : Network
    path : path

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ModelError
        For a network with a disturbance, or with parts that are not neurocode's own.

    Examples
    --------
    >>> import tempfile
    >>> from neurocode.learning import Dense, load, save
    >>> net = Network([Readout(Dense(3, 2, key=jax.random.key(0)), 1e-3)])
    >>> again = load(save(net, Path(tempfile.mkdtemp()) / "network.bin"))
    >>> bool((again.readout.connection.weight == net.readout.connection.weight).all())
    True
    """
    path = Path(path)
    table = description(net)
    if net.disturbance is not None:
        raise ModelError("A network with a disturbance is not written; write the one without it.")
    if unknown := _unknown(table):
        raise ModelError(f"A network with a {unknown} is not written; known are {', '.join(sorted(NAMES))}.")
    write_sealed(path, MAGIC, table, jax.tree.leaves(net))
    return path


def load(path: str | Path) -> Network:
    """Read a network that :func:`save` wrote, its arrays bit for bit.

    Parameters
    ----------
    path : path

    Returns
    -------
    Network

    Raises
    ------
    DataError
        That names the file: missing, damaged, another kind of file, or a network that does not fit together.
    """
    path = Path(path)
    table, leaves = read_sealed(path, MAGIC, "network of neurocode")
    structures = []

    def outline() -> list[jax.Array]:
        net = made(table)
        if not isinstance(net, Network):
            raise ModelError("it is no whole network")
        structures.append(jax.tree.structure(net))
        return jax.tree.leaves(net)

    try:
        # abstract, so that no memory is taken for sizes that the arrays of the file do not have
        expected = jax.eval_shape(outline)
        if [_form(leaf) for leaf in leaves] != [_form(leaf) for leaf in expected]:
            raise ModelError("its arrays are not those of its parts")
    except (ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError, RecursionError) as error:
        raise DataError(f"{path}: the network does not fit together ({str(error).rstrip('.')}).") from None
    return jax.tree.unflatten(structures[0], leaves)


def description(part: Any) -> Any:
    """What a network or a part of it is made of, as plain values; arrays apart."""
    if isinstance(part, (tuple, list)):
        return [description(item) for item in part]
    if part is None or isinstance(part, (bool, int, float, str, np.generic)):
        return part.item() if isinstance(part, np.generic) else part
    if isinstance(part, NeuronModel):
        return _model_table(part)
    if type(part) in KINDS:
        options = KINDS[type(part)].options(part)
        return {KIND: type(part).__name__, **{name: description(value) for name, value in options.items()}}
    return {KIND: type(part).__name__, "text": re.sub(" at 0x[0-9a-f]+", "", repr(part))}


def made(value: Any) -> Any:
    """A network or a part of it from :func:`description`, with arrays at their start.

    Raises
    ------
    DataError
        For a part that is not known.
    """
    if isinstance(value, list):
        return tuple(made(item) for item in value)
    if not isinstance(value, dict):
        return value
    options = dict(value)
    name = options.pop(KIND)
    if name not in NAMES:
        raise DataError(f"'{name}' is no part of a network")
    if name == NeuronModel.__name__:
        return _model(**options)
    return KINDS[NAMES[name]].make(**{key: made(item) for key, item in options.items()})


def _model_table(model: NeuronModel) -> dict[str, Any]:
    """A model as the table of its file, and the values of parameters that differ between neurons."""
    each = {name: parameter for name, parameter in model.parameters.items() if np.ndim(parameter.value)}
    first = {name: replace(parameter, value=float(np.ravel(parameter.value)[0])) for name, parameter in each.items()}
    table = to_dictionary(replace(model, parameters={**model.parameters, **first}))
    values = {name: np.asarray(parameter.value, float).tolist() for name, parameter in each.items()}
    return {KIND: NeuronModel.__name__, **table, "values": values}


def _model(values: dict[str, list[float]], **table: Any) -> NeuronModel:
    model = from_dictionary(table)
    each = {name: replace(model.parameters[name], value=np.array(value, float)) for name, value in values.items()}
    return replace(model, parameters={**model.parameters, **each}) if each else model


def _layer(layer: Layer) -> dict[str, Any]:
    dynamics, coordinates = layer.dynamics, layer.intrinsic.coordinates
    (unit,) = layer.model.inputs.values()
    current = f"{float(dynamics.current)!r} {si_unit_text(unit)}"
    distance = f"{float(dynamics.distance)!r} {si_unit_text(unit_of_margin(layer.model))}"
    return {
        "connection": layer.connection, "model": layer.model, "dt": dynamics.step.dt, "recurrent": layer.recurrent,
        "shortcut": layer.shortcut, "learned": sorted(coordinates),
        "shared": sorted(name for name, value in coordinates.items() if value.ndim == 0), "surrogate": dynamics.surrogate,
        "reset_gradient": dynamics.reset_gradient, "dropout": layer.dropout, "segment": layer.segment, "current_unit": current,
        "margin_unit": distance,
    }  # fmt: skip


def _convolution(part: Convolution) -> dict[str, Any]:
    channels, size = part.weight.shape[0], part.weight.shape[-1]
    options = {"shape": part.shape, "channels": channels, "size": size, "pool": part.pool, "stride": part.stride}
    return {**options, "bias": part.bias is not None}


def _readout(part: Readout) -> dict[str, Any]:
    options = {"connection": part.connection, "dt": part.dt, "time_constant": part.time_constant}
    return {**options, "bounds": part.bounds, "synapse": part.synapse}


def _keyed(make: Callable[..., Any]) -> Callable[..., Any]:
    """With a random key for what the arrays of the file take the place of."""
    return lambda **options: make(**options, key=jax.random.key(0))


KINDS: dict[type, Kind] = {
    Network: Kind(lambda net: {"layers": [*net.layers, net.readout]}, Network),
    Layer: Kind(_layer, Layer),
    Shortcut: Kind(lambda part: {"back": part.back, "connection": part.connection}, Shortcut),
    Dense: Kind(
        lambda part: {"n_in": part.n_in, "n_out": part.n_out, "bias": part.bias is not None, "delay": part.delay}, _keyed(Dense)
    ),
    Convolution: Kind(_convolution, _keyed(Convolution)),
    Pool: Kind(lambda part: {"shape": part.shape, "side": part.side, "highest": part.highest}, Pool),
    BatchNorm: Kind(lambda part: {"n": part.n, "channels": len(part.scale)}, BatchNorm),
    Chain: Kind(lambda part: {"parts": part.parts}, Chain),
    Recurrent: Kind(lambda part: {"n": len(part.weight), "delay": part.delay, "gradient": part.gradient}, _keyed(Recurrent)),
    TimeBasis: Kind(
        lambda part: {"duration": (len(part.weight) - 1) * part.spacing, "spacing": part.spacing, "n_out": part.n_out},
        _keyed(TimeBasis),
    ),
    Readout: Kind(_readout, _keyed(Readout)),
    Voters: Kind(lambda part: {"layer": part.layer, "classes": part.classes}, Voters),
    JointDecision: Kind(
        lambda part: {"voters": part.voters, "integrators": part.integrators, "steps": len(part.of_steps)}, JointDecision
    ),
    RecordedNeurons: Kind(lambda part: {"layer": part.layer}, RecordedNeurons),
    Surrogate: Kind(asdict, Surrogate),
}
NAMES: dict[str, type] = {kind.__name__: kind for kind in (*KINDS, NeuronModel)}


def _form(array: Any) -> tuple[str, tuple[int, ...]]:
    """Kind of the numbers of an array, and its shape."""
    return array.dtype.kind, array.shape


def _unknown(table: Any) -> str | None:
    """Name of the first part that is not known."""
    if isinstance(table, list):
        return next((name for item in table if (name := _unknown(item))), None)
    if not isinstance(table, dict) or table.get(KIND) == NeuronModel.__name__:
        return None
    if table[KIND] not in NAMES:
        return table[KIND]
    return _unknown(list(table.values()))

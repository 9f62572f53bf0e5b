"""A trained network as a Brian2 network that fires the same spikes.

Brian2 delivers spikes after the state update, so a plain network adds one step of delay per layer.
Here every layer has scheduling slots of its own: those of the first layer (state update, threshold,
synapses, reset) come before those of the second, so that nothing is delayed.
"""

from __future__ import annotations

from dataclasses import dataclass

import brian2
import jax
import neo
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import Chain, Connection, Dense, Pool, Recurrent, project
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network
from neurocode.learning.readout import Readout, as_integrators
from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter
from neurocode.simulation.brian import code_generation, neuron_group, random_state
from neurocode.units import parse_unit, si_unit_text

SLOTS = ("groups", "thresholds", "synapses", "resets")
READOUT = "readout"


@dataclass(frozen=True)
class BrianRun:
    """Response of a network in Brian2.

    Attributes
    ----------
    spikes : tuple of numpy.ndarray of bool (time, batch, n)
        Spikes of each layer.
    potentials : numpy.ndarray (time, batch, outputs)
        Potentials of the readout.
    dt : float
        Time step in seconds.
    """

    spikes: tuple[np.ndarray, ...]
    potentials: np.ndarray
    dt: float

    def block(self) -> neo.Block:
        """Return the spike trains, one segment per sequence, named ``layer/neuron``."""
        block = neo.Block(name="network", dt=self.dt)
        steps, batch = self.spikes[0].shape[:2]
        for sequence in range(batch):
            segment = neo.Segment(name=f"sequence {sequence}", index=sequence)
            for number, layer in enumerate(self.spikes):
                for neuron in range(layer.shape[2]):
                    times = np.flatnonzero(layer[:, sequence, neuron]) * self.dt
                    segment.spiketrains.append(
                        neo.SpikeTrain(
                            times, units="s", t_stop=steps * self.dt, name=f"{number}/{neuron}"
                        )
                    )
            block.segments.append(segment)
        return block


def run_in_brian(network: Network, x: np.ndarray, *, seed: int | None = None) -> BrianRun:
    """Run a network in Brian2, all sequences in parallel.

    Parameters
    ----------
    network : Network
    x : numpy.ndarray (time, batch, inputs)
    seed : int, optional
        Seed of Brian2's random numbers, for noisy models; their spikes are then not those of the
        JAX network.

    Returns
    -------
    BrianRun

    Raises
    ------
    DataError
        For inputs of another shape, or with values that are not finite.
    ModelError
        For a network with shortcuts, a disturbance, maximum pooling, or voters.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> layer = Layer(Dense(2, 4, key=a), nc.models.adlif(), 1e-3)
    >>> network = Network([layer, Readout(Dense(4, 2, key=b), 1e-3)])
    >>> run_in_brian(network, np.ones((30, 1, 2))).spikes[0].shape
    (30, 1, 4)
    """
    x = np.asarray(x, float)
    if x.ndim != 3 or x.shape[2] != network.n_in or not np.all(np.isfinite(x)):
        raise DataError(
            f"The network takes finite inputs of shape (time, batch, {network.n_in}), not "
            f"{x.shape}."
        )
    _require_synapses(network)
    steps, batch, _ = x.shape
    with jax.enable_x64(True):
        network = jax.tree.map(lambda leaf: np.asarray(leaf, float), network)
        drive = np.asarray(project(_parts(network)[0].connection, jax.numpy.asarray(x)))
    with random_state(seed), code_generation(steps):
        return _run(network, drive, batch)


def _parts(network: Network) -> list[Layer | Readout]:
    return [*network.layers, as_integrators(network.readout)]


def _require_synapses(network: Network) -> None:
    """Raise unless every connection is a sum over synapses and the readout is leaky integrators."""
    if not isinstance(network.readout, Readout) or network.disturbance is not None:
        raise ModelError("A network with voters or a disturbance cannot be run in Brian2.")
    for number, part in enumerate((*network.layers, network.readout)):
        parts = part.connection.parts if isinstance(part.connection, Chain) else (part.connection,)
        if getattr(part, "shortcut", None) is not None or any(
            isinstance(connection, Pool) and connection.highest for connection in parts
        ):
            raise ModelError(
                f"Layer {number} has a shortcut or maximum pooling, which cannot be run in Brian2."
            )


def _run(network: Network, drive: np.ndarray, batch: int) -> BrianRun:
    steps = len(drive)
    groups = [_layer_group(layer, number, batch) for number, layer in enumerate(network.layers)]
    groups.append(_readout_group(network, batch))
    parts = _parts(network)
    objects = []
    for number, (group, part) in enumerate(zip(groups, parts, strict=True)):
        base = _bias(part.connection, batch) if number else drive
        objects += [group, _base_current(group, part, base, number, network.dt)]
        if number:
            objects.append(_synapses(groups[number - 1], group, part, number - 1, batch))
        if isinstance(part, Layer) and part.recurrent is not None:
            objects.append(_loops(group, part, part.recurrent, number, batch))
    monitors = [brian2.SpikeMonitor(group) for group in groups[:-1]]
    potentials = brian2.StateMonitor(groups[-1], "y", record=True, when="end")
    simulation = brian2.Network(*objects, *monitors, potentials)
    simulation.schedule = [
        "start",
        *(f"{slot}_{number}" for number in range(len(groups)) for slot in SLOTS),
        "end",
    ]
    for number, monitor in enumerate(monitors):
        monitor.when = f"after_thresholds_{number}"
    simulation.run(steps * network.dt * brian2.second, namespace={})
    spikes = tuple(
        _raster(m, steps, batch, layer.n, network.dt)
        for m, layer in zip(monitors, network.layers, strict=True)
    )
    return BrianRun(spikes, np.asarray(potentials.y).T.reshape(steps, batch, -1), network.dt)


def _layer_group(layer: Layer, number: int, batch: int) -> brian2.NeuronGroup:
    with jax.enable_x64(True):
        values = {
            name: np.asarray(value, float) for name, value in layer.intrinsic.values().items()
        }
    per_neuron = {name: np.tile(value, batch) for name, value in values.items() if value.ndim}
    shared = {name: float(value) for name, value in values.items() if not value.ndim}
    group = neuron_group(
        layer.model, batch * layer.n, layer.dynamics.step.dt, parameters={**shared, **per_neuron}
    )
    return _in_slots(group, number)


def _readout_model(synapse: float | None) -> NeuronModel:
    """Return the equations of a readout as a model that never spikes."""
    direct = "dy/dt = (-y + I)/tau : 1\nI : 1"
    filtered = (
        "dy/dt = (-y + c)/tau : 1\ndc/dt = -c/synapse + I/(synapse*(1 - exp(-dt/synapse))) "
        ": 1\nI : 1"
    )
    parameters = {} if synapse is None else {"synapse": Parameter.of(f"{synapse} s")}
    return NeuronModel(
        name=READOUT,
        equations=direct if synapse is None else filtered,
        margin="y - y - 1",
        reset="y = y",
        integrator="exponential_euler",
        parameters={"tau": Parameter.of("20 ms", per_neuron=True), **parameters},
    )


def _readout_group(network: Network, batch: int) -> brian2.NeuronGroup:
    readout = as_integrators(network.readout)
    model = _readout_model(readout.synapse)
    with jax.enable_x64(True):
        constants = np.asarray(readout.time_constants, float)
    values = {**model.values, "tau": np.tile(constants, batch)}
    group = neuron_group(model, batch * len(constants), network.dt, parameters=values)
    return _in_slots(group, len(network.layers))


def _in_slots(group: brian2.NeuronGroup, number: int) -> brian2.NeuronGroup:
    """Move all operations of a group to the slots of its layer."""
    for item in group.contained_objects:
        prefix, _, slot = item.when.rpartition("_")
        item.when = f"{prefix}_{slot}_{number}".lstrip("_")
    return group


def _current(part: Layer | Readout) -> float:
    return part.dynamics.current if isinstance(part, Layer) else 1.0


def _input_name(part: Layer | Readout) -> tuple[str, str]:
    return next(iter(part.model.inputs.items())) if isinstance(part, Layer) else ("I", "1")


def _base_current(
    group: brian2.NeuronGroup, part: Layer | Readout, values: np.ndarray, number: int, dt: float
) -> brian2.CodeRunner:
    """Set the current of the next step before synapses add to it: the weighted input in the first
    layer, the bias in the others."""
    name, unit = _input_name(part)
    table = np.reshape(values, (len(values), -1)) * _current(part)
    quantity = brian2.Quantity(table, dim=parse_unit(unit).dim)
    setattr(group, name, quantity[0])
    group.namespace["base_current"] = brian2.TimedArray(quantity, dt=dt * brian2.second)
    return group.run_regularly(f"{name} = base_current(t + dt, i)", when=f"after_groups_{number}")


def _bias(connection: Connection, batch: int) -> np.ndarray:
    """Return the input of a layer in one step without spikes."""
    with jax.enable_x64(True):
        return np.tile(
            np.asarray(connection(jax.numpy.zeros((1, 1, connection.n_in)))), (1, batch, 1)
        )


def _matrix(connection: Connection) -> np.ndarray:
    """Return the weights from each input to each output."""
    if isinstance(connection, Dense):
        return np.asarray(connection.weight)
    with jax.enable_x64(True):
        answers = connection(jax.numpy.eye(connection.n_in)[None])[0]
        return np.asarray(answers) - _bias(connection, 1)[0]


def _synapses(
    source: brian2.NeuronGroup,
    target: brian2.NeuronGroup,
    part: Layer | Readout,
    number: int,
    batch: int,
) -> brian2.Synapses:
    """Connect the spikes of layer ``number`` to the current of the next layer; they are delivered
    in the slot of layer ``number``."""
    weight = _matrix(part.connection) * _current(part)
    delay = getattr(part.connection, "delay", None) or (0,) * len(weight)
    return _connected(source, target, weight, np.asarray(delay), number, batch, *_input_name(part))


def _loops(
    group: brian2.NeuronGroup, layer: Layer, recurrent: Recurrent, number: int, batch: int
) -> brian2.Synapses:
    weight = np.asarray(recurrent.weight) * _current(layer)
    return _connected(
        group,
        group,
        weight,
        np.asarray(recurrent.delay) - 1,
        number,
        batch,
        *_input_name(layer),
    )


def _connected(
    source: brian2.NeuronGroup,
    target: brian2.NeuronGroup,
    weight: np.ndarray,
    steps: np.ndarray,
    number: int,
    batch: int,
    name: str,
    unit: str,
) -> brian2.Synapses:
    synapses = brian2.Synapses(
        source,
        target,
        f"weight : {si_unit_text(unit)}",
        on_pre=f"{name}_post += weight",
        dt=source.clock.dt,
    )
    rows, columns = np.nonzero(weight)
    first, second = weight.shape
    offsets = np.arange(batch)[:, None]
    synapses.connect(i=(rows + first * offsets).ravel(), j=(columns + second * offsets).ravel())
    synapses.variables["weight"].set_value(np.tile(weight[rows, columns], batch))
    if np.any(steps):
        synapses.delay = np.tile(steps[rows], batch) * source.clock.dt
    synapses.pre.when = f"synapses_{number}"
    return synapses


def _raster(monitor: brian2.SpikeMonitor, steps: int, batch: int, n: int, dt: float) -> np.ndarray:
    raster = np.zeros((steps, batch * n), bool)
    raster[np.round(np.asarray(monitor.t) / dt).astype(int), np.asarray(monitor.i)] = True
    return raster.reshape(steps, batch, n)

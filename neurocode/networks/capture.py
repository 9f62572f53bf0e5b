"""Read a Brian2 network as it stands before a run; the only file that knows Brian2's internals.

Every object prepares its code as for a run, but the device hands the code to a recorder instead of
compiling it. Afterwards all objects are put back as they were.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import brian2
import numpy as np
from brian2.codegen.translation import make_statements
from brian2.core.base import BrianObject
from brian2.core.clocks import Clock
from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, Function
from brian2.core.magic import collect, magic_network
from brian2.core.namespace import DEFAULT_UNITS, get_local_namespace
from brian2.core.network import _check_multiple_summed_updaters
from brian2.core.variables import (
    ArrayVariable,
    Constant,
)
from brian2.devices.device import RuntimeDevice, get_device
from brian2.groups.group import CodeRunner
from brian2.groups.subgroup import Subgroup
from brian2.input.binomial import BinomialFunction
from brian2.input.timedarray import TimedArray, _find_K
from brian2.spatialneuron.spatialneuron import SpatialNeuron
from brian2.units.fundamentalunits import DIMENSIONLESS, Quantity, get_unit
from brian2.utils.stringtools import get_identifiers

from neurocode.errors import ModelError
from neurocode.networks.captured import (
    BinomialDraws,
    Block,
    Captured,
    Generator,
    Line,
    Monitor,
    Pathway,
    Reference,
    Sum,
    TimedValues,
    first_step,
)
from neurocode.networks.jax_functions import jax_version
from neurocode.simulation.brian import BRIAN

#: Templates of code objects that the engines run.
TEMPLATES = {
    "stateupdate",
    "threshold",
    "reset",
    "synapses",
    "summed_variable",
    "spikemonitor",
    "statemonitor",
    "ratemonitor",
    "spikegenerator",
}

KINDS = {"b": "boolean", "i": "integer", "u": "integer", "f": "float"}


class Handles:
    """The user's own Brian2 objects, to write values back and to fill monitors."""

    def __init__(self) -> None:
        self.variables: dict[str, ArrayVariable] = {}
        self.namespaces: dict[str, tuple[Any, str, Any]] = {}
        self.monitors: dict[str, Any] = {}

    def write(self, key: str, value: np.ndarray) -> None:
        """Set an array, or a constant in the namespace of its group, in SI."""
        if key in self.variables:
            self.variables[key].set_value(value)
            return
        group, name, dimensions = self.namespaces[key]
        group.namespace[name] = Quantity(float(value), dim=dimensions)

    def append(self, monitor: str, values: Mapping[str, np.ndarray], n_new: int) -> None:
        """Append rows to what a monitor has recorded; ``count`` adds to its counts."""
        recorder = self.monitors[monitor]
        variables = recorder.variables
        before = int(variables["N"].get_value().item())
        for name, new in values.items():
            if name == "count":
                variables[name].set_value(variables[name].get_value() + new)
                continue
            size = before + n_new
            variables[name].resize((size, *new.shape[1:]) if new.ndim > 1 else size)
            variables[name].get_value()[before:] = new
        if n_new:
            variables["N"].set_value(before + n_new)


@dataclass(frozen=True)
class _Code:
    """A code object that Brian2 asked for; it stands in for one and does nothing."""

    template: str
    code: Mapping[str | None, str]
    variables: Mapping[str, Any]
    indices: Mapping[str, str]
    extras: Mapping[str, Any]
    overridden: set[str]
    owner: Any

    def before_run(self) -> None: ...

    def after_run(self) -> None: ...


def capture(network: Any, namespace: Mapping | None, level: int) -> tuple[Captured, Handles]:
    """Capture a network, or the visible objects of the caller ``level`` frames above this one.

    Raises
    ------
    ModelError
        If an object is not covered; the message names it and why.
    """
    with BRIAN:
        device = get_device()
        if type(device) is not RuntimeDevice:
            raise ModelError(
                "The network is built for a standalone device; call set_device('runtime') first."
            )
        if np.dtype(brian2.prefs.core.default_float_dtype) != np.float64:
            raise ModelError("The network computes in float32, only float64 is covered.")
        if namespace is None:
            namespace = get_local_namespace(level + 1)
        objects, start = _objects(network, level + 1)
        for each in objects:
            _require_covered(each)
        codes, generators = _caught(objects, device, namespace, start)
        reader = _Reader()
        blocks = [
            reader.block(each, code, generators.get(each.name))
            for each in objects
            for code in codes[each.name]
        ]
        clocks = {each.clock.name: float(each.clock.dt_) for each in objects}
        return reader.captured(blocks, clocks, start), reader.handles


def _objects(network: Any, level: int) -> tuple[list[Any], float]:
    """Active objects in the order of a time step, and the time at which a run would start."""
    if network is not None and not isinstance(network, brian2.Network):
        raise ModelError(f"Expected a Network of Brian2, not {type(network).__name__}.")
    if network is None or (network is magic_network and not network.objects):
        objects, start = _visible_objects(level + 1)
    else:
        objects, start = network.sorted_objects, float(network.t_)
        network.check_dependencies()
    if not objects:
        raise ModelError("No objects of Brian2 are in the network.")
    names = [each.name for each in objects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(f"The name '{twice[0]}' is used by several objects.")
    _check_multiple_summed_updaters(objects)
    return [each for each in objects if each.active], start


def _visible_objects(level: int) -> tuple[list[Any], float]:
    """What ``run`` would run, without telling the magic network about it."""
    visible = collect(level + 1)
    kept = magic_network.objects
    try:
        magic_network.objects = visible
        objects = magic_network.sorted_objects
    finally:
        magic_network.objects = kept
    known = any(each._network == magic_network.id for each in objects)
    new = any(each._network is None and each.invalidates_magic_network for each in objects)
    if known and new:
        raise ModelError(
            "Some objects in scope have been run and others have not; put them into a Network."
        )
    present = {each.id for each in objects}
    objects = [each for each in objects if each._dependencies <= present]
    return objects, 0.0 if new else float(magic_network.t_)


def _require_covered(each: Any) -> None:
    """Refuse an object that the engines cannot run."""
    kind = type(each).__name__
    if isinstance(each, SpatialNeuron):
        raise ModelError(f"'{each.name}' is a SpatialNeuron, only point neurons are covered.")
    if type(each).run is not BrianObject.run:
        raise ModelError(
            f"'{each.name}' is a {kind}, which runs Python code in every step: it is not covered."
        )
    if not isinstance(each.clock, Clock):
        raise ModelError(
            f"'{each.name}' runs on a clock without a time step, which is not covered."
        )
    method = getattr(each, "method_choice", None)
    if isinstance(method, str) and method.startswith("gsl"):
        raise ModelError(f"'{each.name}' is integrated by GSL ({method}), which is not covered.")


def _caught(
    objects: list[Any], device: Any, namespace: Mapping, start: float
) -> tuple[dict[str, list[_Code]], dict[str, Generator]]:
    """Code objects by the name of their object, and the spikes of generators."""
    codes: dict[str, list[_Code]] = {}
    generators = {}
    with _undisturbed(objects), _recorder(device) as record:
        for clock in {each.clock for each in objects}:
            step = first_step(start, float(clock.dt_))
            clock.variables["timestep"].set_value(step)
            clock.variables["t"].set_value(step * clock.dt_)
        for each in objects:
            record.clear()
            each.before_run(namespace)
            codes[each.name] = [code for code in record if code.template != "synapses_push_spikes"]
            for code in codes[each.name]:
                if code.template not in TEMPLATES:
                    raise ModelError(
                        f"'{each.name}' needs Brian2's template '{code.template}', which is not "
                        f"covered."
                    )
                if code.template == "spikegenerator":
                    generators[each.name] = _generator(each)
    return codes, generators


@contextmanager
def _recorder(device: Any) -> Iterator[list[_Code]]:
    """Hand code to a list instead of compiling it."""
    record: list[_Code] = []

    def code_object(**request: Any) -> _Code:
        code = _Code(
            template=request["template_name"],
            code=request["abstract_code"],
            variables=request["variables"],
            indices=request["variable_indices"],
            extras=request.get("template_kwds") or {},
            overridden=set(request.get("override_conditional_write") or ()),
            owner=request["owner"],
        )
        record.append(code)
        return code

    target = brian2.prefs.codegen.target
    device.code_object = code_object
    brian2.prefs.codegen.target = "numpy"
    try:
        yield record
    finally:
        brian2.prefs.codegen.target = target
        del device.code_object


@contextmanager
def _undisturbed(objects: list[Any]) -> Iterator[None]:
    """Put attributes and arrays of objects back as they were.

    Preparing a run sets clocks, caches code in objects and counts the spikes of generators.
    """
    attributes = [(each, dict(vars(each)), list(each._code_objects)) for each in objects]
    generators = [each for each in objects if isinstance(each, brian2.SpikeGeneratorGroup)]
    arrays = [
        (variable, np.array(variable.get_value()))
        for each in [*generators, *{each.clock for each in objects}]
        for variable in each.variables.values()
        if isinstance(variable, ArrayVariable)
    ]
    try:
        yield
    finally:
        for variable, value in arrays:
            variable.set_value(value)
        for each, kept, codes in attributes:
            vars(each).clear()
            vars(each).update(kept)
            each._code_objects[:] = codes


def _generator(group: Any) -> Generator:
    values = {name: group.variables[name].get_value() for name in ("neuron_index", "_timebins")}
    return Generator(
        np.array(values["neuron_index"]),
        np.array(values["_timebins"]),
        int(group.variables["_period_bins"].get_value().item()),
        int(group.variables["_lastindex"].get_value().item()),
    )


class _Reader:
    """Turn recorded code into blocks and collect what they refer to."""

    def __init__(self) -> None:
        self.handles = Handles()
        self.constants: dict[str, float] = {}
        self.fixed: set[str] = set()
        self.events: dict[str, int] = {}

    def block(self, each: Any, code: _Code, generator: Generator | None) -> Block:
        """Block of one code object of an object."""
        monitor = _monitor(each, code)
        if monitor is not None:
            self.handles.monitors[each.name] = each
        scalar, vector = _lines(code)
        conditions = {
            name: variable.conditional_write.name
            for name, variable in code.variables.items()
            if getattr(variable, "conditional_write", None) is not None
            and variable.conditional_write.name not in code.overridden
        }
        group = _named_group(each if monitor is None else each.source)
        names = _needed_names(code, scalar + vector, conditions)
        references, constants, literals = self._names(each, code, names, group)
        return Block(
            name=each.name,
            owner=group.name,
            template=code.template,
            clock=each.clock.name,
            size=_size(code),
            scalar=scalar,
            vector=vector,
            references=references,
            constants=constants,
            literals=literals,
            functions=_functions(each, code, names),
            conditions={n: c for n, c in conditions.items() if n in names},
            events=self._events(code),
            refractory=self._refractory(code),
            part=generator or monitor or self._part(each, code),
        )

    def captured(self, blocks: list[Block], clocks: Mapping[str, float], start: float) -> Captured:
        arrays = {
            key: np.array(variable.get_value())
            for key, variable in self.handles.variables.items()
            if getattr(variable.owner, "name", "") not in clocks
        }
        small = [k for k, v in arrays.items() if v.dtype.kind == "f" and v.dtype != np.float64]
        if small:
            raise ModelError(f"'{small[0]}' is kept in float32, only float64 is covered.")
        return Captured(
            tuple(blocks), arrays, self.constants, frozenset(self.fixed), self.events, clocks, start
        )

    def key(self, variable: ArrayVariable) -> str:
        """Key of an array, which is then captured."""
        key = _key_of(variable)
        self.handles.variables[key] = variable
        return key

    def _events(self, code: _Code) -> str:
        variable = code.extras.get("eventspace_variable", code.variables.get("_spikespace"))
        if code.template == "synapses":
            pathway = code.extras["pathway"]
            variable = pathway.source.variables[pathway.eventspace_name]
        if variable is None:
            return ""
        key = _key_of(variable)
        self.events[key] = variable.size - 1
        return key

    def _refractory(self, code: _Code) -> tuple[str, ...]:
        if not code.extras.get("_uses_refractory"):
            return ()
        return tuple(self.key(code.variables[name]) for name in ("not_refractory", "lastspike"))

    def _part(self, each: Any, code: _Code) -> Pathway | Sum | None:
        if code.template == "synapses":
            self.fixed.add(_key_of(each._delays))
            return _pathway(each, self._events(code))
        if code.template != "summed_variable":
            return None
        extras = code.extras
        start = extras["_target_start"]
        stop = extras["_target_stop"]
        if stop < 0:
            stop = start + int(
                np.asarray(code.variables[extras["_target_size_name"]].get_value()).item()
            )
        return Sum(self.key(extras["_target_var"]), self.key(extras["_index_var"]), start, stop)

    def _names(
        self, each: Any, code: _Code, names: Iterable[str], group: Any
    ) -> tuple[dict[str, Reference], dict[str, str], dict[str, float]]:
        references, constants, literals = {}, {}, {}
        for name in sorted(names):
            variable = code.variables.get(name)
            if isinstance(variable, ArrayVariable):
                references[name] = Reference(self.key(variable), code.indices[name])
            elif isinstance(variable, Constant):
                value = variable.get_value()
                if name in DEFAULT_UNITS or name in DEFAULT_CONSTANTS or _is_whole(value):
                    literals[name] = np.asarray(value).item()
                else:
                    constants[name] = self._constant(each, group, variable)
        return references, constants, literals

    def _constant(self, each: Any, group: Any, variable: Constant) -> str:
        key, value = f"{group.name}.{variable.name}", float(np.asarray(variable.get_value()))
        if self.constants.get(key, value) != value:
            key = f"{each.name}.{variable.name}"
        self.constants[key] = value
        self.handles.namespaces[key] = (group, variable.name, variable.dim)
        return key


def _key_of(variable: Any) -> str:
    return f"{variable.owner.name}.{variable.name}"


def _is_whole(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_, int, np.integer))


def _unit(dimensions: Any) -> str:
    return "1" if dimensions is DIMENSIONLESS else repr(get_unit(dimensions)).replace(" ", "")


def _named_group(each: Any) -> Any:
    """The group whose names an object uses, and that users know."""
    if isinstance(each, CodeRunner) and each.group is not None:
        each = each.group
    while isinstance(each, Subgroup):
        each = each.source
    return each


def _size(code: _Code) -> int:
    size = code.variables.get("N")
    if size is None or code.template in ("spikemonitor", "statemonitor", "ratemonitor"):
        return 0
    return int(np.asarray(size.get_value()).item())


def _lines(code: _Code) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    (text,) = code.code.values()
    scalar, vector = make_statements(text, code.variables, np.float64, optimise=True)
    return tuple(map(_line, scalar)), tuple(map(_line, vector))


def _line(statement: Any) -> Line:
    kind = KINDS[np.dtype(statement.dtype).kind]
    truths = statement.used_boolean_variables or ()
    switch = None
    if kind == "float" and len(truths) == 1:
        simplified = {
            values[0][1]: text for values, text in statement.boolean_simplified_expressions.items()
        }
        switch = (truths[0], simplified[True], simplified[False])
    return Line(statement.var, statement.op, statement.expr, kind, switch)


def _needed_names(code: _Code, lines: Iterable[Line], conditions: Mapping[str, str]) -> set[str]:
    """Names that statements read and write, their conditions and their indices."""
    names = set()
    for line in lines:
        names |= {line.name} | get_identifiers(line.expression)
        for text in line.switch or ():
            names |= get_identifiers(text)
    names |= {conditions[name] for name in names & set(conditions)}
    while True:
        indices = {code.indices.get(name, "_idx") for name in names} - {"_idx", "0"}
        if indices <= names:
            return names & set(code.variables)
        names |= indices


def _functions(
    each: Any, code: _Code, names: Iterable[str]
) -> dict[str, Callable | TimedValues | BinomialDraws]:
    return {
        name: _function(each, name, code.variables[name], code.owner)
        for name in names
        if isinstance(code.variables[name], Function)
        and code.variables[name] is not DEFAULT_FUNCTIONS.get(name)
    }


def _function(
    each: Any, name: str, function: Function, owner: Any
) -> Callable | TimedValues | BinomialDraws:
    if isinstance(function, TimedArray):
        step = float(function.dt)
        return TimedValues(np.array(function.values), step, _find_K(owner.clock.dt_, step))
    if isinstance(function, BinomialFunction):
        draw = function.implementations["numpy"].get_code(owner)
        settings = inspect.getclosurevars(draw).nonlocals
        if "loc" in settings:
            return BinomialDraws(float(settings["loc"]), float(settings["scale"]), True)
        return BinomialDraws(float(settings["n"]), float(settings["p"]), False)
    version: Callable | None = jax_version(function) or jax_version(function.pyfunc)
    if version is None:
        raise ModelError(
            f"'{each.name}' calls the function '{name}', which has no JAX version; "
            f"nc.jax_function gives it one."
        )
    return version


def _pathway(pathway: Any, events: str) -> Pathway:
    step = float(pathway.source.clock.dt_)
    sources = np.array(pathway.synapse_sources.get_value())
    if len(sources) == 0 and not pathway.synapses._connect_called:
        raise ModelError(f"'{pathway.synapses.name}' has no synapses: call its connect() first.")
    delays = (np.asarray(pathway._delays.get_value()) / step + 0.5).astype(int)
    pending = _pending(pathway)
    previous = pathway.source.clock._old_dt
    if pending and previous not in (None, step):
        raise ModelError(
            f"The time step of '{pathway.source.name}' was changed while spikes are on their way "
            f"in '{pathway.name}', which is not covered."
        )
    return Pathway(events, sources, np.broadcast_to(delays, sources.shape).copy(), pending)


def _pending(pathway: Any) -> tuple[np.ndarray, ...]:
    """Synapses that are still to be reached, by steps from now."""
    state = pathway.queue._full_state()
    if len(state) == 3:  # the queue in Python: rows of (steps from now, synapse)
        rows = np.asarray(state[1], int).reshape(-1, 2)
        n_steps = rows[:, 0].max(initial=-1) + 1
        slots = [rows[rows[:, 0] == step, 1] for step in range(n_steps)]
    else:
        offset, queue = state
        slots = [np.array(queue[(offset + i) % len(queue)], int) for i in range(len(queue))]
    while slots and not len(slots[-1]):
        slots.pop()
    return tuple(slots)


def _monitor(each: Any, code: _Code) -> Monitor | None:
    if code.template == "statemonitor":
        units = {name: _unit(v.dim) for name, v in code.extras["_recorded_variables"].items()}
        return Monitor("states", each.source.name, indices=np.array(each.record), variables=units)
    if code.template == "spikemonitor":
        units = {name: _unit(v.dim) for name, v in code.extras["record_variables"].items()}
        start, stop = (int(code.variables[f"_source_{n}"].get_value()) for n in ("start", "stop"))
        return Monitor(
            "events", each.source.name, start, stop, variables=units, records=each.record
        )
    if code.template == "ratemonitor":
        start, stop = (int(code.variables[f"_source_{n}"].get_value()) for n in ("start", "stop"))
        return Monitor("rate", each.source.name, start, stop, variables={"rate": "hertz"})
    return None

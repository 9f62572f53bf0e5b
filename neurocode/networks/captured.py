"""What is read from Brian2's objects before a run: plain arrays, statements and their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Line:
    """One assignment of abstract code, in the order in which Brian2 runs it.

    Attributes
    ----------
    name, operator, expression : str
        ``operator`` is ``":="`` for a temporary, ``"="`` or an augmented form such as ``"+="``.
    kind : {"float", "integer", "boolean"}
        Type of the variable.
    switch : tuple of (str, str, str), optional
        Name of the one truth value in the expression, and the simplified expressions that Brian2
        runs where it is true and where it is false.
    """

    name: str
    operator: str
    expression: str
    kind: str
    switch: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Reference:
    """Where a name of the code gets its value.

    Attributes
    ----------
    key : str
        Array, such as ``"neurons.v"``.
    index : str
        ``"_idx"``: the lane itself; ``"0"``: one shared value; otherwise the name of an index.
    """

    key: str
    index: str


@dataclass(frozen=True)
class TimedValues:
    """A ``TimedArray``: values that last ``dt`` seconds each, read in ``dt / upsampling`` steps."""

    values: np.ndarray
    dt: float
    upsampling: int


@dataclass(frozen=True)
class BinomialDraws:
    """A ``BinomialFunction``: numbers of successes, or their normal approximation."""

    n: float
    p: float
    normal: bool


@dataclass(frozen=True)
class Pathway:
    """How events of a source reach the synapses of one pathway.

    Attributes
    ----------
    events : str
        Key of the events of the source.
    sources, delays : numpy.ndarray of int
        Of each synapse, the index of its source among the events and the delay in steps.
    pending : tuple of numpy.ndarray of int
        Synapses that earlier spikes still have to reach, by steps from now, in their order.
    """

    events: str
    sources: np.ndarray
    delays: np.ndarray
    pending: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Generator:
    """Spikes of a ``SpikeGeneratorGroup``, sorted by their step."""

    neurons: np.ndarray
    steps: np.ndarray
    period: int
    last: int


@dataclass(frozen=True)
class Sum:
    """Target of a summed variable: entries ``start`` to ``stop`` of an array, and their index."""

    target: str
    index: str
    start: int
    stop: int


@dataclass(frozen=True)
class Monitor:
    """A monitor and the part of its source that it sees.

    Attributes
    ----------
    kind : {"events", "states", "rate"}
    source : str
        Name of the recorded group.
    start, stop : int
        Recorded part of the source (events and rates).
    indices : numpy.ndarray of int
        Recorded entries (states).
    variables : dict of str to str
        Recorded variables with their units.
    records : bool
        Whether times of events are recorded, not only their number.
    """

    kind: str
    source: str
    start: int = 0
    stop: int = 0
    indices: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    variables: Mapping[str, str] = field(default_factory=dict)
    records: bool = True


@dataclass(frozen=True)
class Block:
    """One code object of Brian2: what runs at its place in every step of its clock.

    Attributes
    ----------
    name, owner : str
        Object that runs it, and group whose names it uses.
    template : str
        Brian2's template, such as ``"stateupdate"``.
    clock : str
    size : int
        Number of lanes (neurons or synapses).
    scalar, vector : tuple of Line
        Statements that run once, and those that run in each lane.
    references : dict of str to Reference
    constants : dict of str to str
        Names of constants that may be changed, with their keys.
    literals : dict of str to number
        Names with fixed values.
    functions : dict of str to callable, BinomialDraws or TimedValues
        Functions beyond Brian2's own.
    conditions : dict of str to str
        Variables that are written only where a truth value holds, with its name.
    events : str
        Key of the events that the block sets or follows.
    refractory : tuple of str
        Keys of ``not_refractory`` and ``lastspike`` that a threshold sets.
    part : Pathway, Generator, Sum, Monitor or None
        What the template needs beyond the code.
    """

    name: str
    owner: str
    template: str
    clock: str
    size: int
    scalar: tuple[Line, ...]
    vector: tuple[Line, ...]
    references: Mapping[str, Reference]
    constants: Mapping[str, str]
    literals: Mapping[str, float]
    functions: Mapping[str, Callable | BinomialDraws | TimedValues]
    conditions: Mapping[str, str]
    events: str = ""
    refractory: tuple[str, ...] = ()
    part: Pathway | Generator | Sum | Monitor | None = None

    @property
    def pathway(self) -> Pathway:
        """What a block of synapses needs beyond the code."""
        assert isinstance(self.part, Pathway)
        return self.part

    @property
    def total(self) -> Sum:
        """What a block of a summed variable needs beyond the code."""
        assert isinstance(self.part, Sum)
        return self.part

    @property
    def monitor(self) -> Monitor:
        """What the block of a monitor needs beyond the code."""
        assert isinstance(self.part, Monitor)
        return self.part


@dataclass(frozen=True)
class Captured:
    """A network of Brian2 as it stands before a run.

    Attributes
    ----------
    blocks : tuple of Block
        In the order of a time step.
    arrays : dict of str to numpy.ndarray
        State variables and everything else that code reads, in SI.
    constants : dict of str to float
    fixed : frozenset of str
        Keys of arrays that are read before the run, the delays: other values would change nothing.
    events : dict of str to int
        Sources of events with their sizes.
    clocks : dict of str to float
        Time steps in seconds.
    t : float
        Time at which a run would start, in seconds.
    """

    blocks: tuple[Block, ...]
    arrays: Mapping[str, np.ndarray]
    constants: Mapping[str, float]
    fixed: frozenset[str]
    events: Mapping[str, int]
    clocks: Mapping[str, float]
    t: float


def first_step(t: float, dt: float) -> int:
    """Step of a clock that a time belongs to, as Brian2 rounds it."""
    nearest = round(t / dt)
    if abs(nearest * dt - t) / dt <= 1e-4:
        return nearest
    return math.ceil(t / dt)

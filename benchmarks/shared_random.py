"""Brian2 draws the random numbers of neurocode, so that random networks can be compared exactly.

Numbers depend on the seed, the block, the step, the call and the lane alone; Brian2's NumPy target
asks for them through its own functions ``rand``, ``randn``, ``poisson`` and those of binomial
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
from brian2.codegen.runtime.numpy_rt.numpy_rt import LazyArange
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.input.binomial import BinomialFunction

from neurocode.networks.captured import BinomialDraws
from neurocode.networks.draws import ONCE, Draws
from neurocode.networks.program import Program
from neurocode.networks.step import Stepper


class SharedNumbers:
    """The numbers of one run.

    Parameters
    ----------
    stepper : Stepper
        Step of the network in JAX.
    seed : int
    spikes : dict of str to list of (int, int), optional
        Filled with step and neuron of every event, by the object that emits it.
    """

    def __init__(
        self, stepper: Stepper, seed: int, spikes: dict[str, list[tuple[int, int]]] | None = None
    ) -> None:
        self.stepper, self.seed = stepper, seed
        self.spikes = {} if spikes is None else spikes
        self.programs = {program.block.name: program for program in stepper.plan.programs}
        self.program: Program | None = None
        self.step = self.count = self.once = 0
        self.last: object = None

    def enter(self, each: Any) -> None:
        """Begin the step of an object."""
        self.program, self.last = self.programs.get(each.name), None
        self.count = self.once = 0
        clock = each.clock
        period = self.stepper.plan.clocks[clock.name][0]
        self.step = int(clock.variables["timestep"].get_value().item()) * period

    def leave(self, each: Any) -> None:
        """End the step of an object, and keep the events that it has emitted."""
        program, self.program = self.program, None
        if program is None or program.block.template not in ("threshold", "spikegenerator"):
            return
        name = program.block.events.rpartition(".")[2]
        space = each.group.variables[name].get_value()
        emitted = self.spikes.setdefault(each.name, [])
        emitted.extend((self.step, int(neuron)) for neuron in space[: space[-1]])

    def draw(self, kind: str | BinomialDraws, lanes: object, mean: Any = None) -> np.ndarray:
        """Numbers for lanes, as the block in JAX draws them.

        Code that runs once for all lanes gives a plain number; loops over lanes give NumPy's.
        """
        if type(lanes) is int:
            self.once += 1
            return self._once(kind, mean)
        single = not isinstance(lanes, LazyArange) and np.ndim(lanes) == 0
        if single and lanes != self.last:
            self.count, self.last = 0, lanes
        self.count += 1
        if isinstance(lanes, LazyArange):
            chosen = slice(None) if lanes.indices is None else lanes.indices
            lanes = np.arange(lanes.start, lanes.stop)[chosen]
        lanes = np.atleast_1d(lanes)
        block = self.program.block
        if block.template == "synapses":
            numbers = self._numbers(kind, jnp.asarray(lanes), mean)
        else:
            size = block.size or self.stepper.captured.events[block.events]
            numbers = self._numbers(kind, size, mean)[lanes]
        return numbers[0] if single else numbers

    def _once(self, kind: str | BinomialDraws, mean: Any) -> np.ndarray:
        with jax.enable_x64(True):
            key = _key(self.seed, self.program.number, self.step)
            draws = Draws(jax.random.fold_in(key, ONCE), None)
            draws.count = self.once - 1
            return np.asarray(_drawn(draws, kind, mean))

    def _numbers(self, kind: str | BinomialDraws, lanes: Any, mean: Any) -> np.ndarray:
        with jax.enable_x64(True):
            key = _key(self.seed, self.program.number, self.step)
            if isinstance(lanes, int) and mean is None:
                return np.asarray(_all(kind, lanes)(key, self.count))
            draws = Draws(key, lanes)
            draws.count = self.count - 1
            return np.asarray(_drawn(draws, kind, mean))


@cache
def _all(kind: str | BinomialDraws, size: int) -> Callable:
    def numbers(key: jax.Array, count: jax.Array) -> jax.Array:
        draws = Draws(key, size)
        draws.count = count - 1
        return _drawn(draws, kind, None)

    return jax.jit(numbers)


def _drawn(draws: Draws, kind: str | BinomialDraws, mean: Any) -> jax.Array:
    if isinstance(kind, BinomialDraws):
        return draws.binomial(kind)
    return draws(kind) if mean is None else draws.poisson(jnp.asarray(mean, float))


@jax.jit
def _key(seed: int, number: int, step: int) -> jax.Array:
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), number), step)


@contextmanager
def shared(
    numbers: SharedNumbers, objects: list[Any], namespace: Mapping[str, Any]
) -> Iterator[None]:
    """Let Brian2's objects draw shared numbers in their steps."""
    draws = {
        "rand": partial(numbers.draw, "rand"),
        "randn": partial(numbers.draw, "randn"),
        "poisson": lambda mean, lanes: numbers.draw("poisson", lanes, mean),
    }
    containers = [(DEFAULT_FUNCTIONS[name].implementations, draw) for name, draw in draws.items()]
    containers += _binomials(numbers, objects, namespace)
    before = [(container, dict(container._implementations)) for container, _ in containers]
    for container, draw in containers:
        container.add_implementation(NumpyCodeGenerator, code=draw)
        container._implementations.pop("numpy", None)
    for each in objects:
        vars(each)["run"] = partial(_run, numbers, each, each.run)
    try:
        yield
    finally:
        for each in objects:
            vars(each).pop("run")
        for container, implementations in before:
            container._implementations.clear()
            container._implementations.update(implementations)


def _binomials(
    numbers: SharedNumbers, objects: list[Any], namespace: Mapping[str, Any]
) -> list[tuple[Any, Callable]]:
    """Implementations of binomial functions, with what draws for them."""
    known = {
        name: function
        for program in numbers.programs.values()
        for name, function in program.block.functions.items()
        if isinstance(function, BinomialDraws)
    }
    places = [each.variables for each in objects if hasattr(each, "variables")] + [namespace]
    found = {
        name: place[name]
        for place in places
        for name in known
        if name in place and isinstance(place[name], BinomialFunction)
    }
    return [(each.implementations, partial(numbers.draw, known[n])) for n, each in found.items()]


def _run(numbers: SharedNumbers, each: Any, run: Callable[[], None]) -> None:
    """Run an object in its step."""
    numbers.enter(each)
    run()
    numbers.leave(each)

"""A model as a first-passage problem: drift as a function of the potential, additive input as a
function of time, and the adaptation at each spike."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from brian2.parsing.sympytools import str_to_sympy, sympy_to_str

from neurocode.errors import ModelError
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.models.noise import Values
from neurocode.simulation.brian import single_state_code
from neurocode.simulation.diffusion import diffusion_of
from neurocode.simulation.evaluate import evaluate, execute
from neurocode.simulation.program import Prepare, reset_statements
from neurocode.simulation.statements import Statement, parse, read_code

Array = jax.Array
Numbers = Array | np.ndarray | np.floating


class Path(NamedTuple):
    """Time steps of passages and the additive input at their middles and ends, in the scale in
    which the reset is zero and the threshold one."""

    step: Numbers
    middle_input: Numbers
    end_input: Numbers


@dataclass(frozen=True)
class PassageEquations:
    """Coefficients of the Fokker-Planck equation of a model, as functions of its parameters in SI
    units; see :func:`passage_equations`.

    Attributes
    ----------
    constant : bool
        Whether the input is the same at all times, so that all intervals have the same density.
    others : tuple of str
        Names of the states besides the diffusing one, which the spikes alone determine.
    """

    key: tuple
    variable: str = field(compare=False)
    constant: bool = field(compare=False)
    periodic: bool = field(compare=False)
    others: tuple[str, ...] = field(compare=False)
    drift: ast.expr = field(compare=False, repr=False)
    added: ast.expr = field(compare=False, repr=False)
    strength: ast.expr = field(compare=False, repr=False)
    threshold: ast.expr = field(compare=False, repr=False)
    reset: ast.expr = field(compare=False, repr=False)
    refractory: ast.expr | None = field(compare=False, repr=False)
    advances: Mapping[str, tuple[Statement, ...]] = field(compare=False, repr=False)
    resets: tuple[Statement, ...] = field(compare=False, repr=False)

    def scale(self, values: Values) -> Array:
        """Distance from reset to threshold."""
        return evaluate(self.threshold, values) - evaluate(self.reset, values)

    def refractory_period(self, values: Values) -> Array:
        """Absolute refractory period in seconds."""
        return jnp.asarray(
            0.0 if self.refractory is None else evaluate(self.refractory, values), float
        )

    def table(self, values: Values, positions: Numbers) -> tuple[Array, Array]:
        """Drift per second at positions between reset (0) and threshold (1), and the diffusion
        constant."""
        scale, reset = self.scale(values), evaluate(self.reset, values)
        names = {
            **values,
            **dict.fromkeys(self.others, 0.0),
            "t": 0.0,
            self.variable: reset + scale * positions,
        }
        drift = jnp.broadcast_to(evaluate(self.drift, names) / scale, positions.shape)
        return drift, 0.5 * (evaluate(self.strength, values) / scale) ** 2

    def advance(self, states: Values, duration: Numbers, values: Values) -> dict[str, Array]:
        """Return the other states after a time without a spike."""
        names = {**values, **states, self.variable: 0.0, "dt": duration}
        return {name: execute(self.advances[name], names)[name] for name in self.others}

    def after_spike(self, states: Values, values: Values) -> dict[str, Array]:
        """Return the other states just after a spike."""
        names = execute(self.resets, {**values, **states, self.variable: 0.0})
        return {name: names[name] for name in self.others}

    def states_at_spikes(
        self, durations: Numbers, starts_train: Numbers, typical: Numbers, values: Values
    ) -> dict[str, Array]:
        """Return the other states just after the spike that begins each interval.

        At the start of a train they are those of a neuron that has always fired at intervals of
        ``typical`` seconds.
        """
        cycle = partial(self._cycle, duration=typical, values=values)
        at_zero, at_one = (cycle(dict.fromkeys(self.others, jnp.asarray(x))) for x in (0.0, 1.0))
        steady = {
            name: at_zero[name] / (1.0 - (at_one[name] - at_zero[name])) for name in self.others
        }

        def visit(
            states: dict[str, Array], interval: tuple[Numbers, Numbers]
        ) -> tuple[dict[str, Array], dict[str, Array]]:
            duration, first = interval
            states = {name: jnp.where(first, steady[name], states[name]) for name in self.others}
            return self._cycle(states, duration, values), states

        return jax.lax.scan(visit, steady, (durations, starts_train))[1]

    def path(
        self,
        starts: Numbers,
        states: Values,
        shares: tuple[Numbers, Numbers, Numbers],
        free: Array,
        values: Values,
    ) -> Path:
        """Return the time steps of passages and the inputs in them.

        Parameters
        ----------
        starts : array
            Time of the spike that begins the interval of each step, in seconds.
        states : mapping of str to array
            The other states just after that spike.
        shares : tuple of array
            Length, middle and end of each step as fractions of the passage.
        free : array
            Length of the passage in seconds: the interval without the refractory period.
        values : mapping of str to array
        """
        step, *moments = (share * free for share in shares)
        scale, refractory = self.scale(values), self.refractory_period(values)
        inputs = []
        for moment in moments:
            since = refractory + moment
            names = {**values, **self.advance(states, since, values), "t": starts + since}
            inputs.append(jnp.broadcast_to(evaluate(self.added, names) / scale, step.shape))
        return Path(step, *inputs)

    def _cycle(self, states: Values, duration: Numbers, values: Values) -> dict[str, Array]:
        return self.after_spike(self.advance(states, duration, values), values)


def passage_equations(model: NeuronModel) -> PassageEquations:
    """Derive the first-passage problem from the equations of a model.

    Parameters
    ----------
    model : NeuronModel
        A one-dimensional diffusion with additive noise, to which time and other states add an input
        that does not depend on the potential. The other states must be linear and must not depend
        on time or on one another, like spike-triggered adaptation.

    Returns
    -------
    PassageEquations

    Raises
    ------
    ModelError
        For any other model.
    """
    if model.noise is not None:
        raise ModelError(
            f"Model '{model.name}' has escape noise; a first-passage density needs a sharp "
            f"threshold."
        )
    if model.inputs:
        raise ModelError(
            f"Model '{model.name}' has the input '{next(iter(model.inputs))}'; spike times alone "
            f"are fitted without one."
        )
    diffusion = diffusion_of(model)
    prepare = Prepare({name: parse(text) for name, text in model.subexpressions.items()})
    drift = str_to_sympy(diffusion.drift)
    changing = {str_to_sympy(name): 0 for name in ("t", *diffusion.others)}
    still = drift.subs(changing)
    added = sympy.expand(drift - still)
    if diffusion.variable in {str(symbol) for symbol in added.free_symbols}:
        raise ModelError(
            f"Model '{model.name}': the input that changes in time must not depend on "
            f"'{diffusion.variable}'."
        )
    if set(names_in(model.refractory or "0")) & {*model.states, "t"}:
        raise ModelError(f"Model '{model.name}': the refractory period must be a constant.")
    statements = [
        Statement(n, prepare(e))
        for n, e in reset_statements(model.reset)
        if n != diffusion.variable
    ]

    def tree(text: str) -> ast.expr:
        return prepare(parse(text))

    return PassageEquations(
        key=(model.equations, model.margin, model.reset, model.refractory, tuple(model.parameters)),
        variable=diffusion.variable,
        constant=added == 0,
        periodic="t" in {str(symbol) for symbol in added.free_symbols},
        others=diffusion.others,
        drift=tree(sympy_to_str(still)),
        added=tree(sympy_to_str(added)),
        strength=tree(diffusion.strength),
        threshold=tree(diffusion.threshold),
        reset=tree(diffusion.reset),
        refractory=None if model.refractory is None else tree(model.refractory),
        advances={
            name: _advance(model, name, diffusion.others, prepare) for name in diffusion.others
        },
        resets=tuple(statements),
    )


def _advance(
    model: NeuronModel, name: str, others: tuple[str, ...], prepare: Prepare
) -> tuple[Statement, ...]:
    statements = tuple(
        Statement(s.name, prepare(s.expression)) for s in read_code(single_state_code(model, name))
    )
    read = set().union(*(names_in(s.expression) for s in statements))
    if read & ({"t", *others} - {name}):
        raise ModelError(f"Model '{model.name}': '{name}' must evolve by itself between spikes.")
    return statements

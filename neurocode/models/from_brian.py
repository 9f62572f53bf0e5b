"""A group of neurons of Brian2 as a neuron model."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import NeuronGroup
from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.core.namespace import DEFAULT_UNITS, get_local_namespace
from brian2.equations.equations import (
    DIFFERENTIAL_EQUATION,
    FLOAT,
    PARAMETER,
    SUBEXPRESSION,
    SingleEquation,
)
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException
from brian2.utils.stringtools import get_identifiers

from neurocode.errors import ModelError
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter
from neurocode.units import brian_dimension, parse_unit, preferred_unit, si_unit_text

if TYPE_CHECKING:
    from neurocode.models.model import NeuronModel

#: Dimensions of quantities that are positive.
POSITIVE = ("second", "farad", "siemens", "ohm", "hertz")


def model_of_group(
    kind: type[NeuronModel],
    group: Any,
    input: str | None,
    noise: EscapeNoise | None,
    parameters: Mapping[str, Parameter],
    namespace: Mapping[str, Any] | None,
    level: int,
) -> NeuronModel:
    """Return the model of a group; see :meth:`neurocode.NeuronModel.from_brian`."""
    if not isinstance(group, NeuronGroup):
        raise ModelError(f"Expected a NeuronGroup of Brian2, not {type(group).__name__}.")
    names = get_local_namespace(level + 1) if namespace is None else dict(namespace)
    reader = _Reader(group, input, {**names, **group.namespace})
    equations = "\n".join(reader.lines())
    margin = reader.margin()
    reset = group.event_codes.get("spike") or ""
    refractory = reader.refractory()
    texts = [equations, margin, reset, refractory or ""]
    found = reader.parameters(texts) | reader.period
    initial = reader.initial()
    return kind(
        name=group.name,
        equations=equations,
        margin=margin,
        reset=reset,
        refractory=refractory,
        integrator=reader.integrator(),
        noise=noise,
        parameters={**found, **reader.starts, **parameters},
        initial=initial,
        description="Read from a NeuronGroup of Brian2.",
    )


class _Reader:
    """What a model needs of a group."""

    def __init__(self, group: NeuronGroup, input: str | None, names: Mapping[str, Any]) -> None:
        self.group, self.input, self.names = group, input, names
        self.equations: Mapping[str, SingleEquation] = group.user_equations
        self.period: dict[str, Parameter] = {}
        self.starts: dict[str, Parameter] = {}
        if input is not None and input not in self.equations:
            raise ModelError(
                f"'{group.name}' has no variable '{input}' for its input; its equations define "
                f"{', '.join(self.equations)}."
            )
        if any(event != "spike" for event in group.events):
            raise ModelError(f"'{group.name}' has events besides spikes, which is not covered.")

    def lines(self) -> Iterator[str]:
        """Equations and subexpressions, and a bare line for the input."""
        for name, equation in self.equations.items():
            self._require_plain(name, equation)
            unit = _unit(equation.dim)
            if name == self.input:
                if equation.type == DIFFERENTIAL_EQUATION:
                    raise ModelError(f"'{name}' has an equation of its own; it cannot be an input.")
                yield f"{name} : {unit}"
            elif equation.type == DIFFERENTIAL_EQUATION:
                flags = f" ({', '.join(equation.flags)})" if equation.flags else ""
                yield f"d{name}/dt = {_one_line(equation)} : {unit}{flags}"
            elif equation.type == SUBEXPRESSION:
                yield f"{name} = {_one_line(equation)} : {unit}"

    def _require_plain(self, name: str, equation: SingleEquation) -> None:
        flags = set(equation.flags) - {"constant", "unless refractory"}
        if equation.var_type != FLOAT or flags:
            what = f"({', '.join(sorted(flags))})" if flags else equation.var_type
            raise ModelError(f"The variable '{name}' is {what}, which is not covered.")

    def margin(self) -> str:
        """Distance to threshold in the condition for a spike."""
        condition = self.group.events.get("spike")
        if condition is None:
            raise ModelError(f"'{self.group.name}' has no threshold.")
        tree = ast.parse(condition.strip(), mode="eval").body
        order = type(tree.ops[0]) if isinstance(tree, ast.Compare) else None
        if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or order not in _GREATER:
            raise ModelError(
                f"The threshold '{condition}' does not compare a potential with a threshold, as "
                f"'v > V_T' does."
            )
        left, right = tree.left, tree.comparators[0]
        high, low = (left, right) if _GREATER[order] else (right, left)
        return ast.unparse(ast.BinOp(high, ast.Sub(), low))

    def refractory(self) -> str | None:
        """Expression for the refractory period; a plain duration becomes a parameter."""
        period = self.group._refractory
        if period is False:
            return None
        if isinstance(period, str):
            if _is_condition(period):
                raise ModelError(
                    f"The refractory condition '{period}' is not a duration, which is not covered."
                )
            return period
        name = "t_ref" if "t_ref" not in {*self.equations, *self.names} else "refractory_period"
        self.period = {name: Parameter(float(period) * 1e3, "ms", (0.0, np.inf), fixed=True)}
        return name

    def integrator(self) -> str:
        """The method of the group, or the first of its default methods that takes the equations."""
        method = self.group.method_choice
        if isinstance(method, str):
            return method
        for name in method:
            updater = StateUpdateMethod.stateupdaters[name]
            try:
                updater(self.group.equations, self.group.variables)
            except UnsupportedEquationsException:
                continue
            return name
        raise ModelError(f"No default method of Brian2 integrates '{self.group.name}': name one.")

    def parameters(self, texts: list[str]) -> dict[str, Parameter]:
        """Parameters of the equations, and constants from outside that they name."""
        of_the_group = {
            name: self._values(name, equation)
            for name, equation in self.equations.items()
            if equation.type == PARAMETER and name != self.input
        }
        known = {*self.equations, *of_the_group, *self.period, "t", "dt", "i", "N"}
        known |= {*DEFAULT_UNITS, *DEFAULT_FUNCTIONS, *DEFAULT_CONSTANTS}
        used = set().union(*map(get_identifiers, texts))
        differentials = {f"d{name}" for name in self.equations}
        outside = sorted(name for name in used - known - differentials if not name.startswith("xi"))
        return of_the_group | {name: self._constant(name) for name in outside if name not in _WORDS}

    def _values(self, name: str, equation: SingleEquation) -> Parameter:
        values = np.asarray(self.group.variables[name].get_value(), float)
        return _parameter(values if np.ptp(values) > 0 else float(values[0]), equation.dim)

    def _constant(self, name: str) -> Parameter:
        if name not in self.names:
            raise ModelError(f"'{self.group.name}' uses '{name}', of which no value is known.")
        value = self.names[name]
        if callable(value) or np.ndim(value) > 0:
            raise ModelError(
                f"'{name}' is {type(value).__name__}, expected a number or a quantity; if it is "
                f"the current, name the variable that it drives: input=…."
            )
        return _parameter(float(value), brian_dimension(value))

    def initial(self) -> dict[str, str]:
        """The present state; where neurons differ, it becomes a fixed parameter."""
        initial = {}
        for name, equation in self.equations.items():
            if equation.type != DIFFERENTIAL_EQUATION:
                continue
            values = np.asarray(self.group.variables[name].get_value(), float)
            if not values.any():
                continue
            start = f"{name}_0" if f"{name}_0" not in self.names else f"{name}_start"
            value = values if np.ptp(values) > 0 else float(values[0])
            parameter = _parameter(value, equation.dim)
            self.starts[start] = Parameter(
                parameter.value, parameter.unit, fixed=True, description=f"initial value of {name}"
            )
            initial[name] = start
        return initial


#: Comparisons, and whether their left side is the greater one.
_GREATER = {ast.Gt: True, ast.GtE: True, ast.Lt: False, ast.LtE: False}
_WORDS = {"and", "or", "not", "unless", "refractory"}


def _one_line(equation: SingleEquation) -> str:
    assert equation.expr is not None, "only parameters have none"
    return " ".join(str(equation.expr.code).split())


def _is_condition(text: str) -> bool:
    tree = ast.parse(text.strip(), mode="eval").body
    return isinstance(tree, (ast.Compare, ast.BoolOp)) or (
        isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
    )


def _unit(dimension: Any) -> str:
    return si_unit_text(preferred_unit(dimension)[0])


def _parameter(value: float | np.ndarray, dimension: Any) -> Parameter:
    unit, scale = ("1", 1.0) if dimension is None else preferred_unit(dimension)
    positive = any(parse_unit(unit).dim == parse_unit(name).dim for name in POSITIVE)
    low = 0.0 if positive and np.all(np.asarray(value) > 0) else -np.inf
    return Parameter(value / scale, unit, (low, np.inf))

"""Where a term enters a model: in the membrane equation, and in the threshold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from neurocode.errors import ModelError
from neurocode.models.expressions import Equation, names_in
from neurocode.models.model import NeuronModel
from neurocode.units import same_dimension

#: The membrane potential goes by this name in every model that takes terms.
POTENTIAL = "v"


@dataclass(frozen=True)
class Membrane:
    """The membrane equation of a model.

    Attributes
    ----------
    equation : Equation
    divisor : str
        Capacitance or time constant that divides its currents.
    unit : str
        ``"farad"`` or ``"second"``, the unit of the divisor.
    has_volts : bool
        Whether the potential is in volt; else it has no unit.
    """

    equation: Equation
    divisor: str
    unit: str
    has_volts: bool

    def minus(self, current: str) -> Equation:
        """Return the equation with one more current, which is subtracted."""
        text = self.equation.expression
        for node in _summands(ast.parse(text, mode="eval").body):
            if _divisor_of(node) == self.divisor:
                currents = ast.get_source_segment(text, cast(ast.BinOp, node).left)
                longer = f"({currents} - {current})/{self.divisor}"
                before, after = text[: node.col_offset], text[node.end_col_offset :]
                return replace(self.equation, expression=before + longer + after)
        return replace(self.equation, expression=f"{text} - {current}/{self.divisor}")


def membrane_of(model: NeuronModel) -> Membrane:
    """Find the membrane equation of a model and what divides its currents.

    Raises
    ------
    ModelError
        If the model has no membrane potential ``v`` in volt or without a unit, or neither one
        capacitance nor one time constant divides its currents.

    Examples
    --------
    >>> import neurocode as nc
    >>> membrane_of(nc.models.gif()).divisor, membrane_of(nc.models.escape_lif()).divisor
    ('C', 'tau')
    """
    equation = next((e for e in model.parsed if e.name == POTENTIAL), None)
    if equation is None or equation.kind != "differential":
        raise ModelError(
            f"Model '{model.name}' takes no terms: it has no differential equation for a membrane "
            f"potential '{POTENTIAL}'."
        )
    if model.within_step:
        raise ModelError(
            f"Model '{model.name}' takes no terms: it crosses its threshold within the step, which "
            f"is worked out for its own equations alone."
        )
    has_volts = same_dimension(equation.unit, "volt")
    if not has_volts and not same_dimension(equation.unit, "1"):
        raise ModelError(
            f"Model '{model.name}' takes no terms: its potential is in {equation.unit}, expected "
            f"volt or no unit."
        )
    for unit in ("farad", "second") if has_volts else ("second",):
        divisor = _only_divisor(model, equation.expression, unit)
        if divisor:
            return Membrane(equation, divisor, unit, has_volts)
    raise ModelError(
        f"Model '{model.name}' takes no terms: in its membrane equation neither one capacitance "
        f"nor one time constant divides the currents."
    )


def with_threshold(
    model: NeuronModel, equations: list[Equation], addition: str
) -> tuple[list[Equation], str]:
    """Return equations and margin of a model whose threshold is higher by a variable.

    The variable is added to the subexpression of the threshold if the margin is ``v`` minus such a
    one, and subtracted from the margin otherwise.

    Raises
    ------
    ModelError
        If the membrane equation reads the threshold: spikes then begin in that equation, and the
        threshold only counts them.
    """
    threshold = _threshold_of(model)
    if threshold in model.subexpressions:
        return [
            replace(e, expression=f"{e.expression} + {addition}") if e.name == threshold else e
            for e in equations
        ], model.margin
    if threshold in _names_behind(model, POTENTIAL):
        raise ModelError(
            f"Model '{model.name}' takes no term in its threshold: its spikes begin in the "
            f"membrane equation, and '{threshold}' only counts them."
        )
    return equations, f"{model.margin} - {addition}"


def _threshold_of(model: NeuronModel) -> str:
    """Return the name of the threshold if the margin is the potential minus a variable."""
    margin = ast.parse(model.margin, mode="eval").body
    if (
        isinstance(margin, ast.BinOp)
        and isinstance(margin.op, ast.Sub)
        and isinstance(margin.left, ast.Name)
        and isinstance(margin.right, ast.Name)
        and margin.left.id == POTENTIAL
    ):
        return margin.right.id
    return ""


def _names_behind(model: NeuronModel, variable: str) -> set[str]:
    """Return the names that an equation reads, directly or through subexpressions."""
    texts = {equation.name: equation.expression for equation in model.parsed}
    names, unvisited = set(), set(names_in(texts[variable]))
    while unvisited:
        name = unvisited.pop()
        names.add(name)
        if name in model.subexpressions:
            unvisited |= set(names_in(texts[name])) - names
    return names


def _only_divisor(model: NeuronModel, text: str, unit: str) -> str:
    """Return the only parameter of a unit that divides what holds the potential; failing that, the
    only parameter of this unit in the equation."""

    def of_unit(names: set[str]) -> set[str]:
        parameters = model.parameters
        return {n for n in names if n in parameters and same_dimension(parameters[n].unit, unit)}

    tree = ast.parse(text, mode="eval").body
    divisions = [node for node in ast.walk(tree) if _divisor_of(node)]
    dividing = of_unit(
        {
            _divisor_of(node)
            for node in divisions
            if POTENTIAL in names_in(cast(ast.BinOp, node).left)
        }
    )
    candidates = dividing or of_unit(names_in(text))
    return candidates.pop() if len(candidates) == 1 else ""


def _divisor_of(node: ast.AST) -> str:
    """Return the name by which a division divides, or empty text for anything else."""
    if (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Name)
    ):
        return node.right.id
    return ""


def _summands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a sum that have a positive sign."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield from _summands(node.left)
        if isinstance(node.op, ast.Add):
            yield from _summands(node.right)
    else:
        yield node

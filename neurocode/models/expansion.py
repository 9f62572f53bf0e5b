"""The size of a model after its subexpressions are inserted and its powers multiplied out.

Brian2 and the compilers process the expanded text. A short model may therefore take hours to
compile; such models are refused here.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from neurocode.errors import ModelError
from neurocode.units import unit_table

MOST_NODES = 4000
MOST_LEVELS = 100
MOST_TERMS = 2000
MOST_POWER = 64
LARGEST_WHOLE = 2**31

#: What operators of expressions do, to numbers and to arrays.
OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
}


@dataclass(frozen=True)
class Extent:
    """Size of an expression after expansion.

    Attributes
    ----------
    nodes, levels : int
        Number of nodes and of levels of the syntax tree.
    terms : float
        Upper bound on the number of summands after powers and products are multiplied out.
    power : float
        Largest product of the exponents along one path down the tree.
    number : float, optional
        Value of the expression if it holds no variable and no function.
    """

    nodes: int = 1
    levels: int = 1
    terms: float = 1.0
    power: float = 1.0
    number: float | None = None


def check_expansion(
    expressions: Iterable[tuple[str, ast.expr]], subexpressions: Mapping[str, ast.expr]
) -> None:
    """Refuse expressions that take too long to expand, that depend on themselves, or whose constant
    parts have no finite value.

    Parameters
    ----------
    expressions : iterable of (str, ast.expr)
        Purpose and syntax tree of each expression.
    subexpressions : mapping of str to ast.expr
        Subexpressions by name, which are inserted wherever the name occurs.

    Raises
    ------
    ModelError
        If an expression has more than 100 levels, 2000 terms or a total power of 64, or all
        together have more than 4000 nodes.

    Examples
    --------
    >>> check_expansion([("margin", ast.parse("v - 1", mode="eval").body)], {})
    """
    measure = _Measure(subexpressions)
    total = 0
    for where, tree in expressions:
        extent = measure(tree, where)
        total += extent.nodes
        limits = (
            (extent.levels, MOST_LEVELS, "levels"),
            (extent.terms, MOST_TERMS, "terms"),
            (total, MOST_NODES, "operations"),
        )
        for size, most, what in limits:
            if size > most:
                raise ModelError(
                    f"The {where} has {size:.3g} {what} with its subexpressions put in, at most "
                    f"{most} are allowed."
                )
        if extent.power > MOST_POWER:
            raise ModelError(f"The {where} raises powers to powers beyond {MOST_POWER} in all.")


class _Measure:
    """Measures the extent of syntax trees; each subexpression is measured once."""

    def __init__(self, subexpressions: Mapping[str, ast.expr]) -> None:
        self.subexpressions = subexpressions
        self.known: dict[str, Extent | None] = {}

    def __call__(self, node: ast.expr, where: str) -> Extent:
        if isinstance(node, ast.Name):
            return self._name(node.id, where)
        if isinstance(node, ast.Constant):
            return Extent(number=cast("float", node.value))  # no other constant is let in
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if isinstance(node, ast.Call):
            children = node.args
        parts = [self(child, where) for child in children]
        nodes, levels = (
            1 + sum(part.nodes for part in parts),
            1 + max(part.levels for part in parts),
        )
        power = max(part.power for part in parts)
        if isinstance(node, ast.BinOp):
            left, right = parts
            exponent = (
                abs(right.number)
                if isinstance(node.op, ast.Pow) and right.number is not None
                else 1.0
            )
            power = max(max(1.0, exponent) * left.power, right.power)
            return Extent(
                nodes,
                levels,
                _terms(node.op, left, right),
                power,
                _folded(node, left.number, right.number, where),
            )
        number = None
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, (ast.USub, ast.UAdd))
            and parts[0].number is not None
        ):
            number = -parts[0].number if isinstance(node.op, ast.USub) else parts[0].number
        return Extent(nodes, levels, max(part.terms for part in parts), power, number)

    def _name(self, name: str, where: str) -> Extent:
        if name in unit_table():
            return Extent(number=float(unit_table()[name]))
        if name not in self.subexpressions:
            return Extent()
        if name not in self.known:
            self.known[name] = None
            self.known[name] = self(self.subexpressions[name], f"equation of '{name}'")
        extent = self.known[name]
        if extent is None:
            raise ModelError(f"The {where} reads '{name}', which depends on itself.")
        return extent


def _terms(operator: ast.operator, left: Extent, right: Extent) -> float:
    """Return an upper bound on the number of summands of a product, a sum or a power after it is
    multiplied out."""
    if isinstance(operator, (ast.Add, ast.Sub)):
        return left.terms + right.terms
    if not isinstance(operator, ast.Pow):
        return left.terms * right.terms
    if right.number is None or left.terms == 1:
        return max(left.terms, right.terms)
    exponent = min(math.ceil(abs(right.number)), MOST_POWER)
    return float(math.comb(int(min(left.terms, 1e6)) + exponent - 1, exponent))


def _folded(node: ast.BinOp, left: float | None, right: float | None, where: str) -> float | None:
    """Return the value of an operation on two constants, or None if an operand is not constant.

    Engines evaluate such operations in advance, each with its own number types. A value that is not
    finite and real, and a division by the constant zero, are refused.
    """
    by_zero = right == 0 and isinstance(node.op, (ast.Div, ast.Mod))
    if not by_zero and (left is None or right is None):
        return None
    try:
        value = math.nan if by_zero else OPERATIONS[type(node.op)](left, right)
    except (ArithmeticError, ValueError):
        value = math.nan
    limit = LARGEST_WHOLE if isinstance(value, int) else 1e60
    if isinstance(value, complex) or not math.isfinite(value) or abs(value) > limit:
        text = ast.unparse(node)
        excerpt = text if len(text) <= 60 else text[:57] + "..."
        raise ModelError(
            f"The {where} holds '{excerpt}', which has no finite real value below {limit:.3g}."
        )
    return value

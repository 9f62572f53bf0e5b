"""Whether an expression is zero where the amplitudes of a term have their absent values."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import cast

from neurocode.models.expansion import OPERATIONS


def is_zero(name: str, texts: Mapping[str, str], absent: Mapping[str, float]) -> bool:
    """Return whether a variable is zero for certain, whatever the states and other parameters are.

    Parameters
    ----------
    name : str
    texts : mapping of str to str
        Subexpressions by their names.
    absent : mapping of str to float
        Values of amplitudes.

    Examples
    --------
    >>> is_zero("I_M", {"I_M": "g_M*w*(v - E_K)"}, {"g_M": 0.0})
    True
    >>> is_zero("I_M", {"I_M": "g_M*w*(v - E_K)"}, {"g_M": 1.0})
    False
    """
    return _constant(ast.Name(name), texts, absent) == 0


def _constant(
    node: ast.expr, texts: Mapping[str, str], absent: Mapping[str, float]
) -> float | None:
    """Return the value of an expression, or None if it depends on anything but the amplitudes; zero
    times anything is zero."""
    if isinstance(node, ast.Constant):
        return float(cast(float, node.value))
    if isinstance(node, ast.Name):
        if node.id in texts:
            return _constant(ast.parse(texts[node.id], mode="eval").body, texts, absent)
        return absent.get(node.id)
    if isinstance(node, ast.UnaryOp):
        value = _constant(node.operand, texts, absent)
        return None if value is None else -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = (_constant(part, texts, absent) for part in (node.left, node.right))
        return _combined(node.op, left, right)
    return None


def _combined(operator: ast.operator, left: float | None, right: float | None) -> float | None:
    vanishes = isinstance(operator, (ast.Mult, ast.Div)) and left == 0
    if vanishes or (isinstance(operator, ast.Mult) and right == 0):
        return 0.0
    if left is None or right is None:
        return None
    try:
        return OPERATIONS[type(operator)](left, right)
    except ArithmeticError:
        return None

"""Evaluate expressions on JAX arrays by walking their syntax trees; nothing is executed as code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Protocol, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr

from neurocode.errors import ModelError
from neurocode.models.expansion import OPERATIONS
from neurocode.models.noise import Values
from neurocode.simulation.statements import Statement

Array = jax.Array


def _exprel(x: Array) -> Array:
    small = jnp.abs(x) < 1e-16
    safe = jnp.where(small, 1.0, x)
    return jnp.where(small, 1.0, jnp.expm1(safe) / safe)


def timestep(t: Array, dt: float) -> Array:
    """Whole number of steps in a time, with Brian2's tolerance of a thousandth of a step."""
    return jnp.floor((t + 1e-3 * dt) / dt)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "abs": jnp.abs,
    "arccos": jnp.arccos,
    "arcsin": jnp.arcsin,
    "arctan": jnp.arctan,
    "ceil": jnp.ceil,
    "clip": jnp.clip,
    "cos": jnp.cos,
    "cosh": jnp.cosh,
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "exprel": _exprel,
    "floor": jnp.floor,
    "int": lambda x: jnp.trunc(jnp.asarray(x) * 1.0),
    "log": jnp.log,
    "log10": jnp.log10,
    "log1p": jnp.log1p,
    "normal_cdf": ndtr,
    "sign": jnp.sign,
    "sin": jnp.sin,
    "sinh": jnp.sinh,
    "sqrt": jnp.sqrt,
    "tan": jnp.tan,
    "tanh": jnp.tanh,
    "timestep": timestep,
}

COMPARE: dict[type, Callable[[Array, Array], Array]] = {
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}

UNARY: dict[type, Callable[[Array], Array]] = {
    ast.USub: lambda a: -a,
    ast.UAdd: lambda a: a,
    ast.Not: lambda a: jnp.logical_not(a),
}


class Draw:
    """Random numbers for one step: a new key for every call in the text.

    Parameters
    ----------
    key : jax.Array or None
        Key of the step; drawing without one is an error.
    shape : tuple of int
    dtype : numpy.dtype
    """

    def __init__(self, key: Array | None, shape: tuple[int, ...], dtype: jnp.dtype) -> None:
        self.key, self.shape, self.dtype, self.count = key, shape, dtype, 0

    def __call__(self, kind: str) -> Array:
        if self.key is None:
            raise ModelError("The step of a stochastic model needs a random key.")
        self.count += 1
        sample = jax.random.normal if kind == "randn" else jax.random.uniform
        return sample(jax.random.fold_in(self.key, self.count), self.shape, self.dtype)


def _undrawn(kind: str) -> Array:
    raise ModelError(f"'{kind}()' stands where no random number is drawn.")


class Lookup(Protocol):
    """Values by name, such as a dictionary."""

    def __getitem__(self, name: str, /) -> Array | np.ndarray | float:
        """Return the value of a name."""
        ...


def evaluate(
    tree: ast.expr,
    names: Lookup,
    draw: Callable[[str], Array] | None = None,
    functions: Mapping[str, Callable] = FUNCTIONS,
) -> Array:
    """Value of an expression; a plain number counts as an array without axes.

    Parameters
    ----------
    tree : ast.expr
        Whitelisted syntax tree.
    names : mapping of str to array or float
    draw : callable, optional
        Source of ``rand()`` and ``randn()``, such as :class:`Draw`.
    functions : mapping of str to callable
        Functions that expressions may call; those of JAX by default.
    """

    def of(part: ast.expr) -> Array:
        return evaluate(part, names, draw, functions)

    if isinstance(tree, ast.Constant):
        number = tree.value
        small = isinstance(number, float) and number.is_integer() and abs(number) < 64
        return cast("Array", int(cast("float", number)) if small else number)
    if isinstance(tree, ast.Name):
        return cast("Array", names[tree.id])
    if isinstance(tree, ast.BinOp):
        return OPERATIONS[type(tree.op)](of(tree.left), of(tree.right))
    if isinstance(tree, ast.UnaryOp):
        return UNARY[type(tree.op)](of(tree.operand))
    if isinstance(tree, ast.BoolOp):
        return reduce(
            jnp.logical_and if isinstance(tree.op, ast.And) else jnp.logical_or,
            map(of, tree.values),
        )
    if isinstance(tree, ast.Compare):
        return COMPARE[type(tree.ops[0])](of(tree.left), of(tree.comparators[0]))
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        if tree.func.id in ("rand", "randn"):
            return (draw or _undrawn)(tree.func.id)
        return functions[tree.func.id](*map(of, tree.args))
    raise ModelError(f"'{ast.unparse(tree)}' cannot be evaluated.")


def execute(
    statements: Iterable[Statement], names: Values, draw: Draw | None = None
) -> dict[str, Array]:
    """Return all names after a list of assignments; ``names`` itself is not changed."""
    result = cast("dict[str, Array]", dict(names))
    for statement in statements:
        result[statement.name] = evaluate(statement.expression, result, draw)
    return result

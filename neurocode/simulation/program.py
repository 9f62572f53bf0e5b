"""Programs from Brian2's abstract code: parsed statements, with constants outside the time loop."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from neurocode.models.expressions import names_in, parse_statements
from neurocode.models.model import NeuronModel
from neurocode.simulation.brian import after_reset_code, update_and_reset
from neurocode.simulation.statements import Statement, copied, parse, read_code
from neurocode.units import unit_table

RANDOM_CALLS = {"rand", "randn"}


@dataclass(frozen=True)
class Program:
    """One step of a model, ready to be evaluated.

    Attributes
    ----------
    constants : tuple of Statement
        Statements that depend on parameters and the time step only; they are evaluated once.
    active : tuple of Statement
        State update of a neuron that is not refractory.
    held : tuple of Statement
        State update during refractoriness of the variables for which it differs from ``active``.
    held_names, switched_names : tuple of str
        Variables that keep their value during refractoriness, and those taken from ``held``.
    margin, refractory : ast.expr
        Distance to threshold; length of the refractory period (None without one).
    reset, after_reset : tuple of Statement
    initial, subexpressions : dict of str to ast.expr
    """

    constants: tuple[Statement, ...]
    active: tuple[Statement, ...]
    held: tuple[Statement, ...]
    held_names: tuple[str, ...]
    switched_names: tuple[str, ...]
    margin: ast.expr
    refractory: ast.expr | None
    reset: tuple[Statement, ...]
    after_reset: tuple[Statement, ...]
    initial: dict[str, ast.expr]
    subexpressions: dict[str, ast.expr]


def build_program(model: NeuronModel, dt: float) -> Program:
    """Derive the program of a model from Brian2's abstract code for it.

    Raises
    ------
    ModelError
        If Brian2 finds units that do not fit, or the integrator does not admit the equations.
    """
    update, reset = update_and_reset(model, dt)
    code = [s for s in read_code(update) if s.name != "not_refractory"]
    subexpressions = {name: parse(text) for name, text in model.subexpressions.items()}
    prepare = Prepare(subexpressions)
    active = [Statement(s.name, prepare(_Fold(1).visit(copied(s.expression)))) for s in code]
    held_names = tuple(
        e.name for e in model.parsed if "unless refractory" in e.flags and not model.within_step
    )
    held = [
        Statement(s.name, prepare(_Fold(0).visit(copied(s.expression))))
        for s in code
        if s.name not in held_names
    ]
    updated = [
        name for name in model.states if name not in model.after_reset and name not in held_names
    ]
    switched = (
        tuple(n for n in updated if _slice_text(active, n) != _slice_text(held, n))
        if held_names
        else ()
    )
    after_reset = [
        Statement(s.name, prepare(s.expression)) for s in read_code(after_reset_code(model, dt))
    ]
    hoist = Hoist({*model.parameters, "dt"})
    return Program(
        active=hoist.statements(active),
        held=hoist.statements(renamed(_live(held, switched), "_held")),
        held_names=held_names,
        switched_names=switched,
        margin=hoist(prepare(parse(model.margin))),
        refractory=None
        if model.refractory is None or model.within_step
        else hoist(prepare(parse(model.refractory))),
        reset=hoist.statements(
            [Statement(n, prepare(e)) for n, e in reset_statements(reset)], keep=True
        ),
        after_reset=hoist.statements(renamed(after_reset, "_after")),
        initial={name: prepare(parse(text)) for name, text in model.initial.items()},
        subexpressions={name: prepare(copied(tree)) for name, tree in subexpressions.items()},
        constants=tuple(hoist.constants),
    )


def reset_statements(reset: str) -> list[tuple[str, ast.expr]]:
    """Names and new values of the statements of a reset."""
    operators = {"+=": ast.Add(), "-=": ast.Sub(), "*=": ast.Mult(), "/=": ast.Div()}
    return [
        (
            name,
            parse(text)
            if operator == "="
            else ast.BinOp(ast.Name(name, ast.Load()), operators[operator], parse(text)),
        )
        for name, operator, text in parse_statements(reset, "reset")
    ]


class Prepare(ast.NodeTransformer):
    """Replace subexpressions by their text and unit names by numbers."""

    def __init__(self, subexpressions: Mapping[str, ast.expr]) -> None:
        self.subexpressions = subexpressions

    def __call__(self, tree: ast.expr) -> ast.expr:
        return self.visit(tree)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.subexpressions:
            return self.visit(copied(self.subexpressions[node.id]))
        if node.id in unit_table():
            return ast.Constant(float(unit_table()[node.id]))
        return node


class _Fold(ast.NodeTransformer):
    """Set ``not_refractory`` to 1 or 0 and drop the terms that vanish."""

    def __init__(self, flag: int) -> None:
        self.flag = flag

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.flag) if node.id == "not_refractory" else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func.id if isinstance(node.func, ast.Name) else ""
        if function == "int" and isinstance(node.args[0], ast.Constant):
            return node.args[0]
        return ast.Constant(1) if function == "exp" and _is(node.args[0], 0) else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return node.operand if _is(node.operand, 0) and not isinstance(node.op, ast.Not) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        left, right = node.left, node.right
        if isinstance(node.op, (ast.Mult, ast.Div)):
            if _is(left, 0) or (isinstance(node.op, ast.Mult) and _is(right, 0)):
                return ast.Constant(0)
            if _is(right, 1):
                return left
            if _is(left, 1) and isinstance(node.op, ast.Mult):
                return right
        if isinstance(node.op, (ast.Add, ast.Sub)):
            if _is(right, 0):
                return left
            if _is(left, 0):
                return right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), right)
        return node


def _is(node: ast.AST, value: int) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _live(statements: list[Statement], names: Iterable[str]) -> list[Statement]:
    """Statements that the final values of ``names`` depend on, in their order."""
    needed, live = set(names), []
    for statement in reversed(statements):
        if statement.name in needed:
            live.append(statement)
            needed |= names_in(statement.expression)
    return live[::-1]


def renamed(statements: list[Statement], prefix: str) -> list[Statement]:
    """Prefix the temporaries (names with a leading underscore) of a program."""
    temporaries = {s.name for s in statements if s.name.startswith("_")}

    def rename(tree: ast.expr) -> ast.expr:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in temporaries:
                node.id = prefix + node.id
        return tree

    return [
        Statement(prefix + s.name if s.name in temporaries else s.name, rename(s.expression))
        for s in statements
    ]


def _slice_text(statements: list[Statement], name: str) -> str:
    return "\n".join(statement.text for statement in _live(statements, [name]))


class Hoist:
    """Move what depends on constants alone (parameters and the time step) out of the time loop."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.constants: list[Statement] = []
        self._known: dict[str, str] = {}

    def statements(
        self, statements: Iterable[Statement], keep: bool = False
    ) -> tuple[Statement, ...]:
        remaining = []
        for statement in statements:
            if (
                not keep
                and statement.name.startswith("_")
                and self._is_constant(statement.expression)
            ):
                self.constants.append(statement)
                self.names.add(statement.name)
            else:
                remaining.append(Statement(statement.name, self(statement.expression)))
        return tuple(remaining)

    def __call__(self, tree: ast.expr) -> ast.expr:
        if isinstance(tree, (ast.Name, ast.Constant)):
            return tree
        if self._is_constant(tree):
            return ast.Name(self._constant(tree), ast.Load())
        for field, value in ast.iter_fields(tree):
            if isinstance(value, ast.expr) and not (isinstance(tree, ast.Call) and field == "func"):
                setattr(tree, field, self(value))
            elif isinstance(value, list):
                setattr(
                    tree,
                    field,
                    [self(item) if isinstance(item, ast.expr) else item for item in value],
                )
        return tree

    def _constant(self, tree: ast.expr) -> str:
        text = ast.unparse(tree)
        if text not in self._known:
            self._known[text] = f"__constant_{len(self._known)}"
            self.constants.append(Statement(self._known[text], tree))
        return self._known[text]

    def _is_constant(self, tree: ast.expr) -> bool:
        calls = {
            n.func.id
            for n in ast.walk(tree)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        return names_in(tree) <= self.names and not calls & RANDOM_CALLS

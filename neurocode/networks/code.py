"""Statements of captured code as syntax trees, and how their results are written."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from neurocode.networks.captured import Block, Line
from neurocode.simulation.statements import parse

#: Arithmetic that counts truth values as numbers.
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


@dataclass(frozen=True)
class Assignment:
    """A line whose expressions are trees; ``numbers`` holds the decimal numbers in them."""

    name: str
    operator: str
    kind: str
    expression: ast.expr
    switch: tuple[str, ast.expr, ast.expr] | None
    numbers: Mapping[str, float]


def assignments(lines: tuple[Line, ...], truths: frozenset[str]) -> tuple[Assignment, ...]:
    """Parse lines; ``truths`` are the names that hold truth values."""
    read = []
    known = set(truths)
    for line in lines:
        prepare = _Prepare(frozenset(known))
        switch = None
        if line.switch is not None:
            name, true, false = line.switch
            switch = (name, prepare(parse(true)), prepare(parse(false)))
        tree = prepare(parse(line.expression))
        read.append(Assignment(line.name, line.operator, line.kind, tree, switch, prepare.numbers))
        if line.kind == "boolean":
            known.add(line.name)
    return tuple(read)


def truth_names(block: Block, kinds: Mapping[str, str]) -> frozenset[str]:
    """Names of a block that refer to arrays of truth values."""
    return frozenset(n for n, r in block.references.items() if kinds.get(r.key) == "b")


class _Prepare(ast.NodeTransformer):
    """Make trees that :func:`neurocode.simulation.evaluate.evaluate` reads with Brian2's meaning.

    Truth values in arithmetic become numbers, whole division becomes a call, and decimal numbers
    that are whole become names, because whole numbers of 32 bits overflow where decimal ones do
    not.
    """

    def __init__(self, truths: frozenset[str]) -> None:
        self.truths = truths
        self.numbers: dict[str, float] = {}

    def __call__(self, tree: ast.expr) -> ast.expr:
        return self.visit(tree)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, float) and node.value.is_integer():
            name = f"__number_{node.value!r}"
            self.numbers[name] = node.value
            return ast.Name(name, ast.Load())
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self.visit(node.operand)
        if not isinstance(node.op, ast.Not):
            node.operand = self._number(node.operand)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        power = isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant)
        node.left = self._number(self.visit(node.left))
        node.right = node.right if power else self._number(self.visit(node.right))
        if isinstance(node.op, ast.FloorDiv):
            return ast.Call(ast.Name("floor_divide", ast.Load()), [node.left, node.right], [])
        return node

    def _number(self, node: ast.expr) -> ast.expr:
        truth = isinstance(node, (ast.Compare, ast.BoolOp)) or (
            (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
            or (isinstance(node, ast.Name) and node.id in self.truths)
            or (isinstance(node, ast.Constant) and isinstance(node.value, bool))
        )
        return ast.Call(ast.Name("int", ast.Load()), [node], []) if truth else node

"""Statements and expressions of abstract code as syntax trees."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass

from neurocode.errors import ModelError


@dataclass(frozen=True)
class Statement:
    """``name = expression``, the expression as a syntax tree."""

    name: str
    expression: ast.expr

    @property
    def text(self) -> str:
        return f"{self.name} = {ast.unparse(self.expression)}"


def read_code(code: str) -> list[Statement]:
    """Parse abstract code, which is Python syntax made by Brian2 from whitelisted text."""
    return [_assignment(node) for node in ast.parse(code).body]


def _assignment(node: ast.stmt) -> Statement:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return Statement(node.targets[0].id, node.value)
    raise ModelError(f"'{ast.unparse(node)}' is not an assignment to a name.")


def parse(text: str) -> ast.expr:
    """Syntax tree of whitelisted text, which may run over several lines."""
    return ast.parse(" ".join(text.split()), mode="eval").body


def copied(tree: ast.expr) -> ast.expr:
    """Copy of a syntax tree."""
    return copy.deepcopy(tree)


def replaced(tree: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """Copy of an expression with names replaced by other expressions."""
    trees = {name: parse(text) for name, text in names.items()}

    class Replace(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return trees.get(node.id, node)

    return Replace().visit(copied(tree))

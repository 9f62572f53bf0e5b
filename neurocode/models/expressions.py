"""The text that a model may contain: a whitelist of syntax-tree nodes and function names.

Nothing here is executed. Brian2 turns equation text into code that runs, so every expression and
statement of a model is checked by this module before Brian2 or JAX reads it.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from functools import lru_cache

from neurocode.errors import ModelError
from neurocode.models.names import SPIKED, check_name
from neurocode.units import SYMBOLS, looks_like_quantity, parse_unit

MAXIMUM_LENGTH = 20_000
MAXIMUM_DEPTH = 60
MAXIMUM_EXPONENT = 16
MAXIMUM_TOTAL_POWER = 64

#: Names of the allowed functions and their numbers of arguments.
FUNCTION_ARGUMENTS = {
    "abs": 1,
    "arccos": 1,
    "arcsin": 1,
    "arctan": 1,
    "ceil": 1,
    "clip": 3,
    "cos": 1,
    "cosh": 1,
    "exp": 1,
    "expm1": 1,
    "exprel": 1,
    "floor": 1,
    "int": 1,
    "log": 1,
    "log10": 1,
    "log1p": 1,
    "normal_cdf": 1,
    "sign": 1,
    "sin": 1,
    "sinh": 1,
    "sqrt": 1,
    "tan": 1,
    "tanh": 1,
}

ALLOWED_NODES = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.Mod,
    ast.USub,
    ast.UAdd,
    ast.Not,
    ast.And,
    ast.Or,
    ast.Gt,
    ast.GtE,
    ast.Lt,
    ast.LtE,
    ast.Eq,
    ast.NotEq,
)

EQUATION_PATTERN = re.compile(
    r"^(?:d(?P<state>\w+)\s*/\s*dt|(?P<name>\w+))\s*(?:=(?P<expression>[^:]*))?"
    r":(?P<unit>[^()]*)(?:\((?P<flags>[^()]*)\))?$",
    re.DOTALL,
)


@dataclass(frozen=True)
class Equation:
    """One line of a model.

    Attributes
    ----------
    kind : {"differential", "subexpression", "input"}
        ``dx/dt = ...``, ``x = ...`` or a bare ``x : unit``.
    name, expression, unit : str
        Variable, right-hand side (empty for an input) and Brian2 unit text.
    flags : tuple of str
        Brian2 flags such as ``"unless refractory"``.
    """

    kind: str
    name: str
    expression: str
    unit: str
    flags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The line as Brian2 reads it."""
        left = {
            "differential": f"d{self.name}/dt = {self.expression}",
            "subexpression": f"{self.name} = {self.expression}",
        }
        flags = f" ({', '.join(self.flags)})" if self.flags else ""
        return f"{left.get(self.kind, self.name)} : {self.unit}{flags}"


def parse_expression(text: str, where: str) -> ast.expr:
    """Parse one expression and refuse everything that is not arithmetic on names and numbers.

    Parameters
    ----------
    text : str
        The expression; any white space in it counts as one blank, as in :func:`one_line`.
    where : str
        Purpose of the expression, for the message.

    Returns
    -------
    ast.expr

    Raises
    ------
    ModelError
        For anything outside the whitelist.

    Examples
    --------
    >>> type(parse_expression("v - V_T", "margin")).__name__
    'BinOp'
    """
    _check_length(text, where)
    if "#" in text or "\\" in text:
        raise ModelError(
            f"The {where} '{_short(text)}' holds a comment or a backslash, which is not allowed "
            f"in a model."
        )
    try:
        tree = ast.parse(one_line(text), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ModelError(
            f"The {where} '{_short(text)}' is not a mathematical expression{_hint(text)}."
        ) from None
    _check_tree(tree.body, where)
    return tree.body


def one_line(text: str) -> str:
    """Replace each run of white space by one blank; the result is what is checked and what engines
    get."""
    return " ".join(text.split())


def _hint(text: str) -> str:
    number, _, unit = one_line(text).partition(" ")
    return f": write '{number}*{unit}'" if unit and looks_like_quantity(text) else ""


def parse_statements(text: str, where: str) -> list[tuple[str, str, str]]:
    """Parse assignments such as ``v = V_r; w += b``.

    Returns
    -------
    list of (name, operator, expression)
        ``operator`` is ``"="`` or an augmented form such as ``"+="``.

    Raises
    ------
    ModelError
        For anything but assignments of whitelisted expressions to names.
    """
    _check_length(text, where)
    try:
        module = ast.parse("\n".join(line.strip() for line in text.strip().splitlines()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ModelError(f"The {where} '{_short(text)}' is not a list of assignments.") from None
    return [_parse_assignment(statement, where) for statement in module.body]


def _parse_assignment(statement: ast.stmt, where: str) -> tuple[str, str, str]:
    operators = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, operator = statement.targets[0], "="
    elif isinstance(statement, ast.AugAssign) and type(statement.op) in operators:
        target, operator = statement.target, operators[type(statement.op)]
    else:
        raise ModelError(
            f"The {where} may hold assignments only, not '{_short(ast.unparse(statement))}'."
        )
    if not isinstance(target, ast.Name):
        raise ModelError(
            f"The {where} assigns to '{_short(ast.unparse(target))}', which is not a variable."
        )
    _check_name(target.id, where)
    _check_tree(statement.value, where)
    return target.id, operator, ast.unparse(statement.value)


@lru_cache(maxsize=256)
def parse_equations(text: str) -> tuple[Equation, ...]:
    """Parse equation text with one equation per line (a line without ``:`` continues on the next).

    Raises
    ------
    ModelError
        For a line that is not an equation, or an expression outside the whitelist.
    """
    _check_length(text, "equations")
    equations = tuple(_parse_equation(line) for line in _join_lines(text))
    if not equations:
        raise ModelError("The equations are empty.")
    names = [equation.name for equation in equations]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ModelError(f"The equations define '{repeated[0]}' more than once.")
    return equations


def _join_lines(text: str) -> list[str]:
    lines, pending = [], ""
    for raw in text.splitlines():
        pending = f"{pending} {raw.split('#')[0].strip()}".strip()
        if ":" in pending:
            lines.append(pending)
            pending = ""
    if pending:
        raise ModelError(
            f"The equation '{_short(pending)}' has no unit: write it as 'dv/dt = ... : volt'."
        )
    return lines


def _parse_equation(line: str) -> Equation:
    match = EQUATION_PATTERN.match(line)
    if match is None or (match["state"] and match["expression"] is None):
        raise ModelError(
            f"'{_short(line)}' is not an equation: write 'dv/dt = ... : volt' or 'x = ... : volt'."
        )
    name, unit = match["state"] or match["name"], one_line(match["unit"])
    kind = (
        "input"
        if match["expression"] is None
        else "differential"
        if match["state"]
        else "subexpression"
    )
    _check_variable(kind, name, unit)
    flags = tuple(flag.strip() for flag in (match["flags"] or "").split(",") if flag.strip())
    unknown = set(flags) - ({"unless refractory"} if kind == "differential" else set())
    if unknown:
        raise ModelError(
            f"The equation of '{_short(name)}' has the flag '{_short(sorted(unknown)[0])}'; the "
            f"only one is 'unless refractory', for a differential equation."
        )
    expression = one_line(match["expression"] or "")
    if kind != "input":
        parse_expression(expression, f"equation of '{name}'")
    return Equation(kind, name, expression, unit, flags)


def _check_variable(kind: str, name: str, unit: str) -> None:
    """Check the name and the unit of a line, which must be a base unit for Brian2."""
    if name != SPIKED:
        check_name(name, "variable")
    elif kind != "input" or unit != "1":
        raise ModelError(
            f"The equations may declare '{SPIKED} : 1' only, which is set by the simulation."
        )
    scale = parse_unit(unit).scale
    symbols = [word for word in re.findall("[A-Za-z]+", unit) if word in SYMBOLS]
    if symbols:
        raise ModelError(
            f"The unit '{unit}' of '{name}' holds the symbol '{symbols[0]}': write "
            f"'{SYMBOLS[symbols[0]]}'."
        )
    if scale != 1.0:
        raise ModelError(
            f"The unit '{unit}' of '{name}' is not a base unit, such as volt, amp or siemens."
        )


def names_in(expression: str | ast.AST) -> set[str]:
    """Return the names of the variables (not functions) that an expression uses."""
    tree = ast.parse(expression, mode="eval") if isinstance(expression, str) else expression
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and id(node) not in functions
    }


def _check_tree(tree: ast.expr, where: str) -> None:
    _check_node(tree, where, depth=0)
    _check_kind(tree, where, condition=False)


def _check_kind(node: ast.expr, where: str, condition: bool) -> None:
    """Check that numbers are used as numbers and conditions as conditions, because engines convert
    between the two in different ways."""
    if _is_condition(node) != condition:
        expected = (
            "condition" if condition else "number: write 'v - V_T' for v > V_T, int(...) for 0 or 1"
        )
        raise ModelError(f"The {where} uses '{_short(_source(node))}' where it needs a {expected}.")
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        raise ModelError(
            f"The {where} compares three values in '{_short(_source(node))}': join two "
            f"comparisons with 'and'."
        )
    if isinstance(node, ast.Call):
        is_int = isinstance(node.func, ast.Name) and node.func.id == "int"
        for argument in node.args:
            _check_kind(argument, where, is_int and _is_condition(argument))
        return
    of_conditions = isinstance(node, ast.BoolOp) or (condition and isinstance(node, ast.UnaryOp))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check_kind(child, where, of_conditions)


def _is_condition(node: ast.expr) -> bool:
    truth = isinstance(node, ast.Constant) and isinstance(node.value, bool)
    return (
        truth
        or isinstance(node, (ast.Compare, ast.BoolOp))
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
    )


def _check_node(node: ast.AST, where: str, depth: int) -> None:
    if depth > MAXIMUM_DEPTH:
        raise ModelError(f"The {where} is nested more than {MAXIMUM_DEPTH} deep.")
    if not isinstance(node, ALLOWED_NODES):
        raise ModelError(
            f"The {where} uses '{_short(_source(node))}', which is not allowed in a model."
        )
    if isinstance(node, ast.Call):
        _check_call(node, where)
    elif isinstance(node, ast.Name):
        _check_name(node.id, where)
    elif isinstance(node, ast.Constant):
        _check_number(node.value, where)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        _check_exponent(node.right, where)
        if _total_power(node) > MAXIMUM_TOTAL_POWER:
            raise ModelError(
                f"The {where} raises powers to powers beyond {MAXIMUM_TOTAL_POWER} in all."
            )
    for child in ast.iter_child_nodes(node):
        _check_node(child, where, depth + 1)


def _check_call(node: ast.Call, where: str) -> None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise ModelError(
            f"The {where} uses '{_short(_source(node))}', which is not allowed in a model."
        )
    expected = FUNCTION_ARGUMENTS.get(node.func.id)
    if expected is None:
        raise ModelError(
            f"The {where} calls the unknown function '{node.func.id}'; known are "
            f"{', '.join(FUNCTION_ARGUMENTS)}."
        )
    if len(node.args) != expected:
        raise ModelError(
            f"The {where} calls '{node.func.id}' with {len(node.args)} arguments, expected "
            f"{expected}."
        )


def _check_name(name: str, where: str) -> None:
    if name.startswith("_") or name.endswith("_") or not name.isascii():
        raise ModelError(
            f"The {where} uses the name '{_short(name)}'; names are ASCII without an underscore "
            f"at either end."
        )


def _check_number(value: object, where: str) -> None:
    if isinstance(value, bool):
        return
    if not isinstance(value, (int, float)) or abs(value) > 1e30 or not math.isfinite(value):
        raise ModelError(
            f"The {where} holds '{_short(repr(value))}', expected a finite number below 1e30."
        )


def _check_exponent(node: ast.expr, where: str) -> None:
    names = names_in(node)
    if names and not any(isinstance(child, ast.Pow) for child in ast.walk(node)):
        return
    try:
        power = ast.literal_eval(node)
    except ValueError:
        power = math.inf
    if not isinstance(power, (int, float)) or abs(power) > MAXIMUM_EXPONENT:
        raise ModelError(
            f"The {where} has the exponent '{_short(_source(node))}', expected a number up to "
            f"{MAXIMUM_EXPONENT}."
        )


def _total_power(node: ast.AST) -> float:
    """Return the largest product of the exponents along one path down the syntax tree."""
    below = max((_total_power(child) for child in ast.iter_child_nodes(node)), default=1.0)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not names_in(node.right):
        return max(1.0, abs(float(ast.literal_eval(node.right)))) * below
    return below


def _check_length(text: str, where: str) -> None:
    if not isinstance(text, str):
        raise ModelError(f"The {where} must be text, not {type(text).__name__}.")
    if len(text) > MAXIMUM_LENGTH:
        raise ModelError(
            f"The {where} is {len(text)} characters long, at most {MAXIMUM_LENGTH} are read."
        )


def _source(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except (AttributeError, ValueError, RecursionError):
        return type(node).__name__


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."

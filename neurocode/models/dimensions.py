"""The check that the units of a model fit together. It is made once for all engines, because JAX
and the compiled loop compute with plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import Variable
from brian2.parsing.expressions import parse_expression_dimensions
from brian2.units.fundamentalunits import (
    DIMENSIONLESS,
    Dimension,
    DimensionMismatchError,
    get_unit_for_display,
)

from neurocode.errors import ModelError
from neurocode.models.expressions import names_in
from neurocode.models.names import is_noise
from neurocode.units import parse_unit, unit_table

SECOND = parse_unit("second").dim

#: An expression to check: its purpose, its text, and the unit that it must have, or None if any
#: unit is allowed.
Question = tuple[str, str, str | None]


def check_dimensions(questions: tuple[Question, ...], units: tuple[tuple[str, str], ...]) -> None:
    """Check the units of expressions.

    Parameters
    ----------
    questions : tuple of (str, str, str or None)
        Purpose and text of each expression, and the unit that it must have, or None if any unit is
        allowed.
    units : tuple of (str, str)
        Names of variables and parameters with their units.

    Raises
    ------
    ModelError
        If units do not fit together; the message names the expression.

    Examples
    --------
    >>> check_dimensions((("margin", "v - V_T", "volt"),), (("v", "volt"), ("V_T", "mV")))
    """
    names = set().union(*(names_in(text) for _, text, _ in questions))
    variables = _variables(names, {name: parse_unit(unit).dim for name, unit in units})
    for where, text, unit in questions:
        dimension = dimension_of(text, variables, where)
        if unit is not None and dimension is not parse_unit(unit).dim:
            raise ModelError(
                f"The {where} '{_short(text)}' has the unit {_unit_text(dimension)}, expected "
                f"{_unit_text(parse_unit(unit).dim)}."
            )


def dimension_of(text: str, variables: Mapping[str, Variable | Function], where: str) -> Dimension:
    """Physical dimension of an expression.

    Raises
    ------
    ModelError
        If units in the expression do not fit together.
    """
    try:
        return parse_expression_dimensions(text, variables)
    except DimensionMismatchError as error:
        detail = " ".join(str(error).split()).rstrip(".")
        raise ModelError(
            f"The units in the {where} do not fit: {detail[:1].lower()}{detail[1:]}."
        ) from None
    except (SyntaxError, KeyError, TypeError, ValueError, ArithmeticError, NotImplementedError):
        raise ModelError(
            f"The units in the {where} '{_short(text)}' cannot be worked out: is an exponent not "
            f"a number?"
        ) from None


def _variables(
    names: Iterable[str], dimensions: Mapping[str, Dimension]
) -> dict[str, Variable | Function]:
    """Return the variables and functions that Brian2 needs to find the unit of an expression: those
    of the model, units, white noise and mathematical functions."""

    def dimension(name: str) -> Dimension:
        if is_noise(name):
            return SECOND**-0.5
        return dimensions[name] if name in dimensions else unit_table()[name].dim

    functions = {
        **DEFAULT_FUNCTIONS,
        "normal_cdf": Function(abs, arg_units=[1], arg_names=["x"], return_unit=1),
    }
    return functions | {name: Variable(name, dimension(name)) for name in names}


def _unit_text(dimension: Dimension) -> str:
    return "1" if dimension is DIMENSIONLESS else get_unit_for_display(dimension)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."

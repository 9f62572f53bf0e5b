"""Conversion of units: text as in Brian2, plain numbers in SI, and `quantities` for Neo."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat, TypeGuard, cast

import numpy as np
import quantities as pq

from neurocode.errors import DataError, ModelError

if TYPE_CHECKING:  # Brian2 takes seconds to import, and plain numbers need none of it
    from brian2.units.fundamentalunits import Dimension, Quantity

QUANTITY_PATTERN = re.compile(
    r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf)\s*\*?\s*(.*?)\s*$"
)

#: Preferred unit in Neo objects and reports for each physical dimension, as Brian2 writes it.
PREFERRED_UNITS = ("mV", "pA", "ms", "nS", "pF", "Hz", "Mohm")

#: A membrane current beyond this, in ampere, is taken for a mistaken unit.
LARGEST_CURRENT = 2e-8

#: A value beyond this is not a measurement.
LARGEST_NUMBER = 1e300

#: Units of Brian2 that `quantities` writes differently.
NEO_NAMES = {
    "amp": "A",
    "volt": "V",
    "second": "s",
    "siemens": "S",
    "farad": "F",
    "metre": "m",
    "kilogram": "kg",
    "Mohm": "megaohm",
}


def unit_table() -> dict[str, Quantity]:
    """Every unit name that Brian2 resolves in equations, with its value."""
    from brian2.core.namespace import DEFAULT_UNITS

    return DEFAULT_UNITS


#: Symbols of base units that values may carry; in equations Brian2 takes them for variables.
SYMBOLS = {"s": "second", "V": "volt", "A": "amp", "S": "siemens", "F": "farad"}


class ParsedUnit(NamedTuple):
    """Value of a unit in SI and its physical dimension."""

    scale: float
    dim: Dimension


@lru_cache(maxsize=512)
def parse_unit(text: str) -> ParsedUnit:
    """Read a unit written as products, quotients and powers (whole or half) of unit names.

    Parameters
    ----------
    text : str
        For example ``"mV"``, ``"nS/mV"`` or ``"1"`` (dimensionless).

    Returns
    -------
    ParsedUnit

    Raises
    ------
    ModelError
        If the text is anything but names of units combined by ``*``, ``/`` and ``**``.

    Examples
    --------
    >>> parse_unit("mV").scale
    0.001
    """
    if text.strip() in ("", "1"):
        return ParsedUnit(1.0, _dimensionless())
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ModelError(
            f"'{text}' is not a unit: expected names such as mV, pA or nS/mV."
        ) from None
    return _evaluate_unit(tree, text)


def _evaluate_unit(node: ast.expr, text: str) -> ParsedUnit:
    if isinstance(node, ast.Name) and SYMBOLS.get(node.id, node.id) in unit_table():
        unit = unit_table()[SYMBOLS.get(node.id, node.id)]
        return ParsedUnit(float(unit), unit.dim)
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value == 1:
        return ParsedUnit(1.0, _dimensionless())
    if isinstance(node, ast.BinOp):
        left = _evaluate_unit(node.left, text)
        if isinstance(node.op, ast.Pow):
            power = _power(node.right, text)
            return ParsedUnit(left.scale**power, left.dim**power)
        right = _evaluate_unit(node.right, text)
        if isinstance(node.op, ast.Mult):
            return ParsedUnit(left.scale * right.scale, left.dim * right.dim)
        if isinstance(node.op, ast.Div):
            return ParsedUnit(left.scale / right.scale, left.dim / right.dim)
    raise ModelError(f"'{text}' is not a unit: expected names such as mV, pA or nS/mV.")


def _power(node: ast.expr, text: str) -> float:
    try:
        power = ast.literal_eval(node)
    except ValueError:
        power = None
    if (
        not isinstance(power, (int, float))
        or isinstance(power, bool)
        or abs(power) > 6
        or 2 * power != int(2 * power)
    ):
        raise ModelError(
            f"'{text}' is not a unit: a power must be a whole or half number from -6 to 6."
        )
    return power


def parse_quantity(text: str | float) -> tuple[float, str]:
    """Split ``"20 ms"`` into its number and its unit text.

    Raises
    ------
    ModelError
        If no number leads the text or the unit is unknown.

    Examples
    --------
    >>> parse_quantity("-70 mV")
    (-70.0, 'mV')
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if abs(text) > LARGEST_NUMBER:
            raise ModelError(f"A value is larger than {LARGEST_NUMBER:g}.")
        return float(text), "1"
    match = QUANTITY_PATTERN.match(str(text))
    if match is None:
        raise ModelError(f"'{text}' is not a value: expected a number and a unit, such as '20 ms'.")
    unit = match.group(2) or "1"
    parse_unit(unit)
    return float(match.group(1)), unit


def looks_like_quantity(text: str) -> bool:
    """Tell whether text is a number and a unit, as a value is written.

    Examples
    --------
    >>> looks_like_quantity("2 ms"), looks_like_quantity("2*t_ref")
    (True, False)
    """
    try:
        return parse_quantity(text)[1] != "1"
    except ModelError:
        return False


def to_si(value: float, unit: str) -> float:
    """Express ``value`` given in ``unit`` in the SI base unit of its dimension."""
    return float(value) * parse_unit(unit).scale


def si_unit_text(unit: str) -> str:
    """Name of the SI base unit of the same dimension as ``unit``, as Brian2 writes it."""
    quantity = parse_unit(unit)
    return "1" if quantity.dim is _dimensionless() else _base_unit_text(quantity.dim)


def same_dimension(first: str, second: str) -> bool:
    """Tell whether two unit texts measure the same physical dimension."""
    return parse_unit(first).dim is parse_unit(second).dim


def preferred_unit(dimension: Dimension) -> tuple[str, float]:
    """Unit text and SI value in which quantities of a dimension are shown."""
    if dimension is _dimensionless():
        return "1", 1.0
    for name in PREFERRED_UNITS:
        unit = parse_unit(name)
        if unit.dim is dimension:
            return name, unit.scale
    return _base_unit_text(dimension), 1.0


def _base_unit_text(dimension: Dimension) -> str:
    return _brian_unit_text(dimension).replace(" ", "")


def _brian_unit_text(dimension: Dimension) -> str:
    from brian2.units.fundamentalunits import get_unit

    return repr(get_unit(dimension))


def _dimensionless() -> Dimension:
    from brian2.units.fundamentalunits import DIMENSIONLESS

    return DIMENSIONLESS


def to_neo_units(unit: str) -> pq.Quantity:
    """Translate Brian2 unit text to the unit that Neo expects.

    Examples
    --------
    >>> to_neo_units("amp").dimensionality.string
    'A'
    """
    if unit == "1":
        return pq.dimensionless
    return pq.Quantity(
        1.0, re.sub("[A-Za-z]+", lambda name: NEO_NAMES.get(name.group(), name.group()), unit)
    )


def signal_to_si(signal: pq.Quantity, unit: str, what: str) -> np.ndarray:
    """Magnitude of a `quantities` signal in the SI base unit of ``unit``.

    Raises
    ------
    DataError
        If the signal measures another dimension.
    """
    target = to_neo_units(si_unit_text(unit))
    try:
        return np.asarray(signal.rescale(target).magnitude, dtype=float)
    except ValueError:
        raise DataError(
            f"{what} is in {signal.dimensionality.string}, expected a unit of {si_unit_text(unit)}."
        ) from None


def unmasked(values: object, what: str) -> np.ndarray:
    """Return values as an array and refuse masked entries, whose values NumPy would use.

    Raises
    ------
    DataError
        If entries are masked; the message says how many.

    Examples
    --------
    >>> unmasked([1, 2], "Counts")
    array([1, 2])
    """
    require_unmasked(values, what)
    return np.asarray(values)


def require_unmasked(values: object, what: str) -> None:
    """Refuse a masked array that hides entries.

    Raises
    ------
    DataError
    """
    if np.ma.is_masked(values):
        raise DataError(
            f"{what}: {np.ma.count_masked(values)} entries are masked, expected none; leave them "
            f"out (.compressed())."
        )


def plain_numbers(values: object, what: str) -> np.ndarray:
    """Return real numbers as an array and refuse what NumPy would turn into other numbers.

    Raises
    ------
    DataError
        For complex numbers, truth values, text, and anything that is not an array.

    Examples
    --------
    >>> plain_numbers([1, 2], "The current")
    array([1., 2.])
    """
    require_unmasked(values, what)
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype.kind not in "iuf":
        kind = {"c": "complex numbers", "b": "truth values"}.get(
            array.dtype.kind, type(values).__name__
        )
        raise DataError(f"{what} must be real numbers, not {kind}.")
    return array.astype(float)


def is_whole(value: object, least: int) -> TypeGuard[int]:
    """Whether a value is a whole number of at least ``least``; a truth value is not.

    Examples
    --------
    >>> is_whole(np.int64(3), 1), is_whole(3.0, 1), is_whole(True, 1)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def strip_unit(values: object, unit: str, what: str) -> np.ndarray:
    """Values in the SI base unit of ``unit``: quantities are converted, plain numbers are in SI
    already.

    Raises
    ------
    DataError
        For another dimension or anything but real numbers.

    Examples
    --------
    >>> strip_unit([200.0] * pq.pA, "amp", "The current")
    array([2.e-10])
    """
    if isinstance(values, pq.Quantity):
        plain_numbers(values.magnitude, what)
        return signal_to_si(values, unit, what)
    dimension = brian_dimension(values)
    if dimension is not None and dimension is not parse_unit(unit).dim:
        raise DataError(
            f"{what} is in {_brian_unit_text(dimension)}, expected a unit of {si_unit_text(unit)}."
        )
    return plain_numbers(values, what)


def require_membrane_current(values: np.ndarray) -> np.ndarray:
    """Refuse a current that is too large for a membrane and suggests a mistaken unit.

    Parameters
    ----------
    values : numpy.ndarray
        In ampere.

    Raises
    ------
    DataError
        If a value exceeds 20 nA.
    """
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest > LARGEST_CURRENT:
        raise DataError(
            f"The current reaches {largest:.3g} A, beyond {LARGEST_CURRENT:g} A: is it in the "
            f"unit it says?"
        )
    return values


def brian_dimension(value: object) -> Dimension | None:
    """Dimension of a quantity of Brian2; None for anything else.

    Examples
    --------
    >>> brian_dimension(0.5) is None
    True
    """
    return getattr(value, "dim", None)


def number_in(quantity: Any, unit: str) -> float:
    """A quantity as a plain number in a unit.

    Neo annotates starts, ends, rates and periods as None or whole numbers; those of its signals and
    trains are quantities.

    Raises
    ------
    ValueError
        If the quantity has another dimension.

    Examples
    --------
    >>> number_in(250.0 * pq.ms, "s")
    0.25
    """
    return float(quantity.rescale(unit))


def in_si(value: object, unit: str, what: str) -> float:
    """Return a number in SI from a number in SI, text, or a quantity of `quantities` or Brian2.

    Raises
    ------
    DataError
        If it cannot be read as a finite value of the dimension of ``unit``.

    Examples
    --------
    >>> in_si("5 pA", "amp", "The offset")
    5e-12
    """
    try:
        if isinstance(value, str):
            number, text_unit = parse_quantity(value)
            if text_unit != "1" and not same_dimension(text_unit, unit):
                raise ValueError
            number = to_si(number, text_unit)
        elif isinstance(value, pq.Quantity):
            number = float(value.rescale(to_neo_units(si_unit_text(unit))))
        elif isinstance(value, (bool, np.bool_)) or brian_dimension(value) not in (
            None,
            parse_unit(unit).dim,
        ):
            raise ValueError
        else:
            number = float(cast("SupportsFloat", value))  # anything else is the TypeError below
    except (ModelError, TypeError, ValueError):
        raise DataError(
            f"{what} is {value!r}, expected a number in {si_unit_text(unit)} or text with a unit."
        ) from None
    if not np.isfinite(number):
        raise DataError(f"{what} is {number}, expected a finite number.")
    return number


def seconds(value: object, what: str) -> float:
    """Positive time in seconds; see :func:`in_si`.

    Raises
    ------
    DataError
        If it is not a finite positive time.
    """
    number = in_si(value, "second", what)
    if number <= 0:
        raise DataError(f"{what} is {number} s, expected a positive time.")
    return number

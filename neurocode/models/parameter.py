"""A typed parameter of a neuron model: value with unit, bounds, and whether a fit may change it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast, overload

import numpy as np
import quantities as pq

from neurocode.errors import DataError, ModelError
from neurocode.units import (
    brian_dimension,
    parse_quantity,
    parse_unit,
    plain_numbers,
    same_dimension,
    si_unit_text,
    to_neo_units,
)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a neuron model.

    Attributes
    ----------
    value : float or numpy.ndarray
        Value in ``unit``; an array gives each neuron (or trial) its own value.
    unit : str
        Brian2 unit text, ``"1"`` for a dimensionless parameter.
    bounds : tuple of float
        Lowest and highest value that a fit may reach, in ``unit``; an infinite bound is open.
    fixed : bool
        Whether fits and training leave the parameter unchanged.
    per_neuron : bool
        Whether training gives each neuron its own value.
    description : str
        Meaning of the parameter in words.
    """

    value: float | np.ndarray
    unit: str = "1"
    bounds: tuple[float, float] = (-math.inf, math.inf)
    fixed: bool = False
    per_neuron: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.unit, str):
            raise ModelError(
                f"The unit of a parameter must be text, not {type(self.unit).__name__}."
            )
        parse_unit(self.unit)
        for what in ("fixed", "per_neuron"):
            if not isinstance(getattr(self, what), bool):
                raise ModelError(
                    f"'{what}' of a parameter must be true or false, not {getattr(self, what)!r}."
                )
        if not isinstance(self.description, str):
            raise ModelError(
                f"The description of a parameter must be text, not "
                f"{type(self.description).__name__}."
            )
        if hasattr(self.value, "dim") or isinstance(self.value, pq.Quantity):
            object.__setattr__(self, "value", in_unit(self.value, self.unit))
        value = _numbers(self.value)
        if value.size == 0 or not np.all(np.isfinite(value)):
            raise ModelError(f"A parameter value must be finite, not {self.value}.")
        if len(self.bounds) != 2:
            raise ModelError(
                f"Parameter bounds are a lowest and a highest value, not {self.bounds}."
            )
        low, high = self.bounds
        if not low < high:
            raise ModelError(f"Parameter bounds must be ordered, not {low} and {high}.")
        if np.any(value < low) or np.any(value > high):
            raise ModelError(
                f"The parameter value {self.value} {self.unit} lies outside its bounds {low} to "
                f"{high}."
            )

    @classmethod
    def of(
        cls,
        value: str | float,
        bounds: tuple[str | float, str | float] | None = None,
        *,
        fixed: bool = False,
        per_neuron: bool = False,
        description: str = "",
    ) -> Parameter:
        """Make a parameter from text such as ``"20 ms"`` and bounds such as ``("1 ms", "100 ms")``.

        Raises
        ------
        ModelError
            If the text has no number or an unknown unit, or the bounds have another dimension.
        """
        number, unit = parse_quantity(value)
        limits = (
            (-math.inf, math.inf)
            if bounds is None
            else cast("tuple[float, float]", tuple(in_unit(bound, unit) for bound in bounds))
        )
        return cls(number, unit, limits, fixed, per_neuron, description)

    @property
    def si(self) -> float | np.ndarray:
        """Value in the SI base unit."""
        return self.value * parse_unit(self.unit).scale

    @property
    def si_bounds(self) -> tuple[float, float]:
        """Bounds in the SI base unit."""
        scale = parse_unit(self.unit).scale
        return self.bounds[0] * scale, self.bounds[1] * scale

    def with_value(self, value: object) -> Parameter:
        """Return a copy with another value: a number in this unit, text with a unit, or a Brian2
        quantity."""
        return replace(self, value=in_unit(value, self.unit))

    def with_bounds(self, bounds: object) -> Parameter:
        """Return a copy with another lowest and highest value: numbers in this unit, text with a
        unit, or quantities; an infinite bound is open.

        Raises
        ------
        ModelError
            For anything but two ordered values of this dimension, or if the value lies outside
            them.
        """
        pair = (
            []
            if isinstance(bounds, (str, dict, set))
            else list(bounds)
            if np.iterable(bounds)
            else []
        )
        if len(pair) != 2 or any(np.ndim(bound) for bound in pair):
            raise ModelError(f"Parameter bounds are a lowest and a highest value, not {bounds!r}.")
        return replace(self, bounds=tuple(float(in_unit(bound, self.unit)) for bound in pair))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameter):
            return NotImplemented
        return np.array_equal(self.value, other.value) and _rest(self) == _rest(other)

    @property
    def described(self) -> str:
        """Value, unit, bounds and meaning in one line of text."""
        value = f"{self.value:.6g}" if np.ndim(self.value) == 0 else f"{np.size(self.value)} values"
        unit = "" if self.unit == "1" else f" {self.unit}"
        state = (
            "fixed"
            if self.fixed
            else f"from {self.bounds[0]:.6g} to {self.bounds[1]:.6g}"
            if self._is_bounded
            else "unbounded"
        )
        return f"{value}{unit} ({state})" + (f": {self.description}" if self.description else "")

    @property
    def _is_bounded(self) -> bool:
        return any(math.isfinite(bound) for bound in self.bounds)


@overload
def in_unit(value: str | float, unit: str) -> float: ...
@overload
def in_unit(value: object, unit: str) -> float | np.ndarray: ...
def in_unit(value: object, unit: str) -> float | np.ndarray:
    """Convert a value to ``unit``; plain numbers are assumed to be in ``unit`` already.

    Raises
    ------
    ModelError
        If the value has another dimension.
    """
    if isinstance(value, str):
        number, value_unit = parse_quantity(value)
        if math.isinf(number) and value_unit == "1":
            return number
        if not same_dimension(value_unit, unit):
            raise ModelError(f"'{value}' is not in a unit of {unit}.")
        return (
            number * parse_unit(value_unit).scale / parse_unit(unit).scale
            if value_unit != unit
            else number
        )
    if isinstance(value, pq.Quantity):
        try:
            return (
                _numbers(value.rescale(to_neo_units(si_unit_text(unit))).magnitude)[()]
                / parse_unit(unit).scale
            )
        except ValueError:
            raise ModelError(f"{value} is not in a unit of {unit}.") from None
    dimension = brian_dimension(value)
    if dimension is not None:
        if dimension is not parse_unit(unit).dim:
            raise ModelError(f"{value} is not in a unit of {unit}.")
        return np.asarray(value, dtype=float)[()] / parse_unit(unit).scale
    array = _numbers(value)
    return array if array.ndim else float(array)


def _rest(parameter: Parameter) -> dict[str, object]:
    """Return all attributes except the value, which may be an array."""
    return {name: part for name, part in vars(parameter).items() if name != "value"}


def _numbers(value: object) -> np.ndarray:
    try:
        return plain_numbers(value, "A parameter value")
    except DataError as error:
        raise ModelError(str(error)) from None

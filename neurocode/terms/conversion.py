"""The quantities of a term in the units of a model that has no capacitance or no volts.

A term is written for currents in ampere and potentials in volt. In a model without a capacitance
its currents count as voltages, and in a model without volts its potentials are plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurocode.errors import ModelError
from neurocode.models.parameter import Parameter
from neurocode.terms.membrane import Membrane
from neurocode.units import parse_quantity, parse_unit, same_dimension

#: The resistance, in ohm, at which a current counts as a voltage where a model has no capacitance:
#: 10 nS count as a leak (our choice).
RESISTANCE = 1e8
#: The potential, in volt, that counts as one where the potential of a model has no unit (our
#: choice).
ONE = 5e-3
#: Powers of metre, kilogram, second, ampere, kelvin, mole and candela; each unit of a term is a
#: product of powers of volt, ampere and second.
METRE, KILOGRAM, SECOND, AMPERE = range(4)


@dataclass(frozen=True)
class Conversion:
    """How quantities of a term are expressed in a model.

    Attributes
    ----------
    currents_are_voltages : bool
    has_volts : bool
    zero : float, optional
    one : float
        Potentials, in volt, that stand for zero and one where the potential has no unit; ``zero``
        is None if it was not given.
    """

    currents_are_voltages: bool
    has_volts: bool
    zero: float | None
    one: float

    @classmethod
    def to(cls, membrane: Membrane, potential: tuple[str, str] | None) -> Conversion:
        """Return the conversion to the units of a model.

        Parameters
        ----------
        membrane : Membrane
        potential : tuple of str, optional
            What zero and one stand for where the potential has no unit, such as ``("-70 mV",
            "5 mV")``.
        """
        zero, one = (None, ONE) if potential is None else _volts(potential)
        return cls(membrane.unit == "second", membrane.has_volts, zero, one)

    def unit(self, text: str) -> str:
        """Unit of a variable of the term in the model."""
        volts, amperes, seconds = _powers(text)
        if not self.currents_are_voltages:
            return text
        return _unit_text(self._volts_of(volts, amperes), seconds, "volt", "second")

    def parameter(self, name: str, parameter: Parameter, is_potential: bool) -> Parameter:
        """A parameter of the term in the units of the model.

        Raises
        ------
        ModelError
            If the parameter is a point on the axis of the potential, and nothing says which number
            stands for it.
        """
        volts, amperes, seconds = _powers(parameter.unit)
        unchanged = amperes == 0 if self.has_volts else volts == amperes == 0
        if not self.currents_are_voltages or unchanged:
            return parameter
        zero = 0.0
        if is_potential and not self.has_volts:
            if self.zero is None:
                raise ModelError(
                    f"'{name}' is in {parameter.unit}, but the potential of the model has no unit; "
                    f"say what zero and one stand for, such as potential=('-70 mV', '5 mV')."
                )
            zero = self.zero
        unit = _unit_text(self._volts_of(volts, amperes), seconds, "mV", "ms")
        factor = RESISTANCE**amperes * (1.0 if self.has_volts else self.one ** -(volts + amperes))
        factor /= parse_unit(unit).scale

        def converted(number: float) -> float:
            return float((number * parse_unit(parameter.unit).scale - zero) * factor)

        low, high = map(converted, parameter.bounds)
        return replace(
            parameter,
            value=converted(float(np.ravel(parameter.value)[0])),
            unit=unit,
            bounds=(low, high),
        )

    def _volts_of(self, volts: int, amperes: int) -> int:
        return volts + amperes if self.has_volts else 0


def _volts(potential: tuple[str, str]) -> tuple[float, float]:
    message = f"The potential {potential!r} must be two texts in volt, such as ('-70 mV', '5 mV')."
    if not isinstance(potential, tuple) or len(potential) != 2:
        raise ModelError(message)
    numbers = []
    for text in potential:
        number, unit = parse_quantity(text)
        if not same_dimension(unit, "volt"):
            raise ModelError(message)
        numbers.append(number * parse_unit(unit).scale)
    if numbers[1] <= 0:
        raise ModelError(message)
    return numbers[0], numbers[1]


def _powers(unit: str) -> tuple[int, int, int]:
    """Return the powers of volt, ampere and second in a unit."""
    powers = parse_unit(unit).dim._dims
    volts = powers[KILOGRAM]
    amperes, seconds = powers[AMPERE] + volts, powers[SECOND] + 3 * volts
    if powers[METRE] != 2 * volts or any(powers[AMPERE + 1 :]):
        raise ModelError(f"The unit '{unit}' is not one of volt, ampere and second.")
    return volts, amperes, seconds


def _unit_text(volts: int, seconds: int, volt: str, second: str) -> str:
    factors = [(volt, volts), (second, seconds)]
    above = [_power(name, power) for name, power in factors if power > 0]
    below = [_power(name, -power) for name, power in factors if power < 0]
    return "/".join(["*".join(above) or "1", *below])


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}**{power}"

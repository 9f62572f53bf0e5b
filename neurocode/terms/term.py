"""A term: a few lines of equations that a model can be extended by, and where they enter it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import cleandoc

import numpy as np

from neurocode.display import lines
from neurocode.errors import ModelError
from neurocode.models.expressions import Equation, parse_equations
from neurocode.models.parameter import Parameter, in_unit
from neurocode.terms.checks import check_term, check_types, require_parameters


@dataclass(frozen=True, repr=False)
class Term:
    """A few lines of equations that a model can be extended by, and where they enter it.

    The text may read the membrane potential ``v``, the time ``t`` and the input ``I`` of the model;
    everything else is defined by the term itself. Where all amplitudes have the values of
    ``absent``, the extended model is the model without the term.

    Attributes
    ----------
    name, description, source : str
        ``source`` names the paper of the form and of the numbers, or says that they are our choice.
    equations : str
        Brian2 equations with units, as in a model, without inputs.
    parameters : mapping of str to Parameter
        Starting values and bounds of a fit, and meanings.
    absent : mapping of str to float or str
        Values of the amplitudes at which the term is absent, in the units of the parameters or as
        text with a unit.
    current : str
        Variable of the equations (amp) that is subtracted from the currents of the membrane
        equation: an outward current is positive.
    threshold : str
        Variable of the equations (volt) that is added to the threshold.
    reset : str
        Statements applied at a spike, to the states of the term alone.
    initial : mapping of str to str
        Expressions for the states at time zero, as in a model; ``v`` is known to them.
    grid : mapping of str to sequence of float or str
        Values of the nonlinear parameters at which the term is screened.
    potentials : tuple of str
        Parameters that are points on the axis of the potential, such as a half activation, and not
        differences of potentials, such as a slope.
    shared : tuple of str
        Parameters that are taken from the model if it has one of this name, such as ``E_K``.

    Raises
    ------
    ModelError
        If the text is not allowed, or names, units and parameters do not fit together.

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.terms.named("m-current").amplitudes
    ('g_M',)
    """

    name: str
    description: str
    source: str
    equations: str
    parameters: Mapping[str, Parameter]
    absent: Mapping[str, float]
    current: str = ""
    threshold: str = ""
    reset: str = ""
    initial: Mapping[str, str] = field(default_factory=dict)
    grid: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    potentials: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_types(self)
        for text in ("equations", "reset"):
            object.__setattr__(self, text, cleandoc(getattr(self, text)))
        absent = {name: self._in_unit("absent", name, value) for name, value in self.absent.items()}
        grid = {
            name: tuple(self._in_unit("grid", name, value) for value in values)
            for name, values in self.grid.items()
        }
        object.__setattr__(self, "absent", absent)
        object.__setattr__(self, "grid", grid)
        check_term(self)

    @cached_property
    def parsed(self) -> tuple[Equation, ...]:
        """The equations, one per line of the text."""
        return parse_equations(self.equations)

    @property
    def amplitudes(self) -> tuple[str, ...]:
        """Names of the parameters that make the term absent."""
        return tuple(self.absent)

    @property
    def sources(self) -> tuple[str]:
        """The source, for :func:`neurocode.cite`."""
        return (self.source,)

    @property
    def grid_points(self) -> tuple[dict[str, float], ...]:
        """All combinations of the values of the grid; one without values for a term without a grid.

        Examples
        --------
        >>> import neurocode as nc
        >>> nc.terms.named("drift-rest").grid_points
        ({'tau_rest': 5.0}, {'tau_rest': 20.0}, {'tau_rest': 100.0})
        """
        return tuple(
            dict(zip(self.grid, values, strict=True))
            for values in itertools.product(*self.grid.values())
        )

    def with_parameters(self, values: Mapping[str, object] | None = None, **more: object) -> Term:
        """Return a copy with other parameter values: numbers in the unit of each parameter, or text
        with a unit.

        Raises
        ------
        ModelError
            For an unknown parameter, another dimension, or a value outside its bounds.
        """
        parameters = dict(self.parameters)
        for name, value in {**(values or {}), **more}.items():
            if name not in parameters:
                raise ModelError(
                    f"Term '{self.name}' has no parameter '{name}'; it has {', '.join(parameters)}."
                )
            try:
                parameters[name] = parameters[name].with_value(value)
            except ModelError as error:
                raise ModelError(f"Term '{self.name}', parameter '{name}': {error}") from None
        return replace(self, parameters=parameters)

    def screened(self, **values: object) -> Term:
        """Return the term as a score test takes it: amplitudes absent, without bounds and free, and
        all other parameters fixed.

        Parameters
        ----------
        **values : object
            Values of other parameters, such as a point of the grid.

        Examples
        --------
        >>> import neurocode as nc
        >>> model = nc.terms.add(nc.models.gif(), nc.terms.named("m-current").screened())
        >>> model.parameters["g_M"].value, model.free[-1]
        (0.0, 'g_M')
        """
        term = self.with_parameters(values)
        parameters = {
            name: replace(
                parameter, value=self.absent[name], bounds=(-math.inf, math.inf), fixed=False
            )
            if name in self.absent
            else replace(parameter, fixed=True)
            for name, parameter in term.parameters.items()
        }
        return replace(term, parameters=parameters)

    def summary(self) -> str:
        """Return equations, where they enter, parameters and source as text."""
        rows = self._rows()
        return lines(self._heading(), rows, most=len(rows) + 2)

    def __repr__(self) -> str:
        return lines(self._heading(), self._rows())

    def _heading(self) -> str:
        return f"Term '{self.name}': {self.description}"

    def _rows(self) -> list[str]:
        enters = [f"membrane equation: - {self.current}"] if self.current else []
        enters += [f"threshold: + {self.threshold}"] if self.threshold else []
        enters += [f"at a spike: {line}" for line in self.reset.splitlines()]
        return [
            *enters,
            *self.equations.splitlines(),
            *(f"{name} = {parameter.described}" for name, parameter in self.parameters.items()),
            f"source: {self.source}",
        ]

    def _in_unit(self, key: str, name: str, value: object) -> float:
        require_parameters(self, key, [name])
        if np.ndim(value):
            raise ModelError(f"the key '{key}' must give one value, not a list, for '{name}'.")
        try:
            return float(in_unit(value, self.parameters[name].unit))
        except ModelError as error:
            raise ModelError(f"the key '{key}', parameter '{name}': {error}") from None

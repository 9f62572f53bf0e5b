"""A neuron model: Brian2 equation text, margin, reset, refractoriness, noise and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import cleandoc
from pathlib import Path

import numpy as np
import pandas as pd

from neurocode.display import html, lines
from neurocode.errors import ModelError
from neurocode.models.checks import check_model
from neurocode.models.expressions import (
    Equation,
    names_in,
    one_line,
    parse_equations,
    parse_statements,
)
from neurocode.models.names import SPIKED, is_noise
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter
from neurocode.models.writing import save

#: Columns of the table of parameters.
COLUMNS = ["meaning", "value", "unit", "low", "high", "fixed", "per_neuron"]


@dataclass(frozen=True, repr=False)
class NeuronModel:
    """A stochastic neuron written as Brian2 equations; every engine is derived from this text.

    Attributes
    ----------
    name : str
    equations : str
        Brian2 equations with units. ``xi`` is diffusive noise. A bare line ``I : amp`` declares the
        input. A bare line ``spiked : 1`` makes the spike of the latest step available to the
        equations.
    margin : str
        Distance of the membrane potential to the threshold, zero at a spike.
    reset : str
        Statements applied at a spike.
    parameters : mapping of str to Parameter
    noise : EscapeNoise, optional
        Escape noise. Without it a neuron spikes whenever the margin is positive.
    refractory : str, optional
        Expression for the absolute refractory period, during which variables whose equations are
        marked ``(unless refractory)`` keep their values.
    integrator : str
        Name of a Brian2 state updater, including those of ``neurocode.simulation.integrators``.
    after_reset : tuple of str
        Variables that are integrated after the reset, from post-reset values and the new spike.
    initial : mapping of str to str
        Expressions for the state at time zero; states without one start at zero. They are evaluated
        in the order of the equations.
    within_step : bool
        Whether threshold crossing and reset happen at a time inside the step instead of at its end;
        for one-dimensional diffusions to a threshold.
    description : str
        The neuron in words, and its source.

    Raises
    ------
    ModelError
        If the text is not allowed or too large, or names, units and parameters do not fit together.
        All of this is checked here, before an engine reads the model.

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.lif().threshold
    'sign(v - V_T) > 0'
    """

    name: str
    equations: str
    margin: str
    reset: str
    parameters: Mapping[str, Parameter]
    noise: EscapeNoise | None = None
    refractory: str | None = None
    integrator: str = "euler"
    after_reset: tuple[str, ...] = ()
    initial: Mapping[str, str] = field(default_factory=dict)
    within_step: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        for text in ("equations", "reset"):
            if isinstance(getattr(self, text), str):
                object.__setattr__(self, text, cleandoc(getattr(self, text)))
        for text in ("margin", "refractory", "integrator"):
            if isinstance(getattr(self, text), str):
                object.__setattr__(self, text, one_line(getattr(self, text)))
        if isinstance(self.integrator, str):
            object.__setattr__(self, "integrator", self.integrator.lower())
        check_model(self)
        initial = {
            name: one_line(self.initial[name]) for name in self.states if name in self.initial
        }
        object.__setattr__(self, "initial", initial)

    @cached_property
    def parsed(self) -> tuple[Equation, ...]:
        """The equations, one per line of the text."""
        return parse_equations(self.equations)

    @cached_property
    def reset_code(self) -> str:
        """The checked reset with one assignment per line, in the form that engines get."""
        return "\n".join(" ".join(statement) for statement in parse_statements(self.reset, "reset"))

    @cached_property
    def reset_code_of_brian2(self) -> str:
        """The reset as Brian2 gets it: a copied variable stands in two minus signs.

        In the NumPy code that Brian2 makes of ``w = v``, both names stand for one array, which a
        following ``v -= 1`` changes in place, and ``w`` with it. ``-(-v)`` is another array with
        exactly the same numbers.
        """
        return "\n".join(
            f"{name} {operator} {f'-(-{value})' if value.isidentifier() else value}"
            for name, operator, value in parse_statements(self.reset, "reset")
        )

    @property
    def states(self) -> tuple[str, ...]:
        """Variables with a differential equation, in the order of the text."""
        return tuple(equation.name for equation in self.parsed if equation.kind == "differential")

    @property
    def subexpressions(self) -> dict[str, str]:
        """Names and texts of the subexpressions."""
        return {
            equation.name: equation.expression
            for equation in self.parsed
            if equation.kind == "subexpression"
        }

    @property
    def inputs(self) -> dict[str, str]:
        """Names and unit texts of the inputs."""
        return {e.name: e.unit for e in self.parsed if e.kind == "input" and e.name != SPIKED}

    @property
    def only_input(self) -> tuple[str, str]:
        """Name and unit text of the input of a model with one.

        Raises
        ------
        ModelError
            If the model has no input, or several.
        """
        if len(self.inputs) != 1:
            count = (
                f"{len(self.inputs)} inputs ({', '.join(self.inputs)})"
                if self.inputs
                else "no input"
            )
            raise ModelError(f"Model '{self.name}' has {count}, expected one.")
        return next(iter(self.inputs.items()))

    @property
    def uses_spiked(self) -> bool:
        """Whether the equations use the spike of the latest step."""
        return any(equation.kind == "input" and equation.name == SPIKED for equation in self.parsed)

    @property
    def is_stochastic(self) -> bool:
        """Whether two runs with different seeds differ."""
        return self.noise is not None or self.has_diffusion

    @property
    def has_diffusion(self) -> bool:
        """Whether the equations contain ``xi``."""
        return any(
            is_noise(name)
            for equation in self.parsed
            if equation.expression
            for name in names_in(equation.expression)
        )

    @property
    def threshold(self) -> str:
        """Brian2 threshold condition, derived from the margin and the escape noise."""
        if self.noise is None:
            return f"sign({self.margin}) > 0"
        return f"rand() < {self.noise.brian_text(self.margin)}"

    @property
    def values(self) -> dict[str, float | np.ndarray]:
        """Parameter values in SI base units."""
        return {name: parameter.si for name, parameter in self.parameters.items()}

    @property
    def n_neurons(self) -> int:
        """Number of neurons that the parameters hold values for; one if each holds a single value.

        Raises
        ------
        ModelError
            If parameters hold values for different numbers of neurons.
        """
        sizes = {
            name: int(np.size(parameter.value))
            for name, parameter in self.parameters.items()
            if np.ndim(parameter.value)
        }
        if len(set(sizes.values())) > 1:
            listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise ModelError(
                f"The parameters of model '{self.name}' hold values for different numbers of "
                f"neurons: {listed}."
            )
        return next(iter(sizes.values()), 1)

    def of_one_neuron(self) -> NeuronModel:
        """Return the model with a plain number for each parameter, as fits take it.

        Raises
        ------
        ModelError
            If parameters hold values for several neurons.
        """
        if self.n_neurons > 1:
            raise ModelError(
                f"Model '{self.name}' has values for {self.n_neurons} neurons; a fit starts from "
                f"one value of each parameter."
            )
        if not any(np.ndim(parameter.value) for parameter in self.parameters.values()):
            return self
        parameters = {
            name: replace(parameter, value=float(np.ravel(parameter.value)[0]))
            for name, parameter in self.parameters.items()
        }
        return replace(self, parameters=parameters)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that a fit may change."""
        return tuple(name for name, parameter in self.parameters.items() if not parameter.fixed)

    def with_parameters(
        self, values: Mapping[str, object] | None = None, **more: object
    ) -> NeuronModel:
        """Return a copy with other parameter values (numbers in the unit of each parameter, text,
        or Brian2 quantities).

        Raises
        ------
        ModelError
            For an unknown parameter, another dimension, or a value outside its bounds.
        """
        return self._changed({**(values or {}), **more}, Parameter.with_value)

    def with_bounds(
        self, bounds: Mapping[str, object] | None = None, **more: object
    ) -> NeuronModel:
        """Return a copy with other bounds: a lowest and a highest value per parameter, in the
        notation of :meth:`with_parameters`.

        An infinite bound is open. A fit keeps to the bounds.

        Raises
        ------
        ModelError
            For an unknown parameter, for anything but two ordered values of its dimension, or if
            its value lies outside the bounds.

        Examples
        --------
        >>> import neurocode as nc
        >>> nc.models.lif().with_bounds(g_L=(1, "50 nS")).parameters["g_L"].bounds
        (1.0, 50.0)
        """
        return self._changed({**(bounds or {}), **more}, Parameter.with_bounds)

    def with_fixed(self, *names: str, fixed: bool = True) -> NeuronModel:
        """Return a copy in which the named parameters are fixed (or freed) for a fit."""
        parameters = dict(self.parameters)
        for name in names:
            self._require(name)
            parameters[name] = replace(parameters[name], fixed=fixed)
        return replace(self, parameters=parameters)

    @classmethod
    def from_brian(
        cls,
        group: object,
        *,
        input: str | None = None,
        noise: EscapeNoise | None = None,
        parameters: Mapping[str, Parameter] | None = None,
        namespace: Mapping[str, object] | None = None,
        level: int = 0,
    ) -> NeuronModel:
        """Read the model of a Brian2 ``NeuronGroup``, which does not change.

        Parameters of the group and constants that its equations name become free parameters, with
        one value per neuron where the values differ. Quantities of a kind that is positive, such as
        times and conductances, have zero as their lower bound, and all others have no bounds. A
        refractory duration and the present state of the group become fixed parameters.

        Parameters
        ----------
        group : brian2.NeuronGroup
        input : str, optional
            Parameter or subexpression of the group that holds the current, such as ``"I"``.
        noise : EscapeNoise, optional
            Replaces the sharp threshold; a fit under a current needs it.
        parameters : mapping of str to Parameter, optional
            Those of the noise, and any others that replace what was read.
        namespace : mapping of str to value, optional
            Values of the constants, as in ``brian2.run``; by default the variables where this is
            called. The namespace of the group comes first.
        level : int
            How many more frames up the caller is.

        Returns
        -------
        NeuronModel

        Raises
        ------
        ModelError
            If the group is not covered: events besides spikes, a threshold that is not a comparison
            of two values, a refractory condition, variables that are not floating-point numbers or
            are shared or linked, constants without a value or that are arrays.

        Examples
        --------
        >>> import brian2
        >>> import neurocode as nc
        >>> tau = 10 * brian2.ms
        >>> group = brian2.NeuronGroup(
        ...     1, "dv/dt = (V - v)/tau : 1", threshold="v > 1", namespace={"V": 2, "tau": tau}
        ... )
        >>> model = nc.NeuronModel.from_brian(group)
        >>> model.margin, model.parameters["tau"].described
        ('v - 1', '10 ms (from 0 to inf)')
        """
        from neurocode.models.from_brian import model_of_group

        return model_of_group(cls, group, input, noise, parameters or {}, namespace, level + 1)

    def save(self, path: str | Path) -> Path:
        """Write the model to a TOML file that :func:`neurocode.models.load` reads."""
        return save(self, path)

    def to_dataframe(self) -> pd.DataFrame:
        """Return a table with one row per parameter: meaning, value, unit, bounds, and whether it
        is fixed.

        Returns
        -------
        pandas.DataFrame
            Values and bounds are in the unit of their row.
        """
        rows = {
            name: {
                "meaning": parameter.description,
                "value": parameter.value,
                "unit": parameter.unit,
                "low": parameter.bounds[0],
                "high": parameter.bounds[1],
                "fixed": parameter.fixed,
                "per_neuron": parameter.per_neuron,
            }
            for name, parameter in self.parameters.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis(
            "parameter"
        )

    def summary(self) -> str:
        """Return equations, spike condition, reset, and parameters with units as text."""
        rows = [*self._text.splitlines(), *self._parameter_rows()]
        return lines(self._heading(), rows, most=len(rows) + 2)

    def __repr__(self) -> str:
        return lines(self._heading(), [*self._text.splitlines(), *self._parameter_rows()])

    def _repr_html_(self) -> str:
        return html(self._heading(), self.to_dataframe(), code=self._text)

    def _heading(self) -> str:
        return f"Model '{self.name}'" + (f": {self.description}" if self.description else "")

    @property
    def _text(self) -> str:
        """The equations, the spike condition and the reset, one per line."""
        noise = (
            ""
            if self.noise is None
            else f", {self.noise.family} escape noise of {', '.join(self.noise.parameter_names)}"
        )
        refractory = "" if self.refractory is None else f", then refractory for {self.refractory}"
        reset = self.reset_code.replace("\n", "; ") or "nothing"
        return f"{self.equations}\nspike: {self.margin} > 0{noise}\nat a spike: {reset}{refractory}"

    def _parameter_rows(self) -> list[str]:
        return [f"{name} = {parameter.described}" for name, parameter in self.parameters.items()]

    def _changed(
        self, changes: Mapping[str, object], change: Callable[[Parameter, object], Parameter]
    ) -> NeuronModel:
        """Return a copy with some parameters changed; errors name the parameter that caused
        them."""
        parameters = dict(self.parameters)
        for name, value in changes.items():
            self._require(name)
            try:
                parameters[name] = change(parameters[name], value)
            except ModelError as error:
                raise ModelError(f"Parameter '{name}': {error}") from None
        return replace(self, parameters=parameters)

    def _require(self, name: str) -> None:
        if name not in self.parameters:
            raise ModelError(
                f"Model '{self.name}' has no parameter '{name}'; it has "
                f"{', '.join(self.parameters)}."
            )

"""What a neuron is: Brian2 equation text, margin, reset, refractoriness, noise and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from inspect import cleandoc
from pathlib import Path

from neurocode.errors import ModelError
from neurocode.models.expressions import Equation, names_in, parse_equations, parse_expression, parse_statements
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter
from neurocode.units import parse_unit, unit_table

#: Declared as ``spiked : 1`` in the equations, it is 1 in the step of a spike and 0 otherwise.
SPIKED = "spiked"
RESERVED = {SPIKED, "t", "dt", "i", "N", "xi", "lastspike", "not_refractory", "refractory", "stimulus"}


@dataclass(frozen=True)
class NeuronModel:
    """A stochastic neuron written as Brian2 equations; every engine is derived from this text.

    Attributes
    ----------
    name : str
    equations : str
        Brian2 equations with units. ``xi`` is diffusive noise; a bare line ``I : amp`` declares the
        input; a bare line ``spiked : 1`` gives the equations the spike of the latest step.
    margin : str
        Distance of the membrane potential to the threshold, zero at a spike.
    reset : str
        Statements applied at a spike.
    parameters : mapping of str to Parameter
    noise : EscapeNoise, optional
        Without it a neuron spikes whenever the margin is positive.
    refractory : str, optional
        Expression for the absolute refractory period; equations marked ``(unless refractory)`` are held.
    integrator : str
        Name of a Brian2 state updater, those of ``neurocode.simulation.integrators`` included.
    after_reset : tuple of str
        Variables integrated after the reset, from post-reset values and the new spike.
    initial : mapping of str to str
        Expressions for the state at time zero; zero where absent.
    within_step : bool
        Whether crossing and reset are placed inside the time step; for one-dimensional diffusions to a threshold.
    description : str
        What it is and where it comes from.

    Raises
    ------
    ModelError
        If the text is not allowed, or names, units and parameters do not fit together.

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
        parse_expression(self.margin, "margin")
        _check_equations(self)
        _check_reset(self)
        _check_names(self)
        _check_noise(self)
        for name, expression in self.initial.items():
            parse_expression(expression, f"initial value of '{name}'")
            if name not in self.states:
                raise ModelError(f"The initial value of '{name}' is given, but no differential equation defines it.")

    @cached_property
    def parsed(self) -> tuple[Equation, ...]:
        """The equations, line by line."""
        return parse_equations(self.equations)

    @property
    def states(self) -> tuple[str, ...]:
        """Variables with a differential equation, in the order of the text."""
        return tuple(equation.name for equation in self.parsed if equation.kind == "differential")

    @property
    def subexpressions(self) -> dict[str, str]:
        """Names and texts of the subexpressions."""
        return {equation.name: equation.expression for equation in self.parsed if equation.kind == "subexpression"}

    @property
    def inputs(self) -> dict[str, str]:
        """Names and unit texts of the inputs."""
        return {e.name: e.unit for e in self.parsed if e.kind == "input" and e.name != SPIKED}

    @property
    def uses_spiked(self) -> bool:
        """Whether the equations read the spike of the latest step."""
        return any(equation.kind == "input" and equation.name == SPIKED for equation in self.parsed)

    @property
    def is_stochastic(self) -> bool:
        """Whether two runs with different seeds differ."""
        return self.noise is not None or self.has_diffusion

    @property
    def has_diffusion(self) -> bool:
        """Whether ``xi`` stands in the equations."""
        return any(_is_noise(name) for equation in self.parsed if equation.expression for name in names_in(equation.expression))

    @property
    def threshold(self) -> str:
        """Brian2 threshold condition, derived from the margin and the escape noise."""
        if self.noise is None:
            return f"sign({self.margin}) > 0"
        return f"rand() < {self.noise.brian_text(self.margin)}"

    @property
    def values(self) -> dict[str, float]:
        """Parameter values in SI base units."""
        return {name: parameter.si for name, parameter in self.parameters.items()}

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that a fit may change."""
        return tuple(name for name, parameter in self.parameters.items() if not parameter.fixed)

    def with_parameters(self, values: Mapping[str, object] | None = None, **more: object) -> NeuronModel:
        """Copy with other parameter values (numbers in each parameter's unit, text, or Brian2 quantities).

        Raises
        ------
        ModelError
            For an unknown parameter, another dimension, or a value outside its bounds.
        """
        parameters = dict(self.parameters)
        for name, value in {**(values or {}), **more}.items():
            self._require(name)
            try:
                parameters[name] = parameters[name].with_value(value)
            except ModelError as error:
                raise ModelError(f"Parameter '{name}': {error}") from None
        return replace(self, parameters=parameters)

    def with_fixed(self, *names: str, fixed: bool = True) -> NeuronModel:
        """Copy in which the named parameters are fixed (or freed) for a fit."""
        parameters = dict(self.parameters)
        for name in names:
            self._require(name)
            parameters[name] = replace(parameters[name], fixed=fixed)
        return replace(self, parameters=parameters)

    def save(self, path: str | Path) -> Path:
        """Write the model to a TOML file that :func:`neurocode.models.load` reads."""
        from neurocode.models.files import save

        return save(self, path)

    def _require(self, name: str) -> None:
        if name not in self.parameters:
            raise ModelError(f"Model '{self.name}' has no parameter '{name}'; it has {', '.join(self.parameters)}.")


def _is_noise(name: str) -> bool:
    return name == "xi" or name.startswith("xi_")


def _check_equations(model: NeuronModel) -> None:
    for equation in model.parsed:
        parse_unit(equation.unit)
        if equation.name in RESERVED and equation.name != SPIKED:
            raise ModelError(f"The equations define '{equation.name}', which is a reserved name.")
        if "unless refractory" in equation.flags and model.refractory is None:
            raise ModelError(
                f"The equation of '{equation.name}' is marked 'unless refractory', but the model has no refractory period."
            )
    if not model.states:
        raise ModelError("The equations hold no differential equation.")
    unknown = set(model.after_reset) - set(model.states)
    if unknown:
        raise ModelError(f"'{sorted(unknown)[0]}' is to be updated after the reset, but no differential equation defines it.")


def _check_reset(model: NeuronModel) -> None:
    for name, _, _ in parse_statements(model.reset, "reset"):
        if name not in model.states:
            raise ModelError(f"The reset assigns to '{name}', which no differential equation defines.")


def _check_names(model: NeuronModel) -> None:
    defined = {equation.name for equation in model.parsed} | set(model.parameters)
    clash = {equation.name for equation in model.parsed} & set(model.parameters)
    if clash:
        raise ModelError(f"'{sorted(clash)[0]}' is both a variable and a parameter.")
    reserved = set(model.parameters) & (RESERVED | set(unit_table()))
    if reserved:
        raise ModelError(f"The parameter name '{sorted(reserved)[0]}' is reserved.")
    texts = {f"equation of '{e.name}'": e.expression for e in model.parsed if e.expression}
    texts |= {"margin": model.margin} | {f"initial value of '{name}'": text for name, text in model.initial.items()}
    texts |= {f"reset of '{name}'": text for name, _, text in parse_statements(model.reset, "reset")}
    if model.refractory is not None:
        parse_expression(model.refractory, "refractory period")
        texts["refractory period"] = model.refractory
    for where, text in texts.items():
        unknown = {name for name in names_in(text) if not _is_noise(name)} - defined - {"t", "dt"} - set(unit_table())
        if unknown:
            raise ModelError(f"The {where} uses '{sorted(unknown)[0]}', which is neither a variable nor a parameter.")


def _check_noise(model: NeuronModel) -> None:
    if model.within_step and (model.noise is not None or model.after_reset or model.uses_spiked):
        raise ModelError("A crossing within the step excludes escape noise, variables updated after the reset, and 'spiked'.")
    for name in model.noise.parameter_names if model.noise else ():
        if name not in model.parameters:
            raise ModelError(f"The escape noise reads the parameter '{name}', which the model does not have.")

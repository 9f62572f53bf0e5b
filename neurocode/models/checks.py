"""The checks that a model must pass before an engine reads it: names, units, sizes, and which names
may be used in which expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from neurocode.errors import ModelError
from neurocode.models.dimensions import Question, check_dimensions
from neurocode.models.expansion import check_expansion
from neurocode.models.expressions import names_in, one_line, parse_expression, parse_statements
from neurocode.models.names import SPIKED, check_name, is_noise
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter
from neurocode.units import unit_table

if TYPE_CHECKING:
    from neurocode.models.model import NeuronModel

MOST_LETTERS = 100


def check_model(model: NeuronModel) -> None:
    """Refuse models that an engine could not run, or that engines would run differently.

    Parameters
    ----------
    model : NeuronModel

    Raises
    ------
    ModelError
        For the first fault of the model.

    Examples
    --------
    >>> import neurocode as nc
    >>> check_model(nc.models.lif())
    """
    _check_types(model)
    _check_parameters(model)
    text = (
        model.name,
        model.equations,
        model.margin,
        model.reset,
        model.refractory,
        tuple(model.initial.items()),
    )
    units = tuple((name, parameter.unit) for name, parameter in model.parameters.items())
    _check_text(_Text((*text, model.after_reset, model.noise, model.within_step, units), model))


@dataclass(frozen=True)
class _Text:
    """The text of a model without its numbers, so that models that differ only in parameter values
    are checked once."""

    key: tuple
    model: NeuronModel = field(compare=False)


@lru_cache(maxsize=256)
def _check_text(text: _Text) -> None:
    model = text.model
    _check_equations(model)
    _check_noise(model)
    texts = _texts(model)
    subexpressions = {
        name: parse_expression(text, f"equation of '{name}'")
        for name, text in model.subexpressions.items()
    }
    check_expansion(
        [(where, parse_expression(text, where)) for where, text, _ in texts], subexpressions
    )
    _check_what_is_read(model, texts)
    questions = (
        texts if model.noise is None else (*texts, *_noise_questions(model.noise, model.margin))
    )
    units = [(e.name, e.unit) for e in model.parsed] + [
        (name, p.unit) for name, p in model.parameters.items()
    ]
    try:
        check_dimensions(tuple(questions), (*units, ("t", "second"), ("dt", "second")))
    except ModelError as error:
        raise ModelError(f"Model '{model.name}': {error}") from None


def _check_types(model: NeuronModel) -> None:
    if (
        not isinstance(model.name, str)
        or not model.name.isprintable()
        or not 0 < len(model.name) <= MOST_LETTERS
    ):
        raise ModelError(f"The name of a model must be one line of at most {MOST_LETTERS} letters.")
    for what in ("equations", "margin", "reset", "integrator", "refractory"):
        text = getattr(model, what)
        if not isinstance(text, str) and not (what == "refractory" and text is None):
            raise ModelError(f"The {what} must be text, not {type(text).__name__}.")
    for what in ("parameters", "initial"):
        if not isinstance(getattr(model, what), Mapping):
            raise ModelError(
                f"The {what} must be a mapping from names to values, not "
                f"{type(getattr(model, what)).__name__}."
            )
    for name, text in model.initial.items():
        if not isinstance(text, str):
            raise ModelError(
                f"The initial value of {name!r} must be text, not {type(text).__name__}."
            )
    if not isinstance(model.after_reset, tuple) or not all(
        isinstance(name, str) for name in model.after_reset
    ):
        raise ModelError("The variables updated after the reset must be a tuple of names.")
    if model.noise is not None and not isinstance(model.noise, EscapeNoise):
        raise ModelError(f"The noise must be an EscapeNoise, not {type(model.noise).__name__}.")


def _check_parameters(model: NeuronModel) -> None:
    for name, parameter in model.parameters.items():
        check_name(name, "parameter")
        if not isinstance(parameter, Parameter):
            raise ModelError(
                f"The parameter '{name}' must be a Parameter, not {type(parameter).__name__}."
            )


def _check_equations(model: NeuronModel) -> None:
    clash = {equation.name for equation in model.parsed} & set(model.parameters)
    if clash:
        raise ModelError(f"'{sorted(clash)[0]}' is both a variable and a parameter.")
    held = {equation.name for equation in model.parsed if "unless refractory" in equation.flags}
    if held and model.refractory is None:
        raise ModelError(
            f"The equation of '{sorted(held)[0]}' is marked 'unless refractory', but the model "
            f"has no refractory period."
        )
    if not model.states:
        raise ModelError("The equations hold no differential equation.")
    unknown = set(model.after_reset) - set(model.states)
    if unknown:
        raise ModelError(
            f"'{sorted(unknown)[0]}' is to be updated after the reset, but no differential "
            f"equation defines it."
        )
    if held & set(model.after_reset):
        name = sorted(held & set(model.after_reset))[0]
        raise ModelError(
            f"'{name}' is to be updated after the reset, so its equation cannot be marked 'unless "
            f"refractory'."
        )
    for name, _, _ in parse_statements(model.reset, "reset"):
        if name not in model.states:
            raise ModelError(
                f"The reset assigns to '{name}', which no differential equation defines."
            )
    for name in model.initial:
        if name not in model.states:
            raise ModelError(
                f"The initial value of '{name}' is given, but no differential equation defines it."
            )


def _check_noise(model: NeuronModel) -> None:
    if model.within_step and (model.noise is not None or model.after_reset or model.uses_spiked):
        raise ModelError(
            "A crossing within the step excludes escape noise, variables updated after the reset, "
            "and 'spiked'."
        )
    for name in model.noise.parameter_names if model.noise else ():
        if name not in model.parameters:
            raise ModelError(
                f"The escape noise reads the parameter '{name}', which the model does not have."
            )


def _texts(model: NeuronModel) -> tuple[Question, ...]:
    """Return all expressions of a model, subexpressions first, each with its purpose, its text and
    the unit that it must have."""
    units = {equation.name: equation.unit for equation in model.parsed}
    texts: list[Question] = []
    for equation in sorted(model.parsed, key=lambda equation: equation.kind, reverse=True):
        if equation.kind != "input":
            unit = (
                equation.unit if equation.kind == "subexpression" else f"({equation.unit})/second"
            )
            texts.append((f"equation of '{equation.name}'", equation.expression, unit))
    texts.append(("margin", model.margin, None))
    for name, operator, text in parse_statements(model.reset, "reset"):
        whole = text if operator == "=" else f"{name} {operator[0]} ({text})"
        texts.append((f"reset of '{name}'", whole, units[name]))
    for name in (name for name in model.states if name in model.initial):
        where = f"initial value of '{name}'"
        parse_expression(model.initial[name], where)
        texts.append((where, one_line(model.initial[name]), units[name]))
    if model.refractory is not None:
        texts.append(("refractory period", model.refractory, "second"))
    return tuple(texts)


def _noise_questions(noise: EscapeNoise, margin: str) -> list[Question]:
    rates = [
        (f"escape noise's rate '{name}'", name, "Hz")
        for name in (noise.rate, noise.lapse, noise.ceiling)
        if name
    ]
    return [("escape noise", f"({margin})/{noise.scale}", "1"), *rates]


def _check_what_is_read(model: NeuronModel, texts: Sequence[Question]) -> None:
    """Check that all names are defined and have the same value in all engines when they are
    read."""
    inside = {name: names_in(text) for name, text in model.subexpressions.items()}
    defined = (
        {equation.name for equation in model.parsed}
        | set(model.parameters)
        | {"t", "dt"}
        | set(unit_table())
    )
    for where, text, _ in texts:
        names = _read_names(text, inside)
        forbidden = _forbidden(where, model)
        for name in sorted(names - set(unit_table())):
            if name in forbidden or (is_noise(name) and "noise" in forbidden):
                raise ModelError(f"The {where} reads '{name}', which {_reason(name)}.")
            if name not in defined and not is_noise(name):
                raise ModelError(
                    f"The {where} uses '{name}', which is neither a variable nor a parameter."
                )
        if where == "margin" and not names & set(model.states):
            raise ModelError(
                f"The margin '{text}' depends on no variable with a differential equation."
            )


def _read_names(text: str, inside: Mapping[str, set[str]]) -> set[str]:
    """Return the names that an expression reads, directly or through subexpressions."""
    names_read, unvisited = set(), set(names_in(text))
    while unvisited:
        name = unvisited.pop()
        names_read.add(name)
        unvisited |= inside.get(name, set()) - names_read
    return names_read


def _forbidden(where: str, model: NeuronModel) -> set[str]:
    """Return the names that have no value common to all engines when an expression is evaluated;
    ``noise`` stands for all ``xi``."""
    if where.startswith("equation of"):
        name = where.split("'")[1]
        return set() if name in model.states else {"noise"}
    if where.startswith("initial"):
        return {"noise", SPIKED, "t", *model.inputs}
    return {"noise", SPIKED}


def _reason(name: str) -> str:
    if is_noise(name):
        return "is white noise and may stand in a differential equation only"
    if name == SPIKED:
        return "is known to differential equations only"
    return "has no value yet at time zero"

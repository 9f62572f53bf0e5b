"""The checks that a term must pass. Units and names are checked by adding it to a small model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from neurocode.errors import ModelError
from neurocode.models.expressions import names_in, parse_statements
from neurocode.models.model import NeuronModel
from neurocode.models.names import check_name
from neurocode.models.parameter import Parameter
from neurocode.terms.absence import is_zero
from neurocode.terms.composition import compose
from neurocode.units import same_dimension

if TYPE_CHECKING:
    from neurocode.terms.term import Term

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MOST_LETTERS = 40
#: Names that a term may read but not define.
OF_THE_MODEL = ("v", "t", "dt", "I", "theta")

#: The neuron to which a term is added when it is checked.
PLAIN = NeuronModel(
    name="plain",
    equations="dv/dt = (g_of_plain*(E_of_plain - v) + I)/C_of_plain : volt\nI : amp",
    margin="v - T_of_plain",
    reset="v = E_of_plain",
    refractory="2*ms",
    initial={"v": "E_of_plain"},
    integrator="exponential_euler",
    parameters={
        "C_of_plain": Parameter(100.0, "pF"),
        "g_of_plain": Parameter(10.0, "nS"),
        "E_of_plain": Parameter(-70.0, "mV"),
        "T_of_plain": Parameter(-50.0, "mV"),
    },
)


def check_types(term: Term) -> None:
    """Refuse a term whose parts are not what they must be.

    Raises
    ------
    ModelError
        The message names the part as the key of a TOML file.
    """
    texts = ("name", "description", "source", "equations", "current", "threshold", "reset")
    for key in texts:
        if not isinstance(getattr(term, key), str):
            raise ModelError(f"the key '{key}' must be text.")
    for key in ("parameters", "absent", "initial", "grid"):
        if not isinstance(getattr(term, key), Mapping):
            raise ModelError(f"the key '{key}' must be a table.")
    for key in ("potentials", "shared"):
        names = getattr(term, key)
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise ModelError(f"the key '{key}' must be a list of names of parameters.")
    _check_types_inside(term)


def _check_types_inside(term: Term) -> None:
    for name, parameter in term.parameters.items():
        if not isinstance(parameter, Parameter) or np.ndim(parameter.value):
            raise ModelError(f"the parameter '{name}' must be a Parameter with one value.")
    for name, text in term.initial.items():
        if not isinstance(text, str):
            raise ModelError(f"the key 'initial' must give '{name}' as text.")
    for name, values in term.grid.items():
        if not isinstance(values, (list, tuple)) or not values:
            raise ModelError(f"the key 'grid' must give a list of values for '{name}'.")


def check_term(term: Term) -> None:
    """Refuse a term that could not be added to a model, or would not be absent where it says so.

    Raises
    ------
    ModelError
        For the first fault; the message names the key of a TOML file, and what was expected.
    """
    _check_words(term)
    _check_names(term)
    _check_where_it_enters(term)
    _check_lists_of_parameters(term)
    _check_grid(term)
    try:
        compose(PLAIN, term)
    except ModelError as error:
        raise ModelError(re.sub(r"^Model '[^']*': ", "", str(error))) from None
    _check_that_all_is_read(term)
    _check_absence(term)


def require_parameters(term: Term, key: str, names: Iterable[str]) -> None:
    """Refuse names in a part of a term that are none of its parameters.

    Raises
    ------
    ModelError
    """
    for name in names:
        if name not in term.parameters:
            raise ModelError(
                f"the key '{key}' names '{name}', expected one of the parameters "
                f"{', '.join(term.parameters)}."
            )


def _check_words(term: Term) -> None:
    if not NAME.fullmatch(term.name) or len(term.name) > MOST_LETTERS:
        raise ModelError(
            f"the key 'name' must be at most {MOST_LETTERS} small letters, digits and hyphens, "
            f"such as 'm-current'."
        )
    for key in ("description", "source"):
        text = getattr(term, key)
        if not text.strip() or not text.isprintable():
            raise ModelError(
                f"the key '{key}' must be one line of text"
                + (", a paper or 'our choice, not from a paper'." if key == "source" else ".")
            )


def _check_names(term: Term) -> None:
    for name in term.parameters:
        check_name(name, "parameter")
    names = [equation.name for equation in term.parsed]
    for name in (*names, *term.parameters):
        if name in OF_THE_MODEL:
            raise ModelError(f"the term defines '{name}', which belongs to the model.")
    inputs = [equation.name for equation in term.parsed if equation.kind == "input"]
    if inputs:
        raise ModelError(
            f"the key 'equations' declares the input '{inputs[0]}'; a term has none of its own."
        )
    states = [equation.name for equation in term.parsed if equation.kind == "differential"]
    for name, _, _ in parse_statements(term.reset, "reset"):
        if name not in states:
            raise ModelError(
                f"the key 'reset' assigns to '{name}', expected a state of the term itself."
            )
    for name in term.initial:
        if name not in states:
            raise ModelError(f"the key 'initial' names '{name}', expected a state of the term.")


def _check_where_it_enters(term: Term) -> None:
    if not term.current and not term.threshold:
        raise ModelError("the key 'current' or the key 'threshold' is missing.")
    units = {equation.name: equation.unit for equation in term.parsed}
    for key, unit in (("current", "amp"), ("threshold", "volt")):
        name = getattr(term, key)
        if name and (name not in units or not same_dimension(units[name], unit)):
            found = f"of unit {units[name]}" if name in units else "which they do not define"
            raise ModelError(
                f"the key '{key}' names '{name}', {found}; expected a variable of the equations in "
                f"{unit}."
            )


def _check_lists_of_parameters(term: Term) -> None:
    if not term.absent:
        raise ModelError("the key 'absent' must give at least one amplitude its absent value.")
    for key in ("potentials", "shared"):
        require_parameters(term, key, getattr(term, key))
    for name in term.absent:
        if term.parameters[name].fixed:
            raise ModelError(f"the amplitude '{name}' is fixed, expected a free parameter.")
        if name in (*term.grid, *term.shared):
            raise ModelError(f"the amplitude '{name}' cannot also be in 'grid' or 'shared'.")
    for name in term.potentials:
        if not same_dimension(term.parameters[name].unit, "volt"):
            raise ModelError(
                f"the key 'potentials' names '{name}' in {term.parameters[name].unit}, expected a "
                f"parameter in volt."
            )


def _check_grid(term: Term) -> None:
    for name, values in term.grid.items():
        low, high = term.parameters[name].bounds
        for value in values:
            if not low <= value <= high:
                raise ModelError(
                    f"the key 'grid' has {value:g} {term.parameters[name].unit} for '{name}', "
                    f"expected values within its bounds {low:g} to {high:g}."
                )


def _check_that_all_is_read(term: Term) -> None:
    texts = [equation.expression for equation in term.parsed]
    texts += [text for _, _, text in parse_statements(term.reset, "reset")]
    read = set().union({term.current, term.threshold}, *map(names_in, texts))
    for name in (*term.parameters, *(equation.name for equation in term.parsed)):
        if name not in read:
            raise ModelError(f"'{name}' is defined but not used.")


def _check_absence(term: Term) -> None:
    texts = {e.name: e.expression for e in term.parsed if e.kind == "subexpression"}
    for key in ("current", "threshold"):
        name = getattr(term, key)
        if name and not is_zero(name, texts, term.absent):
            values = ", ".join(f"{n} = {v:g}" for n, v in term.absent.items())
            raise ModelError(
                f"the key 'absent' has {values}, where the {key} '{name}' is not zero for certain; "
                f"expected values that make it zero, such as that of a factor."
            )

"""The names that a term gets in a model."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from neurocode.errors import ModelError
from neurocode.models.expressions import names_in, parse_statements
from neurocode.models.model import NeuronModel

if TYPE_CHECKING:
    from neurocode.terms.term import Term

#: The input of a model goes by this name in a term.
INPUT = "I"


def names_for(model: NeuronModel, term: Term, given: Collection[str]) -> dict[str, str]:
    """Names of the variables and parameters of a term in a model.

    If a name is taken, all names of the term but the shared ones get the smallest number with which
    none is.

    Parameters
    ----------
    model : NeuronModel
    term : Term
    given : collection of str
        Shared parameters that the model has.

    Raises
    ------
    ModelError
        If the term reads the input of a model that does not have exactly one.
    """
    taken = {equation.name for equation in model.parsed} | set(model.parameters)
    defined = [*(equation.name for equation in term.parsed), *term.parameters]
    kept = {name for name in term.shared if name in given or name not in taken}
    numbered = [name for name in defined if name not in kept]
    number = 1
    while any(_numbered(name, number) in taken for name in numbered):
        number += 1
    names = {name: name if name in kept else _numbered(name, number) for name in defined}
    if INPUT in _names_read(term):
        names[INPUT] = _input_of(model, term)
    return names


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return an expression or statements with other names."""
    return re.sub(r"\b[A-Za-z]\w*\b", lambda word: names.get(word[0], word[0]), text)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"


def _names_read(term: Term) -> set[str]:
    texts = [equation.expression for equation in term.parsed]
    texts += [text for _, _, text in parse_statements(term.reset, "reset")]
    return set().union(*map(names_in, texts))


def _input_of(model: NeuronModel, term: Term) -> str:
    if INPUT in model.inputs:
        return INPUT
    if len(model.inputs) != 1:
        raise ModelError(
            f"The term '{term.name}' reads the input, and model '{model.name}' has "
            f"{len(model.inputs)} of them, expected one."
        )
    return next(iter(model.inputs))

"""A model extended by a term, as text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from neurocode.citing import SOURCE
from neurocode.models.expressions import Equation
from neurocode.models.model import NeuronModel
from neurocode.terms.conversion import Conversion
from neurocode.terms.membrane import POTENTIAL, membrane_of, with_threshold
from neurocode.terms.renaming import names_for, renamed
from neurocode.units import same_dimension

if TYPE_CHECKING:
    from neurocode.terms.term import Term

#: Longest name that a model may have.
MOST_LETTERS = 100


class _Place:
    """The place of a term in a model: membrane, units and names.

    Attributes
    ----------
    membrane : Membrane
    conversion : Conversion
    given : set of str
        Shared parameters that the model has.
    names : dict of str to str
        What the names of the term are called in the model.
    """

    def __init__(
        self, model: NeuronModel, term: Term, potential: tuple[str, str] | None = None
    ) -> None:
        self.membrane = membrane_of(model)
        self.conversion = Conversion.to(self.membrane, potential)
        self.given = {
            name
            for name in term.shared
            if name in model.parameters
            and same_dimension(
                model.parameters[name].unit, self.conversion.unit(term.parameters[name].unit)
            )
        }
        self.names = names_for(model, term, self.given)


def parameter_names_in(model: NeuronModel, term: Term) -> dict[str, str]:
    """Return the names that the parameters of a term get in a model."""
    names = _Place(model, term).names
    return {name: names[name] for name in term.parameters}


def compose(
    model: NeuronModel, term: Term, potential: tuple[str, str] | None = None
) -> NeuronModel:
    """Return a model with one term added; see :func:`neurocode.terms.add`.

    Raises
    ------
    ModelError
        If the model has no place for the term, or units do not fit.
    """
    place = _Place(model, term, potential)
    names = place.names
    parameters = {
        names[name]: place.conversion.parameter(name, parameter, name in term.potentials)
        for name, parameter in term.parameters.items()
        if name not in place.given
    }
    equations, margin = list(model.parsed), model.margin
    if term.current:
        longer = place.membrane.minus(names[term.current])
        equations = [longer if e.name == POTENTIAL else e for e in equations]
    if term.threshold:
        equations, margin = with_threshold(model, equations, names[term.threshold])
    equations += [
        Equation(
            e.kind,
            names[e.name],
            renamed(e.expression, names),
            place.conversion.unit(e.unit),
            e.flags if model.refractory is not None else (),
        )
        for e in term.parsed
    ]
    initial = {names[name]: renamed(text, names) for name, text in term.initial.items()}
    return replace(
        model,
        name=_short(f"{model.name} + {term.name}"),
        description=_described(model, term),
        equations="\n".join(equation.text for equation in equations),
        margin=margin,
        reset="\n".join(filter(None, [model.reset, renamed(term.reset, names)])),
        initial={**model.initial, **initial},
        parameters={**model.parameters, **parameters},
    )


def _described(model: NeuronModel, term: Term) -> str:
    """Return the description of a model with a term, which names the papers to cite."""
    papers = ", ".join(paper[0] for paper in SOURCE.finditer(term.source))
    return f"{model.description} With {term.name}{f' ({papers})' if papers else ''}.".strip()


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 3] + "..."

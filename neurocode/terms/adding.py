"""Terms added to models."""

from __future__ import annotations

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.terms.catalogue import named
from neurocode.terms.composition import compose, parameter_names_in
from neurocode.terms.term import Term


def add(
    model: NeuronModel, *terms: Term | str, potential: tuple[str, str] | None = None
) -> NeuronModel:
    """Return a model with terms added.

    The current of a term is subtracted inside the membrane equation, and its addition to the
    threshold is added to the threshold; equations, reset and parameters are appended. If a name is
    taken, all names of the term get a number. A parameter that is shared, such as ``E_K``, is taken
    from the model if it has one of this name.

    In a model without a capacitance a current counts as a voltage divided by the time constant: 10
    nS as a conductance of one, 1 nA as 100 mV (our choice). Where the potential has no unit, 5 mV
    count as one unless ``potential`` says otherwise.

    Parameters
    ----------
    model : NeuronModel
        With a membrane potential ``v``, whose equation is divided by a capacitance or a time
        constant.
    *terms : Term or str
        Terms, or names in the library.
    potential : tuple of str, optional
        What zero and one of a potential without a unit stand for, such as ``("-70 mV", "5 mV")``.
        Terms with absolute potentials, such as a half activation, need it there.

    Returns
    -------
    NeuronModel

    Raises
    ------
    ModelError
        If the model has no place for a term, or units do not fit.

    Examples
    --------
    >>> import neurocode as nc
    >>> model = nc.terms.add(nc.models.lif(), "m-current")
    >>> print(model.equations.splitlines()[0])
    dv/dt = (g_L*(E_L - v) + I - I_M)/C : volt (unless refractory)
    """
    for term in terms:
        term = as_term(term)
        try:
            model = compose(model, term, potential)
        except ModelError as error:
            raise ModelError(f"Term '{term.name}' cannot be added: {error}") from None
    return model


def parameter_names(model: NeuronModel, term: Term | str) -> dict[str, str]:
    """Names that the parameters of a term get if it is added to a model.

    Parameters
    ----------
    model : NeuronModel
        Without the term.
    term : Term or str

    Returns
    -------
    dict of str to str
        Names in the model by names in the term.

    Examples
    --------
    >>> import neurocode as nc
    >>> model = nc.terms.add(nc.models.gif(), "spike-current")
    >>> nc.terms.parameter_names(model, "spike-current")
    {'a_z': 'a_z_2', 'tau_z': 'tau_z_2'}
    """
    return parameter_names_in(model, as_term(term))


def as_term(term: Term | str) -> Term:
    """Return a term, or the term of the library with a name.

    Raises
    ------
    ModelError
        For anything else, or if there is no such term.
    """
    if not isinstance(term, (Term, str)):
        raise ModelError(f"A term is a Term or a name in the library, not {term!r}.")
    return term if isinstance(term, Term) else named(term)

"""Which likelihood is that of a model and its data."""

from __future__ import annotations

from neurocode.errors import FitError
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.likelihood import Likelihood
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.result import FitResult
from neurocode.models.model import NeuronModel

#: Each says by :meth:`Likelihood.takes` whether it is asked for; the first that is, is used.
LIKELIHOODS: tuple[type[Likelihood], ...] = (PassageLikelihood, ClampedLikelihood)


def likelihood_for(model: NeuronModel, data: object) -> type[Likelihood]:
    """The likelihood of a model and of data.

    Raises
    ------
    FitError
        If none takes them.
    """
    for kind in LIKELIHOODS:
        if kind.takes(model, data):
            return kind
    raise FitError(
        f"There is no likelihood of model '{model.name}'; known are "
        f"{', '.join(kind.name for kind in LIKELIHOODS)}."
    )


def likelihood_of(
    result: FitResult, likelihood: type[Likelihood] | None = None
) -> type[Likelihood]:
    """The likelihood that a result is a maximum of.

    Parameters
    ----------
    result : FitResult
    likelihood : type of Likelihood, optional
        One that is not in the table.

    Raises
    ------
    FitError
        If the result is of another one.
    """
    for kind in LIKELIHOODS if likelihood is None else (likelihood,):
        if kind.name == result.likelihood:
            return kind
    raise FitError(
        f"The fit is by the likelihood '{result.likelihood}'; hand that over as `likelihood`."
    )

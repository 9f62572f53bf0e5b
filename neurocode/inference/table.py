"""The choice of the likelihood for a model and its data."""

from __future__ import annotations

from neurocode.errors import FitError
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.likelihood import Likelihood
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.result import FitResult
from neurocode.models.model import NeuronModel

#: Known likelihoods; the first whose :meth:`Likelihood.takes` is true for model and data is used.
LIKELIHOODS: tuple[type[Likelihood], ...] = (PassageLikelihood, ClampedLikelihood)


def likelihood_for(model: NeuronModel, data: object) -> type[Likelihood]:
    """Return the class of the likelihood for a model and data.

    Raises
    ------
    FitError
        If no likelihood accepts them.
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
    """Return the class of the likelihood whose maximum a result is.

    Parameters
    ----------
    result : FitResult
    likelihood : type of Likelihood, optional
        A likelihood class that is not in ``LIKELIHOODS``.

    Raises
    ------
    FitError
        If the result is the maximum of another likelihood.
    """
    for kind in LIKELIHOODS if likelihood is None else (likelihood,):
        if kind.name == result.likelihood:
            return kind
    raise FitError(
        f"The fit used the likelihood '{result.likelihood}'; pass its class as `likelihood`."
    )

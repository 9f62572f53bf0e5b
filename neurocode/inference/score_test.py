"""Score tests of terms: how much a term would gain, without fitting it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from neurocode.errors import FitError, ModelError
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.optimise import Ascent
from neurocode.inference.result import FitResult
from neurocode.models.model import NeuronModel
from neurocode.terms import Term, add, parameter_names
from neurocode.terms import all as all_terms
from neurocode.terms.adding import as_term

#: An amplitude whose information, given all other parameters, is below this share of what it has
#: alone is not determined by the spikes.
DETERMINED = 1e-6
COLUMNS = ["term", "point", "statistic", "amplitudes", "gain", "p_value"]


def score_test(
    result: FitResult,
    experiment: Any,
    terms: Iterable[Term | str] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Test for each term whether a fitted model lacks it, by derivatives where it is absent.

    The score test (Rao 1948) needs the gradient and the Fisher information of the likelihood of
    the extended model at the fitted values, with the amplitudes of the term absent: one or a few
    passes over the data. With gradient *g* and information *I* of the amplitudes *a* and the
    fitted parameters *b*, the efficient score is ``u = g_a - I_ab I_bb^-1 g_b``, its variance ``V =
    I_aa - I_ab I_bb^-1 I_ba``, and the statistic ``u V^-1 u``. Half of it is the gain in nats that
    a fit of the amplitudes would have if the likelihood were quadratic.

    Parameters
    ----------
    result : FitResult
        A fit under a current.
    experiment : Experiment or spike trains
        The training data of the fit.
    terms : iterable of Term or str, optional
        By default all of the library that the model takes.
    progress : callable, optional
        Called with the number of points that are done and the number of points.

    Returns
    -------
    pandas.DataFrame
        One row per term and point of its grid: ``statistic``, the number of ``amplitudes``, the
        expected ``gain`` in nats, and ``p_value`` of a chi-square distribution. An amplitude that
        cannot be negative has half of the tail if its score is positive, and one otherwise. The
        p-values do not allow for the search over the grid. They are NaN where the spikes do not
        determine the amplitudes.

    Raises
    ------
    FitError
        If the fit is not one under a current.
    ModelError
        If the model does not take a term that is named.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> current = noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> model = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(model, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> experiment = nc.Experiment(spikes, current)
    >>> result = nc.fit(model, experiment, starts=1)
    >>> table = nc.inference.score_test(result, experiment, ["drift-threshold"])
    >>> len(table) == len(nc.terms.named("drift-threshold").grid_points)
    True
    """
    if result.likelihood != ClampedLikelihood.name:
        raise FitError(
            f"Terms are tested on fits under a current, not on the likelihood "
            f"'{result.likelihood}'."
        )
    if terms is None:
        chosen = [term for term in all_terms() if _takes(result.model, term)]
    else:
        chosen = [as_term(term) for term in terms]
    points = [(term, point) for term in chosen for point in term.grid_points]
    fitted = ClampedLikelihood.of(result.model, experiment, **result.settings)
    rows = []
    for done, (term, point) in enumerate(points):
        if progress is not None:
            progress(done, len(points))
        rows.append(_row(fitted, term, point))
    return pd.DataFrame(rows, columns=COLUMNS)


def _takes(model: NeuronModel, term: Term) -> bool:
    try:
        add(model, term)
    except ModelError:
        return False
    return True


def _row(fitted: ClampedLikelihood, term: Term, point: Mapping[str, float]) -> dict[str, Any]:
    model = add(fitted.model, term.screened(**point))
    names = parameter_names(fitted.model, term)
    gradient, information = _derivatives(fitted.with_model(model))
    is_amplitude = np.isin(model.free, [names[name] for name in term.amplitudes])
    score, variance = _efficient(gradient, information, is_amplitude)
    alone = np.diag(information)[is_amplitude]
    determined = np.linalg.eigvalsh(variance / np.sqrt(np.outer(alone, alone))).min() > DETERMINED
    statistic = float(score @ np.linalg.solve(variance, score)) if determined else np.nan
    only_positive = len(score) == 1 and _is_bounded_below(term)
    return {
        "term": term.name,
        "point": ", ".join(
            f"{name} = {value:g} {term.parameters[name].unit}" for name, value in point.items()
        ),
        "statistic": statistic,
        "amplitudes": len(score),
        "gain": 0.0 if only_positive and score[0] < 0 else 0.5 * statistic,
        "p_value": _p_value(statistic, score, only_positive),
    }


def _is_bounded_below(term: Term) -> bool:
    """Whether the only amplitude is absent at its lower bound."""
    (name,) = term.amplitudes
    return term.parameters[name].bounds[0] == term.absent[name]


def _p_value(statistic: float, score: np.ndarray, only_positive: bool) -> float:
    tail = float(chi2.sf(statistic, len(score)))
    if not only_positive:
        return tail
    return 0.5 * tail if score[0] > 0 else 1.0


def _derivatives(likelihood: ClampedLikelihood) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and information at the values of the model, with settled states."""
    z = likelihood.coordinates.to_coordinates(likelihood.model.values)
    settled = Ascent(likelihood, z).point
    return settled.gradient, settled.information


def _efficient(
    gradient: np.ndarray, information: np.ndarray, is_amplitude: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of amplitudes and its variance, given that all others are fitted."""
    a, b = np.flatnonzero(is_amplitude), np.flatnonzero(~is_amplitude)
    others, across = information[np.ix_(b, b)], information[np.ix_(a, b)]
    # directions that the spikes do not determine take nothing from the score
    projected = across @ np.linalg.pinv(others, rcond=1e-10, hermitian=True)
    return (
        gradient[a] - projected @ gradient[b],
        information[np.ix_(a, a)] - projected @ across.T,
    )

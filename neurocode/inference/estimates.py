"""Parameter estimates with confidence intervals from the maximum of a likelihood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurocode.inference.result import NARROWER, FittedParameter
from neurocode.models.model import NeuronModel
from neurocode.units import parse_unit

Z_95 = 1.959964
#: A value counts as determined if its standard error is below this share of its absolute value.
KNOWN = 0.5


def fitted_model(model: NeuronModel, values: dict[str, float]) -> NeuronModel:
    """Return the model with its parameters set to values in SI units."""
    return model.with_parameters(
        {
            name: value / parse_unit(model.parameters[name].unit).scale
            for name, value in values.items()
        }
    )


def fitted_parameters(
    model: NeuronModel,
    z: np.ndarray,
    information: np.ndarray,
    slopes: np.ndarray,
    values_at: Callable[[np.ndarray], dict[str, float]],
    prior_width: float,
) -> dict[str, FittedParameter]:
    """Return all parameters of a fitted model, the free ones with standard error and interval.

    Parameters
    ----------
    model : NeuronModel
        The model with its fitted values.
    z, information, slopes : numpy.ndarray
        Unconstrained coordinates, the observed information at them, and the derivative of each
        parameter (SI) with respect to its coordinate.
    values_at : callable
        Function that returns the parameters in SI units at given coordinates.
    prior_width : float
        Standard deviation of the prior in unconstrained coordinates.
    """
    variance = np.diag(np.linalg.pinv(information, hermitian=True)).copy()
    variance[variance <= 0] = np.inf
    errors = np.sqrt(variance)
    low, high = (values_at(z + sign * Z_95 * errors) for sign in (-1, 1))
    fitted = {}
    for name, parameter in model.parameters.items():
        value = float(parameter.value)
        fitted[name] = FittedParameter(value, parameter.unit)
        if name in model.free:
            index, scale = model.free.index(name), parse_unit(parameter.unit).scale
            first, last = sorted((low[name] / scale, high[name] / scale))
            error = float(abs(slopes[index]) * errors[index] / scale)
            ratio = float(errors[index] / prior_width) if np.isfinite(errors[index]) else np.inf
            identified = ratio < NARROWER and error < KNOWN * abs(value)
            fitted[name] = FittedParameter(
                value, parameter.unit, error, (first, last), False, identified, ratio
            )
    return fitted


def information_rank(information: np.ndarray) -> int:
    """Rank of an information matrix after its coordinates were scaled to equal information."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-12))
    return int(np.sum(np.linalg.eigvalsh(information * np.outer(scale, scale)) > 1e-6))

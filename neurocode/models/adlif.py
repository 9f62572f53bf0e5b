"""Adaptive leaky integrate-and-fire neurons (Baronig et al. 2025)."""

from __future__ import annotations

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter

DISCRETISATIONS = ("symplectic", "euler-forward")


def adlif(discretisation: str = "symplectic") -> NeuronModel:
    """Adaptive leaky integrate-and-fire neuron in its symplectic or Euler-forward form.

    ``tau_u du/dt = -u + I - w`` and ``tau_w dw/dt = -w + q (a u + b z)`` with the spike ``z`` at
    ``u > 1`` and reset of ``u`` to zero. Both forms use exponential decays. The Euler-forward form
    reads ``u`` and ``z`` of the previous step; the symplectic form updates ``w`` after the reset,
    from the post-reset ``u`` and the new ``z`` (Baronig, Ferrand, Sabathiel, Legenstein 2025,
    released code).

    Parameters
    ----------
    discretisation : {"symplectic", "euler-forward"}

    Returns
    -------
    NeuronModel

    Raises
    ------
    ModelError
        For another discretisation.

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.adlif().after_reset
    ('w',)
    """
    if discretisation not in DISCRETISATIONS:
        raise ModelError(
            f"'{discretisation}' is not a discretisation; known are {', '.join(DISCRETISATIONS)}."
        )
    symplectic = discretisation == "symplectic"
    return NeuronModel(
        name="adlif" if symplectic else f"adlif-{discretisation}",
        description="Adaptive leaky integrate-and-fire neuron (Baronig et al. 2025).",
        equations="""
            du/dt = (-u + I - w)/tau_u : 1
            dw/dt = (-w + q*(a*u + b*spiked))/tau_w : 1
            spiked : 1
            I : 1
        """,
        margin="u - theta",
        reset="u = 0",
        integrator="exponential_euler",
        after_reset=("w",) if symplectic else (),
        parameters={
            "tau_u": Parameter.of(
                "15 ms", ("5 ms", "25 ms"), per_neuron=True, description="membrane time constant"
            ),
            "tau_w": Parameter.of(
                "180 ms",
                ("60 ms", "300 ms"),
                per_neuron=True,
                description="adaptation time constant",
            ),
            "a": Parameter(
                0.5, bounds=(0.0, 1.0), per_neuron=True, description="sub-threshold coupling over q"
            ),
            "b": Parameter(
                1.0,
                bounds=(0.0, 2.0),
                per_neuron=True,
                description="spike-triggered adaptation over q",
            ),
            "q": Parameter(
                120.0 if symplectic else 60.0,
                bounds=(0.0, 1000.0),
                fixed=True,
                description="scale of a and b",
            ),
            "theta": Parameter(1.0, bounds=(0.1, 10.0), fixed=True, description="threshold"),
        },
    )

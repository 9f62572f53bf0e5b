"""Point process with a membrane filter and spike history (Truccolo et al. 2005)."""

from __future__ import annotations

from collections.abc import Sequence

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter

#: Time constants from the refractory period to slow adaptation (our choice, not from the paper).
TIME_CONSTANTS_MS = (2.0, 10.0, 50.0, 250.0)
#: Limit on the absolute logarithm of the rate (in Hz) in the integral of the neuron without escape
#: noise.
MOST = 50


def glm(
    time_constants: Sequence[float] = TIME_CONSTANTS_MS, *, escape_noise: bool = True
) -> NeuronModel:
    """Generalised linear model of spikes with history (Truccolo et al. 2005; Pillow et al. 2008).

    The rate is ``lambda_0 exp(u - sum_j h_j)`` with ``lambda_0`` = 1 Hz: the input ``I`` is the
    logarithm of a rate, ``u`` is ``I`` through a membrane, each ``h_j`` jumps at a spike and decays
    exponentially. All variables except time are dimensionless, so that the neuron can be the last
    layer of a network (:class:`neurocode.learning.RecordedNeurons`). A spike resets nothing and
    acts only through ``h_j``.

    Parameters
    ----------
    time_constants : sequence of float
        Time constants of the history in ms; each gives one exponential.
    escape_noise : bool
        Without it the neuron spikes when the integral of the same rate since its last spike reaches
        one (our choice, not from the paper): as many spikes, but without randomness.

    Returns
    -------
    NeuronModel

    Raises
    ------
    ModelError
        If a time constant is not positive or two are equal.

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.glm((10.0,)).free
    ('tau', 'a_1')
    """
    if (
        not time_constants
        or min(time_constants) <= 0
        or len(set(time_constants)) < len(time_constants)
    ):
        raise ModelError(
            f"The time constants of a history must be positive and distinct, not "
            f"{tuple(time_constants)}."
        )
    numbers = range(1, len(time_constants) + 1)
    parameters = {
        "tau": Parameter.of(
            "5 ms", ("0.5 ms", "200 ms"), per_neuron=True, description="membrane time constant"
        ),
        "lambda_0": Parameter.of("1 Hz", fixed=True, description="rate at zero margin"),
        "scale": Parameter(1.0, fixed=True, description="margin that multiplies the rate by e"),
    }
    for number, time_constant in zip(numbers, time_constants, strict=True):
        parameters[f"tau_{number}"] = Parameter(
            time_constant, "ms", (0.1, 5000.0), fixed=True, description="time constant of history"
        )
        parameters[f"a_{number}"] = Parameter(
            0.5, per_neuron=True, description="jump of the history at a spike"
        )
    history = " + ".join(f"h_{n}" for n in numbers)
    states = "\n".join(
        ["du/dt = (I - u)/tau : 1", *(f"dh_{n}/dt = -h_{n}/tau_{n} : 1" for n in numbers)]
    )
    jumps = "\n".join(f"h_{n} += a_{n}" for n in numbers)
    integral = (
        ""
        if escape_noise
        else f"\ndq/dt = lambda_0*exp(clip(u - ({history}), -{MOST}, {MOST})) : 1"
    )
    return NeuronModel(
        name="glm" if escape_noise else "glm-deterministic",
        description="Generalised linear model of spikes with history (Truccolo et al. 2005).",
        equations=f"{states}{integral}\nI : 1",
        margin=f"u - ({history})" if escape_noise else "q - 1",
        reset=jumps if escape_noise else f"{jumps}\nq = 0",
        integrator="exponential_euler",
        noise=EscapeNoise("exponential", scale="scale", rate="lambda_0") if escape_noise else None,
        parameters=parameters,
    )

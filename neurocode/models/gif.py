"""Generalised integrate-and-fire neuron (Pozzorini et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter

#: Three exponentials that cover fast, intermediate and slow spike-triggered processes (our choice,
#: not from the paper).
TIME_CONSTANTS_MS = (10.0, 50.0, 250.0)


def gif(
    time_constants: Sequence[float] = TIME_CONSTANTS_MS, *, escape_noise: bool = True
) -> NeuronModel:
    """Generalised integrate-and-fire neuron with spike-triggered current and moving threshold.

    ``C dv/dt = g_L (E_L - v) - sum_j eta_j + I``; the threshold is ``V_T + sum_j gamma_j``; each
    ``eta_j`` and ``gamma_j`` decays exponentially and jumps at a spike. The escape rate is
    ``lambda_0 exp((v - theta)/Delta_V)`` with ``lambda_0`` = 1 kHz fixed (Pozzorini et al. 2015).
    Spikes alone leave a shift and a scale of voltage free, so ``E_L`` and ``C`` are fixed.

    Parameters
    ----------
    time_constants : sequence of float
        Time constants of both filters in ms; each gives one exponential.
    escape_noise : bool
        Without it the neuron spikes whenever ``v`` exceeds the moving threshold.

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
    >>> len(nc.models.gif().free)
    10
    """
    if (
        not time_constants
        or min(time_constants) <= 0
        or len(set(time_constants)) < len(time_constants)
    ):
        raise ModelError(
            f"The time constants of a GIF must be positive and distinct, not "
            f"{tuple(time_constants)}."
        )
    numbers = range(1, len(time_constants) + 1)
    parameters = {
        "C": Parameter.of(
            "100 pF", ("5 pF", "2000 pF"), fixed=True, description="membrane capacitance"
        ),
        "g_L": Parameter.of("4 nS", ("0.1 nS", "200 nS"), description="leak conductance"),
        "E_L": Parameter.of(
            "-70 mV", ("-100 mV", "-40 mV"), fixed=True, description="resting potential"
        ),
        "V_r": Parameter.of("-60 mV", ("-120 mV", "0 mV"), description="reset potential"),
        "V_T": Parameter.of("-45 mV", ("-90 mV", "20 mV"), description="threshold"),
        "Delta_V": Parameter.of(
            "3 mV", ("0.05 mV", "50 mV"), description="width of the escape rate"
        ),
        "lambda_0": Parameter.of("1000 Hz", fixed=True, description="escape rate at threshold"),
        "t_ref": Parameter.of(
            "4 ms", ("0.1 ms", "20 ms"), fixed=True, description="absolute refractory period"
        ),
    }
    for number, time_constant in zip(numbers, time_constants, strict=True):
        parameters[f"tau_{number}"] = Parameter(
            time_constant, "ms", (0.1, 5000.0), fixed=True, description="filter time constant"
        )
        parameters[f"a_eta_{number}"] = Parameter(
            20.0, "pA", description="jump of the spike-triggered current"
        )
        parameters[f"a_gamma_{number}"] = Parameter(5.0, "mV", description="jump of the threshold")
    eta = " + ".join(f"eta_{n}" for n in numbers)
    gamma = " + ".join(f"gamma_{n}" for n in numbers)
    filters = "\n".join(
        f"deta_{n}/dt = -eta_{n}/tau_{n} : amp\n            dgamma_{n}/dt = -gamma_{n}/tau_{n} : "
        f"volt"
        for n in numbers
    ).replace("\ndeta", "\n            deta")
    return NeuronModel(
        name="gif" if escape_noise else "gif-deterministic",
        description="Generalised integrate-and-fire neuron (Pozzorini et al. 2015).",
        equations=f"""
            dv/dt = (g_L*(E_L - v) - ({eta}) + I)/C : volt (unless refractory)
            {filters}
            theta = V_T + {gamma} : volt
            I : amp
        """,
        margin="v - theta",
        reset="\n".join(
            ["v = V_r", *(f"eta_{n} += a_eta_{n}\ngamma_{n} += a_gamma_{n}" for n in numbers)]
        ),
        refractory="t_ref",
        integrator="exponential_euler",
        initial={"v": "E_L"},
        noise=EscapeNoise("exponential", scale="Delta_V", rate="lambda_0")
        if escape_noise
        else None,
        parameters=parameters,
    )

"""Integrate-and-fire neurons driven by white noise, for spike times alone.

All are one-dimensional diffusions to a threshold, so the density of their interspike intervals is a
first-passage density. Spike times do not determine the scale of the membrane potential, so
threshold and reset, which set it, are fixed. Spike times also cannot tell a different leak reversal
``E_L`` from a different mean input. ``E_L`` is therefore fixed halfway between reset and threshold,
where the estimates of mean input and membrane time constant are least correlated. As in Ladenbauer
et al. 2019 the input has a mean ``mu`` (mV/ms) and a strength ``sigma`` (mV per square root of a
millisecond); with another ``E_L`` the mean input is ``mu`` plus the difference over ``tau``.
"""

from __future__ import annotations

from dataclasses import replace

from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter

#: Equation of the adaptation, and the periodic drive as a term of the equation of v.
ADAPTATION = "dw/dt = -w/tau_w : volt/second"
DRIVE = (
    "drive_cos*cos(6.283185307179586*frequency*t) + drive_sin*sin(6.283185307179586*frequency*t)"
)
INITIATION = {
    "Delta_T": Parameter.of(
        "2 mV", ("0.1 mV", "10 mV"), fixed=True, description="sharpness of spike initiation"
    ),
    "V_peak": Parameter.of(
        "-40 mV", fixed=True, description="potential at which a spike is counted"
    ),
}
LEAK = {"E_L": Parameter.of("-55 mV", fixed=True, description="leak reversal potential")}


def lif_diffusive(*, adaptation: bool = False, periodic: bool = False) -> NeuronModel:
    """Leaky integrate-and-fire neuron with white noise.

    ``dv/dt = (E_L - v)/tau + mu + sigma xi``; threshold crossing and reset happen at a time inside
    the step.

    Parameters
    ----------
    adaptation : bool
        Whether to subtract ``w`` from the input, which jumps by ``b`` at a spike and decays with
        ``tau_w``.
    periodic : bool
        Whether to add a sine of fixed ``frequency`` and with two free amplitudes to the input.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.lif_diffusive().free
    ('mu', 'sigma', 'tau', 't_ref')
    """
    return _diffusive(
        "lif-diffusive",
        "Leaky integrate-and-fire neuron with white noise.",
        "(E_L - v)/tau",
        "V_T",
        "matrix_exponential",
        {**LEAK, "V_T": Parameter.of("-50 mV", fixed=True, description="threshold")},
        adaptation,
        periodic,
    )


def eif_diffusive(*, adaptation: bool = False, periodic: bool = False) -> NeuronModel:
    """Exponential integrate-and-fire neuron with white noise (Fourcaud-Trocme et al. 2003).

    ``dv/dt = (E_L - v + Delta_T exp((v - V_T)/Delta_T))/tau + mu + sigma xi``, with a spike at
    ``V_peak``.

    Parameters
    ----------
    adaptation, periodic : bool
        See :func:`lif_diffusive`.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.eif_diffusive().margin
    'v - V_peak'
    """
    leak = "(E_L - v + Delta_T*exp((clip(v, -1*volt, V_peak) - V_T)/Delta_T))/tau"
    parameters = {
        **LEAK,
        "V_T": Parameter.of("-50 mV", fixed=True, description="threshold of spike initiation"),
        **INITIATION,
    }
    text = "Exponential integrate-and-fire neuron with white noise."
    return _diffusive(
        "eif-diffusive", text, leak, "V_peak", "heun", parameters, adaptation, periodic
    )


def qif_diffusive(*, adaptation: bool = False, periodic: bool = False) -> NeuronModel:
    """Quadratic integrate-and-fire neuron with white noise.

    ``dv/dt = (v - V_T)^2/(2 Delta_T tau) + mu + sigma xi``, with a spike at ``V_peak``. This is the
    exponential neuron expanded around the minimum of its drift. It fires without noise if ``mu`` is
    positive.

    Parameters
    ----------
    adaptation, periodic : bool
        See :func:`lif_diffusive`.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.qif_diffusive().states
    ('v',)
    """
    parameters = {
        "V_T": Parameter.of("-55 mV", fixed=True, description="potential of the slowest drift"),
        **INITIATION,
    }
    leak = "(clip(v, -1*volt, V_peak) - V_T)**2/(2*Delta_T*tau)"
    text = "Quadratic integrate-and-fire neuron with white noise."
    return _diffusive(
        "qif-diffusive",
        text,
        leak,
        "V_peak",
        "heun",
        parameters,
        adaptation,
        periodic,
        mu="0.2 mV/ms",
    )


def lif_coloured(correlation_time: str = "2 ms") -> NeuronModel:
    """Leaky integrate-and-fire neuron with exponentially correlated noise, to first order in its
    correlation time.

    Noise with a short correlation time ``tau_s`` acts like white noise with threshold and reset
    moved up by ``sigma sqrt(tau_s) |zeta(1/2)|/sqrt(2) = 1.0326 sigma sqrt(tau_s)`` (Brunel & Sergi
    1998; Fourcaud & Brunel 2002: the shift is ``alpha/2 sqrt(tau_s/tau)`` of ``sigma sqrt(tau)``
    with ``alpha = sqrt(2) |zeta(1/2)|``). Compared with simulated correlated noise at 33 Hz, the
    rate is 2 % too low if ``tau_s`` is a twentieth of ``tau`` and 5 % too low if it is a tenth.

    Parameters
    ----------
    correlation_time : str
        Correlation time with its unit. It is fixed, because intervals cannot tell it from a higher
        threshold.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.lif_coloured("1 ms").margin
    'v - V_T - 1.0326*sigma*sqrt(tau_s)'
    """
    white = lif_diffusive()
    return replace(
        white,
        name="lif-coloured",
        margin="v - V_T - 1.0326*sigma*sqrt(tau_s)",
        reset="v = V_r + 1.0326*sigma*sqrt(tau_s)",
        description="Leaky integrate-and-fire neuron with exponentially correlated noise, to "
        "first order in its correlation time.",
        parameters={
            **white.parameters,
            "tau_s": Parameter.of(correlation_time, fixed=True, description="correlation time"),
        },
    )


def _diffusive(
    name: str,
    text: str,
    leak: str,
    peak: str,
    integrator: str,
    neuron_parameters: dict[str, Parameter],
    adaptation: bool,
    periodic: bool,
    mu: str = "0.35 mV/ms",
) -> NeuronModel:
    terms = [leak, "mu"]
    parameters = {
        "mu": Parameter.of(mu, ("-20 mV/ms", "200 mV/ms"), description="mean input"),
        "sigma": Parameter.of(
            "1 mV/ms**0.5", ("0.005 mV/ms**0.5", "50 mV/ms**0.5"), description="noise strength"
        ),
        "tau": Parameter.of("20 ms", ("0.5 ms", "500 ms"), description="membrane time constant"),
        "t_ref": Parameter.of("2 ms", ("0 ms", "50 ms"), description="absolute refractory period"),
        "V_r": Parameter.of("-60 mV", fixed=True, description="reset potential"),
        **neuron_parameters,
    }
    lines, reset = [], "v = V_r"
    if adaptation:
        terms[-1] += " - w"
        lines, reset = [ADAPTATION], "v = V_r\nw += b"
        parameters["b"] = Parameter.of(
            "0.1 mV/ms", ("0 mV/ms", "50 mV/ms"), description="adaptation strength"
        )
        parameters["tau_w"] = Parameter.of(
            "100 ms", ("2 ms", "5000 ms"), description="adaptation time constant"
        )
    if periodic:
        terms.append(DRIVE)
        for phase in ("cos", "sin"):
            bounds = ("-200 mV/ms", "200 mV/ms")
            parameters[f"drive_{phase}"] = Parameter.of(
                "0 mV/ms", bounds, description=f"{phase}ine amplitude of the drive"
            )
        parameters["frequency"] = Parameter.of(
            "700 Hz", fixed=True, description="frequency of the drive"
        )
    return NeuronModel(
        name="-".join(
            [*(["adaptive"] if adaptation else []), name, *(["periodic"] if periodic else [])]
        ),
        description=text,
        equations="\n".join(
            [f"dv/dt = {' + '.join(terms)} + sigma*xi : volt (unless refractory)", *lines]
        ),
        margin=f"v - {peak}",
        reset=reset,
        refractory="t_ref",
        integrator=integrator,
        within_step=True,
        initial={"v": "V_r"},
        parameters=parameters,
    )

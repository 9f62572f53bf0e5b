"""Generalised integrate-and-fire neuron whose threshold follows the membrane potential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from neurocode.models.gif import gif
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter

TIME_CONSTANTS_MS = (4.0, 12.0, 40.0, 120.0, 400.0)


def igif(
    time_constants: Sequence[float] = TIME_CONSTANTS_MS, *, a_type: bool = False
) -> NeuronModel:
    """GIF with a nonlinear, inactivating threshold, and optionally an A-type potassium current.

    The threshold gains ``theta_v`` with ``tau_theta dtheta_v/dt = k log(1 + exp((v - V_i)/k)) -
    theta_v`` (Mensi et al. 2016): it follows depolarisation, as sodium channels inactivate. With
    ``a_type`` a transient potassium current ``g_A m(v) h (v - E_K)`` is added, its activation ``m``
    instantaneous and its inactivation ``h`` slow, both with free midpoint and slope. This form is
    our choice, not from the paper; dorsal raphe neurons have such a current (Harkin et al. 2023).
    The escape rate saturates at ``lambda_max`` and never falls below a small lapse rate, so that
    neither one missing nor one surprising spike dominates the fit. The threshold may drift by
    ``V_drift`` over the recording (time constant 20 s), because cells tire and a test is recorded
    afterwards.

    Parameters
    ----------
    time_constants : sequence of float
        Time constants of both spike-triggered filters in ms.
    a_type : bool
        Whether to add the A-type current.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> "theta_v" in nc.models.igif().states
    True
    """
    base = gif(time_constants)
    equations = base.equations.replace(
        "theta = V_T", "theta = V_T + V_drift*(1 - exp(-t/tau_drift)) + theta_v"
    )
    equations += (
        "\ndtheta_v/dt = (k*log(1 + exp(clip((v - V_i)/k, -50, 50))) - theta_v)/tau_theta : volt"
    )
    parameters = dict(base.parameters) | {
        "C": Parameter.of(
            "60 pF", ("5 pF", "2000 pF"), fixed=True, description="membrane capacitance"
        ),
        "g_L": Parameter.of("3 nS", ("0.1 nS", "200 nS"), description="leak conductance"),
        "Delta_V": Parameter.of(
            "1 mV", ("0.05 mV", "50 mV"), description="width of the escape rate"
        ),
        "V_T": Parameter.of("-58 mV", ("-90 mV", "20 mV"), description="threshold at rest"),
        "V_r": Parameter.of("-70 mV", ("-120 mV", "0 mV"), description="reset potential"),
        "lapse": Parameter.of(
            "0.05 Hz", ("0.0001 Hz", "1 Hz"), fixed=True, description="escape rate at any potential"
        ),
        "lambda_max": Parameter.of(
            "1000 Hz", ("50 Hz", "20000 Hz"), description="escape rate far above threshold"
        ),
        "V_drift": Parameter.of(
            "1 mV", ("-20 mV", "20 mV"), description="drift of the threshold over the recording"
        ),
        "tau_drift": Parameter.of(
            "20 s", ("2 s", "200 s"), fixed=True, description="time constant of that drift"
        ),
        "V_i": Parameter.of(
            "-62 mV",
            ("-90 mV", "0 mV"),
            description="potential at which the threshold begins to follow",
        ),
        "k": Parameter.of("5 mV", ("0.2 mV", "30 mV"), description="softness of that onset"),
        "tau_theta": Parameter.of(
            "15 ms", ("0.5 ms", "500 ms"), description="time constant of the following threshold"
        ),
    }
    if a_type:
        equations = equations.replace(" + I)/C", " - g_A*m_A*h*(v - E_K) + I)/C")
        equations += "\nm_A = 1/(1 + exp(-clip((v - V_m)/k_m, -50, 50))) : 1"
        equations += "\ndh/dt = (1/(1 + exp(clip((v - V_h)/k_h, -50, 50))) - h)/tau_h : 1"
        parameters |= {
            "g_A": Parameter.of("20 nS", ("0.01 nS", "2000 nS"), description="A-type conductance"),
            "E_K": Parameter.of(
                "-85 mV", fixed=True, description="reversal potential of potassium"
            ),
            "V_m": Parameter.of("-45 mV", ("-80 mV", "-10 mV"), description="half activation"),
            "k_m": Parameter.of("6 mV", ("1 mV", "30 mV"), description="slope of activation"),
            "V_h": Parameter.of("-74 mV", ("-110 mV", "-20 mV"), description="half inactivation"),
            "k_h": Parameter.of("4 mV", ("0.5 mV", "40 mV"), description="slope of inactivation"),
            "tau_h": Parameter.of(
                "40 ms", ("1 ms", "1000 ms"), description="time constant of inactivation"
            ),
        }
    return replace(
        base,
        name="igif-ia" if a_type else "igif",
        description="GIF whose threshold follows the membrane nonlinearly (Mensi et al. 2016)"
        + (", with an A-type potassium current." if a_type else "."),
        equations=equations,
        noise=EscapeNoise(
            "exponential", scale="Delta_V", rate="lambda_0", lapse="lapse", ceiling="lambda_max"
        ),
        initial={"v": "E_L", "h": "1/(1 + exp((E_L - V_h)/k_h))"} if a_type else {"v": "E_L"},
        parameters=parameters,
    )


def igif_ia() -> NeuronModel:
    """The GIF with nonlinear threshold and A-type current; see :func:`igif`.

    Examples
    --------
    >>> import neurocode as nc
    >>> "h" in nc.models.igif_ia().states
    True
    """
    return igif(a_type=True)

"""Adaptive exponential integrate-and-fire neuron."""

from __future__ import annotations

from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter


def adex() -> NeuronModel:
    """Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005).

    ``C dv/dt = -g_L (v - E_L) + g_L Delta_T exp((v - V_T)/Delta_T) - w + I``,
    ``tau_w dw/dt = a (v - E_L) - w``; at ``V_peak``: ``v <- V_r``, ``w <- w + b``. The default
    values are those of the paper. Both right-hand sides limit ``v`` to ``V_peak``, at which a spike
    is counted, so that a step that overshoots stays finite and does not affect ``w``.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.adex().states
    ('v', 'w')
    """
    return NeuronModel(
        name="adex",
        description="Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005).",
        equations="""
            dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v_peaked - V_T)/Delta_T) - w + I)/C : volt
            dw/dt = (a*(v_peaked - E_L) - w)/tau_w : amp
            v_peaked = clip(v, -1*volt, V_peak) : volt
            I : amp
        """,
        margin="v - V_peak",
        reset="""
            v = V_r
            w += b
        """,
        integrator="rk4",
        initial={"v": "E_L"},
        parameters={
            "C": Parameter.of("281 pF", ("10 pF", "2000 pF"), description="membrane capacitance"),
            "g_L": Parameter.of("30 nS", ("0.2 nS", "200 nS"), description="leak conductance"),
            "E_L": Parameter.of("-70.6 mV", ("-100 mV", "-40 mV"), description="resting potential"),
            "V_T": Parameter.of(
                "-50.4 mV", ("-80 mV", "-20 mV"), description="threshold of spike initiation"
            ),
            "Delta_T": Parameter.of(
                "2 mV", ("0.1 mV", "10 mV"), description="sharpness of spike initiation"
            ),
            "tau_w": Parameter.of(
                "144 ms", ("5 ms", "1000 ms"), description="adaptation time constant"
            ),
            "a": Parameter.of("4 nS", ("-50 nS", "100 nS"), description="sub-threshold adaptation"),
            "b": Parameter.of(
                "80.5 pA", ("0 pA", "500 pA"), description="spike-triggered adaptation"
            ),
            "V_r": Parameter.of("-70.6 mV", ("-100 mV", "-40 mV"), description="reset potential"),
            "V_peak": Parameter.of(
                "0 mV",
                ("-30 mV", "50 mV"),
                fixed=True,
                description="potential at which a spike is counted",
            ),
        },
    )

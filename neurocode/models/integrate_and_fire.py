"""Nonlinear integrate-and-fire neurons: exponential, quadratic, Izhikevich, and the meta-neuron."""

from __future__ import annotations

from neurocode.models.lif import lif
from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter


def eif() -> NeuronModel:
    """Exponential integrate-and-fire neuron (Fourcaud-Trocme et al. 2003).

    ``C dv/dt = g_L (E_L - v) + g_L Delta_T exp((v - V_T)/Delta_T) + I``, reset at ``V_peak``.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.eif().states
    ('v',)
    """
    return NeuronModel(
        name="eif",
        description="Exponential integrate-and-fire neuron (Fourcaud-Trocme et al. 2003).",
        equations="dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((clip(v, -1*volt, V_peak) - V_T)"
        "/Delta_T) + I)/C : volt (unless refractory)\n"
        "I : amp",
        margin="v - V_peak",
        reset="v = V_r",
        refractory="t_ref",
        integrator="rk4",
        initial={"v": "E_L"},
        parameters={
            **lif().parameters,
            "V_T": Parameter.of(
                "-50 mV", ("-80 mV", "-20 mV"), description="threshold of spike initiation"
            ),
            "Delta_T": Parameter.of(
                "2 mV", ("0.1 mV", "10 mV"), description="sharpness of spike initiation"
            ),
            "V_peak": Parameter.of(
                "0 mV",
                ("-30 mV", "50 mV"),
                fixed=True,
                description="potential at which a spike is counted",
            ),
        },
    )


def qif() -> NeuronModel:
    """Quadratic integrate-and-fire neuron.

    ``C dv/dt = k (v - E_L) (v - V_c) + I``, reset at ``V_peak``.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.qif().margin
    'v - V_peak'
    """
    return NeuronModel(
        name="qif",
        description="Quadratic integrate-and-fire neuron.",
        equations="""
            dv/dt = (k*(v - E_L)*(v - V_c) + I)/C : volt
            I : amp
        """,
        margin="v - V_peak",
        reset="v = V_r",
        integrator="rk4",
        initial={"v": "E_L"},
        parameters={
            "C": Parameter.of("100 pF", ("10 pF", "2000 pF"), description="membrane capacitance"),
            "k": Parameter.of("0.7 nS/mV", ("0.01 nS/mV", "20 nS/mV"), description="curvature"),
            "E_L": Parameter.of("-60 mV", ("-100 mV", "-40 mV"), description="resting potential"),
            "V_c": Parameter.of(
                "-40 mV", ("-70 mV", "-10 mV"), description="potential of spike initiation at rest"
            ),
            "V_r": Parameter.of("-50 mV", ("-100 mV", "-40 mV"), description="reset potential"),
            "V_peak": Parameter.of(
                "35 mV",
                ("0 mV", "60 mV"),
                fixed=True,
                description="potential at which a spike is counted",
            ),
        },
    )


def izhikevich() -> NeuronModel:
    """Izhikevich neuron in physical units (Izhikevich 2007, regular spiking).

    ``C dv/dt = k (v - E_L) (v - V_c) - u + I``, ``tau_u du/dt = b (v - E_L) - u``; at ``V_peak``:
    ``v <- V_r``, ``u <- u + d``.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.izhikevich().states
    ('v', 'u')
    """
    base = qif()
    return NeuronModel(
        name="izhikevich",
        description="Izhikevich neuron, regular spiking (Izhikevich 2007).",
        equations="""
            dv/dt = (k*(v_peaked - E_L)*(v_peaked - V_c) - u + I)/C : volt
            du/dt = (b*(v_peaked - E_L) - u)/tau_u : amp
            v_peaked = clip(v, -1*volt, V_peak) : volt
            I : amp
        """,
        margin="v - V_peak",
        reset="v = V_r\nu += d",
        integrator="rk4",
        initial={"v": "E_L"},
        parameters={
            **base.parameters,
            "tau_u": Parameter(1 / 0.03, "ms", (1.0, 1000.0), description="recovery time constant"),
            "b": Parameter.of(
                "-2 nS",
                ("-50 nS", "50 nS"),
                description="coupling of the recovery to the potential",
            ),
            "d": Parameter.of(
                "100 pA", ("-200 pA", "1000 pA"), description="jump of the recovery at a spike"
            ),
        },
    )


def meta_neuron() -> NeuronModel:
    """Meta-neuron with second-order dynamics (Cheng, Zhang, Jia, Xu 2020).

    ``dv/dt = v^2 - v - u + I`` and ``du/dt = a (b v - u)`` per unit step of ``dt_unit``, with a
    spike at ``v > 0.5``; then ``v <- c`` and ``u <- u + d``. With the Euler integrator at ``dt =
    dt_unit`` this is the step of the released code. At unit step the recovery is stable for
    ``0 < a < 2``; with
    ``a < 0`` (the released types T1 and T2) it grows without bound after some hundred steps, so the
    bounds keep ``a`` positive. The published network feeds ``I`` through a sigmoid, in (0, 1).

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.meta_neuron().integrator
    'euler'
    """
    return NeuronModel(
        name="meta-neuron",
        description="Meta-neuron (Cheng, Zhang, Jia, Xu 2020).",
        equations="""
            dv/dt = (v**2 - v - u + I)/dt_unit : 1
            du/dt = a*(b*v - u)/dt_unit : 1
            I : 1
        """,
        margin="v - theta",
        reset="v = c\nu += d",
        integrator="euler",
        initial={"u": "u_0"},
        parameters={
            "a": Parameter(
                0.02, bounds=(1e-4, 1.0), per_neuron=True, description="rate of the recovery"
            ),
            "b": Parameter(
                0.2,
                bounds=(-2.0, 2.0),
                per_neuron=True,
                description="coupling of the recovery to the potential",
            ),
            "c": Parameter(0.0, bounds=(-1.0, 0.4), per_neuron=True, description="reset potential"),
            "d": Parameter(
                0.08,
                bounds=(-1.0, 1.0),
                per_neuron=True,
                description="jump of the recovery at a spike",
            ),
            "u_0": Parameter(0.08, fixed=True, description="recovery at time zero"),
            "theta": Parameter(0.5, fixed=True, description="threshold"),
            "dt_unit": Parameter.of("1 ms", fixed=True, description="step that the rates refer to"),
        },
    )

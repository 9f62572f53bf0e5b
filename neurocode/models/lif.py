"""Leaky integrate-and-fire neurons, deterministic and noisy."""

from __future__ import annotations

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter

NOISE_MODES = ("none", "escape", "diffusive", "both")


def lif() -> NeuronModel:
    """Leaky integrate-and-fire neuron with an absolute refractory period.

    ``C dv/dt = g_L (E_L - v) + I``; at ``V_T`` the membrane potential returns to ``V_r`` and is
    held for ``t_ref``. The values are our choice, not from a paper: a generic cortical cell with a
    membrane time constant of 20 ms.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.lif().states
    ('v',)
    """
    return NeuronModel(
        name="lif",
        description="Leaky integrate-and-fire neuron.",
        equations="""
            dv/dt = (g_L*(E_L - v) + I)/C : volt (unless refractory)
            I : amp
        """,
        margin="v - V_T",
        reset="v = V_r",
        refractory="t_ref",
        integrator="exponential_euler",
        initial={"v": "E_L"},
        parameters={
            "C": Parameter.of("200 pF", ("10 pF", "2000 pF"), description="membrane capacitance"),
            "g_L": Parameter.of("10 nS", ("0.2 nS", "200 nS"), description="leak conductance"),
            "E_L": Parameter.of("-70 mV", ("-100 mV", "-40 mV"), description="resting potential"),
            "V_r": Parameter.of("-60 mV", ("-100 mV", "-30 mV"), description="reset potential"),
            "V_T": Parameter.of("-50 mV", ("-80 mV", "0 mV"), description="threshold"),
            "t_ref": Parameter.of(
                "2 ms", ("0.1 ms", "20 ms"), fixed=True, description="absolute refractory period"
            ),
        },
    )


def normalised_lif() -> NeuronModel:
    """Dimensionless leaky integrate-and-fire neuron for networks, with threshold one, and reset and
    rest zero.

    ``tau du/dt = -u + I``. With the exponential Euler step ``u <- e u + (1 - e) I`` and ``e =
    exp(-dt/tau)`` this is the neuron of Baronig et al. 2025 without adaptation.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.normalised_lif().free
    ('tau',)
    """
    return NeuronModel(
        name="lif-normalised",
        description="Leaky integrate-and-fire neuron without units (Baronig et al. 2025).",
        equations="""
            du/dt = (-u + I)/tau : 1
            I : 1
        """,
        margin="u - theta",
        reset="u = 0",
        integrator="exponential_euler",
        parameters={
            "tau": Parameter.of(
                "15 ms", ("5 ms", "25 ms"), per_neuron=True, description="membrane time constant"
            ),
            "theta": Parameter(1.0, bounds=(0.1, 10.0), fixed=True, description="threshold"),
        },
    )


def current_lif() -> NeuronModel:
    """Leaky integrate-and-fire neuron with a synaptic current and threshold one, which is silent
    for one step after a spike.

    ``U[n+1] = (b_m U[n] + (1 - b_m) I[n]) (1 - S[n])`` and ``I[n+1] = b_s I[n] + input`` with ``b =
    exp(-dt/tau)`` (Zenke & Vogels 2021). The factor ``1 - S[n]``, which multiplies the whole
    update, is the variable ``open``. The reset sets it to zero and the next step back to one, so
    that gradients through it are those through the reset.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.current_lif().free
    ('tau_mem', 'tau_syn')
    """
    return NeuronModel(
        name="lif-current",
        description="Leaky integrate-and-fire neuron with a synaptic current (Zenke & Vogels "
        "2021).",
        equations="""
            du/dt = (-u + open*c)/tau_mem : 1
            dc/dt = -c/tau_syn + I/(tau_syn*(1 - exp(-dt/tau_syn))) : 1
            dopen/dt = (1 - open)/tau_open : 1
            I : 1
        """,
        margin="u - theta",
        reset="u = 0\nopen = 0",
        integrator="exponential_euler",
        initial={"open": "1"},
        parameters={
            "tau_mem": Parameter.of(
                "10 ms", ("1 ms", "100 ms"), per_neuron=True, description="membrane time constant"
            ),
            "tau_syn": Parameter.of(
                "5 ms", ("0.5 ms", "100 ms"), per_neuron=True, description="synaptic time constant"
            ),
            "tau_open": Parameter.of(
                "1e-3 us", fixed=True, description="far below a step: open again after one"
            ),
            "theta": Parameter(1.0, bounds=(0.1, 10.0), fixed=True, description="threshold"),
        },
    )


def noisy_lif(noise_mode: str = "escape", family: str = "gaussian") -> NeuronModel:
    """Noisy leaky integrate-and-fire neuron of noisy spiking networks (Ma, Yan, Tang 2023).

    The neuron is dimensionless: ``tau dv/dt = -v + R I`` plus white noise, with a spike at
    ``theta`` and a reset to zero. At ``dt = 1 ms`` with the Euler integrator the step is ``v <- 0.5
    v + I + noise``, the discrete form of the released code. Whether the published equations
    describe one noise or two is not known. The released code applies both, which widens the firing
    probability by the square root of two.

    Parameters
    ----------
    noise_mode : {"none", "escape", "diffusive", "both"}
        ``"none"``: the deterministic neuron, which synapse-threshold learning also uses (Sun et al.
        2023). ``"escape"``: P(spike) = F(v - theta), and the membrane potential has no noise.
        ``"diffusive"``: white noise enters the membrane potential, and the threshold is sharp.
        ``"both"``: both kinds of noise, as in the released code.
    family : {"gaussian", "logistic", "triangular", "uniform"}
        Family of the escape noise.

    Returns
    -------
    NeuronModel

    Raises
    ------
    ModelError
        For another noise mode or family.

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.noisy_lif("both").has_diffusion
    True
    """
    if noise_mode not in NOISE_MODES:
        raise ModelError(f"'{noise_mode}' is not a noise mode; known are {', '.join(NOISE_MODES)}.")
    escape, diffusive = noise_mode in ("escape", "both"), noise_mode in ("diffusive", "both")
    diffusion = " + sigma*xi/sqrt(dt_noise)" if diffusive else ""
    parameters = {
        "tau": Parameter.of(
            "2 ms", ("1 ms", "200 ms"), per_neuron=True, description="membrane time constant"
        ),
        "R": Parameter(2.0, bounds=(0.0, 100.0), fixed=True, description="gain of the input"),
        "theta": Parameter(1.0, bounds=(0.01, 10.0), per_neuron=True, description="threshold"),
    }
    if escape:
        parameters["scale"] = Parameter(
            0.3, bounds=(1e-3, 10.0), per_neuron=True, description="width of the escape noise"
        )
    if diffusive:
        parameters["sigma"] = Parameter(
            0.3,
            bounds=(1e-3, 10.0),
            per_neuron=True,
            description="standard deviation of the noise in one step",
        )
        parameters["dt_noise"] = Parameter.of(
            "1 ms", fixed=True, description="step that sigma refers to"
        )
    return NeuronModel(
        name="noisy-lif" if noise_mode == "escape" else f"noisy-lif-{noise_mode}",
        description="Noisy leaky integrate-and-fire neuron (Ma, Yan, Tang 2023).",
        equations=f"""
            dv/dt = (-v + R*I)/tau{diffusion} : 1
            I : 1
        """,
        margin="v - theta",
        reset="v = 0",
        integrator="euler",
        noise=EscapeNoise(family, scale="scale") if escape else None,
        parameters=parameters,
    )

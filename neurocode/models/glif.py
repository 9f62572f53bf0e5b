"""Generalised leaky integrate-and-fire neurons of the Allen Cell Types Database (Teeter et al.
2018)."""

from __future__ import annotations

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter
from neurocode.units import is_whole

#: Names of the levels in the paper: reset rules (R), after-spike currents (ASC), adaptive threshold
#: (A).
LEVELS = {1: "LIF", 2: "LIF-R", 3: "LIF-ASC", 4: "LIF-R-ASC", 5: "LIF-R-ASC-A"}
CURRENTS = (1, 2)
#: Bounds of the time constants of spike-triggered variables.
DECAYS = ("0.1 ms", "5000 ms")


def glif(level: int = 3, *, escape_noise: bool = True) -> NeuronModel:
    """GLIF1 to GLIF5, generalised leaky integrate-and-fire neurons (Teeter et al. 2018, Nat Commun
    9:709).

    ``C dv/dt = g_L (E_L - v) + I + I_1 + I_2``, with a spike if ``v`` exceeds ``V_T + theta_s +
    theta_v``:

    - level 1: no currents, a fixed threshold, ``v <- E_L`` at a spike;
    - levels 2, 4 and 5, reset rules: ``v <- E_L + f_v (v - E_L) + V_add``, and ``theta_s`` jumps
      and decays;
    - levels 3, 4 and 5, after-spike currents: ``I_1`` and ``I_2`` jump and decay;
    - level 5, adaptive threshold: ``dtheta_v/dt = a_v (v - E_L) - theta_v/tau_v``.

    A model of the database cuts a spike out: ``v`` after the cut is a linear function of ``v``
    before it, ``theta_v`` keeps its value, and the jumps of ``theta_s`` and of the currents are
    their sizes at the end of the cut. Here ``v`` is reset at the spike and held, like ``theta_v``,
    for ``t_ref``, the length of the cut. The jumps happen at the spike and are larger by the decay
    during the refractory period. From the end of the refractory period on, all variables are as in
    the database, so that ``a_s``, ``a_1`` and ``a_2`` are the amplitudes of the database; only the
    trajectory inside the cut differs. The default values are those of cell 490626718, level 5,
    rounded.

    The escape rate is ``lambda_0 exp((v - theta)/Delta_V)`` with ``lambda_0`` = 1 kHz fixed, as in
    :func:`gif`; the published models have no escape noise. Spikes alone leave a shift and a scale
    of voltage free, so ``E_L`` and ``C`` are fixed. ``f_v`` is fixed because spikes can hardly tell
    it from ``V_add``, as the potential is near the threshold at every spike.

    Parameters
    ----------
    level : int
        1 to 5.
    escape_noise : bool
        Without it the neuron spikes whenever ``v`` exceeds the threshold, as the published models
        do. If the reset ends above the threshold, it then spikes after every refractory period.

    Returns
    -------
    NeuronModel

    Raises
    ------
    ModelError
        For another level.

    Notes
    -----
    Equations and reset rules were read in the authors' simulator (AllenSDK,
    ``allensdk.model.glif``) and in NEST's ``glif_psc``, which refers to equations 2 to 7 of the
    article; the parameters of each level are in Table 2 of the article. In the symbols of the
    article ``V_add`` is minus ``delta V``, ``a_s`` is ``delta Theta_s``, and ``a_1`` and ``a_2``
    are ``delta I_j``; ``b_s``, ``k_j`` and ``b_v`` are ``1/tau_s``, ``1/tau_j`` and ``1/tau_v``. A
    spike does not reduce the currents (``f_j`` is one).

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.glif(5).states
    ('v', 'theta_s', 'I_1', 'I_2', 'theta_v')
    """
    if not is_whole(level, 1) or level not in LEVELS:
        raise ModelError(
            f"The level of a GLIF is {level!r}, expected one of {', '.join(map(str, LEVELS))}."
        )
    level = int(level)
    reset_rules, currents, adaptive = level in (2, 4, 5), level >= 3, level == 5
    lines = [
        f"dv/dt = (g_L*(E_L - v) + I{' + I_1 + I_2' if currents else ''})/C : volt (unless "
        f"refractory)"
    ]
    resets, threshold, parameters = ["v = E_L"], ["V_T"], _membrane()
    if reset_rules:
        lines.append("dtheta_s/dt = -theta_s/tau_s : volt")
        resets = ["v = E_L + f_v*(v - E_L) + V_add", _jump("theta_s", "s")]
        threshold.append("theta_s")
        parameters |= _reset_rules()
    if currents:
        lines += [f"dI_{n}/dt = -I_{n}/tau_{n} : amp" for n in CURRENTS]
        resets += [_jump(f"I_{n}", str(n)) for n in CURRENTS]
        parameters |= _after_spike_currents()
    if adaptive:
        lines.append("dtheta_v/dt = a_v*(v - E_L) - theta_v/tau_v : volt (unless refractory)")
        threshold.append("theta_v")
        parameters |= _adaptive_threshold()
    if escape_noise:
        parameters |= _escape()
    return NeuronModel(
        name=f"glif{level}" if escape_noise else f"glif{level}-deterministic",
        description=f"GLIF{level} ({LEVELS[level]}), generalised leaky integrate-and-fire neuron "
        f"(Teeter et al. 2018).",
        equations="\n".join([*lines, f"theta = {' + '.join(threshold)} : volt", "I : amp"]),
        margin="v - theta",
        reset="\n".join(resets),
        refractory="t_ref",
        integrator="exponential_euler",
        initial={"v": "E_L"},
        noise=EscapeNoise("exponential", scale="Delta_V", rate="lambda_0")
        if escape_noise
        else None,
        parameters=parameters,
    )


def _jump(state: str, which: str) -> str:
    """Return the statement of a jump at the spike that has decayed to the size ``a`` at the end of
    the refractory period."""
    return f"{state} += a_{which}*exp(t_ref/tau_{which})"


def _membrane() -> dict[str, Parameter]:
    return {
        "C": Parameter.of(
            "59 pF", ("5 pF", "2000 pF"), fixed=True, description="membrane capacitance"
        ),
        "g_L": Parameter.of("9.4 nS", ("0.1 nS", "200 nS"), description="leak conductance"),
        "E_L": Parameter.of(
            "-79 mV", ("-100 mV", "-40 mV"), fixed=True, description="resting potential"
        ),
        "V_T": Parameter.of("-52 mV", ("-90 mV", "20 mV"), description="threshold at rest"),
        "t_ref": Parameter.of(
            "4 ms", ("0.1 ms", "20 ms"), fixed=True, description="absolute refractory period"
        ),
    }


def _reset_rules() -> dict[str, Parameter]:
    return {
        "f_v": Parameter(
            0.2,
            bounds=(-1.0, 1.0),
            fixed=True,
            description="share of the potential over rest that a spike leaves",
        ),
        "V_add": Parameter.of(
            "18.5 mV", ("-80 mV", "80 mV"), description="potential added at the reset"
        ),
        "tau_s": Parameter.of(
            "110 ms", DECAYS, fixed=True, description="decay of the jump of the threshold"
        ),
        "a_s": Parameter.of(
            "0.37 mV", description="jump of the threshold, after the refractory period"
        ),
    }


def _after_spike_currents() -> dict[str, Parameter]:
    parameters = {}
    for number, time_constant, jump in zip(
        CURRENTS, ("330 ms", "10 ms"), ("-9.2 pA", "-199 pA"), strict=True
    ):
        parameters[f"tau_{number}"] = Parameter.of(
            time_constant, DECAYS, fixed=True, description="decay of an after-spike current"
        )
        parameters[f"a_{number}"] = Parameter.of(
            jump, description="jump of that current, after the refractory period"
        )
    return parameters


def _adaptive_threshold() -> dict[str, Parameter]:
    return {
        "a_v": Parameter.of(
            "5 Hz", description="growth of the threshold with the potential over rest"
        ),
        "tau_v": Parameter.of(
            "11 ms", ("0.5 ms", "5000 ms"), description="decay of that part of the threshold"
        ),
    }


def _escape() -> dict[str, Parameter]:
    return {
        "Delta_V": Parameter.of(
            "3 mV", ("0.05 mV", "50 mV"), description="width of the escape rate"
        ),
        "lambda_0": Parameter.of("1000 Hz", fixed=True, description="escape rate at threshold"),
    }

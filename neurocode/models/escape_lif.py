"""Leaky integrate-and-fire neuron with escape noise and without units, for recorded populations."""

from __future__ import annotations

from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter


def escape_lif() -> NeuronModel:
    """Leaky integrate-and-fire neuron with an exponential escape rate, in units of the noise.

    ``tau dv/dt = I - v``; the rate is ``lambda_0 exp(v)`` with ``lambda_0`` = 1 Hz fixed, and a
    spike resets ``v`` to ``v_r`` (Gerstner et al. 2014, Neuronal Dynamics, chapter 9). The input
    ``I`` is the logarithm of the rate in hertz that the neuron approaches where it does not spike.
    The starting values are our choice.

    Returns
    -------
    NeuronModel

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.models.escape_lif().free
    ('tau', 'v_r')
    """
    return NeuronModel(
        name="escape-lif",
        description="Leaky integrate-and-fire neuron with escape noise (Gerstner et al. 2014).",
        equations="""
            dv/dt = (I - v)/tau : 1
            I : 1
        """,
        margin="v",
        reset="v = v_r",
        integrator="exponential_euler",
        noise=EscapeNoise("exponential", scale="scale", rate="lambda_0"),
        parameters={
            "tau": Parameter.of(
                "10 ms", ("0.5 ms", "200 ms"), per_neuron=True, description="membrane time constant"
            ),
            "v_r": Parameter(0.0, per_neuron=True, description="potential after a spike"),
            "lambda_0": Parameter.of("1 Hz", fixed=True, description="rate at zero potential"),
            "scale": Parameter(
                1.0, fixed=True, description="potential that multiplies the rate by e"
            ),
        },
    )

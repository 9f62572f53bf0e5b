"""Networks that model a recording, built from the same connections and fitted by the same
likelihood.

* ``output``: hidden neurons are deterministic; each output neuron draws its spikes given its own
  past (generalised linear model).
* ``deterministic``: the trained network of ``output``, but its output neurons fire when the
  integral of their rate reaches one.
* ``internal``: as ``output``, but with noisy hidden neurons, whose noise all outputs share.
* ``recurrent-output``, ``recurrent``: as ``output`` and ``internal``, with connections among the
  hidden neurons. Their weights start at zero and learn, but no gradient flows back through them,
  because over a second of bins it grows until it is no longer finite.
* ``glm``: the output neurons alone, driven by the stimulus.
* ``coupled``: as ``glm``, with connections between the neurons.
* ``gif``: integrate-and-fire neurons with spike-triggered currents and a moving threshold, driven
  by the stimulus.

The study also compares ``psth``, a Poisson process with the rate of other repeats of the same
stimulus, and ``igif`` and ``igif-ia`` (:mod:`analyses.neural_coding.integrate_and_fire`).
"""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.neural_coding.recordings import Recording
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    RecordedNeurons,
    Recurrent,
    Surrogate,
    TimeBasis,
)

#: Networks with a hidden layer, those with noisy hidden neurons, and those with connections among
#: the hidden neurons.
HIDDEN_LAYER = ("output", "internal", "recurrent-output", "recurrent")
NOISY, RECURRENT = ("internal", "recurrent"), ("recurrent-output", "recurrent")
#: Number of hidden neurons for many units and for one, their membrane time constant, and the
#: initial width of their noise with its bounds (chosen here).
HIDDEN, HIDDEN_SINGLE = 64, 32
HIDDEN_TAU, WIDTH, WIDTHS = "10 ms", 0.3, (0.02, 1.0)
#: Time constants in ms of the filters of the integrate-and-fire neuron, current of an input of one,
#: and unit of the distance to threshold.
GIF_TIMES, GIF_CURRENT, GIF_MARGIN = (5.0, 30.0, 200.0), "100 pA", "5 mV"
GIF_BOUNDS = {"g_L": (1.0, 20.0), "V_r": (-75.0, -46.0), "Delta_V": (0.5, 10.0)}


def network(model: str, recording: Recording, spacing: float, seed: int) -> Network:
    """Return a model of a recording before its fit.

    ``spacing`` is that of the knots in seconds, and is used if the feature is time.
    """
    keys = jax.random.split(jax.random.key(seed), 2)
    if model in HIDDEN_LAYER:
        hidden = HIDDEN if recording.n_units > 1 else HIDDEN_SINGLE
        recurrent = (
            silenced(Recurrent(hidden, gradient=False, key=keys[1])) if model in RECURRENT else None
        )
        layer = hidden_layer(
            model in NOISY, stimulus(recording, spacing, hidden, keys[0]), recording.dt, recurrent
        )
        return Network([layer, _neurons(Dense(hidden, recording.n_units, key=keys[1]), recording)])
    connection = silenced(stimulus(recording, spacing, recording.n_units, keys[0]))
    if model == "gif":
        return Network([_integrate_and_fire(connection, recording)])
    coupling = Recurrent(recording.n_units, key=keys[1]) if model == "coupled" else None
    return Network(
        [_neurons(connection, recording, None if coupling is None else silenced(coupling))]
    )


def stimulus(recording: Recording, spacing: float, n: int, key: jax.Array) -> Dense | TimeBasis:
    """Return the connection from the stimulus to ``n`` neurons."""
    features = recording.test.features
    if recording.by_time:
        return TimeBasis(float(features[-1, 0]), spacing, n, key=key)
    return Dense(features.shape[1], n, key=key)


def silenced(connection: Dense | TimeBasis | Recurrent) -> Dense | TimeBasis | Recurrent:
    """Return the connection with weights of zero, so that a model starts as a Poisson process."""
    return eqx.tree_at(lambda part: part.weight, connection, replace_fn=jnp.zeros_like)


def hidden_layer(
    noisy: bool, connection: Dense | TimeBasis, dt: float, recurrent: Recurrent | None = None
) -> Layer:
    """Return leaky integrate-and-fire neurons with escape noise of a learned width, or without
    noise.

    The surrogate derivative of neurons without noise is the density of the noise at its initial
    width.
    """
    model = nc.models.noisy_lif("escape" if noisy else "none").with_parameters(tau=HIDDEN_TAU)
    if noisy:
        model = bounded(model.with_parameters(scale=WIDTH), {"scale": WIDTHS})
    surrogate = (
        None if noisy else Surrogate("gaussian", 1 / WIDTH, 1 / (WIDTH * np.sqrt(2 * np.pi)))
    )
    return Layer(
        connection,
        model,
        dt,
        recurrent=recurrent,
        learned=("scale",) if noisy else (),
        surrogate=surrogate,
    )


def _neurons(
    connection: Dense | TimeBasis, recording: Recording, coupling: Recurrent | None = None
) -> RecordedNeurons:
    """Return output neurons that start at the recorded rates."""
    model = nc.models.glm()
    start = eqx.tree_at(
        lambda part: part.bias, connection, jnp.log(jnp.asarray(recording.rates, float))
    )
    return RecordedNeurons(
        Layer(start, model, recording.dt, learned=model.free, surrogate=None, recurrent=coupling)
    )


def _integrate_and_fire(connection: Dense | TimeBasis, recording: Recording) -> RecordedNeurons:
    """Return output neurons whose initial rates, in the absence of spikes, are the recorded ones.

    The threshold is fixed, because the input has a bias. The absolute refractory period is one bin;
    longer effects of a spike are learned by the filters.
    """
    model = (
        bounded(nc.models.gif(GIF_TIMES), GIF_BOUNDS)
        .with_fixed("V_T")
        .with_parameters(t_ref=f"{1e3 * recording.dt} ms")
    )
    model = replace(
        model,
        parameters={
            name: replace(parameter, per_neuron=not parameter.fixed)
            for name, parameter in model.parameters.items()
        },
    )
    values = model.values
    above = (
        values["V_T"]
        + values["Delta_V"] * np.log(recording.rates / values["lambda_0"])
        - values["E_L"]
    )
    start = eqx.tree_at(
        lambda part: part.bias, connection, jnp.asarray(above * values["g_L"] / 100e-12, float)
    )
    layer = Layer(
        start,
        model,
        recording.dt,
        learned=model.free,
        surrogate=None,
        current_unit=GIF_CURRENT,
        margin_unit=GIF_MARGIN,
    )
    return RecordedNeurons(layer)


def bounded(model: nc.NeuronModel, bounds: dict[str, tuple[float, float]]) -> nc.NeuronModel:
    """Return a model with other bounds of some parameters, in their units."""
    changed = {
        name: replace(model.parameters[name], bounds=limits) for name, limits in bounds.items()
    }
    return replace(model, parameters={**model.parameters, **changed})


def without_output_noise(neurons: RecordedNeurons) -> Layer:
    """Return the same neurons, but firing when the integral of their rate reaches one."""
    old = neurons.layer
    layer = Layer(
        old.connection,
        nc.models.glm(escape_noise=False),
        neurons.dt,
        learned=tuple(old.intrinsic.coordinates),
    )
    return eqx.tree_at(lambda part: part.intrinsic.coordinates, layer, old.intrinsic.coordinates)

"""Gradients as wavelets (Fig. 5): the derivative of a membrane potential by earlier input, over
time and by frequency."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import neurocode as nc
from analyses.adaptive_lif.stability import MS, TAU_U, TAU_W
from neurocode.simulation import step_function

STEPS = 400
#: Effective couplings: none (a leaky integrator), and three that oscillate.
COUPLINGS = (0.0, 5.0, 30.0, 120.0)


def gradient(a: float, steps: int = STEPS) -> np.ndarray:
    """Return the derivative of the last membrane potential by the input of each step.

    It is computed by automatic differentiation of the symplectic step.
    """
    model = nc.models.adlif().with_parameters(q=1.0)
    values = {**model.values, "a": a, "tau_u": TAU_U, "tau_w": TAU_W}
    with jax.enable_x64(True):
        step = step_function(model, MS)

        def last(current: jax.Array) -> jax.Array:
            def visit(state: dict, input_now: jax.Array) -> tuple[dict, None]:
                return step(state, input_now, values, spikes=jnp.asarray(False))[0], None

            return jax.lax.scan(visit, step.initial_state(values), current)[0]["u"]

        return np.asarray(jax.grad(last)(jnp.zeros(steps)))


def write(folder: Path) -> None:
    """Write the gradient against the time before the end, and its size against the frequency of the
    input."""
    gradients = {a: gradient(a) for a in COUPLINGS}
    before = pd.DataFrame({f"a_{a:g}": values[::-1] for a, values in gradients.items()})
    before.insert(0, "steps_before", np.arange(STEPS))
    before.to_csv(folder / "wavelets.csv", index=False, float_format="%.8g")
    frequencies = np.arange(0.0, 150.5, 0.5)
    turn = np.exp(-2j * np.pi * frequencies[:, None] * MS * np.arange(STEPS))
    spectra = pd.DataFrame(
        {f"a_{a:g}": np.abs(turn @ values[::-1]) for a, values in gradients.items()}
    )
    spectra.insert(0, "frequency", frequencies)
    spectra.to_csv(folder / "wavelet_spectra.csv", index=False, float_format="%.8g")

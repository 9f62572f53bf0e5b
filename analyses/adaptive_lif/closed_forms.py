"""Closed forms of the discrete adaptive LIF neuron below threshold (Fig. 3 of the paper), derived
from the released update equations.

``alpha = exp(-dt/tau_u)``, ``beta = exp(-dt/tau_w)``, ``p = (1 - alpha)(1 - beta)``; ``a`` is the
effective coupling ``q a``. The Euler-forward matrix is ``[[alpha, -(1-alpha)], [(1-beta) a,
beta]]``, the symplectic one has the determinant ``alpha beta``.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def decays(tau_u: Array, tau_w: Array, dt: float) -> tuple[Array, Array, Array]:
    """Return the decay factors of a step, ``alpha`` and ``beta``, and ``p``."""
    alpha, beta = np.exp(-dt / np.asarray(tau_u)), np.exp(-dt / np.asarray(tau_w))
    return alpha, beta, (1 - alpha) * (1 - beta)


def trace_and_determinant(
    cell: str, a: Array, tau_u: Array, tau_w: Array, dt: float
) -> tuple[Array, Array]:
    """Return trace and determinant of the matrix of a step; ``cell`` is "SE" or "EF"."""
    alpha, beta, p = decays(tau_u, tau_w, dt)
    if cell == "EF":
        return alpha + beta + 0 * a, alpha * beta + a * p
    return alpha + beta - a * p, alpha * beta + 0 * a


def spectral_radius(cell: str, a: Array, tau_u: Array, tau_w: Array, dt: float) -> Array:
    """Return the larger modulus of the two eigenvalues."""
    trace, determinant = trace_and_determinant(cell, a, tau_u, tau_w, dt)
    inner = trace**2 - 4 * determinant
    real = (np.abs(trace) + np.sqrt(np.maximum(inner, 0))) / 2
    return np.where(inner < 0, np.sqrt(determinant), real)


def frequency(cell: str, a: Array, tau_u: Array, tau_w: Array, dt: float) -> Array:
    """Return the frequency of the oscillation in hertz; zero if the neuron does not oscillate."""
    trace, determinant = trace_and_determinant(cell, a, tau_u, tau_w, dt)
    angle = np.arccos(np.clip(trace / (2 * np.sqrt(determinant)), -1, 1))
    return np.where(trace**2 < 4 * determinant, angle, 0) / (2 * np.pi * dt)


def oscillation_range(cell: str, tau_u: Array, tau_w: Array, dt: float) -> tuple[Array, Array]:
    """Return the smallest and the largest coupling at which the neuron oscillates."""
    alpha, beta, p = decays(tau_u, tau_w, dt)
    if cell == "EF":
        return (alpha - beta) ** 2 / (4 * p), np.full_like(p, np.inf)
    return (np.sqrt(alpha) - np.sqrt(beta)) ** 2 / p, (np.sqrt(alpha) + np.sqrt(beta)) ** 2 / p


def stability_bound(cell: str, tau_u: Array, tau_w: Array, dt: float) -> Array:
    """Return the coupling above which the neuron is unstable."""
    alpha, beta, p = decays(tau_u, tau_w, dt)
    return (1 - alpha * beta) / p if cell == "EF" else (1 + alpha) * (1 + beta) / p


def continuous(a: Array, tau_u: Array, tau_w: Array) -> tuple[Array, Array]:
    """Return the decay rate (1/s) and the frequency (Hz) of the differential equations."""
    decay = (1 / tau_u + 1 / tau_w) / 2
    inner = a / (tau_u * tau_w) - (1 / tau_u - 1 / tau_w) ** 2 / 4
    return decay, np.sqrt(np.maximum(inner, 0)) / (2 * np.pi)


def impulse_response(
    cell: str, a: float, tau_u: float, tau_w: float, dt: float, steps: int
) -> Array:
    """Return the membrane potential in each step after a unit input in the first.

    The formula holds where the neuron oscillates.
    """
    alpha, _, p = decays(tau_u, tau_w, dt)
    trace, determinant = trace_and_determinant(cell, a, tau_u, tau_w, dt)
    radius, angle = np.sqrt(determinant), np.arccos(trace / (2 * np.sqrt(determinant)))
    # The potential obeys u[k+1] = trace u[k] - determinant u[k-1]; its first two values determine
    # amplitude and phase.
    first = 1 - alpha
    second = first * (alpha if cell == "EF" else alpha - a * p)
    cosine, sine = first, (second / radius - first * np.cos(angle)) / np.sin(angle)
    k = np.arange(steps)
    return radius**k * (cosine * np.cos(angle * k) + sine * np.sin(angle * k))

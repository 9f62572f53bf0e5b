"""The compiled kernel against the same scheme written with dense matrices, derivatives included."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.inference.passage.kernel import _bernoulli_of, propagate

N, START, WIDTH = 6, 3, 0.4
DRIFT = np.array([6.0, 5.0, 3.0, 1.0, -2.0, -4.0])
DIFFUSION = 0.7
#: Five lanes, so that a group of four and one of a single lane run: steps of different numbers,
#: lengths and inputs.
COUNTS = (3, 1, 4, 2, 3)
OFFSETS = np.concatenate([[0], np.cumsum(COUNTS)])
RANDOM = np.random.default_rng(1)
STEPS = RANDOM.uniform(0.01, 0.05, OFFSETS[-1])
INPUTS = np.where(np.arange(OFFSETS[-1]) % 3 == 0, 0.5, RANDOM.uniform(-2, 2, OFFSETS[-1]))
END_INPUTS = RANDOM.uniform(-2, 2, OFFSETS[-1])
SLOPES = {
    "drift": RANDOM.normal(size=(N, 2)),
    "diffusion": RANDOM.normal(size=2),
    "steps": 0.01 * RANDOM.normal(size=(OFFSETS[-1], 2)),
    "inputs": RANDOM.normal(size=(OFFSETS[-1], 2)),
    "end_inputs": RANDOM.normal(size=(OFFSETS[-1], 2)),
}


def bernoulli(z):
    return z / np.expm1(z) if abs(z) > 1e-8 else 1 - z / 2


def generator(drift, diffusion):
    """Return the flow between cells: along the drift by the exponentially fitted flux, and through
    the threshold across half a cell."""
    flow = np.zeros((N, N))
    scale = diffusion / WIDTH**2
    for face in range(N - 1):
        z = WIDTH * drift[face] / diffusion
        up, down = scale * bernoulli(-z), scale * bernoulli(z)
        flow[face, face] -= up
        flow[face + 1, face] += up
        flow[face + 1, face + 1] -= down
        flow[face, face + 1] += down
    flow[N - 1, N - 1] -= leaving(drift[-1], diffusion)
    return flow


def leaving(drift, diffusion):
    return 2 * diffusion / WIDTH**2 * bernoulli(-0.5 * WIDTH * drift / diffusion)


def reference(shift=0.0, direction=0, every=False):
    """Return flux and survival of every lane, with everything that has slopes shifted along one
    parameter."""
    drift = DRIFT + shift * SLOPES["drift"][:, direction]
    diffusion = DIFFUSION + shift * SLOPES["diffusion"][direction]
    series = {"steps": STEPS, "inputs": INPUTS, "end_inputs": END_INPUTS}
    steps, inputs, ends = (
        values + shift * SLOPES[name][:, direction] for name, values in series.items()
    )
    rows = []
    for lane in range(len(COUNTS)):
        p = np.zeros(N)
        p[START] = 1.0
        for k in range(OFFSETS[lane], OFFSETS[lane + 1]):
            flow = generator(drift + inputs[k], diffusion)
            if k == OFFSETS[lane]:
                for _ in range(4):
                    p = np.linalg.solve(np.eye(N) - 0.25 * steps[k] * flow, p)
            else:
                p = np.linalg.solve(
                    np.eye(N) - 0.5 * steps[k] * flow, p + 0.5 * steps[k] * flow @ p
                )
            if every or k == OFFSETS[lane + 1] - 1:
                rows.append((leaving(drift[-1] + ends[k], diffusion) * p[-1], np.sum(p)))
    return np.array(rows).T


def run(every=False, part=slice(None)):
    return propagate(
        DRIFT,
        SLOPES["drift"],
        DIFFUSION,
        SLOPES["diffusion"],
        WIDTH,
        START,
        OFFSETS[part],
        STEPS,
        SLOPES["steps"],
        INPUTS,
        SLOPES["inputs"],
        END_INPUTS,
        SLOPES["end_inputs"],
        every,
    )


@pytest.mark.parametrize("every", [False, True])
def test_flux_and_survival_are_those_of_dense_matrices(every):
    flux, survival, _, _ = run(every)
    np.testing.assert_allclose([flux, survival], reference(every=every), rtol=1e-12)


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("direction", [0, 1])
def test_their_slopes_are_those_of_the_dense_matrices(every, direction):
    """Central differences of 1e-5 along each parameter."""
    _, _, flux_slopes, survival_slopes = run(every)
    numeric = (reference(1e-5, direction, every) - reference(-1e-5, direction, every)) / 2e-5
    np.testing.assert_allclose(flux_slopes[:, direction], numeric[0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(survival_slopes[:, direction], numeric[1], rtol=1e-6, atol=1e-8)


def test_lanes_of_a_part_are_those_of_the_whole():
    whole, part = run(), run(part=slice(2, 5))
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_allclose(b, a[2:4], rtol=1e-14)


@pytest.mark.parametrize(
    "z", [0.0, 1e-6, -0.02, 0.0499, -0.0499, 0.0501, -0.0501, 0.7, -3.0, 40.0, 299.0]
)
def test_the_bernoulli_function_and_its_slope(z):
    """z/(exp(z) - 1), in closed form away from zero and by its series near it."""
    value, slope = _bernoulli_of.py_func(z, np.exp(z))
    exact = bernoulli(z)
    assert value == pytest.approx(exact, rel=1e-12)
    if abs(z) > 1e-3:
        derivative = 1 / np.expm1(z) - z * np.exp(z) / np.expm1(z) ** 2
        assert slope == pytest.approx(derivative, rel=1e-9)
    else:
        assert slope == pytest.approx(-0.5 + z / 6, abs=1e-12)

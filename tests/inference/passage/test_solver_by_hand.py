"""Meshes, plans and solutions of the Fokker-Planck equation where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import invgauss, norm

import neurocode as nc
from neurocode.errors import DataError, FitError
from neurocode.inference.passage import Intervals, interval_distribution, kernel
from neurocode.inference.passage.equations import passage_equations
from neurocode.inference.passage.kernel import propagate
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.passage.mesh import Mesh, depth, halved, richardson_weight
from neurocode.inference.passage.resolution import choose_mesh, mesh_of, scales_of
from neurocode.inference.passage.solution import (
    Parameters,
    Plan,
    Solution,
    _cubic,
    _extrapolated,
    solve,
)
from neurocode.inference.passage.start import bounded, starting_models
from neurocode.inference.passage.verdict import require_refractoriness
from neurocode.models import NeuronModel, Parameter

PERFECT = NeuronModel(
    name="perfect",
    equations="dv/dt = mu + sigma*xi : 1",
    margin="v - 1",
    reset="v = 0",
    within_step=True,
    parameters={"mu": Parameter.of("50 Hz"), "sigma": Parameter(4.0, "Hz**0.5")},
)
LAW = invgauss(mu=16 / 50, scale=1 / 16)


def renewal(durations, observed=None):
    n = len(durations)
    return Intervals(
        np.zeros(n),
        np.asarray(durations, float),
        np.ones(n, bool) if observed is None else observed,
        np.ones(n, bool),
    )


def test_a_mesh_puts_the_reset_on_a_centre_and_its_last_face_before_the_threshold():
    mesh = Mesh(cells=2, below=1, step=0.1, typical=1.0)
    assert mesh.width == pytest.approx(0.4)
    np.testing.assert_allclose(mesh.faces, [-0.2, 0.2, 0.6, 0.9])
    finer = mesh.finer()
    assert (finer.cells, finer.below, finer.step, finer.typical, finer.longest) == (
        4,
        2,
        0.05,
        1.0,
        np.inf,
    )
    assert replace(mesh, longest=0.3).finer().longest == pytest.approx(0.15)


def test_time_steps_are_even_at_first_and_grow_late():
    mesh = Mesh(cells=2, below=1, step=0.1, typical=1.0)
    np.testing.assert_allclose(mesh.times(0.35), [0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(mesh.times(0.4), [0.1, 0.2, 0.3, 0.4])
    times = mesh.times(20.0)
    steps = np.diff(times)
    np.testing.assert_allclose(steps[:30], 0.1, rtol=1e-9)
    assert times[-2] < 20.0 <= times[-1]
    last_even = times[30]
    assert last_even == pytest.approx(3.1)
    blocks = steps[30:62]
    np.testing.assert_allclose(blocks, 0.1, rtol=1e-9)  # 1.5 % of 3.1 s are less than a step
    grown = Mesh(cells=2, below=1, step=0.01, typical=1.0).times(20.0)
    np.testing.assert_allclose(np.diff(grown)[300:332], 0.015 * grown[300], rtol=1e-9)
    capped = Mesh(cells=2, below=1, step=0.01, typical=1.0, longest=0.02).times(20.0)
    assert np.max(np.diff(capped)) == pytest.approx(0.02)


def test_shares_of_a_passage_end_at_one_and_are_at_least_sixteen():
    mesh = Mesh(cells=2, below=1, step=0.1, typical=1.0)
    short, long = mesh.shares(0.4), mesh.shares(2.0)
    np.testing.assert_allclose(short, np.arange(1, 17) / 16)
    np.testing.assert_allclose(long, np.arange(1, 21) / 20)
    np.testing.assert_allclose(mesh.shares(1.95), np.arange(1, 21) / 20)
    np.testing.assert_allclose(halved(np.array([0.2, 0.6])), [0.1, 0.2, 0.4, 0.6])


def test_richardsons_weight_is_that_of_the_widths():
    coarse = Mesh(2, 1, 0.1, 1.0)
    assert richardson_weight(coarse, coarse.finer()) == pytest.approx(
        (0.4 * 4.5) ** 2 / ((0.4 * 4.5) ** 2 - 1)
    )


def test_the_depth_is_where_the_potential_has_fallen_by_twenty():
    """Constant upward drift: the density falls by exp(-drift/diffusion) a unit below the reset."""
    positions = np.linspace(-20, 1, 2101)
    assert depth(positions, np.full(2101, 4.0), 1.0, 100.0) == pytest.approx(5.0, abs=0.02)
    assert depth(positions, np.full(2101, 4.0), 2.0, 100.0) == pytest.approx(10.0, abs=0.02)
    assert depth(positions, np.full(2101, 4.0), 1.0, 3.0) == 3.0
    assert (
        depth(positions, np.full(2101, 0.5), 1.0, 100.0) == 20.0
        and depth(positions, np.full(2101, -1.0), 1.0, 15.0) == 15.0
    )
    # 15 nats a unit: the reset itself is the highest, so that 30 nats are reached two units below
    # it
    assert depth(np.array([-2.0, -1.0, 0.0, 1.0]), np.full(4, 15.0), 1.0, 100.0) == 2.0


def test_a_mesh_has_cells_per_inverse_cv_and_steps_per_deviation():
    """Intervals of mean 20 ms and CV 1/2 (10 and 30 ms): 24/0.5 cells, steps of 10 ms/30; no leak
    and no limit else."""
    equations, parameters = passage_equations(PERFECT), Parameters.of(PERFECT)
    mesh = choose_mesh(equations, parameters, renewal([0.01, 0.03] * 20), 24.0, 30.0)
    assert (
        mesh.cells in (48, 49)
        and mesh.step == pytest.approx(0.01 / 30)
        and mesh.typical == pytest.approx(0.02)
    )
    # twice the median is below the mean
    wide = choose_mesh(equations, parameters, renewal([0.01, 0.01, 0.1] * 14), 24.0, 30.0)
    assert (
        wide.cells == 24
        and wide.step == pytest.approx(0.02 / 30)
        and wide.typical == pytest.approx(0.02)
    )
    regular = choose_mesh(equations, parameters, renewal([0.02] * 40), 24.0, 30.0)
    assert regular.cells == 480 and regular.step == pytest.approx(0.05 * 0.02 / 30)
    assert choose_mesh(
        equations, parameters, renewal([0.01, 0.03] * 20), 24.0, 30.0, period=3e-3
    ).longest == pytest.approx(1e-4)


def test_the_mesh_is_as_deep_as_noise_and_drift_reach():
    """Drift 50, diffusion 8: 20 nats are 3.2 distances; in 1 ms a free diffusion gets 6.5
    sqrt(0.016) = 0.82 far."""
    equations, parameters = passage_equations(PERFECT), Parameters.of(PERFECT)
    deep = choose_mesh(equations, parameters, renewal([0.1, 0.3] * 20), 10.0, 10.0)
    assert deep.below * deep.width == pytest.approx(20 / (50 / 8), rel=0.03)
    short = choose_mesh(equations, parameters, renewal([0.001] * 40), 10.0, 10.0)
    assert short.below * short.width == pytest.approx(
        6.5 * np.sqrt(2 * 8 * 1e-3), abs=2 * short.width
    )


@pytest.mark.parametrize("extrapolate", [False, True])
def test_solutions_are_the_inverse_gaussian_with_its_derivatives(extrapolate):
    """By mu and sigma, against differences of the closed density: to 2e-3 on a fine mesh, to 1e-5
    once extrapolated."""
    intervals = renewal(LAW.ppf([0.1, 0.3, 0.5, 0.7, 0.9]))
    equations, parameters = passage_equations(PERFECT), Parameters.of(PERFECT)
    plan = Plan.of(equations, intervals, Mesh(60, 240, 1e-4, 0.02))
    solution = solve(
        equations, parameters, intervals, plan, plan.finer(intervals) if extrapolate else None
    )
    tolerance = 2e-5 if extrapolate else 3e-3

    def law(mu, sigma):
        return invgauss(mu=sigma**2 / mu, scale=1 / sigma**2)

    np.testing.assert_allclose(solution.log_density, LAW.logpdf(intervals.duration), atol=tolerance)
    np.testing.assert_allclose(solution.log_survival, LAW.logsf(intervals.duration), atol=tolerance)
    for index, step in ((0, (1e-3, 0.0)), (1, (0.0, 1e-4))):
        ahead, behind = (law(50 + s * step[0], 4 + s * step[1]) for s in (1, -1))
        for slopes, of in (
            (solution.density_slopes, "logpdf"),
            (solution.survival_slopes, "logsf"),
        ):
            numeric = (
                getattr(ahead, of)(intervals.duration) - getattr(behind, of)(intervals.duration)
            ) / (2 * sum(step))
            np.testing.assert_allclose(slopes[:, index], numeric, atol=20 * tolerance)


def test_a_refractory_period_shifts_the_density():
    intervals = renewal([0.012, 0.02, 0.03])
    shifted = nc.models.lif_diffusive().with_parameters(t_ref=3.0)
    refractory, ready = shifted, shifted.with_parameters(t_ref=0.0)
    mesh = Mesh(30, 120, 2e-4, 0.02)
    solutions = []
    for model, durations in ((refractory, intervals.duration), (ready, intervals.duration - 3e-3)):
        shortened = replace(intervals, duration=durations)
        equations = passage_equations(model)
        solutions.append(
            solve(equations, Parameters.of(model), shortened, Plan.of(equations, shortened, mesh))
        )
    np.testing.assert_allclose(solutions[0].log_density, solutions[1].log_density, atol=1e-6)
    impossible = replace(intervals, duration=np.array([0.002, 0.003, 0.02]))
    equations = passage_equations(refractory)
    density = solve(
        equations, Parameters.of(refractory), impossible, Plan.of(equations, impossible, mesh)
    ).log_density
    assert list(np.isfinite(density)) == [False, False, True] and density[0] == -np.inf


def test_contributions_are_densities_where_a_spike_ends_the_interval_and_survival_elsewhere():
    solution = Solution(
        np.array([1.0, 2.0]),
        np.array([-3.0, -4.0]),
        np.array([[5.0], [6.0]]),
        np.array([[7.0], [8.0]]),
    )
    observed = np.array([True, False])
    np.testing.assert_array_equal(solution.contributions(observed), [1.0, -4.0])
    np.testing.assert_array_equal(solution.scores(observed), [[5.0], [8.0]])


def test_parameters_are_split_into_free_ones_and_the_rest():
    model = PERFECT.with_fixed("sigma")
    split, all_fixed = Parameters.of(model), Parameters.of(model, free=())
    assert split.free == ("mu",) and split.x.tolist() == [50.0] and split.fixed == {"sigma": 4.0}
    assert all_fixed.free == () and all_fixed.fixed == {"mu": 50.0, "sigma": 4.0}


def test_extrapolation_is_richardsons_where_the_meshes_agree_and_fades_where_they_do_not():
    """Weight 1.3: a change of 1e-3 counts by 0.3 of it; one of 2 by 0.15; infinite values stay as
    the fine mesh has them."""
    coarse, fine = np.array([1.0, 1.0, -np.inf, 1.0]), np.array([1.001, 3.0, 2.0, -np.inf])
    slopes = np.array([[1.0], [1.0], [1.0], [1.0]]), np.array([[2.0], [2.0], [2.0], [2.0]])
    values, derivatives = _extrapolated(1.3, (coarse, slopes[0]), (fine, slopes[1]))
    np.testing.assert_allclose(values, [1.001 + 0.3e-3, 3.0 + 0.3, 2.0, -np.inf], rtol=1e-9)
    np.testing.assert_allclose(
        derivatives[:, 0], [2.3, 2.0 + 0.3 * (1 - 3) / 4, 2.0, 2.0], rtol=1e-9
    )


def test_interpolation_is_exact_for_cubics():
    ends = np.array([0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5])
    times = np.array([0.05, 0.15, 0.3, 0.62, 0.99, 1.6])
    nodes, weights, slopes = _cubic(ends, times)
    cubic = np.polynomial.Polynomial([1.0, -2.0, 3.0, 0.5])
    np.testing.assert_allclose(
        np.sum(weights * cubic(ends)[nodes], axis=1), cubic(times), rtol=1e-12
    )
    np.testing.assert_allclose(
        np.sum(slopes * cubic(ends)[nodes], axis=1), cubic.deriv()(times), rtol=1e-11
    )
    np.testing.assert_array_equal(nodes[:, 0], [0, 0, 0, 2, 3, 3])


def test_the_kernel_conserves_mass_and_its_flux_is_what_leaves():
    """Free diffusion between far walls: what is lost in a step is the mean flux of its
    Crank-Nicolson ends."""
    n, below, width = 40, 20, 1 / 20.5
    steps = np.full(200, 1e-4)
    none = np.zeros((200, 0))
    flux, survival, *_ = propagate(
        np.full(n + 1, 30.0),
        np.zeros((n + 1, 0)),
        2.0,
        np.zeros(0),
        width,
        below,
        np.array([0, 200]),
        steps,
        none,
        np.zeros(200),
        none,
        np.zeros(200),
        none,
        True,
    )
    lost = -np.diff(survival)
    np.testing.assert_allclose(
        lost[1:], 1e-4 * 0.5 * (flux[2:] + flux[1:-1]), rtol=1e-9, atol=1e-15
    )
    assert 0 < survival[-1] < survival[0] <= 1 and survival[0] == pytest.approx(1.0, abs=1e-9)


def test_each_interval_by_itself_is_the_shared_solution_where_the_input_is_constant():
    """A neuron with an adaptation that never jumps has the density of one without."""
    plain = nc.models.lif_diffusive()
    adapting = nc.models.lif_diffusive(adaptation=True).with_parameters(b=0.0)
    intervals = renewal([0.01, 0.02, 0.04, 0.08])
    mesh = Mesh(40, 120, 1e-4, 0.02)
    solutions = []
    for model in (plain, adapting):
        equations = passage_equations(model)
        plan = Plan.of(equations, intervals, mesh)
        solutions.append(
            solve(equations, Parameters.of(model), intervals, plan, plan.finer(intervals))
        )
    np.testing.assert_allclose(solutions[1].log_density, solutions[0].log_density, atol=2e-4)
    np.testing.assert_allclose(solutions[1].log_survival, solutions[0].log_survival, atol=2e-4)


def test_derivatives_of_the_objective_hold_the_prior():
    """A unit from the origin: minus half the precision in value, minus the precision in slope, plus
    it in information."""
    model = PERFECT.with_fixed("sigma")
    intervals = renewal(LAW.ppf([0.2, 0.5, 0.8]), np.array([True, True, False]))
    equations = passage_equations(model)
    mesh = Mesh(30, 100, 2e-4, 0.02)
    free, held = (
        PassageLikelihood(model, equations, intervals, mesh, prior_width=width)
        for width in (np.inf, 0.5)
    )
    z = free.origin + 1.0
    a, b = (likelihood.evaluate(z) for likelihood in (free, held))
    assert (
        free.origin.tolist() == [1.0] and free.values_at(z) == {"mu": 100.0} and free.n_spikes == 2
    )
    assert b.value - a.value == pytest.approx(-2.0) and b.gradient - a.gradient == pytest.approx(
        [-4.0]
    )
    np.testing.assert_allclose(b.information - a.information, [[4.0]], rtol=1e-9)
    scores = free.solution(z).scores(intervals.observed) * 50.0
    np.testing.assert_allclose(a.information, scores.T @ scores, rtol=1e-12)
    assert a.gradient == pytest.approx(np.sum(scores, axis=0)) and a.value == pytest.approx(
        free.log_likelihood(z)
    )


def test_starts_are_those_of_a_perfect_integrator():
    """Mean 20 ms, CV 1/2, 10 mV from reset to threshold: 0.5 mV/ms, sigma 5 mV/sqrt(20 ms); tau of
    0.3, 1 and 4 means."""
    lengths = [0.01, 0.03] * 20
    starts = starting_models(nc.models.lif_diffusive(), renewal(lengths))
    distance = 1e3 * abs(starts[0].values["V_T"] - starts[0].values["V_r"])
    assert [round(start.parameters["tau"].value, 9) for start in starts] == [6.0, 20.0, 80.0]
    for start in starts:
        assert start.values["mu"] == pytest.approx(distance * 1e-3 / 0.02) and start.values[
            "t_ref"
        ] == pytest.approx(1.5e-3)
        assert start.values["sigma"] == pytest.approx(0.5 * distance * 1e-3 / np.sqrt(0.02))
    fixed = starting_models(nc.models.lif_diffusive().with_fixed("tau"), renewal(lengths))
    assert len(fixed) == 1 and fixed[0].values["tau"] == nc.models.lif_diffusive().values["tau"]
    adapting = starting_models(nc.models.lif_diffusive(adaptation=True), renewal(lengths))[0].values
    assert adapting["mu"] == pytest.approx(1.3 * distance * 1e-3 / 0.02) and adapting[
        "tau_w"
    ] == pytest.approx(0.1)
    assert adapting["b"] == pytest.approx(0.3 * distance * 1e-3 / 0.1)
    assert len(starting_models(nc.models.lif_diffusive(periodic=True), renewal(lengths))) == 12
    assert starting_models(PERFECT, renewal(lengths)) == [PERFECT]
    short = starting_models(nc.models.lif_diffusive(), renewal([0.002, 0.038] * 20))[0]
    assert short.values["t_ref"] == pytest.approx(1e-3)


def test_a_refractory_period_is_bounded_by_the_shortest_interval():
    limited = bounded(nc.models.lif_diffusive(), renewal([0.008, 0.03] * 20))
    low, high = limited.parameters["t_ref"].bounds
    assert high == pytest.approx(8.0) and limited.parameters["t_ref"].value == pytest.approx(
        0.5 * (low + 8.0)
    )
    assert bounded(PERFECT, renewal([0.01] * 40)) == PERFECT
    free = nc.models.lif_diffusive()
    refractory = replace(
        free,
        parameters={
            **free.parameters,
            "t_ref": replace(free.parameters["t_ref"], value=6.0, bounds=(5.0, 10.0)),
        },
    )
    with pytest.raises(
        FitError, match="1 of 41 intervals are not longer than the fixed refractory period of 5 ms"
    ):
        bounded(refractory, renewal([0.008] * 40 + [0.004]))
    fixed = nc.models.lif_diffusive().with_parameters(t_ref=8.0).with_fixed("t_ref")
    assert bounded(fixed, renewal([0.0081] * 40)) == fixed
    with pytest.raises(
        FitError, match="2 of 40 intervals are not longer than the fixed refractory period of 8 ms"
    ):
        bounded(fixed, renewal([0.0081] * 38 + [0.008, 0.0079]))
    require_refractoriness(renewal([0.0081]), 0.008)


def test_a_distribution_is_of_positive_times_and_knows_a_typical_interval():
    for times in ([], [0.0], [-0.1, 0.2]):
        with pytest.raises(DataError, match="positive numbers of seconds"):
            interval_distribution(PERFECT, np.array(times))
    density, cumulative = interval_distribution(PERFECT, 0.02)
    assert density.shape == cumulative.shape == (1,) and cumulative[0] == pytest.approx(
        LAW.cdf(0.02), abs=1e-5
    )
    model = nc.models.lif_diffusive(adaptation=True)
    times = np.array([0.02, 0.04])
    means = interval_distribution(model, times)[1]
    np.testing.assert_allclose(
        interval_distribution(model, times, typical=0.03)[1], means, atol=1e-4
    )
    assert interval_distribution(model, times, typical=0.01)[1][0] < means[0] - 0.01


def test_parts_of_intervals_and_their_counts():
    intervals = Intervals.of([np.cumsum(np.full(30, 0.1)), np.cumsum(np.full(20, 0.2))])
    assert (
        intervals.n_observed == 29 + 19
        and intervals.first.sum() == 2
        and intervals.lengths.sum() == pytest.approx(2.9 + 3.8)
    )
    part = intervals.part(30)
    assert part.n_observed == 30 and part.first.tolist() == [True] + [False] * 28 + [True]
    with pytest.raises(FitError, match="39 interspike intervals, at least 40"):
        Intervals.of(np.arange(40) * 0.1)
    assert Intervals.of(np.arange(41) * 0.1).n_observed == 40
    with pytest.raises(FitError, match="no free parameter"):
        nc.fit(PERFECT.with_fixed("mu", "sigma"), np.arange(41) * 0.1)


def test_duplicates_are_closer_than_a_microsecond():
    times = np.arange(50) * 0.1
    times[7] = times[6] + 0.9e-6
    with pytest.raises(
        DataError, match=r"Train 0 holds 1 intervals of zero length, the first at 0.600000 s"
    ):
        Intervals.of(times)
    times[7] = times[6] + 1.1e-6
    assert Intervals.of(times).n_observed == 49
    times[7], times[8] = times[8], times[7]
    with pytest.raises(DataError, match="Train 0 is not sorted: spike 8 is earlier than spike 7"):
        Intervals.of(times)


def test_free_diffusion_without_drift_has_the_density_of_levy():
    """Passage from 0 to 1 without drift: P(T < t) = 2 (1 - Phi(1/(sigma sqrt(t))))."""
    model = PERFECT.with_parameters(mu=0.0)
    times = np.array([0.02, 0.05, 0.1])
    _, cumulative = interval_distribution(model, times)
    np.testing.assert_allclose(cumulative, 2 * norm.sf(1 / (4 * np.sqrt(times))), atol=2e-5)


def test_meshes_of_a_periodic_input_follow_its_period():
    model = nc.models.lif_diffusive(periodic=True).with_parameters(frequency=100.0, drive_cos=0.3)
    intervals = renewal([0.01, 0.03] * 20)
    mesh = mesh_of(model, passage_equations(model), intervals, 10.0, 10.0)
    assert mesh.longest == pytest.approx(1e-3) and mesh.step <= 1e-3


def test_the_density_of_an_interval_too_short_for_the_flux_has_its_own_slopes():
    """A tenth of a microsecond after the reset the flux underflows; the slopes by every parameter
    are compared with differences."""
    model = nc.models.by_name("lif-diffusive-periodic").with_parameters(
        drive_cos=0.3, frequency=35.0
    )
    equations, intervals = passage_equations(model), renewal([1e-7 + model.values["t_ref"], 0.02])
    plan = Plan.of(equations, intervals, Mesh(120, 480, 2e-4, 0.02))
    parameters = Parameters.of(model)
    solution = solve(equations, parameters, intervals, plan)
    assert -1e6 < solution.log_density[0] < -1e5
    for index, name in enumerate(parameters.free):
        step = 1e-6 * max(abs(parameters.x[index]), 1e-3 if name.startswith("drive") else 1e-9)
        sides = []
        for sign in (1.0, -1.0):
            x = parameters.x.copy()
            x[index] += sign * step
            sides.append(solve(equations, replace(parameters, x=x), intervals, plan).log_density[0])
        assert solution.density_slopes[0, index] == pytest.approx(
            (sides[0] - sides[1]) / (2 * step), rel=1e-3, abs=1e-6
        ), name


def test_a_drive_moves_the_potential_by_its_integral():
    """An input of amplitude 10 and 40 Hz swings a neuron without leak by 2 x 10 / (2 pi 40) of the
    distance to its threshold."""
    model = replace(
        PERFECT,
        equations="dv/dt = mu + drive*cos(6.283185307179586*frequency*t) + sigma*xi : 1",
        parameters={
            **PERFECT.parameters,
            "drive": Parameter(10.0, "Hz"),
            "frequency": Parameter(40.0, "Hz"),
        },
    )
    equations, intervals = passage_equations(model), renewal(np.linspace(0.01, 0.03, 41))
    still, driven = (
        scales_of(equations, Parameters.of(model), intervals, period).bottom
        for period in (np.inf, 1 / 40)
    )
    assert driven - still == pytest.approx(2 * 10 / (2 * np.pi * 40), rel=0.02)


@pytest.mark.parametrize("loop", [kernel._solve, kernel._solve.py_func])
def test_a_step_solves_its_tridiagonal_system(loop):
    """``(1 - w G) y = p`` by NumPy, for four lanes of five cells; as plain Python an index outside
    an array raises."""
    random = np.random.default_rng(0)
    n, rates = 5, random.uniform(0.5, 2.0, (3, 5, kernel.WIDE))
    p, weight = random.uniform(0, 1, (n, kernel.WIDE)), random.uniform(0.1, 0.5, kernel.WIDE)
    y, factor = np.zeros_like(p), np.zeros_like(p)
    loop(p, y, rates, weight, factor)
    up, down = rates[0], rates[1]
    for lane in range(kernel.WIDE):
        generator = -np.diag(up[:, lane]) + np.diag(up[:-1, lane], -1) + np.diag(down[:-1, lane], 1)
        generator -= np.diag(np.append(0.0, down[:-1, lane]))
        np.testing.assert_allclose(
            y[:, lane],
            np.linalg.solve(np.eye(n) - weight[lane] * generator, p[:, lane]),
            rtol=1e-10,
        )


@pytest.mark.parametrize(("compiled", "rank"), [(kernel._move, 2), (kernel._move_slopes, 3)])
def test_a_whole_step_from_its_half_is_the_mirror_of_its_start(compiled, rank):
    shape = {2: (3, kernel.WIDE), 3: (3, 2, kernel.WIDE)}[rank]
    for loop in (compiled, compiled.py_func):
        for euler, expected in ((False, 2 * 0.75 - 0.25), (True, 0.75)):
            start = np.full(shape, 0.25)
            loop(start, np.full(shape, 0.75), euler)
            np.testing.assert_array_equal(start, np.full(shape, expected))

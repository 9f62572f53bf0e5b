"""The ascent on objectives for which every step is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurocode.inference import optimise
from neurocode.inference.objective import Evaluation
from neurocode.inference.optimise import (
    Ascent,
    _next_radius,
    _trust_step,
    finish,
    is_concave,
    left_to_prior,
    newton_decrement,
    reporter,
)


class Quadratic:
    """-1/2 (z - peak)' H (z - peak), whose stated information may be another matrix than its
    curvature H."""

    def __init__(self, curvature, peak, stated=None):
        self.curvature, self.peak = np.asarray(curvature, float), np.asarray(peak, float)
        self.stated = self.curvature if stated is None else np.asarray(stated, float)
        self.visited = []

    def evaluate(self, z, carry=None, step=None, *, rough=False):
        self.visited.append(z)
        distance = z - self.peak
        value = -0.5 * distance @ self.curvature @ distance
        return Evaluation(
            value, -self.curvature @ distance, self.stated, len(self.visited), self.settled(rough)
        )

    def settled(self, rough):
        return True


def test_one_newton_step_ends_at_the_peak_of_a_quadratic():
    objective = Quadratic([[4.0, 1.0], [1.0, 2.0]], [0.5, -1.0])
    ascent = Ascent(objective, np.zeros(2))
    assert ascent.passes == 1 and ascent.point.log_likelihood == pytest.approx(
        -0.5 * (4 * 0.25 + 2 * 0.5 * -1 + 2)
    )
    ascent.climb(10)
    np.testing.assert_allclose(ascent.point.z, [0.5, -1.0], atol=1e-7)
    assert ascent.passes == 2


def test_a_step_is_cut_at_the_radius_and_at_two_in_any_coordinate():
    """Metric sqrt(diag): the first step is at most 5 standard errors long, here 5/10; and at most 2
    in a coordinate."""
    near, far = Quadratic([[100.0]], [3.0]), Quadratic([[1e-2]], [30.0])
    for objective, length in ((near, 0.5), (far, 2.0)):
        ascent = Ascent(objective, np.zeros(1))
        ascent.climb(2)
        assert ascent.point.z[0] == pytest.approx(length, rel=2e-3)


@pytest.mark.parametrize(
    ("radius", "length", "ratio", "after"),
    [
        (1.0, 0.4, -1.0, 0.1),
        (1.0, 0.4, 0.1, 0.1),
        (1.0, 0.4, np.nan, 0.1),
        (1.0, 0.4, 0.11, 0.28),
        (1.0, 0.4, 0.29, 0.28),
        (1.0, 0.4, 0.3, 1.0),
        (1.0, 0.4, 0.75, 1.0),
        (1.0, 0.4, 0.76, 1.0),
        (1.0, 0.9, 0.76, 2.25),
    ],
)
def test_the_radius_follows_the_ratio_of_gained_to_expected(radius, length, ratio, after):
    assert _next_radius(radius, length, ratio) == pytest.approx(after)


def test_a_trust_step_inside_the_radius_is_newtons_and_its_gain_is_half_the_slope_along_it():
    gradient, curvature = np.array([2.0, -3.0]), np.diag([4.0, 2.0])
    step, expected = _trust_step(gradient, curvature, np.sqrt(np.diag(curvature)), 100.0)
    np.testing.assert_allclose(step, [0.5, -1.5], rtol=1e-7)
    assert expected == pytest.approx(0.5 * (2 * 0.5 + 3 * 1.5), rel=1e-7)


def test_a_trust_step_leaves_a_flat_direction_where_it_is():
    step, expected = _trust_step(np.array([1.0, 0.0]), np.diag([2.0, 0.0]), np.ones(2), 10.0)
    np.testing.assert_allclose(step, [0.5, 0.0], rtol=1e-7)
    assert expected == pytest.approx(0.25)


def test_a_trust_step_on_the_boundary_solves_the_shifted_system():
    gradient, curvature, metric = np.array([2.0, -3.0]), np.diag([4.0, -2.0]), np.array([2.0, 1.0])
    step, expected = _trust_step(gradient, curvature, metric, 0.5)
    assert np.linalg.norm(metric * step) == pytest.approx(0.5, rel=1e-3)
    shift = (gradient / metric - (curvature @ step) / metric) / (metric * step)
    assert shift[0] == pytest.approx(shift[1], rel=1e-6) and shift[0] > 2.0
    assert expected == pytest.approx(gradient @ step - 0.5 * step @ curvature @ step, rel=1e-12)


def test_the_secant_learns_the_part_of_the_curvature_that_the_information_lacks():
    """Symmetric rank one: after a step the curvature along it is exact, so a wrong information does
    no harm."""
    objective = Quadratic([[2.0, 0.5], [0.5, 3.0]], [0.4, -0.3], stated=np.diag([4.0, 4.0]))
    ascent = Ascent(objective, np.zeros(2))
    step, _ = _trust_step(ascent.point.gradient, objective.stated, np.array([2.0, 2.0]), 5.0)
    ascent.climb(2)
    residual = (objective.curvature - objective.stated) @ step
    np.testing.assert_allclose(
        ascent.secant, np.outer(residual, residual) / (residual @ step), rtol=1e-9
    )
    ascent.climb(40)
    np.testing.assert_allclose(ascent.point.z, [0.4, -0.3], atol=1e-2)
    np.testing.assert_allclose(ascent.observed_information(), objective.curvature, rtol=1e-9)


def test_the_differences_are_a_fraction_of_a_standard_error_and_never_of_more_than_one():
    """Along the axes of an information of 4 and 1/4: a half and, instead of two, one."""
    objective = Quadratic(np.diag([0.25, 4.0]), [0.0, 0.0])
    ascent = Ascent(objective, np.zeros(2))
    objective.visited.clear()
    np.testing.assert_allclose(ascent.observed_information(), objective.curvature, rtol=1e-9)
    places = np.abs(objective.visited) / optimise.DIFFERENCE
    np.testing.assert_allclose(places, [[1.0, 0.0], [1.0, 0.0], [0.0, 0.5], [0.0, 0.5]], atol=1e-12)


def test_without_learning_the_secant_stays():
    objective = Quadratic([[2.0]], [1.0], stated=[[4.0]])
    ascent = Ascent(objective, np.zeros(1))
    ascent.secant = np.array([[-2.0]])
    ascent.climb(10, learn=False)
    assert (
        ascent.secant.tolist() == [[-2.0]]
        and ascent.point.z[0] == pytest.approx(1.0, abs=1e-6)
        and ascent.passes == 2
    )


def test_a_worse_point_is_left_and_the_radius_shrinks():
    class Cliff(Quadratic):
        def evaluate(self, z, carry=None, step=None, *, rough=False):
            result = super().evaluate(z, carry)
            return result if z[0] <= 0.2 else replace(result, value=-100.0)

    ascent = Ascent(Cliff([[1.0]], [1.0]), np.zeros(1))
    ascent.climb(3)
    assert (
        0 < ascent.point.z[0] <= 0.2 and ascent.radius == pytest.approx(2.5 * ascent.point.z[0])
    ) or ascent.point.z[0] == 0
    assert ascent.point.log_likelihood > -100


def test_not_finite_derivatives_count_as_the_worst_point():
    class Hole(Quadratic):
        def evaluate(self, z, carry=None, step=None, *, rough=False):
            result = super().evaluate(z, carry)
            return result if z[0] == 0 else replace(result, gradient=np.array([np.nan]))

    ascent = Ascent(Hole([[1.0]], [1.0]), np.zeros(1))
    ascent.climb(6)
    assert ascent.point.z[0] == 0.0 and ascent.passes == 6 and ascent.point.log_likelihood == -0.5


def test_passes_are_repeated_until_the_likelihood_has_settled():
    class Slow(Quadratic):
        def settled(self, rough):
            return len(self.visited) % 3 == 0

    objective = Slow([[1.0]], [1.0])
    ascent = Ascent(objective, np.zeros(1))
    assert ascent.passes == 3 and all(z[0] == 0 for z in objective.visited)
    ascent.climb(4)
    assert ascent.passes == 6 and ascent.point.z[0] == pytest.approx(1.0)

    class Never(Quadratic):
        def settled(self, rough):
            return rough

    assert Ascent(Never([[1.0]], [1.0]), np.zeros(1)).passes == 40
    assert Ascent(Never([[1.0]], [1.0]), np.zeros(1), rough=True).passes == 1


def test_what_a_point_carries_is_handed_to_the_next():
    """The first evaluation has no previous state. A point that is left passes on the state of the
    point before it, together with the step."""

    class Carrying(Quadratic):
        def evaluate(self, z, carry=None, step=None, *, rough=False):
            self.carried = [*getattr(self, "carried", []), carry]
            self.steps = [*getattr(self, "steps", []), step]
            result = super().evaluate(z, carry)
            return replace(result, value=-100.0) if len(self.visited) == 2 else result

    objective = Carrying([[1.0]], [0.5])
    Ascent(objective, np.zeros(1)).climb(3)
    assert objective.carried == [None, 1, 1] and objective.steps[0] is None
    # the first point is zero
    np.testing.assert_array_equal(objective.steps[1:], objective.visited[1:])


def test_an_ascent_ends_where_the_expected_gain_is_too_small():
    """From 0.1 of the peak of a unit quadratic the gain is 0.005."""
    for enough, end in ((0.0051, 0.0), (0.0049, 0.1)):
        ascent = Ascent(Quadratic([[1.0]], [0.1]), np.zeros(1))
        ascent.climb(10, enough)
        assert ascent.point.z[0] == pytest.approx(end, abs=1e-7)


def test_an_optimum_says_where_and_how_well():
    objective = Quadratic([[4.0, 1.0], [1.0, 2.0]], [0.5, -1.0])
    told = []
    optimum = finish(
        Ascent(objective, np.zeros(2), lambda value, passes: told.append((value, passes))), 600
    )
    np.testing.assert_allclose(optimum.z, [0.5, -1.0], atol=1e-7)
    np.testing.assert_allclose(optimum.information, objective.curvature, rtol=1e-8)
    assert (
        optimum.converged
        and optimum.decrement < 1e-12
        and optimum.log_likelihood == pytest.approx(0.0, abs=1e-12)
    )
    assert optimum.passes == len(objective.visited) == 2 + 4 == told[-1][1]
    assert np.linalg.norm(optimum.gradient) < 1e-6


def test_a_spent_ascent_is_not_converged():
    optimum = finish(Ascent(Quadratic([[1.0]], [50.0]), np.zeros(1)), 4)
    assert not optimum.converged and optimum.decrement == pytest.approx(
        0.5 * optimum.gradient[0] ** 2, rel=1e-6
    )
    assert optimum.passes == 6 and optimum.z[0] == pytest.approx(6.0, rel=1e-3)


@pytest.mark.parametrize(
    ("peak", "converged", "passes"), [(1.41, True, 3 + 1 + 2), (1.42, False, 3)]
)
def test_a_maximum_within_a_nat_is_worth_more_passes(peak, converged, passes):
    """All passes are used when the curvature is first measured; half of the squared distance is the
    expected gain of a Newton step."""
    optimum = finish(Ascent(Quadratic([[1.0]], [peak]), np.zeros(1)), 1)
    assert (optimum.converged, optimum.passes) == (converged, passes)


@pytest.mark.parametrize(("gain", "budgets"), [(0.99, [800, 1050, 1300]), (1.01, [800])])
def test_rounds_are_added_twice_and_no_more(gain, budgets):
    """Each climb uses all its passes and each measurement 50 more, but the maximum stays equally
    far away."""

    class Stuck:
        passes, calls, radius, secant = 0, [], 0.0, np.zeros((1, 1))
        point = type(
            "Point",
            (),
            {
                "gradient": np.array([np.sqrt(2 * gain)]),
                "information": np.eye(1),
                "z": 0,
                "log_likelihood": 0,
            },
        )

        def climb(self, most_passes):
            self.passes, self.calls = most_passes, [*self.calls, most_passes]

        def observed_information(self):
            self.passes += 50
            return np.eye(1)

    stuck = Stuck()
    optimum = finish(stuck, 800)
    assert stuck.calls == budgets and not optimum.converged and optimum.passes == budgets[-1] + 50


def test_a_saddle_is_no_maximum():
    optimum = finish(
        Ascent(Quadratic(np.diag([1.0, -1.0]), [0.0, 0.0], stated=np.eye(2)), np.zeros(2)), 3
    )
    assert optimum.decrement == 0.0 and not optimum.converged


def test_directions_that_curve_upwards_get_the_information_of_the_prior():
    information = np.diag([5.0, -3.0]) + 0.25 * np.eye(2)
    np.testing.assert_allclose(left_to_prior(information, 0.25), np.diag([5.25, 0.25]), atol=1e-12)


@pytest.mark.parametrize(("curvature", "converged"), [(-4e-5, True), (-6e-5, False), (-1.0, False)])
def test_a_ridge_that_hardly_curves_upwards_is_a_maximum_and_spends_no_passes(curvature, converged):
    """Steps are at most 2 long: a curvature of -5e-5 along one could gain 1e-4 nats. The other
    direction holds the maximum."""
    objective = Quadratic(np.diag([1e4, curvature]), [0.0, 0.0], stated=np.diag([1e4, 0.1]))
    optimum = finish(Ascent(objective, np.zeros(2)), 20)
    assert optimum.converged == converged and (optimum.passes == 5) == converged


def test_a_decrement_is_half_the_squared_slope_over_the_curvature():
    assert newton_decrement(np.array([2.0, 3.0]), np.diag([4.0, 9.0])) == pytest.approx(
        0.5 * (1 + 1)
    )
    assert newton_decrement(np.array([2.0, 0.0]), np.diag([-4.0, 9.0])) == pytest.approx(0.5)
    rotated = np.array([[2.0, 1.0], [1.0, 2.0]])
    gradient = np.array([1.0, -2.0])
    assert newton_decrement(gradient, rotated) == pytest.approx(
        0.5 * gradient @ np.linalg.solve(rotated, gradient)
    )
    flat = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-10]])
    assert newton_decrement(np.array([1.0, 1.0]), flat) == pytest.approx(0.5, rel=1e-6)


def test_concavity_allows_a_millionth_of_the_scale():
    assert is_concave(np.diag([1.0, 1e-9])) and is_concave(np.array([[1.0, 1.0], [1.0, 1.0]]))
    assert not is_concave(np.diag([1.0, -1e-3])) and not is_concave(
        np.array([[1.0, 1.1], [1.1, 1.0]])
    )
    assert is_concave(np.array([[1.0, 1 + 0.9e-6], [1 + 0.9e-6, 1.0]]))
    assert not is_concave(np.array([[1.0, 1 + 1.1e-6], [1 + 1.1e-6, 1.0]]))


def test_progress_is_told_with_its_phase():
    told = []
    reporter("start 1", lambda *what: told.append(what))(-3.0, 7)
    assert told == [("start 1", -3.0, 7)] and reporter("start 1", None) is None


def test_limits_of_the_search_are_those_of_the_docs():
    assert (optimise.CONVERGED, optimise.FIRST_RADIUS, optimise.LONGEST_STEP) == (1e-3, 5.0, 2.0)

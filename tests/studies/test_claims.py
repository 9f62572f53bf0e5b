"""Verdicts and intervals computed by hand, and claims that were withdrawn."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

from neurocode.errors import DataError
from neurocode.studies import (
    Claim,
    absent_claim,
    interval_claim,
    mean_interval,
    verdict_of,
    with_withdrawn,
    write_claims,
)

#: 97.5 % points of Student's t distribution with one, two and four degrees of freedom, from a
#: printed table.
T_1, T_2, T_4 = 12.7062, 4.30265, 2.77645


def test_an_interval_is_that_of_the_t_distribution():
    """Mean 2, standard deviation 1, three seeds; mean 5, standard deviation sqrt(10), five seeds;
    two seeds."""
    np.testing.assert_allclose(
        mean_interval(np.array([1.0, 2.0, 3.0])), (2 - T_2 / 3**0.5, 2 + T_2 / 3**0.5), rtol=1e-5
    )
    np.testing.assert_allclose(
        mean_interval(pd.Series([1, 3, 5, 7, 9])), (5 - T_4 * 2**0.5, 5 + T_4 * 2**0.5), rtol=1e-5
    )
    np.testing.assert_allclose(mean_interval([4.0, 6.0]), (5 - T_1, 5 + T_1), rtol=1e-5)


@pytest.mark.parametrize("values", [[], [7.0]])
def test_a_single_seed_has_no_interval(values):
    assert all(math.isnan(end) for end in mean_interval(values))


def test_a_claim_holds_or_does_not():
    assert verdict_of(True) == "confirmed" and verdict_of(False) == "not confirmed"


VALUES = np.array([1.0, 2.0, 3.0])
LOW, HIGH = 2 - T_2 / 3**0.5, 2 + T_2 / 3**0.5  # -0.484 and 4.484


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [
        (-1.0, "confirmed"),
        (-0.49, "confirmed"),
        (-0.48, "depends"),
        (2.0, "depends"),
        (4.48, "depends"),
        (4.49, "not confirmed"),
        (9.0, "not confirmed"),
    ],
)
def test_a_verdict_follows_from_where_the_bound_lies(bound, verdict):
    claim = interval_claim("it gains", "ours", VALUES, bound)
    assert claim == Claim(
        "it gains [95 % interval -0.484 to 4.48]", "ours", "", 2.0, 1.0, 3, verdict
    )


def test_a_bound_at_an_end_of_the_interval():
    """Equal seeds have an interval without width: at its lower end it depends, at its upper end
    nothing lies above the bound."""
    low, high = mean_interval(VALUES)
    assert interval_claim("it gains", "ours", VALUES, low).verdict == "depends"
    assert interval_claim("it gains", "ours", VALUES, high).verdict == "not confirmed"
    flat = interval_claim("it gains", "ours", [0.5, 0.5], 0.5)
    assert (flat.verdict, flat.our_mean, flat.our_sd, flat.seeds) == ("not confirmed", 0.5, 0.0, 2)


def test_a_single_seed_settles_nothing():
    claim = interval_claim("it gains", "a paper", [0.25], 0.0)
    assert claim == Claim("it gains", "a paper", "", 0.25, None, 1, "not comparable")


def test_a_claim_on_data_that_are_not_here():
    assert absent_claim("accuracy", "a paper", "93.90") == Claim(
        "accuracy (data absent)", "a paper", "93.90", None, None, 0, "not comparable"
    )


@pytest.mark.parametrize(
    "verdict",
    ["confirmed", "refuted", "undecided", "not confirmed", "depends", "not comparable", "void"],
)
def test_known_verdicts(verdict):
    assert Claim("c", "s", "", None, None, 0, verdict).verdict == verdict


def test_a_claim_is_not_changed_afterwards():
    with pytest.raises(FrozenInstanceError):
        Claim("c", "s", "", None, None, 0, "void").verdict = "confirmed"


def test_another_verdict_is_refused():
    with pytest.raises(DataError) as caught:
        Claim("c", "s", "", None, None, 0, "perhaps")
    assert str(caught.value) == (
        "'perhaps' is not a verdict; known are confirmed, refuted, undecided, not confirmed, "
        "depends, not comparable, void."
    )


def test_claims_are_written_with_six_digits(tmp_path):
    claims = [
        Claim("a, b", "ours", "1", 0.123456789, 2.0, 5, "depends"),
        Claim("c", "s", "", None, None, 0, "void"),
    ]
    table = write_claims(tmp_path / "new" / "folder", claims)
    assert (tmp_path / "new" / "folder" / "claims.csv").read_text() == (
        'claim,source,paper_value,our_mean,our_sd,seeds,verdict\n"a, '
        'b",ours,1,0.123457,2,5,depends\nc,s,,,,0,void\n'
    )
    assert table["our_mean"].tolist()[0] == 0.123456789 and table.shape == (2, 7)


def test_a_study_without_claims_has_a_table_without_rows(tmp_path):
    """A quick run of one recording settles nothing; its table of claims is read like any other."""
    assert write_claims(tmp_path, []).empty
    assert (
        tmp_path / "claims.csv"
    ).read_text() == "claim,source,paper_value,our_mean,our_sd,seeds,verdict\n"


def listed(folder, *lines, columns="claim,source,paper_value,reason"):
    (folder / "withdrawn.csv").write_text("\n".join([columns, *lines]) + "\n")


def test_withdrawn_claims_are_void_and_have_no_numbers(tmp_path):
    """Those that begin with a listed text go, whether their table is still there or not; the others
    stay in their order."""
    good = Claim("it learns fast (score)", "ours", "", 0.9, 0.1, 5, "confirmed")
    bad = Claim(
        "it learns (score) [95 % interval 0.1 to 0.2]", "ours", "", 0.15, 0.1, 5, "confirmed"
    )
    other = Claim("what: it learns (score)", "ours", "", 0.9, 0.1, 5, "depends")
    assert with_withdrawn([good, bad, other], tmp_path) == [good, bad, other]
    listed(
        tmp_path,
        "it learns (score),ours,0.3,measured on one class",
        "it forgets,a paper,,wrong unit",
    )
    assert with_withdrawn([good, bad, other], tmp_path) == [
        good,
        other,
        Claim(
            "it learns (score) [void: measured on one class]", "ours", "0.3", None, None, 0, "void"
        ),
        Claim("it forgets [void: wrong unit]", "a paper", "", None, None, 0, "void"),
    ]


def test_an_empty_list_withdraws_nothing(tmp_path):
    claim = Claim("it learns", "ours", "", 0.9, 0.1, 5, "confirmed")
    listed(tmp_path)
    assert with_withdrawn([claim], tmp_path) == [claim]


def test_a_list_of_other_columns_is_refused(tmp_path):
    listed(tmp_path, "it learns,why", columns="claim,reason")
    with pytest.raises(DataError) as caught:
        with_withdrawn([], tmp_path)
    path = tmp_path / "withdrawn.csv"
    assert (
        str(caught.value)
        == f"{path}: expected the columns claim, source, paper_value, reason, found claim, reason."
    )

"""Claims of adaptive and of raphe networks made again from the committed tables by pandas and SciPy
alone."""

from __future__ import annotations

import numpy as np
from test_audit import agree, claims, table


def claim(study, text, dataset):
    frame = claims(study)
    return frame[
        frame["claim"].str.contains(text, regex=False) & (frame["dataset"] == dataset)
    ].iloc[0]


def by_arm(frame, values):
    """Return the values of networks that trained, one row per seed and one column per arm."""
    trained = frame[(frame["best_epoch"] > 1) & (frame["training_score"] >= 3 * frame["chance"])]
    return trained.pivot(index="seed", columns="arm", values=values)


def test_symplectic_minus_euler_on_electrocardiograms_by_hand():
    scores = by_arm(table("adaptive_lif", "ecg"), "test_score")
    agree(
        claim("adaptive_lif", "SE is more accurate than EF", "ecg"),
        (scores["SE"] - scores["EF"]).dropna(),
    )


def test_letters_with_delays_by_hand():
    rivals = table("adaptive_lif", "rivals")
    scores = by_arm(rivals[rivals["dataset"] == "braille"], "test_score")["SE-delays"].dropna()
    agree(claim("adaptive_lif", "93 % or more", "braille"), scores - 0.93)


def test_springs_by_hand():
    """Free-running errors of networks whose error on training sequences is at most half of that of
    zero."""
    springs = table("adaptive_lif", "springs").query(
        "dataset == 'springs' and neurons == 100 and best_epoch > 1"
    )
    learned = springs[springs["training_score"] <= 0.5 * springs["training_zero"]]
    errors = learned.pivot(index="seed", columns="arm", values="test_score")
    agree(
        claim("adaptive_lif", "SE predicts trajectories of springs better than EF", "springs"),
        (errors["EF"] - errors["SE"]).dropna(),
    )


def test_fitted_neurons_by_hand():
    """Accuracy over library neurons, and unlikeness to the cells, on the electrocardiograms."""
    training = table("raphe_networks", "training")
    training = training[training["dataset"] == "ecg"]
    scores, unlike = (by_arm(training, name) for name in ("test_score", "after_unlikeness"))
    agree(
        claim("raphe_networks", "better than neurons of the library", "ecg"),
        (scores["fitted"] - scores["library"]).dropna(),
    )
    agree(
        claim("raphe_networks", "than the spikes of library neurons", "ecg"),
        (unlike["library"] - unlike["fitted"]).dropna(),
    )
    agree(
        claim("raphe_networks", "less than twice as much", "ecg"),
        np.log(2) - unlike["fitted"].dropna(),
    )

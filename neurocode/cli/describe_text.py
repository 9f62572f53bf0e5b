"""Sentences of a description: what it holds, and what a low complexity follows from."""

from __future__ import annotations

import pandas as pd

from neurocode.frames import column, kept
from neurocode.statistics.locked_surrogates import (
    FEWEST_REPEATS,
    NO_REPEATS,
    STIMULUS,
    STRUCTURE,
    UNDECIDED,
    low_complexity,
)

#: Sentences on the units that have a cause in common, and on a single unit.
CAUSES = {
    STIMULUS: "For {units}, this follows from a rate that is locked to the stimulus: complexity is "
    "not below that of surrogates that keep the PSTH (median ratio {ratio:.3g}).",
    STRUCTURE: "For {units}, complexity is also below that of surrogates that keep the PSTH (p < "
    "0.05, median ratio {ratio:.3g}): there is structure that a rate locked to the stimulus does "
    "not explain, such as refractoriness, bursts, or a rate that changes from repeat to repeat.",
    UNDECIDED: "For {units}, surrogates that keep the PSTH leave open whether this follows from a "
    "rate that is locked to the stimulus (median ratio {ratio:.3g}).",
    NO_REPEATS: "For {units}, it cannot be told whether this follows from a rate that is locked to "
    f"a stimulus: that takes at least {FEWEST_REPEATS} repeats of every stimulus, equally long.",
}
OF_UNIT = {
    STIMULUS: "Its complexity below rate-matched surrogates follows from a rate that is locked to "
    "the stimulus (ratio to surrogates that keep the PSTH: {ratio:.3g}).",
    STRUCTURE: "Its complexity is below that of rate-matched surrogates and of those that keep the "
    "PSTH (ratio {ratio:.3g}): a rate locked to the stimulus does not explain it.",
    UNDECIDED: "Whether its complexity below rate-matched surrogates follows from a rate that is "
    "locked to the stimulus stays open (ratio to surrogates that keep the PSTH: {ratio:.3g}).",
    NO_REPEATS: "Its complexity is below that of rate-matched surrogates; without enough repeats "
    "it cannot be told whether this follows from a rate that is locked to a stimulus.",
}


def complexity_sentences(table: pd.DataFrame) -> list[str]:
    """How many units have a complexity below that of rate-matched surrogates, and what it follows
    from.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`neurocode.describe`, with the columns of
        :func:`~neurocode.statistics.locked_surrogates.locked_statistic`.
    """
    if "lz_q" not in table:
        return []
    causes, ratios = _causes(table)
    sentences = [
        f"LZ complexity below rate-matched surrogates (q < 0.05) in {len(causes)} of "
        f"{table['lz_q'].notna().sum()} units."
    ]
    for cause, sentence in CAUSES.items():
        of_cause = kept(ratios, causes == cause)
        if len(of_cause):
            units = f"{len(of_cause)} of them" if len(causes) > 1 else "this unit"
            sentences.append(sentence.format(units=units, ratio=of_cause.median()))
    return sentences


def complexity_of_units(table: pd.DataFrame) -> list[str]:
    """What is said of the complexity of each unit, nothing where it is not low."""
    causes, ratios = (of_units.to_dict() for of_units in _causes(table))
    return [
        OF_UNIT[causes[unit]].format(ratio=ratios[unit]) if unit in causes else ""
        for unit in range(len(table))
    ]


def _causes(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """What the low complexity of units follows from, and their complexity over that of surrogates
    that keep the PSTH, by the number of the unit."""
    numbered = table.reset_index(drop=True)
    causes = low_complexity(numbered)
    ratios = column(numbered.reindex(columns=["lz_locked_ratio"]), "lz_locked_ratio")
    return causes, ratios.reindex(causes.index)


def contents(table: pd.DataFrame) -> str:
    """How many units and spikes a table describes."""
    units, spikes = len(table), int(column(table, "n_spikes").sum())
    return f"{units} unit{'s' * (units != 1)}, {spikes} spike{'s' * (spikes != 1)}"


def summary(table: pd.DataFrame) -> str:
    """Units, spikes, and medians over units."""
    usable = table[table["reason"] == ""]
    text = f"{contents(table)}; without a reservation: {len(usable)}. "
    text += "Median over units: " + ", ".join(
        f"{label} {table[name].median():.3g}"
        for name, label in (
            ("rate", "rate (Hz)"),
            ("cv", "CV"),
            ("lv", "LV"),
            ("serial_correlation", "serial correlation"),
            ("fano_factor", "Fano factor over repeats"),
            ("lz_ratio", "LZ complexity over surrogates"),
        )
        if name in table and column(table, name).notna().any()
    )
    return (
        text
        + ". The Fano factor has the unbiased variance; p-values of complexity are two-sided, q "
        "is adjusted for the units."
    )

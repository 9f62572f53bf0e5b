"""Studies: tables whose rows (settings and seeds) run in parallel and can be resumed, and the
claims that they decide.

Contents
--------
side_by_side
    Run calls in local processes or in the workers of a cluster.
run_study, study_table, key_of
    Run the rows of a study, read its table, and name the settings of a row.
Study, StudyRun
    What the folder of a study declares, and how a part of it is run.
Claim, interval_claim, absent_claim, verdict_of, mean_interval, with_withdrawn, write_claims
    What papers claim and what a study found, and which claims were withdrawn.
Comparison, judge_family, holm
    Judge paired differences together: better, or equal within a margin.
"""

from __future__ import annotations

from neurocode.studies.claims import (
    Claim,
    absent_claim,
    interval_claim,
    mean_interval,
    verdict_of,
    with_withdrawn,
    write_claims,
)
from neurocode.studies.comparisons import Comparison, holm, judge_family
from neurocode.studies.runner import key_of, run_study, study_table
from neurocode.studies.study import Study, StudyRun
from neurocode.studies.workers import side_by_side

__all__ = [
    "Claim",
    "Comparison",
    "Study",
    "StudyRun",
    "absent_claim",
    "holm",
    "interval_claim",
    "judge_family",
    "key_of",
    "mean_interval",
    "run_study",
    "side_by_side",
    "study_table",
    "verdict_of",
    "with_withdrawn",
    "write_claims",
]

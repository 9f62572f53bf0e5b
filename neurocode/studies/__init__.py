"""Studies: tables of configurations and seeds, run side by side and resumed, and the claims they
settle.

Contents
--------
side_by_side
    Calls by local processes or the workers of a cluster.
run_study, study_table, key_of
    Rows of a study, and the name of the settings of one.
Study, StudyRun
    What a folder of analyses declares, and how it is run.
Claim, interval_claim, absent_claim, verdict_of, mean_interval, with_withdrawn, write_claims
    What a paper says beside what was found, and what was withdrawn.
Comparison, judge_family, holm
    Paired differences judged together: better, or equal within a margin.
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

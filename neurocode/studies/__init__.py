"""Studies: tables of configurations and seeds, run side by side and resumed, and the claims they settle.

Contents
--------
run_study, study_table
    Rows of a study.
Claim, write_claims
    What a paper says beside what was found.
"""

from __future__ import annotations

from neurocode.studies.claims import Claim, write_claims
from neurocode.studies.runner import run_study, study_table

__all__ = ["Claim", "run_study", "study_table", "write_claims"]

"""Do models respond like neurons? Every model is fitted to every recording, and its spikes are
compared with those held out.

neurocode study neural-coding --workers 2
neurocode figures neural-coding

"""

from __future__ import annotations

import pandas as pd

from analyses.neural_coding import protocols, summary
from analyses.neural_coding.claims import claims
from analyses.neural_coding.rows import coding_row, recorded_row
from neurocode.studies import Study, StudyRun


def fitted(run: StudyRun) -> pd.DataFrame:
    """Fit every model to every recording."""
    return run.rows(coding_row, protocols.rows(run.protocol), "models.parquet")


def recorded(run: StudyRun) -> pd.DataFrame:
    """Compute the curves of the recordings, and the differences between their halves."""
    return run.rows(recorded_row, protocols.recorded_rows(run.protocol), "recorded.parquet")


def tables(run: StudyRun) -> None:
    """Write the tables of recordings averaged over seeds, of data sets by model, and of models in
    pairs."""
    recordings = summary.recording_table(fitted(run), recorded(run))
    recordings.to_parquet(run.output / "units.parquet", index=False)
    summary.summary_table(recordings).to_csv(
        run.output / "summary.csv", index=False, float_format="%.5g"
    )
    summary.runaway_table(recordings).to_csv(
        run.output / "runaways.csv", index=False, float_format="%.5g"
    )
    summary.pair_table(recordings).to_csv(
        run.output / "pairs.csv", index=False, float_format="%.5g"
    )


PARTS = {"models": fitted, "recorded": recorded, "tables": tables}
STUDY = Study(
    title="Do models respond like neurons?",
    protocols=protocols.PROTOCOLS,
    parts=PARTS,
    claims=claims,
    data=lambda protocol: dict.fromkeys(PARTS, protocols.folders(protocol)),
)

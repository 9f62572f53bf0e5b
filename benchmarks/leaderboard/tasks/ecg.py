"""Every sample of electrocardiograms labelled by adaptive spiking neurons (symplectic Euler).

Small networks are trained beside an LSTM; the published size for 400 epochs, one seed.
"""

from __future__ import annotations

from benchmarks.leaderboard.rows import HIGHER, Row, published
from benchmarks.leaderboard.task import BenchmarkTask, Request
from benchmarks.leaderboard.training import LSTM, RATES, beside_lstm, trained_network

PUBLISHED = 88.18
SOURCE = "Baronig et al. 2025 (88.18 ± 0.36 %)"


def rows(request: Request) -> list[Row]:
    """36 neurons for 20 epochs beside an LSTM, and 2 x 36 neurons as published; quick, the first
    for two epochs at one rate."""
    from analyses.adaptive_lif.protocols import ECG, ECG_RIVALS, RELEASED_RATE

    settings = {**ECG_RIVALS, "epochs": 2} if request.quick else ECG_RIVALS
    case = f"36 adaptive neurons, {settings['epochs']} epochs, seed 0"
    row, _ = beside_lstm(case, settings, RATES[1:2] if request.quick else RATES)
    return [row] if request.quick else [row, as_published(ECG, RELEASED_RATE)]


def as_published(settings: dict[str, object], rate: float) -> Row:
    """The released settings, one seed."""
    network = trained_network(settings, "SE", (rate,))
    case = f"2 x 36 adaptive neurons, {settings['epochs']} epochs, seed 0"
    ours = Row(case, "test accuracy", "%", HIGHER, network.accuracy)
    note = "released settings; the paper does not state the number of layers of this value"
    return published(ours, "SE-adLIF", PUBLISHED, SOURCE, note)


TASK = BenchmarkTask(
    title="Electrocardiograms", minutes=15, rows=rows, peers=(LSTM,), data=("qtdb-ecg",)
)

"""27 Braille letters read by touch, from two layers of adaptive spiking neurons."""

from __future__ import annotations

from benchmarks.leaderboard.rows import HIGHER, Row, published
from benchmarks.leaderboard.task import BenchmarkTask, Request
from benchmarks.leaderboard.training import LSTM, RATES, beside_lstm, trained_network

#: Accuracies in percent.
PUBLISHED = {"recurrent spiking network": 80.0, "published LSTM": 97.0}
SOURCE = "as quoted in analyses/adaptive_lif/claims.toml, delays_target"
NOTE = "'about' in the source; other preprocessing and division of the data"


def rows(request: Request) -> list[Row]:
    """2 x 64 neurons for 75 epochs beside an LSTM, and with learned axonal delays at the same rate;
    quick, the first for five epochs at one rate."""
    from analyses.adaptive_lif.protocols import BRAILLE

    settings = {**BRAILLE, "epochs": 5} if request.quick else BRAILLE
    size = f"2 x 64 adaptive neurons, {settings['epochs']} epochs, seed 0"
    row, rate = beside_lstm(size, settings, RATES[1:2] if request.quick else RATES)
    if request.quick:
        return [row]
    network = trained_network(settings, "SE-delays", (rate,))
    delayed = Row(f"{size}, learned delays", "test accuracy", "%", HIGHER, network.accuracy)
    return [
        row,
        *(
            published(measured, peer, value, SOURCE, NOTE)
            for measured in (row, delayed)
            for peer, value in PUBLISHED.items()
        ),
    ]


TASK = BenchmarkTask(
    title="Braille letters", minutes=6, rows=rows, peers=(LSTM,), data=("braille",)
)

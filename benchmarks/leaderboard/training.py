"""Networks of the study ``adaptive-lif``, trained for the leaderboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.leaderboard.rows import HIGHER, Row

#: Learning rates among which validation chooses, as many for the peer as for ours; quick, the
#: second alone.
RATES = (0.003, 0.01, 0.03)
LSTM = "LSTM (Equinox)"


class Trained(NamedTuple):
    """A network whose learning rate and epoch validation chose.

    Attributes
    ----------
    accuracy : float
        On the test part, in percent.
    rate : float
    parameters : int
        Learned values.
    """

    accuracy: float
    rate: float
    parameters: int


def trained_network(
    settings: Mapping[str, object], arm: str, rates: Sequence[float], seed: int = 0
) -> Trained:
    """Train an arm of the study with each rate, and keep what does best on validation.

    Parameters
    ----------
    settings : mapping
        Of the study's protocols: data set, size, epochs.
    arm : str
        Such as ``"SE"`` or ``"LSTM"``.
    rates : sequence of float
    seed : int
    """
    from analyses.adaptive_lif.protocols import row
    from analyses.adaptive_lif.training import trained
    from analyses.protocol import validation_of

    best = None
    for rate in rates:
        _, result = trained({**row(settings, arm), "rate": rate, "seed": seed})
        score = validation_of(result)["validation_score"]
        network = Trained(100 * result.test_score, rate, result.network.n_parameters)
        print(f"{arm}, rate {rate:g}: {score:.2%} on validation")
        if best is None or score > best[0]:
            best = (score, network)
    return best[1]


def beside_lstm(
    case: str, settings: Mapping[str, object], rates: Sequence[float]
) -> tuple[Row, float]:
    """An adaptive spiking network beside an LSTM with as many learned values, and the rate that
    was chosen for ours."""
    ours = trained_network(settings, "SE", rates)
    lstm = trained_network(settings, "LSTM", rates)
    note = (
        f"{ours.parameters} and {lstm.parameters} learned values, rates {ours.rate:g} and "
        f"{lstm.rate:g}"
    )
    row = Row(case, "test accuracy", "%", HIGHER, ours.accuracy, LSTM, lstm.accuracy, note=note)
    return row, ours.rate

"""Result of a training run: the networks and their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurocode.display import html, lines
from neurocode.errors import DataError
from neurocode.learning.network import Network
from neurocode.learning.output import Output
from neurocode.learning.sealed import read_sealed, write_sealed
from neurocode.plotting.training_figure import training_figure

MAGIC = b"neurocode training 1"
#: Fields that are networks, in the order of their arrays in a file, and fields that are plain
#: values.
NETWORKS = ("network", "last")
PLAIN = ("best_epoch", "test_loss", "test_score", "score_name")


@dataclass(frozen=True)
class TrainingResult:
    """A trained network.

    Attributes
    ----------
    network : Network
        Network of the epoch with the best validation score.
    last : Network
        Network of the last epoch.
    history : pandas.DataFrame
        One row per epoch: ``epoch, loss, score, validation_loss, validation_score, rate_0 …,
        seconds``. Scores are what ``score_name`` says: the share of right answers, the mean squared
        error, or the log probability of recorded spikes in nats per step.
    best_epoch : int
    test_loss, test_score : float
        Loss and score of ``network`` on the test part.
    score_name : str
        Name of the quantity that scores measure.
    """

    network: Network
    last: Network
    history: pd.DataFrame
    best_epoch: int
    test_loss: float
    test_score: float
    score_name: str = "share of right answers"

    def to_dataframe(self) -> pd.DataFrame:
        """Return the history, with the epoch of :attr:`network` marked in the column ``best``."""
        return self.history.assign(best=self.history["epoch"] == self.best_epoch)

    def summary(self) -> str:
        """Return the test score and every epoch as text."""
        return lines(self._heading(), self._rows(), most=len(self.history) + 2)

    def plot(self) -> Figure:
        """Plot loss, score and activity of the layers against the epoch."""
        return training_figure(self.history, self.best_epoch, self.score_name.capitalize())

    def __repr__(self) -> str:
        return lines(self._heading(), self._rows()[::-1])

    def _repr_html_(self) -> str:
        return html(
            self._heading(), self.to_dataframe().set_index("epoch"), [self.network._heading()]
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TrainingResult):
            return NotImplemented
        plain = (self._plain() == other._plain()) and self.history.equals(other.history)
        return plain and bool(self.network == other.network) and bool(self.last == other.last)

    def _heading(self) -> str:
        return (
            f"Training of {len(self.history)} epochs, best by validation in epoch "
            f"{self.best_epoch}: "
            f"{self.score_name} {self.test_score:.4g} and loss {self.test_loss:.4g} on the test "
            f"part"
        )

    def _rows(self) -> list[str]:
        return [
            f"epoch {row['epoch']}: loss {row['loss']:.4g}, {row['validation_loss']:.4g} in "
            f"validation; score {row['score']:.4g}, {row['validation_score']:.4g} in validation"
            for row in self.history.to_dict("records")
        ]

    def _plain(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in PLAIN}

    def save(self, path: str | Path) -> Path:
        """Write the result to a file that :meth:`load` reads.

        Parameters
        ----------
        path : path

        Returns
        -------
        pathlib.Path

        Raises
        ------
        ModelError
            For networks that cannot be written; see :meth:`Network.save`.
        """
        path = Path(path)
        networks = {name: getattr(self, name).writable_table() for name in NETWORKS}
        columns = list(self.history)
        arrays = [
            *jax.tree.leaves((self.network, self.last)),
            *(self.history[column].to_numpy() for column in columns),
        ]
        write_sealed(
            path, MAGIC, {"networks": networks, "columns": columns, "plain": self._plain()}, arrays
        )
        return path

    @classmethod
    def load(cls, path: str | Path, readouts: Sequence[type[Output]] = ()) -> TrainingResult:
        """Read a result that :meth:`save` wrote; every field is as it was.

        Parameters
        ----------
        path : path
        readouts : sequence of classes
            See :meth:`Network.load`.

        Raises
        ------
        DataError
            If the file is missing, damaged or of another kind. The message names the file.
        """
        path = Path(path)
        table, arrays = read_sealed(path, MAGIC, "result of a training")
        try:
            count = (len(arrays) - len(table["columns"])) // len(NETWORKS)
            whole = {
                name: Network.rebuilt(
                    table["networks"][name], arrays[k * count : (k + 1) * count], path, readouts
                )
                for k, name in enumerate(NETWORKS)
            }
            rows = map(np.asarray, arrays[len(NETWORKS) * count :])
            history = pd.DataFrame(dict(zip(table["columns"], rows, strict=True)))
            return cls(**whole, history=history, **table["plain"])
        except (TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{path}: the result of a training does not fit together ({error})."
            ) from None

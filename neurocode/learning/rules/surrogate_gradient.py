"""Gradients through time with surrogate derivatives, as a learning rule."""

from __future__ import annotations

from dataclasses import dataclass

from neurocode.learning.network import Network
from neurocode.learning.settings import Settings
from neurocode.learning.training import train
from neurocode.learning.training_result import TrainingResult
from neurocode.tasks.task import Task


@dataclass(frozen=True)
class SurrogateGradient:
    """Training by :func:`neurocode.learning.train`.

    Attributes
    ----------
    settings : Settings

    Examples
    --------
    >>> SurrogateGradient(Settings(epochs=3)).settings.epochs
    3
    """

    settings: Settings = Settings()  # noqa: RUF009  a frozen value

    def fit(self, network: Network, task: Task, *, seed: int = 0) -> TrainingResult:
        """Train a network; it raises the same errors as :func:`neurocode.learning.train`."""
        return train(network, task, seed=seed, settings=self.settings)

"""Settings of a training run, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from neurocode.errors import TrainingError
from neurocode.extras import Library
from neurocode.learning.regularisers import Regulariser
from neurocode.units import is_whole

optax = Library("optax")


def require_whole(name: str, value: Any, least: int) -> None:
    """Raise for an option that is not a whole number of at least ``least``.

    Raises
    ------
    TrainingError
        If it is not; the message names the option.
    """
    if not is_whole(value, least):
        raise TrainingError(f"'{name}' must be a whole number of at least {least}, not {value!r}.")


@dataclass(frozen=True)
class Settings:
    """Settings of a training run.

    Attributes
    ----------
    epochs, batch_size : int
        Number of epochs, and of sequences in a batch. Each epoch takes the sequences in a new order
        and leaves out those that do not fill a batch.
    learning_rate : float
        Learning rate of Adam.
    schedule : {"constant", "cosine"}
        Schedule of the learning rate over all updates; ``"cosine"`` ends at zero.
    clip : float, optional
        Largest norm of the gradient; a longer gradient is shortened to it.
    regulariser : Regulariser
    blocks : int
        Number of parts of a batch that are computed one after another; see
        :func:`neurocode.learning.objective.gradient`.
    weights, intrinsic : bool
        Whether connections learn, and whether intrinsic parameters learn. What does not learn keeps
        its initial value.
    intrinsic_factor : float
        Learning rate of intrinsic parameters relative to that of the rest.
    calibration : int
        Number of training sequences, with labels in proportion, whose mean and variance replace
        those of a batch when a normalised network is evaluated.
    devices : int
        Number of devices over which each batch is split. On CPUs these are cores: start Python with
        ``XLA_FLAGS=--xla_force_host_platform_device_count=2`` in the environment.

    Raises
    ------
    TrainingError
        For numbers that are not positive or not whole, an unknown schedule, or blocks and devices
        that do not divide a batch.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    schedule: str = "constant"
    clip: float | None = None
    regulariser: Regulariser = Regulariser()  # noqa: RUF009  a frozen value
    blocks: int = 1
    weights: bool = True
    intrinsic: bool = True
    intrinsic_factor: float = 1.0
    calibration: int = 512
    devices: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "blocks", "calibration", "devices"):
            require_whole(name, getattr(self, name), 1)
        for name in (
            "learning_rate",
            "intrinsic_factor",
            *(("clip",) if self.clip is not None else ()),
        ):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, (int, float, np.number))
                or not 0 < value < np.inf
            ):
                raise TrainingError(f"'{name}' must be a positive number, not {value!r}.")
        for name in ("weights", "intrinsic"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise TrainingError(f"'{name}' must be true or false, not {getattr(self, name)!r}.")
        if self.schedule not in ("constant", "cosine"):
            raise TrainingError(
                f"'{self.schedule}' is not a schedule of the learning rate; known are constant, "
                f"cosine."
            )
        if self.batch_size % (self.blocks * self.devices):
            raise TrainingError(
                f"A batch of {self.batch_size} does not divide into {self.blocks} blocks on "
                f"{self.devices} devices."
            )

    def optimiser(self, updates: int, learning_rate: jax.Array | float | None = None) -> Any:
        """Return Adam with the schedule and the clipping, an ``optax.GradientTransformation``. A
        learning rate that is an array can change without another compilation."""
        peak = self.learning_rate if learning_rate is None else learning_rate
        rate = optax.cosine_decay_schedule(peak, updates) if self.schedule == "cosine" else peak
        clip = optax.identity() if self.clip is None else optax.clip_by_global_norm(self.clip)
        return optax.chain(clip, optax.adam(rate))


DEFAULT_SETTINGS = Settings()

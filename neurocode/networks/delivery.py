"""What the delivery of spikes along a pathway starts from, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import jax

from neurocode.networks.lanes import Arrays

Array = jax.Array


@dataclass(frozen=True)
class Arriving:
    """A step of a pathway.

    Attributes
    ----------
    arrays, constants : mapping of str to jax.Array
    memory, tables : dict of str to jax.Array
        Spikes of earlier steps, and arrays that do not change.
    events : jax.Array
        Sources that spiked in this step: truth values, or numbers in runs with derivatives.
    step, since : jax.Array
        Number of the step, and the same counted from the start of the run.
    key : jax.Array
        Random key of the block in this step.
    """

    arrays: Mapping[str, Array]
    constants: Mapping[str, Array]
    memory: Arrays
    tables: Arrays
    events: Array
    step: Array
    since: Array
    key: Array


class Delivery(Protocol):
    """Delivery of the spikes of one pathway."""

    def memory(self) -> Arrays:
        """Spikes of earlier steps, none so far."""
        ...

    def tables(self) -> Arrays:
        """Arrays that do not change."""
        ...

    def __call__(self, arriving: Arriving) -> tuple[Arrays, Arrays]:
        """Deliver the spikes that arrive in a step; arrays that changed, and the memory."""
        ...

"""Functions that write a network to a file and read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neurocode.learning.network import Network
from neurocode.learning.output import Output


def save(network: Network, path: str | Path) -> Path:
    """Write a network to a file; see :meth:`Network.save`."""
    return network.save(path)


def load(path: str | Path, readouts: Sequence[type[Output]] = ()) -> Network:
    """Read a network that :func:`save` wrote; see :meth:`Network.load`."""
    return Network.load(path, readouts)

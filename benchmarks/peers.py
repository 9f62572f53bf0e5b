"""Whom we measure ourselves against: the library that each peer needs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from neurocode.extras import is_installed

#: Module and distribution of each peer, which have one name.
LIBRARIES = {
    "antropy": "antropy",
    "Brian2 cython": "brian2",
    "Brian2 standalone": "brian2",
    "Elephant": "elephant",
    "LSTM (Equinox)": "equinox",
    "lzcomplexity": "lzcomplexity",
    "Nevergrad on Brian2": "nevergrad",
    "Norse": "norse",
    "PyTorch": "torch",
    "snnTorch": "snntorch",
    "SpikingJelly": "spikingjelly",
}


def library_of(peer: str) -> str:
    """Module that a peer needs; empty for one that is no library here."""
    return LIBRARIES.get(peer, "")


def installed(peers: Iterable[str]) -> list[str]:
    """Those peers whose library is installed."""
    return [peer for peer in peers if is_installed(LIBRARIES[peer])]


def what_is_missing(peers: Iterable[str]) -> list[str]:
    """One sentence for each peer whose library is not installed."""
    return [
        f'{peer} is left out: {LIBRARIES[peer]} is not installed (pip install "neurocode[bench]").'
        for peer in peers
        if not is_installed(LIBRARIES[peer])
    ]


def version_of(peer: str) -> str:
    """Library of a peer and its version; empty for one that is not a library here."""
    library = library_of(peer)
    try:
        return f"{library} {version(library)}" if library else ""
    except PackageNotFoundError:
        return library

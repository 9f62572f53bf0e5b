"""The library models by their names on the command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from neurocode.errors import ModelError
from neurocode.models.adex import adex
from neurocode.models.adlif import adlif
from neurocode.models.diffusive import eif_diffusive, lif_coloured, lif_diffusive, qif_diffusive
from neurocode.models.escape_lif import escape_lif
from neurocode.models.files import load
from neurocode.models.gif import gif
from neurocode.models.glif import LEVELS, glif
from neurocode.models.glm import glm
from neurocode.models.igif import igif, igif_ia
from neurocode.models.integrate_and_fire import eif, izhikevich, meta_neuron, qif
from neurocode.models.lif import NOISE_MODES, current_lif, lif, noisy_lif, normalised_lif
from neurocode.models.model import NeuronModel

DIFFUSIVE = {
    "lif-diffusive": lif_diffusive,
    "eif-diffusive": eif_diffusive,
    "qif-diffusive": qif_diffusive,
}
#: Models with an escape rate; their versions without it have the suffix ``-deterministic``.
ESCAPING = {"gif": gif, "glm": glm, **{f"glif{level}": partial(glif, level) for level in LEVELS}}

#: Name and factory function of each model.
LIBRARY: dict[str, Callable[[], NeuronModel]] = {
    "lif": lif,
    "lif-normalised": normalised_lif,
    "lif-current": current_lif,
    "noisy-lif": noisy_lif,
    **{f"noisy-lif-{mode}": partial(noisy_lif, mode) for mode in NOISE_MODES if mode != "escape"},
    "escape-lif": escape_lif,
    "adlif": adlif,
    "adlif-euler-forward": partial(adlif, "euler-forward"),
    "adex": adex,
    "eif": eif,
    "qif": qif,
    "izhikevich": izhikevich,
    "meta-neuron": meta_neuron,
    **ESCAPING,
    "igif": igif,
    "igif-ia": igif_ia,
    **{
        f"{name}-deterministic": partial(make, escape_noise=False)
        for name, make in ESCAPING.items()
    },
    **DIFFUSIVE,
    "lif-coloured": lif_coloured,
    **{f"adaptive-{name}": partial(make, adaptation=True) for name, make in DIFFUSIVE.items()},
    **{f"{name}-periodic": partial(make, periodic=True) for name, make in DIFFUSIVE.items()},
    **{
        f"adaptive-{name}-periodic": partial(make, adaptation=True, periodic=True)
        for name, make in DIFFUSIVE.items()
    },
}


def by_name(name: str) -> NeuronModel:
    """Return the library model of this name, or the model in the TOML file at this path.

    Raises
    ------
    ModelError
        If there is neither such a library model nor such a file.

    Examples
    --------
    >>> by_name("gif").name
    'gif'
    """
    if name in LIBRARY:
        return LIBRARY[name]()
    if name.endswith(".toml"):
        return load(name)
    raise ModelError(
        f"There is no model '{name}'; known are {', '.join(LIBRARY)}, or the path of a .toml file."
    )

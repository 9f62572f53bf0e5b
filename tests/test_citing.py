"""Which papers are cited for what was used, and that every source that a model names is known."""

from __future__ import annotations

import re

import jax
import pytest

import neurocode as nc
from neurocode.citing import ALWAYS, keys_in, references
from neurocode.errors import DataError
from neurocode.learning import Dense, Layer, Network, Readout, Surrogate


def cited(*used):
    return re.findall(r"(?m)^@\w+\{(\w+),", nc.cite(*used))


def test_sources_are_found_as_descriptions_name_them():
    assert keys_in(
        "GIF (Pozzorini et al. 2015), as in Ma, Yan, Tang 2023 and Zenke & Vogels 2021"
    ) == [
        "Pozzorini2015",
        "Ma2023",
        "Zenke2021",
    ]
    assert keys_in("Exponential neuron (Fourcaud-Trocmé et al. 2003); Nobody et al. 1999") == [
        "FourcaudTrocme2003"
    ]


@pytest.mark.parametrize("name", list(nc.models.LIBRARY))
def test_every_source_that_a_library_model_names_is_known(name):
    description = nc.models.by_name(name).description
    assert len(keys_in(description)) == len(re.findall(r"\d{4}\)", description))


def test_a_citation_has_the_project_its_engines_and_each_paper_once():
    assert cited() == list(ALWAYS)
    assert cited(nc.models.gif(), nc.models.gif(), "describe") == [
        *ALWAYS,
        "Pozzorini2015",
        "Shinomoto2003",
        "Lempel1976",
        "Benjamini1995",
    ]


@pytest.mark.parametrize(("surrogate", "paper"), [(None, "Ma2023"), (Surrogate(), "Neftci2019")])
def test_a_network_cites_its_neurons_and_its_gradient(surrogate, paper):
    model = nc.models.noisy_lif() if surrogate is None else nc.models.adlif()
    layer = Layer(Dense(2, 3, key=jax.random.key(0)), model, 1e-3, surrogate=surrogate)
    network = Network([layer, Readout(Dense(3, 2, key=jax.random.key(1)), 1e-3)])
    assert (
        cited(network) == [*ALWAYS, paper] if surrogate is None else [*ALWAYS, paper, "Baronig2025"]
    )


def test_a_fit_cites_its_model_and_its_likelihood():
    times = (
        nc.simulate(nc.models.lif_diffusive(), duration=5.0, dt=1e-3, seed=0, engine="numba")
        .segments[0]
        .spiketrains[0]
    )
    assert cited(nc.fit(nc.models.lif_diffusive(), times)) == [*ALWAYS, "Ladenbauer2019"]


def test_what_names_no_paper_is_refused():
    with pytest.raises(
        DataError, match="'figures' is not a topic to cite; known are describe, complexity"
    ):
        nc.cite("figures")
    with pytest.raises(DataError, match="A dict names no papers"):
        nc.cite({})


def test_every_entry_has_what_a_bibliography_needs():
    for key, entry in references().items():
        if key != "neurocode":
            assert (
                f"year = {{{key[-4:]}}}" in entry and "author = {" in entry and "title = {" in entry
            ), key
            assert re.search(r"doi = \{10\.\d{4,5}/\S+\}|eprint = |publisher = ", entry), key


def test_a_start_of_networks_is_a_topic():
    assert cited("fluctuation-driven") == [*ALWAYS, "Rossbroich2022"]

"""The same argument has the same name everywhere, and names that were replaced do not come back."""

from __future__ import annotations

import inspect

import pytest
from test_stated_defaults import members

#: Given up, and what is said instead.
GIVEN_UP = {
    "net": "network",
    "classes": "n_classes",
    "samples": "n_samples",
    "bins": "n_bins",
    "draws": "n_draws",
    "sequences": "n_sequences",
    "frames": "n_frames",
    "num_steps": "n_steps",
    "timestep": "dt",
    "delta_t": "dt",
}
#: Where such a word names the things themselves and not how many there are.
OTHER_MEANING = {
    "inference.lossless.decode(classes)",
    "learning.rules.intrinsic_perturbation.IntrinsicPerturbation.moved(classes)",
}
#: Names that stand for a number of things wherever they have a default that is whole.
COUNTED = ("steps", "trains", "inputs", "cells", "units")


def arguments() -> list[tuple[str, inspect.Parameter]]:
    """Return every argument of a public function, class or method, with its path."""
    every = []
    for path, member in members():
        methods = vars(member).items() if isinstance(member, type) else ()
        for called, part in (
            (path, member),
            *((f"{path}.{name}", method) for name, method in methods),
        ):
            if any(word.startswith("_") for word in called.split(".")):
                continue
            try:
                parameters = inspect.signature(part).parameters.values()
            except (TypeError, ValueError):
                continue
            every += [
                (f"{called.removeprefix('neurocode.')}({parameter.name})", parameter)
                for parameter in parameters
            ]
    return every


ARGUMENTS = arguments()


@pytest.mark.parametrize(("old", "new"), GIVEN_UP.items())
def test_a_name_that_was_given_up_does_not_come_back(old, new):
    back = [
        path for path, argument in ARGUMENTS if argument.name == old and path not in OTHER_MEANING
    ]
    assert not back, f"say '{new}' instead of '{old}': {', '.join(back)}"


def test_names_are_looked_for_in_all_of_the_package():
    """The names are searched for in the whole package, and every exception in the lists exists."""
    paths = {path for path, _ in ARGUMENTS}
    assert len(paths) > 1000 and paths >= OTHER_MEANING
    assert paths >= {
        "learning.training.train(network)",
        "tasks.images.digits(n_steps)",
        "statistics.describe.describe(spiketrains)",
    }


def test_numbers_of_things_begin_with_n():
    counts = [
        path
        for path, argument in ARGUMENTS
        if argument.name in COUNTED and type(argument.default) is int
    ]
    assert not counts


def test_a_network_is_called_network():
    """Arguments that hold a network, whatever they are called."""
    others = [
        path
        for path, argument in ARGUMENTS
        if argument.annotation == "Network" and argument.name not in ("network", "other")
    ]
    assert {path.partition("(")[2].rstrip(")") for path in others} <= NETWORKS_OF_OTHER_KINDS


#: Parts of one network in training: its learned arrays and the rest, changes of them, the best and
#: the last one.
NETWORKS_OF_OTHER_KINDS = {
    "learned",
    "rest",
    "changes",
    "change",
    "memory",
    "best",
    "last",
    "mean",
    "variance",
}

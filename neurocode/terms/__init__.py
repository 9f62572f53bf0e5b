"""Terms that models can be extended by: currents, thresholds and what drives them, as text.

Contents
--------
Term
    A few lines of equations with parameters, and where they enter a model.
all, named, read
    The terms of the library, one of them by its name, and a term from a TOML file.
add, parameter_names
    A model with terms added, and the names that the parameters of a term get there.
"""

from __future__ import annotations

from neurocode.terms.adding import add, parameter_names
from neurocode.terms.catalogue import all, named
from neurocode.terms.files import read
from neurocode.terms.term import Term

__all__ = ["Term", "add", "all", "named", "parameter_names", "read"]

"""The names that a model may use: text that Brian2, C++ and the compiled loops of this library read
as one variable and as nothing else.

Names are inserted into code that runs, so they are checked before an engine reads them.
"""

from __future__ import annotations

import keyword
import re

from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS

from neurocode.errors import ModelError
from neurocode.units import unit_table

#: Declared as ``spiked : 1`` in the equations, it is 1 in the step of a spike and 0 otherwise.
SPIKED = "spiked"
MAXIMUM_LENGTH = 40
PATTERN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?")

#: Variables that Brian2 or the engines of this library keep besides those of the model.
ENGINE_NAMES = frozenset(
    [
        "t",
        "dt",
        "i",
        "N",
        "t_in_timesteps",
        "lastspike",
        "not_refractory",
        "refractory",
        "stimulus",
        "base_current",
        "local_lag",
        "local_wait",
        "local_crossed",
        "range",
        "normal_cdf",
    ]
)

#: Words of C++, Cython and the headers that Brian2's programs include.
COMPILED_WORDS = frozenset(
    [
        "alignas",
        "alignof",
        "asm",
        "atomic_cancel",
        "atomic_commit",
        "atomic_noexcept",
        "auto",
        "bitand",
        "bitor",
        "bool",
        "case",
        "catch",
        "char",
        "char8_t",
        "char16_t",
        "char32_t",
        "compl",
        "concept",
        "const",
        "consteval",
        "constexpr",
        "constinit",
        "const_cast",
        "co_await",
        "co_return",
        "co_yield",
        "decltype",
        "default",
        "delete",
        "do",
        "double",
        "dynamic_cast",
        "enum",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "friend",
        "goto",
        "inline",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not_eq",
        "nullptr",
        "operator",
        "or_eq",
        "private",
        "protected",
        "public",
        "register",
        "reinterpret_cast",
        "requires",
        "short",
        "signed",
        "sizeof",
        "static",
        "static_assert",
        "static_cast",
        "struct",
        "switch",
        "synchronized",
        "template",
        "this",
        "thread_local",
        "throw",
        "true",
        "typedef",
        "typeid",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "wchar_t",
        "xor",
        "xor_eq",
        "and_eq",
        "cdef",
        "cpdef",
        "ctypedef",
        "cimport",
        "include",
        "nogil",
        "NULL",
        "NAN",
        "INFINITY",
        "std",
        "main",
        "brian",
        "network",
    ]
)


def is_noise(name: str) -> bool:
    """Return whether a name stands for white noise in Brian2."""
    return name == "xi" or name.startswith("xi_")


def check_name(name: object, where: str) -> None:
    """Refuse text that is not a valid variable name or already has another meaning.

    Parameters
    ----------
    name : object
        The name as it is written in the model.
    where : str
        The thing that has the name, for the message.

    Raises
    ------
    ModelError
        For anything but an ASCII identifier of at most 40 characters without an underscore at
        either end, and for words that Python, C++, Brian2 or the engines of this library use.

    Examples
    --------
    >>> check_name("tau_m", "parameter")
    """
    if not isinstance(name, str) or not PATTERN.fullmatch(name) or len(name) > MAXIMUM_LENGTH:
        quoted = " ".join(repr(name).split())
        quoted = quoted if len(quoted) <= 60 else quoted[:57] + "..."
        raise ModelError(
            f"The {where} has the name {quoted}; names are ASCII letters, digits and "
            f"underscores, begin with a letter, do not end with an underscore and have at most "
            f"{MAXIMUM_LENGTH} characters."
        )
    owner = _owner(name)
    if owner:
        raise ModelError(
            f"The {where} has the reserved name '{name}': it is {owner}; take another name."
        )


def _owner(name: str) -> str:
    """Return what a reserved name stands for, or empty text if the name is free."""
    if keyword.iskeyword(name) or name in COMPILED_WORDS:
        return "a word of a programming language"
    if name in DEFAULT_CONSTANTS:
        return "a constant of Brian2"
    if name in DEFAULT_FUNCTIONS:
        return "a function"
    if name in unit_table():
        return "a unit"
    if is_noise(name):
        return "white noise in Brian2"
    if name in ENGINE_NAMES or name == SPIKED:
        return "a variable of the simulation"
    if name.endswith(("_pre", "_post")) or name.startswith("BA_"):
        return "kept by Brian2 for itself"
    return ""

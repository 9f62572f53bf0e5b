"""JAX versions of functions that a user has written for Brian2."""

from __future__ import annotations

from collections.abc import Callable

from neurocode.errors import ModelError

ATTRIBUTE = "_neurocode_jax_version"


def jax_function(function: object, version: Callable | None = None) -> Callable:
    """Give a function that Brian2's equations call a version in JAX.

    Parameters
    ----------
    function : callable
        What the equations call: a Python function with units, or a Brian2 ``Function``.
    version : callable, optional
        The same function on JAX arrays in SI without units. Without it, a decorator is returned.

    Returns
    -------
    callable
        ``version``, or a decorator for it.

    Raises
    ------
    ModelError
        If ``function`` cannot carry it.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> def squash(x):
    ...     return x / (1 + abs(x))
    >>> @jax_function(squash)
    ... def squash_in_jax(x):
    ...     return x / (1 + jnp.abs(x))
    """

    def give(version: Callable) -> Callable:
        try:
            setattr(function, ATTRIBUTE, version)
        except AttributeError:
            raise ModelError(
                f"{function!r} cannot carry a JAX version; expected a Python function or a "
                f"Function of Brian2."
            ) from None
        return version

    return give if version is None else give(version)


def jax_version(function: object) -> Callable | None:
    """The JAX version of a function, or None."""
    return getattr(function, ATTRIBUTE, None)

"""Brian2's own runs beside those of neurocode."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import brian2
import neo
import numpy as np
import pytest

import neurocode as nc


@pytest.fixture(autouse=True)
def runtime_of_numpy() -> Iterator[None]:
    """Brian2 without compilation, and without the objects of other tests."""
    target = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    brian2.start_scope()
    yield
    brian2.prefs.codegen.target = target


@pytest.fixture(params=["jax", pytest.param("numba", marks=pytest.mark.long)])
def beside_brian(request: pytest.FixtureRequest) -> Callable[..., neo.Block]:
    """Run a network in neurocode, then in Brian2, and compare everything that its monitors see."""

    def compare(net: brian2.Network, duration: brian2.Quantity, **namespace: object) -> neo.Block:
        before = {each.name: _seen(each) for each in net.objects if _records(each)}
        network = nc.from_brian(net, namespace=namespace)
        block = network.run(duration, engine=request.param)
        network.run(duration, engine=request.param, fill_monitors=True)
        filled = {each.name: _seen(each) for each in net.objects if _records(each)}
        for each in net.objects:
            if _records(each):
                _restore(each, before[each.name])
        net.run(duration, namespace=namespace)
        for each in net.objects:
            if _records(each):
                _compare(each.name, filled[each.name], _seen(each))
        return block

    return compare


def _records(each: object) -> bool:
    kinds = (brian2.EventMonitor, brian2.StateMonitor, brian2.PopulationRateMonitor)
    return isinstance(each, kinds)


def _names(monitor: object) -> list[str]:
    if isinstance(monitor, brian2.StateMonitor):
        return ["t", *monitor.record_variables]
    if isinstance(monitor, brian2.PopulationRateMonitor):
        return ["t", "rate"]
    return [*sorted({"i", "t", *monitor.record_variables} if monitor.record else set()), "count"]


def _seen(monitor: object) -> dict[str, np.ndarray]:
    return {name: np.array(monitor.variables[name].get_value()) for name in _names(monitor)}


def _restore(monitor: object, seen: dict[str, np.ndarray]) -> None:
    for name, values in seen.items():
        variable = monitor.variables[name]
        if name != "count":
            variable.resize(values.shape if values.ndim > 1 else len(values))
        variable.set_value(values)
    if "t" in seen:
        monitor.variables["N"].set_value(len(seen["t"]))


def _compare(name: str, ours: dict[str, np.ndarray], brian: dict[str, np.ndarray]) -> None:
    for variable, expected in brian.items():
        assert ours[variable].shape == expected.shape, (name, variable)
        if variable == "t" or expected.dtype.kind != "f":
            np.testing.assert_array_equal(ours[variable], expected, err_msg=f"{name}.{variable}")
        else:
            scale = np.abs(expected).max(initial=1e-300)
            error = np.abs(ours[variable] - expected).max(initial=0.0)
            assert error <= 1e-12 * scale, (name, variable, error, scale)

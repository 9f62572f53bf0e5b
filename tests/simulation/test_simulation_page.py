"""The page of a simulation shows current, potential and spikes of what was simulated."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode.cli.simulate import simulate_command
from neurocode.plotting.simulation_figure import POINTS, simulation_figure


@pytest.mark.parametrize(
    ("engine", "panels"),
    [("jax", "I (pA), v (mV), spikes of all trials"), ("numba", "I (pA), spikes of all trials")],
)
def test_the_page_names_what_it_shows(tmp_path, engine, panels):
    """A leaky neuron at 400 pA; its first spike after tau ln(40/20) + refractoriness, as the table
    says."""
    simulate_command(
        tmp_path / "out", model="lif", step="400 pA", duration=0.06, trials=2, engine=engine
    )
    assert f"From above: {panels}." in (tmp_path / "out" / "report.html").read_text()
    assert (tmp_path / "out" / "simulation.pdf").stat().st_size > 1000
    table = pd.read_csv(tmp_path / "out" / "spikes.csv")
    expected = (
        nc.simulate(nc.models.lif(), np.full(600, 400e-12), dt=1e-4, engine="jax")
        .segments[0]
        .spiketrains[0]
        .magnitude
    )
    np.testing.assert_allclose(table["time_s"][table["trial"] == 1], expected)
    assert expected[0] == pytest.approx(0.02 * np.log(2), abs=1e-4)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["spike_counts"] == [len(expected)] * 2
    assert result["rate"] == {"value": pytest.approx(len(expected) / 0.06), "unit": "Hz"}
    saved = nc.read(tmp_path / "out" / "spikes.nwb").segments[0]
    assert [signal.name for signal in saved.analogsignals] in (["I"], [])


def test_a_coarse_step_is_said_in_the_terminal(tmp_path, capsys):
    simulate_command(
        tmp_path / "out", model="adex", step="700 pA", duration=0.4, dt=20, engine="jax"
    )
    assert "Warning: The time step of 20 ms is not small against" in " ".join(
        capsys.readouterr().out.split()
    )


def test_signals_and_spikes_share_the_time():
    values = np.arange(3 * POINTS, dtype=float)
    figure = simulation_figure(
        [("I (pA)", values), ("v (mV)", -values[:10])],
        [np.array([0.25, 1.5]), np.array([1.0])],
        2.0,
    )
    current, potential, raster = figure.axes
    assert (current.get_ylabel(), potential.get_ylabel(), raster.get_xlabel()) == (
        "I (pA)",
        "v (mV)",
        "Time (s)",
    )
    x, y = current.lines[0].get_data()
    np.testing.assert_allclose(x, np.arange(POINTS) * 2.0 / POINTS)
    np.testing.assert_array_equal(y, values[::3])
    np.testing.assert_allclose(
        potential.lines[0].get_data(), [np.arange(10) * 0.2, -np.arange(10.0)]
    )
    assert raster.get_xlim() == (0.0, 2.0)
    np.testing.assert_array_equal([len(row.get_positions()) for row in raster.collections], [2, 1])
    plt.close(figure)

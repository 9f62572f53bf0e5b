"""The notebook of the documents is executed, and every object in it shows itself as a table."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.long

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "tour.ipynb"
#: What stands in bold above each table, in order.
HEADINGS = (
    "Model &#x27;gif&#x27;",
    "Experiment &#x27;simulated cell&#x27;",
    "Fit of &#x27;gif&#x27;",
    "Scores on 4 held-out repeats",
    "Network of 10 inputs",
    "Training of 2 epochs",
)


@pytest.fixture(scope="module")
def executed():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=300)
    client.create_kernel_manager()
    client.km.transport = "ipc"  # a socket in a folder: nothing listens on the network
    client.execute()
    return notebook


def shown(notebook):
    """Return the HTML that each code cell shows."""
    return [
        output["data"]["text/html"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]


def test_every_object_shows_itself_as_a_table_under_a_heading(executed):
    *objects, described = shown(executed)
    assert len(objects) == len(HEADINGS) and "<table" in described
    for text, heading in zip(objects, HEADINGS, strict=True):
        assert text.startswith(f"<div><b>{heading}") and text.count("<table") == 1, text[:200]


def test_what_a_reader_sees_without_running_it_is_what_it_gives(executed):
    stored = nbformat.read(NOTEBOOK, as_version=4)
    for stored_output, output in zip(shown(stored), shown(executed), strict=True):
        assert stored_output.partition(":")[0] == output.partition(":")[0]
    assert shown(stored)[0] == shown(executed)[0]
    streams = [
        output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs
    ]
    assert {output.output_type for output in streams} == {"execute_result"}, (
        "a cell printed or warned"
    )

"""The page of a description: panels, pairs, stimuli, links both ways, and tables that sort."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from neurocode.cli import app
from neurocode.cli.page import table, write_page
from neurocode.cli.unit_choice import chosen_pairs, chosen_units, unit_of
from neurocode.errors import DataError

STOP, REPEATS = 2.0, 8


class Page(HTMLParser):
    """Names of places, targets of links, and the attributes of cells, headings and scripts."""

    def __init__(self, text):
        super().__init__()
        self.places, self.targets, self.cells, self.heads, self.sources = [], [], [], [], []
        self.scripts, self.images = 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.scripts += tag == "script"
        self.images += tag == "img"
        if "id" in values:
            self.places.append(values["id"])
        if tag == "a" and "href" in values:
            self.targets.append(values["href"])
        if tag == "td":
            self.cells.append(values)
        if tag == "th":
            self.heads.append(values)
        if "src" in values:
            self.sources.append(values["src"])


def locked(random, repeats):
    """Poisson spikes, many in every other half second."""
    times = np.arange(0, STOP, 1e-3)
    rate = np.where((times * 2).astype(int) % 2 == 1, 80.0, 2.0)
    return [times[random.random(len(times)) < rate * 1e-3] for _ in range(repeats)]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Three units of eight repeats in one table: two locked to a stimulus, one regular."""
    random = np.random.default_rng(1)
    regular = [
        np.round(random.uniform(0, 0.05) + np.arange(0, STOP - 0.06, 0.05), 3)
        for _ in range(REPEATS)
    ]
    units = {"a": locked(random, REPEATS), "b": locked(random, REPEATS), "c": regular}
    rows = [
        (f"{time:.3f}", unit, trial)
        for unit, trains in units.items()
        for trial, train in enumerate(trains)
        for time in train
    ]
    path = tmp_path_factory.mktemp("session") / "session.csv"
    pd.DataFrame(rows, columns=["time", "unit", "trial"]).to_csv(path, index=False)
    return path


def describe(*arguments):
    return CliRunner().invoke(app, ["describe", *map(str, arguments)], env={"COLUMNS": "80"})


@pytest.fixture(scope="module")
def described(session, tmp_path_factory):
    output = tmp_path_factory.mktemp("described") / "out"
    options = ("--t-stop", STOP, "--surrogates", 99, "--pairs", "a:b", "--pairs", "a:c")
    run = describe(session, *options, "-o", output)
    assert run.exit_code == 0, run.exception
    return run, output, (output / "report.html").read_text()


def test_rows_lead_to_panels_and_panels_to_rows(described):
    page = Page(described[2])
    for unit in range(3):
        assert f"#unit-{unit}" in page.targets and f"#row-{unit}" in page.targets
        assert f"unit-{unit}" in page.places and f"row-{unit}" in page.places
    for pair in ("pair-0-1", "pair-0-2"):
        assert f"#{pair}" in page.targets and f"#row-{pair}" in page.targets
    section = described[2].split('<section id="pair-0-1">')[1].split("</section>")[0]
    assert 'href="#unit-0"' in section and 'href="#unit-1"' in section
    unit = described[2].split('<section id="unit-0">')[1].split("</section>")[0]
    assert 'href="#pair-0-1"' in unit and 'href="#unit-1"' in unit


def test_every_link_has_a_place_and_every_place_one_name(described):
    page = Page(described[2])
    assert len(page.places) == len(set(page.places))
    assert all(target[0] == "#" and target[1:] in page.places for target in page.targets)


def test_the_page_needs_no_network_and_no_file_beside_it(described):
    page = Page(described[2])
    assert page.scripts == 1 and "http" not in described[2]
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert page.images == 1 + 3 + 2
    assert not list(described[1].glob("panel*"))


def test_cells_keep_exact_values_for_sorting_and_filtering(described):
    whole = pd.read_csv(described[1] / "units.csv")
    body = described[2].split('id="row-1"')[1].split("</tr>")[0]
    kept = re.findall(r'data-value="([^"]*)"', body)
    heads = re.findall(r"<th[^>]*>([^<]*)</th>", described[2].split("<h2>Units</h2>")[1])
    row = dict(zip(heads, kept, strict=False))
    assert float(row["cv"]) == whole["cv"][1] and float(row["rate"]) == whole["rate"][1]
    assert row["unit"] == whole["unit"][1]
    types = {values.get("data-type") for values in Page(described[2]).heads}
    assert {"number", "text"} <= types


def test_a_table_that_cannot_be_sorted_has_no_script(tmp_path):
    frame = pd.DataFrame({"name": ['a"<b', None], "n": [1, 2], "x": [0.5, np.nan]})
    plain = write_page(tmp_path / "plain.html", "Plain", [table(frame)]).read_text()
    assert "<script" not in plain and "data-value" not in plain
    html = table(frame, example="x>1")
    assert 'data-value="a&quot;&lt;b"' in html and "a&quot;&lt;b</td>" in html
    assert '<td class="number" data-value="0.5">0.5</td>' in html
    assert '<td class="number" data-value=""></td>' in html
    assert "<script" in write_page(tmp_path / "sorted.html", "Sorted", [html]).read_text()


def test_the_page_says_what_a_low_complexity_follows_from(described):
    run, output, page = described
    text = " ".join(run.output.split())
    for says in (
        "LZ complexity below rate-matched surrogates (q < 0.05) in 3 of 3 units.",
        "For 2 of them, this follows from a rate that is locked to the stimulus",
        "For 1 of them, complexity is also below that of surrogates that keep the PSTH",
    ):
        assert says in text and says.replace("<", "&lt;") in page
    table = pd.read_csv(output / "units.csv")
    assert table["lz_locked_q"].notna().all() and "<td>lz_locked_ratio</td>" in page
    section = page.split('<section id="unit-2">')[1].split("</section>")[0]
    assert "a rate locked to the stimulus does not explain it" in section


def test_without_repeats_the_page_says_that_it_cannot_be_told(tmp_path):
    times = 0.02 + np.cumsum(np.random.default_rng(1).normal(0.05, 0.002, 400))
    np.save(tmp_path / "cell.npy", times)
    run = describe(tmp_path / "cell.npy", "--surrogates", 99, "-o", tmp_path / "out")
    assert run.exit_code == 0, run.exception
    page = (tmp_path / "out" / "report.html").read_text()
    says = "For this unit, it cannot be told whether this follows from a rate that is locked"
    assert says in page and says in " ".join(run.output.split())
    assert "there is no peristimulus time histogram" in page
    assert not (tmp_path / "out" / "stimuli.csv").exists()


def test_pairs_are_written_as_numbers(described):
    frame = pd.read_csv(described[1] / "correlograms.csv")
    pair = frame[(frame["first"].str.endswith("a")) & (frame["second"].str.endswith("b"))]
    assert len(pair) == 101 and pair["lag_s"].iloc[[0, -1]].tolist() == pytest.approx([-0.05, 0.05])
    assert (pair["low_95"] <= pair["expected"]).all()
    assert (pair["expected"] <= pair["high_95"]).all()
    assert pair["count"].between(pair["low_95"], pair["high_95"]).mean() > 0.85


def test_stimuli_are_a_table(described):
    frame = pd.read_csv(described[1] / "stimuli.csv")
    assert frame[["stimulus", "n_units", "n_repeats"]].values.tolist() == [[0, 3, REPEATS]]
    assert frame["t_stop"].tolist() == [STOP]
    assert "<dt>fano_factor</dt>" in described[2]


def test_chosen_panels_alone_are_drawn(session, tmp_path):
    for options, n_images, says in (
        (("--panels", "b"), 2, "Panels of 1 of 3 units"),
        (("--panels", "none"), 1, "Panels of 0 of 3 units"),
    ):
        run = describe(session, "--surrogates", 0, *options, "-o", tmp_path / "out")
        assert run.exit_code == 0, run.exception
        text = (tmp_path / "out" / "report.html").read_text()
        assert Page(text).images == n_images and says in text


@pytest.mark.long
def test_all_panels_are_drawn_where_they_are_asked_for(session, tmp_path):
    """As they are without the option, which other tests see."""
    run = describe(session, "--surrogates", 0, "--panels", "all", "-o", tmp_path / "out")
    assert run.exit_code == 0, run.exception
    text = (tmp_path / "out" / "report.html").read_text()
    assert Page(text).images == 4 and "Panels of all 3 units" in text
    assert "unit-0" in Page(text).places


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--panels", "z"), "There is no unit 'z'; known are a, b, c."),
        (("--pairs", "a"), "'a' is not a pair of units, expected two names as in A:B."),
        (("--pairs", "a:z"), "There is no unit 'z'; known are a, b, c."),
        (("--pairs", "a:a"), "'a:a' is a pair of a unit with itself"),
    ],
)
def test_units_that_are_not_there_are_named_before_anything_is_computed(
    session, tmp_path, monkeypatch, options, says
):
    monkeypatch.setattr(
        "neurocode.cli.describe_report.described", lambda *_: pytest.fail("computed first")
    )
    run = describe(session, *options, "-o", tmp_path / "out")
    message = str(run.exception).replace("session/session/", "")
    message = re.sub(r"\S*session\d*/session/", "", message)
    assert isinstance(run.exception, DataError) and says in message
    assert not (tmp_path / "out").exists()


def test_names_of_units_lead_to_one_unit():
    names, files = ["x/1", "x/11", "y/1", "2"], ["x", "x", "y", "z"]
    assert unit_of(names, files, "11") == 1 and unit_of(names, files, "y/1") == 2
    assert unit_of(names, files, "z/2") == 3
    with pytest.raises(DataError, match="2 units are called '1'"):
        unit_of(names, files, "1")
    assert chosen_units(names, files, ["2", "11", "2"], []) == [3, 1]
    assert chosen_units(["all"], ["f"], ["all"], [0]) == [0]
    assert chosen_units(list("ab") * 50, ["f"] * 100, [], list(range(100))) == list(range(60))
    assert chosen_pairs(["a:b", "c"], ["f", "f"], ["a:b:c", "c:a:b"]) == [(0, 1), (1, 0)]


def test_units_that_were_not_recorded_together_have_no_correlogram(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(1, 10) * 0.1)
    np.save(tmp_path / "b.npy", np.arange(1, 30) * 0.1)
    places = (tmp_path / "a.npy", tmp_path / "b.npy")
    options = ("--surrogates", 0, "-o", tmp_path / "out", "--pairs")
    pair = f"{tmp_path.name}/a:{tmp_path.name}/b"
    assert describe(*places, *options, pair).exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "No cross-correlogram: The trains of the units" in page
    run = describe(*places, "--t-stop", 3.0, *options, pair)
    assert run.exit_code == 0, run.exception
    page = (tmp_path / "out" / "report.html").read_text()
    assert "The units come from two files, a and b" in page and "No cross-correl" not in page


def test_all_pages_share_one_style(tmp_path):
    page = write_page(tmp_path / "page.html", "Title", []).read_text()
    for rule in ("prefers-color-scheme: dark", "@media print", "focus-visible", "width=device"):
        assert rule in page

"""Terms in TOML files: what is written is read, and every fault is one sentence that names the
file, the key and what was expected."""

from __future__ import annotations

import pytest

import neurocode as nc
from neurocode.errors import ModelError

TEXT = """
name = "mine"
description = "A current that relaxes"
source = "Our choice, not from a paper"
current = "I_m"
equations = '''
I_m = g_m*w_m*(v - E_m) : amp
dw_m/dt = (s_m - w_m)/tau_m : 1
'''
reset = "w_m += 1"
absent = { g_m = "0 nS" }
grid = { tau_m = ["10 ms", "0.1 s"] }
potentials = ["E_m"]
shared = ["E_m"]
initial = { w_m = "s_m" }

[parameters]
g_m = { value = "2 nS", bounds = ["0 nS", "20 nS"], description = "conductance" }
E_m = { value = "-80 mV", fixed = true }
tau_m = { value = "20 ms", bounds = ["1 ms", "1 s"] }
s_m = 0.25
"""


def read(folder, *changes):
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "mine.toml"
    path.write_text(text)
    return nc.terms.read(path)


def test_values_are_those_of_the_file(tmp_path):
    term = read(tmp_path)
    assert (term.name, term.current, term.threshold, term.reset) == ("mine", "I_m", "", "w_m += 1")
    assert term.absent == {"g_m": 0.0} and term.amplitudes == ("g_m",)
    assert term.grid == {"tau_m": (10.0, pytest.approx(100.0))}
    assert (term.potentials, term.shared, dict(term.initial)) == (
        ("E_m",),
        ("E_m",),
        {"w_m": "s_m"},
    )
    assert term.parameters["tau_m"].bounds == (1.0, 1000.0) and term.parameters["E_m"].fixed
    assert nc.terms.named(str(tmp_path / "mine.toml")) == term
    assert nc.terms.add(nc.models.lif(), term).values["s_m"] == 0.25


def test_a_screened_term_is_absent_and_unbounded(tmp_path):
    term = read(tmp_path).screened(tau_m="100 ms")
    assert term.parameters["g_m"].value == 0.0
    assert term.parameters["g_m"].bounds == (-float("inf"), float("inf"))
    assert [name for name, p in term.parameters.items() if not p.fixed] == ["g_m"]
    assert term.parameters["tau_m"].value == 100.0


def test_an_amplitude_may_be_absent_at_one(tmp_path):
    term = read(
        tmp_path,
        ("I_m = g_m*w_m*(v - E_m)", "I_m = 5*nS*(1 - g_m)*w_m*(v - E_m)"),
        ('g_m = "0 nS"', "g_m = 1"),
        ('value = "2 nS", bounds = ["0 nS", "20 nS"]', "value = 2, bounds = [0, 20]"),
    )
    assert term.absent == {"g_m": 1.0} and term.screened().parameters["g_m"].value == 1.0


def test_a_held_state_is_held_where_there_is_a_refractory_period(tmp_path):
    term = read(tmp_path, ("(s_m - w_m)/tau_m : 1", "(s_m - w_m)/tau_m : 1 (unless refractory)"))
    held = nc.terms.add(nc.models.lif(), term)
    free = nc.terms.add(nc.models.escape_lif(), term, potential=("-70 mV", "5 mV"))
    flags = [{e.name: e.flags for e in model.parsed}["w_m"] for model in (held, free)]
    assert flags == [("unless refractory",), ()]


#: A change of the file, and what is said about it.
FAULTS = [
    (('name = "mine"', ""), "the key 'name' is missing"),
    (('source = "Our', 'sauce = "Our'), "unknown key 'sauce'; known are absent, current"),
    (('reset = "w_m', 'margin = "w_m'), "unknown key 'margin'; write threshold = 'theta_2'"),
    (('name = "mine"', 'name = "My term"'), "the key 'name' must be at most 40 small letters"),
    (("A current that relaxes", ""), "the key 'description' must be one line of text"),
    (
        ("Our choice, not from a paper", " "),
        "the key 'source' must be one line of text, a paper or",
    ),
    (('current = "I_m"', "current = 3"), "the key 'current' must be text"),
    (('current = "I_m"', ""), "the key 'current' or the key 'threshold' is missing"),
    (
        ('current = "I_m"', 'current = "I_x"'),
        "'I_x', which they do not define; expected a variable",
    ),
    (
        ('current = "I_m"', 'threshold = "I_m"'),
        "'threshold' names 'I_m', of unit amp; expected .* volt",
    ),
    (('current = "I_m"', 'current = "w_m"'), "'current' names 'w_m', of unit 1; expected .* amp"),
    (("(v - E_m) : amp", "(v - E_m) : volt"), "'current' names 'I_m', of unit volt; expected"),
    (("(v - E_m) : amp", "v*v : amp"), "The equation of 'I_m' .*expected A"),
    (("(v - E_m) : amp", "(u - E_m) : amp"), "equation of 'I_m' uses 'u', which is neither"),
    (("(v - E_m) : amp", "v.real : amp"), "equation of 'I_m' uses 'v.real', which is not allowed"),
    (("dw_m/dt", "dv/dt"), "the term defines 'v', which belongs to the model"),
    (("I_m = g_m*w_m*(v - E_m) : amp", "I_m : amp"), "declares the input 'I_m'; a term has none"),
    (
        ('reset = "w_m', 'reset = "v'),
        "the key 'reset' assigns to 'v', expected a state of the term",
    ),
    (("initial = { w_m", "initial = { v"), "the key 'initial' names 'v', expected a state"),
    (('"s_m" }', '"E_m" }'), "initial value of 'w_m' 'E_m' has the unit V, expected 1"),
    (('absent = { g_m = "0 nS" }', 'absent = "g_m"'), "the key 'absent' must be a table"),
    (('absent = { g_m = "0 nS" }', "absent = { g_m = [0] }"), "must give one value, not a list"),
    (('absent = { g_m = "0 nS" }', "absent = {}"), "must give at least one amplitude"),
    (
        ('absent = { g_m = "0 nS" }', 'absent = { g_x = "0 nS" }'),
        "'absent' names 'g_x', expected one of the parameters g_m",
    ),
    (('absent = { g_m = "0 nS" }', 'absent = { g_m = "0 mV" }'), "'absent', .*not in a unit of nS"),
    (
        ('absent = { g_m = "0 nS" }', 'absent = { g_m = "1 nS" }'),
        "'absent' has g_m = 1, where the current",
    ),
    (('absent = { g_m = "0 nS" }', 'absent = { tau_m = "0 ms" }'), "cannot also be in 'grid' or"),
    (
        ('absent = { g_m = "0 nS" }', 'absent = { E_m = "0 mV" }'),
        "amplitude 'E_m' is fixed, expected",
    ),
    (
        ('["10 ms", "0.1 s"]', '["10 ms", "2 s"]'),
        "'grid' has 2000 ms for 'tau_m', expected .* 1 to 1000",
    ),
    (('["10 ms", "0.1 s"]', '"10 ms"'), "the key 'grid' must give a list of values for 'tau_m'"),
    (
        ('["10 ms", "0.1 s"]', '["10 mV"]'),
        "the key 'grid', parameter 'tau_m': .*not in a unit of ms",
    ),
    (('potentials = ["E_m"]', 'potentials = ["g_m"]'), "'potentials' names 'g_m' in nS, expected"),
    (('potentials = ["E_m"]', 'potentials = "E_m"'), "'potentials' must be a list of names"),
    (
        ('shared = ["E_m"]', 'shared = ["E_x"]'),
        "'shared' names 'E_x', expected one of the parameters",
    ),
    (("s_m = 0.25", "s_m = 0.25\nx_m = 1"), "'x_m' is defined but not used"),
    (("s_m = 0.25", "s_m = [0.25, 0.5]"), "the parameter 's_m' must be a Parameter with one value"),
    (("s_m = 0.25", "s_m = { bounds = [0, 1] }"), "parameter 's_m' takes the keys"),
    (('["1 ms", "1 s"]', '["1 ms", "1 V"]'), "parameter 'tau_m': '1 V' is not in a unit of ms"),
    (("s_m = 0.25", "s_m = "), "not a TOML file"),
]


@pytest.mark.parametrize(("change", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_fault_is_one_sentence_with_file_and_key(change, message, tmp_path):
    with pytest.raises(ModelError, match=message) as error:
        read(tmp_path, change)
    sentence = str(error.value)
    assert sentence.startswith(str(tmp_path / "mine.toml")) and "\n" not in sentence.rstrip()
    assert sentence.endswith(".") or "TOML" in sentence


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="there is no such term file"):
        nc.terms.read(tmp_path / "none.toml")


def test_a_term_shows_where_it_enters_and_its_source():
    text = nc.terms.named("a-type-spikes").summary()
    for line in ("membrane equation: - I_A", "at a spike: h_A *= 1 - u_A", "source: Form and"):
        assert line in text
    assert "threshold: + theta_l" in repr(nc.terms.named("threshold-linear"))
    with pytest.raises(ModelError, match="Term 'a-type' has no parameter 'g'; it has g_A"):
        nc.terms.named("a-type").with_parameters(g=3)
    with pytest.raises(ModelError, match=r"Term 'a-type', parameter 'g_A': .* outside its bounds"):
        nc.terms.named("a-type").with_parameters(g_A="-1 nS")

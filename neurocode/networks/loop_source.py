"""The text of the whole loop: what each template of Brian2 does around the lines of its block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from neurocode.networks.program import Plan, Program
from neurocode.networks.source import LANE, STEP, BlockText


@dataclass(frozen=True)
class LoopSource:
    """A loop over time.

    Attributes
    ----------
    text : str
        One function per block, and ``network_loop(start, stop, rng, *arrays)``, which returns the
        step that it reached: it stops early where a monitor has no room for one more step.
    labels : tuple of str
        What the arrays are.
    """

    text: str
    labels: tuple[str, ...]


def loop_source(plan: Plan, constants: Iterable[str]) -> LoopSource:
    """Return the text of the loop of a network.

    Raises
    ------
    ModelError
        If a block calls a function that has a JAX version only.
    """
    places = {key: place for place, key in enumerate(constants)}
    names: dict[str, str] = {}
    functions, calls, room = [], [], []
    for program in plan.programs:
        text = BlockText(program, plan, places)
        lines = _TEMPLATES[program.block.template](text)
        function = f"block_{program.number}"
        arguments = ["_nc_rng", STEP, *text.arguments.values()]
        functions += [f"def {function}({', '.join(arguments)}):", *_indented(lines, 1), ""]
        given = [names.setdefault(label, f"array_{len(names)}") for label in text.arguments]
        call = f"{function}({', '.join(['_nc_rng', STEP, *given])})"
        calls += _at_its_steps(program, [call])
        if program.block.template == "spikemonitor":
            monitor = program.block.monitor
            count, rows = (names[f"{what} {program.block.name}"] for what in ("count", "rows"))
            size = monitor.stop - monitor.start
            room += [f"if {count}[0] + {size} > len({rows}):", f" return {STEP}"]
    loop = [
        f"def network_loop(_nc_start, _nc_stop, _nc_rng, {', '.join(names.values())}):",
        f" for {STEP} in range(_nc_start, _nc_stop):",
        *_indented(room + calls, 2),
        " return _nc_stop",
    ]
    return LoopSource("\n".join(functions + loop), tuple(names))


def _indented(lines: Iterable[str], depth: int) -> list[str]:
    return [" " * depth + line for line in lines] or [" " * depth + "pass"]


def _at_its_steps(program: Program, lines: list[str]) -> list[str]:
    if program.period == 1:
        return lines
    return [f"if {STEP} % {program.period} == 0:", *_indented(lines, 1)]


def _tick(text: BlockText) -> str:
    """Number of the step of the block's own clock."""
    period = text.program.period
    return STEP if period == 1 else f"{STEP} // {period}"


def _first_tick(text: BlockText) -> str:
    """Number of the first step of the block's clock in a run."""
    return f"(-(-{text.argument('first')}[0] // {text.program.period}))"


def _each_lane(text: BlockText, after: list[str] | None = None) -> list[str]:
    return [
        *text.shared_lines(),
        f"for {LANE} in range({text.block.size}):",
        *_indented(text.lane_lines(after), 1),
    ]


def _stateupdate(text: BlockText) -> list[str]:
    return _each_lane(text)


def _threshold(text: BlockText) -> list[str]:
    ids, count = text.events()
    spike = [f"{ids}[_nc_n] = {LANE}", "_nc_n += 1"]
    if text.block.refractory:
        refractory, last = map(text.array, text.block.refractory)
        now = f"({_tick(text)}) * {text.clock_step!r}"
        spike += [f"{refractory}[{LANE}] = False", f"{last}[{LANE}] = {now}"]
    after = ["if _cond:", *_indented(spike, 1)]
    return ["_nc_n = 0", *_each_lane(text, after), f"{count}[0] = _nc_n"]


def _reset(text: BlockText) -> list[str]:
    ids, count = text.events()
    return [
        *text.shared_lines(),
        f"for _nc_k in range({count}[0]):",
        f" {LANE} = {ids}[_nc_k]",
        *_indented(text.lane_lines(), 1),
    ]


def _synapses(text: BlockText) -> list[str]:
    """Spikes are kept for as long as the longest delay; older ones reach synapses first."""
    pathway, name = text.block.pathway, text.block.name
    if not len(pathway.sources):
        return ["pass"]
    ids, count = text.events()
    lines = [f"_nc_now = {_tick(text)}", *text.shared_lines()]
    if pathway.pending:
        pending, since = text.argument(f"pending {name}"), f"_nc_now - {_first_tick(text)}"
        lines += [
            f"if {since} < len({pending}):",
            f" for {LANE} in {pending}[{since}]:",
            f"  if {LANE} >= 0:",
            *_indented(text.lane_lines(), 3),
        ]
    order, starts, lengths = (
        text.argument(f"{what} {name}") for what in ("order", "starts", "lengths")
    )
    reach = [
        f"for _nc_j in range({starts}[_nc_d, _nc_i], {starts}[_nc_d, _nc_i] + "
        f"{lengths}[_nc_d, _nc_i]):",
        f" {LANE} = {order}[_nc_j]",
        *_indented(text.lane_lines(), 1),
    ]
    if not pathway.delays.any():
        return [
            *lines,
            "_nc_d = 0",
            f"for _nc_k in range({count}[0]):",
            f" _nc_i = {ids}[_nc_k]",
            *_indented(reach, 1),
        ]
    past, kept, delays = (text.argument(f"{what} {name}") for what in ("past", "kept", "delays"))
    return [
        *lines,
        f"_nc_slot = _nc_now % len({kept})",
        f"{kept}[_nc_slot] = {count}[0]",
        f"for _nc_k in range({count}[0]):",
        f" {past}[_nc_slot, _nc_k] = {ids}[_nc_k]",
        f"for _nc_d in range(len({delays})):",
        f" _nc_slot = (_nc_now - {delays}[_nc_d]) % len({kept})",
        f" for _nc_k in range({kept}[_nc_slot]):",
        f"  _nc_i = {past}[_nc_slot, _nc_k]",
        *_indented(reach, 2),
    ]


def _summed_variable(text: BlockText) -> list[str]:
    total = text.block.total
    target, index = text.array(total.target), text.array(total.index)
    return [
        f"{target}[{total.start}:{total.stop}] = 0",
        *_each_lane(text, [f"{target}[{index}[{LANE}]] += _synaptic_var"]),
    ]


def _spikegenerator(text: BlockText) -> list[str]:
    ids, count = text.events()
    slots, neurons = (text.argument(f"{what} {text.block.name}") for what in ("slots", "neurons"))
    row = f"{STEP} - {text.argument('first')}[0]"
    return [
        f"_nc_first, _nc_last = {slots}[{row}, 0], {slots}[{row}, 1]",
        f"{count}[0] = _nc_last - _nc_first",
        "for _nc_k in range(_nc_last - _nc_first):",
        f" {ids}[_nc_k] = {neurons}[_nc_first + _nc_k]",
    ]


def _recorded(text: BlockText, names: Iterable[str], place: str) -> list[str]:
    return [
        f"{text.argument(f'values {text.block.name} {name}')}[{place}] = _to_record_{name}"
        for name in names
    ]


def _row(text: BlockText) -> str:
    """Row of this step in what a monitor has recorded since its buffers were empty."""
    return f"{_tick(text)} - {text.argument(f'origin {text.block.name}')}[0]"


def _statemonitor(text: BlockText) -> list[str]:
    indices = text.argument(f"indices {text.block.name}")
    recorded = _recorded(text, text.block.monitor.variables, "_nc_row, _nc_k")
    return [
        f"_nc_row = {_row(text)}",
        *text.shared_lines(),
        f"for _nc_k in range(len({indices})):",
        f" {LANE} = {indices}[_nc_k]",
        *_indented(text.lane_lines(recorded), 1),
    ]


def _spikemonitor(text: BlockText) -> list[str]:
    monitor, name = text.block.monitor, text.block.name
    ids, number = text.events()
    rows, neurons, count = (
        text.argument(f"{what} {name}") for what in ("rows", "neurons", "count")
    )
    variables = [each for each in monitor.variables if each not in ("i", "t")]
    recorded = [
        *_recorded(text, variables, "_nc_n"),
        f"{rows}[_nc_n] = _nc_now",
        f"{neurons}[_nc_n] = {LANE} - {monitor.start}",
        "_nc_n += 1",
    ]
    return [
        f"_nc_n, _nc_now = {count}[0], {_tick(text)}",
        *text.shared_lines(),
        f"for _nc_k in range({number}[0]):",
        f" {LANE} = {ids}[_nc_k]",
        f" if {LANE} >= {monitor.start} and {LANE} < {monitor.stop}:",
        *_indented(text.lane_lines(recorded), 2),
        f"{count}[0] = _nc_n",
    ]


def _ratemonitor(text: BlockText) -> list[str]:
    monitor, name = text.block.monitor, text.block.name
    ids, number = text.events()
    size = monitor.stop - monitor.start
    return [
        "_nc_n = 0",
        f"for _nc_k in range({number}[0]):",
        f" if {ids}[_nc_k] >= {monitor.start} and {ids}[_nc_k] < {monitor.stop}:",
        "  _nc_n += 1",
        f"{text.argument(f'values {name} rate')}[{_row(text)}] = "
        f"_nc_n / {text.clock_step!r} / {size}",
    ]


_TEMPLATES = {
    "stateupdate": _stateupdate,
    "threshold": _threshold,
    "reset": _reset,
    "synapses": _synapses,
    "summed_variable": _summed_variable,
    "spikegenerator": _spikegenerator,
    "statemonitor": _statemonitor,
    "spikemonitor": _spikemonitor,
    "ratemonitor": _ratemonitor,
}

"""The flow chart's layout: boxes, arrows and notes computed from a flow; :mod:`workflow.core.chart_svg` draws them.

One column of main states with side states (corrections, refusals) beside the main state they leave from. Ways between
neighbours are arrows; every other way is a note in words, so that no line runs across the drawing. Units are SVG user
units, about a CSS pixel at full width; the whole is 340 wide so that a phone of 390 px shows it unscaled inside a card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise

from workflow.core.actors import ROLE_LABELS
from workflow.core.chart_text import wrap, wrap_parts
from workflow.core.errors import N_
from workflow.core.flow import Flow, State, StateKind

WIDTH = 340
LABEL_SIZE, LABEL_LINE, SUB_SIZE, SUB_LINE = 15, 20, 13, 17
_MAIN_X, _MAIN_W, _SIDE_X, _SIDE_W = 2, 172, 214, 124
_BOX_H, _SIDE_H, _GAP, _TOP, _BOTTOM = 46, 42, 26, 20, 12
_PAD, _NOTE_GAP, _PORT = 16, 4, 7
_DOWN, _UP, _SIDE_DOWN, _SIDE_UP = _MAIN_X + 24, _MAIN_X + 42, _SIDE_X + 8, _SIDE_X + 22
_BACK_LANE, _OUT_LANE = 186, 202
_NOTE_X, _NOTE_END = _MAIN_X + 54, 184


@dataclass(frozen=True, slots=True)
class ChartWords:
    """What a chart says besides the flow's own labels; the defaults are the Chinese source texts."""

    here: str = N_("您在这里")
    back: str = N_("可退回：%(states)s")
    again: str = N_("可重新进入：%(states)s")
    also_from: str = N_("也可来自：%(states)s")
    also_from_many: str = N_("另 %(n)s 个环节可转入")
    done: str = N_("已完成")
    now: str = N_("进行中")
    ahead: str = N_("未开始")
    result: str = N_("结果")
    possible: str = N_("可能的情况")
    days: str = N_("%(n)s 个工作日")
    latin: bool = False

    def said(self, say: Callable[[str], str], *, latin: bool) -> ChartWords:
        """These words through ``say`` (gettext); ``latin`` chooses the punctuation between names."""
        texts = {f.name: say(getattr(self, f.name)) for f in fields(self) if f.name != "latin"}
        return ChartWords(**texts, latin=latin)

    def listed(self, names: Iterable[str]) -> str:
        """Names in a row with the language's own comma."""
        return (", " if self.latin else "、").join(names)


SOURCE_WORDS = ChartWords()


@dataclass(frozen=True, slots=True)
class Box:
    """A state: ``kind`` is ``done``, ``here``, ``next``, ``end_good``, ``end_bad`` or ``side``.

    ``label`` (at 15 units) and ``sub`` (at 13 units, may be empty) carry their line breaks.
    """

    key: str
    x: int
    y: int
    w: int
    h: int
    label: str
    sub: str
    kind: str
    here: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from ``source`` to ``dest`` as points, the head at the last; ``kind`` is ``main``, ``side`` or ``back``."""

    points: tuple[tuple[int, int], ...]
    kind: str
    source: str
    dest: str


@dataclass(frozen=True, slots=True)
class Note:
    """Words under the box of ``key`` for ways that no arrow shows; ``ways`` are those, as pairs of states."""

    key: str
    x: int
    y: int
    w: int
    text: str
    ways: tuple[tuple[str, str], ...]

    @property
    def h(self) -> int:
        """The height in user units."""
        return (self.text.count("\n") + 1) * SUB_LINE


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    notes: tuple[Note, ...] = ()


def sub_lines(flow: Flow, words: ChartWords = SOURCE_WORDS, say: Callable[[str], str] = str) -> dict[str, str]:
    """For each state with a holder who that is and for how many working days: ``专班科员 · 2 个工作日``."""
    found = {}
    for state in flow.states.values():
        if state.holder is not None:
            role = say(ROLE_LABELS[state.holder])
            found[state.key] = f"{role} · {words.days % {'n': state.days}}" if state.days else role
    return found


class _Plan:
    """Which state stands where and how the ways between them are shown, before anything has a size."""

    def __init__(self, flow: Flow) -> None:
        drawn = [s.key for s in flow.states.values() if s.kind is not StateKind.DRAFT]
        self.flow = flow
        self.main = [k for k in flow.main if k in drawn] or drawn[:1]
        self.ways = list(
            dict.fromkeys((a, s.dest) for s in flow.steps for a in s.sources if a != s.dest and a in drawn)
        )
        self.beside = self._beside([k for k in drawn if k not in self.main])
        order = {key: float(n) for n, key in enumerate(self.main)}
        self.rank = order | {side: order[home] + 0.5 for home, sides in self.beside.items() for side in sides}
        down = set(pairwise(self.main)) | {p for sides in self.beside.values() for p in pairwise(sides)}
        out = {(home, side) for home, sides in self.beside.items() for side in sides}
        near = down | out | {(b, a) for a, b in down | out}
        self.shown = frozenset(w for w in self.ways if w in near)

    def _beside(self, sides: list[str]) -> dict[str, list[str]]:
        """Side states by the main state beside which they stand: the last one with a step to them.

        One that only side states lead to stands below the first of these; the rest beside the first main state.
        """
        stacks: dict[str, list[str]] = {key: [] for key in self.main}
        left: list[str] = []
        for side in sides:
            homes = [m for m in self.main if (m, side) in self.ways]
            (stacks[homes[-1]] if homes else left).append(side)
        while left:
            found = next(((s, t, a) for s in left for t in stacks.values() for a in t if (a, s) in self.ways), None)
            if found is None:
                stacks[self.main[0]] += left
                break
            side, stack, above = found
            stack.insert(stack.index(above) + 1, side)
            left.remove(side)
        return stacks

    def told(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """The ways in words: by source where they lead back to, and by destination where else they come from."""
        back: dict[str, list[str]] = {}
        also: dict[str, list[str]] = {}
        for source, dest in self.ways:
            if (source, dest) in self.shown:
                continue
            if dest not in self.rank or (dest in self.main and self.rank[dest] < self.rank[source]):
                back.setdefault(source, []).append(dest)
            else:
                also.setdefault(dest, []).append(source)
        return back, also


class _Layout:
    """Puts the plan's states into boxes from top to bottom."""

    def __init__(self, plan: _Plan, here: str, visited: frozenset[str], locale: str, words: ChartWords) -> None:
        self.plan, self.here, self.visited, self.locale, self.words = plan, here, visited, locale, words
        self.back, self.also = plan.told()
        self.boxes: dict[str, Box] = {}
        self.notes: list[Note] = []

    def _name(self, key: str) -> str:
        return self.plan.flow.state(key).label.text(self.locale)

    def _kind(self, state: State, *, main: bool) -> str:
        if state.key == self.here:
            bad = state.kind is StateKind.ENDED
            return "end_bad" if bad else "end_good" if state.kind is StateKind.APPROVED else "here"
        if state.key in self.visited and main:
            return "done"
        return "next" if main else "side"

    def _box(self, key: str, x: int, w: int, least: int, sub: str) -> Box:
        """The box of a state, still at the top edge."""
        state, main = self.plan.flow.state(key), x == _MAIN_X
        label = wrap(self._name(key), w - _PAD, LABEL_SIZE)
        sub = wrap_parts(sub, w - _PAD, SUB_SIZE)
        lines = (label.count("\n") + 1) * LABEL_LINE + ((sub.count("\n") + 1) * SUB_LINE if sub else 0)
        return Box(key, x, 0, w, max(least, lines + 10), label, sub, self._kind(state, main=main), key == self.here)

    def _words_below(self, key: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
        found = []
        if dests := self.back.get(key):
            ended = self.plan.flow.state(key).kind is not StateKind.OPEN
            words = self.words.again if ended else self.words.back
            names = self.words.listed(self._name(d) for d in dests)
            found.append((words % {"states": names}, tuple((key, d) for d in dests)))
        if sources := self.also.get(key):
            names = self.words.listed(self._name(s) for s in sources)
            few = self.words.also_from % {"states": names}
            text = few if len(sources) <= 2 else self.words.also_from_many % {"n": len(sources)}
            found.append((text, tuple((s, key) for s in sources)))
        return found

    def _put(self, box: Box, y: int, note_x: int, note_end: int) -> int:
        """Place a box with its notes; returns where it all ends."""
        self.boxes[box.key] = Box(box.key, box.x, y, box.w, box.h, box.label, box.sub, box.kind, box.here)
        end = y + box.h
        for words, ways in self._words_below(box.key):
            text = wrap(words, note_end - note_x, SUB_SIZE)
            note = Note(box.key, note_x, end + _NOTE_GAP, note_end - note_x, text, ways)
            self.notes.append(note)
            end = note.y + note.h
        return end

    def run(self, subs: Mapping[str, str]) -> int:
        """Place everything; returns where the drawing ends."""
        y = end = _TOP
        for home in self.plan.main:
            box = self._box(home, _MAIN_X, _MAIN_W, _BOX_H, subs.get(home, ""))
            end = self._put(box, y, _NOTE_X, _NOTE_END)
            sides = self.plan.beside[home]
            side_y = y
            for number, key in enumerate(sides):
                side = self._box(key, _SIDE_X, _SIDE_W, _SIDE_H, subs.get(key, ""))
                if number == 0:
                    side_y = max(y, y + (box.h - side.h) // 2)
                arrows = key != sides[-1] and not {(key, sides[number + 1]), (sides[number + 1], key)}.isdisjoint(
                    self.plan.shown
                )
                bottom = self._put(side, side_y, _SIDE_X + (30 if arrows else 2), WIDTH - 2)
                end, side_y = max(end, bottom), bottom + _GAP
            y = end + _GAP
        return end + _BOTTOM


def draw(
    flow: Flow,
    here: str,
    visited: Iterable[str] = (),
    locale: str = "zh_Hans",
    subs: Mapping[str, str] | None = None,
    words: ChartWords = SOURCE_WORDS,
) -> Chart:
    """Lay out ``flow`` with the case in state ``here``; ``visited`` states are done, ``subs`` small second lines.

    Every step between two different states is an arrow or part of a note, except the steps that leave the draft.
    """
    plan = _Plan(flow)
    layout = _Layout(plan, here, frozenset(visited), locale, words)
    height = layout.run(subs or {})
    arrows = [*_down_arrows(plan, layout.boxes), *_side_arrows(plan, layout.boxes)]
    return Chart(WIDTH, height, tuple(layout.boxes.values()), tuple(arrows), tuple(layout.notes))


def _down_arrows(plan: _Plan, boxes: Mapping[str, Box]) -> Iterable[Arrow]:
    """Between neighbours of a column: down, and beside it the way back up."""
    columns = [(plan.main, _DOWN, _UP, "main"), *((s, _SIDE_DOWN, _SIDE_UP, "side") for s in plan.beside.values())]
    for column, down, up, kind in columns:
        for above, below in pairwise(column):
            end, start = boxes[below].y, boxes[above].y + boxes[above].h
            if (above, below) in plan.shown:
                yield Arrow(((down, start), (down, end)), kind, above, below)
            if (below, above) in plan.shown:
                yield Arrow(((up, end), (up, start)), "back", below, above)


def _ports(box: Box, *, both: bool) -> tuple[int, int]:
    """Where ways leave a main state for the side and come back to it (the other way round for a side state)."""
    middle = box.y + box.h // 2
    return (middle - _PORT, middle + _PORT) if both else (middle, middle)


def _side_arrows(plan: _Plan, boxes: Mapping[str, Box]) -> Iterable[Arrow]:
    """From a main state to the states beside it, and back on a lane of their own."""
    for home, sides in plan.beside.items():
        start = boxes[home]
        edge = start.x + start.w
        outs = {s for s in sides if (home, s) in plan.shown}
        backs = {s for s in sides if (s, home) in plan.shown}
        leave, enter = _ports(start, both=bool(outs and backs))
        for side in sides:
            box = boxes[side]
            goes, comes = _ports(box, both=side in outs and side in backs)
            if side == sides[0]:
                goes, comes = leave, enter
            if side in outs:
                yield Arrow(_elbow((edge, leave), _OUT_LANE, (box.x, goes)), "side", home, side)
            if side in backs:
                yield Arrow(_elbow((box.x, comes), _BACK_LANE, (edge, enter)), "back", side, home)


def _elbow(start: tuple[int, int], lane: int, end: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return (start, end) if start[1] == end[1] else (start, (lane, start[1]), (lane, end[1]), end)

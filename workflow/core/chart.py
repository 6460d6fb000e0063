"""The flow chart's layout: boxes and arrows computed from a flow, drawn as SVG by a template.

One column of main states with side states (corrections, refusals) beside the main state they leave from. Units are
SVG user units, about a CSS pixel at full width; the whole is 340 wide so that a phone of 390 px shows it unscaled
inside a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workflow.core.flow import Flow, State, StateKind

WIDTH = 340
_MAIN_X, _MAIN_W, _SIDE_X, _SIDE_W = 2, 172, 214, 124
_BOX_H, _SIDE_H, _GAP, _SIDE_GAP = 46, 42, 26, 22


@dataclass(frozen=True, slots=True)
class Box:
    """A state: ``kind`` is ``done``, ``here``, ``next``, ``end_good``, ``end_bad`` or ``side``."""

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
    """A way from box to box as points; ``kind`` is ``main`` or ``side``."""

    points: tuple[tuple[int, int], ...]
    kind: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def _side_states(flow: Flow) -> Mapping[str, list[State]]:
    """Side states by the main state beside which they stand: the last main state with a step to them."""
    beside: dict[str, list[State]] = {}
    for state in flow.states.values():
        if state.key in flow.main or state.kind is StateKind.DRAFT:
            continue
        homes = [m for m in flow.main if any(s.dest == state.key for s in flow.steps_from(m))]
        if not homes:
            sources = [s.sources[0] for s in flow.steps if s.dest == state.key]
            homes = [k for k, v in beside.items() if any(o.key in sources for o in v)] or [flow.main[0]]
        beside.setdefault(homes[-1], []).append(state)
    return beside


def _kind(state: State, here: str, visited: frozenset[str], *, main: bool) -> str:
    if state.key == here:
        bad = state.kind is StateKind.ENDED
        return "end_bad" if bad else "end_good" if state.kind is StateKind.APPROVED else "here"
    if state.key in visited and main:
        return "done"
    return "next" if main else "side"


_PAD, _LINE, _SUB_LINE = 16, 20, 18


def _em(char: str) -> float:
    """The width of a character in user units at the label's size of 15: Chinese is square, Latin about half."""
    return 15.0 if ord(char) >= 0x2E80 else 7.9


def wrap(label: str, width: int) -> str:
    """``label`` with line breaks so that each line fits into ``width``: between words, or anywhere in Chinese."""
    lines, line = [""], 0.0
    for piece in re.findall(r"[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*", label):
        size = sum(_em(c) for c in piece.rstrip())
        if lines[-1] and line + size > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
            line = 0.0
        lines[-1] += piece
        line += sum(_em(c) for c in piece)
    return "\n".join(text.rstrip() for text in lines)


def _height(label: str, sub: str, least: int) -> int:
    lines = label.count("\n") + 1
    return max(least, lines * _LINE + (_SUB_LINE if sub else 0) + 8)


def draw(
    flow: Flow,
    here: str,
    visited: Iterable[str] = (),
    locale: str = "zh_Hans",
    subs: Mapping[str, str] | None = None,
) -> Chart:
    """Lay out ``flow`` with the case in state ``here``; ``visited`` states are done, ``subs`` small second lines."""
    subs = subs or {}
    beside = _side_states(flow)
    been = frozenset(visited)
    boxes: dict[str, Box] = {}
    arrows: list[Arrow] = []
    y, before = 20, None
    for key in flow.main:
        state = flow.state(key)
        kind = _kind(state, here, been, main=True)
        label, sub = wrap(state.label.text(locale), _MAIN_W - _PAD), subs.get(key, "")
        box = Box(key, _MAIN_X, y, _MAIN_W, _height(label, sub, _BOX_H), label, sub, kind, key == here)
        boxes[key] = box
        if before is not None:
            middle = _MAIN_X + _MAIN_W // 2
            arrows.append(Arrow(((middle, before.y + before.h), (middle, y)), "main"))
        side_y = y + (_BOX_H - _SIDE_H) // 2
        for side in beside.get(key, []):
            label, sub = wrap(side.label.text(locale), _SIDE_W - _PAD), subs.get(side.key, "")
            side_kind, tall = _kind(side, here, been, main=False), _height(label, sub, _SIDE_H)
            boxes[side.key] = Box(side.key, _SIDE_X, side_y, _SIDE_W, tall, label, sub, side_kind, side.key == here)
            side_y += tall + _SIDE_GAP
        before = box
        y = max(y + box.h + _GAP, side_y + _SIDE_GAP)
    arrows += _side_arrows(flow, boxes, beside)
    return Chart(WIDTH, y - _GAP + 12, tuple(boxes.values()), tuple(arrows))


def _side_arrows(flow: Flow, boxes: Mapping[str, Box], beside: Mapping[str, list[State]]) -> Iterable[Arrow]:
    for home, sides in beside.items():
        start = boxes[home]
        middle = start.y + start.h // 2
        for side in sides:
            end = boxes[side.key]
            end_y = end.y + end.h // 2
            turn = (_MAIN_X + _MAIN_W + _SIDE_X) // 2
            points = [(start.x + start.w, middle)]
            if end_y != middle:
                points += [(turn, middle), (turn, end_y)]
            yield Arrow((*points, (end.x, end_y)), "side")

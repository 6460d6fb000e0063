"""Draws a laid-out flow chart as SVG: one drawer for pages, the printed receipt and the pages under docs/flows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from workflow.core.chart import (
    LABEL_LINE,
    LABEL_SIZE,
    SUB_LINE,
    SUB_SIZE,
    Arrow,
    Box,
    Chart,
    ChartWords,
    Note,
)
from workflow.core.chart_text import width_of

_UNPRINTABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKER_H, _MARKER_PAD, _MARGIN = 20, 20, 10
CHART_OPENING = '<svg class="fg-flow__svg"'
"""How every drawing begins."""
_CENTRED = ' text-anchor="middle"'
_FONTS = 'Fugong,"Fugong Full","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif'

STYLE = f"""
.fg-flow__svg{{font-family:{_FONTS}}}
.fg-flow__paper{{fill:#fff}}
.fg-flow__box>rect{{fill:#fff;stroke:#525e6c;stroke-width:1.5}}
.fg-flow__label{{font-family:{_FONTS};font-size:{LABEL_SIZE}px;fill:#17212e}}
.fg-flow__sub,.fg-flow__note{{font-family:{_FONTS};font-size:{SUB_SIZE}px;fill:#46515e}}
.fg-flow__note{{fill:#704300}}
.fg-flow__box--done>rect{{fill:#eef6f1;stroke:#0f6b42}}
.fg-flow__tick circle{{fill:#0f6b42;stroke:#fff;stroke-width:2}}
.fg-flow__tick path{{fill:none;stroke:#fff;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}}
.fg-flow__box--here>rect{{fill:#e6eff9;stroke:#0f3866;stroke-width:2.5}}
.fg-flow__box--end_good>rect{{fill:#eef6f1;stroke:#0f6b42;stroke-width:2.5}}
.fg-flow__box--end_bad>rect{{fill:#fbeceb;stroke:#96190f;stroke-width:2.5}}
.fg-flow__box--side>rect{{fill:#fdf8ec;stroke:#85611c;stroke-dasharray:4 3}}
.fg-flow__here rect{{fill:#0f3866}}
.fg-flow__here text{{font-family:{_FONTS};font-size:{SUB_SIZE}px;font-weight:700;fill:#fff}}
.fg-flow__arrow{{fill:none;stroke:#525e6c;stroke-width:1.75;stroke-linejoin:round}}
.fg-flow__arrow--side,.fg-flow__arrow--back{{stroke:#85611c;stroke-dasharray:4 3}}
.fg-flow__head{{fill:#525e6c}}
.fg-flow__head--side,.fg-flow__head--back{{fill:#85611c}}
"""
"""The style sheet of a drawing that stands alone: on white paper of its own, told apart in grey too, no web font."""


def _text(words: str) -> str:
    """``words`` for the inside of an element or attribute; characters that XML can't hold are left out."""
    return escape(_UNPRINTABLE.sub("", words), quote=True)


def _lines(words: str, css: str, x: float, baseline: float, step: int, anchor: str = "") -> Iterator[str]:
    for number, line in enumerate(words.split("\n")):
        yield f'<text class="{css}" x="{x:g}" y="{baseline + number * step:g}"{anchor}>{_text(line)}</text>'


def _arrow(arrow: Arrow) -> str:
    """A line with a head of its own: no marker, which some viewers and printers leave out."""
    (from_x, from_y), (x, y) = arrow.points[-2:]
    across, along = (from_y == y), (1 if x > from_x or y > from_y else -1)
    back, wing = 8 * along, 4
    head = (
        f"{x},{y} {x - back},{y - wing} {x - back},{y + wing}"
        if across
        else f"{x},{y} {x - wing},{y - back} {x + wing},{y - back}"
    )
    last = (x - back // 2, y) if across else (x, y - back // 2)
    line = " ".join(f"{a},{b}" for a, b in (*arrow.points[:-1], last))
    return (
        f'<polyline class="fg-flow__arrow fg-flow__arrow--{arrow.kind}" points="{line}"/>'
        f'<polygon class="fg-flow__head fg-flow__head--{arrow.kind}" points="{head}"/>'
    )


def marker_width(words: str) -> float:
    """The width of the flag over the box where the case is."""
    return width_of(words, SUB_SIZE) + _MARKER_PAD


def _marker(box: Box, words: str) -> str:
    wide = min(marker_width(words), box.w - 8)
    x = box.x + box.w - 4 - wide
    middle = x + wide / 2
    return (
        f'<g class="fg-flow__here"><rect x="{x:g}" y="{box.y - 18}" width="{wide:g}" height="{_MARKER_H}" rx="10"/>'
        f'<text x="{middle:g}" y="{box.y - 3.5:g}"{_CENTRED}>{_text(words)}</text></g>'
    )


def _tick(box: Box) -> str:
    place = f"translate({box.x + box.w - 9} {box.y - 1})"
    return f'<g class="fg-flow__tick" transform="{place}"><circle r="9" cx="0" cy="4"/><path d="M-4 4l3 3 5-6"/></g>'


def _box(box: Box, words: ChartWords) -> Iterator[str]:
    rows = box.label.count("\n") + 1
    tall = rows * LABEL_LINE + ((box.sub.count("\n") + 1) * SUB_LINE if box.sub else 0)
    top, middle = box.y + (box.h - tall) / 2, box.x + box.w / 2
    round_end = box.kind in ("end_good", "end_bad") and rows == 1 and not box.sub
    yield f'<g class="fg-flow__box fg-flow__box--{box.kind}">'
    radius = box.h / 2 if round_end else 8
    yield f'<rect x="{box.x}" y="{box.y}" width="{box.w}" height="{box.h}" rx="{radius:g}"/>'
    yield from _lines(box.label, "fg-flow__label", middle, top + 15.5, LABEL_LINE, _CENTRED)
    if box.sub:
        yield from _lines(box.sub, "fg-flow__sub", middle, top + rows * LABEL_LINE + 13, SUB_LINE, _CENTRED)
    if box.kind == "done":
        yield _tick(box)
    if box.here:
        yield _marker(box, words.here)
    yield "</g>"


def _note(note: Note) -> Iterator[str]:
    return _lines(note.text, "fg-flow__note", note.x, note.y + 13, SUB_LINE)


def svg(
    chart: Chart,
    *,
    id: str,
    title: str,
    desc: str,
    words: ChartWords,
    standalone: bool = False,
    paper: bool = True,
) -> str:
    """The chart as one ``<svg>`` element, every text escaped; ``id`` is unique on the page.

    For a page the classes ``fg-flow__…`` are left to its style sheet. With ``standalone`` the drawing brings
    :data:`STYLE` along, and with ``paper`` a white ground, so that it can be a file, be printed or stand in a PDF.
    """
    key, margin = _text(id), _MARGIN if standalone else 0
    width, height = chart.width + 2 * margin, chart.height
    size = (
        f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        if standalone
        else f'width="{width / 16:g}rem" height="{height / 16:g}rem"'
    )
    parts = [
        f'{CHART_OPENING} {size} viewBox="{-margin} 0 {width} {height}" role="img"'
        f' aria-labelledby="{key}-title {key}-desc">',
        f'<title id="{key}-title">{_text(title)}</title>',
        f'<desc id="{key}-desc">{_text(desc)}</desc>',
    ]
    if standalone:
        parts.append(f"<style>{STYLE}</style>")
    if standalone and paper:
        parts.append(f'<rect class="fg-flow__paper" x="{-margin}" width="{width}" height="{height}" rx="8"/>')
    parts += [_arrow(a) for a in chart.arrows]
    parts += [line for note in chart.notes for line in _note(note)]
    parts += [line for box in chart.boxes for line in _box(box, words)]
    parts.append("</svg>")
    return "\n".join(parts)


_TAG = re.compile(
    r"</?(?:svg|title|desc|rect|g|text|circle|path|polyline|polygon)"
    r"(?: (?:xmlns|width|height|viewBox|role|aria-labelledby|id|class|x|y|rx|r|cx|cy|d|points|transform|text-anchor)"
    r'="[^"<>]*")*/?>'
)


def is_drawing(text: str) -> bool:
    """Whether ``text`` can only be a drawing of :func:`svg` that stands alone: no other element, attribute or style.

    Nothing that passes can name an address or run, whoever wrote it.
    """
    return text.startswith(CHART_OPENING) and "<" not in _TAG.sub("", text.replace(f"<style>{STYLE}</style>", "", 1))


def _joined(text: str, *, latin: bool) -> str:
    """A wrapped text on one line again."""
    return re.sub(r"(?<=[^\s\u2e80-\uffff])\n|\n(?=[^\s\u2e80-\uffff])", " ", text).replace("\n", " " if latin else "")


def described(chart: Chart, words: ChartWords) -> str:
    """The chart said in words, a clause a box, for those who do not see it; where the case is only if it is known."""
    kinds = {
        "done": words.done,
        "here": words.now,
        "next": words.ahead,
        "end_good": words.result,
        "end_bad": words.result,
        "side": words.possible,
    }
    opening, closing, comma, stop = (" (", ")", ", ", "; ") if words.latin else ("（", "）", "，", "；")
    known = any(box.here for box in chart.boxes)
    clauses = []
    for box in chart.boxes:
        notes = [note.text for note in chart.notes if note.key == box.key]
        said = [kinds[box.kind]] if known or box.kind == "side" else []
        said += [_joined(text, latin=words.latin) for text in (box.sub, *notes) if text]
        name = _joined(box.label, latin=words.latin)
        clauses.append(f"{name}{opening}{comma.join(said)}{closing}" if said else name)
    return stop.join(clauses)

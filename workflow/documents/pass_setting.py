"""Sets the facts of a pass into its design: which line of text stands where, the same for both ways of printing.

All lengths are millimetres from the top left corner of the piece; ``y`` of a line is its base line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflow.documents.fonts import printable
from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_kinds import kind as kind_called
from workflow.documents.pass_layouts import Design, Details, Field
from workflow.documents.pdf import chinese_day
from workflow.documents.typeset import ASCENT, DESCENT, cut, fit, is_simple, one_line, shrink, width, wrap

RULE_COLOUR, RULE_MM = "#bbbbbb", 0.2
LABEL_COLOUR, TEXT_COLOUR = "#333333", "#000000"
_DOT = "·"
_DOT_PULL = 0.29  # the full-width dot of a plate is pulled closer by this much on either side, in em
_ROW_PADDING, _ROW_LEADING = 0.18, 1.3


@dataclass(frozen=True, slots=True)
class Line:
    """A run of text in one weight and size; ``tracking`` is the extra space after each character, in em."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = True
    colour: str = TEXT_COLOUR
    tracking: float = 0.0

    @property
    def top(self) -> float:
        """The upper edge of its line box, which is as high as ascent and descent together."""
        return self.y - ASCENT * self.size


@dataclass(frozen=True, slots=True)
class Rule:
    """A filled rectangle, ``x`` and ``y`` being its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    colour: str = RULE_COLOUR


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything on a pass that differs from the next one, except for its code."""

    lines: tuple[Line, ...]
    rules: tuple[Rule, ...]

    @property
    def is_simple(self) -> bool:
        """Whether every line can be drawn glyph by glyph, see :func:`workflow.documents.typeset.is_simple`."""
        return all(is_simple(line.text, bold=line.bold) for line in self.lines)


def pass_title(kind: str) -> str:
    """The title of a pass of this kind."""
    return kind_called(kind).title


def spaced_plate(plate: str) -> str:
    """Return a plate as it is written on the vehicle: 浙B·12345. Anything unusual comes back unchanged."""
    bare = plate.replace("·", "").replace(" ", "").upper()
    ordinary = re.fullmatch(r"[\u4e00-\u9fff][A-Z][A-Z0-9\u4e00-\u9fff]{4,6}", bare)
    return f"{bare[:2]}·{bare[2:]}" if ordinary else plate


def set_pass(facts: PassFacts, design: Design) -> Setting:
    """Return where everything variable of ``facts`` stands in ``design``; the QR code's place is the design's own."""
    texts = _texts(facts)
    lines = [line for field in design.fields for line in _set_field(texts[field.fact], field)]
    rules: list[Rule] = []
    if design.details:
        rows = [(_LABELS[fact], texts[fact]) for fact in facts.look.details if texts[fact]]
        _set_details(rows, design.details, lines, rules)
    return Setting(tuple(lines), tuple(rules))


_LABELS = {
    "enterprise": "企业名称",
    "address": "企业地址",
    "vehicle_type": "车辆类型",
    "purpose": "用途",
    "hours": "通行时段",
    "route": "通行路线",
    "drivers": "驾驶人",
}
"""What stands before each fact that the ruled list can have; a row without a text is left out."""


def _texts(facts: PassFacts) -> Mapping[str, str]:
    """The facts by the names that fields use, in printable characters."""
    first, last = chinese_day(facts.valid_from_on), chinese_day(facts.valid_until_on)
    texts = {
        "plate": spaced_plate(facts.plate),
        "issuer": facts.look.issuer(facts.issuing_area),
        "short_code": facts.short_code,
        "number": f"编号 {facts.number}",
        "enterprise": facts.enterprise,
        "vehicle_type": facts.vehicle_type,
        "purpose": facts.purpose,
        "route": facts.route,
        "drivers": "、".join(facts.driver_names_masked) or "—",
        "hours": facts.hours,
        "address": facts.address,
    }
    texts = {fact: one_line(printable(text)) for fact, text in texts.items()}
    return texts | {
        "validity": f"{first} 至 {last} 24 时",
        "validity_lines": f"自 {first}\n至 {last} 24 时" + (f"\n{texts['hours']}" if facts.hours else ""),
    }


def _set_field(text: str, field: Field) -> Iterator[Line]:
    if field.fact == "plate":
        return _set_plate(text, field)
    if field.label:
        return _set_labelled(text, field)
    return _set_block(text, field)


def _set_block(text: str, field: Field) -> Iterator[Line]:
    """One fact, wrapped and shrunk into its box and centred in its height."""
    fitted = fit(
        text,
        box=(field.width, field.height),
        size=field.size,
        least=field.least,
        leading=field.leading,
        lines=field.lines,
        bold=field.bold,
        tracking=field.tracking,
    )
    size, step = fitted.size, fitted.size * field.leading
    top = field.y + (field.height - step * len(fitted.lines)) / 2
    for number, line in enumerate(fitted.lines):
        em = width(line, bold=field.bold) + field.tracking * max(len(line) - 1, 0)
        x = field.x + _indent(field, field.width - em * size)
        y = top + number * step + _drop(size, field.leading)
        yield Line(x, y, size, line, field.bold, field.colour, field.tracking)


def _set_labelled(text: str, field: Field) -> Iterator[Line]:
    """A fact behind its label, both on one base line."""
    label_width = width(field.label, bold=False) * field.label_size + field.label_gap
    room = field.width - label_width
    fitted = fit(text, box=(room, field.height), size=field.size, least=field.least, leading=1, lines=1, bold=True)
    [line], size = fitted.lines, fitted.size
    x = field.x + _indent(field, room - width(line, bold=True) * size)
    y = field.y + (field.height - size * field.leading) / 2 + _drop(size, field.leading)
    yield Line(x, y, field.label_size, field.label, bold=False)
    yield Line(x + label_width, y, size, line, field.bold, field.colour)


def _set_plate(text: str, field: Field) -> Iterator[Line]:
    """A plate as large as its box allows; the dot between area and number takes less room than in a text."""
    em = width(text, bold=True) - 2 * _DOT_PULL * text.count(_DOT)
    size = round(min(field.size, field.width / em) if em else field.size, 2)
    x = field.x + _indent(field, field.width - em * size)
    y = field.y + (field.height - size * field.leading) / 2 + _drop(size, field.leading)
    for number, part in enumerate(text.split(_DOT)):
        if number:
            x -= _DOT_PULL * size
            yield Line(x, y, size, _DOT)
            x += (width(_DOT, bold=True) - _DOT_PULL) * size
        if part:
            yield Line(x, y, size, part)
            x += width(part, bold=True) * size


def _set_details(rows: list[tuple[str, str]], box: Details, lines: list[Line], rules: list[Rule]) -> None:
    """The ruled list: all rows in one size, the largest at which they fit one below the other."""
    size = box.size
    while True:
        room = box.width / size - box.label
        values = [wrap(value, room, bold=True) for _, value in rows]
        count = sum(map(len, values))
        spare = box.height - count * _ROW_LEADING * size - len(rows) * (2 * _ROW_PADDING * size + RULE_MM)
        if spare >= 0 or size <= box.least:
            break
        size = shrink(size, box.least)
    if spare < 0:
        most = max(1, int((box.height / size - len(rows) * 0.5) / _ROW_LEADING / len(rows)))
        values = [cut(value, most, room, bold=True) for value in values]
    y = box.y
    for (label, _), value in zip(rows, values, strict=True):
        first = y + _ROW_PADDING * size + _drop(size, _ROW_LEADING)
        lines.append(Line(box.x, first, size, label, bold=False, colour=LABEL_COLOUR))
        for number, line in enumerate(value):
            lines.append(Line(box.x + box.label * size, first + number * _ROW_LEADING * size, size, line))
        y += (2 * _ROW_PADDING + _ROW_LEADING * len(value)) * size
        rules.append(Rule(box.x, y, box.width, RULE_MM))
        y += RULE_MM


def _drop(size: float, leading: float) -> float:
    """From the top of a line to its base line."""
    return (ASCENT + (leading - ASCENT - DESCENT) / 2) * size


def _indent(field: Field, spare: float) -> float:
    return {"left": 0.0, "center": spare / 2, "right": spare}[field.align]

"""The layouts of passes, read from templates/pdf/pass.toml: where each fact stands, and how pieces share a paper."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "pdf"
LAYOUT_FILE = FOLDER / "pass.toml"

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The box of one fact, in millimetres: type starts at ``size`` and shrinks down to ``least`` until it fits.

    ``lines`` of 1 forbids wrapping, 0 allows as many as fit. ``tracking`` is added after each character of a text that
    may not wrap, in em; ``leading`` is the height of a line in em. ``label`` stands before the text on the same line.
    """

    fact: str
    x: float
    y: float
    width: float
    height: float
    size: float
    least: float
    lines: int = 0
    align: Align = "center"
    bold: bool = True
    colour: str = "#000000"
    tracking: float = 0.0
    leading: float = 1.3
    label: str = ""
    label_size: float = 0.0
    label_gap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The ruled list of labelled facts, in millimetres; ``label`` is the width of the first column in em."""

    x: float
    y: float
    width: float
    height: float
    size: float
    least: float
    label: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBox:
    """Where the QR code stands, its quiet zone included, in millimetres."""

    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One piece: its size and the places of its facts, in millimetres."""

    key: str
    width: float
    height: float
    code: CodeBox
    details: Details | None
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How pieces of a design are put on paper: ``at`` holds the top left corners, ``cuts`` the lines to cut along.

    Millimetres from the paper's top left corner; ``scale`` makes the whole piece larger or smaller.
    """

    key: str
    design: Design
    paper: tuple[float, float]
    at: tuple[tuple[float, float], ...]
    cuts: tuple[tuple[float, float, float, float], ...]
    scale: float

    @property
    def alone(self) -> Layout:
        """The same piece in the same size, one on a paper of its own size and without marks to cut along."""
        paper = self.design.width * self.scale, self.design.height * self.scale
        return Layout(key=self.key, design=self.design, paper=paper, at=((0.0, 0.0),), cuts=(), scale=self.scale)


@cache
def layouts(template: str = "pass") -> Mapping[str, Layout]:
    """Every layout by its key: ``windscreen`` (A4), ``half`` (two A5 on an A4), ``card`` (eight on an A4).

    A template of its own for some kinds of pass has the same layouts, with pieces of the same size.
    """
    with (FOLDER / f"{template}.toml").open("rb") as file:
        return read_layouts(tomllib.load(file))


def read_layouts(data: Mapping[str, Any]) -> dict[str, Layout]:
    """Return the layouts of a parsed file; ValueError when a box leaves its design or a piece its paper."""
    designs = {key: _design(key, table) for key, table in data["designs"].items()}
    found = {key: _layout(key, table, designs) for key, table in data["layouts"].items()}
    for layout in found.values():
        _check(layout)
    return found


def _design(key: str, table: Mapping[str, Any]) -> Design:
    details = table.get("details")
    return Design(
        key=key,
        width=table["width"],
        height=table["height"],
        code=CodeBox(**table["code"]),
        details=Details(**details) if details else None,
        fields=tuple(Field(**field) for field in table["fields"]),
    )


def _layout(key: str, table: Mapping[str, Any], designs: Mapping[str, Design]) -> Layout:
    width, height = table["paper"]
    return Layout(
        key=key,
        design=designs[table["design"]],
        paper=(width, height),
        at=tuple((x, y) for x, y in table["at"]),
        cuts=tuple((x1, y1, x2, y2) for x1, y1, x2, y2 in table.get("cuts", ())),
        scale=table.get("scale", 1.0),
    )


def changed(design: Design, changes: Mapping[str, Any]) -> Design:
    """The design with other places: ``code`` and ``details`` as tables, ``fields`` as tables by fact.

    ValueError for a name that the design has not, or when a box would leave the piece or touch the code.
    """
    fields = dict(changes.get("fields", {}))
    unknown = {*changes} - {"code", "details", "fields"} | {*fields} - {f.fact for f in design.fields}
    if unknown or ("details" in changes and design.details is None):
        raise ValueError(f"design {design.key}: nothing is called {', '.join(sorted(unknown)) or 'details'}")
    try:
        made = replace(
            design,
            code=replace(design.code, **changes.get("code", {})),
            details=replace(design.details, **changes.get("details", {})) if design.details else None,
            fields=tuple(replace(f, **fields.get(f.fact, {})) for f in design.fields),
        )
    except TypeError as error:
        raise ValueError(f"design {design.key}: {error}") from error
    _check_design(made)
    return made


def _check(layout: Layout) -> None:
    design, (paper_width, paper_height) = layout.design, layout.paper
    _check_design(design)
    for x, y in layout.at:
        right, bottom = x + design.width * layout.scale, y + design.height * layout.scale
        if x < 0 or y < 0 or right > paper_width + 0.01 or bottom > paper_height + 0.01:
            raise ValueError(f"layout {layout.key}: a piece leaves the paper at ({x}, {y})")


def _check_design(design: Design) -> None:
    code = design.code
    boxes = [(f.x, f.y, f.width, f.height) for f in design.fields] + [(code.x, code.y, code.side, code.side)]
    if design.details:
        boxes.append((design.details.x, design.details.y, design.details.width, design.details.height))
    for x, y, width, height in boxes:
        if x < 0 or y < 0 or x + width > design.width or y + height > design.height:
            raise ValueError(f"design {design.key}: a box leaves the piece at ({x}, {y})")
    for field in design.fields:
        beside = field.x >= code.x + code.side or field.x + field.width <= code.x
        if not beside and field.y < code.y + code.side and field.y + field.height > code.y:
            raise ValueError(f"design {design.key}: the field {field.fact} leaves no quiet zone around the code")
    if any(field.tracking and field.lines != 1 for field in design.fields):
        raise ValueError(f"design {design.key}: tracking is for texts of one line")

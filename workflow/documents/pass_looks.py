"""What an area prints on passes: issuer's line, words at the foot, seal and places, read from pass_areas.toml.

The narrowest area wins; what it does not say comes from the wider ones. A look is kept with every pass that is granted,
so that a re-print is the same when the file has changed meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from workflow.documents.pass_layouts import FOLDER, Design, changed
from workflow.documents.typeset import width

AREA_FILE = FOLDER / "pass_areas.toml"
SEAL_FOLDER = FOLDER / "seals"
DETAILS = ("enterprise", "vehicle_type", "purpose", "hours", "route", "drivers")
"""The rows of the ruled list where an area does not say others."""
WORDS_MM, WORDS_WIDTH = 3.8, 177.0
"""Size of the type of an area's words on the windscreen pass, and the room they have on their one line."""

_KEYS = ("issuer", "words", "accent", "details", "seal", "seal_at", "designs")
_KNOWN_DETAILS = (*DETAILS, "address")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SVG = "{http://www.w3.org/2000/svg}"
_SVG_TAGS = frozenset({"svg", "g", "path", "circle", "ellipse", "rect", "polygon", "line", "text"})


class LooksInvalid(ValueError):
    """The file of areas, or a seal, can't be used."""


@dataclass(frozen=True, eq=False)
class PassLook:
    """How an area's passes look; ``content`` is all of it, in primitives. Of the same content there is one object."""

    content: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """Names the content: the first half of its SHA-256 in hexadecimal."""
        text = json.dumps(self.content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def words(self) -> str:
        """The area's own line at the foot, such as whom to call."""
        return str(self.content.get("words", ""))

    @property
    def accent(self) -> str:
        """The colour of the stripe below the band, or nothing."""
        return str(self.content.get("accent", ""))

    @property
    def details(self) -> tuple[str, ...]:
        """The facts of the ruled list, in their order."""
        return tuple(self.content.get("details", DETAILS))

    def issuer(self, area: str) -> str:
        """The issuer's line for the area that issues."""
        return str(self.content.get("issuer", "{area}")).replace("{area}", area)

    def seal(self, design: str, *, demo: bool) -> Mapping[str, Any] | None:
        """Drawing (``svg``) and place of the seal on a design.

        A seal that is marked 演示 stays in demonstrations, and no other is printed there.
        """
        place, seal = self.content.get("seal_at", {}).get(design), self.content.get("seal")
        if not place or not seal or seal["demo"] is not demo:
            return None
        return {**place, "svg": seal["svg"]}

    def design(self, base: Design) -> Design:
        """The design with the places that the area has changed."""
        return _design(self, base)


@cache
def _design(look: PassLook, base: Design) -> Design:
    changes = look.content.get("designs", {}).get(base.key)
    return changed(base, changes) if changes else base


PLAIN = PassLook({})
"""The look without an area: what is the same everywhere."""

_looks: dict[str, PassLook] = {PLAIN.digest: PLAIN}


def look_from(content: Mapping[str, Any]) -> PassLook:
    """The look with this content."""
    made = PassLook(content)
    return _looks.setdefault(made.digest, made)


def look_known(digest: str) -> PassLook | None:
    """The look with this digest if this process has met it."""
    return _looks.get(digest)


@cache
def _areas() -> Mapping[str, Mapping[str, Any]]:
    with AREA_FILE.open("rb") as file:
        return read_areas(tomllib.load(file), SEAL_FOLDER)


def look_of(area_code: str) -> PassLook:
    """The look of the narrowest area in the file that the area with this official code lies in."""
    return narrowest(_areas(), area_code)


def narrowest(areas: Mapping[str, Mapping[str, Any]], area_code: str) -> PassLook:
    """The same of areas that were read; :data:`PLAIN` when it lies in none of them."""
    content: dict[str, Any] = {}
    for code in sorted((c for c in areas if area_code.startswith(c)), key=len):
        content |= areas[code]
    return look_from(content)


def read_areas(data: Mapping[str, Any], seals: Path) -> dict[str, Mapping[str, Any]]:
    """What each area says, by its code; :class:`LooksInvalid` for what can't be printed."""
    found: dict[str, dict[str, Any]] = {code: dict(table) for code, table in data.get("areas", {}).items()}
    if unknown := {*data} - {"areas", "seals"}:
        raise LooksInvalid(f"unknown tables: {', '.join(sorted(unknown))}")
    drawn = {name: _seal(name, table, seals) for name, table in data.get("seals", {}).items()}
    for code, table in found.items():
        _check(code, table)
        if table.get("seal"):
            if table["seal"] not in drawn:
                raise LooksInvalid(f"area {code}: there is no seal {table['seal']!r}")
            table["seal"] = drawn[table["seal"]]
    return dict(found)


def _check(code: str, table: Mapping[str, Any]) -> None:
    faults = {
        "its code must be digits": not (code.isascii() and code.isdigit()),
        "unknown keys": bool({*table} - {*_KEYS}),
        "accent must be written as #rrggbb": "accent" in table and not _COLOUR.fullmatch(table["accent"]),
        "issuer must name {area}": "issuer" in table and "{area}" not in table["issuer"],
        "details has an unknown fact": bool({*table.get("details", ())} - {*_KNOWN_DETAILS}),
        "words are longer than their line": width(table.get("words", ""), bold=False) * WORDS_MM > WORDS_WIDTH,
    }
    if told := [words for words, is_wrong in faults.items() if is_wrong]:
        raise LooksInvalid(f"area {code}: {'; '.join(told)}")


def _seal(name: str, table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A seal's drawing: plain shapes and text, nothing that refers to anything else; a demo seal says so in it."""
    text = (folder / table["file"]).read_text(encoding="utf-8").strip()
    try:
        root = ElementTree.fromstring(text)  # nosec B314
    except ElementTree.ParseError as error:
        raise LooksInvalid(f"seal {name}: {error}") from error
    for element in root.iter():
        foreign = not element.tag.startswith(_SVG) or element.tag.removeprefix(_SVG) not in _SVG_TAGS
        if foreign or any("href" in key or "url(" in value for key, value in element.items()):
            raise LooksInvalid(f"seal {name}: {element.tag} is not drawn")
    is_demo = bool(table.get("demo", False))
    if is_demo and "演示" not in "".join(root.itertext()):
        raise LooksInvalid(f"seal {name}: a seal for demonstrations says 演示")
    return {"svg": text, "demo": is_demo}

"""Sets text in the bundled fonts by their real advances: glyphs, widths, line ends, and the size that fits a box.

Both ways of printing a pass use what is decided here, so both break lines at the same places.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import uharfbuzz as hb

from workflow.documents.fonts import FACES, FONT_FOLDER

#: Ascent and descent of every bundled face, in em: a line box of their sum has its base line at ASCENT.
ASCENT, DESCENT = 1.16, 0.288
ELLIPSIS = "…"
_SHRINK = 0.94

_OPENING = "（〔《〈“‘「『【〖［｛([{"
_CLOSING = "，。、；：！？）〕》〉”’」』】〗］｝…·,.;:!?)]}%％℃"
_WORD = r"!-~\u00a1-\u024f\u2010-\u2013"
#: What stays together: an opening mark, a word or one character, the closing marks after it, and the spaces behind.
_PIECES = re.compile(rf"[{re.escape(_OPENING)}]*(?:[{_WORD}]+|.)?[{re.escape(_CLOSING)}]*[ \u3000]*", re.DOTALL)
_SPACES = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\xa0\u2028\u2029]+")
_INVISIBLE = dict.fromkeys((0xAD, 0x200B, 0x2060))
_JAMO = re.compile(r"[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")


class Glyph(NamedTuple):
    """A character as set: index of its face in ``fonts.FACES``, glyph number as four hex digits, advance in em/1000."""

    face: int
    code: str
    advance: int


@cache
def face_font(index: int) -> hb.Font:
    """The HarfBuzz font of the face with this index in ``fonts.FACES``."""
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(FONT_FOLDER / FACES[index][2]))))


class _Glyphs(dict[str, Glyph]):
    """Characters met so far in one weight; the first face that has the character prints it, as in CSS."""

    def __init__(self, *, bold: bool) -> None:
        super().__init__()
        self._stack = (1, 2) if bold else (0, 2)

    def __missing__(self, char: str) -> Glyph:
        for index in self._stack:
            font = face_font(index)
            number = font.get_nominal_glyph(ord(char))
            if number:
                found = Glyph(index, f"{number:04x}", font.get_glyph_h_advance(number))
                self[char] = found
                return found
        raise KeyError(char)


_GLYPHS = {False: _Glyphs(bold=False), True: _Glyphs(bold=True)}


def glyphs(*, bold: bool) -> dict[str, Glyph]:
    """Look up a character's glyph in this weight; KeyError for a character that no bundled font has."""
    return _GLYPHS[bold]


def one_line(text: str) -> str:
    """Return ``text`` with every run of white space as one space and without characters that have no picture."""
    return _SPACES.sub(" ", text).translate(_INVISIBLE).strip()


def is_simple(text: str, *, bold: bool) -> bool:
    """Say whether ``text`` is one glyph a character, side by side: no combining marks, nothing that needs shaping.

    Of the full font only ideographs count as simple, since its other scripts have ligatures and mark positions.
    """
    simple = _SIMPLE[bold]
    for char in set(text) - simple:
        if not _is_simple(char, bold):
            return False
        simple.add(char)
    return True


_SIMPLE: dict[bool, set[str]] = {False: set(), True: set()}


def _is_simple(char: str, bold: bool) -> bool:
    try:
        face = _GLYPHS[bold][char].face
    except KeyError:
        return False
    if face == 2 and unicodedata.east_asian_width(char) != "W":
        return False
    return not _JAMO.match(char) and not unicodedata.category(char).startswith("M")


def width(text: str, *, bold: bool) -> float:
    """Return the width of ``text`` in em; KeyError for a character that no bundled font has."""
    table = _GLYPHS[bold]
    return sum([table[char].advance for char in text]) / 1000


def wrap(text: str, width_em: float, *, bold: bool) -> list[str]:
    """Return ``text`` as lines of at most ``width_em``: broken between ideographs and words, at need inside a word.

    No line begins with a closing mark or ends with an opening one; a line feed always ends a line.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        if width(paragraph, bold=bold) <= width_em:
            lines.append(paragraph)
        else:
            lines += _wrapped(paragraph, width_em, bold)
    return lines


def _wrapped(text: str, width_em: float, bold: bool) -> list[str]:
    lines, line, used = [], "", 0.0
    for piece in filter(None, _PIECES.findall(text)):
        bare = width(piece.rstrip(" \u3000"), bold=bold)
        if line and used + bare > width_em:
            lines.append(line.rstrip(" \u3000"))
            line, used = "", 0.0
        if bare > width_em:
            *full, piece = _chopped(piece, width_em, bold)
            lines += full
        line += piece
        used += width(piece, bold=bold)
    return [*lines, line.rstrip(" \u3000")]


def _chopped(word: str, width_em: float, bold: bool) -> list[str]:
    """Break a word that is longer than a line wherever the line is full; at least one character a line."""
    parts, part, used = [], "", 0.0
    for char in word:
        advance = width(char, bold=bold)
        if part and used + advance > width_em:
            parts.append(part)
            part, used = "", 0.0
        part += char
        used += advance
    return [*parts, part]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Lines and the size, in the unit of the box, at which they fit."""

    lines: list[str]
    size: float


def fit(
    text: str,
    *,
    box: tuple[float, float],
    size: float,
    least: float,
    leading: float,
    lines: int = 0,
    bold: bool,
    tracking: float = 0.0,
) -> Fitted:
    """Return ``text`` at the largest size from ``size`` down to ``least`` at which it fits into ``box``.

    ``box`` is width and height, in the unit of the sizes. With ``lines`` of 1 it never wraps, and ``tracking`` (em) is
    added after each character. At ``least`` what is too long ends in an ellipsis.
    """
    box_width, box_height = box
    if lines == 1:
        em = width(text, bold=bold) + tracking * len(text)
        fitting = min(size, box_width / em) if em else size
        if fitting >= least:
            return Fitted([text], round(fitting - 0.005, 2) if fitting < size else size)
        return Fitted([shortened(text, box_width / least, bold=bold, tracking=tracking)], least)
    while True:
        found = wrap(text, box_width / size, bold=bold)
        if len(found) * leading * size <= box_height:
            return Fitted(found, size)
        if size <= least:
            return Fitted(cut(found, max(1, int(box_height / (leading * size))), box_width / size, bold=bold), size)
        size = shrink(size, least)


def cut(lines: list[str], count: int, width_em: float, *, bold: bool) -> list[str]:
    """Return the first ``count`` lines, the last of them ending in an ellipsis when some are left out."""
    if len(lines) <= count:
        return lines
    return [*lines[: count - 1], shortened(lines[count - 1] + lines[count], width_em, bold=bold)]


def shortened(text: str, width_em: float, *, bold: bool, tracking: float = 0.0) -> str:
    """Return as much of ``text`` as fits with an ellipsis behind it; ``text`` itself when all of it fits."""

    def fits(words: str) -> bool:
        return width(words, bold=bold) + tracking * len(words) <= width_em

    if fits(text):
        return text
    while text and not fits(text + ELLIPSIS):
        text = text[:-1]
    return text + ELLIPSIS


def shrink(size: float, least: float) -> float:
    """Return the next smaller size to try, not below ``least``."""
    return max(least, round(size * _SHRINK, 2))

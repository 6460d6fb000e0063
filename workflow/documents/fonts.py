"""Knows the bundled fonts and which characters they can print; typeset.py knows how wide a text comes out."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONT_FOLDER = Path(__file__).resolve().parents[2] / "static" / "fonts"

#: CSS family -> (weight, file). The small fonts come first in every font stack, the full one catches rare characters.
FACES: tuple[tuple[str, str, str], ...] = (
    ("Fugong", "400", "NotoSansSC-Regular-GB2312.ttf"),
    ("Fugong", "700", "NotoSansSC-Bold-GB2312.ttf"),
    ("Fugong Full", "400", "NotoSansSC-Regular.ttf"),
)

#: Printed in place of a character that no bundled font has: 〓, the printer's own mark for a missing sort.
GETA = "\u3013"

#: Characters without a picture of their own that layout understands.
_INVISIBLE = frozenset("\n\t\u00ad\u200b\u2060")


@cache
def _characters(file: str) -> frozenset[int]:
    with TTFont(FONT_FOLDER / file, lazy=True) as font:
        return frozenset(font.getBestCmap())


def missing_glyphs(text: str) -> set[str]:
    """Return the characters of ``text`` that none of the bundled fonts can print (empty for printable text)."""
    small = _characters(FACES[0][2])
    strange = {char for char in text if ord(char) not in small and char not in _INVISIBLE}
    if not strange:
        return strange
    full = _characters(FACES[2][2])
    return {char for char in strange if ord(char) not in full}


def printable(text: str) -> str:
    """Return ``text`` with every character that cannot be printed replaced by 〓; control characters are dropped."""
    missing = missing_glyphs(text)
    if not missing:
        return text
    # Joiners, variation selectors and bidi overrides have no picture; to print 〓 for them would be wrong.
    return "".join(
        char if char not in missing else ("" if not char.isprintable() or _is_modifier(char) else GETA) for char in text
    )


def _is_modifier(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\U0001f3fb" <= char <= "\U0001f3ff"

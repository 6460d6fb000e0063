"""Embeds the bundled fonts into a PDF that we write ourselves: each face once, cut down to the glyphs in use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

import uharfbuzz as hb

from workflow.documents.fonts import FACES
from workflow.documents.pdf_stream import PdfStream, stream
from workflow.documents.typeset import face_font, glyphs

#: PostScript names of the faces, in the order of ``fonts.FACES``; the same as in documents of WeasyPrint.
_NAMES = (b"Fugong", b"Fugong-Bold", b"Fugong-Full")
_STEM_WIDTHS = (80, 120, 80)
# A font program inside a PDF is asked for outlines and widths only.
_UNUSED_TABLES = (
    b"BASE",
    b"GDEF",
    b"GPOS",
    b"GSUB",
    b"OS/2",
    b"STAT",
    b"cmap",
    b"gasp",
    b"name",
    b"post",
    b"vhea",
    b"vmtx",
)
_TO_UNICODE_HEAD = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
"""
_TO_UNICODE_TAIL = b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"


class PdfFaces:
    """The faces of one file: collects the characters that are drawn, then writes fonts that hold just these."""

    def __init__(self, output: PdfStream) -> None:
        self._output = output
        self._used: dict[bool, set[str]] = {False: set(), True: set()}
        #: The entries of a /Font dictionary, /V0 to /V2 by the face's index; complete after :meth:`end`.
        self.resources = b""

    def runs(self, text: str, *, bold: bool) -> list[tuple[int, str]]:
        """Return ``text`` as stretches of one face, each with its glyph numbers in hexadecimal, and note its use."""
        self._used[bold].update(text)
        table = glyphs(bold=bold)
        found = [table[char] for char in text]
        if len({glyph.face for glyph in found}) == 1:
            return [(found[0].face, "".join([glyph.code for glyph in found]))]
        runs: list[tuple[int, str]] = []
        for glyph in found:
            if runs and runs[-1][0] == glyph.face:
                runs[-1] = glyph.face, runs[-1][1] + glyph.code
            else:
                runs.append((glyph.face, glyph.code))
        return runs

    def end(self) -> Iterator[bytes]:
        """Yield the objects of every face that drew something; :attr:`resources` names them from then on."""
        for face in range(len(FACES)):
            characters = self._characters(face)
            if characters:
                number = self._output.number()
                self.resources += b"/V%d %d 0 R" % (face, number)
                yield from self._embedded(face, number, characters)

    def _characters(self, face: int) -> dict[int, str]:
        """Glyph number to character for everything that was drawn in a face, in the order of the numbers."""
        found: dict[int, str] = {}
        for bold, used in self._used.items():
            table = glyphs(bold=bold)
            for char in sorted(used):
                glyph = table[char]
                if glyph.face == face:
                    found.setdefault(int(glyph.code, 16), char)
        return dict(sorted(found.items()))

    def _embedded(self, face: int, number: int, characters: dict[int, str]) -> Iterator[bytes]:
        put, new = self._output.put, self._output.number
        descendant, descriptor, program, to_unicode = new(), new(), new(), new()
        codes = tuple(characters)
        name = _tag(codes) + b"+" + _NAMES[face]
        yield put(
            number,
            b"<</Type/Font/Subtype/Type0/BaseFont/%b/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>"
            % (name, descendant, to_unicode),
        )
        yield put(
            descendant,
            b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%b/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
            b"/Supplement 0>>/CIDToGIDMap/Identity/DW 1000/W[%b]/FontDescriptor %d 0 R>>"
            % (name, _widths(face, codes), descriptor),
        )
        yield put(
            descriptor,
            b"<</Type/FontDescriptor/FontName/%b/Flags 4/FontBBox%b/ItalicAngle 0/Ascent 1160/Descent -288"
            b"/CapHeight 733/StemV %d/FontFile2 %d 0 R>>" % (name, _box(face), _STEM_WIDTHS[face], program),
        )
        outlines = _subset(face, codes)
        yield put(program, stream(b"/Length1 %d" % len(outlines), outlines))
        yield put(to_unicode, stream(b"", _to_unicode(characters)))


def _tag(codes: tuple[int, ...]) -> bytes:
    """Six capitals that name the subset, as the standard wants; the same glyphs give the same name."""
    digest = hashlib.sha256(repr(codes).encode()).digest()
    return bytes(65 + byte % 26 for byte in digest[:6])


def _widths(face: int, codes: tuple[int, ...]) -> bytes:
    """The /W array without those of full width, which is the default."""
    font = face_font(face)
    widths = ((code, font.get_glyph_h_advance(code)) for code in codes)
    return b"".join(b"%d[%d]" % (code, advance) for code, advance in widths if advance != 1000)


@cache
def _box(face: int) -> bytes:
    """The /FontBBox: what the font's head says."""
    head = face_font(face).face.reference_table("head").data
    edges = (int.from_bytes(head[at : at + 2], "big", signed=True) for at in (36, 38, 40, 42))
    return b"[%d %d %d %d]" % tuple(edges)


def _subset(face: int, codes: tuple[int, ...]) -> bytes:
    """The font program with these glyphs only, under their old numbers."""
    wanted = hb.SubsetInput()
    wanted.flags = hb.SubsetFlags.RETAIN_GIDS | hb.SubsetFlags.NO_HINTING
    wanted.sets(hb.SubsetInputSets.GLYPH_INDEX).update(codes)
    wanted.sets(hb.SubsetInputSets.DROP_TABLE_TAG).update(int.from_bytes(tag, "big") for tag in _UNUSED_TABLES)
    return bytes(hb.subset(face_font(face).face, wanted).blob.data)


def _to_unicode(characters: dict[int, str]) -> bytes:
    items = [b"<%04x> <%b>\n" % (code, char.encode("utf-16-be").hex().encode()) for code, char in characters.items()]
    blocks = (items[start : start + 100] for start in range(0, len(items), 100))
    body = b"".join(b"%d beginbfchar\n%bendbfchar\n" % (len(block), b"".join(block)) for block in blocks)
    return _TO_UNICODE_HEAD + body + _TO_UNICODE_TAIL

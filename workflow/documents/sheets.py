"""Prints passes by the hundred: what they share is rendered once by WeasyPrint, what differs is drawn over it.

The result looks like :func:`workflow.documents.official.render_pass`, is PDF/A-3b, and is the same bytes for the same
passes. A pass with text that needs shaping (combining marks) is drawn by WeasyPrint as a whole.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

from workflow.documents.pass_facts import PassFacts
from workflow.documents.pass_layouts import Design, Layout, layouts
from workflow.documents.pass_paper import blank_form, design_for, whole_form
from workflow.documents.pass_setting import Line, Rule, Setting, pass_title, set_pass
from workflow.documents.pdf_faces import PdfFaces
from workflow.documents.pdf_forms import Form
from workflow.documents.pdf_stream import Description, PdfStream, stream
from workflow.documents.qr import packed_matrix

__all__ = ["layouts", "render_passes", "render_single", "zip_passes"]

_POINTS = 72 / 25.4
_CUT_POINTS = 0.3
#: Time stamp of the files in a zip: none, which for zip is its first day.
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)


def render_passes(passes: Iterable[PassFacts], layout: Layout) -> Iterator[bytes]:
    """Yield one PDF with all ``passes`` in their order, page by page, as many on a page as ``layout`` says.

    ``passes`` is read as the pages are asked for. ValueError, at the first step, when it is empty.
    """
    book = _Book(layout)
    remaining = iter(passes)
    while group := list(islice(remaining, len(layout.at))):
        yield from book.page(group)
    yield from book.end()


def render_single(facts: PassFacts, layout: Layout) -> bytes:
    """Return one pass as a PDF, in the layout's size on a page of that size."""
    return b"".join(render_passes((facts,), layout.alone))


def zip_passes(passes: Iterable[PassFacts], layout: Layout) -> Iterator[bytes]:
    """Yield a zip file with a PDF of its own for each pass, named by the pass number; see :func:`render_single`.

    ValueError when a number comes twice: one of the two would be lost when the archive is unpacked.
    """
    written = _Passing()
    names: set[str] = set()
    with zipfile.ZipFile(written, "w") as archive:
        for facts in passes:
            name = f"{facts.number}.pdf"
            if name in names:
                raise ValueError(f"pass {facts.number} comes twice")
            names.add(name)
            entry = zipfile.ZipInfo(name, _ZIP_DAY)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, render_single(facts, layout))
            yield written.take()
    yield written.take()


class _Passing(io.RawIOBase):
    """Takes what zipfile writes and hands it on, so that an archive is never held as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self._data = bytearray()

    def writable(self) -> bool:
        """Zip files are written only; without seeking, sizes come behind each file."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        """Keep ``data`` until it is taken."""
        self._data += data
        return len(data)

    def take(self) -> bytes:
        """Return and forget what was written since the last time."""
        taken, self._data = bytes(self._data), bytearray()
        return taken


class _Book:
    """One PDF in the making: writes forms when they are first needed, pages as they come, fonts at the end."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._output = PdfStream()
        self._faces = PdfFaces(self._output)
        self._tree, self._fonts = self._output.number(), self._output.number()
        self._forms: dict[Form, int] = {}
        self._pages: list[int] = []
        self._first: PassFacts | None = None
        self._count = 0

    def page(self, group: Sequence[PassFacts]) -> Iterator[bytes]:
        """Yield the objects of one page with these passes."""
        if self._first is None:
            self._first = group[0]
            yield self._output.start()
        self._count += len(group)
        content, named = [_cuts(self._layout)], set[int]()
        for facts, (x, y) in zip(group, self._layout.at, strict=False):
            yield from self._piece(facts, x, y, content, named)
        number, drawn = self._output.number(), self._output.number()
        yield self._output.put(drawn, stream(b"", b"\n".join(content)))
        objects = b"".join(b"/X%d %d 0 R" % (each, each) for each in sorted(named))
        resources = b"<</Font %d 0 R/XObject<<%b>>>>" % (self._fonts, objects)
        width, height = (side * _POINTS for side in self._layout.paper)
        yield self._output.put(
            number,
            b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %.2f %.2f]/Resources%b/Contents %d 0 R>>"
            % (self._tree, width, height, resources, drawn),
        )
        self._pages.append(number)

    def end(self) -> Iterator[bytes]:
        """Yield what the pages share, and the end of the file."""
        if self._first is None:
            raise ValueError("a document needs at least one pass")
        yield from self._faces.end()
        yield self._output.put(self._fonts, b"<<%b>>" % self._faces.resources)
        kids = b" ".join(b"%d 0 R" % number for number in self._pages)
        yield self._output.put(self._tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(self._pages), kids))
        first, more = self._first, f" 等 {self._count} 张" if self._count > 1 else ""
        title = f"{pass_title(first.kind)} {first.number}{more}"
        yield from self._output.end(self._tree, Description(title, first.issuing_area, first.valid_from_on.isoformat()))

    def _piece(self, facts: PassFacts, x: float, y: float, content: list[bytes], named: set[int]) -> Iterator[bytes]:
        """Draw a pass at its place; yield its code, and the form it stands on if this file has not got it yet."""
        design, scale = design_for(facts, self._layout), self._layout.scale
        setting = set_pass(facts, design)
        simple = setting.is_simple
        form = blank_form(design, facts.kind, facts.look, facts.demo) if simple else whole_form(facts, design)
        if form not in self._forms:
            yield from self._put_form(form)
        left, bottom = x * _POINTS, (self._layout.paper[1] - y - design.height * scale) * _POINTS
        content.append(b"q %.5f 0 0 %.5f %.3f %.3f cm /X%d Do" % (scale, scale, left, bottom, self._forms[form]))
        named.add(self._forms[form])
        if simple:
            code = self._output.number()
            yield self._output.put(code, _code_mask(facts.qr_text))
            named.add(code)
            content.append(_placed_code(code, design))
            content += self._drawn(setting, design.height)
        content.append(b"Q")

    def _put_form(self, form: Form) -> Iterator[bytes]:
        numbers = [self._output.number() for _ in form.parts]
        self._forms[form] = numbers[0]
        for number, part in zip(numbers, form.parts, strict=True):
            yield self._output.put(number, part.renumbered(numbers.__getitem__))

    def _drawn(self, setting: Setting, height: float) -> Iterator[bytes]:
        for rule in setting.rules:
            yield _rule(rule, height)
        yield b"BT"
        for line in setting.lines:
            yield self._line(line, height)
        yield b"ET"

    def _line(self, line: Line, height: float) -> bytes:
        size = line.size * _POINTS
        head = b"%b%.3f Tc 1 0 0 1 %.3f %.3f Tm " % (
            _colour(line.colour),
            line.tracking * size,
            line.x * _POINTS,
            (height - line.y) * _POINTS,
        )
        shown = (
            b"/V%d %.3f Tf <%b> Tj" % (face, size, codes.encode())
            for face, codes in self._faces.runs(line.text, bold=line.bold)
        )
        return head + b" ".join(shown)


@cache
def _colour(colour: str) -> bytes:
    """The operator that fills with a colour written as #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return b"%.4g %.4g %.4g rg " % (red / 255, green / 255, blue / 255)


def _rule(rule: Rule, height: float) -> bytes:
    x, y = rule.x * _POINTS, (height - rule.y - rule.height) * _POINTS
    box = b"%.3f %.3f %.3f %.3f re f" % (x, y, rule.width * _POINTS, rule.height * _POINTS)
    return _colour(rule.colour) + box


def _code_mask(text: str) -> bytes:
    """The QR code as a mask of one bit a module: viewers smooth a small picture when they enlarge it, a mask never."""
    bits, side = packed_matrix(text)
    return stream(
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ImageMask true/BitsPerComponent 1" % (side, side), bits
    )


def _placed_code(number: int, design: Design) -> bytes:
    """Draw the mask of this number in black on white at the design's place."""
    side, x, y = design.code.side, design.code.x, design.height - design.code.y - design.code.side
    place = side * _POINTS, side * _POINTS, x * _POINTS, y * _POINTS
    return b"q 1 g %.3f 0 0 %.3f %.3f %.3f cm 0 0 1 1 re f 0 g /X%d Do Q" % (*place, number)


@cache
def _cuts(layout: Layout) -> bytes:
    """The lines along which the paper is cut, drawn at its edges."""
    height = layout.paper[1]
    lines = [
        b"%.3f %.3f m %.3f %.3f l" % (x1 * _POINTS, (height - y1) * _POINTS, x2 * _POINTS, (height - y2) * _POINTS)
        for x1, y1, x2, y2 in layout.cuts
    ]
    return b"%.2f w 0 G %b S" % (_CUT_POINTS, b" ".join(lines)) if lines else b""

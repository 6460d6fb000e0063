"""Checks of what ISO 19005-3 (PDF/A-3, conformance B) asks of files like ours, each named by its clause.

Not a whole validator: it covers everything that our two ways of making PDFs could get wrong.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from fontTools.ttLib import TTFont
from pypdf import PdfReader
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, IndirectObject, StreamObject

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
_ALLOWED_FILTERS = {"/FlateDecode", "/DCTDecode"}
_FORBIDDEN_ACTIONS = {"/Launch", "/Sound", "/Movie", "/JavaScript", "/ImportData", "/ResetForm", "/GoToE"}


def problems(data: bytes) -> list[str]:
    """Everything in ``data`` that the standard forbids or misses, with the clause.

    A file whose frame is broken is not read any further.
    """
    return list(_file(data)) or list(_document(PdfReader(io.BytesIO(data), strict=True)))


def _file(data: bytes) -> Iterator[str]:
    lines = data.split(b"\n", 2)
    if not re.fullmatch(rb"%PDF-1\.[0-7]", lines[0]):
        yield "6.1.2 header"
    if lines[1][:1] != b"%" or len([b for b in lines[1][1:] if b > 127]) < 4:
        yield "6.1.2 no comment of four bytes above 127"
    if not data.rstrip(b"\n").endswith(b"%%EOF"):
        yield "6.1.3 something behind the end"
    if b"/Encrypt" in data:
        yield "6.1.3 encrypted"
    # A table, if there is one, lists every object where it really begins.
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    if data[start : start + 4] == b"xref":
        yield from _table(data, start)
    elif not re.match(rb"\d+ 0 obj", data[start : start + 20]):
        yield "6.1.4 no cross-reference where it is said to be"


def _table(data: bytes, start: int) -> Iterator[str]:
    head, count = data[start:].split(b"\n", 2)[:2]
    if head != b"xref" or not re.fullmatch(rb"0 \d+", count):
        yield "6.1.4 cross-reference table"
    first = start + len(head) + len(count) + 2
    for number in range(int(count.split()[1])):
        entry = data[first + 20 * number : first + 20 * number + 20]
        if not re.fullmatch(rb"\d{10} \d{5} [nf] \n", entry):
            yield f"6.1.4 entry {number} has not 20 bytes"
        elif entry[17:18] == b"n" and not data[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number):
            yield f"6.1.4 object {number} is elsewhere"
    for length, position in _streams(data):
        if data[position + length : position + length + 10] != b"\nendstream":
            yield f"6.1.7.1 length of the stream at {position}"


def _streams(data: bytes) -> Iterator[tuple[int, int]]:
    for found in re.finditer(rb"/Length (\d+)[^\n]*>>\nstream\n", data):
        yield int(found[1]), found.end()


def _document(reader: PdfReader) -> Iterator[str]:
    if "/ID" not in reader.trailer:
        yield "6.1.3 no identifier"
    catalogue: Any = reader.trailer["/Root"]
    yield from _metadata(catalogue)
    yield from _intent(catalogue)
    for key in ("/OpenAction", "/AA", "/AcroForm", "/OCProperties"):
        if key in catalogue:
            yield f"6.6 {key} in the catalogue"
    for each in _objects(reader):
        yield from _object(each)
    for page in reader.pages:
        content = page.get_contents()
        if content is None:
            yield "6.2 empty page"
            continue
        yield from _content(content, page["/Resources"].get_object(), reader)


def _metadata(catalogue: Any) -> Iterator[str]:
    if "/Metadata" not in catalogue:
        yield "6.6.2.1 no metadata"
        return
    stream = catalogue["/Metadata"]
    if (stream.get("/Type"), stream.get("/Subtype")) != ("/Metadata", "/XML"):
        yield "6.6.2.1 type of the metadata"
    packet = stream.get_data()
    if b"encoding=" in packet.split(b"?>")[0] or b"bytes=" in packet.split(b"?>")[0]:
        yield "6.6.2.1 attributes of the packet"
    tree = ElementTree.fromstring(packet)
    said = {}
    for description in tree.iter(f"{_RDF}Description"):
        said |= description.attrib | {child.tag: child.text for child in description}
    if (said.get(f"{_PDFAID}part"), said.get(f"{_PDFAID}conformance")) != ("3", "B"):
        yield "6.6.4 version identification"


def _intent(catalogue: Any) -> Iterator[str]:
    intents = [intent.get_object() for intent in catalogue.get("/OutputIntents", [])]
    if len(intents) != 1 or intents[0].get("/S") != "/GTS_PDFA1" or "/OutputConditionIdentifier" not in intents[0]:
        yield "6.2.3 output intent"
        return
    profile = intents[0]["/DestOutputProfile"]
    icc = profile.get_data()
    if icc[36:40] != b"acsp" or icc[16:20] != b"RGB " or profile["/N"] != 3 or icc[8] not in (2, 4):
        yield "6.2.3 profile"


def _objects(reader: PdfReader) -> Iterator[Any]:
    """Every object that can be reached from the trailer."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [reader.trailer["/Root"]]
    while waiting:
        item = waiting.pop()
        if isinstance(item, IndirectObject):
            if (item.idnum, item.generation) in seen:
                continue
            seen.add((item.idnum, item.generation))
            item = item.get_object()
        if isinstance(item, DictionaryObject):
            yield item
            waiting += [dict.__getitem__(item, key) for key in item]
        elif isinstance(item, ArrayObject):
            waiting += list(list.__iter__(item))


def _object(each: Any) -> Iterator[str]:
    if isinstance(each, StreamObject):
        filters = each.get("/Filter", [])
        if set([filters] if isinstance(filters, str) else filters) - _ALLOWED_FILTERS:
            yield f"6.1.7.2 filter {filters}"
        if {"/F", "/FFilter", "/FDecodeParms"} & set(each):
            yield "6.1.7.1 stream outside of the file"
    kind, subtype = each.get("/Type"), each.get("/Subtype")
    if each.get("/S") in _FORBIDDEN_ACTIONS:
        yield f"6.5.1 action {each['/S']}"
    if kind == "/Annot":
        yield "6.3 annotation"
    if subtype == "/PS" or (subtype == "/Form" and {"/OPI", "/PS", "/Ref", "/Subtype2"} & set(each)):
        yield "6.2.9 PostScript or reference XObject"
    if subtype == "/Image" and (
        str(each.get("/Interpolate", "False")) == "True" or "/Alternates" in each or "/OPI" in each
    ):
        yield "6.2.8 image"
    if kind == "/ExtGState" and ("/TR" in each or "/HTP" in each or each.get("/TR2", "/Default") != "/Default"):
        yield "6.2.5 graphics state"
    if kind == "/Font" and subtype in ("/Type1", "/TrueType", "/MMType1"):
        yield f"simple font {subtype}, which we never make"
    if subtype == "/Type0":
        yield from _font(each)


def _font(font: Any) -> Iterator[str]:
    name = font["/BaseFont"]
    descendant = font["/DescendantFonts"][0].get_object()
    descriptor = descendant["/FontDescriptor"]
    if font["/Encoding"] != "/Identity-H":
        yield f"6.2.11.3.3 CMap of {name}"
    if descendant.get("/CIDToGIDMap") != "/Identity":
        yield f"6.2.11.3.2 CIDToGIDMap of {name}"
    if "/FontFile2" not in descriptor:
        yield f"6.2.11.4.1 {name} is not embedded"
        return
    if not descendant["/BaseFont"] == descriptor["/FontName"] == name or not re.match(r"/[A-Z]{6}\+", name):
        yield f"6.2.11 names of {name}"
    program = descriptor["/FontFile2"].get_data()
    if descriptor["/FontFile2"]["/Length1"] != len(program):
        yield f"6.2.11.4 length of {name}"
    metrics = TTFont(io.BytesIO(program))["hmtx"].metrics
    widths = list(metrics.values())
    for code, advance in _widths(descendant).items():
        if code >= len(widths) or abs(widths[code][0] - advance) > 1:
            yield f"6.2.11.5 width of glyph {code} in {name}"


def _widths(descendant: Any) -> dict[int, float]:
    found: dict[int, float] = {}
    items = list(descendant.get("/W", []))
    while items:
        first, second = int(items.pop(0)), items.pop(0).get_object()
        if isinstance(second, ArrayObject):
            found |= {first + place: float(width) for place, width in enumerate(second)}
        else:
            found |= dict.fromkeys(range(first, int(second) + 1), float(items.pop(0)))
    return found


def _content(content: Any, resources: Any, reader: PdfReader) -> Iterator[str]:
    """6.2.2 and 6.2.11.8: all that is named is in the resources; no glyph is .notdef or missing from its font."""
    glyphs: dict[str, set[int]] = {}
    font = ""
    for operands, operator in content.operations:
        if operator == b"Tf":
            font = str(operands[0])
            if font not in resources["/Font"]:
                yield f"6.2.2 font {font}"
        elif operator == b"Do":
            inner = resources["/XObject"].get(operands[0])
            if inner is None:
                yield f"6.2.2 XObject {operands[0]}"
            elif inner.get_object()["/Subtype"] == "/Form":
                form = inner.get_object()
                yield from _content(ContentStream(form, reader), form["/Resources"].get_object(), reader)
        elif operator in (b"Tj", b"TJ"):
            parts = operands[0] if operator == b"TJ" else [operands[0]]
            for part in parts:
                if isinstance(part, str | bytes):
                    glyphs.setdefault(font, set()).update(_codes(part))
    for name, codes in glyphs.items():
        descriptor = resources["/Font"][name]["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        if "/FontFile2" not in descriptor:
            continue
        table = TTFont(io.BytesIO(descriptor["/FontFile2"].get_data()))
        if 0 in codes:
            yield f"6.2.11.8 .notdef in {name}"
        if max(codes) >= table["maxp"].numGlyphs:
            yield f"6.2.11.4.1 glyph missing from {name}"


def _codes(part: Any) -> list[int]:
    raw = part if isinstance(part, bytes) else part.original_bytes
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]

"""Writes a PDF/A-3b file object by object, so that a batch of any length needs no more memory than one page."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

from workflow.documents.pdf import srgb_profile

PRODUCER = "Fugong 复工通"
# The comment of bytes above 127 tells transfer programs that the file is binary; PDF/A asks for it.
_HEADER = b"%PDF-1.7\n%\xf0\x9f\x96\xa4\n"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part>\
<pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">\
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>{created}</xmp:CreateDate>\
<xmp:ModifyDate>{created}</xmp:ModifyDate></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>{producer}</pdf:Producer>\
</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True, slots=True)
class Description:
    """What the metadata say: title, author, and the day (ISO) that stands for creation, since no clock is read."""

    title: str
    author: str
    created: str


class PdfStream:
    """Numbers objects, remembers where each began, and returns the bytes to write; keeps nothing else.

    The same calls give the same bytes: the file's identifier is the hash of what was written.
    """

    def __init__(self) -> None:
        self._offsets: dict[int, int] = {}
        self._position = 0
        self._numbers = 0
        self._hash = hashlib.sha256()

    def number(self) -> int:
        """Return a number for an object that is written later."""
        self._numbers += 1
        return self._numbers

    def start(self) -> bytes:
        """Return the head of the file."""
        return self._counted(_HEADER)

    def put(self, number: int, content: bytes) -> bytes:
        """Return the object ``number`` with this content, a value or a complete stream."""
        self._offsets[number] = self._position
        return self._counted(b"%d 0 obj\n%b\nendobj\n" % (number, content))

    def end(self, pages: int, description: Description) -> Iterator[bytes]:
        """Yield catalogue, metadata, output intent, cross-reference table and trailer; ``pages`` is the page tree."""
        metadata, profile, catalogue = self.number(), self.number(), self.number()
        xml = _XMP.format(
            title=escape(description.title),
            author=escape(description.author),
            created=description.created,
            producer=escape(PRODUCER),
        )
        yield self.put(metadata, stream(b"/Type/Metadata/Subtype/XML", xml.encode(), compress=False))
        yield self.put(profile, _profile())
        yield self.put(
            catalogue,
            b"<</Type/Catalog/Pages %d 0 R/Metadata %d 0 R/Lang(zh-Hans)/OutputIntents[<</Type/OutputIntent"
            b"/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB)/DestOutputProfile %d 0 R>>]>>"
            % (pages, metadata, profile),
        )
        identifier = self._hash.hexdigest()[:32].encode()
        table = self._position
        yield b"xref\n0 %d\n0000000000 65535 f \n" % (self._numbers + 1)
        yield b"".join(b"%010d 00000 n \n" % self._offsets[number] for number in range(1, self._numbers + 1))
        yield b"trailer\n<</Size %d/Root %d 0 R/ID[<%b><%b>]>>\nstartxref\n%d\n%%%%EOF\n" % (
            self._numbers + 1,
            catalogue,
            identifier,
            identifier,
            table,
        )

    def _counted(self, data: bytes) -> bytes:
        self._position += len(data)
        self._hash.update(data)
        return data


def stream(entries: bytes, data: bytes, *, compress: bool = True) -> bytes:
    """Return a stream object with these entries of its dictionary; ``Length`` and ``Filter`` are added."""
    if compress:
        data = zlib.compress(data)
        entries += b"/Filter/FlateDecode"
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(data), data)


@cache
def _profile() -> bytes:
    return stream(b"/N 3", srgb_profile())

"""Builds the files that the upload and preview tests throw at the house: sound ones and every bad kind."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import docx
import pillow_heif
import xlsxwriter
from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped, unused-ignore]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped, unused-ignore]

from tests.documents import samples


def pdf(pages: int = 2) -> bytes:
    """A PDF with a line of text on each page."""
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=A4)
    for number in range(pages):
        canvas.drawString(72, 700, f"page {number + 1}")
        canvas.rect(72, 400, 200, 200, fill=1)
        canvas.showPage()
    canvas.save()
    return output.getvalue()


def locked_pdf() -> bytes:
    """A PDF that asks for a password."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf())))
    writer.encrypt("secret", algorithm="AES-256")
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def heic() -> bytes:
    """A picture as an iPhone sends it, with EXIF."""
    picture = Image.open(io.BytesIO(samples.photo()))
    output = io.BytesIO()
    pillow_heif.from_pillow(picture).save(output, quality=60)
    return output.getvalue()


def word(paragraphs: int = 3) -> bytes:
    """A .docx with a few paragraphs and a table between them."""
    document = docx.Document()
    document.add_paragraph("主体责任")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text, table.cell(1, 1).text = "姓名", "王㛃"
    for number in range(paragraphs - 1):
        document.add_paragraph(f"第{number}段")
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def excel(rows: int = 3, columns: int = 2, sheets: int = 1) -> bytes:
    """A .xlsx of text and numbers."""
    output = io.BytesIO()
    with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
        for number in range(sheets):
            sheet = book.add_worksheet(f"表{number + 1}")
            for row in range(rows):
                for column in range(columns):
                    sheet.write(row, column, f"员工{row}" if column == 0 else row)
    return output.getvalue()


def endless_excel(far_cell: str | None = None) -> bytes:
    """A workbook of a few megabytes with 1,048,576 rows, or one cell at the other end of the sheet."""
    if far_cell:
        rows = b'<row r="1"><c r="A1"><v>1</v></c></row>' + (
            f'<row r="1048576"><c r="{far_cell}"><v>2</v></c></row>'.encode()
        )
    else:
        rows = b"".join(b'<row r="%d" spans="1:5" ht="14"></row>' % number for number in range(1, 1_048_577))
    return repacked(
        excel(),
        {
            "xl/worksheets/sheet1.xml": b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/'
            b'spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData>' + rows + b"</sheetData></worksheet>"
        },
    )


def repacked(package: bytes, changes: dict[str, bytes]) -> bytes:
    """An Office package with entries added or replaced."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return samples.zipped(entries | changes)


def compound(*streams: str) -> bytes:
    """The outline of an old Office file: signature and directory names."""
    names = b"".join(name.encode("utf-16-le") + b"\0\0" for name in streams)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHH", 0x3E, 3, 0xFFFE)
    return header.ljust(512, b"\0") + b"\0" * 512 + names.ljust(4096, b"\0")


def png_bomb(side: int = 60_000) -> bytes:
    """A PNG of a few kilobytes that claims (and would unpack to) billions of pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    rows = packer.compress(b"\0" * (side + 1) * 200) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

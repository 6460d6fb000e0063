"""Tests of previews: our own pictures and texts, quick even for hostile files."""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.documents import files, samples
from workflow.documents import sandbox
from workflow.documents.previews import (
    MAX_CELLS,
    MAX_ROWS,
    MAX_SHEETS,
    PreviewUnavailable,
    image_jpeg,
    office_text,
    pdf_page_count,
    pdf_page_png,
)
from workflow.documents.uploads import FileKind


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


def test_pdf_pages_are_counted_and_drawn(tmp_path: Path) -> None:
    path = written(tmp_path, files.pdf(3))
    assert pdf_page_count(path) == 3
    picture = Image.open(io.BytesIO(pdf_page_png(path, 3, 600)))
    assert picture.format == "PNG"
    assert abs(picture.width - 600) <= 1
    assert picture.convert("L").getextrema() == (0, 255)


@pytest.mark.parametrize("page", [0, 4, -1])
def test_a_page_that_is_not_there(page: int, tmp_path: Path) -> None:
    with pytest.raises(PreviewUnavailable):
        pdf_page_png(written(tmp_path, files.pdf(3)), page, 600)


def test_width_is_kept_sensible(tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(pdf_page_png(written(tmp_path, files.pdf(1)), 1, 1_000_000)))
    assert picture.width <= 2_401


def test_picture_is_scaled_down(tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(image_jpeg(written(tmp_path, samples.photo(form="PNG")), 320)))
    assert (picture.format, picture.size) == ("JPEG", (320, 240))


def test_word_is_shown_in_reading_order(tmp_path: Path) -> None:
    text = office_text(written(tmp_path, files.word()), FileKind.DOCX)
    assert [block.kind for block in text.blocks] == ["paragraph", "table", "paragraph", "paragraph"]
    assert text.blocks[0].title == "主体责任"
    assert text.blocks[1].rows == (("姓名", ""), ("", "王㛃"))
    assert not text.truncated


def test_a_long_word_file_is_cut_and_says_so(tmp_path: Path) -> None:
    text = office_text(written(tmp_path, files.word(3_000)), FileKind.DOCX)
    assert text.truncated
    assert len(text.blocks) <= 2 * MAX_ROWS


def test_excel_shows_its_first_rows(tmp_path: Path) -> None:
    text = office_text(written(tmp_path, files.excel()), FileKind.XLSX)
    assert text.blocks[0].title == "表1"
    assert text.blocks[0].rows == (("员工0", "0"), ("员工1", "1"), ("员工2", "2"))
    assert not text.truncated


@pytest.mark.parametrize(
    ("rows", "columns", "sheets"), [(MAX_ROWS + 1, 1, 1), (1, MAX_CELLS + 1, 1), (1, 1, MAX_SHEETS + 1)]
)
def test_a_large_workbook_is_cut_and_says_so(rows: int, columns: int, sheets: int, tmp_path: Path) -> None:
    text = office_text(written(tmp_path, files.excel(rows, columns, sheets)), FileKind.XLSX)
    assert text.truncated
    assert len(text.blocks) <= MAX_SHEETS
    assert all(len(block.rows) <= MAX_ROWS for block in text.blocks)
    assert all(len(row) <= MAX_CELLS for block in text.blocks for row in block.rows)


def test_a_workbook_of_a_million_empty_rows_comes_back_quickly(tmp_path: Path) -> None:
    path = written(tmp_path, files.endless_excel())
    begin = time.monotonic()
    text = office_text(path, FileKind.XLSX)
    assert time.monotonic() - begin < 10
    assert text.blocks[0].rows == ()


@pytest.mark.parametrize("far_cell", ["A1048576", "XFD1048576"])
def test_a_cell_at_the_other_end_of_the_sheet_ends_quickly(far_cell: str, tmp_path: Path) -> None:
    path = written(tmp_path, files.endless_excel(far_cell))
    begin = time.monotonic()
    try:
        text = office_text(path, FileKind.XLSX)
    except PreviewUnavailable:
        pass
    else:
        assert text.blocks[0].rows[0][0] == "1"
        assert text.truncated
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("kind", [FileKind.DOC, FileKind.XLS, FileKind.PDF])
def test_old_office_has_no_preview(kind: FileKind, tmp_path: Path) -> None:
    with pytest.raises(PreviewUnavailable):
        office_text(written(tmp_path, files.compound("WordDocument")), kind)


@pytest.mark.parametrize("kind", [FileKind.DOCX, FileKind.XLSX])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04nonsense", samples.photo()])
def test_nonsense_has_no_preview(kind: FileKind, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(PreviewUnavailable):
        office_text(written(tmp_path, data), kind)
    with pytest.raises(PreviewUnavailable):
        pdf_page_count(written(tmp_path, data))


def test_a_billion_laughs_ends_quickly(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' if n else '<!ENTITY a0 "ha">' for n in range(10))
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE w:document [{entities}]><w:document xmlns:w='
        '"http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&a9;</w:t></w:r></w:p>'
        "</w:body></w:document>"
    )
    path = written(tmp_path, files.repacked(files.word(), {"word/document.xml": xml.encode()}))
    begin = time.monotonic()
    with contextlib.suppress(PreviewUnavailable):
        assert sum(len(block.title) for block in office_text(path, FileKind.DOCX).blocks) < 10_000
    assert time.monotonic() - begin < 10


def test_the_sandbox_limits_time_memory_and_output(tmp_path: Path) -> None:
    path = written(tmp_path, samples.photo("navy", (3_000, 2_000), "PNG"))
    order: dict[str, str | int] = {"form": "PNG", "max_pixels": 40_000_000}
    assert sandbox.run("reencode", path, arguments=order)
    with pytest.raises(sandbox.ParserFailed):
        sandbox.run("reencode", path, arguments=order, wall_seconds=0.01)
    with pytest.raises((sandbox.ParserFailed, sandbox.ParserRefused)):
        sandbox.run("reencode", path, arguments=order, memory_mb=60)
    with pytest.raises(sandbox.ParserFailed):
        sandbox.run("reencode", path, arguments=order, output_mb=0)
    with pytest.raises(sandbox.ParserFailed):
        sandbox.run("no such task", path)


def test_the_largest_allowed_picture_fits_into_the_limits(tmp_path: Path) -> None:
    path = written(tmp_path, samples.photo("navy", (8_000, 5_000), "JPEG"))
    assert sandbox.run("reencode", path, arguments={"form": "JPEG", "max_pixels": 40_000_000}, output_mb=96)
    transparent = io.BytesIO()
    Image.new("RGBA", (8_000, 5_000)).save(transparent, "PNG", compress_level=1)
    assert image_jpeg(written(tmp_path, transparent.getvalue()), 800)

"""Shows uploaded files on the reviewer's screen as pictures and texts of our own making."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workflow.core.errors import N_, DomainError
from workflow.documents import sandbox
from workflow.documents.uploads import MAX_PDF_PAGES, MAX_PIXELS, FileKind

MAX_WIDTH = 2_400
MAX_SHEETS, MAX_ROWS, MAX_CELLS = 5, 200, 40


class PreviewUnavailable(DomainError):
    """No preview can be made of this file; the reader can still download it."""

    def __init__(self, message: str = N_("此文件无法预览，请下载后查看。"), /, **params: object) -> None:
        super().__init__(message, **params)


@dataclass(frozen=True, slots=True)
class OfficeBlock:
    """A piece of a Word or Excel file: a paragraph (its text is ``title``), a table, or a sheet named ``title``."""

    kind: Literal["paragraph", "table", "sheet"]
    title: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class OfficeText:
    """The text of an Office file in reading order; ``truncated`` when something was left out."""

    blocks: tuple[OfficeBlock, ...]
    truncated: bool


def pdf_page_count(path: Path) -> int:
    """Return how many pages a PDF has (1 to 300)."""
    return int(_run("pdf_count", path, maximum=MAX_PDF_PAGES))


def pdf_page_png(path: Path, page: int, width: int) -> bytes:
    """Return page ``page`` (from 1) of a PDF as PNG, about ``width`` pixels wide."""
    return _run("pdf_page", path, page=page - 1, width=_sensible(width))


def image_jpeg(path: Path, width: int) -> bytes:
    """Return a stored image as JPEG no wider than ``width`` pixels."""
    return _run("image_jpeg", path, width=_sensible(width), max_pixels=MAX_PIXELS)


def office_text(path: Path, kind: FileKind) -> OfficeText:
    """Return the text of a .docx or .xlsx; the older .doc and .xls have no preview."""
    if kind is FileKind.DOCX:
        answer = _run("docx_text", path, max_rows=MAX_ROWS * 2, max_cells=MAX_CELLS)
    elif kind is FileKind.XLSX:
        answer = _run("xlsx_text", path, max_sheets=MAX_SHEETS, max_rows=MAX_ROWS, max_cells=MAX_CELLS)
    else:
        raise PreviewUnavailable
    found = json.loads(answer)
    return OfficeText(
        tuple(
            OfficeBlock(block["kind"], block["title"], tuple(tuple(row) for row in block["rows"]))
            for block in found["blocks"]
        ),
        found["truncated"],
    )


def _sensible(width: int) -> int:
    return max(16, min(width, MAX_WIDTH))


def _run(task: str, path: Path, **arguments: int) -> bytes:
    try:
        return sandbox.run(task, path, cpu_seconds=10, wall_seconds=15.0, output_mb=24, arguments=arguments)
    except (sandbox.ParserRefused, sandbox.ParserFailed) as error:
        raise PreviewUnavailable from error

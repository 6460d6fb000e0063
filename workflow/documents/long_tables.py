"""Writes tables of any length as CSV or XLSX with flat memory: rows are appended to an unfinished file, which is then
finished in one go, so that whoever writes can stop and go on.

The unfinished file of a CSV holds its lines as they will stand, that of a workbook one JSON array a line, of which
XlsxWriter makes the workbook row by row. Text is always text: in XLSX by its cell type, in CSV what looks like a
formula or a long number begins with an apostrophe.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

ROWS_A_SHEET = 1_048_575
"""Rows that a sheet takes below its heads."""
_CHUNK = 1 << 20
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_LONG_NUMBER = re.compile(r"[0-9]{12,}")
_LONGEST_CELL = 32_767
_ROWS_A_CALL = 20_000
"""After how many rows of a workbook whoever has it made hears that it goes on."""
Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what stands above it, and how wide it is in characters."""

    head: str
    width: int = 14


@dataclass(frozen=True, slots=True)
class About:
    """What the finished workbook says of itself: its title, who had it made and when, and lines of notes."""

    title: str
    author: str
    at: dt.datetime
    notes: tuple[str, ...]


def csv_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """``rows`` as they stand in a CSV file."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([_harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode()


def _harmless(cell: Cell) -> str | int:
    """A cell that no spreadsheet program calculates or shortens."""
    if not isinstance(cell, str):
        return "" if cell is None else cell
    text = _UNSTORABLE.sub("", cell)
    return f"'{text}" if text.lstrip(" ").startswith(_RISKY) or _LONG_NUMBER.fullmatch(text) else text


def spool_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    """``rows`` as they stand in the unfinished file of a workbook."""
    return "".join(f"{json.dumps(list(row), separators=(',', ':'))}\n" for row in rows).encode()


def finish_csv(source: Path, target: Path, columns: Sequence[Column]) -> None:
    """Put a BOM, by which programs know UTF-8, and the heads before the rows of ``source``."""
    with target.open("wb") as output, source.open("rb") as rows:
        output.write(b"\xef\xbb\xbf" + csv_rows([[c.head for c in columns]]))
        shutil.copyfileobj(rows, output, _CHUNK)


def finish_xlsx(
    source: Path, target: Path, columns: Sequence[Column], about: About, going: Callable[[], None] = lambda: None
) -> None:
    """Make a workbook of the rows of ``source``, and notes on a last sheet; the same rows make the same bytes.

    It takes some 12 seconds for 100,000 rows of 28 cells: ``going`` is called now and then in between. What XlsxWriter
    needs meanwhile lies in the folder of ``target``, which is to be one of its own: it stays when this is cut short.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(target.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(str(target), options)
    book.use_zip64()
    words = " ".join(about.notes)
    book.set_properties({"title": about.title, "author": about.author, "comments": words, "created": about.at})
    _write_sheets(book, source, columns, about, going)
    notes = book.add_worksheet("导出说明")
    notes.set_column(0, 0, 100, book.add_format({"text_wrap": True, "valign": "top"}))
    for place, line in enumerate(about.notes):
        notes.write_string(place, 0, _text(line))
    going()
    book.close()


def _write_sheets(book: Any, source: Path, columns: Sequence[Column], about: About, going: Callable[[], None]) -> None:
    """The rows of ``source`` below their heads, on as many sheets as they fill."""
    head = book.add_format({"bold": True, "bg_color": "#E8EDF3", "bottom": 1, "text_wrap": True, "valign": "vcenter"})
    sheet, inside = _new_sheet(book, columns, about, head, 1), 0
    with source.open("rb") as lines:
        for number, line in enumerate(lines):
            if inside == ROWS_A_SHEET:
                _close_sheet(sheet, columns, inside)
                sheet, inside = _new_sheet(book, columns, about, head, number // ROWS_A_SHEET + 1), 0
            inside += 1
            for place, cell in enumerate(json.loads(line)):
                if isinstance(cell, str):
                    if cell:
                        sheet.write_string(inside, place, _text(cell))
                elif cell is not None:
                    sheet.write_number(inside, place, cell)
            if number % _ROWS_A_CALL == _ROWS_A_CALL - 1:
                going()
    _close_sheet(sheet, columns, inside)


def _text(cell: str) -> str:
    """The text as a cell can hold it; XlsxWriter would take what looks like its own markup for such."""
    text = cell[:_LONGEST_CELL]
    if not text.isprintable():
        text = _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return f" {text}" if text.startswith("<r>") and text.endswith("</r>") else text


def _new_sheet(book: Any, columns: Sequence[Column], about: About, head: Any, number: int) -> Any:
    """A sheet with its heads, which stay in sight and are printed on each page."""
    sheet = book.add_worksheet(about.title if number == 1 else f"{about.title} {number}")
    sheet.set_row(0, 30)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.head, head)
    sheet.freeze_panes(1, 2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.repeat_rows(0)
    sheet.set_footer("&L" + about.author.replace("&", "&&") + "&R&P / &N")
    return sheet


def _close_sheet(sheet: Any, columns: Sequence[Column], count: int) -> None:
    """What depends on how many rows the sheet has got: its filter, and text that looks like a number is no mistake."""
    sheet.autofilter(0, 0, max(count, 1), len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(len(columns) - 1)}{count + 1}"})

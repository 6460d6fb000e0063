"""Lists of vehicles as files: reads workbooks and CSV into cells, writes the blank one and the rows to correct."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from workflow.core.errors import N_, Invalid
from workflow.core.vehicle_table import COLUMNS, MAX_ROWS, OPTIONAL
from workflow.documents import sandbox
from workflow.documents.uploads import FileKind

MOST_ROWS, MOST_CELLS = MAX_ROWS + 200, 60
"""What is read of a sheet: rows that hold something, and cells of each."""
WIDTHS = (13, 16, 14, 40, 22, 14, 14, 24)
PROBLEM = "需要改正"
Line = tuple[int, list[str]]


def read_cells(path: Path, kind: FileKind) -> list[Line]:
    """The rows that hold something, with their line from 1, as text; :class:`Invalid` when the file can't be read."""
    return _csv(path) if kind is FileKind.CSV else _workbook(path)


def _workbook(path: Path) -> list[Line]:
    limits = {"max_rows": MOST_ROWS, "max_cells": MOST_CELLS}
    try:
        answer = sandbox.run("table_rows", path, cpu_seconds=20, wall_seconds=30.0, arguments=limits)
    except sandbox.ParserRefused as error:
        raise Invalid(N_("表格打不开。请用 Excel 打开，另存为新的 .xlsx 后再上传。"), field="file") from error
    except sandbox.ParserFailed as error:
        raise Invalid(N_("表格太大或结构异常，无法读取。请把车辆复制到空白表里再上传。"), field="file") from error
    found = json.loads(answer)
    if found["truncated"]:
        raise Invalid(N_("一张表最多 %(n)s 辆，请分成几张。"), field="file", n=MAX_ROWS)
    return [(int(line), [str(c) for c in cells]) for line, cells in found["rows"]]


def decode(content: bytes) -> str:
    """The text of a CSV file in UTF-8 (with or without its mark), UTF-16 with a mark, or GB18030, as Excel saves it."""
    for encoding in ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Invalid(N_("文件的文字编码认不出来。请用 Excel 另存为 .xlsx 后再上传。"), field="file")


def _csv(path: Path) -> list[Line]:
    body = decode(path.read_bytes())
    first = body.split("\n", 1)[0]
    separator = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator)
    found: list[Line] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                # What our own files, and Excel, put before a text that looks like a number or formula.
                plain = [c[1:] if c[:1] == "'" else c for c in cells[:MOST_CELLS]]
                found.append((reader.line_num, plain))
            if len(found) > MOST_ROWS:
                raise Invalid(N_("一张表最多 %(n)s 辆，请分成几张。"), field="file", n=MAX_ROWS)
    except csv.Error as error:
        raise Invalid(N_("第 %(n)s 行读不出来，请检查引号是否成对。"), field="file", n=reader.line_num) from error
    return found


def _book(buffer: io.BytesIO) -> Any:
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    return xlsxwriter.Workbook(buffer, options)


def _sheet(book: Any, heads: Sequence[str], widths: Sequence[int]) -> Any:
    sheet = book.add_worksheet("车辆")
    text = book.add_format({"num_format": "@"})
    head = book.add_format({"bold": True, "bg_color": "#E8EDF3", "bottom": 1, "text_wrap": True, "valign": "vcenter"})
    for place, (name, width) in enumerate(zip(heads, widths, strict=True)):
        sheet.set_column(place, place, width, text)
        sheet.write_string(0, place, name, head)
    sheet.freeze_panes(1, 1)
    return sheet


def _offer(sheet: Any, column: int, words: Sequence[str]) -> None:
    sheet.data_validation(1, column, MAX_ROWS + 1, column, {"validate": "list", "source": list(words)})


def blank(purposes: Sequence[str], hours: Sequence[str], example: Sequence[str], notes: Sequence[str]) -> bytes:
    """A workbook to fill in: text cells, words to choose from, an example that is left out, and notes on a sheet."""
    buffer = io.BytesIO()
    book = _book(buffer)
    heads = [name if name in OPTIONAL else f"{name} *" for name in COLUMNS]
    sheet = _sheet(book, heads, WIDTHS)
    grey = book.add_format({"font_color": "#667382", "italic": True, "num_format": "@"})
    for place, cell in enumerate(example):
        sheet.write_string(1, place, cell, grey)
    _offer(sheet, 2, purposes)
    _offer(sheet, 7, hours)
    about = book.add_worksheet("填写说明")
    about.set_column(0, 0, 90, book.add_format({"text_wrap": True, "valign": "top"}))
    for place, line in enumerate(notes):
        about.write_string(place, 0, line)
    book.close()
    return buffer.getvalue()


def to_correct(rows: Sequence[tuple[Sequence[str], str]], purposes: Sequence[str], hours: Sequence[str]) -> bytes:
    """A workbook of the rows that have to be corrected, each with what is wrong in the last column."""
    buffer = io.BytesIO()
    book = _book(buffer)
    sheet = _sheet(book, [*COLUMNS, PROBLEM], [*WIDTHS, 60])
    red = book.add_format({"font_color": "#B3261E", "text_wrap": True})
    for line, (cells, why) in enumerate(rows, start=1):
        for place, cell in enumerate(cells):
            sheet.write_string(line, place, cell)
        sheet.write_string(line, len(COLUMNS), why, red)
    _offer(sheet, 2, purposes)
    _offer(sheet, 7, hours)
    book.close()
    return buffer.getvalue()

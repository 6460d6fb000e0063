"""Exports as their tests order and read them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook
from sqlalchemy import insert, select

from tests.builders import NOW, World
from workflow.core.actors import Role
from workflow.data.cases import Case
from workflow.data.exports import Export
from workflow.documents import long_tables, storage
from workflow.documents.long_tables import About, Column
from workflow.extensions import db, settings
from workflow.jobs import drain
from workflow.services import exports
from workflow.services.exports import Asking

OPEN = {"tab": "open"}


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def clock(world: World) -> Callable[[], dt.datetime]:
    """The world's clock."""
    return lambda: world.now


def copies(case: Case, number: int) -> None:
    """``number`` more rows like a case."""
    table = Case.__table__
    row = dict(db.session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    del row["id"]
    rows = [{**row, "reference": f"{row['reference']}-{n:05d}"} for n in range(number)]
    db.session.execute(insert(table), rows)
    db.session.commit()


def order(world: World, role: Role = Role.REVIEWER, **asked: Any) -> Export:
    """An export ordered and written."""
    export = exports.start(world.actor(world.officer(role)), Asking(**{"view": OPEN, **asked}), world.now)
    db.session.commit()
    drain.drain(clock(world))
    return stored(export.id)


def stored(export_id: int) -> Export:
    """The export as the database has it."""
    db.session.rollback()
    return db.session.get_one(Export, export_id, populate_existing=True)


def content(export: Export) -> bytes:
    """The bytes of a finished export."""
    assert export.file is not None, (export.status, export.error)
    return storage.read_bytes(storage.open_store(settings().files_url), export.file.key)


def rows_of(export: Export) -> list[list[str]]:
    """The lines of a finished export with their heads, as another program reads them."""
    data = content(export)
    if export.format == "csv":
        assert data.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return [[_plain(c) for c in row] for row in sheet.to_python(skip_empty_area=False)]


def _plain(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) else str(cell)


def made(folder: Path, rows: list[list[Any]], going: Callable[[], None] = lambda: None) -> Path:
    """A workbook of two columns, made in a folder of its own."""
    folder.mkdir()
    source, target = folder.with_suffix(".rows"), folder / "book.xlsx"
    source.write_bytes(long_tables.spool_rows(rows))
    long_tables.finish_xlsx(source, target, [Column("文"), Column("数")], About("表", "某人", NOW, ("说明",)), going)
    assert list(folder.iterdir()) == [target], "nothing else is left"
    return target

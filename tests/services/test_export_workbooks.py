"""The workbook of an export: its sheets, its frame, odd text, the same bytes again, and crashes while it is made."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from tests.builders import World
from tests.services.exported import OPEN, Killed, clock, content, copies, made, order, rows_of, stored
from workflow.core.actors import Role
from workflow.data import outbox
from workflow.data.outbox import OutboxItem
from workflow.documents import long_tables
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import exports
from workflow.services.exports import Asking


def test_sheets_are_split_where_they_are_full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_tables, "ROWS_A_SHEET", 700)
    copies(world.submitted(), 1999)
    export = order(world)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content(export)))
    assert book.sheet_names == ["案件", "案件 2", "案件 3", "导出说明"]
    lines = [book.get_sheet_by_index(n).to_python(skip_empty_area=False)[1:] for n in range(3)]
    assert [len(sheet) for sheet in lines] == [700, 700, 600]
    assert len({row[0] for sheet in lines for row in sheet}) == 2000


def test_a_full_last_sheet_begins_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_tables, "ROWS_A_SHEET", 50)
    copies(world.submitted(), 99)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content(order(world))))
    assert book.sheet_names == ["案件", "案件 2", "导出说明"]


def test_the_sheets_frame(world: World) -> None:
    copies(world.submitted(), 9)
    export = order(world)
    book = openpyxl.load_workbook(io.BytesIO(content(export)))
    sheet = book["案件"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:AB11"
    assert sheet.column_dimensions["B"].width > 30
    assert sheet.print_title_rows == "$1:$1"
    assert sheet["A1"].font.b
    assert book.properties.created == export.created_at.replace(tzinfo=None, microsecond=0)
    assert "导出" in str(book.properties.description)


def test_a_workbook_of_odd_text(tmp_path: Path) -> None:
    odd = [
        "\x00\x08控制",
        "🧵",
        "a\nb",
        " 空 ",
        "_x0041_",
        "&lt;<>",
        "长" * 40_000,
        "\ud800",
        "<r><t>x</t></r>",
        "甲\r\n乙",
    ]
    sheet = openpyxl.load_workbook(made(tmp_path / "odd", [[text, n] for n, text in enumerate(odd)]))["表"]
    read = [str(row[0].value) for row in sheet.iter_rows(min_row=2)]
    assert read[:2] == ["控制", "🧵"]
    assert read[3] == " 空 "
    assert read[4] == "_x005F_x0041_", "Excel reads _x005F_ as an underscore, which openpyxl leaves"
    assert read[5] == "&lt;<>"
    assert len(read[6]) == 32_767
    assert read[8] == " <r><t>x</t></r>", "text, and no markup of XlsxWriter's"
    assert read[9] == "甲\n乙"


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    rows = [["甲", 1], ["", None], ["330201199001011234", 3]]
    first, second = made(tmp_path / "a", rows), made(tmp_path / "b", rows)
    assert first.read_bytes() == second.read_bytes()


def test_the_lease_is_renewed_while_a_workbook_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_tables, "_ROWS_A_CALL", 50)
    copies(world.submitted(), 199)
    export = exports.start(world.actor(world.officer(Role.REVIEWER)), Asking(OPEN), world.now)
    db.session.commit()
    genuine, seen = outbox.renew, []

    def watched(item_id: int, now: dt.datetime) -> None:
        world.later(minutes=1)
        genuine(item_id, world.now)
        seen.append(db.session.get_one(OutboxItem, item_id, populate_existing=True).available_at - world.now)

    monkeypatch.setattr(outbox, "renew", watched)
    drain.drain(clock(world))
    assert seen == [outbox.LEASE] * 5
    assert stored(export.id).status == "done"


def test_a_crash_while_the_workbook_is_made_leaves_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies(world.submitted(), 20)
    export = exports.start(world.actor(world.officer(Role.REVIEWER)), Asking(OPEN), world.now)
    db.session.commit()
    folder, genuine = exports.unfinished(export.id).parent, long_tables.finish_xlsx

    def dying(*args: Any) -> None:
        (folder / f"{export.id}-killed").mkdir()
        (folder / f"{export.id}-killed" / "part").write_text("half")
        raise Killed

    monkeypatch.setattr(long_tables, "finish_xlsx", dying)
    with pytest.raises(Killed):
        drain.drain(clock(world))
    assert list(folder.iterdir())
    monkeypatch.setattr(long_tables, "finish_xlsx", genuine)
    world.later(minutes=3)
    drain.drain(clock(world))
    assert len(rows_of(stored(export.id))) == 22
    assert list(folder.iterdir()) == []

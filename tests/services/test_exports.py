"""Exports: every row of a view, masked unless allowed, for one person and one week; stopped and taken up again."""

from __future__ import annotations

import datetime as dt
import io
import os
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from tests.builders import World
from tests.services.exported import OPEN, Killed, clock, content, copies, order, rows_of, stored
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import Invalid, NotFound, NotPermitted, StepClosed
from workflow.data import audit
from workflow.data.audit import AuditEntry
from workflow.data.files import StoredFile
from workflow.data.notices import Notice
from workflow.data.outbox import OutboxItem
from workflow.data.people import PersonAppointment
from workflow.documents import long_tables, storage
from workflow.extensions import db, settings
from workflow.jobs import chunks, drain
from workflow.services import accounts, export_lines, exports
from workflow.services.exports import Asking


def test_both_formats_say_the_same(world: World) -> None:
    first = world.submitted(name="宁波海曙晨光服装有限公司")
    copies(first, 120)
    book, plain = order(world), order(world, format="csv")
    assert (book.status, book.rows, plain.rows) == ("done", 121, 121)
    assert rows_of(book) == rows_of(plain)
    head, *lines = rows_of(book)
    assert head == [c.head for c in export_lines.COLUMNS]
    assert len({line[0] for line in lines}) == 121
    line = dict(zip(head, lines[0], strict=True))
    assert line["企业名称"] == "宁波海曙晨光服装有限公司"
    assert line["统一社会信用代码"] == first.enterprise.uscc
    assert line["当前环节"] == "已提交，待受理"
    assert line["申请复工人数"] == "60"
    assert line["提交时间"] == "2020-02-15 09:30"
    opened = openpyxl.load_workbook(io.BytesIO(content(book)))
    assert opened.sheetnames == ["案件", "导出说明"]
    assert opened["案件"].max_row == 122
    assert world.officer(Role.REVIEWER).person.name in str(opened["导出说明"]["A1"].value)
    assert opened.properties.creator == world.officer(Role.REVIEWER).person.name
    assert openpyxl.load_workbook(io.BytesIO(content(book)), read_only=True)["案件"].max_row == 122


def test_personal_data_is_masked(world: World) -> None:
    world.submitted(
        contact_name="吴联络",
        contact_mobile="13800138000",
        head_name="周试验",
        address="试验路 1 号（吴联络收）13900139000",
    )
    for kind in ("xlsx", "csv"):
        export = order(world, format=kind)
        text = "\n".join("|".join(row) for row in rows_of(export))
        for secret in ("13800138000", "13800138001", "0574-87654321", "吴联络", "周试验", "13900139000"):
            assert secret not in text
        assert "138****8000" in text
        assert "吴**" in text
        assert b"13800138000" not in content(export)


def test_unmasked_needs_the_right_and_a_reason_and_is_recorded(world: World) -> None:
    world.submitted(contact_name="吴联络")
    reviewer, leader = world.actor(world.officer(Role.REVIEWER)), world.actor(world.officer(Role.LEADER))
    with pytest.raises(NotPermitted):
        exports.start(reviewer, Asking(OPEN, unmasked=True, reason="电话核实复工人数"), world.now)
    with pytest.raises(Invalid):
        exports.start(leader, Asking(OPEN, unmasked=True, reason=" "), world.now)
    export = order(world, Role.LEADER, unmasked=True, reason="电话核实复工人数")
    assert "吴联络" in str(rows_of(export))
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "exported")).one()
    assert entry.person_id == leader.person_id
    assert entry.after["rows"] == 1
    assert entry.after["personal"] == "unmasked"
    assert entry.after["filters"] == ["tab"]
    assert "核实" not in str(entry.after)
    assert list(audit.verify()) == []


def test_what_looks_like_a_formula_is_harmless(world: World) -> None:
    names = ["=HYPERLINK(1)有限公司", "+1+1有限公司", "@SUM(A1)有限公司", "-2+3有限公司", "公司_x0041_&<b>\"'"]
    for name in names:
        world.submitted(name=name)
    book, plain = order(world), order(world, format="csv")
    assert sorted(row[1] for row in rows_of(book)[1:]) == sorted(names)
    written = [row[1] for row in rows_of(plain)[1:]]
    assert not any(name[0] in "=+-@\t" for name in written)
    sheet = openpyxl.load_workbook(io.BytesIO(content(book)))["案件"]
    assert {c.data_type for row in sheet.iter_rows(min_row=2, max_col=2) for c in row} == {"s"}


def test_long_numbers_stay_text() -> None:
    assert long_tables.csv_rows([["330201199001011234", "123", 7]]) == b"'330201199001011234,123,7\r\n"


def test_an_export_of_nothing(world: World) -> None:
    for kind in ("xlsx", "csv"):
        export = order(world, format=kind)
        assert (export.status, export.rows) == ("done", 0)
        assert rows_of(export) == [[c.head for c in export_lines.COLUMNS]]


def test_only_ticked_cases_that_are_seen(world: World) -> None:
    cases = [world.submitted() for _ in range(3)]
    hidden = world.submitted(town="330203003")
    export = order(world, view={}, case_ids=(cases[2].id, cases[0].id, hidden.id))
    assert [row[0] for row in rows_of(export)[1:]] == [cases[2].reference, cases[0].reference]


def test_the_view_is_asked_as_the_queue_does(world: World) -> None:
    world.submitted(name="宁波晨光服装有限公司")
    world.submitted(name="宁波海星机械有限公司")
    export = order(world, view={"tab": "open", "q": "晨光", "flow": "no-such-flow"})
    assert [row[1] for row in rows_of(export)[1:]] == ["宁波晨光服装有限公司"]


def test_a_crash_in_the_middle_loses_and_doubles_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(world.submitted(), 4500)
    monkeypatch.setattr(exports, "SECONDS", 0.0)
    monkeypatch.setattr(exports.write_on, "__defaults__", (0.0,))
    export = exports.start(world.actor(world.officer(Role.REVIEWER)), Asking(OPEN, format="csv"), world.now)
    db.session.commit()
    export_id, genuine, calls = export.id, exports._keep, []

    def dying(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Killed
        genuine(*args)

    monkeypatch.setattr(exports, "_keep", dying)
    with pytest.raises(Killed):
        drain.drain(clock(world))
    assert stored(export_id).rows == 2000
    assert exports.unfinished(export_id).stat().st_size > stored(export_id).offset, "written, but not kept"
    monkeypatch.setattr(exports, "_keep", genuine)
    world.later(minutes=3)
    drain.drain(clock(world))
    done = stored(export_id)
    assert (done.status, done.rows) == ("done", 4501)
    assert len({row[0] for row in rows_of(done)[1:]}) == 4501
    assert not exports.unfinished(export_id).exists()


def test_a_lost_unfinished_file_is_begun_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(world.submitted(), 2500)
    monkeypatch.setattr(exports.write_on, "__defaults__", (0.0,))
    export = exports.start(world.actor(world.officer(Role.REVIEWER)), Asking(OPEN), world.now)
    db.session.commit()
    for item in db.session.scalars(select(OutboxItem).where(OutboxItem.kind != "export")):
        item.done_at = world.now
    db.session.commit()
    drain.drain(clock(world), limit=1)
    assert stored(export.id).rows == 1000
    exports.unfinished(export.id).unlink()
    drain.drain(clock(world))
    assert len({row[0] for row in rows_of(stored(export.id))[1:]}) == 2501


def test_only_its_maker_fetches_it_and_only_for_a_week(world: World) -> None:
    world.submitted()
    export = order(world)
    maker, leader = world.actor(world.officer(Role.REVIEWER)), world.actor(world.officer(Role.LEADER))
    assert exports.file_of(maker, export.id, world.now).sha256 == export.digest
    with pytest.raises(NotFound):
        exports.file_of(leader, export.id, world.now)
    with pytest.raises(NotFound):
        exports.file_of(maker, export.id, world.now + dt.timedelta(days=8))
    key = export.file.key if export.file else ""
    assert chunks.forget_expired_files(clock(world)) == 0
    world.later(days=7, minutes=1)
    assert chunks.forget_expired_files(clock(world)) == 1
    gone = stored(export.id)
    assert (gone.status, gone.file) == ("expired", None)
    assert not storage.exists(storage.open_store(settings().files_url), key)
    assert db.session.scalar(select(StoredFile.id).where(StoredFile.key == key)) is None


def test_a_moved_officer_loses_the_export(world: World) -> None:
    world.submitted()
    account = world.officer(Role.REVIEWER)
    finished = order(world)
    waiting = exports.start(world.actor(account), Asking(OPEN), world.now)
    held = db.session.scalars(select(PersonAppointment).where(PersonAppointment.person_id == account.person_id)).one()
    held.ends_on = held.starts_on
    accounts.appoint(
        SYSTEM, person_id=account.person_id, role="reviewer", area_code="330203003", bureau=None, now=world.now
    )
    db.session.commit()
    drain.drain(clock(world))
    assert stored(waiting.id).status == "failed"
    with pytest.raises(NotFound):
        exports.file_of(world.actor(account), finished.id, world.now)


def test_cancelled_and_too_many_at_once(world: World) -> None:
    world.submitted()
    actor = world.actor(world.officer(Role.REVIEWER))
    made = [exports.start(actor, Asking(OPEN), world.now) for _ in range(3)]
    with pytest.raises(Invalid):
        exports.start(actor, Asking(OPEN), world.now)
    with pytest.raises(Invalid):
        exports.start(actor, Asking(OPEN, format="pdf"), world.now)
    exports.cancel(actor, made[0].id, world.now)
    db.session.commit()
    with pytest.raises(StepClosed):
        exports.cancel(actor, made[0].id, world.now)
    with pytest.raises(NotFound):
        exports.cancel(world.actor(world.officer(Role.LEADER)), made[1].id, world.now)
    drain.drain(clock(world))
    assert [stored(e.id).status for e in made] == ["cancelled", "done", "done"]


def test_what_nobody_finishes_goes_after_a_week(world: World) -> None:
    old, new = exports.unfinished(1), exports.unfinished(2)
    folder = old.with_name("1-killed")
    folder.mkdir()
    (folder / "part").write_text("half")
    for path, days in ((old, 8), (new, 6)):
        path.write_text("[]")
        at = (world.now - dt.timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    os.utime(folder, (0, 0))
    chunks.forget_expired_files(clock(world))
    assert list(old.parent.iterdir()) == [new]


def test_whoever_ordered_it_is_told_once(world: World) -> None:
    copies(world.submitted(), 4)
    export = order(world)
    (notice,) = db.session.scalars(select(Notice))
    assert (notice.person_id, notice.event) == (export.person_id, "export_done")
    assert notice.case_id is None
    assert notice.details["url"] == "/exports"
    assert notice.details["about"] == {
        "zh": f"编号 {export.id}，共 5 件",
        "en": f"no. {export.id}, 5 cases",
    }
    actor = world.actor(world.officer(Role.REVIEWER))
    dropped = exports.start(actor, Asking(OPEN), world.now)
    exports.cancel(actor, dropped.id, world.now)
    db.session.commit()
    drain.drain(clock(world))
    assert len(list(db.session.scalars(select(Notice)))) == 1

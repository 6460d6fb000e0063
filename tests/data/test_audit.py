"""The history: tampering is found and named, changes are refused, chains stand alone and hold nothing personal."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.builders import World, mobile
from tests.services.together import failures, together
from workflow import cli
from workflow.core.actors import SYSTEM, Role
from workflow.data import applications, audit, inspections, materials
from workflow.data.audit import AuditEntry, AuditHead
from workflow.data.cases import Case
from workflow.data.messages import Message
from workflow.data.outbox import OutboxItem
from workflow.data.people import Account
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import applications as application_service
from workflow.services import inspections as inspection_service
from workflow.services import materials as material_service
from workflow.services import passes as pass_service

CHAIN = "town:tested"
LENGTH = 9


def record(chain: str = CHAIN, **changes: object) -> AuditEntry:
    """One row."""
    at = dt.datetime(2020, 2, 15, 1, 30, 0, 123456, tzinfo=dt.UTC)
    values = {"actor": SYSTEM, "at": at, "after": {"material": 7, "verdict": "ok"}, **changes}
    return audit.record(audit.MATERIAL_JUDGED, chain=chain, **values)  # type: ignore[arg-type]


@pytest.fixture
def chain(world: World, backend: str) -> Iterator[None]:
    """Two chains of nine rows with the triggers out of the way, as somebody with the database in hand would do."""
    for _ in range(LENGTH):
        record()
        record("town:untouched")
    db.session.commit()
    if backend == "sqlite":
        for verb in ("update", "delete"):
            db.session.execute(text(f"DROP TRIGGER audit_entries_no_{verb}"))
    else:
        db.session.execute(text("DROP TRIGGER audit_entries_append_only ON audit_entries"))
    db.session.commit()
    assert list(audit.verify()) == []
    yield
    db.session.rollback()


def run(statement: str, **values: object) -> None:
    """A statement on the rows of the tested chain."""
    db.session.execute(text(statement), {"chain": CHAIN, **values})


def change(column: str, value: object) -> Callable[[], None]:
    """Write another value into row 4."""
    return lambda: run(f"UPDATE audit_entries SET {column} = :value WHERE chain = :chain AND number = 4", value=value)


def remove(*numbers: int) -> Callable[[], None]:
    """Delete rows."""

    def act() -> None:
        for number in numbers:
            run("DELETE FROM audit_entries WHERE chain = :chain AND number = :number", number=number)

    return act


def entry(number: int) -> AuditEntry:
    """A row of the tested chain."""
    query = select(AuditEntry).where(AuditEntry.chain == CHAIN, AuditEntry.number == number)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def forge(number: int, previous: str) -> AuditEntry:
    """A row with a hash that fits its content."""
    made = AuditEntry(
        chain=CHAIN,
        number=number,
        event="approve",
        at=dt.datetime(2020, 2, 15, 2, tzinfo=dt.UTC),
        person_id=0,
        before={},
        after={},
        role="",
        previous=previous,
        hash="",
    )
    made.hash = audit.digest(made)
    db.session.add(made)
    db.session.flush()
    return made


def change_and_rehash() -> None:
    """Change row 4 with all the knowledge of the program, but leave the rows after it."""
    row = entry(4)
    row.after = {"material": 7, "verdict": "wrong"}
    row.hash = audit.digest(row)
    db.session.flush()


def insert_in_the_middle() -> None:
    """Push rows from 5 on up by one and put a fitting row in."""
    for number in range(LENGTH, 4, -1):
        run("UPDATE audit_entries SET number = :number + 1 WHERE chain = :chain AND number = :number", number=number)
    forge(5, entry(4).hash)


def insert_at_the_end() -> None:
    """Add a fitting row behind the head."""
    forge(LENGTH + 1, entry(LENGTH).hash)


def reorder() -> None:
    """Swap rows 4 and 5."""
    for old, new in ((4, 1000), (5, 4), (1000, 5)):
        run("UPDATE audit_entries SET number = :new WHERE chain = :chain AND number = :old", new=new, old=old)


TAMPERINGS: dict[str, tuple[Callable[[], None], int]] = {
    "event": (change("event", "approve"), 4),
    "person": (change("person_id", 99), 4),
    "role": (change("role", "leader"), 4),
    "instant": (change("at", dt.datetime(2020, 2, 15, 1, 30, 0, 123457)), 4),  # noqa: DTZ001 - as stored
    "after": (change("after", json.dumps({"material": 8, "verdict": "ok"})), 4),
    "before": (change("before", json.dumps({"state": "x"})), 4),
    "previous": (change("previous", "f" * 64), 4),
    "hash": (change("hash", "f" * 64), 4),
    "rehashed": (change_and_rehash, 5),
    "first removed": (remove(1), 1),
    "middle removed": (remove(4), 4),
    "two removed": (remove(4, 5), 4),
    "last removed": (remove(LENGTH), LENGTH),
    "end cut off": (remove(7, 8, 9), 7),
    "all removed": (remove(*range(1, LENGTH + 1)), 1),
    "inserted": (insert_in_the_middle, 6),
    "added": (insert_at_the_end, LENGTH + 1),
    "reordered": (reorder, 4),
    "head turned back": (lambda: run("UPDATE audit_heads SET number = 5 WHERE chain = :chain"), 6),
    "head renamed": (lambda: run("UPDATE audit_heads SET hash = 'x' WHERE chain = :chain"), LENGTH),
    "head removed": (lambda: run("DELETE FROM audit_heads WHERE chain = :chain"), LENGTH),
}


@pytest.mark.usefixtures("chain")
def test_every_tampering_is_found_and_its_first_bad_row_named(world: World) -> None:
    found = {}
    for name, (tamper, _) in TAMPERINGS.items():
        with db.session.begin_nested() as savepoint:
            tamper()
            found[name] = [(f.chain, f.number) for f in audit.verify()]
            savepoint.rollback()
        db.session.expire_all()
    assert found == {name: [(CHAIN, number)] for name, (_, number) in TAMPERINGS.items()}
    assert list(audit.verify()) == [], "put back, all is whole again"


@pytest.mark.usefixtures("chain")
def test_the_command_names_the_row_and_fails(world: World) -> None:
    change("event", "approve")()
    db.session.commit()
    cli.register(world.app)
    result = world.app.test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 1
    assert f"{CHAIN} row 4: its content was changed" in result.output
    assert "untouched" not in result.output


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET event = 'approve'",
        "UPDATE audit_entries SET hash = hash",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE number = 1",
    ],
)
def test_the_database_refuses_to_change_history(world: World, statement: str) -> None:
    record()
    db.session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()
    db.session.delete(db.session.scalars(select(AuditEntry)).first())
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.flush()
    db.session.rollback()
    assert list(audit.verify()) == []


@pytest.mark.postgres
def test_truncating_is_refused_too(world: World, backend: str) -> None:
    if backend == "sqlite":
        return  # SQLite has no TRUNCATE
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text("TRUNCATE audit_entries"))


def test_each_town_has_a_chain_of_its_own(world: World) -> None:
    here, there = world.submitted(), world.submitted(town="330203003")
    world.step(world.officer(Role.REVIEWER), here, "accept")
    chains: dict[str, list[AuditEntry]] = {}
    for row in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        chains.setdefault(row.chain, []).append(row)
    for name, rows in chains.items():
        assert [r.number for r in rows] == list(range(1, len(rows) + 1)), name
        assert rows[0].previous == audit.GENESIS
        assert [r.previous for r in rows[1:]] == [r.hash for r in rows[:-1]]
    for case in (here, there):
        assert {r.case_id for r in chains[f"town:{case.town_id}"]} == {case.id}


def test_writers_at_the_same_time_leave_no_gap(world: World) -> None:
    """Eight writers, two chains that nobody has begun yet, five rows each."""

    def writer(chain: str, person_id: int) -> Callable[[], None]:
        def act() -> None:
            for n in range(5):
                record(chain, after={"writer": person_id, "n": n})
                db.session.commit()

        return act

    outcomes = together(world.app, *[writer(f"town:new-{n % 2}", n) for n in range(8)])
    assert failures(outcomes) == []
    for chain in ("town:new-0", "town:new-1"):
        rows = db.session.scalars(select(AuditEntry).where(AuditEntry.chain == chain).order_by(AuditEntry.number)).all()
        assert [r.number for r in rows] == list(range(1, 21))
        head = db.session.get_one(AuditHead, chain, populate_existing=True)
        assert (head.number, head.hash) == (20, rows[-1].hash)
    assert list(audit.verify()) == []


def test_a_rolled_back_change_leaves_no_gap(world: World) -> None:
    record()
    db.session.commit()
    record()
    db.session.rollback()
    assert record().number == 2
    db.session.commit()
    assert list(audit.verify()) == []


def correct_once(world: World, clerk: Account, case: Case) -> None:
    """The materials' part of the main line, with one round of corrections in the form and in a file."""
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept", "受理意见")
    world.judge_all(case, M01="地址不对", licence="执照看不清")
    world.step(reviewer, case, "return_for_correction", "请补正意见")
    application = applications.of_case(case.id)
    fields = {"address": "望春路 5 号", "contact_mobile": "13900139000", "head_name": "秦更名"}
    application_service.save_answers(world.actor(clerk), application.id, fields, revision=None, now=world.now)
    licence = next(m for m in materials.of_application(application.id) if m.slot == "licence")
    material_service.remove_file(world.actor(clerk), licence.current_files[0].id, world.now)
    received = world.file(name="秦更名身份证330201199001011234.png")
    material_service.add_file(world.actor(clerk), application.id, "licence", received, world.now)
    world.step(clerk, case, "resubmit", "已补正意见")
    world.judge_all(case)
    world.step(reviewer, case, "pass_materials", "材料意见")


def rectify_once(world: World, clerk: Account, case: Case) -> None:
    """The visits' part of the main line, with a photo and one rectification."""
    world.schedule(case)
    visit = inspection_service.planned(case)
    assert visit is not None
    code = visit.items[0].code
    inspection_service.add_photo(
        world.actor(world.inspectors()[0]), visit.id, world.file(), code="", caption="门岗秦更名", now=world.now
    )
    world.conclude(case, "order_rectification", code, words="整改意见")
    inspection_service.report_rectified(
        world.actor(clerk), case.id, "report_rectified", {code: "整改说明"}, version=case.version, now=world.now
    )
    db.session.commit()
    world.conclude(world.schedule(case))


def test_nothing_personal_is_in_the_history_after_the_whole_main_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain.issuing, "render_pdf", lambda document: b"%PDF-1.7 stand-in")
    clerk, reviewer = world.company("宁波海曙试验机械有限公司"), world.officer(Role.REVIEWER)
    case = world.submitted(clerk)
    correct_once(world, clerk, case)
    rectify_once(world, clerk, case)
    world.step(world.officer(Role.LEADER), case, "approve", "审定意见")
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    pass_service.grant(world.actor(reviewer), asked.id, world.now)
    pass_service.revoke(world.actor(reviewer), asked.id, "撤销意见", world.now)
    db.session.commit()
    drain.drain(lambda: world.now)

    rows = db.session.scalars(select(AuditEntry)).all()
    events = {r.event for r in rows}
    assert {"approve", "form_corrected", "photo_added", "pass_revoked", "report_rectified", "account_created"} <= events
    kept = [[r.event, r.role, r.before, r.after] for r in rows]
    kept += [[i.payload, i.error] for i in db.session.scalars(select(OutboxItem))]
    kept += [[m.event, m.details] for m in db.session.scalars(select(Message))]
    everything = json.dumps(kept, ensure_ascii=False)
    names = {a.person.name for a in world.staff.values()} | {clerk.person.name}
    personal = names | {
        *(mobile(n) for n in range(1, world.count + 1)),
        *("周试验", "吴联络", "秦更名", "郑师傅", "87654321", "13800138000", "13800138001", "13900139000"),
        *("330201199001011234", "浙B12345", "望春路", "试验路", "扫描件", "意见", "整改说明", "地址不对", "看不清"),
    }
    assert len(names) > 4
    assert sorted(p for p in personal if p in everything) == []
    assert [v.status for v in inspections.of_case(case.id)] == ["concluded", "concluded"]
    assert list(audit.verify()) == []

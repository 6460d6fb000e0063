"""Phones on site: operations that arrive once, twice or too late, two of them on one sheet, and their clocks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import event, select

from tests.builders import World
from tests.services.phones import DEVICE, free_codes, limited, mark, name, op, statuses, sync, two
from tests.services.together import failures, together
from tests.services.visits import planned
from workflow.core.actors import SYSTEM, Role
from workflow.core.errors import NotPermitted, Replayed, StepClosed
from workflow.core.evidence import clock_off, read_place
from workflow.data import audit
from workflow.data import field as field_data
from workflow.data.cases import Case
from workflow.data.field import FieldOperation
from workflow.data.people import Account, PersonAppointment
from workflow.extensions import db
from workflow.services import accounts, checklists, field_sheets
from workflow.services import inspections as inspection_service
from workflow.services.field_sheets import Conclusion
from workflow.services.inspections import Appointment, ItemEntry


def test_what_is_sent_twice_has_one_effect(world: World) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    ops = [op(visit, n) for n in range(5)]
    assert statuses(sync(world, first, *ops)) == ["applied"] * 5
    revision, rows = visit.revision, len(audit.of_case(visit.case_id))
    again = sync(world, first, *ops)
    assert statuses(again) == ["duplicate"] * 5
    assert all(r.row is not None and r.row.result == "conform" for r in again)
    db.session.refresh(visit)
    assert (visit.revision, len(audit.of_case(visit.case_id))) == (revision, rows)
    assert statuses(sync(world, first, ops[0], op(visit, 7), op(visit, 7))) == ["duplicate", "applied", "duplicate"]
    assert len(db.session.scalars(select(FieldOperation)).all()) == 6


def test_history_gets_one_row_a_sync_with_codes_only(world: World) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    before = len(audit.of_case(visit.case_id))
    sync(world, first, op(visit, 1, "fail", note="灭火器过期"), op(visit, 2), op(visit, 1, op_id=name(99)))
    (row,) = audit.of_case(visit.case_id)[before:]
    codes = free_codes(visit)
    assert (row.event, row.after) == (audit.INSPECTION_SAVED, {"inspection": visit.id, "items": [codes[1], codes[2]]})
    sync(world, first, op(visit, 2))
    assert len(audit.of_case(visit.case_id)) == before + 1


def test_two_phones_merge_item_by_item_and_a_conflict_is_kept(world: World) -> None:
    visit, (first, second) = planned(world.scheduled()), two(world)
    codes = free_codes(visit)
    assert statuses(sync(world, first, op(visit, 0), op(visit, 1, "fail", note="无登记"))) == ["applied"] * 2
    sent = [
        op(visit, 20, "fail", note="别的", code=codes[1]),
        op(visit, 21, code=codes[0]),
        op(visit, 22, code=codes[2]),
    ]
    found = sync(world, second, *sent)
    assert statuses(found) == ["conflict", "applied", "applied"], "other values, the same values, another item"
    row = found[0].row
    assert row is not None
    assert (row.result, row.note, row.marked_by) == ("fail", "无登记", first.person_id)
    assert mark(visit, codes[0])[2] == first.person_id, "the same mark again leaves it to whoever was first"
    assert statuses(sync(world, second, sent[0])) == ["conflict"], "also when the reply to it was lost"
    (kept,) = db.session.scalars(select(FieldOperation).where(FieldOperation.status == "conflict"))
    assert kept.values["note"] == "别的"
    base = next(i for i in visit.items if i.code == codes[1]).revision
    chosen = op(visit, 23, "fail", note="两人商定", code=codes[1], base_revision=base)
    assert statuses(sync(world, second, chosen)) == ["applied"]
    assert mark(visit, codes[1])[2] == second.person_id
    assert statuses(sync(world, first, op(visit, 24, "na", code=codes[1]))) == ["conflict"]


def test_ones_own_later_marks_follow_each_other(world: World) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    code = free_codes(visit)[0]
    taps = [op(visit, n, result, code=code) for n, result in enumerate(("conform", "", "fail", "na"))]
    assert statuses(sync(world, first, *taps)) == ["applied"] * 4
    assert mark(visit, code)[0] == "na"


def test_the_page_and_the_phone_do_not_overwrite_each_other(world: World) -> None:
    visit, (first, second) = planned(world.scheduled()), two(world)
    codes = free_codes(visit)
    drawn = visit.revision
    sync(world, second, op(visit, 0, "fail", note="x"), op(visit, 1))
    entries = {
        codes[0]: ItemEntry("", seen=inspection_service.marking.fingerprint("", "", "")),  # nobody touched it
        codes[2]: ItemEntry("conform"),
    }
    inspection_service.save_sheet(first, visit.id, entries, revision=drawn, now=world.now)
    db.session.commit()
    assert [mark(visit, c)[0] for c in codes[:3]] == ["fail", "conform", "conform"]
    assert statuses(sync(world, second, op(visit, 30, "na", code=codes[2]))) == ["conflict"]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("an item that is not on the list", {"code": "NO-99"}, "清单中没有这一项"),
    ("a result that there is none of", {"entry": ItemEntry("perfect")}, "请选择列表中的一项"),
    ("words without end", {"entry": ItemEntry("fail", note="长" * 2001)}, "最多"),
    ("a day that there is none of", {"entry": ItemEntry("fail", note="x", rectify_by_on="2020-02-31")}, "存在的日期"),
    ("a day years away", {"entry": ItemEntry("fail", note="x", rectify_by_on="2031-01-01")}, "超过一年"),
    ("another list", {"digest": "0" * 64}, "清单已更换"),
    ("no such visit", {"inspection_id": 10**6}, "没有找到这次核查"),
]


@pytest.mark.parametrize(("changes", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_wrong_operation_is_refused_alone(world: World, changes: dict[str, Any], words: str) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    wrong, right = op(visit, 1, **changes), op(visit, 2)
    found = sync(world, first, wrong, right)
    assert statuses(found) == ["refused", "applied"]
    assert words in str(found[0].message)
    assert statuses(sync(world, first, wrong)) == ["refused"]


def test_a_value_beyond_its_limit_does_not_conform_on_the_phone_either(world: World) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    code = limited(visit)
    limit = checklists.of_visit(visit).item(code).limit
    assert limit is not None
    beyond = f"{limit.maximum + 1 if limit.maximum is not None else (limit.minimum or 0) - 1:g}"
    found = sync(world, first, op(visit, 1, "conform", code=code, measured=beyond))
    assert statuses(found) == ["refused"]
    sent = op(visit, 2, "fail", code=code, measured=beyond, note="超限", rectify_by_on=world.now.date().isoformat())
    assert statuses(sync(world, first, sent)) == ["applied"]
    assert statuses(sync(world, first, op(visit, 3, "na", code=code))) == ["applied"]
    db.session.expire_all()
    assert next(i for i in visit.items if i.code == code).rectify_by_on is None, "only a failed item has a date"


def test_a_name_that_is_taken_is_refused(world: World) -> None:
    visit, (first, second) = planned(world.scheduled()), two(world)
    sync(world, first, op(visit, 1))
    for who, sent in ((second, op(visit, 1)), (first, op(visit, 1, "fail", note="x")), (first, op(visit, 1, code="X"))):
        (found,) = sync(world, who, sent)
        assert (found.status, found.row) == ("refused", None)
        assert "编号" in str(found.message)


@pytest.mark.parametrize(
    ("minutes", "flagged"), [(0, 0), (4, 0), (-60, 0), (30, 1800), (60 * 24 * 365 * 80, 316224000), (-60 * 24 * 30, -1)]
)
def test_a_wrong_clock_is_kept_and_said(world: World, minutes: int, flagged: int) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    later = world.now + dt.timedelta(hours=5)
    device_at = later + dt.timedelta(minutes=minutes)
    (found,) = sync(world, first, op(visit, 1, device_at=device_at), now=later)
    (kept,) = db.session.scalars(select(FieldOperation))
    assert (found.status, kept.device_at) == ("applied", device_at)
    assert (kept.clock_off < 0) if flagged < 0 else (kept.clock_off == flagged)
    assert bool(found.message) == bool(flagged)


def replace_first(world: World, case: Case) -> Account:
    """Another inspector takes the first one's place; gives the new one."""
    _, second = world.inspectors()
    third = world.new_officer(Role.INSPECTOR)
    inspection_service.schedule(
        world.actor(second),
        case.id,
        "change_appointment",
        Appointment(world.now + dt.timedelta(days=2), third.person_id, second.person_id),
        version=case.version,
        now=world.now,
    )
    db.session.commit()
    return third


def test_what_a_replaced_inspector_marked_can_be_taken_over(world: World) -> None:
    case = world.scheduled()
    visit, (first, second) = planned(case), two(world)
    codes = free_codes(visit)
    third = world.actor(replace_first(world, case))
    found = sync(world, first, op(visit, 1, "fail", note="通道堵塞"), op(visit, 2))
    assert statuses(found) == ["refused"] * 2
    assert "现任核查员可以查看并接手" in str(found[0].message)
    assert found[0].row is None, "he learns nothing of it any more"
    _, left = field_sheets.left_over(third, visit.id)
    assert [o.code for o in left] == codes[1:3]
    with pytest.raises(NotPermitted):
        field_sheets.left_over(first, visit.id)
    assert field_sheets.take_over(third, visit.id, {left[0].id}, world.now) == [codes[1]]
    db.session.commit()
    assert mark(visit, codes[1])[::2] == ("fail", third.person_id)
    assert [o.code for o in field_sheets.left_over(second, visit.id)[1]] == [codes[2]]
    assert field_sheets.take_over(second, visit.id, {left[0].id}, world.now) == []
    (again,) = sync(world, first, op(visit, 1, "fail", note="通道堵塞"))
    assert again.status == "refused"


def test_whoever_was_never_appointed_leaves_nothing_behind(world: World) -> None:
    visit = planned(world.scheduled())
    for stranger in (world.new_officer(Role.INSPECTOR), world.officer(Role.INSPECTOR, "330212002")):
        (found,) = sync(world, world.actor(stranger), op(visit, 1))
        assert (found.status, found.row) == ("refused", None)
        assert "没有找到" in str(found.message)
    assert db.session.scalars(select(FieldOperation)).all() == []


def test_a_moved_inspector_is_refused_and_what_he_marked_is_kept(world: World) -> None:
    visit, (first, second) = planned(world.scheduled()), two(world)
    held = db.session.scalars(select(PersonAppointment).where(PersonAppointment.person_id == first.person_id)).one()
    accounts.move_person(SYSTEM, held.id, "330212002", world.now - dt.timedelta(days=1))
    db.session.commit()
    moved = world.actor(world.inspectors()[0])
    (found,) = sync(world, moved, op(visit, 1, "fail", note="x"))
    assert (found.status, found.row) == ("refused", None)
    assert [o.person_id for o in field_sheets.left_over(second, visit.id)[1]] == [first.person_id]


def test_after_the_conclusion_nothing_is_marked_and_nothing_lost(world: World) -> None:
    case = world.scheduled()
    visit, (_, second) = planned(case), two(world)
    world.conclude(case)
    (found,) = sync(world, second, op(visit, 1, "fail", note="晚到"))
    assert found.status == "refused"
    assert "已经结束" in str(found.message)
    assert found.row is not None
    assert found.row.result == "conform"
    assert len(field_data.left_over(visit.id)) == 1
    with pytest.raises(StepClosed):
        field_sheets.take_over(second, visit.id, {1}, world.now)


def test_the_conclusion_is_taken_once(world: World) -> None:
    case = world.scheduled()
    visit = world.fill_sheet(case)
    first, second = two(world)
    wanted = Conclusion(name(500), "pass_inspection", "属实", None, case.version)
    assert field_sheets.conclude(first, visit.id, wanted, world.now).status == "concluded"
    db.session.commit()
    rows = len(audit.of_case(case.id))
    assert field_sheets.conclude(first, visit.id, wanted, world.now).status == "concluded"
    db.session.commit()
    assert len(audit.of_case(case.id)) == rows
    with pytest.raises(StepClosed):
        field_sheets.conclude(
            second, visit.id, Conclusion(name(501), "pass_inspection", "", None, case.version), world.now
        )
    for who, action in ((second, "pass_inspection"), (first, "fail_inspection")):
        with pytest.raises(Replayed):
            field_sheets.conclude(who, visit.id, Conclusion(name(500), action, "", None, case.version), world.now)


def test_two_syncs_at_once_leave_one_of_each(world: World) -> None:
    visit, (first, second) = planned(world.scheduled()), two(world)
    ops = [op(visit, n) for n in range(8)]
    other = [op(visit, 100 + n, "na", code=o.code) for n, o in enumerate(ops)]
    acts = [
        lambda w=w, sent=sent: statuses(field_sheets.sync(w, DEVICE, sent, world.now))
        for w, sent in ((first, ops), (first, ops), (second, other))
    ]
    outcomes = together(world.app, *acts)
    assert failures(outcomes) == []
    same, twin, others = outcomes
    assert {tuple(set(same)), tuple(set(twin))} in ({("applied",), ("duplicate",)}, {("conflict",)})
    assert set(others) in ({"conflict"}, {"applied"})
    db.session.expire_all()
    assert len({next(i for i in visit.items if i.code == o.code).result for o in ops}) == 1
    assert len(db.session.scalars(select(FieldOperation)).all()) == 16


def test_five_hundred_operations_take_few_statements(world: World) -> None:
    visit, (first, _) = planned(world.scheduled()), two(world)
    counts = []
    for first_number, many in ((0, 50), (1000, 500)):
        ops = [op(visit, first_number + n, "na" if n % 2 else "conform") for n in range(many)]
        seen: list[str] = []

        def note(*arguments: Any, seen: list[str] = seen) -> None:
            seen.append(str(arguments[2]))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert set(statuses(sync(world, first, *ops))) == {"applied"}
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] <= 20, counts
    assert counts[1] <= counts[0] + 6, counts


def test_the_place_is_kept_to_100_metres() -> None:
    place = read_place("29.8683777,121.54401")
    assert (place.latitude, place.longitude) == (29.868, 121.544)
    assert read_place("refused").status == "refused"
    assert clock_off(None, dt.datetime.now(dt.UTC), None) == 0

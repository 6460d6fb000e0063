"""What entries at gates draw attention to, who is told, what is counted, what happens at once, and what is purged."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.builders import World
from tests.services.gates_at_work import Standing, another, entry_at, granted, settle, standing
from tests.services.together import failures, together
from workflow.core.actors import Role
from workflow.core.gate_rules import fold_plate, near_plates
from workflow.data import audit
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.gates import Gate, GateDay, GateEntry
from workflow.data.notices import Notice
from workflow.data.organisation import Team
from workflow.data.outbox import OutboxItem
from workflow.data.passes import VehiclePass
from workflow.data.robots import Robot
from workflow.extensions import db
from workflow.jobs.drain import drain
from workflow.jobs.purging import purge_gate_log
from workflow.services import gate_entries, gates
from workflow.services.gate_entries import Done, Result
from workflow.web import gate_parts

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def case(world: World) -> Case:
    """Any case: passes hang on it."""
    return world.submitted()


@pytest.fixture
def at(world: World) -> Standing:
    """A gate with a device."""
    return standing(world)


def send(world: World, where: Standing, *entries: dict[str, Any], **body: object) -> Done:
    """Send entries as a device does, at the world's time."""
    batch = gate_parts.batch({"entries": list(entries), **body})
    db.session.rollback()
    done = gate_entries.sync(where.at, batch, world.now)
    db.session.commit()
    return done


def one(world: World, where: Standing, found: VehiclePass | None = None, **changes: Any) -> Result:
    """The result of one entry."""
    (result,) = send(world, where, entry_at(world.now, found, **changes)).results
    assert result.status == "kept"
    return result


def kept(result: Result) -> GateEntry:
    """The row of a result."""
    return db.session.scalars(select(GateEntry).where(GateEntry.client_id == result.client_id)).one()


def test_an_ordinary_entry_raises_nothing(world: World, case: Case, at: Standing) -> None:
    found = granted(world, case)
    for changes in ({}, {"way": "code", "token": "", "code": found.short_code}, {"way": "plate", "token": ""}):
        result = one(world, at, found, **changes)
        row = kept(result)
        assert (result.alarms, row.checked, row.number) == ((), "valid", found.number)


@pytest.mark.parametrize(
    ("changes", "checked", "alarms"),
    [
        ({"plate": "浙B99999"}, "valid", ("mismatch",)),
        ({"plate": ""}, "valid", ()),
        ({"plate": "浙b·1O345"}, "valid", ()),  # O for 0
        ({"temperatures": [36.5, 37.3]}, "valid", ("fever",)),
        ({"verdict": "expired"}, "valid", ("overridden",)),
        ({"verdict": "expired", "decision": "turn_back"}, "valid", ()),
        ({"verdict": "expired", "direction": "out"}, "valid", ()),
        ({"token": "HC1:6BFOXN%TSMAHN"}, "forged", ("overridden", "forged")),
        ({"token": "HC1:6BFOXN%TSMAHN", "verdict": "forged", "decision": "turn_back"}, "forged", ("forged",)),
        ({"token": "", "way": "none", "verdict": "none"}, "none", ("overridden",)),
        ({"token": "", "way": "none", "verdict": "none", "direction": "out"}, "none", ()),
        ({"token": "", "way": "code", "code": "23456789A"}, "unknown", ("overridden",)),
        ({"token": "", "way": "plate", "plate": "浙B00001"}, "unknown", ("overridden",)),
    ],
)
def test_alarms(
    world: World, case: Case, at: Standing, changes: dict[str, Any], checked: str, alarms: tuple[str, ...]
) -> None:
    found = granted(world, case, "浙B10345")
    result = one(world, at, found, **changes)
    assert (kept(result).checked, result.alarms) == (checked, alarms)
    assert kept(result).has_alarm is bool(alarms)


def test_days_and_hours_are_judged_as_of_the_moment(world: World, case: Case, at: Standing) -> None:
    today = world.now.date()
    night = granted(world, case, schedule="night")
    later = granted(world, case, valid_from_on=today + dt.timedelta(days=2))
    assert kept(one(world, at, night)).checked == "hours"
    assert kept(one(world, at, later)).checked == "not_yet"
    world.later(days=8)
    assert kept(one(world, at, night)).checked == "expired"
    then = (world.now - dt.timedelta(days=5)).isoformat()
    assert kept(one(world, at, later, at=then)).checked == "valid"


def test_what_was_let_in_after_its_end_is_reported_and_what_was_before_is_not(
    world: World, case: Case, at: Standing
) -> None:
    found = granted(world, case)
    before = world.now
    world.later(hours=1)
    settle(world, found, "suspended")
    world.later(hours=1)
    late = one(world, at, found, at=(world.now - 30 * MINUTE).isoformat(), offline=True)
    early = one(world, at, found, at=before.isoformat(), offline=True)
    knew = one(world, at, found, verdict="revoked")
    out = one(world, at, found, direction="out")
    assert [late.alarms, early.alarms, knew.alarms, out.alarms] == [("late_revoked",), (), ("overridden",), ()]
    settle(world, found, "revoked")  # the second change of a dead pass hides nothing
    assert one(world, at, found, at=(world.now - 30 * MINUTE).isoformat()).alarms == ("late_revoked",)
    assert one(world, at, found, at=before.isoformat()).alarms == ()


def test_what_was_let_in_while_suspended_is_reported_also_once_it_is_resumed(
    world: World, case: Case, at: Standing
) -> None:
    found = granted(world, case)
    settle(world, found, "suspended")
    during = world.later(hours=1)
    world.later(hours=1)
    settle(world, found, "granted")
    world.later(minutes=10)
    assert one(world, at, found, at=during.isoformat()).alarms == ("late_revoked",)
    assert one(world, at, found).alarms == ()


def test_one_pass_at_two_gates(world: World, case: Case, at: Standing) -> None:
    other, found = standing(world, "西门卡口"), granted(world, case)
    assert one(world, at, found).alarms == ()
    world.later(minutes=20)
    assert one(world, other, found).alarms == ("two_gates",)
    assert one(world, other, found, direction="out").alarms == ()
    assert one(world, at, found).alarms == ()  # went out between
    world.later(minutes=31)
    assert one(world, other, found).alarms == ()


def test_two_gates_are_noticed_also_when_the_earlier_entry_comes_in_later(
    world: World, case: Case, at: Standing
) -> None:
    other, found = standing(world, "西门卡口"), granted(world, case)
    early = entry_at(world.now, found, offline=True)
    world.later(minutes=10)
    assert one(world, other, found).alarms == ()
    assert send(world, at, early).results[0].alarms == ("two_gates",)


@pytest.mark.parametrize(
    ("said", "made", "off"),
    [("1970-01-01T00:00:00Z", "", -1), ("2020-02-16T01:30:00Z", "", 86_400), ("2020-02-15T01:34:00Z", "", 0)],
)
def test_impossible_times_are_corrected_and_said(world: World, at: Standing, said: str, made: str, off: int) -> None:
    result = one(world, at, None, at=said, verdict="none", way="none", decision="turn_back")
    row = kept(result)
    assert row.at == world.now
    assert row.clock_off == off or (off < 0 and row.clock_off < -(10**8))
    assert result.alarms == (("clock",) if off else ())


def test_a_clock_turned_back_is_noticed(world: World, case: Case, at: Standing) -> None:
    """The list that the device judged by was made after the entry, as the device's clock has it."""
    found, made = granted(world, case), world.now
    world.later(hours=2)
    result = one(world, at, found, at=(made - 3 * HOUR).isoformat(), list_made_at=made.isoformat())
    row = kept(result)
    assert (result.alarms, row.at, row.clock_off, row.list_age) == (("clock",), made, -3 * 3600, 0)
    fine = kept(one(world, at, found, at=(world.now - HOUR).isoformat(), list_made_at=made.isoformat()))
    assert (fine.clock_off, fine.list_age, fine.at) == (0, 3600, world.now - HOUR)


def test_a_device_that_says_its_time_is_set_right(world: World, case: Case, at: Standing) -> None:
    found, slow = granted(world, case), world.now - 2 * HOUR
    sent = entry_at(slow - 10 * MINUTE, found)
    done = send(world, at, sent, sent_at=slow.isoformat())
    row = kept(done.results[0])
    assert (row.at, row.clock_off, done.results[0].alarms) == (world.now - 10 * MINUTE, -7200, ("clock",))


def test_people_inside_follow_and_a_count_begins_anew(world: World, case: Case, at: Standing) -> None:
    found, leader = granted(world, case), world.actor(world.officer(Role.LEADER))
    offline = entry_at(world.now, found, heads=30)
    assert send(world, at, entry_at(world.now, found, heads=3)).inside == 3
    assert send(world, at, entry_at(world.now, found, heads=2, direction="out")).inside == 1
    assert send(world, at, entry_at(world.now, found, heads=9, decision="turn_back")).inside == 1
    assert send(world, at, entry_at(world.now, found, heads=9, direction="out")).inside == 0
    world.later(minutes=1)
    gates.count_anew(leader, at.gate_id, 40, world.now)
    db.session.commit()
    assert send(world, at, offline).inside == 40  # it was before the count
    world.later(minutes=1)
    assert send(world, at, entry_at(world.now, found, heads=1)).inside == 41
    day = db.session.scalars(select(GateDay)).one()
    counted = (day.people_in, day.people_out, day.turned_back, day.vehicles_in, day.vehicles_out, day.handed_over)
    assert counted == (34, 11, 1, 3, 2, 0)


def test_days_are_shanghais(world: World, at: Standing) -> None:
    midnight = dt.datetime(2020, 2, 14, 16, 0, tzinfo=dt.UTC)
    for moment in (midnight - MINUTE, midnight):
        one(world, at, None, at=moment.isoformat(), decision="hand_over", plate="浙B12345")
    days = db.session.scalars(select(GateDay).order_by(GateDay.day_on))
    assert [(d.day_on.day, d.handed_over) for d in days] == [(14, 1), (15, 1)]


def _told(world: World) -> list[Notice]:
    drain(lambda: world.now)
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def test_those_who_lead_are_told_once_a_batch_and_kind(world: World, case: Case, at: Standing) -> None:
    found, leader = granted(world, case), world.officer(Role.LEADER)
    settle(world, found, "revoked")
    world.later(minutes=1)
    forged = (found.token or "")[:-8] + "AAAAAAAA"
    rows = [entry_at(world.now, found) for _n in range(3)]
    rows += [entry_at(world.now, None, token=forged, decision="turn_back", verdict="forged") for _n in range(2)]
    rows += [entry_at(world.now, None, token="HC1:X", decision="turn_back", verdict="forged")]
    done = send(world, at, *rows)
    assert done.has_told
    told = _told(world)
    assert {n.person_id for n in told} == {leader.person_id}
    assert sorted(n.details["about"]["zh"][-3:] for n in told) == ["2 次", "3 次"] or len(told) == 2
    assert all(found.plate not in str(n.details) for n in told)
    again = send(world, at, *rows)
    assert not again.has_told
    assert len(_told(world)) == 2
    other = standing(world, "西门卡口", "330206004")
    assert not send(world, other, entry_at(world.now, None, verdict="none", way="none")).has_told


def test_a_robot_of_the_towns_team_passes_it_on(world: World, case: Case, at: Standing) -> None:
    leader, found = world.officer(Role.LEADER).person_id, granted(world, case)
    team = Team(code="GATES", name="卡口专班", kind="team", area_id=case.town_id, created_at=world.now)
    db.session.add(team)
    db.session.flush()
    values = {"kind": "wecom", "name": "群", "url": "", "shown": "", "created_by": leader, "created_at": world.now}
    db.session.add(Robot(team_id=team.id, events=["gate_alarm"], **values))
    settle(world, found, "revoked")
    one(world, at, found)
    _told(world)
    asked = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "robot")).all()
    assert [item.payload["event"] for item in asked] == ["gate_alarm"]


def test_the_same_batch_at_once_has_one_effect(app: Flask, world: World, case: Case, at: Standing) -> None:
    found, now = granted(world, case), world.now
    rows = [entry_at(now, found, heads=2) for _n in range(40)]
    batches = [gate_parts.batch({"entries": rows}), gate_parts.batch({"entries": rows[::-1]})] * 2
    outcomes = together(app, *(lambda b=b: gate_entries.sync(gates.by_secret(at.secret), b, now) for b in batches))
    assert failures(outcomes) == []
    statuses = [r.status for done in outcomes for r in done.results]
    assert (statuses.count("kept"), statuses.count("duplicate")) == (40, 120)
    assert db.session.scalar(select(func.count(GateEntry.id))) == 40
    assert db.session.get_one(Gate, at.gate_id, populate_existing=True).inside == 80
    assert db.session.scalars(select(GateDay)).one().people_in == 80


def test_two_devices_of_a_gate_count_together(app: Flask, world: World, case: Case, at: Standing) -> None:
    found, now, other = granted(world, case), world.now, another(world, at.gate_id)

    def act(secret: str) -> None:
        for _n in range(5):
            gate_entries.sync(gates.by_secret(secret), gate_parts.batch({"entries": [entry_at(now, plain)]}), now)
            db.session.commit()

    plain = outside(found)
    assert failures(together(app, lambda: act(at.secret), lambda: act(other.secret))) == []
    assert db.session.get_one(Gate, at.gate_id, populate_existing=True).inside == 10


class Plain:
    """What an entry needs of a pass, outside of any session."""

    def __init__(self, token: str, plate: str) -> None:
        self.token, self.plate = token, plate


def outside(found: VehiclePass) -> Plain:
    """A pass as threads may read it."""
    return Plain(found.token or "", found.plate)


def test_entries_are_purged_by_days_and_counts_stay(world: World, at: Standing) -> None:
    for _n in range(5):
        one(world, at, None, verdict="none", way="none", heads=2)
        world.later(days=1)
    first = world.now - dt.timedelta(days=5)
    world.now = first + dt.timedelta(days=62)
    assert purge_gate_log(lambda: world.now) == 2
    assert purge_gate_log(lambda: world.now) == 0
    assert db.session.scalar(select(func.count(GateEntry.id))) == 3
    assert db.session.scalar(select(func.count()).select_from(GateDay)) == 5
    row = db.session.scalars(select(AuditEntry).where(AuditEntry.event == audit.GATE_LOG_PURGED)).one()
    assert row.after == {"count": 2, "before": "2020-02-17"}


def test_many_are_purged_in_parts(world: World, at: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_entries, "PURGED_AT_ONCE", 3)
    send(world, at, *(entry_at(world.now, None, verdict="none", way="none") for _n in range(8)))
    other = standing(world, "西门卡口", "330206004")
    send(world, other, entry_at(world.now, None, verdict="none", way="none"))
    world.later(days=100)
    assert purge_gate_log(lambda: world.now) == 9
    purged = select(AuditEntry.after).where(AuditEntry.event == audit.GATE_LOG_PURGED)
    assert sorted(after["count"] for after in db.session.scalars(purged)) == [1, 2, 3, 3]


def test_plates_are_folded_and_near_ones_found() -> None:
    assert fold_plate("浙ｂ·I2O45") == "浙B12045"
    assert fold_plate("浙В12345") == "浙B12345"
    assert "浙B12348" in near_plates("浙B1234B")
    assert len(near_plates("浙B8B0DQ")) < 64
    assert near_plates("浙C36A96") == []

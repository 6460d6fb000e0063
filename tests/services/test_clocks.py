"""The clocks of cases: told at Shanghai's midnight, once, in order, whatever dies; silent only by the file."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from tests.builders import NOW, World
from workflow.core.actors import Role
from workflow.core.clocks import NO_LIMIT
from workflow.core.errors import NotPermitted, StepClosed
from workflow.core.times import SHANGHAI
from workflow.data import applications as data_applications
from workflow.data import audit, catalogue, flows, queue
from workflow.data.cases import Case
from workflow.data.flows import FlowVersion
from workflow.data.messages import Message
from workflow.data.opinions import OpinionRequest
from workflow.data.outbox import OutboxItem
from workflow.data.queue import Filters, Tab
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import cases, clocks, materials, opinions

SILENT = """
[[step]]
action = "accept_by_silence"
label = { zh = "期满自动受理", en = "Accepted by silence" }
source = ["submitted"]
dest = "reviewing"
role = "system"
effects = ["tell_company"]
"""


def publish(world: World, old: str, new: str, more: str = "") -> FlowVersion:
    """A version of the small flow with a change in its text."""
    text = catalogue.flow_text("city-small")
    assert old in text
    text = text.replace(old, new, 1).replace("[[material]]", f"{more}\n[[material]]", 1)
    known = flows.newest("city-small", NOW.date())
    assert known is not None
    version = FlowVersion(
        key="city-small",
        revision=known.revision + 1,
        text=text,
        digest=flows.digest_of(text),
        effective_on=NOW.date(),
        published_at=world.now,
    )
    db.session.add(version)
    db.session.commit()
    return version


def submitted_state(keys: str) -> tuple[str, str]:
    """The table of the state ``submitted`` as it ships, and with other clock keys."""
    text = catalogue.flow_text("city-small")
    start = text.index('[[state]]\nkey = "submitted"')
    table = text[start : text.index("\n\n", start)]
    kept = [line for line in table.splitlines() if line.split(" ")[0] in ("[[state]]", "key", "label", "holder")]
    return table, "\n".join([*kept, keys])


def run(at: dt.datetime) -> int:
    """Let the worker's round do everything that is due at ``at``."""
    return drain.run_clocks(lambda: at)


def events(case: Case) -> list[str]:
    """What the history of the case says of clocks."""
    names = {"due_soon", "overdue", "escalated", "lapse_refused", "accept_by_silence"}
    return [e.event for e in audit.of_case(case.id) if e.event in names]


def midnight(day: str) -> dt.datetime:
    """The beginning of a day in Shanghai."""
    return dt.datetime.fromisoformat(day).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


INSTANT = dt.timedelta(microseconds=1)


def test_each_thing_happens_at_its_midnight_and_once(world: World) -> None:
    publish(world, *submitted_state('days = 2\nescalate = "leader"\nescalate_after = 1'))
    case = world.submitted(size="below")  # Saturday 15 February 2020; due at the end of Tuesday 18th
    assert case.due_at == midnight("2020-02-19")
    for at, expected in (
        (midnight("2020-02-18") - INSTANT, []),
        (midnight("2020-02-18"), ["due_soon"]),
        (midnight("2020-02-19") - INSTANT, ["due_soon"]),
        (midnight("2020-02-19"), ["due_soon", "overdue"]),
        (midnight("2020-02-20") - INSTANT, ["due_soon", "overdue"]),
        (midnight("2020-02-20"), ["due_soon", "overdue", "escalated"]),
    ):
        run(at)
        assert run(at) == 0
        db.session.refresh(case)
        assert events(case) == expected
    assert (case.escalated_to, case.clock_at, case.state) == ("leader", None, "submitted")
    assert list(audit.verify()) == []


def test_a_worker_that_was_down_for_a_week_catches_up_in_order(world: World) -> None:
    publish(world, *submitted_state('days = 1\nescalate = "leader"'))
    case = world.submitted(size="below")
    assert run(midnight("2020-02-28")) == 3
    assert events(case) == ["due_soon", "overdue", "escalated"]


def test_escalation_is_told_to_the_company_and_ends_with_the_state(world: World) -> None:
    publish(world, *submitted_state('days = 1\nescalate = "leader"'))
    case = world.submitted(size="below")
    run(midnight("2020-02-28"))
    drain.drain(lambda: midnight("2020-02-28"))
    assert db.session.query(Message).filter_by(case_id=case.id, event="escalated").count() == 1
    world.now = midnight("2020-02-28") + dt.timedelta(hours=9)
    db.session.refresh(case)
    world.step(world.officer(Role.REVIEWER), case, "accept")
    assert (case.escalated_to, case.clock_stage) == ("", "")
    assert case.clock_at is not None


def test_the_company_is_told_of_its_own_deadline(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case, M02="缺签字")
    world.step(reviewer, case, "return_for_correction", "请补正")
    before = db.session.query(OutboxItem).count()
    assert case.clock_at is not None
    run(case.clock_at)
    assert db.session.query(OutboxItem).count() == before + 1
    assert case.clock_stage == "due_soon"


def test_a_state_without_days_is_never_late(world: World) -> None:
    publish(world, *submitted_state(""))
    case = world.submitted(size="below")
    assert (case.due_at, case.clock_at) == (NO_LIMIT, None)
    assert run(NOW + dt.timedelta(days=400)) == 0
    reviewer = world.actor(world.officer(Role.REVIEWER))
    assert queue.count(reviewer, Filters(tab=Tab.TEAM), world.later(days=9)) == 1
    assert queue.count(reviewer, Filters(tab=Tab.TEAM, overdue=True), world.now) == 0


def test_a_deadline_that_has_passed_is_not_told_as_near(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case, M02="缺签字")
    world.step(reviewer, case, "return_for_correction", "请补正")
    run(case.due_at + dt.timedelta(days=2))
    told = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "message")).all()
    assert [i.payload["event"] for i in told if i.payload["event"] in ("due_soon", "overdue")] == ["overdue"]
    assert events(case) == ["due_soon", "overdue"]


def test_silence_is_consent_only_where_the_flow_says_so(world: World) -> None:
    plain = world.submitted()
    run(midnight("2020-03-20"))
    db.session.refresh(plain)
    assert plain.state == "submitted"
    publish(world, *submitted_state('days = 1\nlapse = "accept_by_silence"'), more=SILENT)
    case = world.submitted()
    run(case.due_at - INSTANT)
    db.session.refresh(case)
    assert case.state == "submitted"
    run(case.due_at)
    db.session.refresh(case)
    assert case.state == "reviewing"
    assert events(case) == ["due_soon", "accept_by_silence"]
    row = next(e for e in audit.of_case(case.id) if e.event == "accept_by_silence")
    assert (row.person_id, row.role, row.at) == (0, "system", row.at)
    assert list(audit.verify()) == []


def test_nobody_takes_a_step_of_the_system(world: World) -> None:
    publish(world, *submitted_state('days = 1\nlapse = "accept_by_silence"'), more=SILENT)
    case = world.submitted()
    for role in (Role.REVIEWER, Role.LEADER, Role.LEADING_GROUP):
        actor = world.actor(world.officer(role, "330203"))
        with pytest.raises(NotPermitted):
            cases.perform(actor, case.id, "accept_by_silence", version=case.version, now=world.now)
        db.session.rollback()
        assert "accept_by_silence" not in {o.step.action for o in cases.open_steps(actor, case, world.now)}


def test_a_silent_step_that_a_guard_refuses_is_written_down_and_the_clock_goes_on(world: World) -> None:
    step = SILENT.replace('effects = ["tell_company"]', 'guards = ["materials_accepted"]')
    publish(world, *submitted_state('days = 1\nlapse = "accept_by_silence"\nescalate = "leader"'), more=step)
    case = world.submitted()
    run(midnight("2020-03-20"))
    db.session.refresh(case)
    assert case.state == "submitted"
    assert events(case) == ["due_soon", "lapse_refused", "overdue", "escalated"]
    assert run(midnight("2020-03-20")) == 0


def test_what_dies_in_the_middle_is_done_again_and_not_twice(world: World) -> None:
    case = world.submitted()
    due = midnight("2020-03-20")
    clocks.run_one(due)
    db.session.rollback()
    assert events(case) == []
    run(due)
    found = events(case)
    assert len(found) == len(set(found))
    assert found[:2] == ["due_soon", "overdue"]


def test_a_case_that_breaks_the_clock_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = world.submitted(), world.submitted()
    due = midnight("2020-02-19")
    real = Case.next_tick

    def next_tick(self: Case) -> object:
        if self.id == broken.id:
            raise RuntimeError("broken")
        return real(self)

    monkeypatch.setattr(Case, "next_tick", next_tick)
    run(due)
    db.session.refresh(broken)
    assert broken.clock_at == due + clocks.RETRY
    assert "overdue" in events(sound)
    assert events(broken) == []


def test_the_clock_stops_while_the_company_corrects(world: World) -> None:
    """Two days for the review; one is used; what is left after the correction is one day, not two."""
    text = catalogue.flow_text("city-small")
    start = text.index('[[state]]\nkey = "reviewing"')
    table = text[start : text.index("\n\n", start)]
    kept = [x for x in table.splitlines() if x.split(" ")[0] in ("[[state]]", "key", "label", "holder")]
    publish(world, table, "\n".join([*kept, "days = 2", "resumes = true"]))
    reviewer = world.officer(Role.REVIEWER)
    world.now = midnight("2020-02-17") + dt.timedelta(hours=9)
    clerk = world.company()
    case = world.submitted(clerk)
    world.step(reviewer, case, "accept")
    assert case.due_at == midnight("2020-02-20")
    world.judge_all(case, M02="缺签字")
    world.now = midnight("2020-02-18") + dt.timedelta(hours=9)
    world.step(reviewer, case, "return_for_correction", "请补正")
    assert case.spent == {"reviewing": 1}
    world.now = midnight("2020-02-24") + dt.timedelta(hours=9)
    application = data_applications.of_case(case.id)
    materials.add_file(world.actor(clerk), application.id, "M02", world.known_file(77), world.now)
    db.session.commit()
    world.step(clerk, case, "resubmit")
    assert case.state == "reviewing"
    assert case.due_at == midnight("2020-02-26")


def test_departments_are_reminded_once_a_working_day_and_not_for_ever(world: World) -> None:
    case = world.submitted()
    request = opinions.ask(case, "weijian", 1, "", world.actor(world.officer(Role.REVIEWER)), world.now)
    db.session.commit()
    assert request.due_at == midnight("2020-02-18")
    for day in range(18, 29):
        run(midnight(f"2020-02-{day:02}") + dt.timedelta(hours=1))
    db.session.expire_all()
    asked = db.session.get_one(OpinionRequest, request.id)
    assert (asked.reminders, asked.clock_at) == (clocks.MOST_REMINDERS, None)
    reminded = [e.at for e in audit.of_case(case.id) if e.event == "opinion_reminded"]
    assert len(reminded) == clocks.MOST_REMINDERS
    assert len({at.astimezone(SHANGHAI).date() for at in reminded}) == clocks.MOST_REMINDERS


def test_an_open_opinion_keeps_the_guarded_step_closed(world: World) -> None:
    text = 'action = "pass_materials"'
    version = publish(world, text, text)  # as it ships
    changed = version.text.replace(
        'guards = ["not_of_company", "materials_accepted"]',
        'guards = ["not_of_company", "materials_accepted", "all_opinions_in"]',
        1,
    )
    assert changed != version.text
    version.text, version.digest = changed, flows.digest_of(changed)
    db.session.commit()
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    world.judge_all(case)
    request = opinions.ask(case, "weijian", 1, "", world.actor(reviewer), world.now)
    db.session.commit()
    with pytest.raises(StepClosed) as closed:
        world.step(reviewer, case, "pass_materials")
    db.session.rollback()
    assert [r.params for r in closed.value.reasons] == [{"n": 1}]
    request = db.session.get_one(OpinionRequest, request.id)
    request.status, request.stance = "answered", "agree"
    db.session.commit()
    db.session.refresh(case)
    assert world.step(reviewer, case, "pass_materials").state == "awaiting_inspection"

"""Notices: to whom, once, through which channel and when; nothing to people who may not know any more."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import NOW, World
from tests.services.robot_teams import robot, team
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound, StepClosed
from workflow.core.times import SHANGHAI, shanghai_day
from workflow.data import notices as data_notices
from workflow.data import people
from workflow.data.cases import Case
from workflow.data.notices import Notice, NoticeChoice
from workflow.data.outbox import OutboxItem
from workflow.data.people import Account
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import accounts, clocks, letters, notices, opinions

HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _mail_is_on(app: Flask) -> None:
    """This installation sends mail; none is sent here."""
    app.config["SETTINGS"] = replace(
        app.config["SETTINGS"], mail_url="smtp://127.0.0.1:9", mail_from="noreply@fugong.example"
    )


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """An instant of February 2020 by Shanghai's clock."""
    return dt.datetime(2020, 2, day, hour, minute, tzinfo=SHANGHAI).astimezone(dt.UTC)


def items(kind: str) -> list[OutboxItem]:
    """The items of a kind that are not done, in order."""
    query = select(OutboxItem).where(OutboxItem.kind == kind, OutboxItem.done_at.is_(None)).order_by(OutboxItem.id)
    return list(db.session.scalars(query))


def deliver(now: dt.datetime = NOW) -> None:
    """Deliver what was told, as the drain does it."""
    for item in items("notice"):
        notices.deliver(item.id, item.payload, now)
        item.done_at = now
    db.session.commit()


def inbox(account: Account) -> list[str]:
    """The events in somebody's inbox, newest first."""
    return [n.event for n in db.session.scalars(data_notices.inbox(account.person_id))]


def choose(world: World, account: Account, now: dt.datetime = NOW, **values: Any) -> NoticeChoice:
    """Choose mail about everything that is about one's own cases and their deadlines."""
    chosen: dict[str, Any] = {
        "email": "zhang@town.example",
        "mailed": ["mine", "deadline"],
        "digest": "none",
        "quiet_from": None,
        "quiet_until": None,
        "language": "zh",
        **values,
    }
    choice = notices.choose(world.actor(account), now=now, **chosen)
    db.session.commit()
    return choice


@pytest.fixture
def case(world: World) -> Case:
    """A submitted case."""
    return world.submitted()


@pytest.fixture
def reviewer(world: World) -> Account:
    """The town's reviewer."""
    return world.officer(Role.REVIEWER)


def test_everybody_is_told_once_whatever_is_delivered_twice(world: World, case: Case, reviewer: Account) -> None:
    leader = world.officer(Role.LEADER)
    notices.tell_people([reviewer.person_id, leader.person_id, reviewer.person_id, 0], "assigned", case, {}, NOW)
    db.session.commit()
    (item,) = items("notice")
    for _ in range(2):
        notices.deliver(item.id, item.payload, NOW)
        db.session.commit()
    assert (inbox(reviewer), inbox(leader)) == (["assigned"], ["assigned"])
    assert data_notices.unread_count(reviewer.person_id) == 1


def test_nobody_to_tell_puts_nothing_into_the_outbox(world: World, case: Case) -> None:
    notices.tell_people([0], "assigned", case, {}, NOW)
    notices.tell_robots(case, "overdue", {}, NOW)
    assert items("notice") == []


def test_who_was_moved_or_left_is_told_nothing_about_the_case(world: World, case: Case) -> None:
    moved, ended, off, there = (world.new_officer(Role.REVIEWER) for _ in range(4))
    told = [a.person_id for a in (moved, ended, off, there)]
    notices.tell_people(told, "assigned", case, {}, NOW)
    admin = world.actor(world.officer(Role.ADMIN, "3302"))
    for account, move in ((moved, True), (ended, False)):
        (held,) = people.current_appointments(account.person_id, shanghai_day(NOW))
        if move:
            accounts.move_person(admin, held.id, "330206004", NOW)
        else:
            accounts.end_appointment(admin, held.id, NOW)
    off.is_active = False
    db.session.commit()
    deliver(world.later(hours=1))
    assert [inbox(a) for a in (moved, ended, off, there)] == [[], [], [], ["assigned"]]


def test_mail_is_planned_for_who_chose_it_for_that_group(world: World, case: Case, reviewer: Account) -> None:
    choose(world, reviewer)
    notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    notices.tell_people([reviewer.person_id], "mentioned", case, {}, NOW)
    deliver()
    assert notices.collect_one(NOW) == reviewer.person_id
    (letter,) = items("letter")
    assert {n.event: n.mail for n in db.session.scalars(select(Notice))} == {"assigned": "planned", "mentioned": ""}
    text = letters.letter_for(letter.payload, NOW)
    assert text is not None
    assert text.to == "zhang@town.example"
    assert text.subject == "【宁波市企业复工审核平台】案件交由您办理"
    assert case.reference in text.text
    assert f"http://localhost:8000/cases/{case.id}" in text.text


def test_without_a_mail_server_nothing_is_planned(app: Flask, world: World, case: Case, reviewer: Account) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], mail_url="")
    choose(world, reviewer)
    notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    assert notices.collect_one(NOW + HOUR) is None
    with pytest.raises(StepClosed):
        notices.put_test_letter(world.actor(reviewer), NOW)


@pytest.mark.parametrize(
    ("now", "sent"),
    [(at(15, 21, 59), at(15, 21, 59)), (at(15, 23, 0), at(16, 7, 0)), (at(16, 2, 0), at(16, 7, 0))],
)
def test_mail_waits_for_the_end_of_a_quiet_night(
    world: World, case: Case, reviewer: Account, now: dt.datetime, sent: dt.datetime
) -> None:
    choose(world, reviewer, quiet_from=dt.time(22, 0), quiet_until=dt.time(7, 0))
    notices.tell_people([reviewer.person_id], "assigned", case, {}, now)
    deliver(now)
    assert notices.collect_one(sent - dt.timedelta(seconds=1)) is None
    assert notices.collect_one(sent) == reviewer.person_id
    assert len(items("letter")) == 1


def test_two_hundred_cases_in_one_act_are_one_mail(world: World, case: Case, reviewer: Account) -> None:
    choose(world, reviewer)
    for _ in range(200):
        notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    assert notices.collect_one(NOW) == reviewer.person_id
    (letter,) = items("letter")
    text = letters.letter_for(letter.payload, NOW)
    assert text is not None
    assert "200 条新通知" in text.subject
    assert text.text.count(case.reference) == letters.MOST_IN_A_LETTER
    assert "另有 150 条" in text.text


def test_a_digest_is_one_mail_with_all_and_goes_out_once(world: World, case: Case, reviewer: Account) -> None:
    choose(world, reviewer, digest="daily")
    for hour in (9, 15):
        notices.tell_people([reviewer.person_id], "assigned", case, {}, at(15, hour))
        deliver(at(15, hour))
    assert items("letter") == []
    assert notices.collect_one(at(16, 8, 29)) is None
    assert notices.collect_one(at(16, 8, 30)) == reviewer.person_id
    db.session.commit()
    assert notices.collect_one(at(16, 8, 30)) is None
    assert notices.collect_one(at(17, 8, 30)) is None, "with nothing new there is nothing to plan"
    (letter,) = items("letter")
    text = letters.letter_for(letter.payload, at(16, 8, 30))
    assert text is not None
    assert "2 条新通知" in text.subject
    assert text.text.count(case.reference) == 2


def test_what_was_read_meanwhile_is_left_out(world: World, case: Case, reviewer: Account) -> None:
    choose(world, reviewer, digest="hourly", language="en")
    for _ in range(2):
        notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    newest = db.session.scalars(data_notices.inbox(reviewer.person_id)).first()
    assert newest is not None
    notices.read(world.actor(reviewer), newest.id, NOW)
    assert notices.collect_one(NOW + HOUR) == reviewer.person_id
    (letter,) = items("letter")
    text = letters.letter_for(letter.payload, NOW + HOUR)
    assert text is not None
    assert "A case was assigned to you" in text.subject
    notices.read_all(world.actor(reviewer), newest.id, NOW)
    db.session.expire_all()
    assert letters.letter_for(letter.payload, NOW + HOUR) is None


def test_who_left_before_the_mail_went_out_gets_none(world: World, case: Case, reviewer: Account) -> None:
    choose(world, reviewer)
    notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    assert notices.collect_one(NOW) == reviewer.person_id
    reviewer.is_active = False
    db.session.commit()
    (letter,) = items("letter")
    assert letters.letter_for(letter.payload, NOW) is None


def test_changed_choices_hold_for_what_waits(world: World, case: Case, reviewer: Account) -> None:
    choose(world, reviewer, digest="daily")
    notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    choice = choose(world, reviewer, now=NOW, digest="none")
    assert choice.digest_at == NOW
    choose(world, reviewer, now=NOW, mailed=[])
    assert notices.collect_one(NOW) == reviewer.person_id
    (letter,) = items("letter")
    assert letters.letter_for(letter.payload, NOW) is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "email"),
        ({"email": ""}, "email"),
        ({"digest": "weekly"}, "digest"),
        ({"quiet_from": dt.time(22, 0)}, "quiet_until"),
    ],
)
def test_wrong_choices_name_their_field(world: World, reviewer: Account, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        choose(world, reviewer, **values)
    assert refused.value.field == field


def test_nobody_chooses_for_a_group_that_is_not_offered(world: World, reviewer: Account) -> None:
    assert choose(world, reviewer, mailed=["mine", "company", "nonsense"]).channels == {"mine": ["mail"]}


def test_people_of_the_company_get_mail_when_they_chose_it(world: World) -> None:
    clerk = world.company()
    choose(world, clerk, mailed=["company"])
    case = world.step(world.officer(Role.REVIEWER), world.submitted(clerk), "accept")
    (item,) = items("message")
    for _ in range(2):
        notices.tell_company_people(item.id, item.payload, NOW)
        db.session.commit()
    assert notices.collect_one(NOW) == clerk.person_id
    (letter,) = items("letter")
    text = letters.letter_for(letter.payload, NOW)
    assert text is not None
    assert case.reference in text.text
    assert data_notices.unread_count(clerk.person_id) == 0, "the company's inbox shows it, not this one"


def test_nobody_reads_the_notices_of_others(world: World, case: Case, reviewer: Account) -> None:
    notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    (notice,) = db.session.scalars(select(Notice))
    leader = world.actor(world.officer(Role.LEADER))
    with pytest.raises(NotFound):
        notices.read(leader, notice.id, NOW)
    notices.read_all(leader, notice.id, NOW)
    db.session.expire_all()
    assert notice.read_at is None


def test_reading_all_leaves_what_came_later_unread(world: World, case: Case, reviewer: Account) -> None:
    for _ in range(3):
        notices.tell_people([reviewer.person_id], "assigned", case, {}, NOW)
    deliver()
    ids = sorted(n.id for n in db.session.scalars(select(Notice)))
    notices.read_all(world.actor(reviewer), ids[1], NOW)
    assert data_notices.unread_count(reviewer.person_id) == 1


def reviewing(world: World) -> Case:
    """A case whose materials are being reviewed."""
    case = world.submitted()
    return world.step(world.officer(Role.REVIEWER), case, "accept")


def test_a_team_is_told_with_its_robots(world: World, case: Case, reviewer: Account) -> None:
    made = team(case.town, [reviewer])
    wanted = robot(world, made, ["escalated"])
    robot(world, made, ["overdue"])
    robot(world, made, ["escalated"], is_active=False)
    notices.tell_team(made.id, "escalated", case, {}, NOW)
    deliver()
    assert inbox(reviewer) == ["escalated"]
    assert [i.payload["robot_id"] for i in items("robot")] == [wanted.id]


def test_a_late_case_reaches_its_officer_its_supervisor_and_the_robots_of_its_area(world: World) -> None:
    case = reviewing(world)
    reviewer, leader = world.officer(Role.REVIEWER), world.officer(Role.LEADER)
    assert case.assignee_id is None or case.assignee_id == reviewer.person_id
    case.assign(reviewer.person_id, because={"how": "claimed"}, by=world.actor(reviewer), at=NOW)
    here = team(case.town, covers=[case.town_id])
    told = robot(world, here, ["overdue"])
    db.session.commit()
    now = case.due_at + dt.timedelta(days=10)
    drain.run_clocks(lambda: now)
    deliver(now)
    assert set(inbox(reviewer)) >= {"overdue", "escalated"}
    assert "due_soon" not in inbox(reviewer), "caught up after the end: what follows says so"
    assert inbox(leader) == ["escalated"]
    assert [(i.payload["robot_id"], i.payload["event"]) for i in items("robot")] == [(told.id, "overdue")]


def test_who_returned_a_case_hears_that_it_came_back(world: World) -> None:
    clerk, reviewer = world.company(), world.officer(Role.REVIEWER)
    case = world.submitted(clerk)
    assert items("notice") == []
    world.step(reviewer, case, "accept")
    world.judge_all(case, commitment="请补签")
    world.step(reviewer, case, "return_for_correction")
    from workflow.data import applications
    from workflow.services import materials

    application = applications.of_case(case.id)
    materials.add_file(world.actor(clerk), application.id, "commitment", world.file(), world.now)
    db.session.commit()
    world.step(clerk, case, "resubmit")
    deliver(world.now)
    assert inbox(reviewer) == ["returned"]


def test_an_opinion_is_told_to_who_asked(world: World) -> None:
    case = reviewing(world)
    reviewer = world.officer(Role.REVIEWER)
    asked = opinions.ask_more(world.actor(reviewer), case.id, "weijian", "？", 2, version=case.version, now=world.now)
    db.session.commit()
    department = world.officer(Role.DEPARTMENT, "330203", "weijian")
    opinions.answer(world.actor(department), asked.id, "agree", "", world.now)
    db.session.commit()
    deliver(world.now)
    assert inbox(reviewer) == ["opinion_given"]


def test_clocks_are_quiet_for_a_case_that_nobody_has(world: World, case: Case) -> None:
    assert case.assignee_id is None
    now = case.due_at - HOUR
    assert clocks.run_one(now) == case.id
    assert items("notice") == []

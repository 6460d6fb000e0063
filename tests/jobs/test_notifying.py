"""Mail and robots through the drain: real conversations with stand-ins, rates over several workers, and failures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import NOW, World
from tests.channels.standin import MailServer, RobotServer, mail_server, robot_server
from tests.services.together import failures, together
from workflow.channels.sealing import seal
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound
from workflow.data import outbox
from workflow.data import robots as data_robots
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.notices import Notice
from workflow.data.organisation import Team
from workflow.data.outbox import MAX_ATTEMPTS, OutboxItem
from workflow.data.people import Account
from workflow.data.robots import MINUTE, MOST_A_MINUTE, Robot
from workflow.extensions import db, settings
from workflow.jobs import drain
from workflow.services import letters, notices, robots

SECOND = dt.timedelta(seconds=1)
TEXT = {"event": "overdue", "case_id": None, "details": {}}


def clock(at: dt.datetime = NOW) -> Callable[[], dt.datetime]:
    """A clock that stands still."""
    return lambda: at


@pytest.fixture
def server(app: Flask) -> Iterator[RobotServer]:
    """A stand-in that this installation may send to."""
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], robot_hosts=("http://127.0.0.1",))
    with robot_server() as made:
        yield made


@pytest.fixture
def mailing(app: Flask) -> Iterator[MailServer]:
    """A stand-in that this installation sends mail through."""
    with mail_server() as made:
        app.config["SETTINGS"] = replace(
            app.config["SETTINGS"], mail_url=made.url, mail_from="复工通 <noreply@fugong.example>"
        )
        yield made


def team(world: World) -> Team:
    """A team of the town."""
    area = db.session.scalars(select(Area).where(Area.code == "330203002")).one()
    made = Team(code="T1", name="江厦街道复工专班", kind="team", area_id=area.id, created_at=NOW)
    db.session.add(made)
    db.session.commit()
    return made


def robot(world: World, url: str, **values: Any) -> Robot:
    """A robot of a team in town, owned by the leader."""
    found = db.session.scalars(select(Team)).first() or team(world)
    made = Robot(
        team_id=found.id,
        kind="wecom",
        name="工作群",
        url=seal(url, settings().secret_key),
        shown="127.0.0.1/…6789",
        events=["overdue"],
        created_by=world.officer(Role.LEADER).person_id,
        created_at=NOW,
        **values,
    )
    db.session.add(made)
    db.session.commit()
    return made


def put(made: Robot, number: int = 1, **payload: Any) -> list[int]:
    """Texts for the robot, committed; their ids."""
    rows = [outbox.put("robot", {"robot_id": made.id, **TEXT, **payload}, NOW) for _ in range(number)]
    db.session.commit()
    return [row.id for row in rows]


def stored(item_id: int) -> OutboxItem:
    """The item as the database has it."""
    db.session.rollback()
    return db.session.get_one(OutboxItem, item_id, populate_existing=True)


def fresh(made: Robot) -> Robot:
    """The robot as the database has it."""
    db.session.rollback()
    return db.session.get_one(Robot, made.id, populate_existing=True)


def test_a_robot_says_what_happened(world: World, server: RobotServer) -> None:
    case, made = world.submitted(), robot(world, server.url())
    put(made, case_id=case.id)
    drain.drain(clock())
    (text,) = server.texts
    assert text.splitlines()[0] == "【宁波市企业复工审核平台】已超过办理时限"
    assert f"{case.reference}  {case.enterprise_name}" in text
    assert f"http://localhost:8000/cases/{case.id}" in text
    assert "13800138000" not in text
    found = fresh(made)
    assert (found.last_ok_at, found.failures, found.last_error) == (NOW, 0, "")


def test_one_broken_robot_stops_no_other(world: World, server: RobotServer) -> None:
    broken, fine = robot(world, server.url("/500/robot")), robot(world, server.url())
    (bad,), (good,) = put(broken), put(fine)
    drain.drain(clock())
    assert stored(good).done_at == NOW
    item = stored(bad)
    assert (item.done_at, item.attempts, item.error) == (None, 1, "http 500")
    assert (fresh(broken).failures, fresh(broken).last_error) == (1, "http 500")


def test_an_error_inside_of_a_200_is_kept_as_its_number(world: World, server: RobotServer) -> None:
    server.answer = {"errcode": 93000, "errmsg": "invalid webhook url, hint: [x]"}
    made = robot(world, server.url())
    (item_id,) = put(made)
    drain.drain(clock())
    assert stored(item_id).error == "errcode 93000"
    assert fresh(made).last_error == "errcode 93000"


def test_others_wait_while_a_robot_rests_and_count_no_attempt(world: World, server: RobotServer) -> None:
    made = robot(world, server.url("/500/robot"))
    first, second = put(made, 2)
    drain.drain(clock())
    assert len(server.seen) == 1
    assert (stored(first).attempts, stored(second).attempts) == (1, 0)
    assert stored(second).available_at == NOW + robots.FIRST_PAUSE


def test_after_eight_failures_it_is_off_and_its_owner_knows(world: World, server: RobotServer) -> None:
    made = robot(world, server.url("/500/robot"))
    first, second = put(made, 2)
    now = NOW
    for _ in range(100):
        drain.drain(clock(now))
        now += dt.timedelta(minutes=2)
        if not fresh(made).is_active:
            break
    drain.drain(clock(now + dt.timedelta(hours=1)))
    assert len(server.seen) == robots.MOST_FAILURES
    assert not fresh(made).is_active
    assert stored(second).done_at is not None or stored(first).done_at is not None, "what still waits is dropped"
    (notice,) = db.session.scalars(select(Notice).where(Notice.event == "robot_off"))
    assert notice.person_id == world.officer(Role.LEADER).person_id
    assert all(stored(i).attempts <= MAX_ATTEMPTS for i in (first, second))


def test_twenty_a_minute_and_the_rest_a_minute_later(world: World, server: RobotServer) -> None:
    made = robot(world, server.url())
    ids = put(made, 25)
    drain.drain(clock())
    assert len(server.seen) == MOST_A_MINUTE
    left = [stored(i) for i in ids if stored(i).done_at is None]
    assert {(i.attempts, i.available_at) for i in left} == {(0, NOW + MINUTE)}
    drain.drain(clock(NOW + MINUTE - SECOND))
    assert len(server.seen) == MOST_A_MINUTE
    drain.drain(clock(NOW + MINUTE))
    assert len(server.seen) == 25
    assert all(stored(i).done_at for i in ids)


def test_several_workers_share_the_twenty(world: World, app: Flask, server: RobotServer) -> None:
    made = robot(world, server.url())
    ids = put(made, 30)
    outcomes = together(app, *[lambda: drain.drain(clock())] * 3, writing=False)
    assert failures(outcomes) == []
    assert sum(outcomes) == MOST_A_MINUTE
    assert len(server.seen) == MOST_A_MINUTE
    assert sum(stored(i).done_at is None for i in ids) == 10


def test_a_long_text_is_sent_in_parts_and_only_the_failed_one_again(
    world: World, server: RobotServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "robot_text", lambda payload: "复工" * 600)
    made = robot(world, server.url())
    put(made)
    drain.drain(clock())
    assert [text[:5] for text in server.texts] == ["（1/2）", "（2/2）"]
    assert all(len(text.encode()) <= 2048 for text in server.texts)
    put(made)
    server.answer = {"errcode": 45009}
    drain.drain(clock())
    server.answer = {"errcode": 0}
    drain.drain(clock(NOW + MINUTE))
    assert [text[:5] for text in server.texts] == ["（1/2）", "（2/2）", "（1/2）", "（1/2）", "（2/2）"]


def test_a_new_secret_key_makes_an_address_unreadable(app: Flask, world: World, server: RobotServer) -> None:
    made = robot(world, server.url())
    put(made)
    app.config["SETTINGS"] = replace(settings(), secret_key="another-key-that-is-long-enough-0123456789")
    drain.drain(clock())
    assert server.seen == []
    assert fresh(made).last_error == "sealed"


def test_a_deleted_robot_drops_what_waits(world: World, server: RobotServer) -> None:
    made = robot(world, server.url())
    (item_id,) = put(made)
    robots.delete(world.actor(world.officer(Role.LEADER)), made.id, NOW)
    db.session.commit()
    drain.drain(clock())
    assert stored(item_id).done_at == NOW
    assert server.seen == []


def add(world: World, account: Account, found: Team, **values: Any) -> Robot:
    """Add a robot as a person does."""
    chosen: dict[str, Any] = {
        "kind": "dingtalk",
        "name": "江厦街道专班群",
        "url": "https://oapi.dingtalk.com/robot/send?access_token=abcdef0123",
        "secret": "SEC1",
        "events": ["overdue", "nonsense"],
        **values,
    }
    return robots.add(world.actor(account), found.id, now=NOW, **chosen)


def test_a_robot_is_kept_sealed_and_shown_by_its_end(world: World) -> None:
    made = add(world, world.officer(Role.LEADER), team(world))
    db.session.commit()
    assert "dingtalk.com" not in made.url
    assert "SEC1" not in made.secret
    assert (made.shown, made.events) == ("oapi.dingtalk.com/…0123", ["overdue"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"url": "http://127.0.0.1/robot/send?key=1"}, "url"),
        ({"url": "https://example.com/robot/send?key=1"}, "url"),
        ({"url": "https://oapi.dingtalk.com/"}, "url"),
        ({"url": "不是地址"}, "url"),
        ({"name": " "}, "name"),
        ({"name": "群" * 61}, "name"),
        ({"events": []}, "events"),
        ({"kind": "telegram"}, "kind"),
        ({"secret": "x" * 201}, "secret"),
    ],
)
def test_what_is_wrong_with_a_robot_is_said_at_its_field(world: World, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(world, world.officer(Role.LEADER), team(world), **values)
    assert refused.value.field == field


def test_only_who_manages_the_organisation_there_has_a_hand_in_it(world: World, server: RobotServer) -> None:
    made = robot(world, server.url())
    for account in (world.officer(Role.LEADER, "330206004"), world.officer(Role.REVIEWER)):
        actor = world.actor(account)
        with pytest.raises(NotFound):
            add(world, account, made.team)
        for act in (robots.try_out, robots.delete):
            with pytest.raises(NotFound):
                act(actor, made.id, NOW)
        with pytest.raises(NotFound):
            robots.switch(actor, made.id, active=False, now=NOW)
        assert list(db.session.scalars(data_robots.managed_by(actor))) == []
    county = world.actor(world.officer(Role.LEADING_GROUP, "330203"))
    assert list(db.session.scalars(data_robots.managed_by(county))) == [made]


def test_a_robot_that_is_off_can_be_tried_and_switched_on(world: World, server: RobotServer) -> None:
    made = robot(world, server.url(), is_active=False, failures=8, last_error="http 500", retry_at=NOW + MINUTE)
    actor = world.actor(world.officer(Role.LEADER))
    robots.try_out(actor, made.id, NOW)
    db.session.commit()
    drain.drain(clock())
    assert "测试消息" in server.texts[0]
    assert (fresh(made).failures, fresh(made).is_active) == (0, False)
    assert robots.switch(actor, made.id, active=True, now=NOW).is_active


def tell(world: World, account: Account, case: Case) -> None:
    """Choose mail, and be told of a case."""
    notices.choose(
        world.actor(account),
        email="zhang@town.example",
        mailed=["mine"],
        digest="none",
        quiet_from=None,
        quiet_until=None,
        language="zh",
        now=NOW,
    )
    notices.tell_people([account.person_id], "assigned", case, {}, NOW)
    db.session.commit()


def go(at: dt.datetime) -> None:
    """What the worker does in a minute: deliver, collect, send."""
    drain.drain(clock(at))
    drain.run_clocks(clock(at))
    drain.drain(clock(at))


def test_a_notice_goes_out_as_one_mail(world: World, mailing: MailServer) -> None:
    case, reviewer = world.submitted(), world.officer(Role.REVIEWER)
    tell(world, reviewer, case)
    go(NOW)
    go(NOW + MINUTE)
    ((_sender, to, message),) = mailing.letters
    assert to == "zhang@town.example"
    assert "案件交由您办理" in message["Subject"]
    assert case.reference in message.get_content()
    assert db.session.scalars(select(Notice.mail)).all() == ["sent"]


def test_a_mail_that_is_not_taken_is_tried_again(world: World, mailing: MailServer) -> None:
    mailing.refuse = "450 busy"
    tell(world, world.officer(Role.REVIEWER), world.submitted())
    go(NOW)
    item = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "letter")).one()
    assert (item.done_at, item.error) == (None, "smtp 450")
    mailing.refuse = ""
    drain.drain(clock(NOW + MINUTE))
    assert len(mailing.letters) == 1
    assert stored(item.id).done_at is not None


def test_mail_that_was_switched_off_meanwhile_is_dropped(app: Flask, world: World, mailing: MailServer) -> None:
    tell(world, world.officer(Role.REVIEWER), world.submitted())
    (item,) = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "notice"))
    notices.deliver(item.id, item.payload, NOW)
    item.done_at = NOW
    notices.collect_one(NOW)
    db.session.commit()
    app.config["SETTINGS"] = replace(settings(), mail_url="")
    drain.drain(clock())
    assert mailing.letters == []
    assert outbox.waiting(NOW) == {"ready": 0, "later": 0, "dead": 0}


def test_a_test_mail_arrives(world: World, mailing: MailServer) -> None:
    reviewer = world.officer(Role.REVIEWER)
    tell(world, reviewer, world.submitted())
    notices.put_test_letter(world.actor(reviewer), NOW)
    db.session.commit()
    drain.drain(clock())
    assert sum("测试邮件" in message["Subject"] for _s, _t, message in mailing.letters) == 1

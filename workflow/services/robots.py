"""Group robots of teams: added, tried and switched by whoever manages the organisation there; their turns and failures.

A robot that fails is left in peace for a while that doubles, and switched off after eight failures in a row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from workflow.channels import addresses
from workflow.channels.failure import ChannelFailure
from workflow.channels.sealing import seal, unseal
from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, StepClosed
from workflow.core.notices import ROBOT_EVENTS, RobotKind
from workflow.core.texts import required_line
from workflow.data import audit, outbox, robots
from workflow.data.organisation import Team
from workflow.data.robots import Robot
from workflow.extensions import db, settings
from workflow.services import organisation
from workflow.services.notices import tell_people

MOST_OF_A_TEAM = 5
MOST_FAILURES = 8
LONGEST_NAME, LONGEST_SECRET = 60, 200
FIRST_PAUSE = dt.timedelta(seconds=5)


def add(
    actor: Actor,
    team_id: int,
    *,
    kind: str,
    name: str,
    url: str,
    secret: str,
    events: Iterable[str],
    now: dt.datetime,
) -> Robot:
    """Add a robot to a team that the actor manages; :class:`Invalid` at the field that is wrong."""
    team = _team(actor, team_id)
    if kind not in {k.value for k in RobotKind}:
        raise Invalid(N_("请选择列表中的一项。"), field="kind")
    title = required_line(name, "name", LONGEST_NAME)
    wanted = [e for e in ROBOT_EVENTS if e in set(events)]
    if not wanted:
        raise Invalid(N_("请至少选择一类要转发的通知。"), field="events")
    address, key = url.strip(), secret.strip()
    if len(key) > LONGEST_SECRET or not key.isprintable():
        raise Invalid(N_("密钥不正确，请从群设置中重新复制。"), field="secret")
    if len(robots.all_of_team(team.id)) >= MOST_OF_A_TEAM:
        raise StepClosed(N_("一个专班最多可设 %(n)s 个群机器人。"), n=MOST_OF_A_TEAM)
    robot = Robot(
        team_id=team.id,
        kind=kind,
        name=title,
        url=seal(address, settings().secret_key),
        secret=seal(key, settings().secret_key),
        shown=_shown(address),
        events=wanted,
        created_by=actor.person_id,
        created_at=now,
    )
    db.session.add(robot)
    db.session.flush()
    _record(audit.ROBOT_ADDED, robot, team, actor, now)
    return robot


def _shown(url: str) -> str:
    """Host and last four signs of an address that we would send to; :class:`Invalid` for any other."""
    try:
        target = addresses.check(url, settings().robot_hosts)
    except ChannelFailure:
        names = "、".join(settings().robot_hosts)
        raise Invalid(N_("地址不正确，或不在允许的主机之列：%(hosts)s。"), field="url", hosts=names) from None
    if len(target.path) < 8:
        raise Invalid(N_("请粘贴机器人的完整地址。"), field="url")
    return f"{target.host[:80]}/…{url[-4:]}"


def _team(actor: Actor, team_id: int) -> Team:
    team = db.session.scalar(robots.teams_managed_by(actor).where(Team.id == team_id))
    if team is None:
        raise NotFound()
    return team


def _managed(actor: Actor, robot_id: int) -> Robot:
    found = db.session.scalar(robots.managed_by(actor).where(Robot.id == robot_id))
    if found is None:
        raise NotFound()
    return robots.lock(found.id) or found


def try_out(actor: Actor, robot_id: int, now: dt.datetime) -> None:
    """Plan a test message; how it went stands on the page after a moment."""
    robot = _managed(actor, robot_id)
    outbox.put("robot", {"robot_id": robot.id, "is_test": True, "events": list(robot.events)}, now)


def switch(actor: Actor, robot_id: int, *, active: bool, now: dt.datetime) -> Robot:
    """Switch a robot on, with its failures forgotten, or off."""
    robot = _managed(actor, robot_id)
    if robot.is_active != active:
        robot.is_active = active
        if active:
            robot.failures, robot.last_error, robot.retry_at = 0, "", None
        _record(audit.ROBOT_SWITCHED, robot, robot.team, actor, now)
    return robot


def delete(actor: Actor, robot_id: int, now: dt.datetime) -> None:
    """Delete a robot with its address; what still waits for it is dropped."""
    robot = _managed(actor, robot_id)
    _record(audit.ROBOT_DELETED, robot, robot.team, actor, now)
    db.session.delete(robot)


def _record(event: audit.Event, robot: Robot, team: Team, actor: Actor, now: dt.datetime) -> None:
    after = {"robot": robot.id, "team": team.id, "kind": robot.kind, "active": robot.is_active}
    audit.record(event, chain=organisation.chain_of(team.area), actor=actor, at=now, after=after)


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do about a message for a robot: send it to ``url`` now, try at ``later``, or drop it (neither)."""

    kind: RobotKind = RobotKind.WECOM
    url: str = ""
    secret: str = ""
    later: dt.datetime | None = None


def take_turn(robot_id: int, now: dt.datetime, *, is_test: bool = False) -> Turn:
    """Count one sending of the robot, all workers together, or say when there is room; for a transaction of its own.

    A robot that failed a moment ago is not tried; tests are, and also with a robot that is switched off.
    """
    robot = robots.lock(robot_id)
    if robot is None or not (robot.is_active or is_test):
        return Turn()
    if robot.retry_at is not None and robot.retry_at > now and not is_test:
        return Turn(later=robot.retry_at)
    free_at = robot.free_at(now)
    if free_at > now:
        return Turn(later=free_at)
    key = settings().secret_key
    url, secret = unseal(robot.url, key), unseal(robot.secret, key)
    robot.note_sending(now)
    return Turn(robot.robot_kind, url, secret)


def note_taken(robot_id: int, now: dt.datetime) -> None:
    """The robot took a message: its failures are forgotten."""
    robot = robots.lock(robot_id)
    if robot is not None:
        robot.last_ok_at, robot.last_error, robot.failures, robot.retry_at = now, "", 0, None


def note_failure(robot_id: int, why: str, now: dt.datetime) -> None:
    """The robot did not take a message: it rests, and after the eighth time it is off and its owner told."""
    robot = robots.lock(robot_id)
    if robot is None:
        return
    robot.last_error = why[:40]
    robot.failures += 1
    robot.retry_at = now + FIRST_PAUSE * 2 ** min(robot.failures - 1, 10)
    if robot.failures >= MOST_FAILURES and robot.is_active:
        robot.is_active = False
        named = {"zh": robot.name, "en": robot.name}
        tell_people([robot.created_by], "robot_off", None, {"about": named, "url": "/notices/robots"}, now)

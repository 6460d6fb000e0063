"""Teams with members and areas, and their group robots, as tests of notices make them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from tests.builders import NOW, World
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data.areas import Area
from workflow.data.organisation import Team, TeamArea, TeamMember
from workflow.data.people import Account
from workflow.data.robots import Robot
from workflow.extensions import db


def team(area: Area, members: Iterable[Account] = (), covers: Iterable[int] = ()) -> Team:
    """A team that stands in the area."""
    count = db.session.scalar(select(func.count()).select_from(Team)) or 0
    made = Team(code=f"T{count}", name="江厦街道复工专班", kind="team", area_id=area.id, created_at=NOW)
    db.session.add(made)
    db.session.flush()
    today = shanghai_day(NOW)
    db.session.add_all(
        TeamMember(team_id=made.id, person_id=a.person_id, duty="member", starts_on=today) for a in members
    )
    db.session.add_all(TeamArea(team_id=made.id, area_id=i) for i in covers)
    db.session.commit()
    return made


def robot(world: World, made: Team, events: list[str], **values: Any) -> Robot:
    """A robot of the team."""
    found = Robot(
        team_id=made.id,
        kind="wecom",
        name="工作群",
        url="",
        shown="",
        events=events,
        created_by=world.officer(Role.LEADER).person_id,
        created_at=NOW,
        **values,
    )
    db.session.add(found)
    db.session.commit()
    return found

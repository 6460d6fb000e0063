"""Group robots of teams: where they are (sealed), what they pass on, how they fare, and what they sent this minute."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Select, String, Text, exists, select, true
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from workflow.core.actors import Actor, Permission
from workflow.core.notices import RobotKind
from workflow.data import areas
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.organisation import Team, TeamArea
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

MOST_A_MINUTE = 20
MINUTE = dt.timedelta(seconds=60)


class Robot(HasId, Model):
    """A group robot of a team; ``events`` names what it passes on, ``url`` and ``secret`` are sealed.

    ``failures`` counts failures in a row, ``retry_at`` is before when nothing more is tried, ``recent`` are the
    instants (milliseconds) of what was sent in the last minute: they limit all workers together.
    """

    __tablename__ = "robots"
    __table_args__ = (CheckConstraint("kind IN ('wecom','dingtalk','feishu')", name="kind"),)

    team_id: Mapped[int] = mapped_column(Id, ForeignKey("teams.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(60))
    url: Mapped[str] = mapped_column(Text, comment="sealed")
    secret: Mapped[str] = mapped_column(Text, default="", comment="sealed; empty: no signature")
    shown: Mapped[str] = mapped_column(String(100), comment="host and last four signs of the address")
    events: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(40), default="", comment="class and number, no words")
    failures: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    recent: Mapped[list[int]] = mapped_column(JSON, default=list)

    team: Mapped[Team] = relationship()

    @property
    def robot_kind(self) -> RobotKind:
        """``kind`` as the core's enumeration."""
        return RobotKind(self.kind)

    def free_at(self, now: dt.datetime) -> dt.datetime:
        """``now`` while fewer than :data:`MOST_A_MINUTE` were sent within a minute; else when the oldest of them is
        a minute old."""
        sent = sorted(s for s in self.recent if s > _milliseconds(now - MINUTE))
        if len(sent) < MOST_A_MINUTE:
            return now
        return dt.datetime.fromtimestamp(sent[-MOST_A_MINUTE] / 1000, dt.UTC) + MINUTE

    def note_sending(self, now: dt.datetime) -> None:
        """Count a message that is about to be sent."""
        kept = [s for s in self.recent if s > _milliseconds(now - MINUTE)]
        self.recent = [*kept, _milliseconds(now)]


def _milliseconds(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)


def lock(robot_id: int) -> Robot | None:
    """The robot, locked and read anew; None when it was deleted."""
    query = select(Robot).where(Robot.id == robot_id).with_for_update()
    return db.session.scalar(query.execution_options(populate_existing=True))


def of_team(team_id: int) -> list[Robot]:
    """The active robots of a team."""
    query = select(Robot).where(Robot.team_id == team_id, Robot.is_active == true())
    return list(db.session.scalars(query.order_by(Robot.id)))


def all_of_team(team_id: int) -> list[Robot]:
    """Every robot of a team, those that are switched off too."""
    return list(db.session.scalars(select(Robot).where(Robot.team_id == team_id).order_by(Robot.id)))


def _covering(case: Case) -> Select[Robot]:
    covering = exists().where(TeamArea.team_id == Robot.team_id, TeamArea.area_id.in_(case.area_ids))
    return select(Robot).where(covering, Robot.is_active == true()).order_by(Robot.id)


def about(case: Case) -> list[Robot]:
    """The active robots of the teams that cover an area in which the case lies."""
    return list(db.session.scalars(_covering(case)))


def teams_managed_by(actor: Actor) -> Select[Team]:
    """The teams, by code, that stand in an area in which the actor manages the organisation."""
    inside = areas.lies_in(actor.areas_with(Permission.MANAGE_ORGANISATION))
    query = select(Team).join(Area, Area.id == Team.area_id).where(inside, Team.closed_on.is_(None))
    return query.options(joinedload(Team.area)).order_by(Team.code)


def managed_by(actor: Actor) -> Select[Robot]:
    """The robots of those teams, by team and id."""
    teams = teams_managed_by(actor).with_only_columns(Team.id).order_by(None)
    return (
        select(Robot).where(Robot.team_id.in_(teams)).options(joinedload(Robot.team)).order_by(Robot.team_id, Robot.id)
    )

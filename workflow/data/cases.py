"""Cases: applications under review. The only place where a case's state changes, and always with its history row."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Select,
    String,
    and_,
    false,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from workflow.core import clocks
from workflow.core.actors import COMPANY_ROLES, ROLE_PERMISSIONS, SYSTEM, Actor, Appointment, AreaKind, Permission, Role
from workflow.core.clocks import Tick
from workflow.core.engine import Engine, Move
from workflow.core.flow import Flow, State, StateKind
from workflow.core.times import end_of_day, shanghai_day
from workflow.data import audit, catalogue
from workflow.data.areas import Area
from workflow.data.enterprises import Enterprise
from workflow.data.flows import FlowVersion, tailored_engine
from workflow.data.opinions import OpinionRequest
from workflow.data.people import Person
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

_CAME_BACK, _LATE = {"sqlite": "came_back = 1", "postgresql": "came_back"}, {"sqlite": "escalated_to <> ''"}


def _some(name: str, *columns: str, when: dict[str, str]) -> Index:
    """An index, by limit, of the few cases that ``when`` picks (in SQLite's words; PostgreSQL's where they differ)."""
    lite, big = when["sqlite"], when.get("postgresql", when["sqlite"])
    return Index(name, *columns, "due_at", "id", sqlite_where=text(lite), postgresql_where=text(big))


class Case(HasId, Model):
    """A case: its flow version, its state and who holds it; ``facts`` are the submitted answers as JSON.

    ``clock_at`` is when the clock does its next thing after ``clock_stage``; ``spent`` are the working days used by
    states that resume; ``permits`` says that the company may work; ``tailoring`` is what differs for this case alone.
    ``assignee_id`` is who handles the case now, ``assigned_because`` the words of that choice as keys, ``assign_at``
    when the system is to assign it (None when somebody has it or the company holds it), ``handled_by`` who last took a
    step in each role, so that a case that comes back goes to whoever knows it; ``came_back`` says that it waits for
    staff again after the company corrected it.
    ``version`` is checked by the database layer on every update; ``moves`` counts applied moves; ``round`` counts
    correction rounds and ``cycle`` reopenings.
    """

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("resuming_count >= 0", name="resuming_count"),
        Index("ix_cases_town_queue", "town_id", "holder", "is_open", "due_at", "id"),
        Index("ix_cases_county_queue", "county_id", "holder", "is_open", "due_at", "id"),
        Index("ix_cases_town_all", "town_id", "is_open", "due_at", "id"),
        Index("ix_cases_county_all", "county_id", "is_open", "due_at", "id"),
        Index("ix_cases_city_all", "city_id", "is_open", "due_at", "id"),
        Index("ix_cases_city_queue", "city_id", "holder", "is_open", "due_at", "id"),
        Index(
            "ix_cases_clock",
            "clock_at",
            "id",
            sqlite_where=text("clock_at IS NOT NULL"),
            postgresql_where=text("clock_at IS NOT NULL"),
        ),
        Index(
            "ix_cases_escalated",
            "county_id",
            "escalated_to",
            "due_at",
            "id",
            sqlite_where=text("escalated_to <> ''"),
            postgresql_where=text("escalated_to <> ''"),
        ),
        Index("ix_cases_flow_version", "flow_version_id", "is_open", "state"),
        Index("ix_cases_assignee", "assignee_id", "is_open", "due_at", "id"),
        Index(
            "ix_cases_assign",
            "assign_at",
            "id",
            sqlite_where=text("assign_at IS NOT NULL"),
            postgresql_where=text("assign_at IS NOT NULL"),
        ),
        Index("ix_cases_town_filed", "town_id", "is_open", "submitted_at", "id"),
        Index("ix_cases_county_filed", "county_id", "is_open", "submitted_at", "id"),
        Index("ix_cases_city_filed", "city_id", "is_open", "submitted_at", "id"),
        Index("ix_cases_zone_all", "zone_id", "is_open", "due_at", "id"),
        *(_some(f"ix_cases_{k}_returned", f"{k}_id", "holder", when=_CAME_BACK) for k in ("town", "county", "city")),
        *(_some(f"ix_cases_{k}_escalated", f"{k}_id", "escalated_to", when=_LATE) for k in ("town", "city")),
    )

    reference: Mapped[str] = mapped_column(String(40), unique=True)
    enterprise_id: Mapped[int] = mapped_column(Id, ForeignKey("enterprises.id"), index=True)
    enterprise_name: Mapped[str] = mapped_column(String(200))
    flow_version_id: Mapped[int] = mapped_column(Id, ForeignKey("flow_versions.id"))
    routed_because: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    _state: Mapped[str] = mapped_column("state", String(40))
    holder: Mapped[str] = mapped_column(String(20), default="")
    is_open: Mapped[bool] = mapped_column(default=True)
    state_since_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    clock_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    clock_stage: Mapped[str] = mapped_column(String(10), default="")
    escalated_to: Mapped[str] = mapped_column(String(20), default="")
    spent: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    permits: Mapped[bool] = mapped_column(default=False)
    tailoring: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    assignee_id: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    assigned_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    assigned_because: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    assign_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    handled_by: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    came_back: Mapped[bool] = mapped_column(default=False)
    moves: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=1)
    cycle: Mapped[int] = mapped_column(default=1)
    city_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    county_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    town_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    zone_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"))
    building_id: Mapped[int | None] = mapped_column(Id, ForeignKey("areas.id"), index=True)
    bureau: Mapped[str | None] = mapped_column(String(20))
    sector: Mapped[str] = mapped_column(String(20))
    resuming_count: Mapped[int]
    resume_on: Mapped[dt.date] = mapped_column(Date)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    submitted_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    city_filed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    enterprise: Mapped[Enterprise] = relationship()
    flow_version: Mapped[FlowVersion] = relationship()
    assignee: Mapped[Person | None] = relationship(foreign_keys=[assignee_id])
    town: Mapped[Area] = relationship(foreign_keys=[town_id])
    county: Mapped[Area] = relationship(foreign_keys=[county_id])
    zone: Mapped[Area | None] = relationship(foreign_keys=[zone_id])
    building: Mapped[Area | None] = relationship(foreign_keys=[building_id])

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own way to name it

    @hybrid_property
    def state(self) -> str:
        """The state's key in the case's flow; read-only: only :meth:`apply` changes it."""
        return self._state

    @property
    def area_ids(self) -> frozenset[int]:
        """Every area the case lies in."""
        ids = (self.city_id, self.county_id, self.town_id, self.zone_id, self.building_id)
        return frozenset(i for i in ids if i is not None)

    @property
    def engine(self) -> Engine:
        """The engine of the case's flow version, with what was tailored for this case worked in."""
        return tailored_engine(self.flow_version.text, self.tailoring)

    @property
    def flow(self) -> Flow:
        """The case's own flow."""
        return self.engine.flow

    def apply(self, move: Move, *, by: Actor, at: dt.datetime, details: dict[str, Any] | None = None) -> None:
        """Take a decided move: set the state and everything that follows from it, and write the history row.

        Raises ValueError when the move was decided from another state than the present one.
        """
        if move.source.key != self._state:
            raise ValueError(f"a move from {move.source.key} can't be applied in {self._state}")
        before = self._state
        self._state = move.dest.key
        self.holder = move.dest.holder.value if move.dest.holder else ""
        self.is_open = move.dest.kind is StateKind.OPEN
        self.permits = move.dest.permits
        self.moves += 1
        self._pass_on(move, by, at)
        if move.dest.key != before:
            self._start_clock(move.source, move.dest, at)
            self.state_since_at = at
        if move.dest.kind is not StateKind.OPEN:
            self.decided_at = at
        elif not move.dest.permits:
            self.decided_at = None
        audit.record(
            audit.Event(move.step.action),
            chain=f"town:{self.town_id}",
            actor=by,
            role=move.step.role.value,
            at=at,
            case_id=self.id,
            before={"state": before},
            after={"state": move.dest.key, "moves": self.moves, "round": self.round, **(details or {})},
        )

    def _pass_on(self, move: Move, by: Actor, at: dt.datetime) -> None:
        """Whoever takes a step in the role that holds the case has it; another holder's is to be assigned anew."""
        role = move.step.role
        if by.person_id != SYSTEM.person_id and role not in COMPANY_ROLES:
            self.handled_by = {**(self.handled_by or {}), role.value: by.person_id}
        if move.dest.holder is move.source.holder and move.dest.kind is StateKind.OPEN:
            if role is move.source.holder and role not in COMPANY_ROLES and self.assignee_id != by.person_id:
                self.assignee_id, self.assigned_at, self.assign_at = by.person_id, at, None
                self.assigned_because = {"how": "acted"}
            return
        waits_for_staff = move.dest.kind is StateKind.OPEN and move.dest.holder not in (None, *COMPANY_ROLES)
        self.came_back = waits_for_staff and move.source.holder in COMPANY_ROLES and self.moves > 1
        self.assignee_id, self.assigned_at, self.assigned_because = None, None, None
        self.assign_at = at if waits_for_staff else None

    def assign(self, person_id: int, *, because: dict[str, Any], by: Actor, at: dt.datetime) -> None:
        """Give the case to a person, with the history row; ``because`` holds keys, numbers and ids, never names."""
        before = self.assignee_id
        self.assignee_id, self.assigned_at, self.assign_at, self.assigned_because = person_id, at, None, because
        audit.record(
            audit.ASSIGNED,
            chain=f"town:{self.town_id}",
            actor=by,
            at=at,
            case_id=self.id,
            before={"assignee": before},
            after={"assignee": person_id, "how": str(because.get("how", ""))},
        )

    def release(self, *, by: Actor, at: dt.datetime, assign_at: dt.datetime) -> None:
        """Take the case from whoever has it; unless somebody claims it, the system assigns it at ``assign_at``."""
        before = self.assignee_id
        self.assignee_id, self.assigned_at, self.assigned_because, self.assign_at = None, None, None, assign_at
        chain = f"town:{self.town_id}"
        audit.record(audit.RELEASED, chain=chain, actor=by, at=at, case_id=self.id, before={"assignee": before})

    def _start_clock(self, source: State, dest: State, at: dt.datetime) -> None:
        """Stop the clock of the state that is left and start that of the state that is entered."""
        calendar = catalogue.calendar()
        days = clocks.allowed_days(source, dest, self.spent or {})
        self.spent = clocks.spent_after(source, dest, self.spent or {}, self.state_since_at, at, calendar)
        without = clocks.NO_LIMIT if dest.kind is StateKind.OPEN else at
        self.due_at = without if days is None else end_of_day(calendar.after(shanghai_day(at), days))
        self.escalated_to = ""
        self._set_clock(dest, None)

    def _set_clock(self, state: State, after: Tick | None) -> None:
        self.clock_stage = after.value if after else ""
        following = clocks.next_tick(state, self.due_at, after, catalogue.calendar())
        self.clock_at = following[1] if following else None

    def next_tick(self) -> Tick | None:
        """What the clock does at ``clock_at``."""
        stage = Tick(self.clock_stage) if self.clock_stage else None
        following = clocks.next_tick(self.flow.state(self._state), self.due_at, stage, catalogue.calendar())
        return following[0] if following else None

    def tick(self, tick: Tick, at: dt.datetime) -> None:
        """Let the clock do ``tick``: keep that it is done, and write the history row. The state stays as it is."""
        state = self.flow.state(self._state)
        if tick is Tick.ESCALATED and state.escalate is not None:
            self.escalated_to = state.escalate.value
        self._set_clock(state, tick)
        if tick is Tick.LAPSED:
            return  # the step that follows, or its refusal, has a row of its own
        after = {"state": self._state, "due_at": self.due_at.isoformat(), "to": self.escalated_to}
        audit.record(
            audit.Event(tick.value), chain=f"town:{self.town_id}", actor=SYSTEM, at=at, case_id=self.id, after=after
        )

    def restart_clock(self, at: dt.datetime) -> None:
        """Set the clock by the case's flow as it is now, after its version or its tailoring changed at ``at``.

        What lapses by the new clock and would be over already is left one more working day: nobody was warned of it.
        """
        state, calendar = self.flow.state(self._state), catalogue.calendar()
        if state.kind is StateKind.OPEN and state.days is not None:
            days = state.days - (int((self.spent or {}).get(self._state, 0)) if state.resumes else 0)
            self.due_at = end_of_day(calendar.after(shanghai_day(self.state_since_at), max(1, days)))
            if state.lapse and self.due_at <= at:
                self.due_at = end_of_day(calendar.after(shanghai_day(at), 1))
        elif state.kind is StateKind.OPEN:
            self.due_at = clocks.NO_LIMIT
        self.escalated_to = ""
        self._set_clock(state, None)


def begin(values: dict[str, Any], *, flow_version: FlowVersion, at: dt.datetime) -> Case:
    """Add a new case in its flow's draft state, ready to be submitted in the same transaction."""
    initial = flow_version.engine.flow.initial
    case = Case(flow_version=flow_version, _state=initial, state_since_at=at, due_at=at, submitted_at=at, **values)
    db.session.add(case)
    db.session.flush()
    return case


def area_column(kind: AreaKind) -> Any:
    """The column of cases that holds the area of this kind."""
    return {
        AreaKind.CITY: Case.city_id,
        AreaKind.COUNTY: Case.county_id,
        AreaKind.TOWN: Case.town_id,
        AreaKind.ZONE: Case.zone_id,
        AreaKind.BUILDING: Case.building_id,
    }[kind]


def _covered(appointment: Appointment) -> ColumnElement[bool]:
    inside = area_column(appointment.area_kind) == appointment.area_id
    if appointment.role is Role.DEPARTMENT:
        asked = select(OpinionRequest.case_id).where(OpinionRequest.department == appointment.bureau)
        return and_(inside, Case.id.in_(asked))
    return and_(inside, Case.bureau == appointment.bureau) if appointment.bureau else inside


def reach(actor: Actor) -> ColumnElement[bool]:
    """The condition that a case is visible to ``actor``: own companies, or an appointment that covers it."""
    clauses: list[ColumnElement[bool]] = []
    if actor.enterprise_ids:
        clauses.append(Case.enterprise_id.in_(actor.enterprise_ids))
    clauses += [_covered(a) for a in actor.appointments if Permission.SEE_CASE in ROLE_PERMISSIONS[a.role]]
    return or_(*clauses) if clauses else false()


def covered_with(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """The condition that a case lies where an appointment gives the actor ``permission``."""
    clauses = [_covered(a) for a in actor.appointments if permission in ROLE_PERMISSIONS[a.role]]
    return or_(*clauses) if clauses else false()


def visible_to(actor: Actor) -> Select[Case]:
    """The cases the actor may see: the only way to fetch any."""
    return select(Case).where(reach(actor))


def waiting_for(actor: Actor) -> ColumnElement[bool]:
    """The condition that a case waits for one of the actor's roles where that role is held."""
    clauses = [
        and_(_covered(a), Case.holder == a.role.value)
        for a in actor.appointments
        if Permission.ACT_ON_CASE in ROLE_PERMISSIONS[a.role]
    ]
    return and_(or_(*clauses), Case.is_open == true()) if clauses else false()


def escalated_to(actor: Actor) -> ColumnElement[bool]:
    """The condition that an open case is late and was put before one of the actor's roles where that role is held."""
    clauses = [and_(_covered(a), Case.escalated_to == a.role.value) for a in actor.appointments]
    return and_(or_(*clauses), Case.escalated_to != "", Case.is_open == true()) if clauses else false()


def lock_all(actor: Actor, case_ids: list[int]) -> None:
    """Lock those of the cases that the actor sees until the transaction ends, by rising id."""
    db.session.scalars(visible_to(actor).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update(of=Case)).all()


def _locked(query: Select[Case]) -> Select[Case]:
    """``query`` with its rows locked until the transaction ends and read anew (on SQLite the write lock is held)."""
    whole = query.options(joinedload(Case.flow_version)).with_for_update(of=Case)
    return whole.execution_options(populate_existing=True)


def lock(case_id: int) -> Case:
    """The case, locked; for callers who know already that the actor sees it."""
    return db.session.scalars(_locked(select(Case).where(Case.id == case_id))).one()


def lock_due(now: dt.datetime) -> Case | None:
    """The case whose clock has been due longest, locked; cases that another worker holds are passed over."""
    query = (
        select(Case)
        .where(Case.clock_at <= now)
        .order_by(Case.clock_at, Case.id)
        .limit(1)
        .options(joinedload(Case.flow_version))
        .with_for_update(of=Case, skip_locked=True)
    )
    return db.session.scalar(query.execution_options(populate_existing=True))


def lock_visible(actor: Actor, case_id: int) -> Case | None:
    """The case, locked, when the actor may see it."""
    return db.session.scalar(_locked(visible_to(actor).where(Case.id == case_id)))

"""Counters kept beside the cases: how many stand where, fall due when, were filed and decided, and who has them.

They are changed by whatever flush changes a case, in the same transaction, so that a board reads a few hundred rows
where it would otherwise read a million cases, and is right at any moment (:func:`recount` says what they must be).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter as Tally
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import CursorResult, Date, String, delete, event, insert, inspect, select
from sqlalchemy.orm import Mapped, Session, UOWTransaction, mapped_column
from sqlalchemy.orm import attributes as orm_attributes
from sqlalchemy.orm.base import PassiveFlag

from workflow.core.clocks import NO_LIMIT
from workflow.core.times import shanghai_day
from workflow.data import names, sums
from workflow.data.audit import AuditHead
from workflow.data.cases import Case
from workflow.extensions import Id, Model, db

NO_DAY = dt.date(1970, 1, 1)
"""The day of counters that have none."""


class Kind(StrEnum):
    """What is counted by town; ``key`` and ``day`` of each in brackets."""

    OPEN = "open"
    """Open cases by state (key: id of the flow version, colon, state)."""
    DUE = "due"
    """Open cases by the last day of their limit (day)."""
    LOAD = "load"
    """Open cases by whom they are assigned to (key: person id)."""
    FILED = "filed"
    """Cases by the day they were filed (day)."""
    DECIDED = "decided"
    """Cases by the day of their decision and what it was (day; key: ``approved`` or ``ended``)."""
    HOURS = "hours"
    """Decided cases by the whole hours from filing to decision (day of the decision; key: hours)."""


class Counter(Model):
    """How many; rows that came down to nothing stay with 0."""

    __tablename__ = "counters"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True, default=NO_DAY)
    town_id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True, default="")
    number: Mapped[int] = mapped_column(default=0)


Place = tuple[str, dt.date, int, str]
"""Kind, day, town and key of a counter."""
_COUNTED = (
    "moves",
    "town_id",
    "flow_version_id",
    "state",
    "is_open",
    "due_at",
    "assignee_id",
    "submitted_at",
    "decided_at",
    "permits",
)


def share(values: Mapping[str, Any]) -> Tally[Place]:
    """What one case with these columns adds to the counters; nothing before it was filed."""
    found: Tally[Place] = Tally()
    if not values["moves"]:
        return found
    town = values["town_id"]
    found[(Kind.FILED.value, shanghai_day(values["submitted_at"]), town, "")] += 1
    if values["is_open"]:
        found[(Kind.OPEN.value, NO_DAY, town, f"{values['flow_version_id']}:{values['state']}")] += 1
        if values["due_at"] < NO_LIMIT:
            last_day = shanghai_day(values["due_at"] - dt.timedelta(microseconds=1))
            found[(Kind.DUE.value, last_day, town, "")] += 1
        if values["assignee_id"] is not None:
            found[(Kind.LOAD.value, NO_DAY, town, str(values["assignee_id"]))] += 1
    if values["decided_at"] is not None:
        day = shanghai_day(values["decided_at"])
        hours = int((values["decided_at"] - values["submitted_at"]).total_seconds() // 3600)
        found[(Kind.DECIDED.value, day, town, "approved" if values["permits"] else "ended")] += 1
        found[(Kind.HOURS.value, day, town, str(max(0, hours)))] += 1
    return found


def _before_and_now(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """The counted columns as they stand in the database before this flush, and as it leaves them."""
    now = {name: getattr(case, name) for name in _COUNTED}
    before = dict(now)
    for name, attribute in _attributes().items():
        history = orm_attributes.get_history(case, attribute, passive=PassiveFlag.PASSIVE_NO_INITIALIZE)
        if history.deleted:
            before[name] = history.deleted[0]
    return before, now


@lru_cache(maxsize=1)
def _attributes() -> dict[str, str]:
    """The attribute of a case that holds each counted column."""
    mapper = inspect(Case)
    return {name: mapper.get_property_by_column(Case.__table__.c[name]).key for name in _COUNTED}


def _is_counted_otherwise(case: Case) -> bool:
    """Whether this flush changed a counted column or the name."""
    changed = inspect(case).committed_state
    return "enterprise_name" in changed or not changed.keys().isdisjoint(_attributes().values())


@event.listens_for(Session, "after_flush")
def _count(session: Session, context: UOWTransaction) -> None:
    """Follow what this flush did to cases."""
    new = {c for c in session.new if isinstance(c, Case)}
    changed = {c for c in session.dirty if isinstance(c, Case) and _is_counted_otherwise(c)} - new
    if not new and not changed:
        return
    delta: Tally[Place] = Tally()
    renamed = []
    for case in changed:
        before, now = _before_and_now(case)
        delta.update(share(now))
        delta.subtract(share(before))
        if orm_attributes.get_history(case, "enterprise_name").deleted:
            renamed.append(case)
    for case in new:
        delta.update(share({name: getattr(case, name) for name in _COUNTED}))
    _add(session, delta)
    named = [(c.id, c.town_id, c.enterprise_name) for c in sorted({*new, *renamed}, key=lambda c: c.id)]
    names.keep(session, named, renamed=[c.id for c in renamed])


def _add(session: Session, delta: Mapping[Place, int]) -> None:
    """Add to the counters in one statement, in one order; the towns' chains are locked first, as by every writer of
    history, so that two of them never wait for each other's counters."""
    rows = [
        {"kind": kind, "day": day, "town_id": town, "key": key, "number": number}
        for (kind, day, town, key), number in sorted(delta.items())
        if number
    ]
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        chains = sorted({f"town:{row['town_id']}" for row in rows})
        heads = select(AuditHead.number).where(AuditHead.chain.in_(chains)).order_by(AuditHead.chain)
        connection.execute(heads.with_for_update())
    sums.add(connection, Counter, rows, ("number",))


def sweep(before: dt.date) -> int:
    """Delete the counters of limits that lay before a day and came down to nothing; returns how many."""
    gone = (Counter.kind == Kind.DUE.value, Counter.day < before, Counter.number == 0)
    result = cast("CursorResult[Any]", db.session.execute(delete(Counter).where(*gone)))
    return result.rowcount


def recount() -> Tally[Place]:
    """What the counters must be, read from every case; for checks and repair, not for pages."""
    columns = [getattr(Case, name).label(name) for name in _COUNTED]
    found: Tally[Place] = Tally()
    for row in db.session.execute(select(*columns).execution_options(yield_per=2000)):
        found.update(share(row._asdict()))
    return found


def kept() -> Tally[Place]:
    """The counters as they are kept, without those at nothing."""
    rows = db.session.execute(select(Counter.kind, Counter.day, Counter.town_id, Counter.key, Counter.number))
    return Tally({(r.kind, r.day, r.town_id, r.key): r.number for r in rows if r.number})


def repair() -> int:
    """Make the counters what they must be; returns how many were wrong."""
    right, present = recount(), kept()
    wrong = sum(right[place] != present[place] for place in right.keys() | present.keys())
    if wrong:
        db.session.execute(delete(Counter))
        rows = [
            {"kind": kind, "day": day, "town_id": town, "key": key, "number": n}
            for (kind, day, town, key), n in right.items()
        ]
        if rows:
            db.session.execute(insert(Counter), rows)
    return wrong

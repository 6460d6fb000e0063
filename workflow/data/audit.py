"""The one writer of history: append-only rows, hash-chained per town, with keys and never personal data.

Each row's hash is SHA-256 over the canonical JSON of the row and the hash before it, so that a changed, removed or
inserted row is found by :func:`verify`. UPDATE and DELETE are refused by database triggers (see the migrations).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, column, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.actors import Actor
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

GENESIS = "0" * 64


class Event(str):
    """The name of what happened: a flow's action, or one of the fixed names below."""

    __slots__ = ()


APPLICATION_STARTED = Event("application_started")
FILE_ADDED = Event("file_added")
FILE_REMOVED = Event("file_removed")
FORM_CORRECTED = Event("form_corrected")
MATERIAL_JUDGED = Event("material_judged")
LATE_DEFECT = Event("late_defect")
INSPECTION_SAVED = Event("inspection_saved")
PHOTO_ADDED = Event("photo_added")
PHOTO_TAKEN_BACK = Event("photo_taken_back")
SHEET_SIGNED = Event("sheet_signed")
DOCUMENT_ISSUED = Event("document_issued")
CITY_FILED = Event("city_filed")
PASS_REQUESTED = Event("pass_requested")
PASS_GRANTED = Event("pass_granted")
PASS_REFUSED = Event("pass_refused")
PASS_REVOKED = Event("pass_revoked")
PASS_SUSPENDED = Event("pass_suspended")
PASS_RESUMED = Event("pass_resumed")
PASS_REPLACED = Event("pass_replaced")
PASS_WITHDRAWN = Event("pass_withdrawn")
PASS_ENDING = Event("pass_ending")
PASSES_PRINTED = Event("passes_printed")
PASSES_REISSUED = Event("passes_reissued")
KEY_MADE = Event("key_made")
KEY_RETIRED = Event("key_retired")
GATE_ADDED = Event("gate_added")
GATE_CHANGED = Event("gate_changed")
GATE_COUNTED = Event("gate_counted")
DEVICE_INVITED = Event("device_invited")
DEVICE_ENROLLED = Event("device_enrolled")
DEVICE_REVOKED = Event("device_revoked")
GATE_LOG_EXPORTED = Event("gate_log_exported")
GATE_LOG_PURGED = Event("gate_log_purged")
COMPANY_REGISTERED = Event("company_registered")
ACCOUNT_CREATED = Event("account_created")
ACCOUNT_CHANGED = Event("account_changed")
APPOINTED = Event("appointed")
APPOINTMENT_ENDED = Event("appointment_ended")
FLOW_PUBLISHED = Event("flow_published")
RULES_PUBLISHED = Event("rules_published")
CHECKLIST_PUBLISHED = Event("checklist_published")
VERSION_WITHDRAWN = Event("version_withdrawn")
DRAFT_CHANGED = Event("draft_changed")
FLOW_MIGRATED = Event("flow_migrated")
TAILORING_PROPOSED = Event("tailoring_proposed")
TAILORING_APPROVED = Event("tailoring_approved")
TAILORING_REFUSED = Event("tailoring_refused")
TAILORING_WITHDRAWN = Event("tailoring_withdrawn")
OPINION_ASKED = Event("opinion_asked")
OPINION_GIVEN = Event("opinion_given")
OPINION_REMINDED = Event("opinion_reminded")
OPINION_WITHDRAWN = Event("opinion_withdrawn")
SEED_MADE = Event("seed_made")
LOT_DRAWN = Event("lot_drawn")
DUE_SOON = Event("due_soon")
OVERDUE = Event("overdue")
ESCALATED = Event("escalated")
LAPSE_REFUSED = Event("lapse_refused")
ASSIGNED = Event("assigned")
RELEASED = Event("released")
TEAM_CHANGED = Event("team_changed")
MEMBER_JOINED = Event("member_joined")
MEMBER_LEFT = Event("member_left")
OFFICER_NAMED = Event("officer_named")
OFFICER_ENDED = Event("officer_ended")
LEAVE_BEGUN = Event("leave_begun")
LEAVE_ENDED = Event("leave_ended")
INTEREST_DECLARED = Event("interest_declared")
INTEREST_WITHDRAWN = Event("interest_withdrawn")
COMPANY_REMINDED = Event("company_reminded")
EXPORTED = Event("exported")
VISIT_CONFIRMED = Event("visit_confirmed")
VISIT_WISHED = Event("visit_wished")
WISH_ANSWERED = Event("wish_answered")
REMEDY_PHOTO_ADDED = Event("remedy_photo_added")
REMEDY_PHOTO_REMOVED = Event("remedy_photo_removed")
ITEM_DUE_SOON = Event("item_due_soon")
ITEM_OVERDUE = Event("item_overdue")
NOTE_ADDED = Event("note_added")
THREAD_WRITTEN = Event("thread_written")
ROBOT_ADDED = Event("robot_added")
ROBOT_SWITCHED = Event("robot_switched")
ROBOT_DELETED = Event("robot_deleted")


class AuditEntry(HasId, Model):
    """One row of history; ``number`` counts from 1 in its ``chain``; ``before``/``after`` hold keys and ids only."""

    __tablename__ = "audit_entries"
    __table_args__ = (UniqueConstraint("chain", "number"), Index("ix_audit_entries_case", "case_id", "id"))

    chain: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    event: Mapped[str] = mapped_column(String(40))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    person_id: Mapped[int] = mapped_column(Id, comment="0 is the system")
    role: Mapped[str] = mapped_column(String(20), default="")
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("cases.id"))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Model):
    """The end of a chain: locked while a row is added, so that numbers have no gaps."""

    __tablename__ = "audit_heads"

    chain: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    hash: Mapped[str] = mapped_column(String(64), default=GENESIS)


HASHED = ("previous", "chain", "number", "event", "at", "person_id", "role", "case_id", "before", "after")
"""The columns that a row's hash covers, in this order; ``at`` as ISO 8601 in UTC with microseconds."""


def hash_of(values: Mapping[str, Any]) -> str:
    """The hash of a row with these column values."""
    content = [values[name] for name in HASHED]
    content[4] = values["at"].astimezone(dt.UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def digest(entry: AuditEntry) -> str:
    """The hash that ``entry`` must carry."""
    return hash_of({name: getattr(entry, name) for name in HASHED})


def _locked_head(chain: str) -> AuditHead:
    query = (
        select(AuditHead).where(AuditHead.chain == chain).with_for_update().execution_options(populate_existing=True)
    )
    head = db.session.scalar(query)
    if head is None:
        try:
            with db.session.begin_nested():
                db.session.add(AuditHead(chain=chain, number=0, hash=GENESIS))
        except IntegrityError:
            pass  # another writer began the chain meanwhile; its head is waited for below
        head = db.session.scalars(query).one()
    return head


def record(
    event: Event,
    *,
    chain: str,
    actor: Actor,
    at: dt.datetime,
    role: str = "",
    case_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Add one row to ``chain``; the only code that writes history."""
    head = _locked_head(chain)
    entry = AuditEntry(
        chain=chain,
        number=head.number + 1,
        event=str(event),
        at=at,
        person_id=actor.person_id,
        role=role,
        case_id=case_id,
        before=before or {},
        after=after or {},
        previous=head.hash,
        hash="",
    )
    entry.hash = digest(entry)
    head.number, head.hash = entry.number, entry.hash
    db.session.add(entry)
    return entry


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain is broken and why; ``number`` is the first row that is wrong or missing."""

    chain: str
    number: int
    why: str


def verify() -> Iterator[Fault]:
    """Check every chain from its first row; yields the first fault of each broken chain. Streams; memory is flat."""
    fresh = {"populate_existing": True}  # what the database holds, not what this session has seen of it before
    heads = {h.chain: (h.number, h.hash) for h in db.session.scalars(select(AuditHead), execution_options=fresh)}
    expected: dict[str, tuple[int, str]] = {}
    broken: set[str] = set()
    query = select(AuditEntry).order_by(AuditEntry.chain, AuditEntry.number).execution_options(yield_per=2000)
    for entry in db.session.scalars(query, execution_options=fresh):
        if entry.chain in broken:
            continue
        number, before = expected.get(entry.chain, (0, GENESIS))
        why = _fault(entry, number, before)
        if why:
            broken.add(entry.chain)
            yield Fault(entry.chain, min(entry.number, number + 1), why)
        expected[entry.chain] = (entry.number, entry.hash)
        db.session.expunge(entry)
    for chain in sorted((heads.keys() | expected.keys()) - broken):
        end = _end_fault(expected.get(chain, (0, GENESIS)), heads.get(chain))
        if end:
            yield Fault(chain, *end)


def _fault(entry: AuditEntry, number: int, before: str) -> str | None:
    if entry.number != number + 1:
        return f"row {number + 1} is missing"
    if entry.previous != before:
        return "it does not follow from the row before it"
    if entry.hash != digest(entry):
        return "its content was changed"
    return None


def _end_fault(last: tuple[int, str], head: tuple[int, str] | None) -> tuple[int, str] | None:
    if head is None:
        return last[0], "the chain has no head"
    if last[0] < head[0]:
        return last[0] + 1, "rows are missing at the end of the chain"
    if last[0] > head[0]:
        return head[0] + 1, "a row was added behind the end of the chain"
    return (last[0], "the end of the chain has another hash") if last != head else None


def of_case(case_id: int) -> list[AuditEntry]:
    """The history of one case, oldest first."""
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.case_id == case_id).order_by(AuditEntry.id)))


def named_of_case(case_id: int) -> tuple[list[AuditEntry], dict[int, str]]:
    """The history of one case, oldest first, and the names of those who acted, by person id, in one statement."""
    people = table("people", column("id"), column("name"))
    query = (
        select(AuditEntry, people.c.name)
        .outerjoin(people, people.c.id == AuditEntry.person_id)
        .where(AuditEntry.case_id == case_id)
        .order_by(AuditEntry.id)
    )
    rows = db.session.execute(query).all()
    return [row[0] for row in rows], {row[0].person_id: row[1] for row in rows if row[1] is not None}


def heads() -> list[AuditHead]:
    """The end of every chain, by name."""
    return list(db.session.scalars(select(AuditHead).order_by(AuditHead.chain)))

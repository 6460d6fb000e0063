"""Vehicle passes: asked for by a company, granted, suspended, replaced or revoked; one way to change what one is."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    func,
    select,
    text,
)
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.core.pass_catalogue import Schedule
from workflow.core.tables import Label
from workflow.data import catalogue
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.sequences import next_number
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

PURPOSES: Mapping[str, Label] = MappingProxyType({k: v.label for k, v in catalogue.passes().vehicle_kinds.items()})
"""What a vehicle pass can be for, by the key of its kind."""


STATUSES = ("requested", "granted", "suspended", "refused", "withdrawn", "revoked", "replaced")
"""What a pass can be; that its days are over is read off its dates."""
NEVER_GRANTED = ("requested", "refused", "withdrawn")
DEAD = frozenset({"suspended", "revoked", "replaced"})
"""Granted once and refused at every gate now: what the list of dead passes names while their days last."""
LIVE = frozenset({"requested", "granted", "suspended"})
"""What stands in the way of another pass of the same plate for the same days."""
REASONS = ("new", "renewal", "lost", "plate")
"""Why a pass was asked for: a first one, the next days, the paper is lost, the vehicle has another plate."""

REMIND_BEFORE = dt.timedelta(days=2)
"""So long before its last day the company is told that a pass ends."""
LIST_VERSION = "pass-list"
"""The sequence that counts every change of what the list of dead passes says."""
FINGERPRINT_BYTES = 5


def _listed(*statuses: str) -> str:
    return ", ".join(f"'{s}'" for s in statuses)


def fingerprint_of(number: str) -> int:
    """The first five bytes of the SHA-256 of a pass number: what gate devices hold of dead passes.

    UNIQUE over all passes: a number whose fingerprint is taken is not given out, so that a device's list is exact.
    """
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:FINGERPRINT_BYTES], "big")


class VehiclePass(HasId, Model):
    """A pass for one vehicle of one approved case; ``number`` and ``token`` exist once it is granted.

    ``status`` is changed by :meth:`settle` alone. ``replaces`` is the pass that this one is asked for instead of (lost,
    another plate) or after (renewal). ``schedule`` names when in the week it is good. ``list_version`` counts up
    whenever the list of dead passes has to say something else of it. ``remind_on``: from this day on the company is
    told, once, that it ends. ``with_case`` marks a pass that was suspended because its case was: it comes back with
    the case, and with nothing else. ``printed`` and ``look`` are what its paper says beside the columns here, fixed
    when it was granted; those granted before there was such a thing have none.
    """

    __tablename__ = "passes"
    __table_args__ = (
        CheckConstraint(f"status IN ({_listed(*STATUSES)})", name="status"),
        CheckConstraint(f"reason IN ({_listed(*REASONS)})", name="reason"),
        CheckConstraint("valid_until_on >= valid_from_on", name="dates"),
        CheckConstraint(f"(status IN ({_listed(*NEVER_GRANTED)})) = (number IS NULL)", name="number"),
        Index("ix_passes_desk", "town_id", "status", "id"),
        Index("ix_passes_list", "list_version", "is_dead", "fingerprint"),
        Index("ix_passes_dead", "is_dead", "valid_until_on", "fingerprint"),
        Index(
            "ix_passes_remind",
            "remind_on",
            "case_id",
            sqlite_where=text("remind_on IS NOT NULL"),
            postgresql_where=text("remind_on IS NOT NULL"),
        ),
        Index(
            "uq_passes_live_plate",
            "case_id",
            "plate",
            "valid_from_on",
            unique=True,
            sqlite_where=text("status IN ('requested','granted')"),
            postgresql_where=text("status IN ('requested','granted')"),
        ),
    )

    case_id: Mapped[int] = mapped_column(Id, ForeignKey("cases.id"), index=True)
    number: Mapped[str | None] = mapped_column(String(20), unique=True)
    short_code: Mapped[str | None] = mapped_column(String(12), unique=True)
    token: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    status: Mapped[str] = mapped_column(String(10), default="requested")
    is_dead: Mapped[bool] = mapped_column(default=False)
    list_version: Mapped[int] = mapped_column(Id, default=0)
    with_case: Mapped[bool] = mapped_column(default=False)
    town_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    reason: Mapped[str] = mapped_column(String(10), default="new")
    replaces_id: Mapped[int | None] = mapped_column(Id, ForeignKey("passes.id"), index=True)
    plate: Mapped[str] = mapped_column(String(10), index=True)
    plate_kind: Mapped[str] = mapped_column(String(20))
    vehicle_type: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(20))
    route: Mapped[str] = mapped_column(String(200))
    schedule: Mapped[str] = mapped_column(String(20), default="always")
    drivers: Mapped[list[Any]] = mapped_column(JSON, default=list, comment="names")
    valid_from_on: Mapped[dt.date] = mapped_column(Date)
    valid_until_on: Mapped[dt.date] = mapped_column(Date)
    requested_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    changed_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    remind_on: Mapped[dt.date | None] = mapped_column(Date)
    printed: Mapped[dict[str, Any] | None] = mapped_column(JSON, comment="what else it says, as it was when granted")
    look: Mapped[str | None] = mapped_column(String(32), comment="digest of how its area's passes looked then")
    words: Mapped[str] = mapped_column(Text, default="", comment="why refused or revoked")

    case: Mapped[Case] = relationship()
    replaces: Mapped[VehiclePass | None] = relationship(remote_side="VehiclePass.id", viewonly=True)
    """Set by ``replaces_id``: a relation of a table to itself that were written through would have the rows of a list
    inserted one by one."""

    def settle(
        self,
        status: str,
        *,
        by: int | None,
        at: dt.datetime,
        words: str = "",
        with_case: bool = False,
        list_version: int | None = None,
    ) -> None:
        """Make the pass what ``status`` says, by a person (None: the system); dead and live again are counted.

        The list's counter is locked until the transaction ends, so that versions become visible in their order;
        passes that change in one act share the ``list_version`` of that act.
        """
        if self.status == "requested":
            self.decided_by, self.decided_at = by, at
        else:
            self.changed_by, self.changed_at = by, at
        self.status, self.words, self.with_case = status, words, with_case
        self.remind_on = self.valid_until_on - REMIND_BEFORE if status == "granted" else None
        if self.is_dead != (status in DEAD):
            self.is_dead = status in DEAD
            self.list_version = list_version or next_number(LIST_VERSION)

    @property
    def purpose_label(self) -> Label:
        """The purpose in both languages; papers print the Chinese one."""
        return PURPOSES[self.purpose]

    @property
    def hours(self) -> Schedule:
        """When in the week it is good."""
        return catalogue.passes().schedules[self.schedule]


def of_case(case_id: int) -> list[VehiclePass]:
    """All passes of a case, oldest first."""
    return list(db.session.scalars(select(VehiclePass).where(VehiclePass.case_id == case_id).order_by(VehiclePass.id)))


def _lives(today: dt.date) -> ColumnElement[bool]:
    return VehiclePass.status.in_(sorted(LIVE)) & (VehiclePass.valid_until_on >= today)


def page_of_case(case_id: int, today: dt.date, *, part: str = "", start: int = 0, most: int = 30) -> list[VehiclePass]:
    """Passes of a case from ``start`` on: those that live on ``today`` first, the newest of each kind first.

    ``part`` is a piece of a plate.
    """
    query = select(VehiclePass).where(VehiclePass.case_id == case_id)
    if part:
        query = query.where(VehiclePass.plate.contains(part, autoescape=True))
    order = (sql_case((_lives(today), 0), else_=1), VehiclePass.id.desc())
    return list(db.session.scalars(query.order_by(*order).offset(start).limit(most)))


def counts_of_case(case_id: int, today: dt.date) -> tuple[int, int]:
    """How many passes a case has, and how many of them are good on ``today`` or later."""
    good = (VehiclePass.status == "granted") & (VehiclePass.valid_until_on >= today)
    query = select(func.count(), func.count().filter(good)).where(VehiclePass.case_id == case_id)
    total, standing = db.session.execute(query).one()
    return total, standing


def followers_of(pass_ids: Sequence[int]) -> dict[int, VehiclePass]:
    """The newest pass that was asked for instead of or after each of these, by the older one's id."""
    if not pass_ids:
        return {}
    query = select(VehiclePass).where(VehiclePass.replaces_id.in_(pass_ids)).order_by(VehiclePass.id)
    return {p.replaces_id: p for p in db.session.scalars(query) if p.replaces_id is not None}


def visible_to(actor: Actor) -> Select[VehiclePass]:
    """Passes of cases the actor sees."""
    return select(VehiclePass).where(
        VehiclePass.case_id.in_(visible_cases(actor).with_only_columns(Case.id).order_by(None))
    )


def by_number(number: str) -> VehiclePass | None:
    """The pass with this number, for the public check, which shows no personal data."""
    return db.session.scalar(select(VehiclePass).where(VehiclePass.number == number))


def by_short_code(code: str) -> VehiclePass | None:
    """The pass with this printed short code, for the public check."""
    return db.session.scalar(select(VehiclePass).where(VehiclePass.short_code == code))

"""Gates (卡口), the devices that stand at them, and the log of what passed: written once, kept for a limited time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, Select, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, relationship

from workflow.core.actors import Actor, Permission
from workflow.data import areas
from workflow.data.areas import Area
from workflow.extensions import HasId, Id, Model, UtcDateTime, db

DIRECTIONS = ("in", "out")
DECISIONS = ("pass", "turn_back", "hand_over")
WAYS = ("camera", "picture", "code", "plate", "none")
"""How a pass was looked at; ``none`` when there was no pass to look at."""
VERDICTS = ("valid", "not_yet", "expired", "hours", "revoked", "forged", "unknown", "none")
"""What a check says; ``hours`` is a genuine pass outside its days or hours, ``none`` that nothing was checked."""
ALARMS = ("mismatch", "late_revoked", "two_gates", "fever", "overridden", "forged", "clock")
"""What an entry draws attention to.

``mismatch``: the pass is another plate's. ``late_revoked``: let through although the pass was dead by then, which the
device did not know. ``two_gates``: the same pass came in at another gate shortly before and did not go out.
``fever``: somebody at or above the limit. ``overridden``: let through against the verdict. ``clock``: the device's
clock was off.
"""


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{v}'" for v in values)


class Gate(HasId, Model):
    """A gate of an area (a town or something in it). ``inside``: how many people are in, as last counted and since."""

    __tablename__ = "gates"
    __table_args__ = (
        CheckConstraint("inside >= 0", name="inside"),
        UniqueConstraint("town_id", "name"),
        Index("ix_gates_area", "area_id"),
    )

    area_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    town_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    name: Mapped[str] = mapped_column(String(40))
    place: Mapped[str] = mapped_column(String(100), default="")
    is_open: Mapped[bool] = mapped_column(default=True)
    inside: Mapped[int] = mapped_column(default=0)
    counted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    area: Mapped[Area] = relationship(foreign_keys=[area_id])
    town: Mapped[Area] = relationship(foreign_keys=[town_id])


class GateDevice(HasId, Model):
    """A phone at a gate: invited by a code that is good once and briefly, then known by the digest of its secret."""

    __tablename__ = "gate_devices"
    __table_args__ = (Index("ix_gate_devices_gate", "gate_id", "id"),)

    gate_id: Mapped[int] = mapped_column(Id, ForeignKey("gates.id"))
    name: Mapped[str] = mapped_column(String(40))
    code_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    secret_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    invited_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    invited_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    enrolled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    list_version: Mapped[int] = mapped_column(Id, default=0)
    revoked_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    gate: Mapped[Gate] = relationship()

    @property
    def is_enrolled(self) -> bool:
        """Whether a phone holds its secret and may use it."""
        return self.secret_digest is not None and self.revoked_at is None


class GateEntry(HasId, Model):
    """One vehicle at a gate, as the device kept it; ``client_id`` is the device's own name for it.

    ``at`` is the device's time corrected by what its clock was off (``clock_off``, in seconds, when that matters).
    ``verdict`` is what the device showed, ``checked`` what the server says of the same moment. ``temperatures`` are
    degrees Celsius without names. ``alarms`` are codes of :data:`ALARMS` with a blank between them.
    """

    __tablename__ = "gate_entries"
    __table_args__ = (
        CheckConstraint(f"direction IN ({_listed(DIRECTIONS)})", name="direction"),
        CheckConstraint(f"decision IN ({_listed(DECISIONS)})", name="decision"),
        CheckConstraint(f"way IN ({_listed(WAYS)})", name="way"),
        CheckConstraint(f"verdict IN ({_listed(VERDICTS)})", name="verdict"),
        CheckConstraint(f"checked IN ({_listed(VERDICTS)})", name="checked"),
        CheckConstraint("heads BETWEEN 0 AND 99", name="heads"),
        Index("ix_gate_entries_gate", "gate_id", "at", "id"),
        Index("ix_gate_entries_town", "town_id", "at", "id"),
        Index("ix_gate_entries_alarm", "town_id", "has_alarm", "at", "id"),
        Index("ix_gate_entries_plate", "plate", "at"),
        Index("ix_gate_entries_number", "number", "at"),
        Index("ix_gate_entries_received", "received_at"),
    )

    client_id: Mapped[str] = mapped_column(String(36), unique=True)
    gate_id: Mapped[int] = mapped_column(Id, ForeignKey("gates.id"))
    town_id: Mapped[int] = mapped_column(Id, ForeignKey("areas.id"))
    device_id: Mapped[int] = mapped_column(Id, ForeignKey("gate_devices.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    clock_off: Mapped[int] = mapped_column(default=0)
    direction: Mapped[str] = mapped_column(String(3))
    decision: Mapped[str] = mapped_column(String(10))
    way: Mapped[str] = mapped_column(String(8))
    verdict: Mapped[str] = mapped_column(String(8))
    checked: Mapped[str] = mapped_column(String(8))
    number: Mapped[str] = mapped_column(String(20), default="", comment="of the pass; empty when there was none")
    plate: Mapped[str] = mapped_column(String(10), default="", comment="of the vehicle that stood there")
    heads: Mapped[int] = mapped_column(default=0)
    temperatures: Mapped[list[Any]] = mapped_column(JSON, default=list)
    words: Mapped[str] = mapped_column(String(200), default="")
    is_offline: Mapped[bool] = mapped_column(default=False)
    list_age: Mapped[int | None] = mapped_column(comment="seconds since the device's list was made")
    alarms: Mapped[str] = mapped_column(String(80), default="")
    has_alarm: Mapped[bool] = mapped_column(default=False)

    gate: Mapped[Gate] = relationship()


class GateDay(Model):
    """What passed a gate on a Shanghai day: counted as entries come in, also those that come in late."""

    __tablename__ = "gate_days"

    gate_id: Mapped[int] = mapped_column(Id, ForeignKey("gates.id"), primary_key=True)
    day_on: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    vehicles_in: Mapped[int] = mapped_column(default=0)
    vehicles_out: Mapped[int] = mapped_column(default=0)
    people_in: Mapped[int] = mapped_column(default=0)
    people_out: Mapped[int] = mapped_column(default=0)
    turned_back: Mapped[int] = mapped_column(default=0)
    handed_over: Mapped[int] = mapped_column(default=0)
    alarms: Mapped[int] = mapped_column(default=0)


def _visible(actor: Actor, permission: Permission) -> Select[Gate]:
    """Gates lying in an area in which the actor holds ``permission``."""
    inside = areas.lies_in(actor.areas_with(permission))
    query = select(Gate).join(Gate.area).where(inside)
    return query.options(contains_eager(Gate.area), joinedload(Gate.town))


def managed_by(actor: Actor) -> Select[Gate]:
    """The gates that the actor may change."""
    return _visible(actor, Permission.MANAGE_GATES)


def seen_by(actor: Actor) -> Select[Gate]:
    """The gates whose log the actor may read."""
    return _visible(actor, Permission.SEE_GATES)


def device_by_secret(digest: str) -> GateDevice | None:
    """The device with this secret, with its gate, whether it may still use it or not."""
    return db.session.scalar(
        select(GateDevice).where(GateDevice.secret_digest == digest).options(joinedload(GateDevice.gate))
    )

"""Enterprises and the people who act for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Select, String, false, select
from sqlalchemy.orm import Mapped, mapped_column

from workflow.core.actors import Actor
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Enterprise(HasId, Model):
    """An enterprise, known by its unified social credit code; ``profile`` is the last submitted form (fill once)."""

    __tablename__ = "enterprises"
    __table_args__ = (CheckConstraint("length(uscc) = 18 AND uscc = upper(uscc)", name="uscc"),)

    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    profile: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class EnterpriseMember(Model):
    """A person who may act for an enterprise."""

    __tablename__ = "enterprise_members"

    enterprise_id: Mapped[int] = mapped_column(Id, ForeignKey("enterprises.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), primary_key=True, index=True)


def by_uscc(uscc: str) -> Enterprise | None:
    """The enterprise with this normalised code."""
    return db.session.scalar(select(Enterprise).where(Enterprise.uscc == uscc))


def lock(enterprise_id: int) -> Enterprise:
    """The enterprise, locked until the transaction ends and read anew."""
    query = select(Enterprise).where(Enterprise.id == enterprise_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def visible_to(actor: Actor) -> Select[Enterprise]:
    """The enterprises the actor acts for."""
    if not actor.enterprise_ids:
        return select(Enterprise).where(false())
    return select(Enterprise).where(Enterprise.id.in_(actor.enterprise_ids)).order_by(Enterprise.id)


def people_of(enterprise_id: int) -> frozenset[int]:
    """The person ids of everybody who acts for the enterprise."""
    query = select(EnterpriseMember.person_id).where(EnterpriseMember.enterprise_id == enterprise_id)
    return frozenset(db.session.scalars(query))

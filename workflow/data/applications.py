"""Applications: the company's answers, as typed, and the material slots that go with them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Select, String, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.data.cases import Case
from workflow.data.cases import visible_to as visible_cases
from workflow.data.enterprises import Enterprise
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Application(HasId, Model):
    """An application: a draft until submitted; ``answers`` holds raw texts by question, ``revision`` counts changes."""

    __tablename__ = "applications"
    __table_args__ = (CheckConstraint("status IN ('draft','submitted','discarded')", name="status"),)

    enterprise_id: Mapped[int] = mapped_column(Id, ForeignKey("enterprises.id"), index=True)
    status: Mapped[str] = mapped_column(String(10), default="draft")
    answers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    revision: Mapped[int] = mapped_column(default=1)
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("cases.id"), unique=True)
    based_on_id: Mapped[int | None] = mapped_column(Id, ForeignKey("applications.id"))
    created_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    enterprise: Mapped[Enterprise] = relationship(lazy="joined")
    case: Mapped[Case | None] = relationship()


def visible_to(actor: Actor) -> Select[Application]:
    """Applications of the actor's companies, and those whose case the actor sees."""
    own = Application.enterprise_id.in_(actor.enterprise_ids) if actor.enterprise_ids else false()
    if not actor.is_staff:
        return select(Application).where(own)
    through_case = Application.case_id.in_(visible_cases(actor).with_only_columns(Case.id).order_by(None))
    return select(Application).where(or_(own, through_case))


def own(actor: Actor) -> list[Application]:
    """The applications of the actor's companies, newest first, without discarded drafts."""
    if not actor.enterprise_ids:
        return []
    query = (
        select(Application)
        .where(Application.enterprise_id.in_(actor.enterprise_ids), Application.status != "discarded")
        .order_by(Application.id.desc())
        .limit(50)
    )
    return list(db.session.scalars(query))


def of_case(case_id: int) -> Application:
    """The application a case came from; every case has one."""
    return db.session.scalars(select(Application).where(Application.case_id == case_id)).one()


def lock(application_id: int) -> Application:
    """The application, locked until the transaction ends and read anew."""
    query = (
        select(Application)
        .where(Application.id == application_id)
        .with_for_update(of=Application)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).one()


def newest_submitted(enterprise_id: int) -> Application | None:
    """The last submitted application of an enterprise: the one to start the next from."""
    query = (
        select(Application)
        .where(Application.enterprise_id == enterprise_id, Application.status == "submitted")
        .order_by(Application.id.desc())
        .limit(1)
    )
    return db.session.scalar(query)

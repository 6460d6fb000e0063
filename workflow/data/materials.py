"""Materials of an application: typed slots, their files in every version, and the reviewers' verdicts."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Select, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, relationship

from workflow.core.actors import Actor
from workflow.core.facts import FLAGS, MaterialFacts, Verdict
from workflow.data.applications import Application
from workflow.data.applications import visible_to as visible_applications
from workflow.data.files import StoredFile
from workflow.extensions import HasId, Id, Model, UtcDateTime, db


class Material(HasId, Model):
    """One slot of one application; ``content_rev`` counts changes of its content, ``verdict_rev`` is the one judged."""

    __tablename__ = "materials"
    __table_args__ = (
        UniqueConstraint("application_id", "slot"),
        CheckConstraint("verdict IN ('pending','ok','wrong','missing','expired')", name="verdict"),
    )

    application_id: Mapped[int] = mapped_column(Id, ForeignKey("applications.id"), index=True)
    slot: Mapped[str] = mapped_column(String(40))
    required: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    content_rev: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str] = mapped_column(String(10), default=Verdict.PENDING.value)
    verdict_words: Mapped[str] = mapped_column(Text, default="")
    verdict_rev: Mapped[int | None]
    verdict_round: Mapped[int | None]
    verdict_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    verdict_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    application: Mapped[Application] = relationship()
    files: Mapped[list[MaterialFile]] = relationship(
        back_populates="material", order_by="MaterialFile.id", lazy="selectin"
    )

    @property
    def current_files(self) -> list[MaterialFile]:
        """The files that stand now, without removed and replaced ones."""
        return [f for f in self.files if f.removed_at is None]

    @property
    def has_content(self) -> bool:
        """Whether there is anything to judge; the form itself always has."""
        return self.slot == FORM_SLOT or bool(self.current_files)

    @property
    def is_flagged(self) -> bool:
        """Whether the last verdict asks for a correction."""
        return Verdict(self.verdict) in FLAGS

    @property
    def changed_since_verdict(self) -> bool:
        """Whether the company changed the content after it was judged."""
        return self.verdict_rev is not None and self.content_rev != self.verdict_rev

    @property
    def facts(self) -> MaterialFacts:
        """This material as guards see it."""
        return MaterialFacts(
            self.slot, self.required, Verdict(self.verdict), self.has_content, self.changed_since_verdict
        )

    @property
    def is_due(self) -> bool:
        """Whether it takes part in the review: required, or offered by the company."""
        return self.required or self.has_content


FORM_SLOT = "M01"
"""The slot whose content is the application form itself, not files."""


class MaterialFile(HasId, Model):
    """A file put into a slot in a round; never deleted, only marked removed or replaced."""

    __tablename__ = "material_files"

    material_id: Mapped[int] = mapped_column(Id, ForeignKey("materials.id"), index=True)
    file_id: Mapped[int] = mapped_column(Id, ForeignKey("files.id"))
    name: Mapped[str] = mapped_column(String(150), comment="as the company named it, made safe")
    added_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    added_round: Mapped[int] = mapped_column(default=1)
    removed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    removed_by: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"))
    removed_round: Mapped[int | None]

    material: Mapped[Material] = relationship(back_populates="files")
    file: Mapped[StoredFile] = relationship(lazy="joined")


class MaterialOpinion(HasId, Model):
    """A verdict as given: append-only; ``late_reason`` says why an unchanged item was faulted in a later round."""

    __tablename__ = "material_opinions"

    material_id: Mapped[int] = mapped_column(Id, ForeignKey("materials.id"), index=True)
    round: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text, default="")
    late_reason: Mapped[str] = mapped_column(Text, default="")
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


def of_application(application_id: int) -> list[Material]:
    """All slots of an application with their files, in the order of the flow."""
    query = select(Material).where(Material.application_id == application_id).order_by(Material.position, Material.id)
    return list(db.session.scalars(query))


def of_case(case_id: int) -> list[Material]:
    """All slots of a case's application with their files, in the order of the flow."""
    own = select(Application.id).where(Application.case_id == case_id).scalar_subquery()
    query = select(Material).where(Material.application_id == own).order_by(Material.position, Material.id)
    return list(db.session.scalars(query))


def whole_of_case(case_id: int) -> list[Material]:
    """All slots of a case's application with their files and the application itself, in one statement."""
    query = (
        select(Material)
        .join(Material.application)
        .where(Application.case_id == case_id)
        .options(contains_eager(Material.application), joinedload(Material.files))
        .order_by(Material.position, Material.id)
    )
    return list(db.session.scalars(query).unique())


def visible_to(actor: Actor) -> Select[Material]:
    """Materials of applications the actor sees."""
    ids = visible_applications(actor).with_only_columns(Application.id).order_by(None)
    return select(Material).where(Material.application_id.in_(ids))


def visible_files(actor: Actor) -> Select[MaterialFile]:
    """Files of materials the actor sees."""
    return select(MaterialFile).where(
        MaterialFile.material_id.in_(visible_to(actor).with_only_columns(Material.id).order_by(None))
    )


def judges_of(case_id: int) -> frozenset[int]:
    """The ids of everybody who ever gave a verdict on a material of the case."""
    own = select(Application.id).where(Application.case_id == case_id).scalar_subquery()
    query = select(MaterialOpinion.person_id).join(Material, Material.id == MaterialOpinion.material_id)
    return frozenset(db.session.scalars(query.where(Material.application_id == own).distinct()))


def opinions_of(application_id: int) -> list[MaterialOpinion]:
    """Every verdict ever given on the application's materials, oldest first."""
    query = (
        select(MaterialOpinion)
        .join(Material, Material.id == MaterialOpinion.material_id)
        .where(Material.application_id == application_id)
        .order_by(MaterialOpinion.id)
    )
    return list(db.session.scalars(query))

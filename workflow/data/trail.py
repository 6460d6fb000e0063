"""Reading the history as the auditor does: heads of chains and rows page by page, within the auditor's areas."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from workflow.core.actors import Actor, AreaKind, Role
from workflow.data.areas import Area
from workflow.data.audit import AuditEntry, AuditHead
from workflow.data.enterprises import Enterprise
from workflow.extensions import db

PAGE = 50


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose history: every chain, or those of ``towns`` (ids) only."""

    everything: bool
    towns: tuple[int, ...] = ()

    def holds(self, chain: str) -> bool:
        """Whether ``chain`` is inside."""
        return self.everything or chain in self.chains

    @property
    def chains(self) -> frozenset[str]:
        """The names of the towns' chains: of their cases and of their organisation."""
        return frozenset(f"{kind}:{town}" for town in self.towns for kind in ("town", "area"))


def scope_of(actor: Actor) -> Scope:
    """What an auditor reads: all of it when appointed for the city, else the towns of the own areas."""
    own = [a for a in actor.appointments if a.role is Role.AUDITOR]
    if any(a.area_kind is AreaKind.CITY for a in own):
        return Scope(everything=True)
    ids = [a.area_id for a in own]
    inside = or_(Area.id.in_(ids), Area.county_id.in_(ids))
    towns = db.session.scalars(select(Area.id).where(inside, Area.kind == AreaKind.TOWN.value).order_by(Area.id))
    return Scope(everything=False, towns=tuple(towns))


def _within(scope: Scope, chain: ColumnElement[str]) -> ColumnElement[bool]:
    if scope.everything:
        return true()
    return chain.in_(sorted(scope.chains)) if scope.towns else false()


def heads(scope: Scope, limit: int = 60) -> list[AuditHead]:
    """The ends of the chains, the longest first."""
    query = select(AuditHead).where(_within(scope, AuditHead.__table__.c.chain))
    return list(db.session.scalars(query.order_by(AuditHead.number.desc(), AuditHead.chain).limit(limit)))


def total() -> int:
    """How many rows all chains have together, from their heads."""
    return int(db.session.scalar(select(func.coalesce(func.sum(AuditHead.number), 0))) or 0)


def entries(scope: Scope, before: int | None = None) -> list[AuditEntry]:
    """Up to :data:`PAGE` + 1 rows, newest first, before the row with this id."""
    condition = _within(scope, AuditEntry.__table__.c.chain)
    if before is not None:
        condition = and_(condition, AuditEntry.id < before)
    return list(db.session.scalars(select(AuditEntry).where(condition).order_by(AuditEntry.id.desc()).limit(PAGE + 1)))


def chain_names(chains: list[str]) -> dict[str, str]:
    """The names of the towns and enterprises whose chains these are."""
    names: dict[str, str] = {}
    for prefix, table in (("town", Area), ("area", Area), ("enterprise", Enterprise)):
        ids = {int(c.partition(":")[2]) for c in chains if c.startswith(f"{prefix}:")}
        if ids:
            rows = db.session.execute(select(table.id, table.name).where(table.id.in_(ids)))
            names |= {f"{prefix}:{row[0]}": row[1] for row in rows}
    return names

"""Publishing a proposed draft by a second person, and taking a published version out of use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.rulebook import NO_FLOW
from workflow.core.times import shanghai_day
from workflow.data import audit
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.drafts import Draft
from workflow.data.flows import AnyVersion, ChecklistVersion, FlowVersion, RuleVersion, digest_of
from workflow.data.sequences import next_number
from workflow.extensions import db
from workflow.services import drafts
from workflow.services.publishing import CHAIN

Version = AnyVersion
_EVENTS = {
    "flow": audit.FLOW_PUBLISHED,
    "rules": audit.RULES_PUBLISHED,
    "checklist": audit.CHECKLIST_PUBLISHED,
}
_KEYED: dict[str, type[FlowVersion] | type[ChecklistVersion]] = {"flow": FlowVersion, "checklist": ChecklistVersion}
_LOCK = "publishing"
"""Taking a number under this name puts publications and withdrawals in one order."""


def publish(actor: Actor, draft_id: int, *, revision: int, now: dt.datetime) -> Version:
    """Approve a proposed draft and publish it, for its area from its day on.

    Raises :class:`NotPermitted` for whoever proposed it, :class:`Invalid` when the text has problems by now, the day
    is past, or the same text is in force there already.
    """
    draft = drafts.locked(actor, draft_id, revision, "proposed")
    if actor.person_id == draft.proposed_by:
        raise NotPermitted(N_("提交人不能批准自己提交的草稿，请由另一位同事批准。"))
    next_number(_LOCK)
    found = drafts.require_good(draft, now)
    key = found.flow.key if found.flow else found.checklist.key if found.checklist else ""
    _refuse_a_repetition(draft, key)
    version = _version_of(draft, key, actor, now)
    db.session.add(version)
    draft.status, draft.approved_by, draft.approved_at = "published", actor.person_id, now
    draft.updated_by, draft.updated_at, draft.revision = actor.person_id, now, draft.revision + 1
    db.session.flush()
    draft.version_id = version.id
    event = _EVENTS[draft.kind]
    names = {draft.kind: key} if key else {}
    drafts.record(event, draft, actor, now, version=version.id, revision=version.revision, **names)
    return version


def _version_of(draft: Draft, key: str, actor: Actor, now: dt.datetime) -> Version:
    if draft.effective_on is None:
        raise Invalid(N_("请先填写生效日期。"), field="effective_on")
    values = {
        "text": draft.text,
        "digest": digest_of(draft.text),
        "area_id": draft.area_id,
        "effective_on": draft.effective_on,
        "published_at": now,
        "drafted_by": draft.proposed_by,
        "approved_by": actor.person_id,
    }
    kind = _KEYED.get(draft.kind)
    if kind is not None:
        last = db.session.scalar(select(func.max(kind.revision)).where(kind.key == key))
        return kind(key=key, revision=(last or 0) + 1, **values)
    return RuleVersion(revision=(db.session.scalar(select(func.max(RuleVersion.revision))) or 0) + 1, **values)


def _refuse_a_repetition(draft: Draft, key: str) -> None:
    """Raise :class:`Invalid` when the newest version of the area on the draft's day has the very same text."""
    stands: Sequence[Version]
    if draft.kind == "flow":
        own = FlowVersion.area_id == draft.area_id, FlowVersion.withdrawn_at.is_(None), FlowVersion.key == key
        stands = db.session.scalars(select(FlowVersion).where(*own)).all()
    elif draft.kind == "checklist":
        lists = select(ChecklistVersion).where(ChecklistVersion.area_id == draft.area_id, ChecklistVersion.key == key)
        stands = db.session.scalars(lists.where(ChecklistVersion.withdrawn_at.is_(None))).all()
    else:
        stands = db.session.scalars(
            select(RuleVersion).where(RuleVersion.area_id == draft.area_id, RuleVersion.withdrawn_at.is_(None))
        ).all()
    on = draft.effective_on or dt.date.max
    latest = max((v for v in stands if v.effective_on <= on), key=lambda v: (v.effective_on, v.revision), default=None)
    if latest is not None and latest.digest == digest_of(draft.text):
        message = N_("同样内容的版本（第 %(n)s 版）届时已在本区域施行，不必再发布。")
        raise Invalid(message, field="text", n=latest.revision)


def get(kind: str, version_id: int) -> Version:
    """A published version; what is published may be read by everybody who publishes."""
    found = drafts.published(kind, version_id)
    if found is None:
        raise NotFound()
    return found


def open_cases(version: FlowVersion) -> int:
    """How many open cases go by this version."""
    query = select(func.count()).where(Case.flow_version_id == version.id, Case.is_open)
    return int(db.session.scalar(query) or 0)


def withdraw(actor: Actor, kind: str, version_id: int, now: dt.datetime) -> Version:
    """Take a version out of use for new applications; open cases keep it.

    Raises :class:`StepClosed` while a rulebook needs it and nothing else would serve.
    """
    version = get(kind, version_id)
    area = db.session.get(Area, version.area_id) if version.area_id else None
    if not drafts.may_publish_for(actor, area):
        raise NotPermitted()
    next_number(_LOCK)
    db.session.refresh(version, with_for_update=True)
    if version.withdrawn_at is not None:
        raise Stale(N_("这个版本已经撤回。"))
    world = Standing.read(shanghai_day(now))
    if isinstance(version, FlowVersion):
        _refuse_a_flow_in_use(version, world)
    elif isinstance(version, ChecklistVersion):
        _refuse_the_last_list(version, world)
    else:
        _refuse_the_last_book(version, world)
    version.withdrawn_at, version.withdrawn_by = now, actor.person_id
    after = {"kind": kind, "version": version.id, "revision": version.revision, "digest": version.digest}
    audit.record(audit.VERSION_WITHDRAWN, chain=CHAIN, actor=actor, at=now, after=after)
    return version


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything published and not withdrawn, as of ``today``; ``lineages`` are those of the areas concerned."""

    today: dt.date
    flows: Sequence[FlowVersion]
    books: Sequence[RuleVersion]
    lineages: dict[int | None, tuple[int, ...]]

    @classmethod
    def read(cls, today: dt.date) -> Standing:
        """What stands now."""
        flows = db.session.scalars(select(FlowVersion).where(FlowVersion.withdrawn_at.is_(None))).all()
        books = db.session.scalars(select(RuleVersion).where(RuleVersion.withdrawn_at.is_(None))).all()
        everything: list[Version] = [*flows, *books]
        ids = {v.area_id for v in everything if v.area_id is not None}
        found = db.session.scalars(select(Area).where(Area.id.in_(ids)))
        return cls(today, flows, books, {None: (), **{a.id: a.lineage for a in found}})

    def meeting(self, one: int | None, other: int | None) -> tuple[bool, int | None]:
        """Whether two areas have something in common, and the narrower of the two."""
        if one is None or one in self.lineages[other]:
            return True, other
        return (True, one) if other is None or other in self.lineages[one] else (False, None)

    def day_of(self, book: RuleVersion) -> dt.date:
        """The first day from today on that a book could be in force."""
        return max(self.today, book.effective_on)

    def is_superseded(self, book: RuleVersion, without: RuleVersion | None = None) -> bool:
        """Whether a later book of the same area holds in its place on every day from today on."""
        day = self.day_of(book)
        return any(
            b.area_id == book.area_id
            and b is not without
            and (book.effective_on, book.revision) < (b.effective_on, b.revision)
            and b.effective_on <= day
            for b in self.books
        )

    def serves(self, key: str, place: int | None, day: dt.date, without: FlowVersion | None = None) -> bool:
        """Whether a version of ``key`` other than ``without`` could be taken in ``place`` on ``day``."""
        return any(
            v.key == key and v is not without and v.effective_on <= day and self._reaches(v.area_id, place)
            for v in self.flows
        )

    def _reaches(self, area_id: int | None, place: int | None) -> bool:
        return area_id is None or area_id in self.lineages[place]


def _keys(book: RuleVersion) -> set[str]:
    return {r.flow for r in book.book.rules} - {NO_FLOW}


def _refuse_a_flow_in_use(version: FlowVersion, world: Standing) -> None:
    for book in world.books:
        meets, place = world.meeting(book.area_id, version.area_id)
        if not meets or version.key not in _keys(book) or world.is_superseded(book):
            continue
        if not world.serves(version.key, place, world.day_of(book), without=version):
            raise StepClosed(
                N_("规则第 %(n)s 版（%(title)s）要用这个流程，撤回后没有别的版本可用。请先发布新版本，或修改规则。"),
                n=book.revision,
                title=book.book.title,
            )


def _refuse_the_last_list(version: ChecklistVersion, world: Standing) -> None:
    """A list that flows, rules or other lists name keeps a version that holds wherever this one did."""
    query = select(ChecklistVersion).where(ChecklistVersion.withdrawn_at.is_(None), ChecklistVersion.id != version.id)
    others = list(db.session.scalars(query))
    area = db.session.get(Area, version.area_id) if version.area_id else None
    places = {None, *(area.lineage if area else ())}
    if any(v.key == version.key and v.area_id in places and v.effective_on <= world.today for v in others):
        return
    named = any(version.key == v.engine.flow.checklist for v in world.flows)
    named = named or any(version.key == r.checklist for b in world.books for r in b.book.rules)
    if named or any(v.checklist.extends == version.key for v in others):
        raise StepClosed(N_("还有流程、规则或清单要用这份清单，撤回后没有别的版本可用。请先发布新版本。"))


def _refuse_the_last_book(version: RuleVersion, world: Standing) -> None:
    day = world.day_of(version)
    wider: Iterable[int | None] = (None, *world.lineages[version.area_id])
    remaining = [b for b in world.books if b is not version and b.area_id in wider and b.effective_on <= day]
    if not remaining:
        raise StepClosed(N_("撤回后本区域没有别的规则可用。请先发布新规则。"))
    for book in remaining:
        if book.area_id != version.area_id or world.is_superseded(book, without=version):
            continue
        missing = [k for k in _keys(book) if not world.serves(k, book.area_id, day)]
        if missing:
            message = N_("撤回后规则第 %(n)s 版重新生效，但它要用的流程 %(flow)s 已经撤回。请先发布新规则。")
            raise StepClosed(message, n=book.revision, flow=missing[0])

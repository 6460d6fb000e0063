"""Drafts of flows and rulebooks: begun from a sample, a version or a file, edited, proposed, sent back, discarded."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import joinedload

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.tables import read_toml
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue
from workflow.data.areas import Area
from workflow.data.drafts import KINDS, Draft
from workflow.data.flows import AnyVersion, ChecklistVersion, FlowVersion, RuleVersion, digest_of
from workflow.extensions import db
from workflow.services import flow_check
from workflow.services.flow_check import LONGEST_TEXT, Checked
from workflow.services.publishing import CHAIN

LARGEST_FILE = 200_000
LONGEST_NAME = 80
MAX_WORDS = 500
MOST_AHEAD = dt.timedelta(days=731)
"""How far ahead something may be published: a mistyped year is further away."""
BLANK_SAMPLE = "city-small"


def own_area_ids(actor: Actor) -> frozenset[int]:
    """The areas for which the actor was appointed to publish; what lies inside them is the actor's too."""
    return frozenset(a.area_id for a in actor.appointments if Permission.PUBLISH_RULES in ROLE_PERMISSIONS[a.role])


def may_publish_for(actor: Actor, area: Area | None) -> bool:
    """Whether the actor may publish for ``area``; for everywhere (None) whoever may for a whole city."""
    ids = own_area_ids(actor)
    if area is not None:
        return bool(ids & area.lineage_ids)
    return any(a.area_id in ids and a.area_kind == "city" for a in actor.appointments)


def inside_own(actor: Actor) -> ColumnElement[bool]:
    """The condition that an area lies in one of the actor's."""
    ids = sorted(own_area_ids(actor))
    columns = (Area.id, Area.city_id, Area.county_id, Area.town_id)
    return or_(*(c.in_(ids) for c in columns)) if ids else false()


def areas_of(actor: Actor) -> list[Area]:
    """City, counties and towns for which the actor may publish, by code."""
    kinds = ("city", "county", "town")
    return list(db.session.scalars(select(Area).where(inside_own(actor), Area.kind.in_(kinds)).order_by(Area.code)))


def area_for(actor: Actor, code: str) -> Area:
    """The area with this code; :class:`Invalid` when the actor may not publish there."""
    query = select(Area).where(inside_own(actor), Area.code == code, Area.kind.in_(("city", "county", "town")))
    area = db.session.scalar(query)
    if area is None:
        raise Invalid(N_("请选择您职责范围内的区域。"), field="area")
    return area


def open_drafts(actor: Actor) -> list[Draft]:
    """The drafts of the actor's areas that are being edited or wait for approval, the newest change first."""
    query = (
        select(Draft)
        .join(Draft.area)
        .where(inside_own(actor), Draft.status.in_(("editing", "proposed")))
        .options(joinedload(Draft.area))
        .order_by(Draft.updated_at.desc(), Draft.id.desc())
        .limit(200)
    )
    return list(db.session.scalars(query))


def get(actor: Actor, draft_id: int) -> Draft:
    """The draft, when it is for an area of the actor; :class:`NotFound` otherwise."""
    query = select(Draft).join(Draft.area).where(Draft.id == draft_id, inside_own(actor))
    draft = db.session.scalar(query.options(joinedload(Draft.area)))
    if draft is None:
        raise NotFound(N_("没有找到此草稿，或它不属于您的区域。"))
    return draft


def locked(actor: Actor, draft_id: int, revision: int, status: str) -> Draft:
    """The draft, locked until the transaction ends; :class:`Stale` when somebody saved it after ``revision``."""
    get(actor, draft_id)
    query = select(Draft).where(Draft.id == draft_id).with_for_update(of=Draft)
    draft = db.session.scalars(query.execution_options(populate_existing=True)).one()
    if draft.status != status and draft.status in ("published", "discarded"):
        raise StepClosed(N_("这份草稿已经发布或删除，不能再改。"))
    if draft.revision != revision:
        raise Stale(N_("另一位同事刚改过这份草稿，您的改动没有保存。"))
    if draft.status != status:
        raise StepClosed(N_("草稿的状态已变化，请刷新页面后再办理。"))
    return draft


def record(event: audit.Event, draft: Draft, actor: Actor, now: dt.datetime, **after: Any) -> None:
    """Write one row of history about a draft: ids and digests only."""
    facts = {"draft": draft.id, "kind": draft.kind, "area": draft.area_id, "digest": digest_of(draft.text), **after}
    audit.record(event, chain=CHAIN, actor=actor, at=now, after=facts)


def clean_source(text: str) -> str:
    """A text as kept: one kind of line end, no mark of byte order; :class:`Invalid` when far too long."""
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if "\0" in cleaned:
        raise Invalid(N_("内容里有无法保存的字符，请删去后再提交。"), field="text")
    if len(cleaned) > LONGEST_TEXT:
        message = N_("文本有 %(n)s 个字符，最多 %(m)s 个。")
        raise Invalid(message, field="text", n=len(cleaned), m=LONGEST_TEXT)
    return cleaned


def decoded(content: bytes) -> str:
    """The text of an uploaded file in UTF-8 or GB18030; :class:`Invalid` when it is too big or neither."""
    if len(content) > LARGEST_FILE:
        raise Invalid(N_("文件超过 200 KB。流程和规则文本不会这么大，请检查是否选错了文件。"), field="file")
    if not content.strip():
        raise Invalid(N_("文件是空的，请重新选择。"), field="file")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return clean_source(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    raise Invalid(N_("文件不是文本：请上传 UTF-8 或 GB18030 编码的 .toml 文件。"), field="file")


def kind_of(text: str) -> str:
    """What a text is: a checklist has items, a rulebook has rules or a title, anything else is read as a flow."""
    document, _problems = read_toml(text)
    if document and "item" in document:
        return "checklist"
    if document:
        return "rules" if "title" in document or "rule" in document or "regime" in document else "flow"
    lines = {line.strip().partition("=")[0].strip() for line in text.splitlines()}
    if "[[item]]" in lines and "[[state]]" not in lines:
        return "checklist"
    return "rules" if lines & {"title", "[[rule]]", "[[regime]]"} and "[[state]]" not in lines else "flow"


def _title_of(text: str) -> str:
    """What a text calls itself, in Chinese; empty when it can't be read."""
    document, _problems = read_toml(text)
    title = document.get("title", document.get("label"))
    return clean_text(title["zh"]) if isinstance(title, dict) and isinstance(title.get("zh"), str) else ""


def start(
    actor: Actor, kind: str, name: str, text: str, area: Area, now: dt.datetime, based_on_id: int | None = None
) -> Draft:
    """Begin a draft with this text for ``area``; :class:`NotPermitted` outside the actor's areas."""
    if not may_publish_for(actor, area):
        raise NotPermitted()
    if kind not in KINDS:
        raise Invalid(N_("请选择列表中的一项。"), field="source")
    draft = Draft(
        kind=kind,
        name=(clean_text(name) or _title_of(text) or area.name)[:LONGEST_NAME],
        text=clean_source(text),
        area=area,
        based_on_id=based_on_id,
        created_by=actor.person_id,
        created_at=now,
        updated_by=actor.person_id,
        updated_at=now,
    )
    db.session.add(draft)
    db.session.flush()
    record(audit.DRAFT_CHANGED, draft, actor, now, change="started", based_on=based_on_id)
    return draft


def published(kind: str, version_id: int) -> AnyVersion | None:
    """The published flow version, rulebook or checklist with this id, if there is one."""
    if kind == "checklist":
        return db.session.get(ChecklistVersion, version_id)
    return db.session.get(FlowVersion, version_id) if kind == "flow" else db.session.get(RuleVersion, version_id)


def start_from(actor: Actor, source: str, area: Area, name: str, now: dt.datetime) -> Draft:
    """Begin a draft from ``flow:KEY``, ``rules:KEY`` or ``checklist:KEY`` (what ships), ``flow#ID`` and so on (what
    is published).

    Raises :class:`Invalid` when there is no such source.
    """
    kind, _sep, key = source.partition(":")
    if kind == "flow" and key in catalogue.flow_keys():
        return start(actor, "flow", name, catalogue.flow_text(key), area, now)
    if kind == "rules" and key in catalogue.rule_keys():
        return start(actor, "rules", name, catalogue.rules_text(key), area, now)
    if kind == "checklist" and key in catalogue.checklist_texts():
        return start(actor, "checklist", name, catalogue.checklist_texts()[key], area, now)
    kind, _sep, number = source.partition("#")
    if kind in KINDS and number.isascii() and number.isdigit() and len(number) <= 18:
        version = published(kind, int(number))
        if version is not None:
            return start(actor, kind, name, version.text, area, now, version.id)
    raise Invalid(N_("请选择从哪里开始。"), field="source")


def save(
    actor: Actor,
    draft_id: int,
    *,
    revision: int,
    now: dt.datetime,
    text: str | None = None,
    name: str | None = None,
    area: Area | None = None,
    effective_on: dt.date | None = None,
) -> Draft:
    """Keep a draft's text and what it is for, right or wrong; :class:`Stale` when another saved after ``revision``."""
    draft = locked(actor, draft_id, revision, "editing")
    if area is not None and not may_publish_for(actor, area):
        raise NotPermitted()
    before = (draft.text, draft.name, draft.area_id, draft.effective_on)
    draft.text = draft.text if text is None else clean_source(text)
    if name is not None:
        draft.name = clean_text(name)[:LONGEST_NAME] or draft.name
    if area is not None:
        draft.area = area
        draft.area_id = area.id
    if effective_on is not None:
        draft.effective_on = effective_on
    if before == (draft.text, draft.name, draft.area_id, draft.effective_on):
        return draft
    _touch(draft, actor, now)
    record(audit.DRAFT_CHANGED, draft, actor, now, change="saved", revision=draft.revision)
    return draft


def _touch(draft: Draft, actor: Actor, now: dt.datetime) -> None:
    draft.revision += 1
    draft.updated_by, draft.updated_at = actor.person_id, now


def checked(draft: Draft, now: dt.datetime, text: str | None = None) -> Checked:
    """What the draft's text, or ``text`` in its place, would be like on its first day in its area."""
    on = max(draft.effective_on or shanghai_day(now), shanghai_day(now))
    return flow_check.check(draft.kind, draft.text if text is None else text, draft.area, on)


def require_good(draft: Draft, now: dt.datetime) -> Checked:
    """The check of a draft that may be published; :class:`Invalid` when it may not."""
    if draft.effective_on is None:
        raise Invalid(N_("请先填写生效日期。"), field="effective_on")
    if draft.effective_on < shanghai_day(now):
        raise Invalid(N_("生效日期不能早于今天。"), field="effective_on")
    if draft.effective_on > shanghai_day(now) + MOST_AHEAD:
        raise Invalid(N_("生效日期不能晚于两年之后，请核对年份。"), field="effective_on")
    found = checked(draft, now)
    if found.problems:
        raise Invalid(N_("文本还有 %(n)s 处问题，改好后才能提交或发布。"), field="text", n=len(found.problems))
    return found


def propose(actor: Actor, draft_id: int, *, revision: int, now: dt.datetime) -> Draft:
    """Hand a draft without problems to another person for approval."""
    draft = locked(actor, draft_id, revision, "editing")
    require_good(draft, now)
    draft.status, draft.words = "proposed", ""
    draft.proposed_by, draft.proposed_at = actor.person_id, now
    _touch(draft, actor, now)
    record(audit.DRAFT_CHANGED, draft, actor, now, change="proposed")
    return draft


def send_back(actor: Actor, draft_id: int, *, revision: int, words: str, now: dt.datetime) -> Draft:
    """Give a proposed draft back for editing; whoever did not propose it says why."""
    draft = locked(actor, draft_id, revision, "proposed")
    text = clean_text(words)
    if not text and actor.person_id != draft.proposed_by:
        raise Invalid(N_("请写明退回的原因。"), field="words")
    if len(text) > MAX_WORDS:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field="words", n=MAX_WORDS, m=len(text))
    draft.status, draft.words = "editing", text
    _touch(draft, actor, now)
    record(audit.DRAFT_CHANGED, draft, actor, now, change="sent_back")
    return draft


def discard(actor: Actor, draft_id: int, *, revision: int, now: dt.datetime) -> None:
    """Put a draft away; nothing is deleted."""
    draft = locked(actor, draft_id, revision, "editing")
    draft.status = "discarded"
    _touch(draft, actor, now)
    record(audit.DRAFT_CHANGED, draft, actor, now, change="discarded")

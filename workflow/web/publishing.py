"""What is published: flows and rulebooks in force, coming and withdrawn, each version to read, and taking one back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from workflow.core.actors import Permission
from workflow.core.catalogue import Checklist, ChecklistItem
from workflow.core.errors import NotFound
from workflow.core.tables import Label
from workflow.core.times import shanghai_day
from workflow.data import catalogue, people
from workflow.data.areas import Area
from workflow.data.flows import ChecklistVersion, FlowVersion, RuleVersion, checklist_of
from workflow.extensions import db
from workflow.i18n import reader_locale
from workflow.services import drafts, migration, releases
from workflow.services.releases import Version
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.flow_charts import flow_chart_of
from workflow.web.rule_words import rules_in_words, shipped_flow

bp = Blueprint("publishing", __name__)

KINDS = ("flow", "rules", "checklist")


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A published version in a list; ``standing`` is in_force, coming, replaced or withdrawn."""

    kind: str
    version: Version
    label: Label
    area: str
    standing: str


def place_of(area: Area | None) -> str:
    """The name of an area; everywhere for None."""
    return area.name if area else _("全部地区")


def label_of(version: Version) -> Label:
    """What a version calls itself."""
    if isinstance(version, ChecklistVersion):
        return version.checklist.label
    return version.engine.flow.label if isinstance(version, FlowVersion) else version.book.title


def standing_of(version: Version, others: list[Version], today: dt.date) -> str:
    """Whether a version is in force, coming, replaced by a later one of its area, or withdrawn."""
    if version.withdrawn_at is not None:
        return "withdrawn"
    if version.effective_on > today:
        return "coming"
    later = (
        o.effective_on <= today
        and o.withdrawn_at is None
        and (o.effective_on, o.revision) > (version.effective_on, version.revision)
        for o in others
    )
    return "replaced" if any(later) else "in_force"


def _same(one: Version, other: Version) -> bool:
    keys = (getattr(one, "key", None), getattr(other, "key", None))
    return one.area_id == other.area_id and keys[0] == keys[1]


def version_lines() -> list[VersionLine]:
    """Every published version: rulebooks first, then flows and checklists by key, the newest first."""
    books: list[Version] = list(db.session.scalars(select(RuleVersion).order_by(RuleVersion.revision.desc())))
    flows: list[Version] = list(
        db.session.scalars(select(FlowVersion).order_by(FlowVersion.key, FlowVersion.revision.desc()))
    )
    lists: list[Version] = list(
        db.session.scalars(select(ChecklistVersion).order_by(ChecklistVersion.key, ChecklistVersion.revision.desc()))
    )
    ids = {v.area_id for v in (*books, *flows, *lists) if v.area_id}
    named = {a.id: a for a in db.session.scalars(select(Area).where(Area.id.in_(ids)))}
    today = shanghai_day(now())
    lines = []
    for kind, versions in (("rules", books), ("flow", flows), ("checklist", lists)):
        for version in versions:
            standing = standing_of(version, [v for v in versions if _same(v, version)], today)
            place = place_of(named.get(version.area_id or 0))
            lines.append(VersionLine(kind, version, label_of(version), place, standing))
    return lines


def sources(lines: list[VersionLine]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a draft may begin from, in groups: what is published, and the samples that ship."""
    published = [(f"{x.kind}#{x.version.id}", x) for x in lines if x.standing in ("in_force", "coming")]
    named = {"rules": _("已发布的规则"), "flow": _("已发布的流程"), "checklist": _("已发布的勘定清单")}
    groups = []
    for kind, title in named.items():
        entries = [
            (value, _("%(name)s（%(area)s，第 %(n)s 版）", name=words(x.label), area=x.area, n=x.version.revision))
            for value, x in published
            if x.kind == kind
        ]
        groups.append((title, entries))
    shipped = [(f"rules:{k}", words(catalogue.shipped_rules(k).books[0].title)) for k in catalogue.rule_keys()]
    shipped += [(f"flow:{k}", words(shipped_flow(k).label)) for k in catalogue.flow_keys()]
    shipped += [(f"checklist:{k}", words(checklist_of(t).label)) for k, t in catalogue.checklist_texts().items()]
    return [*groups, (_("系统自带的样本"), shipped)]


def chosen_source(lines: list[VersionLine], own: list[Area]) -> str:
    """What most drafts begin from: the rulebook in force in the widest of the reader's own areas."""
    held = [x.version for x in lines if x.kind == "rules" and x.standing == "in_force"]
    books = {v.area_id: f"rules#{v.id}" for v in held}
    places: tuple[int | None, ...] = (*own[0].lineage, None) if own else (None,)
    return next((books[p] for p in places if p in books), "")


def grouped(own: list[Area]) -> list[tuple[str, list[Area]]]:
    """Areas in groups by county; what lies above counties comes first in a group without a name."""
    groups: dict[str, list[Area]] = {}
    counties = {a.id: a.name for a in own if a.kind == "county"}
    for area in own:
        name = (
            "" if area.kind == "city" else area.name if area.kind == "county" else counties.get(area.county_id or 0, "")
        )
        groups.setdefault(name, []).append(area)
    return list(groups.items())


def checklist_groups(found: Checklist) -> dict[str, list[ChecklistItem]]:
    """The items of a list by category, in the reader's language."""
    groups: dict[str, list[ChecklistItem]] = {}
    for item in found.items:
        groups.setdefault(words(item.category), []).append(item)
    return groups


def words(label: Label) -> str:
    """A label in the reader's language."""
    return label.text(reader_locale())


@bp.get("/publishing")
@requires(Permission.PUBLISH_RULES)
def index() -> str:
    """Everything published, the drafts on their way, and where a new one begins."""
    lines = version_lines()
    own, opened = drafts.areas_of(actor()), drafts.open_drafts(actor())
    return render_template(
        "publishing/index.html",
        lines=lines,
        drafts=opened,
        names=people.names_of({d.updated_by for d in opened}),
        sources=sources(lines),
        areas=grouped(own),
        chosen=chosen_source(lines, own),
    )


def _version(kind: str, version_id: int) -> Version:
    if kind not in KINDS:
        raise NotFound()
    return releases.get(kind, version_id)


@bp.get("/publishing/<kind>/<int:version_id>")
@requires(Permission.PUBLISH_RULES)
def version(kind: str, version_id: int) -> str:
    """One published version: its text, its chart, who drafted and approved it, and its digest."""
    found = _version(kind, version_id)
    area = db.session.get(Area, found.area_id) if found.area_id else None
    may = drafts.may_publish_for(actor(), area)
    return render_template(
        "publishing/version.html",
        line=next(x for x in version_lines() if x.kind == kind and x.version is found),
        names=people.names_of({i for i in (found.drafted_by, found.approved_by, found.withdrawn_by) if i}),
        may=may,
        **_content(found, may=may),
    )


def _content(version: Version, *, may: bool) -> dict[str, Any]:
    """What a version says, and how many cases go by it or could."""
    if isinstance(version, RuleVersion):
        return {"rules": rules_in_words(version.book)}
    if isinstance(version, ChecklistVersion):
        return {"checklist": checklist_groups(version.checklist)}
    flow = version.engine.flow
    return {
        "chart": flow_chart_of(flow, id="version", title=words(flow.label)),
        "open_cases": releases.open_cases(version),
        "movable": migration.count(actor(), version) if may else 0,
    }


@bp.get("/publishing/<kind>/<int:version_id>.toml")
@requires(Permission.PUBLISH_RULES)
def download(kind: str, version_id: int) -> Response:
    """The text of a version as a file."""
    found = _version(kind, version_id)
    name = f"{getattr(found, 'key', 'rules')}-{found.revision}.toml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.text, mimetype="text/plain; charset=utf-8", headers=headers)


@bp.post("/publishing/<kind>/<int:version_id>/withdraw")
@requires(Permission.PUBLISH_RULES)
def withdraw(kind: str, version_id: int) -> AnyResponse:
    """Take a version out of use for new applications."""
    found = _version(kind, version_id)
    releases.withdraw(actor(), kind, found.id, now())
    flash(_("已撤回。新申请不再使用这个版本，在办案件仍按它办理。"), "success")
    return redirect(url_for("publishing.version", kind=kind, version_id=version_id), 303)

"""The auditor's view of the history: whether every chain is whole, its heads, and its rows. Read only."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from workflow.core.actors import ROLE_LABELS, Permission, Role
from workflow.core.errors import N_
from workflow.core.tailoring import done_label
from workflow.data import audit, people, queue, trail
from workflow.data.audit import AuditEntry, Fault
from workflow.data.trail import Scope
from workflow.i18n import reader_locale
from workflow.services.history import EVENT_LABELS
from workflow.web.access import actor, requires

bp = Blueprint("audit", __name__)

MOST_ROWS = 5000
"""Up to this many rows are verified while the page is made; more are for ``flask audit verify``."""
_OTHER_EVENTS: dict[str, str] = {
    audit.APPLICATION_STARTED: N_("开始填报申请"),
    audit.COMPANY_REGISTERED: N_("企业注册"),
    audit.ACCOUNT_CREATED: N_("新建账号"),
    audit.ACCOUNT_CHANGED: N_("账号变更"),
    audit.APPOINTED: N_("任职"),
    audit.APPOINTMENT_ENDED: N_("任职结束"),
    audit.FLOW_PUBLISHED: N_("发布流程"),
    audit.TEAM_CHANGED: N_("组织调整"),
    audit.MEMBER_JOINED: N_("加入组织"),
    audit.MEMBER_LEFT: N_("离开组织"),
    audit.OFFICER_NAMED: N_("指定楼宇专员"),
    audit.OFFICER_ENDED: N_("楼宇专员结束"),
    audit.LEAVE_BEGUN: N_("登记请假"),
    audit.LEAVE_ENDED: N_("结束请假"),
    audit.INTEREST_DECLARED: N_("申报利害关系"),
    audit.INTEREST_WITHDRAWN: N_("撤销利害关系申报"),
    audit.EXPORTED: N_("导出案件"),
    audit.CHECKLIST_PUBLISHED: N_("发布勘定清单"),
    audit.ROBOT_ADDED: N_("添加群机器人"),
    audit.ROBOT_SWITCHED: N_("启用或停用群机器人"),
    audit.ROBOT_DELETED: N_("删除群机器人"),
}
_CHAINS = {"accounts": N_("账号和任职"), "flows": N_("流程发布")}


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A row of history in words; ``what`` are its keys and ids."""

    entry: AuditEntry
    label: str
    who: str
    role: str
    what: str


def _labels() -> dict[tuple[str, str], str]:
    """What events are called, by event and state before: the steps of every published flow, and the fixed events."""
    fixed = {(k, ""): _(v) for k, v in [*EVENT_LABELS.items(), *_OTHER_EVENTS.items()]}
    steps = {
        (step.action, source): step.done.text(reader_locale())
        for known in queue.flows()
        for step in known.flow.steps
        for source in step.sources
    }
    return {**fixed, **steps}


def _what(entry: AuditEntry) -> str:
    after = {k: str(v)[:10] if k in ("sha256", "digest") else v for k, v in entry.after.items()}
    parts = [f"{k} {entry.before[k]} → {v}" if k in entry.before else f"{k} {v}" for k, v in after.items()]
    return "；".join(parts)[:300]


def _extra(event: str) -> str:
    """What a step tailored for one case is called, which no published flow knows; the bare name for anything else."""
    label = done_label(event)
    return label.text(reader_locale()) if label else event


def _lines(entries: list[AuditEntry]) -> list[EntryLine]:
    names, labels = people.names_of({e.person_id for e in entries}), _labels()
    return [
        EntryLine(
            entry=e,
            label=labels.get((e.event, str(e.before.get("state", "")))) or _extra(e.event),
            who=names.get(e.person_id, _("系统")),
            role=_(ROLE_LABELS[Role(e.role)]) if e.role else "",
            what=_what(e),
        )
        for e in entries
    ]


def _faults(scope: Scope) -> list[Fault] | None:
    """The faults of the reader's chains; None when there is too much to verify inside a page."""
    if trail.total() > MOST_ROWS:
        return None
    return [f for f in audit.verify() if scope.holds(f.chain)]


def _chain_names(chains: list[str]) -> dict[str, str]:
    names = trail.chain_names(chains)
    return {c: names.get(c) or (_(_CHAINS[c]) if c in _CHAINS else c) for c in chains}


@bp.get("/audit")
@requires(Permission.SEE_AUDIT)
def overview() -> str:
    """Whether the history is whole, where its chains end, and its newest rows."""
    scope = trail.scope_of(actor())
    faults = _faults(scope)
    before = request.args.get("before", "")
    found = trail.entries(scope, int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None)
    shown, heads = found[: trail.PAGE], trail.heads(scope)
    more = url_for("audit.overview", before=shown[-1].id) if len(found) > trail.PAGE else ""
    return render_template(
        "audit/overview.html",
        faults=faults,
        heads=heads,
        chains=_chain_names([h.chain for h in heads] + [e.chain for e in shown]),
        lines=_lines(shown),
        next_url=more,
        first_url=url_for("audit.overview") if before else "",
        total=trail.total(),
    )

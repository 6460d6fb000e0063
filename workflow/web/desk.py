"""The desk: the queue of cases with its filters, and accepting many at once with a preview and a result per row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from workflow.core.actors import SUPERVISORS, AreaKind, Permission, Role
from workflow.core.errors import N_, Invalid
from workflow.core.flow import Label, State, StateKind
from workflow.data import queue
from workflow.data.queue import Filters, Group, KnownFlow, Mark, OwnArea, QueueRow, Tab
from workflow.i18n import say
from workflow.services import bulk
from workflow.web import case_desk
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import TONES
from workflow.web.clock import now

bp = Blueprint("desk", __name__)
bp.add_app_template_global(case_desk.view, "desk_case")
bp.add_app_template_global(case_desk.step_url, "step_url")

TAB_LABELS: Mapping[Tab, str] = {
    Tab.MINE: N_("待我办理"),
    Tab.ESCALATED: N_("督办"),
    Tab.OPEN: N_("全部在办"),
    Tab.DONE: N_("已办结"),
}
GROUP_LABELS: Mapping[Group, str] = {
    Group.REVIEW: N_("受理和材料审核"),
    Group.INSPECTION: N_("实地核查"),
    Group.DECISION: N_("审定"),
    Group.COMPANY: N_("待企业补正或整改"),
    Group.APPROVED: N_("已同意复工"),
    Group.ENDED: N_("不予同意、撤回"),
}
_OPEN_GROUPS = (Group.REVIEW, Group.INSPECTION, Group.DECISION, Group.COMPANY)
_GROUPS = {Tab.MINE: (), Tab.ESCALATED: _OPEN_GROUPS, Tab.OPEN: _OPEN_GROUPS, Tab.DONE: (Group.APPROVED, Group.ENDED)}
ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the queue with the words of its flow; ``may_accept`` when accepting is a step of the reader."""

    row: QueueRow
    url: str
    flow: Label
    state: State
    tone: str
    may_accept: bool


def _tone(row: QueueRow, state: State) -> str:
    waits_for_company = row.holder == Role.FILER and state.kind is StateKind.OPEN
    return "warning" if waits_for_company else TONES[state.kind]


def _lines(rows: Iterable[QueueRow], known: Iterable[KnownFlow]) -> list[Line]:
    flows, roles = {k.id: k for k in known}, actor().roles
    folder = url_for("cases.show", case_id=0).removesuffix("0")
    lines = []
    for row in rows:
        flow = queue.flow_of(row, flows[row.flow_version_id])
        state = flow.state(row.state)
        step = flow.step(row.state, ACCEPT)
        may_accept = step is not None and step.role in roles
        lines.append(Line(row, f"{folder}{row.id}", flow.label, state, _tone(row, state), may_accept))
    return lines


def _chosen(value: str | None, options: Iterable[Any]) -> Any:
    return next((o for o in options if str(o) == value), None)


def _own_tabs() -> list[Tab]:
    """The tabs that concern this reader, in order."""
    without = set() if actor().may(Permission.ACT_ON_CASE) else {Tab.MINE}
    without |= {Tab.ESCALATED} if actor().roles.isdisjoint(SUPERVISORS) else set()
    return [t for t in Tab if t not in without]


def read_filters(args: MultiDict[str, str], areas: list[OwnArea], known: tuple[KnownFlow, ...]) -> Filters:
    """The filters of an address; what is not offered is not asked for."""
    tabs = _own_tabs()
    tab = _chosen(args.get("tab"), tabs) or tabs[0]
    area = next((a for a in areas if a.code == args.get("area")), None)
    return Filters(
        tab=tab,
        text=args.get("q", "")[: queue.LONGEST_SEARCH].strip(),
        group=_chosen(args.get("group"), _GROUPS[tab]),
        flow=_chosen(args.get("flow"), {k.key for k in known}) or "",
        known=known,
        overdue=args.get("overdue") == "1" and tab is not Tab.DONE,
        area_id=area.id if area else None,
        area_kind=AreaKind(area.kind) if area else None,
    )


def read_mark(text: str | None) -> Mark | None:
    """The place that an address names: microseconds since 1970 and an id; None for anything else."""
    micros, _sep, case_id = (text or "").partition("-")
    if not (micros.isascii() and micros.isdigit() and case_id.isascii() and case_id.isdigit()):
        return None
    if len(micros) > 17 or len(case_id) > 18:
        return None
    return Mark(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(micros)), int(case_id))


def write_mark(mark: Mark) -> str:
    """A place as :func:`read_mark` reads it."""
    since = mark.due_at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return f"{since // dt.timedelta(microseconds=1)}-{mark.id}"


def _query(**changes: str | None) -> dict[str, Any]:
    """The present address's filters with changes, without the place."""
    kept = {k: v for k, v in request.args.items() if k in ("tab", "q", "group", "flow", "overdue", "area") and v}
    return {k: v for k, v in {**kept, **changes}.items() if v}


def _tabs(filters: Filters, at: dt.datetime) -> list[dict[str, Any]]:
    shown = _own_tabs()
    counts = queue.tab_counts(actor(), shown, at)
    return [
        {
            "label": _(TAB_LABELS[tab]),
            "url": url_for("desk.queue", **_query(tab=tab.value, group=None, overdue=None)),
            "here": tab is filters.tab,
            "count": capped(counts[tab]),
        }
        for tab in shown
    ]


def capped(number: int) -> str:
    """A count as shown: ``1,000+`` beyond the cap."""
    return f"{queue.COUNT_CAP:,}+" if number > queue.COUNT_CAP else f"{number:,}"


def _found(filters: Filters, page: queue.Page, at: dt.datetime) -> str:
    """How many cases answer to the filters; a page that holds all of them is not counted again."""
    if not filters.any:
        return ""
    whole = not (page.has_before or page.has_after)
    return capped(len(page.rows) if whole else queue.count(actor(), filters, at))


def _links(page: queue.Page) -> tuple[str, str]:
    if not page.rows:
        return "", ""
    back, on = write_mark(page.rows[0].mark), write_mark(page.rows[-1].mark)
    before = url_for("desk.queue", **_query(before=back)) if page.has_before else ""
    return before, url_for("desk.queue", **_query(after=on)) if page.has_after else ""


@bp.get("/desk", endpoint="queue")
@requires(Permission.SEE_DESK)
def show_queue() -> str:
    """The queue: what waits for the reader first, the most urgent on top."""
    at, areas, known = now(), queue.own_areas(actor()), tuple(queue.flows())
    filters = read_filters(request.args, areas, known)
    before, after = read_mark(request.args.get("before")), read_mark(request.args.get("after"))
    page = queue.page(actor(), filters, at, after=after, before=before)
    if not page.rows and (before or after):
        page = queue.page(actor(), filters, at)
    back, on = _links(page)
    return render_template(
        "desk/queue.html",
        lines=_lines(page.rows, known),
        filters=filters,
        tabs=_tabs(filters, at),
        found=_found(filters, page, at),
        areas=areas,
        flows={k.key: k.flow.label for k in known},
        groups={g.value: _(GROUP_LABELS[g]) for g in _GROUPS[filters.tab]},
        prev_url=back,
        next_url=on,
        may_accept=filters.tab is not Tab.DONE and actor().may(Permission.REVIEW_MATERIALS),
    )


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(t) for t in texts if t.isascii() and t.isdigit() and len(t) <= 18]


def _back(error: Invalid) -> Response:
    """To the queue, with what has to be chosen otherwise."""
    flash(say(error), "warning")
    return redirect(url_for("desk.queue"), 303)


@bp.get("/desk/accept")
@requires(Permission.REVIEW_MATERIALS)
def accept_preview() -> Response | str:
    """What accepting the ticked cases would do with each, before anything is done; without any, back to the queue."""
    try:
        rows = bulk.preview(actor(), _numbers(request.args.getlist("case")), ACCEPT, now())
    except Invalid as error:
        return _back(error)
    return render_template("desk/accept.html", rows=rows)


def _wanted() -> list[tuple[int, int]]:
    """The ticked cases with the versions they were drawn from."""
    try:
        pairs = [(i, int(request.form.get(f"version_{i}", ""))) for i in _numbers(request.form.getlist("case"))]
    except ValueError as error:
        raise Invalid(_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。")) from error
    return pairs


@bp.post("/desk/accept")
@requires(Permission.REVIEW_MATERIALS)
def accept() -> Response:
    """Accept each ticked case on its own; the result names every one."""
    wanted = _wanted()
    if not wanted:
        return _back(Invalid(N_("请先勾选案件。")))
    results = bulk.perform(actor(), wanted, ACCEPT, now())
    after_commit(current_app.extensions["wake_worker"])
    done = [r.case_id for r in results if r.refusal is None]
    refused = [r.case_id for r in results if r.refusal is not None]
    return redirect(url_for("desk.accepted", done=done, refused=refused), 303)


@bp.get("/desk/accept/result")
@requires(Permission.REVIEW_MATERIALS)
def accepted() -> str:
    """The result of a bulk acceptance, one line a case, with what stands in the way of those refused."""
    done, refused = (_numbers(request.args.getlist(name))[: bulk.MAX_CASES] for name in ("done", "refused"))
    rows = bulk.preview(actor(), [*done, *refused][: bulk.MAX_CASES], ACCEPT, now())
    taken = frozenset(r.case.id for r in rows if r.case.id in done and not r.is_open)  # an address can claim anything
    return render_template("desk/accepted.html", rows=rows, done=taken)

"""The desk: the queue of cases with its tabs, conditions, columns and views, and what changed in it meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.questions import SECTORS
from workflow.data import catalogue, queue, views
from workflow.data.filters import Tab
from workflow.data.queue import Asked, Page
from workflow.data.views import SavedView
from workflow.i18n import reader_locale
from workflow.services import bulk_acts
from workflow.services import filters as asking
from workflow.services import views as saving
from workflow.services.filters import PARAMETERS, Offer, Reading
from workflow.services.views import COLUMNS
from workflow.web import case_desk, queue_rows
from workflow.web import queue_address as address
from workflow.web.access import actor, requires
from workflow.web.clock import now
from workflow.web.queue_address import capped, queue_url, read_mark, write_mark

bp = Blueprint("desk", __name__)
bp.add_app_template_global(case_desk.view, "desk_case")
bp.add_app_template_global(case_desk.step_url, "step_url")
LONGEST_ASKED = 4000
NO_COLUMNS = "-"
"""Stands in an address for a choice of none of the columns."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request for the queue asks for: the reader's choice, the view it was opened from, and the counts."""

    at: dt.datetime
    offered: Offer
    views: list[SavedView]
    view: SavedView | None
    reading: Reading
    asked: Asked
    counts: dict[Tab, int]
    number: int
    dropped: tuple[str, ...]

    @property
    def carried(self) -> dict[str, str]:
        """The parameters that links carry on: the conditions with their tab, and the view they came from."""
        kept = {"tab": self.reading.filters.tab.value, **self.reading.asked}
        columns = _columns_asked(self.view)
        if columns is not None:
            kept["cols"] = columns
        return {**kept, "view": str(self.view.id)} if self.view else kept


def _columns_asked(view: SavedView | None) -> str | None:
    given = request.args.get("cols")
    return given if given is not None or view is None else view.asked.get("cols")


def _given(known: list[SavedView]) -> tuple[dict[str, str], SavedView | None, bool]:
    """What is asked for, from which view, and whether a view was named that there is none of.

    A view that is named alone is opened with what it keeps; without any parameter the reader's own first view is.
    """
    named = request.args.get("view")
    view = next((v for v in known if str(v.id) == named), None)
    given = {n: request.args[n] for n in PARAMETERS if n in request.args}
    if given:
        return given, view, False
    if view is None and not request.args:
        view = next((v for v in known if v.is_default and v.owner_id == actor().person_id), None)
    return (dict(view.asked) if view else {}), view, named is not None and view is None


def _first_tab(counts: Mapping[Tab, int], tabs: tuple[Tab, ...]) -> Tab:
    """The first of the reader's own queues that holds something, else the first tab."""
    return next((t for t in (Tab.MINE, Tab.TEAM) if counts.get(t)), tabs[0])


def show() -> Shown:
    """Read the request and count; the tab that is asked for is counted with its conditions in the same statement."""
    at, who = now(), actor()
    offered = asking.offer(who, at)
    known = views.visible_to(who, offered.mates)
    given, view, lost = _given(known)
    reading = asking.read(given, who, offered)
    asked, narrowed = Asked.by(who, reading.filters, at), reading.filters.any
    counts, number = queue.tab_counts(who, offered.tabs, at, offered.mates, asked if narrowed else None)
    if "tab" not in reading.asked:
        first = _first_tab(counts, offered.tabs)
        reading = replace(reading, filters=replace(reading.filters, tab=first))
        asked = Asked.by(who, reading.filters, at)
        number = asked.count() if narrowed else counts[first]
    elif not narrowed:
        number = counts[reading.filters.tab]
    dropped = (*reading.dropped, "view") if lost else reading.dropped
    return Shown(at, offered, known, view, reading, asked, counts, number, dropped)


def _page(shown: Shown) -> Page:
    """The page at the address's place, else the first one."""
    after, before = read_mark(request.args.get("after")), read_mark(request.args.get("before"))
    page = shown.asked.page(after, before)
    return shown.asked.page(None, None) if not page.rows and (before or after) else page


def _tabs(shown: Shown) -> list[dict[str, Any]]:
    kept = {"q": shown.reading.asked.get("q", ""), "area": shown.reading.asked.get("area", "")}
    return [
        {
            "key": tab.value,
            "label": _(address.TAB_LABELS[tab]),
            "url": queue_url({"tab": tab.value, **kept}),
            "here": tab is shown.reading.filters.tab,
            "count": capped(shown.counts[tab]),
        }
        for tab in shown.offered.tabs
    ]


def _pages(shown: Shown, page: Page) -> tuple[str, str]:
    if not page.rows:
        return "", ""
    order = shown.reading.filters.order
    back, on = write_mark(page.rows[0].mark(order)), write_mark(page.rows[-1].mark(order))
    before = queue_url(shown.carried, before=back) if page.has_before else ""
    return before, queue_url(shown.carried, after=on) if page.has_after else ""


def _acts(shown: Shown) -> list[tuple[str, str]]:
    """What the reader may do with many cases of this tab at once: (key, words)."""
    if shown.reading.filters.tab is Tab.DONE:
        return []
    return [(key, _(act.label)) for key, act in bulk_acts.ACTS.items() if actor().may(act.right)]


def _choices(shown: Shown) -> dict[str, Any]:
    """What the form of conditions offers."""
    tab = shown.reading.filters.tab
    newest = {k.key: k.flow.label for k in shown.offered.known}
    sorts = address.DONE_SORT_LABELS if tab is Tab.DONE else address.SORT_LABELS
    return {
        "areas": shown.offered.areas,
        "people": shown.offered.people,
        "flows": newest,
        "groups": {g.value: _(address.GROUP_LABELS[g]) for g in asking.groups_of(tab)},
        "dues": {d.value: _(words) for d, words in address.DUE_LABELS.items()} if tab is not Tab.DONE else {},
        "sorts": {s.value: _(words) for s, words in sorts.items()},
        "sectors": {key: _(words) for key, words in SECTORS},
        "bureaus": {b.code: b.label.text(reader_locale()) for b in catalogue.bureaus()},
        "column_labels": {c: _(queue_rows.COLUMN_LABELS[c]) for c in COLUMNS},
    }


def _addresses(shown: Shown, page: Page, columns: Iterable[str]) -> dict[str, Any]:
    """The addresses on the page: of other pages, of this one as it is saved and asked again, and without conditions."""
    kept = {**shown.carried, "cols": ",".join(columns) or NO_COLUMNS}
    back, on = _pages(shown, page)
    place = {n: request.args[n] for n in ("after", "before") if n in request.args}
    view = shown.view
    return {
        "prev_url": back,
        "next_url": on,
        "asked_text": urlencode(kept),
        "poll_url": f"{url_for('desk.changes')}?{urlencode({**kept, **place})}",
        "clear_url": queue_url({"tab": shown.reading.filters.tab.value}),
        "is_changed": view is not None and saving.kept(kept) != {"cols": kept["cols"], **view.asked},
    }


def _drawn(shown: Shown, page: Page) -> dict[str, Any]:
    """What the rows are drawn with."""
    return {
        "lines": queue_rows.lines(page.rows, shown.reading.filters, shown.carried),
        "filters": shown.reading.filters,
        "columns": dict.fromkeys(queue_rows.chosen_columns(_columns_asked(shown.view)), True),
        "acts": _acts(shown),
    }


@bp.get("/desk", endpoint="queue")
@requires(Permission.SEE_DESK)
def show_queue() -> str:
    """The queue: what the reader handles first, the most urgent on top."""
    shown = show()
    page = _page(shown)
    drawn = _drawn(shown, page)
    return render_template(
        "desk/queue.html",
        **drawn,
        **_choices(shown),
        **_addresses(shown, page, drawn["columns"]),
        shown=shown,
        tabs=_tabs(shown),
        found=capped(shown.number),
        chips=address.chips(shown.reading, shown.offered, shown.carried),
        dropped=[_(address.NAMES[name]) for name in shown.dropped],
        reader_id=actor().person_id,
        own_areas=sorted({(a.area_id, a.area_name) for a in actor().appointments}),
        tag=queue_rows.tag(page.rows),
    )


@bp.get("/desk/changes")
@requires(Permission.SEE_DESK)
def changes() -> Response:
    """The rows of a page as they are now, for the page that shows them; 304 when nothing about them changed."""
    at, who = now(), actor()
    offered = asking.offer(who, at)
    reading = asking.read(request.args, who, offered)
    asked = Asked.by(who, reading.filters, at)
    shown = Shown(at, offered, [], None, reading, asked, {}, 0, ())
    page = _page(shown)
    tag = queue_rows.tag(page.rows)
    if tag in request.if_none_match:
        return Response(status=304, headers={"ETag": f'"{tag}"', "Cache-Control": "no-store"})
    answer = make_response(render_template("desk/changes.html", **_drawn(shown, page)))
    answer.set_etag(tag)
    return answer


@bp.post("/desk/columns")
@requires(Permission.SEE_DESK)
def columns() -> Response:
    """Keep the reader's columns for this session, and show the same rows with them."""
    queue_rows.keep_columns(request.form.getlist("column"))
    asked = dict(parse_qsl(request.form.get("asked", "")[:LONGEST_ASKED], max_num_fields=60))
    kept = ",".join(queue_rows.chosen_columns(None))
    return redirect(queue_url({**saving.kept(asked), "cols": kept or NO_COLUMNS, "view": asked.get("view", "")}), 303)

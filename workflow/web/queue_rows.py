"""The queue's rows as they are drawn: words of the case's own flow, who has it, and the columns the reader chose."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import session, url_for
from flask_babel import gettext as _

from workflow.core.actors import COMPANY_ROLES, Role
from workflow.core.errors import N_
from workflow.core.flow import StateKind
from workflow.core.questions import SECTORS
from workflow.data import queue
from workflow.data.filters import Filters, Tab
from workflow.data.queue import KnownFlow, QueueRow
from workflow.i18n import reader_locale
from workflow.services.views import COLUMNS
from workflow.web.access import actor
from workflow.web.cases import TONES
from workflow.web.queue_address import write_mark

COLUMN_LABELS: Mapping[str, str] = {
    "zone": N_("区域"),
    "flow": N_("流程"),
    "num": N_("复工人数"),
    "who": N_("经办人"),
    "filed": N_("申报日期"),
    "sector": N_("企业类型"),
    "round": N_("轮次"),
}
FIRST_COLUMNS = ("zone", "flow", "num", "who")
_KEPT = "queue_columns"


def read_columns(text: str | None) -> tuple[str, ...] | None:
    """The columns that an address or a form names, in the order of the table; None when it names none."""
    if text is None:
        return None
    named = set(text.split(","))
    return tuple(c for c in COLUMNS if c in named)


def chosen_columns(text: str | None) -> tuple[str, ...]:
    """The columns of the view, else those kept in this session, else the usual ones."""
    for source in (text, session.get(_KEPT)):
        columns = read_columns(source if isinstance(source, str) else None)
        if columns is not None:
            return columns
    return FIRST_COLUMNS


def keep_columns(columns: Sequence[str]) -> None:
    """Keep the reader's columns for this session."""
    session[_KEPT] = ",".join(c for c in COLUMNS if c in columns)


@dataclass(frozen=True, slots=True)
class Line:
    """A row with its words: ``state`` and ``flow`` are labels, ``who`` is whose turn it is or who has it; ``marks`` are
    small words beside the name; ``sector`` as words."""

    row: QueueRow
    url: str
    state: str
    tone: str
    flow: str
    who: str
    who_tone: str
    mark: str
    sector: str


def _who(row: QueueRow, me: int) -> tuple[str, str]:
    if not row.is_open:
        return row.assignee, ""
    if row.holder in COMPANY_ROLES:
        return _("等企业"), "muted"
    if row.assignee_id is None:
        return _("待分派"), "none"
    return (_("我"), "me") if row.assignee_id == me else (row.assignee, "")


def _tone(row: QueueRow, kind: StateKind) -> str:
    waits_for_company = row.holder == Role.FILER and kind is StateKind.OPEN
    return "warning" if waits_for_company else TONES[kind]


def lines(rows: Iterable[QueueRow], filters: Filters, asked: Mapping[str, str]) -> list[Line]:
    """The rows in words; each link keeps the view and the row's place, so that the next case can be found."""
    known: dict[int, KnownFlow] = {k.id: k for k in filters.known}
    locale, me, order = reader_locale(), actor().person_id, filters.order
    folder = url_for("cases.show", case_id=0).removesuffix("0")
    way = f"?from={quote(urlencode(asked), safe='')}&at="
    came_back = _("补正后") if filters.tab is not Tab.RETURNED else ""
    found, sectors = [], {key: _(label) for key, label in SECTORS}
    places: dict[dt.datetime, str] = {}
    for row in rows:
        flow = queue.flow_of(row, known[row.flow_version_id])
        state = flow.state(row.state)
        who, who_tone = _who(row, me)
        mark = row.mark(order)
        place = places.get(mark.at) or places.setdefault(mark.at, write_mark(mark).partition("-")[0])
        found.append(
            Line(
                row,
                f"{folder}{row.id}{way}{place}-{row.id}",
                state.label.text(locale),
                _tone(row, state.kind),
                flow.label.text(locale),
                who,
                who_tone,
                came_back if row.came_back and row.is_open else "",
                sectors.get(row.sector, ""),
            )
        )
    return found


def tag(rows: Iterable[QueueRow]) -> str:
    """A short text that differs whenever a row of the page, its version or its order does."""
    told = ";".join(f"{r.id}.{r.version}" for r in rows)
    return hashlib.sha256(told.encode()).hexdigest()[:20]

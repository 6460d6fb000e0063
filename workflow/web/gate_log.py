"""The gate log's pages: what passed today, the entries with what was wrong, and the log as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, g, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Permission
from workflow.core.errors import N_, DomainError, Invalid
from workflow.core.gate_rules import fold_plate
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_time
from workflow.data.gate_log import LogFilters, Mark
from workflow.data.gates import ALARMS, DECISIONS, GateEntry
from workflow.i18n import say
from workflow.services import gate_log as service
from workflow.services import gate_log_file
from workflow.services.gate_log_file import Asking
from workflow.web.access import actor, requires
from workflow.web.boundary import beforehand
from workflow.web.clock import now
from workflow.web.files import disposition

bp = Blueprint("gate_log", __name__)
NAMES = ("gate", "from", "until", "plate", "number", "decision", "alarm")
DIRECTION_LABELS = {"in": N_("进"), "out": N_("出")}
DECISION_LABELS = {
    "pass": (N_("放行"), "success"),
    "turn_back": (N_("劝返"), "warning"),
    "hand_over": (N_("移交"), "danger"),
}
ALARM_LABELS = {
    "mismatch": N_("车证不符"),
    "late_revoked": N_("放行后才知道已失效"),
    "two_gates": N_("一证两卡口"),
    "fever": N_("发热"),
    "overridden": N_("未通过仍放行"),
    "forged": N_("伪造"),
    "clock": N_("时钟不准"),
}
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _day(text: str) -> dt.date | None:
    """The day of an address; none that a log can't have."""
    try:
        day = dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2100 else None


def filters_of(given: Mapping[str, str]) -> LogFilters:
    """The filters of an address or form; what is none of them is left out."""
    first, last = service.span(_day(given.get("from", "")), _day(given.get("until", "")), now())
    gate, decision, alarm = given.get("gate", ""), given.get("decision", ""), given.get("alarm", "")
    return LogFilters(
        from_on=first,
        until_on=last,
        gate_id=int(gate) if gate.isascii() and gate.isdigit() and len(gate) <= 18 else None,
        plate=fold_plate(clean_text(given.get("plate", ""))[:20])[:10],
        number=clean_text(given.get("number", ""))[:20],
        decision=decision if decision in DECISIONS else "",
        alarm=alarm if alarm in (*ALARMS, "any") else "",
    )


def _asked() -> dict[str, Any]:
    return {name: request.values[name][:40] for name in NAMES if request.values.get(name)}


def write_mark(entry: GateEntry) -> str:
    """An entry's place as an address carries it: microseconds since 1970 and its id."""
    return f"{(entry.at - _BEGINNING) // dt.timedelta(microseconds=1)}-{entry.id}"


def read_mark(text: str | None) -> Mark | None:
    """The place that an address carries, or None."""
    parts = (text or "").split("-")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) <= 17 for p in parts):
        return None
    return Mark(_BEGINNING + dt.timedelta(microseconds=int(parts[0])), int(parts[1]))


@bp.get("/gates/log")
@requires(Permission.SEE_GATES)
def show() -> str:
    """What passed the reader's gates, and the entries, the newest first."""
    filters, asked = filters_of(request.args), _asked()
    log = service.show(
        actor(), filters, after=read_mark(request.args.get("after")), before=read_mark(request.args.get("before"))
    )
    rows = log.entries
    back = url_for("gate_log.show", **asked, before=write_mark(rows[0].entry)) if rows and log.has_before else ""
    on = url_for("gate_log.show", **asked, after=write_mark(rows[-1].entry)) if rows and log.has_after else ""
    return render_template(
        "gates/log.html",
        log=log,
        filters=filters,
        asked=asked,
        prev_url=back,
        next_url=on,
        directions=DIRECTION_LABELS,
        decisions=DECISION_LABELS,
        alarm_labels=ALARM_LABELS,
        verdicts=service.VERDICTS,
        may_export=actor().may(Permission.SEE_DESK),
        manages=actor().may(Permission.MANAGE_GATES),
    )


def _asking() -> Asking:
    form = request.form
    unmasked = form.get("unmasked") == "1"
    return Asking(filters_of(form), form.get("format", "xlsx"), unmasked, form.get("reason", ""))


def _form(error: DomainError | None = None) -> tuple[str, int]:
    body = render_template(
        "gates/log_export.html",
        filters=filters_of(request.values),
        asked=_asked(),
        may_unmask=actor().may(Permission.EXPORT_PERSONAL),
        error=say(error) if error else "",
        field=getattr(error, "field", ""),
    )
    return body, error.status if error else 200


@bp.get("/gates/log/export")
@requires(Permission.SEE_DESK)
def new() -> tuple[str, int]:
    """The form that makes a file of the log as it is filtered."""
    return _form()


def _write() -> None:
    """Write the file before the write transaction begins: it takes seconds, and reads only."""
    try:
        g.log_file = gate_log_file.write(actor(), _asking(), now())
    except Invalid as error:
        g.log_file = error


@bp.post("/gates/log/export")
@requires(Permission.SEE_DESK)
@beforehand(_write)
def export() -> Response | tuple[str, int]:
    """The log as a file, which is recorded in the history."""
    written = g.pop("log_file")
    if isinstance(written, Invalid):
        return _form(written)
    gate_log_file.record(actor(), _asking(), written, now())
    name = f"{_('卡口记录')}-{shanghai_time(now()):%Y%m%d-%H%M}.{_asking().format}"
    response: Response = current_app.response_class(written.pieces(), mimetype=written.media)
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

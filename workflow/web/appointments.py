"""Appointments: the company confirms or asks for another time, officers answer; the day's route, and calendar files."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from workflow.core.actors import Actor, Permission
from workflow.core.errors import DomainError, Invalid, NotFound, StepClosed
from workflow.core.times import end_of_day, shanghai_day, start_of_day
from workflow.data.cases import Case
from workflow.data.inspections import Inspection
from workflow.documents.calendar_file import MEDIA_TYPE, calendar_file
from workflow.extensions import db, settings
from workflow.i18n import mark
from workflow.services import appointments as service
from workflow.services import day_routes
from workflow.services import inspections as inspection_service
from workflow.services.inspections import Appointment
from workflow.web import inspections as pages
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import version_field
from workflow.web.clock import now
from workflow.web.forms.appointments import WishForm
from workflow.web.forms.inspections import ScheduleForm
from workflow.web.sheets import revision_of

bp = Blueprint("appointments", __name__)
filer = requires(Permission.FILE_APPLICATION)
planner = requires(Permission.PLAN_INSPECTION)
Refused = tuple[str, int]


def _wake() -> None:
    after_commit(current_app.extensions["wake_worker"])


def _own(inspection_id: int) -> Inspection:
    """The visit, when it is to the actor's own company."""
    visit = inspection_service.get(actor(), inspection_id)
    if visit.case.enterprise_id not in actor().enterprise_ids:
        raise NotFound()
    return visit


@bp.post("/inspections/<int:inspection_id>/confirm")
@filer
def confirm(inspection_id: int) -> Response:
    """The company confirms the time: one click on its case page."""
    visit = service.confirm(actor(), inspection_id, revision_of(request.form.get("sequence")), now())
    _wake()
    flash(_("已确认，核查员会按时到场。"), "success")
    return redirect(url_for("cases.show", case_id=visit.case_id), 303)


def _wish_page(visit: Inspection, form: WishForm, code: int = 200) -> Refused:
    if visit.status != "planned":
        raise StepClosed(_("这次核查已经结束或取消，不用再答复。"))
    return render_template("appointments/wish.html", visit=visit, case=visit.case, form=form), code


@bp.get("/inspections/<int:inspection_id>/wish")
@filer
def wish(inspection_id: int) -> Refused:
    """The company's form for another time."""
    return _wish_page(_own(inspection_id), WishForm(formdata=None))


@bp.post("/inspections/<int:inspection_id>/wish")
@filer
def send_wish(inspection_id: int) -> Response | Refused:
    """Ask for another time; the inspectors are told."""
    form, sequence = WishForm(), revision_of(request.form.get("sequence"))
    if not form.validate():
        return _wish_page(_own(inspection_id), form, 422)
    try:
        visit = service.ask_for_another_time(
            actor(), inspection_id, sequence, form.instant(), form.words.data or "", now()
        )
    except Invalid as error:
        db.session.rollback()
        form.refuse(error)
        return _wish_page(_own(inspection_id), form, error.status)
    _wake()
    flash(_("改期请求已发给核查员，答复前请按原定时间准备。"), "success")
    return redirect(url_for("cases.show", case_id=visit.case_id), 303)


def _change_action(case: Case) -> str:
    """The step of the case's flow that changes an appointment now."""
    action = next((s.action for s in case.flow.steps_from(case.state) if s.form == "schedule"), "")
    if not action:
        raise StepClosed(_("案件当前状态不能办理此步骤，请查看最新进展。"))
    return action


@bp.post("/inspections/<int:inspection_id>/accept")
@planner
def accept(inspection_id: int) -> Response | Refused:
    """Give the company the time it wished for; what speaks against it is shown on the form of the appointment."""
    visit = service.open_wish(actor(), inspection_id)
    if visit.wish_status != "open" or visit.wish_at is None:
        raise StepClosed(_("企业的改期请求已经答复过了。"))
    case, action = visit.case, _change_action(visit.case)
    wanted = Appointment(
        visit.wish_at, visit.lead_id, visit.second_id, visit.meeting_point, visit.duration_minutes, overlap_ok=False
    )
    try:
        inspection_service.schedule(actor(), case.id, action, wanted, version=version_field(), now=now())
    except DomainError as error:
        return _on_the_form(case.id, action, inspection_id, error)
    _wake()
    flash(_("已改为企业希望的时间，企业会收到通知。"), "success")
    pages.flash_remarks(visit)
    return redirect(url_for("cases.show", case_id=case.id), 303)


def _on_the_form(case_id: int, action: str, inspection_id: int, error: DomainError) -> Refused:
    db.session.rollback()
    visit = inspection_service.get(actor(), inspection_id)
    form = ScheduleForm.of(visit, as_wished=True)
    form.refuse(error)
    return pages.schedule_page(visit.case, action, form, error.status)


@bp.post("/inspections/<int:inspection_id>/keep")
@planner
def keep(inspection_id: int) -> Response | Refused:
    """Keep the time, with words that the company reads."""
    words = request.form.get("words", "")
    try:
        visit = service.keep_time(actor(), inspection_id, words, now())
    except Invalid as error:
        db.session.rollback()
        visit = service.open_wish(actor(), inspection_id)
        page = {"visit": visit, "case": visit.case, "words": words, "error": error}
        return render_template("appointments/keep.html", **page), error.status
    _wake()
    flash(_("已答复企业，核查时间不变。"), "success")
    return redirect(url_for("cases.show", case_id=visit.case_id), 303)


def _day(text: str | None) -> dt.date:
    """The day asked for; today for none, for what is no day, and for another century."""
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return shanghai_day(now())
    return day if 2000 <= day.year <= 2099 else shanghai_day(now())


def _mine(who: Actor) -> bool:
    """Whether the route is the reader's own; whoever does not inspect plans for the area."""
    return who.may(Permission.INSPECT) and request.args.get("whose") != "area"


@bp.get("/inspections/route")
@requires(Permission.INSPECT, Permission.PLAN_INSPECTION)
def route() -> str:
    """The visits of a day on one printable page: an inspector's own, or all that the reader sees."""
    on, mine = _day(request.args.get("on")), _mine(actor())
    stretches = day_routes.route(actor(), on, mine=mine)
    one = dt.timedelta(days=1)
    return render_template(
        "appointments/route.html",
        on=on,
        mine=mine,
        may_choose=actor().may(Permission.INSPECT),
        stretches=stretches,
        count=sum(len(s.stops) for s in stretches),
        before=on - one,
        after=on + one,
        today=shanghai_day(now()),
        printed_at=now(),
    )


def _calendar(visits: list[Inspection], name: str, url: str) -> Response:
    entries = day_routes.entries(
        visits, check=_("实地核查") + mark("："), recheck=_("复查") + mark("："), meet=_("集合") + mark("："), url=url
    )
    response = Response(calendar_file(entries, name=_("实地核查"), made_at=now()), content_type=MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _sheet_url() -> str:
    return f"{settings().public_url.rstrip('/')}/inspections/%d"


@bp.get("/inspections/calendar.ics")
@requires(Permission.INSPECT)
def my_calendar() -> Response:
    """The reader's own visits as a calendar file: of one day, or all from today on."""
    asked = request.args.get("on")
    first = _day(asked)
    until = end_of_day(first) if asked else None
    visits = day_routes.planned_between(actor(), start_of_day(first), until, mine=True)
    return _calendar(visits, f"inspections-{first.isoformat()}", _sheet_url())


@bp.get("/inspections/<int:inspection_id>/calendar.ics")
@requires(Permission.SEE_DESK, Permission.FILE_APPLICATION)
def calendar(inspection_id: int) -> Response:
    """One visit as a calendar file, for its inspectors and its company; a cancelled one takes itself out again."""
    visit = inspection_service.get(actor(), inspection_id)
    return _calendar([visit], f"inspection-{visit.id}", _sheet_url() if actor().is_staff else "")

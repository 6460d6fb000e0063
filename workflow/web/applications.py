"""The company's applications: its home page, the task list, one topic a page, saving as typed, and submission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from workflow.core.actors import AreaKind, Permission
from workflow.core.errors import N_, DomainError, Invalid, NotFound, Stale, StepClosed
from workflow.core.questions import ROUTING_KEYS, Topic
from workflow.core.times import shanghai_day, shanghai_time
from workflow.data import areas, casework, enterprises, issued, materials
from workflow.data.applications import Application
from workflow.data.applications import visible_to as visible_applications
from workflow.data.cases import Case
from workflow.data.issued import DocumentKind
from workflow.extensions import db
from workflow.i18n import say
from workflow.services import applications as service
from workflow.web import filing, routing_words
from workflow.web.access import actor, requires
from workflow.web.boundary import after_commit
from workflow.web.cases import holder_words, notice_name, tone_of
from workflow.web.clock import now
from workflow.web.forms.applications import asks, topic_form, topic_questions

bp = Blueprint("applications", __name__)
filer = requires(Permission.FILE_APPLICATION)
MOST_SHOWN = 50


def _own_applications() -> Select[Application]:
    """The applications of the actor's companies with what the home page shows of their cases, newest first."""
    case = joinedload(Application.case)
    return (
        visible_applications(actor())
        .where(Application.enterprise_id.in_(actor().enterprise_ids), Application.status != "discarded")
        .options(
            case.joinedload(Case.flow_version),
            case.joinedload(Case.town),
            case.joinedload(Case.county),
            case.joinedload(Case.enterprise),
        )
        .order_by(Application.id.desc())
        .limit(MOST_SHOWN)
    )


@bp.get("/company")
@filer
def home() -> str:
    """The company's front page: drafts, cases, who holds each, and what waits for the company."""
    own = list(db.session.scalars(_own_applications()))
    rows, written = [], casework.unread_by_company([a.case_id for a in own if a.case_id is not None])
    for application in own:
        case = application.case
        state = case.flow.state(case.state) if case else None
        waits = case is not None and case.is_open and case.holder == "filer"
        tone = tone_of(case, state) if case and state else "neutral"
        holder = holder_words(case) if case else ""
        row: dict[str, Any] = {"case": case, "state": state, "tone": tone, "holder": holder, "waits": waits}
        row["unread"] = written.get(case.id, 0) if case else 0
        rows.append({"application": application, **row})
    companies = list(db.session.scalars(enterprises.visible_to(actor())))
    return render_template("applications/home.html", companies=companies, rows=rows)


@bp.post("/applications")
@filer
def start() -> Response:
    """Begin an application, or go on with the draft that is open."""
    chosen = request.form.get("enterprise_id", "")
    if not chosen.isascii() or not chosen.isdigit() or len(chosen) > 18:
        raise NotFound()
    application = service.start(actor(), int(chosen), now())
    if application.revision == 1 and application.based_on_id is not None:
        flash(_("已按上次填报带入，请逐项核对，有变化的请修改。"), "info")
    return redirect(url_for("applications.tasks", application_id=application.id), 303)


@bp.get("/applications/<int:application_id>")
@filer
def tasks(application_id: int) -> Response | str:
    """The task list of a draft, with the flow that applies and why; a submitted application leads to its case."""
    application = service.get_own(actor(), application_id)
    if application.status == "submitted":
        return redirect(url_for("cases.show", case_id=application.case_id))
    if application.status != "draft":
        raise NotFound()
    at = now()
    place = filing.place_of(application, at)
    reading = service.read(application, at, place=place)
    route = service.route_of(application, reading, at, place)
    return render_template(
        "applications/tasks.html",
        application=application,
        tasks=service.task_list(application, at, reading, route),
        route=route,
        because=routing_words.of(route.because()) if route else None,
        earliest=place.rules.earliest_day(shanghai_day(at)),
    )


def _topic(application: Application, key: str) -> Topic:
    topic = filing.topic_of(key, application.answers)
    if topic is None:
        raise NotFound()
    return topic


def _topic_page(
    application: Application,
    topic: Topic,
    raw: Mapping[str, str],
    *,
    errors: Mapping[str, str] | None = None,
    stored: list[dict[str, str]] | None = None,
) -> str:
    """The page of one topic with ``raw`` in its fields; ``stored`` shows what another window saved meanwhile."""
    questions = topic_questions(topic, correcting=application.status != "draft")
    form = topic_form(questions, raw, service.lookup_options(raw))
    for key, words in (errors or {}).items():
        if key in form:
            form[key].errors = [words]
    return render_template(
        "applications/topic.html",
        application=application,
        topic=topic,
        form=form,
        asks=asks(form, questions, filing.first_days(application.answers, shanghai_day(now()))),
        stored=stored or [],
        after=filing.topic_after(topic.key, application.answers),
    )


@bp.get("/applications/<int:application_id>/<topic>")
@filer
def topic(application_id: int, topic: str) -> str:
    """One topic with what is stored, right or wrong; wrong answers are named once something is typed."""
    application = service.get_own(actor(), application_id)
    found = _topic(application, topic)
    if not filing.may_edit_form(application, _rows(application)):
        raise StepClosed(N_("申请已提交，不能再修改；如需更正，请等待补正通知或撤回重报。"))
    return _topic_page(application, found, application.answers)


def _rows(application: Application) -> list[materials.Material]:
    """The material rows, only looked up when a case is there: a draft may be edited without asking them."""
    return materials.of_application(application.id) if application.status == "submitted" else []


def _typed(application: Application, topic: Topic) -> dict[str, str]:
    """What the form of a topic carries: a question without a chosen radio is empty, a place of another town too."""
    questions = topic_questions(topic, correcting=application.status != "draft")
    typed = {q.key: request.form.get(q.key, "") for q in questions}
    if typed.get("town") and typed["town"] != application.answers.get("town", ""):
        fitting = service.lookup_options(typed)
        for key in ("zone", "building"):
            if typed.get(key) not in {value for value, _label in fitting[key]}:
                typed[key] = ""
    return typed


@bp.post("/applications/<int:application_id>/<topic>")
@filer
def save_topic(application_id: int, topic: str) -> Response | tuple[str, int]:
    """Keep one topic as typed; wrong answers are kept too and named at their fields."""
    application = service.get_own(actor(), application_id)
    found = _topic(application, topic)
    typed = _typed(application, found)
    try:
        service.save_answers(actor(), application_id, typed, revision=_revision(), now=now())
    except Stale:
        return _stale_page(application, found, typed), 409
    except Invalid as error:
        db.session.rollback()
        return _topic_page(application, found, typed, errors={error.field or next(iter(typed)): say(error)}), 422
    wrong = service.read(application, now(), found.key).errors
    errors = {key: say(reason) for key, reason in wrong.items() if key in typed}
    then = request.form.get("then", "next")
    if errors and then != "list":
        g.commit_refusal = True  # what was typed is kept, right or wrong
        return _topic_page(application, found, application.answers, errors=errors), 422
    return redirect(_after_topic(application, found, then), 303)


def _revision() -> int:
    value = request.form.get("revision", "")
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Invalid(N_("这份表单已失效，请刷新页面后再提交；您填的内容请先复制保存。"))
    return int(value)


def _stale_page(application: Application, topic: Topic, typed: Mapping[str, str]) -> str:
    """The form with what was typed, the stored answers beside it; sending it again keeps what was typed."""
    db.session.rollback()
    options = service.lookup_options(application.answers)
    reading = service.read(application, now())
    stored = [
        {"key": _(q.label), "value": filing.answer_words(q, reading, application.answers, options)}
        for q in topic.questions
        if q.key in typed and typed[q.key] != application.answers.get(q.key, "")
    ]
    return _topic_page(application, topic, {**application.answers, **typed}, stored=stored)


def _after_topic(application: Application, topic: Topic, then: str) -> str:
    if application.status != "draft":
        return url_for("materials.slots", application_id=application.id)
    follows = filing.topic_after(topic.key, application.answers)
    if then == "next" and follows is not None:
        return url_for("applications.topic", application_id=application.id, topic=follows.key)
    return url_for("applications.tasks", application_id=application.id)


@bp.post("/applications/<int:application_id>/autosave")
@filer
def autosave(application_id: int) -> Response | tuple[Response, int]:
    """Keep what is being typed; 409 with the stored texts when another window was first."""
    body: Any = request.get_json(silent=True)
    fields = body.get("fields") if isinstance(body, dict) else None
    revision = body.get("revision") if isinstance(body, dict) else None
    if not isinstance(fields, dict) or not isinstance(revision, int) or isinstance(revision, bool):
        raise Invalid(N_("表单内容不对，请刷新页面后重试。"))
    texts = filing.known_fields(fields)
    if len(texts) != len(fields):
        raise Invalid(N_("表单内容不对，请刷新页面后重试。"))
    try:
        saved = service.save_answers(actor(), application_id, texts, revision=revision, now=now())
    except Stale:
        stored = service.get_own(actor(), application_id)
        answers = {k: stored.answers.get(k, "") for k in texts}
        return jsonify(revision=stored.revision, fields=answers), 409
    return jsonify(revision=saved.revision, saved_at=f"{shanghai_time(saved.updated_at):%H:%M}")


@bp.get("/areas/<code>/below")
@filer
def areas_below(code: str) -> Response:
    """The zones and buildings of a town as (code, name) pairs, for the form's script."""
    town = areas.by_code(code[:40])
    if town is None or town.kind != AreaKind.TOWN:
        raise NotFound()
    below = areas.places_below(town.id)
    return jsonify({k: [[a.code, a.name] for a in below if a.kind == k] for k in (AreaKind.ZONE, AreaKind.BUILDING)})


def _check_page(application: Application, error: DomainError | None = None) -> str:
    """All answers and materials, the commitment, and the button; after submission the same page to read and print."""
    at = now()
    options, rows = service.lookup_options(application.answers), _rows(application)
    place = filing.place_of(application, at) if application.status == "draft" else None
    reading = service.read(application, at, place=place)
    editable = filing.may_edit_form(application, rows)
    route = service.route_of(application, reading, at, place) if place else None
    return render_template(
        "applications/check.html",
        application=application,
        sections=filing.sections(application, reading, options, editable=editable),
        route=route,
        because=routing_words.of(route.because()) if route else None,
        slots=_planned(application, reading, rows, route),
        correcting=application.status != "draft" and editable,
        fixed=ROUTING_KEYS,
        today=shanghai_day(at),
        error=say(error) if error else "",
        reasons=[say(r) for r in error.reasons] if isinstance(error, StepClosed) else [],
    )


def _planned(
    application: Application, reading: Any, rows: list[materials.Material], route: service.Route | None
) -> list[dict[str, Any]]:
    """The slots with their files, as the check page lists them."""
    planned: list[tuple[str, bool, materials.Material | None]] = [(m.slot, m.required, m) for m in rows]
    if application.status == "draft":
        wanted = service.planned_materials(application, reading, now(), route)
        planned = [(rule.slot, rule.required, row) for rule, row in wanted if row or rule.required]
    return [filing.slot_view(application, key, row, required=need, correcting=False) for key, need, row in planned]


@bp.get("/applications/<int:application_id>/check")
@filer
def check(application_id: int) -> str:
    """Check your answers, then submit; of a submitted application: read and print."""
    application = service.get_own(actor(), application_id)
    if application.status == "discarded":
        raise NotFound()
    return _check_page(application)


@bp.post("/applications/<int:application_id>/submit")
@filer
def submit(application_id: int) -> Response | tuple[str, int]:
    """Submit the draft as a case; whoever sends it twice finds the one case."""
    application = service.get_own(actor(), application_id)
    done = url_for("applications.submitted", application_id=application_id)
    if application.status == "submitted":
        return redirect(done, 303)
    committed = request.form.get("committed") == "yes"
    try:
        service.submit(actor(), application_id, revision=_revision(), committed=committed, now=now())
    except (Invalid, Stale, StepClosed) as error:
        db.session.rollback()
        return _check_page(application, error), error.status
    after_commit(current_app.extensions["wake_worker"])
    return redirect(done, 303)


@bp.get("/applications/<int:application_id>/submitted")
@filer
def submitted(application_id: int) -> str:
    """The confirmation: reference, receipt, expected times and what happens next."""
    application = service.get_own(actor(), application_id)
    case = application.case
    if case is None:
        raise NotFound()
    documents = issued.of_case(case.id)
    receipt = next((d for d in documents if d.kind == DocumentKind.RECEIPT), None)
    steps, paper = filing.expected_times(case.flow), notice_name(case.flow)
    page = {"case": case, "receipt": receipt, "steps": steps, "notice_name": paper}
    return render_template("applications/submitted.html", application=application, **page)


@bp.post("/applications/<int:application_id>/discard")
@filer
def discard(application_id: int) -> Response:
    """Put a draft away."""
    service.discard(actor(), application_id, now())
    flash(_("草稿已删除。"), "info")
    return redirect(url_for("applications.home"), 303)

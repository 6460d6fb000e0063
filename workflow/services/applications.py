"""Applications: starting one from the last, saving answers as typed, the task list, and submission as a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflow.core.actors import Actor
from workflow.core.answers import Reading
from workflow.core.errors import N_, Invalid, NotFound, Stale, StepClosed
from workflow.core.flow import MaterialRule
from workflow.core.questions import QUESTIONS, ROUTING_KEYS, TOPIC_OF, topics_for
from workflow.core.times import shanghai_day
from workflow.data import applications, areas, audit, cases, catalogue, enterprises, materials
from workflow.data.applications import Application
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.enterprises import visible_to as visible_enterprises
from workflow.data.materials import FORM_SLOT, Material
from workflow.data.sequences import next_number
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import routes
from workflow.services.reading import answer_context as answer_context
from workflow.services.reading import kept_facts
from workflow.services.reading import lookup_options as lookup_options
from workflow.services.reading import read as read
from workflow.services.routes import Place
from workflow.services.routes import Route as Route

LONGEST_RAW = 20_000


class TaskState(StrEnum):
    """The state of a row of the task list."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    LOCKED = "locked"
    NEEDS_CORRECTION = "needs_correction"


@dataclass(frozen=True, slots=True)
class Task:
    """A row of the task list; ``key`` is a topic, ``materials`` or ``submit``."""

    key: str
    label: str
    state: TaskState
    left: int = 0


def get(actor: Actor, application_id: int) -> Application:
    """The application, when the actor may see it."""
    application = db.session.scalar(applications.visible_to(actor).where(Application.id == application_id))
    if application is None:
        raise NotFound(N_("没有找到此申请，或您无权查看。"))
    return application


def get_own(actor: Actor, application_id: int) -> Application:
    """The application, when it belongs to a company of the actor."""
    application = get(actor, application_id)
    if application.enterprise_id not in actor.enterprise_ids:
        raise NotFound(N_("没有找到此申请，或您无权查看。"))
    return application


def own_locked(actor: Actor, application_id: int) -> Application:
    """The application of a company of the actor, with its case if it has one, locked until the transaction ends.

    Two windows that save or submit at once are thereby put in order: the second sees what the first did.
    """
    get_own(actor, application_id)
    application = applications.lock(application_id)
    if application.case_id is not None:
        cases.lock(application.case_id)
    return application


def start(actor: Actor, enterprise_id: int, now: dt.datetime) -> Application:
    """Begin an application, filled from the enterprise's last one; gives back a draft that is already open."""
    enterprise = db.session.scalar(visible_enterprises(actor).where(Enterprise.id == enterprise_id))
    if enterprise is None:
        raise NotFound()
    enterprises.lock(enterprise_id)  # two windows that begin at once get one draft
    draft = next((a for a in applications.own(actor) if a.enterprise_id == enterprise_id and a.status == "draft"), None)
    if draft is not None:
        return draft
    before = applications.newest_submitted(enterprise_id)
    answers = {k: v for k, v in {**enterprise.profile}.items() if k in QUESTIONS and k != "resume_on"}
    application = Application(
        enterprise=enterprise,
        answers=answers,
        based_on_id=before.id if before else None,
        created_by=actor.person_id,
        created_at=now,
        updated_at=now,
    )
    db.session.add(application)
    db.session.flush()
    after = {"application": application.id, "based_on": application.based_on_id}
    audit.record(audit.APPLICATION_STARTED, chain=f"enterprise:{enterprise_id}", actor=actor, at=now, after=after)
    return application


def discard(actor: Actor, application_id: int, now: dt.datetime) -> None:
    """Put a draft away; nothing is deleted."""
    application = own_locked(actor, application_id)
    if application.status != "draft":
        raise StepClosed(N_("已提交的申请不能删除，可以撤回。"))
    application.status, application.updated_at = "discarded", now


def save_answers(
    actor: Actor, application_id: int, fields: Mapping[str, str], *, revision: int | None, now: dt.datetime
) -> Application:
    """Keep raw answers as typed, right or wrong; :class:`Stale` when somebody else saved after ``revision``.

    While a case is being corrected only the form's own answers may change, and only when the form was flagged and
    the answer does not decide who reviews the case.
    """
    application = own_locked(actor, application_id)
    unknown = set(fields) - set(QUESTIONS)
    if unknown or any(len(v) > max(LONGEST_RAW, QUESTIONS[k].longest) for k, v in fields.items()):
        raise Invalid(N_("表单内容不对，请刷新页面后重试。"))
    if revision is not None and revision != application.revision:
        raise Stale(N_("另一窗口或另一位同事已修改了这份申请，您刚填的内容没有保存，请核对后再存。"))
    changed = {k: v for k, v in fields.items() if application.answers.get(k, "") != v}
    if not changed:
        return application
    if application.status != "draft":
        _allow_correction(application, changed, actor, now)
    application.answers = {**application.answers, **changed}
    application.revision += 1
    application.updated_at = now
    return application


def _allow_correction(application: Application, changed: Mapping[str, str], actor: Actor, now: dt.datetime) -> None:
    case = application.case
    form = next((m for m in materials.of_application(application.id) if m.slot == FORM_SLOT), None)
    if case is None or form is None or not form.is_flagged or not _is_correcting(case):
        raise StepClosed(N_("申请已提交，不能再修改；如需更正，请等待补正通知或撤回重报。"))
    if set(changed) & ROUTING_KEYS:
        raise Invalid(N_("镇街、规模、人数等决定办理流程的内容不能在补正中修改，请撤回后重新申请。"))
    form.content_rev += 1
    after = {"application": application.id, "questions": sorted(changed)}
    chain = f"town:{case.town_id}"
    audit.record(audit.FORM_CORRECTED, chain=chain, actor=actor, at=now, case_id=case.id, after=after)


def _is_correcting(case: Case) -> bool:
    """Whether the company's turn is to correct: some step of the form ``correct`` leaves the present state."""
    return any(s.form == "correct" for s in case.flow.steps_from(case.state))


def route_of(application: Application, reading: Reading, now: dt.datetime, place: Place | None = None) -> Route | None:
    """The flow that the clean answers lead to; None while they don't decide it yet."""
    return routes.route_of(reading, application.enterprise_id, now, place)


def ensure_materials(application: Application, reading: Reading, now: dt.datetime) -> list[Material]:
    """Bring the draft's slots in line with its answers: adds missing ones, drops those that never had a file."""
    route = route_of(application, reading, now)
    existing = {m.slot: m for m in materials.of_application(application.id)}
    if route is None or route.needs_no_filing or application.status != "draft":
        return list(existing.values())
    rules = route.materials
    for position, rule in enumerate(rules):
        material = existing.pop(rule.slot, None)
        if material is None:
            material = Material(application_id=application.id, slot=rule.slot)
            db.session.add(material)
        material.required, material.position = rule.required, position
    for material in existing.values():
        material.required = False
        if not material.files:
            db.session.delete(material)
    db.session.flush()
    return materials.of_application(application.id)


def planned_materials(
    application: Application, reading: Reading, now: dt.datetime, route: Route | None = None
) -> list[tuple[MaterialRule, Material | None]]:
    """The slots as the page shows them, without writing: each rule with its row, if it has one already.

    ``route`` saves asking the rules again when the caller has done so.
    """
    rows = {m.slot: m for m in materials.of_application(application.id)}
    route = route or route_of(application, reading, now)
    if route is None or route.needs_no_filing:
        return []
    return [(rule, rows.get(rule.slot)) for rule in route.materials]


def _topic_task(topic_key: str, label: str, application: Application, reading: Reading) -> Task:
    keys = [k for k, t in TOPIC_OF.items() if t == topic_key]
    wrong = [k for k in reading.errors if TOPIC_OF[k] == topic_key]
    answered = [k for k in keys if application.answers.get(k)]
    state = TaskState.DONE if not wrong else TaskState.IN_PROGRESS if answered else TaskState.NOT_STARTED
    return Task(topic_key, label, state, len(wrong))


def task_list(
    application: Application, now: dt.datetime, reading: Reading | None = None, route: Route | None = None
) -> list[Task]:
    """The rows of the task list: topics, materials, submission; states follow from the stored answers and files.

    ``reading`` and ``route`` save doing that again when the caller has done so.
    """
    reading = reading or read(application, now)
    tasks = [_topic_task(t.key, t.label, application, reading) for t in topics_for(application.answers)]
    planned = planned_materials(application, reading, now, route)
    due = [(rule, row) for rule, row in planned if rule.required and rule.slot != FORM_SLOT]
    missing = [rule for rule, row in due if row is None or not row.current_files]
    if not planned:
        tasks.append(Task("materials", N_("上传材料"), TaskState.LOCKED))
    else:
        begun = len(missing) < len(due)
        state = TaskState.DONE if not missing else TaskState.IN_PROGRESS if begun else TaskState.NOT_STARTED
        tasks.append(Task("materials", N_("上传材料"), state, len(missing)))
    ready = all(t.state is TaskState.DONE for t in tasks)
    tasks.append(Task("submit", N_("核对并提交"), TaskState.NOT_STARTED if ready else TaskState.LOCKED))
    return tasks


def _case_values(application: Application, reading: Reading, route: Route, now: dt.datetime) -> dict[str, object]:
    clean = reading.clean
    town = areas.by_code(str(clean["town"]))
    zone = areas.by_code(str(clean["zone"])) if "zone" in clean else None
    building = areas.by_code(str(clean["building"])) if "building" in clean else None
    if town is None or town.county_id is None:
        raise Invalid(N_("请选择所在区域。"), field="town")
    county = db.session.get_one(Area, town.county_id)
    day = shanghai_day(now)
    serial = next_number(f"reference:{county.code}:{day.isoformat()}")
    return {
        "reference": f"复工-{county.short_name}-{day:%Y%m%d}-{serial:04d}",
        "enterprise_id": application.enterprise_id,
        "enterprise_name": str(clean["name"]),
        "routed_because": route.because(),
        "city_id": town.city_id,
        "county_id": county.id,
        "town_id": town.id,
        "zone_id": zone.id if zone else (building.zone_id if building else None),
        "building_id": building.id if building else None,
        "bureau": catalogue.bureau_of(str(clean["sector"])),
        "sector": str(clean["sector"]),
        "resuming_count": clean["resuming_count"],
        "resume_on": clean["resume_on"],
        "facts": kept_facts(clean),
    }


def submit(actor: Actor, application_id: int, *, revision: int, committed: bool, now: dt.datetime) -> Case:
    """Submit a draft: choose the flow, open the case under its present version and take its first step.

    Raises :class:`Invalid` when answers or materials are missing or the commitment is not confirmed.
    """
    application = own_locked(actor, application_id)
    if application.status != "draft":
        raise StepClosed(N_("这份申请已经提交过了。"))
    if revision != application.revision:
        raise Stale(N_("申请内容刚被修改过，请重新核对后再提交。"))
    if not committed:
        raise Invalid(N_("请先阅读并确认承诺书。"), field="committed")
    reading = read(application, now)
    if reading.errors:
        raise Invalid(N_("还有 %(n)s 处没有填好，请回到任务清单逐项完成。"), n=len(reading.errors))
    route = route_of(application, reading, now)
    if route is None:
        raise Invalid(N_("暂时没有适用于贵企业的办理流程，请联系所在镇街专班。"))
    if route.version is None:
        raise Invalid(N_("按现行规则，贵企业复工不需要申请，无须提交。"))
    ensure_materials(application, reading, now)
    case = cases.begin(_case_values(application, reading, route, now), flow_version=route.version, at=now)
    application.status, application.case, application.updated_at = "submitted", case, now
    first = next(iter(route.flow.steps_from(case.state)))
    db.session.flush()
    case_service.perform(actor, case.id, first.action, version=case.version, now=now)
    application.enterprise.name = case.enterprise_name
    application.enterprise.profile = dict(application.answers)
    return case

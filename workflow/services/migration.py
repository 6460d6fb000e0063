"""Moving open cases to a published version of their flow: a preview for each, one by one or many at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from workflow.core.actors import Actor
from workflow.core.effects import Effect
from workflow.core.errors import N_, DomainError, Invalid, NotPermitted, Reason, Stale, StepClosed
from workflow.core.flow import Flow, MaterialRule
from workflow.core.moving import hindrance
from workflow.core.tables import Label
from workflow.core.tailoring import read_tailoring, steps_led_around
from workflow.data import applications, audit, cases, materials, opinions
from workflow.data.applications import Application
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.flows import FlowVersion, tailored_engine
from workflow.data.materials import FORM_SLOT, Material, MaterialFile
from workflow.extensions import db
from workflow.services import drafts, releases
from workflow.services import opinions as opinion_service
from workflow.services.case_facts import facts_of_case
from workflow.services.telling import tell_company

_MOVED = Label("案件转到新版办理流程", "The case goes on by a new version of its flow")
MOST_AT_ONCE = 200
_TAILORED = Reason(N_("这个案件的一企一策调整在新版本里放不下"))


@dataclass(frozen=True, slots=True)
class Fit:
    """One open case and the new version: ``reason`` says why it can't be moved, ``lacking`` names slots without a
    file that the new version requires; ``state`` is where the case stands in its own flow."""

    case: Case
    state: Label
    reason: Reason | None
    lacking: tuple[str, ...]

    @property
    def may_move(self) -> bool:
        """Whether the case can go on in the new version."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class MoveResult:
    """One case after the attempt: ``refusal`` is None when it was moved."""

    case_id: int
    refusal: DomainError | None


def in_area(area: Area | None) -> ColumnElement[bool]:
    """The condition that a case lies in ``area``; every case lies everywhere (None)."""
    if area is None:
        return Case.id > 0
    return or_(Case.city_id == area.id, Case.county_id == area.id, Case.town_id == area.id)


def _scope(actor: Actor, version: FlowVersion) -> list[ColumnElement[bool]]:
    """Open cases of the version's flow and area that go by another version."""
    area = db.session.get(Area, version.area_id) if version.area_id else None
    same_key = select(FlowVersion.id).where(FlowVersion.key == version.key, FlowVersion.id != version.id)
    return [cases.reach(actor), in_area(area), Case.is_open.is_(True), Case.flow_version_id.in_(same_key)]


def target(actor: Actor, version_id: int) -> FlowVersion:
    """The version that cases are to be moved to; :class:`NotPermitted` outside the actor's areas."""
    version = releases.get("flow", version_id)
    if not isinstance(version, FlowVersion):
        raise TypeError("a flow version was asked for")
    area = db.session.get(Area, version.area_id) if version.area_id else None
    if not drafts.may_publish_for(actor, area):
        raise NotPermitted()
    return version


def count(actor: Actor, version: FlowVersion) -> int:
    """How many open cases of the same flow and area go by another version."""
    return int(db.session.scalar(select(func.count()).select_from(Case).where(*_scope(actor, version))) or 0)


def preview(actor: Actor, version: FlowVersion, after: int = 0) -> list[Fit]:
    """The next :data:`MOST_AT_ONCE` cases behind the case ``after``: whether each may move, and what it lacks."""
    query = select(Case).where(*_scope(actor, version), Case.id > after).order_by(Case.id).limit(MOST_AT_ONCE)
    found = db.session.scalars(query.options(joinedload(Case.flow_version), joinedload(Case.county))).all()
    have = slots_with_content([c.id for c in found])
    return [fit_of(c, version, have.get(c.id, frozenset())) for c in found]


def outcome(actor: Actor, version: FlowVersion, case_ids: Sequence[int]) -> tuple[list[Case], list[Fit]]:
    """Of the cases that the actor sees: those that go by ``version`` now, and the open ones that still do not."""
    moved = cases.visible_to(actor).where(Case.id.in_(case_ids), Case.flow_version_id == version.id)
    left = select(Case).where(*_scope(actor, version), Case.id.in_(case_ids)).order_by(Case.id)
    found = db.session.scalars(left.options(joinedload(Case.flow_version), joinedload(Case.county))).all()
    fits = [fit_of(c, version, frozenset()) for c in found]
    return list(db.session.scalars(moved.order_by(Case.id))), fits


def slots_with_content(case_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """The slots that have a file now, by case, in one statement."""
    query = (
        select(Application.case_id, Material.slot)
        .join(Material, Material.application_id == Application.id)
        .join(MaterialFile, MaterialFile.material_id == Material.id)
        .where(Application.case_id.in_(case_ids), MaterialFile.removed_at.is_(None))
        .distinct()
    )
    held: dict[int, set[str]] = {}
    for case_id, slot in db.session.execute(query):
        held.setdefault(case_id or 0, set()).add(slot)
    return {case_id: frozenset(slots) for case_id, slots in held.items()}


def fit_of(case: Case, version: FlowVersion, have: frozenset[str]) -> Fit:
    """Whether ``case`` can go on by ``version``, and what it would lack."""
    new = tailored_engine(version.text, case.tailoring).flow
    reason = hindrance(case.flow, new, case.state) or _lost_tailoring(case, new)
    lacking = [m.slot for m in slots_asked(case, new) if m.required and m.slot not in have and m.slot != FORM_SLOT]
    return Fit(case, case.flow.state(case.state).label, reason, tuple(lacking))


def _lost_tailoring(case: Case, new: Flow) -> Reason | None:
    """Why what was tailored for a case can't be kept in ``new``, which has it worked in as far as that went."""
    tailoring = read_tailoring(case.tailoring)
    kept_steps = all(s.state in new.states for s in tailoring.extra_steps)
    kept_days = all(k in new.states and new.state(k).days is not None for k, _days in tailoring.longer)
    if kept_steps and kept_days and not steps_led_around(case.flow, new, tailoring, case.state):
        return None
    return _TAILORED


def slots_asked(case: Case, flow: Flow) -> list[MaterialRule]:
    """The slots that ``flow`` asks such an enterprise for; what the rules had added besides stays as it is."""
    facts = facts_of_case(case)
    return [m for m in flow.materials if m.when.holds(facts)]


def move(actor: Actor, case_id: int, version: FlowVersion, *, case_version: int, now: dt.datetime) -> Case:
    """Let one open case go on by ``version``: its clock starts by the new days, missing slots are added, the company
    is told.

    Raises :class:`StepClosed` with the reason where the case has no place in it, :class:`Stale` when it was changed.
    """
    case = cases.lock_visible(actor, case_id)
    if case is None or db.session.scalar(select(Case.id).where(Case.id == case_id, *_scope(actor, version))) is None:
        raise StepClosed(N_("这个案件已办结、已转到新版本，或不属于这个流程。"))
    if case.version != case_version:
        raise Stale()
    fit = fit_of(case, version, frozenset())
    if fit.reason is not None:
        raise StepClosed(N_("不能转到新版本。"), reasons=(fit.reason,))
    before, asked_before = case.flow_version_id, slots_asked(case, case.flow)
    case.flow_version = version
    case.permits = case.flow.state(case.state).permits
    case.restart_clock(now)
    added = _change_slots(case, asked_before)
    _ask_what_was_passed(case, actor, now)
    db.session.flush()
    audit.record(
        audit.FLOW_MIGRATED,
        chain=f"town:{case.town_id}",
        actor=actor,
        at=now,
        case_id=case.id,
        before={"flow_version": before},
        after={"flow_version": version.id, "added": added},
    )
    tell_company(case, str(audit.FLOW_MIGRATED), _MOVED, now)
    return case


def _ask_what_was_passed(case: Case, actor: Actor, now: dt.datetime) -> None:
    """Ask the departments that the new version hears and nobody has asked in this cycle, unless the case still comes
    to the step that asks them: a decision must not slip past an opinion because the case was moved."""
    if not case.is_open or any(Effect.ASK_OPINIONS in s.effects for s in case.flow.steps_from(case.state)):
        return
    asked = {r.department for r in opinions.of_case(case.id) if r.cycle == case.cycle and r.status != "withdrawn"}
    facts = facts_of_case(case)
    for rule in case.flow.opinions:
        if rule.department not in asked and rule.when.holds(facts):
            opinion_service.ask(case, rule.department, rule.days, "", actor, now)


def _change_slots(case: Case, before: list[MaterialRule]) -> list[str]:
    """Add the slots that are missing, and require what the flow requires now; returns the keys of the new ones."""
    application = applications.of_case(case.id)
    rows = {m.slot: m for m in materials.of_application(application.id)}
    asked = slots_asked(case, case.flow)
    added = []
    for position, rule in enumerate(asked):
        material = rows.get(rule.slot)
        if material is None:
            material = Material(application_id=application.id, slot=rule.slot, position=position)
            db.session.add(material)
            added.append(rule.slot)
        material.required = rule.required
    for slot in {m.slot for m in before} - {m.slot for m in asked}:
        if slot in rows:
            rows[slot].required = False
    return added


def move_many(
    actor: Actor, version: FlowVersion, wanted: Sequence[tuple[int, int]], now: dt.datetime
) -> list[MoveResult]:
    """Move each ``(case id, case version)`` in a savepoint of its own; one refusal does not stop the others."""
    if not wanted:
        raise Invalid(N_("请先勾选案件。"), field="case")
    if len(dict(wanted)) > MOST_AT_ONCE:
        raise Invalid(N_("一次最多办理 %(n)s 件。"), field="case", n=MOST_AT_ONCE)
    cases.lock_all(actor, list(dict(wanted)))  # all locks before the first history row, in one order
    return [MoveResult(i, _try(actor, i, version, case_version, now)) for i, case_version in dict(wanted).items()]


def _try(actor: Actor, case_id: int, version: FlowVersion, case_version: int, now: dt.datetime) -> DomainError | None:
    try:
        with db.session.begin_nested():
            move(actor, case_id, version, case_version=case_version, now=now)
    except DomainError as error:
        return error
    except StaleDataError:
        return Stale()
    return None

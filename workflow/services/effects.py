"""What follows from a move: one function for each named effect, in the move's own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from workflow.core.actors import COMPANY_ROLES, Actor
from workflow.core.effects import Effect
from workflow.core.engine import Move
from workflow.core.errors import N_, Invalid
from workflow.core.facts import Verdict
from workflow.data import applications, audit, inspections, materials, passes
from workflow.data.applications import Application
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.services import issuing, notices, opinions, pass_life, reading, sampling
from workflow.services.case_facts import facts_of_case
from workflow.services.telling import tell_company


@dataclass(frozen=True, slots=True)
class Occasion:
    """The move that was applied, to which case, by whom and when.

    ``follow`` collects steps that the system is to take right after it, each with its words.
    """

    case: Case
    move: Move
    actor: Actor
    now: dt.datetime
    follow: list[tuple[str, str]] = field(default_factory=list)


def _issue_receipt(occasion: Occasion) -> None:
    issuing.issue_receipt(occasion.case, occasion.actor, occasion.now)


def _send_one_time_notice(occasion: Occasion) -> None:
    issuing.issue_correction_notice(occasion.case, occasion.move.note, occasion.actor, occasion.now)


def _open_next_round(occasion: Occasion) -> None:
    """Count the round up; what was flagged is pending again, what conformed stays settled."""
    occasion.case.round += 1
    application = applications.of_case(occasion.case.id)
    for material in materials.of_application(application.id):
        if material.slot == materials.FORM_SLOT and material.changed_since_verdict:
            _take_over_form(occasion.case, application, occasion.now)
        if material.is_flagged:
            material.verdict = Verdict.PENDING.value


def _take_over_form(case: Case, application: Application, now: dt.datetime) -> None:
    """The case and the enterprise's profile follow the corrected form; :class:`Invalid` while it has errors."""
    found = reading.read(application, now)
    if found.errors:
        raise Invalid(N_("还有 %(n)s 处没有填好，请回到任务清单逐项完成。"), n=len(found.errors))
    case.enterprise_name = case.enterprise.name = str(found.clean["name"])
    case.resuming_count = cast("int", found.clean["resuming_count"])
    case.resume_on = cast("dt.date", found.clean["resume_on"])
    case.facts = reading.kept_facts(found.clean)
    case.enterprise.profile = dict(application.answers)


def _issue_inspection_sheet(occasion: Occasion) -> None:
    visit = inspections.of_case(occasion.case.id)[-1]
    issuing.issue_inspection_sheet(occasion.case, visit, occasion.actor, occasion.now)


def _cancel_inspection(occasion: Occasion) -> None:
    for visit in inspections.of_case(occasion.case.id):
        if visit.status == "planned":
            visit.status = "cancelled"


def _issue_notice(occasion: Occasion) -> None:
    issuing.issue_notice(occasion.case, occasion.actor, occasion.now)


def _file_with_city(occasion: Occasion) -> None:
    """Report the approval to the city's leading group: the instant is kept and shown, and history says so."""
    occasion.case.city_filed_at = occasion.now
    audit.record(
        audit.CITY_FILED,
        chain=f"town:{occasion.case.town_id}",
        actor=occasion.actor,
        at=occasion.now,
        case_id=occasion.case.id,
    )


def _start_new_cycle(occasion: Occasion) -> None:
    occasion.case.cycle += 1
    occasion.case.round += 1


def _ask_opinions(occasion: Occasion) -> None:
    """Ask every department that the flow names for such an enterprise."""
    facts = facts_of_case(occasion.case)
    for rule in occasion.case.flow.opinions:
        if rule.when.holds(facts):
            opinions.ask(occasion.case, rule.department, rule.days, "", occasion.actor, occasion.now)


def _draw_sample(occasion: Occasion) -> None:
    """Draw the case's lot; who is drawn goes on to the flow's post-check at once."""
    drawn = sampling.draw_for(occasion.case, occasion.actor, occasion.now)
    if drawn.drawn:
        occasion.follow.append((occasion.case.flow.sampled, f"{drawn.value:.6f} < {drawn.percent}"))


def _pass_words(occasion: Occasion) -> str:
    """Why the passes change: what was written for the step, else what the step is called."""
    return occasion.move.note or occasion.move.step.done.zh


def _change_passes(occasion: Occasion, found: list[VehiclePass], status: str, *, with_case: bool = False) -> None:
    words = _pass_words(occasion)
    pass_life.settle_all(found, status, occasion.actor, occasion.now, words, with_case=with_case)


def _revoke_passes(occasion: Occasion) -> None:
    """Every pass of the case that stands is revoked in the same commit; what was only asked for is refused."""
    all_of_case = passes.of_case(occasion.case.id)
    for source, status in (("granted", "revoked"), ("suspended", "revoked"), ("requested", "refused")):
        _change_passes(occasion, [p for p in all_of_case if p.status == source], status)


def _suspend_passes(occasion: Occasion) -> None:
    """Every pass that is granted is suspended with its case; requests wait, as nothing is granted meanwhile."""
    found = [p for p in passes.of_case(occasion.case.id) if p.status == "granted"]
    _change_passes(occasion, found, "suspended", with_case=True)


def _resume_passes(occasion: Occasion) -> None:
    """What was suspended with the case comes back with it; what an officer suspended by itself stays so."""
    found = [p for p in passes.of_case(occasion.case.id) if p.status == "suspended" and p.with_case]
    _change_passes(occasion, found, "granted")


def _tell_company(occasion: Occasion) -> None:
    step = occasion.move.step
    tell_company(occasion.case, step.action, step.done, occasion.now)


HANDLERS: Mapping[Effect, Callable[[Occasion], None]] = {
    Effect.ISSUE_RECEIPT: _issue_receipt,
    Effect.SEND_ONE_TIME_NOTICE: _send_one_time_notice,
    Effect.OPEN_NEXT_ROUND: _open_next_round,
    Effect.ISSUE_INSPECTION_SHEET: _issue_inspection_sheet,
    Effect.CANCEL_INSPECTION: _cancel_inspection,
    Effect.ISSUE_NOTICE: _issue_notice,
    Effect.FILE_WITH_CITY: _file_with_city,
    Effect.START_NEW_CYCLE: _start_new_cycle,
    Effect.TELL_COMPANY: _tell_company,
    Effect.ASK_OPINIONS: _ask_opinions,
    Effect.DRAW_SAMPLE: _draw_sample,
    Effect.REVOKE_PASSES: _revoke_passes,
    Effect.SUSPEND_PASSES: _suspend_passes,
    Effect.RESUME_PASSES: _resume_passes,
}
"""Every effect of the vocabulary has a handler (a test compares the two)."""


def carry_out(occasion: Occasion) -> None:
    """Carry out the effects of a move, in the order of the flow file."""
    for effect in occasion.move.effects:
        HANDLERS[effect](occasion)
    if occasion.move.step.role in COMPANY_ROLES:
        notices.tell_of_return(occasion.case, occasion.now)

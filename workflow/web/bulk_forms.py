"""The previews of bulk work: which step, who, when or which opinion, for each case that the act is open for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template, request
from flask_babel import gettext as _

from workflow.core.errors import Invalid
from workflow.core.flow import Step
from workflow.data.cases import Case
from workflow.i18n import reader_locale, say
from workflow.services import assignment, bulk, bulk_acts
from workflow.services.bulk_acts import ACTS
from workflow.web.access import actor
from workflow.web.clock import now

MOST_PLACES = 12
"""Of so many different places and roles at most the people are listed; beyond that the rules choose."""


def _person() -> int | None:
    text = request.form.get("person", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def params_of(action: str, count: int) -> dict[str, Any]:
    """The job's parameters as they were typed; :class:`Invalid` for a day that is none."""
    form = request.form
    if action in ("accept", "decide"):
        return {"step": form.get("step", "")[:60]}
    if action == "assign":
        return {"person_id": _person()}
    if action == "schedule":
        planned = bulk_acts.plan_day(form.get("day", ""), form.get("start", ""), form.get("minutes", ""), max(count, 1))
        return {**planned, **_inspectors(), "meeting_point": form.get("meeting_point", "")[:200]}
    return {}


def _inspectors() -> dict[str, int]:
    chosen = {k: form for k in ("lead_id", "second_id") if (form := request.form.get(k, "")).isdigit()}
    if len(chosen) < 2:
        raise Invalid(_("请选择两名核查员。"), field="lead_id" if "lead_id" not in chosen else "second_id")
    if chosen["lead_id"] == chosen["second_id"]:
        raise Invalid(_("需要两名不同的核查员"), field="second_id")
    return {k: int(v[:18]) for k, v in chosen.items()}


def _people(found: Sequence[Case]) -> list[tuple[int, str, int]]:
    """Whom some of the cases can be given to, with how many open cases each has; absent people are left out."""
    groups = {(case.town_id, case.holder, case.bureau): case for case in found if assignment.waits_for_staff(case)}
    people: dict[int, tuple[str, int]] = {}
    for case in list(groups.values())[:MOST_PLACES]:
        for line in assignment.candidates_for(case, now()):
            if not line.is_absent:
                people.setdefault(line.person_id, (line.name, line.open_cases))
    return [(person_id, name, load) for person_id, (name, load) in sorted(people.items(), key=lambda p: p[1][1])]


def _step_of(offered: Sequence[tuple[Step, int]]) -> str:
    """The step that was chosen, else accepting, else the commonest; never a refusal unless it is chosen."""
    keys = [step.action for step, _count in sorted(offered, key=lambda found: found[0].tone == "danger")]
    wanted = request.form.get("step", "")
    return wanted if wanted in keys else "accept" if "accept" in keys else keys[0] if keys else ""


def page(action: str, found: Sequence[Case], error: Invalid | None) -> tuple[str, int]:
    """The preview of ``action`` for the cases; with ``error`` what was typed stays, and it says what is wrong."""
    params: dict[str, Any] = {}
    context: dict[str, Any] = {}
    if action in ("accept", "decide"):
        fits = bulk_acts.is_plain if action == "accept" else bulk_acts.is_decision
        offered = bulk_acts.steps_on_offer(actor(), found, fits)
        params["step"] = _step_of(offered)
        chosen = next((s for s, _n in offered if s.action == params["step"]), None)
        context = {"offered": offered, "step": chosen, "verb": chosen.label.text(reader_locale()) if chosen else ""}
    elif action == "assign":
        params["person_id"] = _person()
        context = {"people": _people(found), "person_id": params["person_id"]}
    elif action == "schedule":
        context = {"inspectors": bulk_acts.inspectors_for(found, now())}
    rows = bulk.preview(actor(), found, action, params, now())
    body = render_template(
        "bulk/preview.html",
        action=action,
        act=ACTS[action],
        rows=rows,
        ready=[r for r in rows if r.is_open],
        shut=[r for r in rows if not r.is_open],
        error=say(error) if error else "",
        field=error.field if error else "",
        ids=",".join(str(case.id) for case in found),
        **context,
    )
    return body, 422 if error else 200

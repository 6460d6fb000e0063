"""Who has a case and why, in the reader's words; and what the reader may do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from workflow.core.actors import Actor, Permission
from workflow.core.assignment import RUNG_LABELS, SKIPPED_LABELS, Rung, Skipped
from workflow.data import people
from workflow.data.cases import Case
from workflow.i18n import mark
from workflow.services import assignment


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the case page says of the person who handles it; ``why`` is a sentence, ``passed`` those passed over."""

    name: str
    since: dt.datetime | None
    is_mine: bool
    why: str
    passed: list[str]
    assign_at: dt.datetime | None
    may_claim: bool
    may_take_over: bool
    may_release: bool
    may_assign: bool


def tenths(load: int) -> str:
    """A weighted load as people read it: 4.5."""
    return f"{load / 10:g}"


def _ids(because: Mapping[str, Any]) -> set[int]:
    found = {because.get("covers"), because.get("by"), because.get("from")}
    found |= {p[0] for p in because.get("passed", []) if p}
    return {i for i in found if isinstance(i, int)}


def _by_rule(because: Mapping[str, Any], names: Mapping[int, str]) -> str:
    rung = because.get("rung", "")
    label = _(RUNG_LABELS[Rung(rung)]) if rung in set(Rung) else str(rung)
    words = _("按%(rung)s自动分派", rung=label)
    if because.get("covers"):
        words = _("%(name)s请假，由代办人接收（原按%(rung)s）", name=names.get(because["covers"], ""), rung=label)
    load = _("当时在办 %(n)s 件（加权 %(load)s）", n=because.get("open", 0), load=tenths(int(because.get("load", 0))))
    others = int(because.get("others", 0))
    least = _("，同等的另 %(n)s 人中负荷最轻", n=others) if others else ""
    return f"{words}{mark('：')}{load}{least}"


def _why(because: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """Why the person has the case, or why nobody has it."""
    how, by, note = because.get("how"), names.get(because.get("by") or 0, ""), str(because.get("note", ""))
    words = {
        "rule": lambda: _by_rule(because, names),
        "claimed": lambda: _("本人认领"),
        "acted": lambda: _("由本人办理上一步"),
        "given": lambda: _("由%(name)s指定", name=by),
        "handed_over": lambda: _("由%(name)s移交", name=by),
        "taken": lambda: _("从%(name)s处接手", name=names.get(because.get("from") or 0, _("他人"))),
        "released": lambda: _("%(name)s退回待分派", name=by),
        "nobody": lambda: _("暂无人可以接收，已告知负责人"),
    }.get(str(how))
    text = words() if words else ""
    return f"{text}{mark('：')}{note}" if note else text


def _passed(because: Mapping[str, Any], names: Mapping[int, str]) -> list[str]:
    lines = []
    for person, rung, why in because.get("passed", []):
        if rung in set(Rung) and why in set(Skipped):
            label, reason = _(RUNG_LABELS[Rung(rung)]), _(SKIPPED_LABELS[Skipped(why)])
            lines.append(_("%(name)s（%(rung)s）：%(why)s", name=names.get(person, ""), rung=label, why=reason))
    return lines


def assignment_of(case: Case, who: Actor) -> Assignment | None:
    """What to show a member of staff of the case's assignment; None when it does not wait for the staff."""
    if not assignment.waits_for_staff(case):
        return None
    because = case.assigned_because or {}
    ids = _ids(because) | ({case.assignee_id} if case.assignee_id else set())
    names = people.names_of(ids)
    holds = who.may(Permission.ACT_ON_CASE) and assignment.holds_role(who, case)
    gives, mine = assignment.may_assign(who, case), case.assignee_id == who.person_id
    return Assignment(
        name=names.get(case.assignee_id or 0, ""),
        since=case.assigned_at,
        is_mine=mine,
        why=_why(because, names),
        passed=_passed(because, names),
        assign_at=case.assign_at,
        may_claim=holds and case.assignee_id is None,
        may_take_over=holds and case.assignee_id is not None and not mine,
        may_release=case.assignee_id is not None and (mine or gives),
        may_assign=gives,
    )

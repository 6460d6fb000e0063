"""Assignment: who handles a case, chosen by the rules or by people; each change is one history row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from workflow.core import assignment as rules
from workflow.core.actors import COMPANY_ROLES, ROLE_PERMISSIONS, SYSTEM, Actor, Permission, Role
from workflow.core.assignment import Candidate, Choice, Rung
from workflow.core.errors import N_, DomainError, Invalid, NotFound, NotPermitted, Stale, StepClosed
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import candidates, cases, people
from workflow.data.candidates import Pools
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import notices
from workflow.services.cases import get_locked

RELEASED_WAITS = dt.timedelta(minutes=30)
"""How long a case that was given back waits for somebody to claim it before the rules assign it."""
NOBODY_WAITS = dt.timedelta(minutes=30)
"""After how long a case that nobody could take is tried again."""
MOST_REASON = 200
MOST_AT_ONCE = 500
_STAFF_HOLDS = N_("案件现在由企业办理，不用分派。")
_NOT_OPEN = N_("案件已办结，不再分派。")


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """Somebody whom a case can be given to, with the work in hand; ``rung`` says why this one rather than another."""

    person_id: int
    name: str
    rung: Rung
    load: int
    open_cases: int
    is_absent: bool


@dataclass(frozen=True, slots=True)
class Assigned:
    """What came of one case in an act over many: ``person_id`` has it now, or ``refusal`` says why it stays."""

    case_id: int
    person_id: int | None
    refusal: DomainError | None


def waits_for_staff(case: Case) -> bool:
    """Whether the case is open and one of the staff's roles is to act."""
    return case.is_open and case.holder != "" and Role(case.holder) not in COMPANY_ROLES


def may_assign(actor: Actor, case: Case) -> bool:
    """Whether the actor may give this case to others: by an appointment that covers it."""
    return any(
        Permission.ASSIGN_CASES in ROLE_PERMISSIONS[a.role] and a.covers(case.area_ids, case.bureau)
        for a in actor.appointments
    )


def holds_role(actor: Actor, case: Case) -> bool:
    """Whether the actor holds the role that the case waits for, where it lies."""
    return case.holder in actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)


def _assignable(case: Case) -> None:
    if not case.is_open:
        raise StepClosed(_NOT_OPEN)
    if not waits_for_staff(case):
        raise StepClosed(_STAFF_HOLDS)


def _refuse_close(case: Case, person_id: int, now: dt.datetime) -> None:
    """Raise when the person must keep away from the case."""
    if person_id in candidates.keeping_away([case], now)[case.id]:
        raise StepClosed(N_("此人与该企业有利害关系，或参加过本案核查，应当回避。"))


def _reason(note: str) -> str:
    words = clean_text(note)
    if len(words) > MOST_REASON:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field="note", n=MOST_REASON, m=len(words))
    return words


def _own(actor: Actor, case: Case, now: dt.datetime) -> None:
    if not holds_role(actor, case):
        raise NotPermitted(N_("此案等待的职责您在这里没有担任，不能认领。"))
    _refuse_close(case, actor.person_id, now)


def claim(actor: Actor, case_id: int, version: int, now: dt.datetime) -> Case:
    """Take a case that nobody has.

    Raises :class:`StepClosed` when somebody has it, the company is to act, or the actor must keep away.
    """
    case = get_locked(actor, case_id, version)
    _assignable(case)
    _own(actor, case, now)
    if case.assignee_id == actor.person_id:
        return case
    if case.assignee_id is not None:
        raise StepClosed(N_("此案已有人经办；确需由您办理的，请用“接手”并写明理由。"))
    case.assign(actor.person_id, because={"how": "claimed"}, by=actor, at=now)
    return case


def take_over(actor: Actor, case_id: int, version: int, now: dt.datetime, note: str = "") -> Case:
    """Take a case from whoever has it; the reason is required and is kept with the case."""
    case = get_locked(actor, case_id, version)
    _assignable(case)
    _own(actor, case, now)
    words = _reason(note)
    if case.assignee_id == actor.person_id:
        return case
    if not words:
        raise Invalid(N_("请写明接手的理由。"), field="note")
    before = case.assignee_id
    case.assign(actor.person_id, because={"how": "taken", "from": before, "note": words}, by=actor, at=now)
    _tell([before], "taken_over", case, now)
    return case


def release(actor: Actor, case_id: int, version: int, now: dt.datetime) -> Case:
    """Give a case back: whoever has it, or who may assign; unless it is claimed, the rules assign it after a while."""
    case = get_locked(actor, case_id, version)
    _assignable(case)
    if case.assignee_id is None:
        raise StepClosed(N_("此案现在没有人经办。"))
    if case.assignee_id != actor.person_id and not may_assign(actor, case):
        raise NotPermitted(N_("只有经办人本人或负责人可以退回。"))
    before = case.assignee_id
    case.release(by=actor, at=now, assign_at=now + RELEASED_WAITS)
    case.assigned_because = {"how": "released", "by": before}
    return case


def assign_to(actor: Actor, case_id: int, person_id: int, version: int, now: dt.datetime, note: str = "") -> Case:
    """Give the case to a person who holds its role here, is not on leave and need not keep away."""
    case = get_locked(actor, case_id, version)
    if not may_assign(actor, case):
        raise NotPermitted(N_("您没有在此辖区分派案件的权限。"))
    _assignable(case)
    _give(actor, case, person_id, Pools(now), _reason(note))
    return case


def assign_automatically(actor: Actor, case_id: int, version: int, now: dt.datetime) -> Case:
    """Let the rules choose anew; :class:`StepClosed` when nobody can take it."""
    case = get_locked(actor, case_id, version)
    if not may_assign(actor, case):
        raise NotPermitted(N_("您没有在此辖区分派案件的权限。"))
    _assignable(case)
    _give(actor, case, None, Pools(now), "")
    return case


def _give(
    actor: Actor,
    case: Case,
    person_id: int | None,
    pools: Pools,
    note: str,
    away: frozenset[int] | None = None,
    how: str = "given",
    tell: bool = True,
) -> int:
    """Assign a locked case to ``person_id`` or, without one, by the rules; returns who has it. ``away`` are those who
    must keep away, when the caller has read them for many cases at once."""
    kept_away = candidates.keeping_away([case], pools.now)[case.id] if away is None else away
    task, around = pools.task(case, kept_away), pools.candidates(case)
    because: dict[str, Any]
    if person_id is None:
        choice = rules.choose(task, around)
        if choice is None:
            raise StepClosed(N_("没有可以接收此案的人：本辖区无人担任此职责，或都在请假、须回避。"))
        person_id, because = choice.person_id, choice.because()
    else:
        _check_given(person_id, task, around)
        because = {"how": how, "by": actor.person_id} | ({"note": note} if note else {})
    if case.assignee_id == person_id:
        return person_id
    before = case.assignee_id
    case.assign(person_id, because=because, by=actor, at=pools.now)
    pools.count(case, before, person_id)
    _tell([person_id] if tell and person_id != actor.person_id else [], "assigned", case, pools.now)
    return person_id


def _check_given(person_id: int, task: rules.Task, around: Sequence[Candidate]) -> None:
    found = next((c for c in around if c.person_id == person_id), None)
    if found is None or not found.holds(task):
        raise Invalid(N_("此人没有在本辖区担任此案等待的职责，请另选。"), field="person")
    if person_id in task.conflicted:
        raise Invalid(N_("此人与该企业有利害关系，或参加过本案核查，应当回避。"), field="person")
    if found.is_absent:
        raise Invalid(N_("此人正在请假，请选代办人或其他人。"), field="person")


def candidates_for(case: Case, now: dt.datetime) -> list[CandidateLine]:
    """Whom the case can be given to, as the rules would ask them; absent people stand last."""
    if not waits_for_staff(case):
        return []
    pools = Pools(now)
    task = pools.task(case, candidates.keeping_away([case], now)[case.id])
    fit = [c for c in pools.candidates(case) if c.holds(task) and c.person_id not in task.conflicted]
    names = people.names_of({c.person_id for c in fit})
    order = list(Rung)
    lines = [
        CandidateLine(c.person_id, names[c.person_id], rules.rung_of(c, task), c.load, c.open_cases, c.is_absent)
        for c in fit
    ]
    return sorted(lines, key=lambda x: (x.is_absent, order.index(x.rung), x.load, x.person_id))


def assign_many(
    actor: Actor,
    case_ids: Sequence[int],
    now: dt.datetime,
    *,
    person_id: int | None = None,
    versions: Mapping[int, int] | None = None,
    note: str = "",
    how: str = "given",
    without: frozenset[int] = frozenset(),
) -> list[Assigned]:
    """Assign many cases in one act: to one person, or each by the rules, which see the load grow as they go.

    In the order given; a refusal (not visible, changed since ``versions``, nobody can) changes nothing and does not
    stop the others. Candidates are read once for a town and role; those in ``without`` get nothing.
    """
    wanted = list(dict.fromkeys(case_ids))
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid(N_("一次最多办理 %(n)s 件。"), field="case", n=MOST_AT_ONCE)
    words = _reason(note)
    found = {c.id: c for c in _locked(actor, wanted)}
    away, pools = candidates.keeping_away([c for c in found.values() if waits_for_staff(c)], now), Pools(now)
    results = []
    for case_id in wanted:
        case = found.get(case_id)
        try:
            _check_one(actor, case, (versions or {}).get(case_id))
            person = _give(actor, found[case_id], person_id, pools, words, away[case_id] | without, how, tell=False)
            results.append(Assigned(case_id, person, None))
        except DomainError as error:
            results.append(Assigned(case_id, case.assignee_id if case else None, error))
    db.session.flush()
    _tell_of_many(actor, results, found, how, now)
    return results


def _tell_of_many(
    actor: Actor, results: Sequence[Assigned], found: Mapping[int, Case], how: str, now: dt.datetime
) -> None:
    """Tell each person once of all that came, of a single case with its name."""
    event = "handed_over" if how == "handed_over" else "assigned"
    got: dict[int, list[int]] = {}
    for result in results:
        if result.refusal is None and result.person_id not in (None, actor.person_id):
            got.setdefault(result.person_id or 0, []).append(result.case_id)
    for person_id, case_ids in got.items():
        if len(case_ids) == 1:
            _tell([person_id], event, found[case_ids[0]], now)
            continue
        about = {"zh": f"共 {len(case_ids)} 件", "en": f"{len(case_ids)} cases"}
        notices.tell_people([person_id], event, None, {"about": about, "url": "/desk"}, now)


def _locked(actor: Actor, case_ids: Sequence[int]) -> list[Case]:
    """Those of the cases that the actor sees, locked by rising id and read anew."""
    query = (select(Case) if actor is SYSTEM else cases.visible_to(actor)).where(Case.id.in_(case_ids))
    whole = query.options(joinedload(Case.flow_version)).order_by(Case.id).with_for_update(of=Case)
    return list(db.session.scalars(whole.execution_options(populate_existing=True)))


def _check_one(actor: Actor, case: Case | None, version: int | None) -> None:
    if case is None:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    if version is not None and case.version != version:
        raise Stale()
    if actor is not SYSTEM and not may_assign(actor, case):
        raise NotPermitted(N_("您没有在此辖区分派案件的权限。"))
    _assignable(case)


def assign_due(now: dt.datetime, pools: Pools | None = None) -> int | None:
    """Assign the case that has waited longest for it; returns its id, None when none is due.

    When nobody can take it, it is tried again later, and those who lead there are told once. A worker that assigns
    many in a row passes the same ``pools``.
    """
    query = (
        select(Case)
        .where(Case.assign_at <= now)
        .order_by(Case.assign_at, Case.id)
        .limit(1)
        .options(joinedload(Case.flow_version))
        .with_for_update(of=Case, skip_locked=True)
    )
    case = db.session.scalar(query.execution_options(populate_existing=True))
    if case is None:
        return None
    if not waits_for_staff(case) or case.assignee_id is not None:
        _quietly(case, assign_at=None)
        return case.id
    pools = pools or Pools(now)
    task, around = pools.task(case, candidates.keeping_away([case], now)[case.id]), pools.candidates(case)
    choice = rules.choose(task, around)
    if choice is None:
        _postpone(case, task, around, now)
    else:
        _settle(case, choice, pools)
    db.session.flush()
    return case.id


def _settle(case: Case, choice: Choice, pools: Pools) -> None:
    case.assign(choice.person_id, because=choice.because(), by=SYSTEM, at=pools.now)
    pools.count(case, None, choice.person_id)
    _tell([choice.person_id], "assigned", case, pools.now)


def _quietly(case: Case, **values: Any) -> None:
    """Change what no open form depends on, without counting the case's version up."""
    db.session.execute(update(Case).where(Case.id == case.id).values(**values), {"synchronize_session": False})
    db.session.expire(case)


def _postpone(case: Case, task: rules.Task, around: Sequence[Candidate], now: dt.datetime) -> None:
    told = (case.assigned_because or {}).get("how") == "nobody"
    passed = rules.kept_passed(rules.passed_over(task, [c for c in around if c.holds(task)]))
    if not told:
        leading = (Role.LEADER,) if case.holder in (Role.REVIEWER, Role.INSPECTOR) else (Role.LEADING_GROUP,)
        found = {
            p.id for r in (*leading, Role.COMMANDER) for p in people.holders_of(r, case.area_ids, shanghai_day(now))
        }
        _tell(sorted(found), "nobody_to_assign", case, now)
    _quietly(case, assign_at=now + NOBODY_WAITS, assigned_because={"how": "nobody", "passed": passed})


def _tell(person_ids: Sequence[int | None], event: str, case: Case, now: dt.datetime) -> None:
    notices.tell_people([p for p in person_ids if p is not None], event, case, {}, now)

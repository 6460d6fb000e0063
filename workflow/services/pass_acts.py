"""What officers can do with many passes at once: what closes it for a pass, which words it needs, and doing it.

Every act goes the way it goes for a single pass, through :func:`workflow.services.passes.decide_many`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import contains_eager

from workflow.core.actors import Actor, Permission
from workflow.core.errors import N_, DomainError, Invalid, NotFound, NotPermitted, Reason, StepClosed
from workflow.core.pass_life import ACTS as TABLE
from workflow.core.pass_life import Action, Who
from workflow.core.texts import clean_text, required_line, says_nothing
from workflow.core.times import shanghai_day
from workflow.data import pass_desk
from workflow.data.bulk import BulkRow
from workflow.data.cases import Case
from workflow.data.pass_desk import Tab
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import pass_life
from workflow.services import passes as pass_service
from workflow.services.bulk_acts import NO_STEP, Act, Params

MOST = 1000
LONGEST_WORDS = 500
PREFIX = "passes_"


def _no_case(actor: Actor, case: Case, params: Params, now: dt.datetime) -> tuple[Reason, ...]:
    return (NO_STEP,)


def _act(act: str, label: str, done: str) -> Act:
    def take(
        actor: Actor, rows: Sequence[BulkRow], params: Params, now: dt.datetime
    ) -> Mapping[int, DomainError | None]:
        return _decide(act, actor, rows, now)

    return Act(label, done, Permission.DECIDE_PASS, _no_case, take_all=take, at_once=20, most=MOST)


ACTS: Mapping[str, Act] = {
    "passes_grant": _act("grant", N_("批量发放通行证"), N_("已发放")),
    "passes_refuse": _act("refuse", N_("批量不同意通行证申请"), N_("已回复")),
    "passes_suspend": _act("suspend", N_("批量暂停通行证"), N_("已暂停")),
    "passes_resume": _act("resume", N_("批量恢复通行证"), N_("已恢复")),
    "passes_revoke": _act("revoke", N_("批量撤销通行证"), N_("已撤销")),
}
"""Every act with passes by its key."""
NEEDS_WORDS = frozenset(key for key in ACTS if TABLE[Action(key.removeprefix(PREFIX))].words)
OF_TAB: Mapping[Tab, tuple[str, ...]] = {
    Tab.REQUESTED: ("passes_grant", "passes_refuse"),
    Tab.STANDING: ("passes_suspend", "passes_revoke"),
    Tab.SUSPENDED: ("passes_resume", "passes_revoke"),
    Tab.ENDED: (),
}
"""What can be done with the passes of a tab."""
_OVER = Reason(N_("有效期已过。"))
_NO_PERMIT = Reason(N_("这家企业现在没有有效的复工批准。"))


def act_of(actor: Actor, action: str) -> Act:
    """The act with passes called ``action``; :class:`NotFound` for none, :class:`NotPermitted` without the right."""
    act = ACTS.get(action)
    if act is None:
        raise NotFound()
    if not actor.may(act.right):
        raise NotPermitted()
    return act


def check_words(actor: Actor, action: str, words: str) -> str:
    """The reason as kept; :class:`Invalid` where the act needs one and none is given."""
    act_of(actor, action)
    if action not in NEEDS_WORDS:
        return ""
    if not clean_text(words):
        raise Invalid(N_("请填写理由，企业会看到。"), field="words")
    text = required_line(words, "words", LONGEST_WORDS)
    if says_nothing(text):
        raise Invalid(N_("理由请写具体，企业会看到。"), field="words")
    return text


def seen(actor: Actor, pass_ids: Sequence[int]) -> list[VehiclePass]:
    """Those of the passes that the actor decides on, with their cases, in the order given; :class:`Invalid` for none
    or too many."""
    wanted = list(dict.fromkeys(pass_ids))
    if not wanted:
        raise Invalid(N_("请先勾选通行证。"), field="pass")
    if len(wanted) > MOST:
        raise Invalid(N_("一次最多办理 %(n)s 张，请缩小范围。"), field="pass", n=MOST)
    query = pass_desk.owned_rows(actor).where(VehiclePass.id.in_(wanted)).options(contains_eager(VehiclePass.case))
    found = {p.id: p for p in db.session.scalars(query)}
    return [found[i] for i in wanted if i in found]


def reasons(found: VehiclePass, action: str, now: dt.datetime) -> tuple[Reason, ...]:
    """What closes the act for a pass now; the act itself asks again when it is done."""
    try:
        pass_life.require(Action(action.removeprefix(PREFIX)), found, Who.OFFICER)
    except StepClosed as error:
        return (Reason(error.message, error.params),)
    if action in ("passes_grant", "passes_resume"):
        if found.valid_until_on < shanghai_day(now):
            return (_OVER,)
        if not found.case.permits:
            return (_NO_PERMIT,)
    return ()


def _decide(act: str, actor: Actor, rows: Sequence[BulkRow], now: dt.datetime) -> dict[int, DomainError | None]:
    """Do it with a chunk of rows, those with the same words together; what became of each by the pass's id."""
    by_words: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_words[row.words].append(row.subject_id)
    outcomes: dict[int, DomainError | None] = {}
    for words, ids in by_words.items():
        outcomes.update(pass_service.decide_many(actor, ids, act, words, now))
    for row in rows:
        row.words = ""  # they are the pass's own now
    return outcomes

"""The thread of a case: its company and its officers write to each other, one thread a case, with read marks a side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from workflow.core.actors import COMPANY_ROLES, ROLE_PERMISSIONS, Actor, Permission, Role
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.tables import Label
from workflow.core.times import shanghai_day
from workflow.data import audit, cases, casework, people
from workflow.data.cases import Case
from workflow.data.casework import COMPANY, STAFF, Talk, TalkLine, ThreadMessage
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import notices
from workflow.services.notes import WRITERS
from workflow.services.telling import tell_company

PAGE = casework.MOST_MESSAGES - 1
"""So many messages are shown at once; older ones are a page further back."""
WRITTEN = "thread_message"
_FROM_STAFF = Label("专班给您留言", "A message from the task force")


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread as one side reads it: ``new_from`` is the id of the first unread message of the other side, 0 for none.

    ``seen_by_other`` is the last message that the other side has read; ``closed`` why nothing can be written now.
    """

    case: Case
    side: str
    messages: Sequence[TalkLine]
    new_from: int
    unread: int
    seen_by_other: int
    has_earlier: bool
    may_write: bool
    is_closed: bool


def side_of(actor: Actor, case: Case) -> str | None:
    """Which side of the thread the actor is on; None for those who see the case for something else."""
    if case.enterprise_id in actor.enterprise_ids:
        return COMPANY
    return STAFF if _roles(actor, case, frozenset({Permission.SEE_DESK})) else None


def _roles(actor: Actor, case: Case, wanted: frozenset[Permission]) -> list[Role]:
    """The roles that the officer holds here with one of the permissions; the one whose turn it is first."""
    held = actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)
    fitting = [r for r in Role if r in held and wanted & ROLE_PERMISSIONS[r]]
    return sorted(fitting, key=lambda r: r != case.holder)


def is_closed(case: Case) -> bool:
    """Whether a thread is over: it stays readable, but the company has no open matter in this case any more.

    A case that permits work goes on (passes, checks) though it is decided; a refused or withdrawn one does not.
    """
    return not case.is_open and not case.permits


def read(actor: Actor, case: Case, before: int | None = None, talk: Talk | None = None) -> Thread:
    """The thread's newest page, or the one before the message ``before``; :class:`NotFound` for outsiders.

    ``talk`` when the caller has read it.
    """
    side = side_of(actor, case)
    if side is None:
        raise NotFound()
    talk = talk or casework.talk_of(case.id, before)
    shown, has_earlier, marks = talk.messages[-PAGE:], len(talk.messages) > PAGE, talk.marks
    unread = [m.id for m in shown if m.from_company is (side == STAFF) and m.id > marks.get(side, 0)]
    may_write = side == COMPANY or bool(_roles(actor, case, WRITERS))
    return Thread(
        case=case,
        side=side,
        messages=shown,
        new_from=unread[0] if unread else 0,
        unread=len(unread),
        seen_by_other=marks.get(STAFF if side == COMPANY else COMPANY, 0),
        has_earlier=has_earlier,
        may_write=may_write and not is_closed(case),
        is_closed=is_closed(case),
    )


def write(actor: Actor, case_id: int, words: str, now: dt.datetime) -> ThreadMessage:
    """Add a message and tell the other side; what the writer has seen so far counts as read.

    Raises :class:`Invalid` for no or too many words, :class:`StepClosed` when the thread is over.
    """
    case, side = _locked(actor, case_id)
    if side == COMPANY:
        role = Role.FILER
    else:
        writing = _roles(actor, case, WRITERS)
        if not writing:
            raise NotPermitted()
        role = writing[0]
    if is_closed(case):
        raise StepClosed(N_("案件已办结，沟通记录只能查看。如需联系，请在新的申请里留言。"))
    text = case_service.clean_words(words, "words")
    if not text:
        raise Invalid(N_("请写下要说的话。"), field="words")
    from_company = side == COMPANY
    message = ThreadMessage(
        case_id=case.id, person_id=actor.person_id, from_company=from_company, role=role.value, words=text, at=now
    )
    db.session.add(message)
    db.session.flush()
    casework.mark_read(case.id, side, message.id, now)
    chain, after = f"town:{case.town_id}", {"message": message.id, "from": side}
    audit.record(audit.THREAD_WRITTEN, chain=chain, actor=actor, role=role.value, at=now, case_id=case.id, after=after)
    _tell(case, from_company, now)
    return message


def _locked(actor: Actor, case_id: int) -> tuple[Case, str]:
    case = cases.lock_visible(actor, case_id)
    side = side_of(actor, case) if case is not None else None
    if case is None or side is None:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    return case, side


def _tell(case: Case, from_company: bool, now: dt.datetime) -> None:
    """Tell the other side: the company in its inbox; of the officers whoever has the case, else all it waits for."""
    if not from_company:
        tell_company(case, WRITTEN, _FROM_STAFF, now)
        return
    listening = [case.assignee_id] if case.assignee_id is not None else _on_duty(case, now)
    if listening:
        notices.tell_people(listening, WRITTEN, case, {}, now)


def _on_duty(case: Case, now: dt.datetime) -> list[int]:
    """The people of the role that the case waits for; while it waits for its company, those who accepted it."""
    role = Role(case.holder) if case.holder else Role.REVIEWER
    if role in COMPANY_ROLES:
        role = Role.REVIEWER
    before = (case.handled_by or {}).get(role.value)
    if before is not None:
        return [int(before)]
    return [p.id for p in people.holders_of(role, case.area_ids, shanghai_day(now))]


def mark_read(actor: Actor, case_id: int, up_to: int, now: dt.datetime) -> Case:
    """Keep that the actor's side has read the thread up to a message; ids beyond the newest count as the newest."""
    case, side = _locked(actor, case_id)
    last = min(up_to, casework.last_message_id(case.id))
    if last > 0:
        casework.mark_read(case.id, side, last, now)
    return case

"""The one way in which passes become something else: their rows, the list of dead passes and the history together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from workflow.core.actors import Actor
from workflow.core.errors import N_, StepClosed
from workflow.core.pass_life import ACTS, Action, Who
from workflow.data import audit
from workflow.data.passes import DEAD, LIST_VERSION, VehiclePass
from workflow.data.sequences import next_number

EVENTS: Mapping[str, audit.Event] = {
    "granted": audit.PASS_GRANTED,
    "refused": audit.PASS_REFUSED,
    "withdrawn": audit.PASS_WITHDRAWN,
    "suspended": audit.PASS_SUSPENDED,
    "revoked": audit.PASS_REVOKED,
    "replaced": audit.PASS_REPLACED,
}
MOST_IN_A_ROW = 500
"""How many passes one row of history names."""
_CLOSED: Mapping[Action, str] = {
    Action.GRANT: N_("这份通行证申请已经办理过了。"),
    Action.REFUSE: N_("这份通行证申请已经办理过了。"),
    Action.WITHDRAW: N_("这份申请已经办理，不能撤回。"),
    Action.SUSPEND: N_("只有已发放的通行证才能暂停。"),
    Action.RESUME: N_("只有已暂停的通行证才能恢复。"),
    Action.REVOKE: N_("只有已发放的通行证才能撤销。"),
}


def require(action: Action, subject: VehiclePass, who: Who) -> None:
    """Raise :class:`StepClosed` in words unless the table opens this to them in the pass's present status."""
    act = ACTS[action]
    if who not in act.who or subject.status not in act.sources:
        raise StepClosed(_CLOSED.get(action, N_("这张通行证现在不能这样办理。")))


def _by_case(subjects: Sequence[VehiclePass]) -> Iterator[list[VehiclePass]]:
    """The passes of one case and town after the other, in parts that one row of history can name."""
    ordered = sorted(subjects, key=lambda p: (p.town_id, p.case_id, p.id))
    for _key, group in groupby(ordered, key=lambda p: (p.town_id, p.case_id)):
        together = list(group)
        yield from (together[n : n + MOST_IN_A_ROW] for n in range(0, len(together), MOST_IN_A_ROW))


def record(event: audit.Event, subject: VehiclePass, actor: Actor, now: dt.datetime) -> None:
    """Put what happened to a pass into its town's history."""
    record_all(event, [subject], actor, now)


def record_all(
    event: audit.Event, subjects: Sequence[VehiclePass], actor: Actor, now: dt.datetime, status: str = ""
) -> None:
    """Put what happened to some passes in one act into their towns' history, one row a case.

    ``status`` is what the act made of them, when it isn't what they are by now.
    """
    for part in _by_case(subjects):
        first = part[0]
        after: dict[str, object] = {"pass": first.id, "number": first.number, "status": status or first.status}
        if len(part) > 1:
            after = {"passes": [p.id for p in part], "status": status or first.status}
        chain = f"town:{first.town_id}"
        audit.record(event, chain=chain, actor=actor, at=now, case_id=first.case_id, after=after)


def change(
    subjects: Sequence[VehiclePass],
    status: str,
    actor: Actor,
    now: dt.datetime,
    words: str = "",
    *,
    with_case: bool = False,
) -> None:
    """Set the rows alone; the history row must follow, once they have ids."""
    version = None
    if any(p.is_dead != (status in DEAD) for p in subjects):
        version = next_number(LIST_VERSION)
    for subject in subjects:
        by = actor.person_id or None
        subject.settle(status, by=by, at=now, words=words, with_case=with_case, list_version=version)


def settle_all(
    subjects: Sequence[VehiclePass],
    status: str,
    actor: Actor,
    now: dt.datetime,
    words: str = "",
    *,
    with_case: bool = False,
) -> None:
    """Make some passes of one status what ``status`` says, in one act; whether that is allowed was asked before."""
    if not subjects:
        return
    event = audit.PASS_RESUMED if (subjects[0].status, status) == ("suspended", "granted") else EVENTS[status]
    change(subjects, status, actor, now, words, with_case=with_case)
    record_all(event, subjects, actor, now)


def settle(subject: VehiclePass, status: str, actor: Actor, now: dt.datetime, words: str = "") -> None:
    """Make a pass what ``status`` says, and record it; whether that is allowed was asked before."""
    settle_all([subject], status, actor, now, words)

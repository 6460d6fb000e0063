"""The one way in which a pass becomes something else: its row, the list of dead passes and the history together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from workflow.core.actors import Actor
from workflow.data import audit
from workflow.data.passes import VehiclePass

EVENTS: Mapping[str, audit.Event] = {
    "granted": audit.PASS_GRANTED,
    "refused": audit.PASS_REFUSED,
    "withdrawn": audit.PASS_WITHDRAWN,
    "suspended": audit.PASS_SUSPENDED,
    "revoked": audit.PASS_REVOKED,
    "replaced": audit.PASS_REPLACED,
}


def record(event: audit.Event, subject: VehiclePass, actor: Actor, now: dt.datetime) -> None:
    """Put what happened to a pass into its town's history."""
    after = {"pass": subject.id, "number": subject.number, "status": subject.status}
    chain, case_id = f"town:{subject.town_id}", subject.case_id
    audit.record(event, chain=chain, actor=actor, at=now, case_id=case_id, after=after)


def settle(subject: VehiclePass, status: str, actor: Actor, now: dt.datetime, words: str = "") -> None:
    """Make a pass what ``status`` says, and record it; whether that is allowed was asked before."""
    event = audit.PASS_RESUMED if (subject.status, status) == ("suspended", "granted") else EVENTS[status]
    subject.settle(status, by=actor.person_id or None, at=now, words=words)
    record(event, subject, actor, now)

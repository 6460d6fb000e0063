"""Telling the company through the outbox: what was done, where its case stands now, and whether it is its turn."""

from __future__ import annotations

import datetime as dt

from workflow.core.actors import Role
from workflow.core.tables import Label
from workflow.data import outbox
from workflow.data.cases import Case


def tell_company(case: Case, event: str, done: Label, now: dt.datetime) -> None:
    """Put a message for the company of ``case`` into the outbox, in the present transaction."""
    state = case.flow.state(case.state)
    details = {
        "done": {"zh": done.zh, "en": done.en},
        "state": {"zh": state.label.zh, "en": state.label.en},
        "your_turn": state.holder is Role.FILER,
    }
    payload = {"case_id": case.id, "enterprise_id": case.enterprise_id, "event": event, "details": details}
    outbox.put("message", payload, now)

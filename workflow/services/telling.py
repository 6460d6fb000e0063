"""Telling the company through the outbox: what was done, where its case stands now, and whether it is its turn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from workflow.core.actors import Role
from workflow.core.tables import Label
from workflow.data import audit, outbox
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


_OF_PASSES: Mapping[str, Label] = {
    audit.PASS_GRANTED: Label("已发放 {n} 张车辆通行证", "Vehicle passes granted: {n}"),
    audit.PASS_REFUSED: Label("{n} 张车辆通行证申请未同意", "Requests for vehicle passes refused: {n}"),
    audit.PASS_SUSPENDED: Label("{n} 张车辆通行证已暂停", "Vehicle passes suspended: {n}"),
    audit.PASS_RESUMED: Label("{n} 张车辆通行证已恢复", "Vehicle passes good again: {n}"),
    audit.PASS_REVOKED: Label("{n} 张车辆通行证已撤销", "Vehicle passes revoked: {n}"),
    audit.PASS_ENDING: Label("{n} 张车辆通行证即将到期，可以续期", "Vehicle passes about to end, to be renewed: {n}"),
}


def tell_of_passes(case: Case, event: audit.Event, count: int, now: dt.datetime) -> None:
    """Tell the company what became of its passes: one message an act and case, however many there are.

    The reason stands with the passes, where the message leads: what an officer writes may name people.
    """
    done, state = _OF_PASSES[event], case.flow.state(case.state)
    details = {
        "done": {"zh": done.zh.format(n=count), "en": done.en.format(n=count)},
        "state": {"zh": state.label.zh, "en": state.label.en},
        "your_turn": False,
    }
    payload = {"case_id": case.id, "enterprise_id": case.enterprise_id, "event": str(event), "details": details}
    outbox.put("message", payload, now)

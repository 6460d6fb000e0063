"""The life of a pass as one table: who may do what with it, from which status, and what it is then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LIVE = ("granted", "suspended")


class Who(StrEnum):
    """Who acts on a pass: the company that has it, an officer of the case's area, or the system (rules, effects)."""

    COMPANY = "company"
    OFFICER = "officer"
    SYSTEM = "system"


class Action(StrEnum):
    """What can be done with a pass."""

    REQUEST = "request"
    GRANT = "grant"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    REPORT_LOST = "report_lost"
    RENEW = "renew"
    CHANGE_PLATE = "change_plate"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Act:
    """``sources`` are the statuses it is open in (none: there is no pass yet), ``dest`` what the pass is then.

    ``dest`` is empty when the pass itself stays as it is; ``asks`` is the reason of the new request that the act makes
    besides, empty when it makes none. ``words``: whether a reason has to be given.
    """

    action: Action
    sources: tuple[str, ...]
    dest: str
    who: frozenset[Who]
    words: bool = False
    asks: str = ""


_COMPANY = frozenset({Who.COMPANY})
_DECIDES = frozenset({Who.OFFICER, Who.SYSTEM})

ACTS: Mapping[Action, Act] = {
    a.action: a
    for a in (
        Act(Action.REQUEST, (), "requested", _COMPANY, asks="new"),
        Act(Action.GRANT, ("requested",), "granted", _DECIDES),
        Act(Action.REFUSE, ("requested",), "refused", _DECIDES, words=True),
        Act(Action.WITHDRAW, ("requested",), "withdrawn", _COMPANY),
        Act(Action.SUSPEND, ("granted",), "suspended", _DECIDES, words=True),
        Act(Action.RESUME, ("suspended",), "granted", _DECIDES, words=True),
        Act(Action.REVOKE, LIVE, "revoked", _DECIDES, words=True),
        Act(Action.REPORT_LOST, ("granted",), "suspended", _COMPANY, asks="lost"),
        Act(Action.RENEW, ("granted",), "", _COMPANY, asks="renewal"),
        Act(Action.CHANGE_PLATE, ("granted",), "", _COMPANY, asks="plate"),
        Act(Action.REPLACE, LIVE, "replaced", frozenset({Who.SYSTEM})),
    )
}
"""Every act; nothing else changes a pass."""

OFFICER_ACTS = tuple(a for a in ACTS if Who.OFFICER in ACTS[a].who)
"""What an officer may do, one by one or for many."""

INSTEAD = frozenset({"lost", "plate"})
"""Reasons of a request whose granting makes the older pass ``replaced``; a renewal leaves it good to its end."""

RENEW_BEFORE = 5
RENEW_AFTER = 7
"""A renewal is offered from so many days before the last day until so many days after it."""


def is_open(action: Action, status: str, who: Who) -> bool:
    """Whether somebody may do this with a pass of this status."""
    act = ACTS[action]
    return who in act.who and status in act.sources

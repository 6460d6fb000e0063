"""Internal notes on a case: officers write them for each other and call each other by name; no company sees any."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from workflow.core.actors import ROLE_PERMISSIONS, Actor, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted
from workflow.core.mentions import find_mentions
from workflow.core.times import shanghai_day
from workflow.data import audit, casework
from workflow.data.cases import Case
from workflow.data.casework import Note
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import notices

WRITERS = frozenset({Permission.ACT_ON_CASE, Permission.ASSIGN_CASES})
"""Whoever works on the case here may write; an auditor reads."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who may see the case and so may be called: ``role`` is the code of a role they hold in ``area``."""

    person_id: int
    name: str
    role: str
    area: str


class AmbiguousName(Invalid):
    """Several people who may see the case have the name that was called; ``choices`` are they."""

    def __init__(self, name: str, choices: Sequence[Colleague]) -> None:
        super().__init__(N_("有 %(n)s 位同事叫“%(name)s”，请选择是哪一位。"), "words", n=len(choices), name=name)
        self.choices = tuple(choices)


def may_read(actor: Actor, case: Case) -> bool:
    """Whether the actor reads the notes of a case they see: an officer of the place who is not of the company."""
    return _holds(actor, case, frozenset({Permission.SEE_DESK}))


def may_write(actor: Actor, case: Case) -> bool:
    """Whether the actor writes notes on a case they see."""
    return _holds(actor, case, WRITERS)


def _holds(actor: Actor, case: Case, wanted: frozenset[Permission]) -> bool:
    if case.enterprise_id in actor.enterprise_ids:
        return False
    roles = actor.roles_for(enterprise_id=None, area_ids=case.area_ids, bureau=case.bureau)
    return any(wanted & ROLE_PERMISSIONS[r] for r in roles)


def colleagues(actor: Actor, case_id: int, now: dt.datetime) -> list[Colleague]:
    """Who may be called on a case, by name; :class:`NotFound` for readers who may not know of its notes."""
    case = case_service.get(actor, case_id)
    if not may_read(actor, case):
        raise NotFound()
    return _colleagues(case, now)


def _colleagues(case: Case, now: dt.datetime) -> list[Colleague]:
    return [Colleague(*found) for found in casework.staff_who_see(case, shanghai_day(now))]


def add(actor: Actor, case_id: int, words: str, chosen: Collection[int], now: dt.datetime) -> Note:
    """Write a note; people called by name are told.

    ``chosen`` are person ids that settle which of several people with one name is meant. Raises :class:`Invalid` for
    no words or a name that nobody here has, :class:`AmbiguousName` for one that several have.
    """
    case = case_service.get(actor, case_id)
    if not may_read(actor, case):
        raise NotFound()
    if not may_write(actor, case):
        raise NotPermitted()
    text = case_service.clean_words(words, "words")
    if not text:
        raise Invalid(N_("请写下备注内容。"), field="words")
    called = _called(case, text, chosen, now)
    note = Note(case_id=case.id, person_id=actor.person_id, words=text, mentions=called, at=now)
    db.session.add(note)
    db.session.flush()
    after = {"note": note.id, "mentions": len(called)}
    audit.record(audit.NOTE_ADDED, chain=f"town:{case.town_id}", actor=actor, at=now, case_id=case.id, after=after)
    others = [p for p in called if p != actor.person_id]
    if others:
        notices.tell_people(others, "mentioned", case, {}, now)
    return note


def _called(case: Case, text: str, chosen: Collection[int], now: dt.datetime) -> list[int]:
    """The ids of the people that a text calls, in order."""
    if "@" not in text and "＠" not in text:
        return []
    people = _colleagues(case, now)
    mentions = find_mentions(text, {c.name for c in people})
    if mentions.unknown:
        unknown = "、".join(mentions.unknown)
        raise Invalid(N_("能看到本案的同事里没有“%(name)s”，请从名单中选择，或去掉 @。"), field="words", name=unknown)
    called: list[int] = []
    for name in mentions.names:
        fitting = [c for c in people if c.name == name]
        meant = [c for c in fitting if c.person_id in chosen] if len(fitting) > 1 else fitting
        if not meant:
            raise AmbiguousName(name, fitting)
        called += [c.person_id for c in meant]
    return called

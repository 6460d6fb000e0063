"""Ningbo's spring of 2020 over one database: four changes of the rules, cases open in every state, and nobody harmed.

Sources: 甬防〔2020〕9号 (4 February), the city's detailed rules (10 February), Haishu's classes of areas (15 February),
filing with a negative list (the day was not found; 24 February stands for it), and the end of both (21 March).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from flask import Flask

from tests import walking
from tests.builders import World
from tests.web.company_browser import Browser, text_of
from workflow.core.actors import Role
from workflow.core.errors import Invalid
from workflow.core.flow import StateKind
from workflow.core.times import SHANGHAI
from workflow.data import areas, audit
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import applications as application_service
from workflow.services import drafts, releases

CITY, HAISHU = "3302", "330203"
FIRST = """
title = { zh = "七个严格：一律逐级审定", en = "Seven strict rules: every level decides on all" }
[calendar]
earliest_resume_on = 2020-02-10
notice_days = 1
[[rule]]
flow = "city-large"
why = { zh = "甬防〔2020〕9号：镇街受理、实地查勘、区县领导小组审定", en = "Notice no. 9: every level decides" }
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the rules: from which day, which text (a shipped one or the first), and where."""

    day: str
    source: str
    area: str
    flow: str
    regime: str


FIRST_DAY = Change("2020-02-04", "", CITY, "city-large", "approval")
CHANGES = (
    Change("2020-02-10", "rules:approval", CITY, "city-small", "approval"),
    Change("2020-02-15", "rules:haishu", HAISHU, "city-small", "approval"),
    Change("2020-02-24", "rules:filing", CITY, "filing", "filing"),
    Change("2020-03-21", "rules:none", CITY, "none", "none"),
)


def morning(day: str) -> dt.datetime:
    """Nine o'clock in Shanghai."""
    return dt.datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


def publish(world: World, change: Change) -> None:
    """One commander prepares the change on its day, another publishes it."""
    world.now = morning(change.day)
    first, second = world.new_officer(Role.COMMANDER, CITY), world.new_officer(Role.COMMANDER, CITY)
    area = areas.by_code(change.area)
    assert area is not None
    author = world.actor(first)
    if change.source:
        draft = drafts.start_from(author, change.source, area, "", world.now)
    else:
        draft = drafts.start(author, "rules", "七个严格", FIRST, area, world.now)
    day = dt.date.fromisoformat(change.day)
    draft = drafts.save(author, draft.id, revision=draft.revision, now=world.now, effective_on=day)
    draft = drafts.propose(author, draft.id, revision=draft.revision, now=world.now)
    releases.publish(world.actor(second), draft.id, revision=draft.revision, now=world.now)
    db.session.commit()


@dataclass(frozen=True, slots=True)
class Parked:
    """A case left open, with what must not change under it."""

    case: Case
    clerk: Account
    state: str
    version: int
    because: str
    due_at: dt.datetime


def park_everywhere(world: World, change: Change) -> list[Parked]:
    """For every open state of the flow that an ordinary small company takes now, a case that stands there."""
    parked: list[Parked] = []
    wanted: list[str] = [""]
    while wanted:
        target = wanted.pop()
        world.now = morning(change.day) + dt.timedelta(hours=1)
        clerk = world.company()
        case = world.submitted(clerk, head_count="86", resume_on="2020-04-01")
        if not target:
            assert case.flow.key == change.flow
            assert case.routed_because["regime"] == change.regime
            wanted = [s.key for s in case.flow.states.values() if s.kind is StateKind.OPEN and s.key != case.state]
        else:
            walking.walk(world, case, {target})
        parked.append(Parked(case, clerk, case.state, case.flow_version_id, case.routed_because["zh"], case.due_at))
    return parked


def unharmed(world: World, parked: list[Parked]) -> None:
    """Every case stands where it stood, by the same version, due at the same instant, with a step for its holder."""
    for one in parked:
        db.session.refresh(one.case)
        assert (one.case.state, one.case.flow_version_id, one.case.due_at) == (one.state, one.version, one.due_at)
        assert one.case.routed_because["zh"] == one.because
        roles = {s.role for s in one.case.flow.steps_from(one.state)}
        assert Role(one.case.holder) in roles


def test_four_changes_harm_no_open_case_and_each_is_explained(world: World, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    publish(world, FIRST_DAY)
    parked = park_everywhere(world, FIRST_DAY)
    for change in CHANGES:
        publish(world, change)
        unharmed(world, parked)
        if change.flow != "none":
            parked += park_everywhere(world, change)
    assert {p.case.flow.key for p in parked} == {"city-large", "city-small", "filing"}
    assert len(parked) > 20

    world.now = morning("2020-03-21")
    clerk = world.company()
    draft = world.draft(clerk, head_count="86", resume_on="2020-04-01")
    with pytest.raises(Invalid, match="不需要申请"):
        application_service.submit(world.actor(clerk), draft.id, revision=draft.revision, committed=True, now=world.now)
    db.session.rollback()

    unharmed(world, parked)
    explained(app, world.officer(Role.LEADER), parked)
    explained(app, parked[0].clerk, parked[:1])
    for one in parked:
        world.now = morning("2020-03-21")
        ends = {s.key for s in one.case.flow.states.values() if s.kind is not StateKind.OPEN} - {one.case.flow.initial}
        walking.walk(world, one.case, ends)
        assert not one.case.is_open
    assert list(audit.verify()) == []


def explained(app: Flask, reader: Account, parked: list[Parked]) -> None:
    """Officers and the company read on a case's page why it takes this flow, and where it stands."""
    browser = Browser(app.test_client(), app).enter(reader)
    for one in parked:
        label = one.case.flow.state(one.state).label.zh
        page = text_of(browser.get(f"/cases/{one.case.id}"))
        assert one.because in page
        assert label in page

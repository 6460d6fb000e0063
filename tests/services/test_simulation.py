"""A draft tried on the cases there are: what would change is counted as it would really be, without a query each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from tests.builders import World
from tests.services.published import commander, drafted, published, staffed
from workflow.core.actors import Role
from workflow.core.flow_file import read_flow
from workflow.core.rulebook import read_rulebook
from workflow.data import areas, catalogue
from workflow.extensions import db
from workflow.services import drafts, simulation
from workflow.services.simulation import FlowTrial, RulesTrial

YINZHOU = "330212013"


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def _tried(world: World, kind: str, text: str, place: str = "3302") -> RulesTrial | FlowTrial:
    draft = drafted(world, kind, text, place)
    read = read_flow(text) if kind == "flow" else read_rulebook(text)
    return simulation.try_draft(commander(world), draft, world.now, read)


def test_the_same_rules_change_nothing(world: World) -> None:
    for _ in range(2):
        world.submitted()
    trial = _tried(world, "rules", catalogue.rules_text("approval"))
    assert isinstance(trial, RulesTrial)
    assert (trial.open, trial.closed, trial.same, trial.changes) == (2, 0, 2, {})
    assert trial.short == 0


def test_a_moved_bound_shows_the_cases_that_change_sides(world: World) -> None:
    inside = world.submitted(town=YINZHOU, head_count="90", resuming_count="60")
    outside = world.submitted(town=YINZHOU, head_count="150", resuming_count="60")
    world.submitted()
    text = catalogue.rules_text("approval").replace("head_count = { le = 100 }", "head_count = { le = 200 }")
    text = text.replace("head_count = { gt = 100 }", "head_count = { gt = 200 }")
    trial = _tried(world, "rules", text)
    assert isinstance(trial, RulesTrial)
    assert trial.open == 3
    assert trial.moved_open == 1
    (pair,) = trial.changes
    assert pair == ("yinzhou-bureau", "yinzhou-town")
    assert [e.case_id for e in trial.changes[pair].examples] == [outside.id]
    assert inside.id != outside.id


def test_no_filing_and_no_rule_are_told_apart(world: World) -> None:
    world.submitted()
    world.submitted(size="above", head_count="900")
    text = (
        'title = { zh = "试", en = "T" }\n[[rule]]\nflow = "none"\nwhen = { size = "below" }\n'
        'why = { zh = "不用申请", en = "Nothing to file" }\n'
    )
    own = _tried(world, "rules", text)
    assert isinstance(own, RulesTrial)
    assert own.total("none") == 1
    assert own.total("") == 0  # the shipped book for everywhere still takes the large one


def test_closed_cases_are_counted_apart(world: World) -> None:
    world.approved()
    world.submitted()
    trial = _tried(world, "rules", catalogue.rules_text("filing"))
    assert isinstance(trial, RulesTrial)
    assert (trial.open, trial.closed) == (1, 1)
    assert sum(t.closed for t in trial.changes.values()) == 1
    assert trial.moved_open == 1


def test_materials_that_would_be_lacking_are_named(world: World) -> None:
    case = world.submitted()
    text = catalogue.rules_text("approval")
    text = text.replace('flow = "city-small"\n', 'flow = "city-small"\nmaterials = ["safety"]\n')
    trial = _tried(world, "rules", text)
    assert isinstance(trial, RulesTrial)
    assert trial.short == 1
    assert [e.case_id for e in trial.lacking["safety"].examples] == [case.id]


def test_another_areas_cases_are_not_tried(world: World) -> None:
    world.submitted()
    trial = _tried(world, "rules", catalogue.rules_text("none"), "330212")
    assert isinstance(trial, RulesTrial)
    assert trial.open == 0


@pytest.mark.parametrize("kind", ["flow", "rules"])
def test_more_cases_need_no_more_statements(world: World, kind: str) -> None:
    text = catalogue.flow_text("city-small") if kind == "flow" else catalogue.rules_text("filing")
    world.submitted()
    _tried(world, kind, text)
    with counted() as few:
        _tried(world, kind, text)
    for _ in range(5):
        world.submitted()
    db.session.expire_all()
    with counted() as many:
        trial = _tried(world, kind, text)
    assert trial.open == 6
    assert len(many) <= len(few) + 3, many


def test_a_flow_is_tried_by_state(world: World) -> None:
    waiting = world.submitted()
    reviewing = world.reviewed()
    text = catalogue.flow_text("city-small").replace('"submitted"', '"received"')
    text = text.replace('slot = "licence"', 'slot = "health_proof"', 1)
    trial = _tried(world, "flow", text)
    assert isinstance(trial, FlowTrial)
    assert (trial.open, trial.movable) == (2, 1)
    stuck = [s for s in trial.states.values() if s.reason is not None]
    assert [e.case_id for s in stuck for e in s.tally.examples] == [waiting.id]
    assert "没有" in str(stuck[0].reason)
    assert reviewing.id in [e.case_id for e in trial.lacking["health_proof"].examples]


def test_cases_of_a_published_county_version_belong_to_the_same_flow(world: World) -> None:
    staffed(world, "330203002")
    world.submitted()
    changed = catalogue.flow_text("city-small").replace("days = 1", "days = 5", 1)
    published(world, "flow", changed, "330203")
    world.submitted()
    trial = _tried(world, "flow", changed)
    assert isinstance(trial, FlowTrial)
    assert trial.open == 2
    assert len({s.revision for s in trial.states.values()}) == 2


def test_a_dated_rule_is_tried_as_if_the_cases_were_filed_on_its_day(world: World) -> None:
    case = world.submitted()
    author = world.actor(world.officer(Role.COMMANDER, "3302"))
    text = catalogue.rules_text().replace(
        '[[rule]]\nflow = "reopen"',
        '[[rule]]\nflow = "city-large"\nwhen = { filed_on = { ge = 2020-03-01 }, purpose = "resume" }\n'
        'why = { zh = "三月起", en = "From March" }\n\n[[rule]]\nflow = "reopen"',
        1,
    )
    city = areas.by_code("3302")
    assert city is not None
    draft = drafts.start(author, "rules", "三月起", text, city, world.now)
    for day, moved in ((dt.date(2020, 2, 20), 0), (dt.date(2020, 3, 1), 1)):
        draft = drafts.save(author, draft.id, revision=draft.revision, now=world.now, effective_on=day)
        book = drafts.checked(draft, world.now).book
        assert book is not None
        trial = simulation.try_rules(author, draft, book, world.now)
        assert (trial.open, trial.moved_open) == (1, moved)
    assert case.flow.key == "city-small"

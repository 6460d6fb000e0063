"""The board's numbers are what a count of the cases gives, whoever looks at whatever area."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests import walking
from tests.builders import World
from tests.services.test_main_line import ROUTES, begun
from workflow.core.actors import Role
from workflow.core.errors import NotFound
from workflow.core.spread import nearest_rank
from workflow.core.times import shanghai_day
from workflow.data import counters
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import board

CITY, HAISHU, JIANGXIA = "3302", "330203", "330203002"


def _filled(world: World) -> None:
    """Cases of several flows, some at the beginning, some decided, some late."""
    for n, flow in enumerate(("city-small", "micro", "yinzhou-town", "zhenhai-bureau")):
        case = begun(world, flow, world.company())
        if n % 2:
            walking.walk(world, case, {case.flow.main[-1]})
        world.later(hours=7)
    begun(world, "city-small", world.company())
    world.later(days=9)
    begun(world, "city-small", world.company())
    db.session.commit()


def test_the_numbers_are_those_of_the_cases(world: World) -> None:
    _filled(world)
    commander = world.actor(world.officer(Role.COMMANDER, CITY))
    shown = board.board_of(commander, "", 30, world.now)
    cases = list(db.session.scalars(select(Case)))
    today = shanghai_day(world.now)
    opened = [c for c in cases if c.is_open]
    decided = [c for c in cases if c.decided_at is not None]
    late = [c for c in opened if c.due_at < world.now]
    assert shown.total.open == len(opened)
    assert len(late) == shown.total.overdue > 0
    assert shown.total.filed_today == sum(shanghai_day(c.submitted_at) == today for c in cases) == 1
    assert shown.total.approved == sum(c.permits for c in decided) > 0
    spent = sorted(int((c.decided_at - c.submitted_at).total_seconds() // 3600) for c in decided if c.decided_at)
    assert shown.total.median == spent[(len(spent) + 1) // 2 - 1]
    assert sum(day.filed for day in shown.trend) == len(cases)
    by_county = Counter(c.county.name for c in opened)
    assert {r.area.name: r.numbers.open for r in shown.rows if r.area and r.numbers.open} == by_county
    assert sum(n for _s, n in shown.total.stages.items()) <= shown.total.open


def test_a_town_is_shown_by_zone_and_agrees_with_its_counters(world: World) -> None:
    _filled(world)
    leader = world.actor(world.officer(Role.LEADER, JIANGXIA))
    shown = board.board_of(leader, "", 7, world.now)
    assert shown.area.code == JIANGXIA
    assert sum(r.numbers.open for r in shown.rows) == shown.total.open > 0
    assert sum(r.numbers.overdue for r in shown.rows) == shown.total.overdue


def test_who_handles_how_much(world: World) -> None:
    case = world.submitted()
    reviewer = world.officer(Role.REVIEWER)
    world.step(reviewer, case, "accept")
    shown = board.board_of(world.actor(world.officer(Role.COMMANDER, CITY)), HAISHU, 30, world.now)
    assert [(load.person_id, load.cases, load.overdue) for load in shown.loads] == [(reviewer.person_id, 1, 0)]
    assert [a.code for a in shown.above] == [CITY]


@pytest.mark.parametrize("code", ["330212", "330212013", "nowhere", "330203002-Z1"])
def test_only_own_areas_are_shown(world: World, code: str) -> None:
    leader = world.actor(world.officer(Role.LEADER, JIANGXIA))
    with pytest.raises(NotFound):
        board.board_of(leader, code, 30, world.now)
    with pytest.raises(NotFound):
        board.board_of(world.actor(world.officer(Role.REVIEWER)), "", 30, world.now)


@pytest.mark.parametrize("flow", ROUTES)
def test_the_counters_are_right_after_every_step_of_every_flow(world: World, flow: str) -> None:
    case = begun(world, flow, world.company())
    for _ in range(40):
        db.session.commit()
        assert counters.kept() == +counters.recount()
        if case.state == case.flow.main[-1]:
            break
        walking.take(world, case, walking.find_way(case.flow, walking.stand_of(world, case), {case.flow.main[-1]})[0])
    assert case.state == case.flow.main[-1]


@given(st.dictionaries(st.integers(0, 500), st.integers(1, 9), min_size=1), st.integers(1, 100))
def test_nearest_rank_is_that_of_the_sorted_list(counts: dict[int, int], percent: int) -> None:
    whole = sorted(v for v, n in counts.items() for _ in range(n))
    assert nearest_rank(counts, percent) == whole[-(-len(whole) * percent // 100) - 1]


def test_nothing_has_no_median() -> None:
    assert nearest_rank({}, 50) is None
    assert nearest_rank({3: 0}, 50) is None

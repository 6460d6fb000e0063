"""Who is to handle a case: each rung, covers, conflicts and loads; and what holds for any people whatever."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.core.actors import Role
from workflow.core.assignment import Candidate, Post, Reach, Rung, Skipped, Task, able, choose, passed_over, weight

CITY, COUNTY, TOWN, ZONE, BUILDING, OTHER_ZONE, OTHER_TOWN = range(1, 8)
NOW = dt.datetime(2020, 2, 15, 1, tzinfo=dt.UTC)
TASK = Task(
    role=Role.REVIEWER,
    area_ids=frozenset({CITY, COUNTY, TOWN, ZONE, BUILDING}),
    zone_id=ZONE,
    building_id=BUILDING,
    sector="industry",
)


def person(number: int, **changes: object) -> Candidate:
    """Somebody who holds the role in the town."""
    return replace(Candidate(number, frozenset({Post(TOWN)})), **changes)


def team(*areas: int, sectors: tuple[str, ...] = ()) -> tuple[Reach, ...]:
    """A team that covers these areas."""
    return (Reach(frozenset(areas), frozenset(sectors)),)


IN_ORDER = [
    (person(9, load=90), replace(TASK, handled_by=9, officer=8), Rung.HANDLED),
    (person(9, load=90), replace(TASK, officer=9), Rung.OFFICER),
    (person(9, load=90, reaches=team(BUILDING)), TASK, Rung.BUILDING_TEAM),
    (person(9, load=90, reaches=team(ZONE)), TASK, Rung.ZONE_TEAM),
    (person(9, load=90, reaches=team(TOWN, sectors=("industry",))), TASK, Rung.SECTOR_TEAM),
]


@pytest.mark.parametrize(("strong", "task", "rung"), IN_ORDER, ids=[r.value for _c, _t, r in IN_ORDER])
def test_a_stronger_reason_beats_a_lower_load(strong: Candidate, task: Task, rung: Rung) -> None:
    found = choose(task, [person(1), person(2), strong])
    assert found is not None
    assert (found.person_id, found.rung) == (9, rung)


def test_the_reasons_stand_in_their_order() -> None:
    people = [
        person(1, reaches=team(TOWN, sectors=("industry",))),
        person(2, reaches=team(ZONE)),
        person(3, reaches=team(BUILDING)),
        person(4),
        person(5),
        person(6),
    ]
    task = replace(TASK, officer=4, handled_by=5)
    order = []
    while people:
        found = choose(task, people)
        assert found is not None
        order.append((found.person_id, found.rung))
        people = [p for p in people if p.person_id != found.person_id]
    assert [p for p, _r in order] == [5, 4, 3, 2, 1, 6]
    assert [r for _p, r in order] == list(Rung)


def test_among_equals_the_load_then_what_came_lately_then_the_id() -> None:
    base = [
        person(1, load=20),
        person(2, load=10, lately=2),
        person(3, load=10, lately=1),
        person(4, load=10, lately=1),
    ]
    found = choose(TASK, base)
    assert found is not None
    assert (found.person_id, found.others) == (3, 3)


def test_a_team_of_other_industries_gives_no_reason() -> None:
    found = choose(TASK, [person(1, load=10, reaches=team(ZONE, sectors=("commerce",))), person(2)])
    assert found is not None
    assert (found.person_id, found.rung) == (2, Rung.AREA)


def test_a_bureau_sees_only_its_own() -> None:
    task = replace(TASK, role=Role.BUREAU_REVIEWER, bureau="jingxin")
    one = Candidate(1, frozenset({Post(COUNTY, "shangwu")}))
    two = Candidate(2, frozenset({Post(COUNTY, "jingxin")}), load=99)
    found = choose(task, [one, two])
    assert found is not None
    assert found.person_id == 2
    assert choose(task, [one]) is None


def test_the_cover_inherits_the_reason_of_who_is_away() -> None:
    task = replace(TASK, officer=1)
    found = choose(task, [person(1, is_absent=True, cover_id=2), person(2, load=80), person(3)])
    assert found is not None
    assert (found.person_id, found.rung, found.covers) == (2, Rung.OFFICER, 1)
    assert [(p.person_id, p.why) for p in found.passed] == [(1, Skipped.ABSENT)]


def test_covers_of_covers_and_circles() -> None:
    task = replace(TASK, handled_by=1)
    chain = [
        person(1, is_absent=True, cover_id=2),
        person(2, is_absent=True, cover_id=3),
        person(3, load=50),
        person(4),
    ]
    found = choose(task, chain)
    assert found is not None
    assert (found.person_id, found.covers) == (3, 1)
    circle = [person(1, is_absent=True, cover_id=2), person(2, is_absent=True, cover_id=1), person(4)]
    found = choose(task, circle)
    assert found is not None
    assert (found.person_id, found.covers) == (4, None)


def test_a_cover_with_an_interest_inherits_nothing() -> None:
    task = replace(TASK, handled_by=1, conflicted=frozenset({2}))
    found = choose(task, [person(1, is_absent=True, cover_id=2), person(2), person(3)])
    assert found is not None
    assert (found.person_id, found.rung) == (3, Rung.AREA)
    assert {(p.person_id, p.why) for p in found.passed} >= {(1, Skipped.ABSENT), (2, Skipped.CONFLICT)}


def test_who_gave_it_back_gets_it_only_when_nobody_else_can() -> None:
    task = replace(TASK, officer=1, declined=frozenset({1}))
    found = choose(task, [person(1), person(2, load=99)])
    assert found is not None
    assert found.person_id == 2
    assert (1, Skipped.GAVE_BACK) in {(p.person_id, p.why) for p in found.passed}
    alone = choose(task, [person(1)])
    assert alone is not None
    assert alone.person_id == 1


def test_who_left_is_named_among_those_passed_over() -> None:
    task = replace(TASK, handled_by=70, officer=71)
    found = choose(task, [person(1)])
    assert found is not None
    assert [(p.person_id, p.rung, p.why) for p in found.passed] == [
        (70, Rung.HANDLED, Skipped.NOT_IN_ROLE),
        (71, Rung.OFFICER, Skipped.NOT_IN_ROLE),
    ]


def test_nobody() -> None:
    assert choose(TASK, []) is None
    away = [person(1, is_absent=True), Candidate(2, frozenset({Post(OTHER_TOWN)}))]
    assert choose(TASK, away) is None
    assert [(p.person_id, p.why) for p in passed_over(TASK, away[:1])] == [(1, Skipped.ABSENT)]


def test_the_explanation_is_keys_numbers_and_ids() -> None:
    found = choose(replace(TASK, officer=1), [person(1, load=45, open_cases=3), person(2)])
    assert found is not None
    assert found.because() == {
        "how": "rule",
        "rung": "officer",
        "load": 45,
        "open": 3,
        "others": 0,
        "covers": None,
        "passed": [],
    }


@pytest.mark.parametrize(
    ("hours", "holder", "tenths"),
    [
        (72, "reviewer", 10),
        (24, "reviewer", 15),
        (0, "reviewer", 20),
        (-5, "reviewer", 20),
        (72, "inspector", 20),
        (3, "inspector", 30),
        (-1, "leader", 12),
        (72, "guard", 10),
    ],
)
def test_weights(hours: int, holder: str, tenths: int) -> None:
    assert weight(holder, NOW + dt.timedelta(hours=hours), NOW) == tenths


AREAS = st.sampled_from([CITY, COUNTY, TOWN, ZONE, BUILDING, OTHER_ZONE, OTHER_TOWN])
REACHES = st.builds(
    Reach,
    st.frozensets(AREAS, max_size=3),
    st.frozensets(st.sampled_from(["industry", "commerce"]), max_size=1),
)
PEOPLE = st.lists(
    st.builds(
        Candidate,
        person_id=st.integers(1, 12),
        posts=st.frozensets(st.builds(Post, AREAS, st.sampled_from([None, "jingxin"])), max_size=2),
        reaches=st.lists(REACHES, max_size=2).map(tuple),
        is_absent=st.booleans(),
        cover_id=st.none() | st.integers(1, 12),
        load=st.integers(0, 3).map(lambda n: n * 10),
        open_cases=st.integers(0, 5),
        lately=st.integers(0, 2),
    ),
    max_size=10,
    unique_by=lambda c: c.person_id,
)
SOMEBODY = st.none() | st.integers(1, 14)
TASKS = st.builds(
    replace,
    st.just(TASK),
    bureau=st.sampled_from([None, "jingxin", "shangwu"]),
    zone_id=st.sampled_from([None, ZONE]),
    building_id=st.sampled_from([None, BUILDING]),
    handled_by=SOMEBODY,
    officer=SOMEBODY,
    conflicted=st.frozensets(st.integers(1, 12), max_size=4),
    declined=st.frozensets(st.integers(1, 12), max_size=1),
)


@given(TASKS, PEOPLE, st.randoms(use_true_random=False))
def test_never_somebody_absent_conflicted_or_foreign_and_never_by_order(
    task: Task, people: list[Candidate], noise: random.Random
) -> None:
    found = choose(task, people)
    fit = able(task, people)
    assert (found is None) == (not fit)
    shuffled = list(people)
    noise.shuffle(shuffled)
    again = choose(task, shuffled)
    assert again == found
    if found is None:
        return
    chosen = next(p for p in people if p.person_id == found.person_id)
    assert not chosen.is_absent
    assert chosen.person_id not in task.conflicted
    assert any(p.area_id in task.area_ids and p.bureau in (None, task.bureau) for p in chosen.posts)
    assert chosen.person_id not in {p.person_id for p in found.passed}
    if found.covers is None and chosen.person_id not in task.declined:
        others = [p for p in fit if p.person_id not in task.declined]
        same = [p for p in others if p.reaches == chosen.reaches and p.person_id not in (task.handled_by, task.officer)]
        assert all(p.load >= chosen.load for p in same) or found.rung in (Rung.HANDLED, Rung.OFFICER)

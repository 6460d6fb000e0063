"""The flow chart: every state drawn once, nothing overlaps, a phone shows it whole."""

from __future__ import annotations

from itertools import combinations

import pytest

from tests.core.scene import FLOWS
from workflow.core.chart import WIDTH, Box, draw
from workflow.core.flow import StateKind

CASES = [(key, state) for key, flow in FLOWS.items() for state in flow.states]


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share any area."""
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


@pytest.mark.parametrize("key", FLOWS)
def test_all_states_but_the_draft_are_drawn_once(key: str) -> None:
    flow = FLOWS[key]
    drawn = [b.key for b in draw(flow, flow.initial).boxes]
    assert sorted(drawn) == sorted(k for k, s in flow.states.items() if s.kind is not StateKind.DRAFT)


@pytest.mark.parametrize("key", FLOWS)
def test_boxes_fit_and_do_not_overlap(key: str) -> None:
    chart = draw(FLOWS[key], "reviewing")
    assert chart.width == WIDTH <= 358
    for box in chart.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.w <= chart.width
        assert box.y + box.h <= chart.height
    assert not [(a.key, b.key) for a, b in combinations(chart.boxes, 2) if overlap(a, b)]


@pytest.mark.parametrize("key", FLOWS)
def test_arrows_join_boxes_and_stay_inside(key: str) -> None:
    chart = draw(FLOWS[key], "reviewing")
    main = [a for a in chart.arrows if a.kind == "main"]
    assert len(main) == len(FLOWS[key].main) - 1
    assert len(chart.arrows) == len(chart.boxes) - 1
    for arrow in chart.arrows:
        ends = (arrow.points[0], arrow.points[-1])
        for x, y in ends:
            assert any(b.x <= x <= b.x + b.w and b.y <= y <= b.y + b.h for b in chart.boxes)
        assert all(0 <= x <= chart.width and 0 <= y <= chart.height for x, y in arrow.points)


@pytest.mark.parametrize(("key", "state"), CASES)
def test_here_is_marked_once(key: str, state: str) -> None:
    flow = FLOWS[key]
    here = [b.key for b in draw(flow, state, visited=flow.main).boxes if b.here]
    assert here == ([] if flow.state(state).kind is StateKind.DRAFT else [state])


def test_what_is_done_is_told_from_what_comes() -> None:
    flow = FLOWS["city-small"]
    kinds = {b.key: b.kind for b in draw(flow, "inspecting", visited=["submitted", "reviewing", "correcting"]).boxes}
    assert kinds["submitted"] == kinds["reviewing"] == "done"
    assert kinds["inspecting"] == "here"
    assert kinds["approved"] == "next"
    assert kinds["correcting"] == kinds["refused"] == "side"
    assert {b.kind for b in draw(flow, "approved").boxes if b.here} == {"end_good"}
    assert {b.kind for b in draw(flow, "refused").boxes if b.here} == {"end_bad"}


def test_labels_follow_the_language_and_subs_are_shown() -> None:
    flow = FLOWS["city-large"]
    english = {b.key: b for b in draw(flow, "submitted", locale="en", subs={"submitted": "2020-02-15"}).boxes}
    assert english["submitted"].label == flow.state("submitted").label.en
    assert english["submitted"].sub == "2020-02-15"
    assert {b.key: b.label for b in draw(flow, "submitted").boxes}["submitted"] == flow.state("submitted").label.zh

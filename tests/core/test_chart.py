"""The flow chart: every state drawn once, every way shown, nothing overlaps or is cut off, whatever the flow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.scene import FLOWS
from workflow.core.actors import Role
from workflow.core.chart import SOURCE_WORDS, SUB_SIZE, WIDTH, Box, Chart, draw, sub_lines
from workflow.core.chart_svg import STYLE, described, is_drawing, marker_width, svg
from workflow.core.chart_text import width_of, wrap, wrap_parts
from workflow.core.flow import Flow, NoteRule, State, StateKind, Step
from workflow.core.tables import Label

CASES = [(key, state) for key, flow in FLOWS.items() for state in flow.states]
SVG = "{http://www.w3.org/2000/svg}"
ENGLISH = SOURCE_WORDS.said(str, latin=True)

Rect = tuple[float, float, float, float]


def rect_of(box: Box) -> Rect:
    """Left, top, right and bottom."""
    return (box.x, box.y, box.x + box.w, box.y + box.h)


def overlap(a: Rect, b: Rect) -> bool:
    """Whether two rectangles share any area."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def on_edge(point: tuple[int, int], box: Box) -> bool:
    """Whether a point lies on the frame of a box."""
    x, y = point
    left, top, right, bottom = rect_of(box)
    upright = x in (left, right) and top <= y <= bottom
    return upright or (y in (top, bottom) and left <= x <= right)


def check(flow: Flow, chart: Chart) -> None:
    """Everything that holds of every chart."""
    boxes = {b.key: b for b in chart.boxes}
    assert sorted(b.key for b in chart.boxes) == sorted(
        k for k, s in flow.states.items() if s.kind is not StateKind.DRAFT
    )
    areas = [rect_of(b) for b in chart.boxes] + [(n.x, n.y, n.x + n.w, n.y + n.h) for n in chart.notes]
    assert [a for a in areas if a[0] < 0 or a[1] < 0 or a[2] > chart.width or a[3] > chart.height] == []
    assert [(a, b) for a, b in combinations(areas, 2) if overlap(a, b)] == []
    for arrow in chart.arrows:
        assert on_edge(arrow.points[0], boxes[arrow.source])
        assert on_edge(arrow.points[-1], boxes[arrow.dest])
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in zip(arrow.points, arrow.points[1:], strict=False))
        assert all(0 <= x <= chart.width and 0 <= y <= chart.height for x, y in arrow.points)
        for a, b in zip(arrow.points, arrow.points[1:], strict=False):
            way = (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
            assert [box.key for box in chart.boxes if overlap(way, rect_of(box))] == []
            assert [n.text for n in chart.notes if overlap(way, (n.x, n.y, n.x + n.w, n.y + n.h))] == []
    told = [(a.source, a.dest) for a in chart.arrows] + [way for note in chart.notes for way in note.ways]
    ways = {(a, s.dest) for s in flow.steps for a in s.sources if a != s.dest and a in boxes}
    assert sorted(told) == sorted(ways), "every step is shown once"
    for box in chart.boxes:
        rows = [(line, 15) for line in box.label.split("\n")] + [(line, 13) for line in box.sub.split("\n") if line]
        assert all(width_of(line, size) <= box.w - 8 for line, size in rows)
        assert sum(20 if size == 15 else 17 for _, size in rows) <= box.h - 8
    for note in chart.notes:
        assert all(width_of(line, SUB_SIZE) <= note.w for line in note.text.split("\n"))


def state(key: str, kind: StateKind, label: str, days: int | None) -> State:
    """A state held by the reviewer while it is open."""
    holder = Role.BUREAU_REVIEWER if kind in (StateKind.OPEN, StateKind.DRAFT) else None
    return State(key, Label(label, label), kind, holder, days)


def step(number: int, sources: Sequence[str], dest: str) -> Step:
    """A plain step."""
    label = Label(f"步骤{number}", f"Step {number}")
    return Step(
        f"a{number}",
        label,
        label,
        tuple(sources),
        dest,
        Role.REVIEWER,
        (),
        (),
        (),
        NoteRule.NONE,
        "primary",
        "note",
        False,
    )


LABELS = st.one_of(
    st.text(alphabet="待审核退回补正材料，、（）“”·", min_size=1, max_size=60),
    st.text(alphabet="abcMW IJ-1·’", min_size=1, max_size=60),
    st.text(min_size=1, max_size=60),
)


@st.composite
def flows(draw_from: st.DrawFn) -> Flow:
    """Flows of up to 40 states: a spine from the draft to an end, any ways besides, any choice of a main column."""
    count = draw_from(st.sampled_from([2, 3, 5, 8, 13, 25, 40]))
    keys = [f"s{n}" for n in range(count)]
    states = [state(keys[0], StateKind.DRAFT, draw_from(LABELS), 1)]
    for key in keys[1:-1]:
        kind = draw_from(st.sampled_from([StateKind.OPEN] * 6 + [StateKind.APPROVED, StateKind.ENDED]))
        states.append(state(key, kind, draw_from(LABELS), draw_from(st.sampled_from([None, 1, 30]))))
    states.append(state(keys[-1], StateKind.ENDED, draw_from(LABELS), None))
    steps = [step(n, [draw_from(st.sampled_from(keys[:n]))], key) for n, key in enumerate(keys) if n]
    steps.append(step(count, keys[:-1], keys[-1]))
    pairs = st.tuples(st.lists(st.sampled_from(keys), min_size=1, max_size=4, unique=True), st.sampled_from(keys))
    steps += [step(100 + n, a, b) for n, (a, b) in enumerate(draw_from(st.lists(pairs, max_size=30)))]
    main = draw_from(st.lists(st.sampled_from(keys), min_size=1, max_size=count, unique=True))
    label = Label("流程", "Flow")
    return Flow("any", 1, label, label, {s.key: s for s in states}, tuple(steps), tuple(main), (), "general", keys[0])


@settings(max_examples=150, deadline=None)
@given(flows(), st.data())
def test_any_flow_is_drawn_whole(flow: Flow, data: st.DataObject) -> None:
    here = data.draw(st.sampled_from([*flow.states, ""]))
    chart = draw(flow, here, flow.main[:2], "zh_Hans", sub_lines(flow))
    check(flow, chart)
    for standalone in (False, True):
        drawn = svg(
            chart, id="x", title="图<&>", desc=described(chart, SOURCE_WORDS), words=SOURCE_WORDS, standalone=standalone
        )
        titles = [node.text for node in ElementTree.fromstring(drawn).iter() if node.tag.rpartition("}")[2] == "title"]
        assert titles == ["图<&>"]


@settings(max_examples=300, deadline=None)
@given(LABELS, st.integers(60, 160), st.sampled_from([13.0, 15.0]))
def test_wrapped_words_fit_and_none_is_lost(text: str, width: int, size: float) -> None:
    for lines in (wrap(text, width, size), wrap_parts(text, width, size, "·")):
        assert all(width_of(line, size) <= width for line in lines.split("\n"))
    kept = "".join(wrap(text, width, size).split())
    assert kept == "".join(text.split())


@pytest.mark.parametrize("locale", ["zh_Hans", "en"])
@pytest.mark.parametrize("key", FLOWS)
def test_the_products_flows_are_drawn_whole(key: str, locale: str) -> None:
    words = ENGLISH if locale == "en" else SOURCE_WORDS
    chart = draw(FLOWS[key], "reviewing", (), locale, sub_lines(FLOWS[key], words), words)
    assert chart.width == WIDTH <= 358
    check(FLOWS[key], chart)


@pytest.mark.parametrize(("key", "state_key"), CASES)
def test_here_is_marked_once(key: str, state_key: str) -> None:
    flow = FLOWS[key]
    here = [b.key for b in draw(flow, state_key, visited=flow.main).boxes if b.here]
    assert here == ([] if flow.state(state_key).kind is StateKind.DRAFT else [state_key])


def test_what_is_done_is_told_from_what_comes() -> None:
    flow = FLOWS["city-small"]
    kinds = {b.key: b.kind for b in draw(flow, "inspecting", visited=["submitted", "reviewing", "correcting"]).boxes}
    assert kinds["submitted"] == kinds["reviewing"] == "done"
    assert kinds["inspecting"] == "here"
    assert kinds["approved"] == "next"
    assert kinds["correcting"] == kinds["refused"] == "side"
    assert {b.kind for b in draw(flow, "approved").boxes if b.here} == {"end_good"}
    assert {b.kind for b in draw(flow, "refused").boxes if b.here} == {"end_bad"}


def test_ways_back_are_arrows_to_neighbours_and_words_to_the_rest() -> None:
    chart = draw(FLOWS["city-large"], "")
    arrows = {(a.source, a.dest): a.kind for a in chart.arrows}
    assert arrows["reviewing", "correcting"] == "side"
    assert arrows["correcting", "reviewing"] == "back"
    assert arrows["rectifying", "awaiting_recheck"] == "side"
    assert arrows["awaiting_recheck", "inspecting"] == "back"
    assert arrows["awaiting_bureau", "awaiting_town_opinion"] == "back"
    notes = {(n.key, n.text.replace("\n", "")) for n in chart.notes}
    assert ("awaiting_town_opinion", "可退回：材料审核中") in notes
    assert ("refused", "可重新进入：材料审核中") in notes
    assert ("refused", "也可来自：待镇街意见") in notes
    assert ("withdrawn", "另 9 个环节可转入") in notes


def test_subs_tell_who_holds_a_state_and_for_how_long() -> None:
    subs = sub_lines(FLOWS["city-large"])
    assert subs["reviewing"] == "专班科员 · 2 个工作日"
    assert "approved" not in subs
    boxes = {b.key: b for b in draw(FLOWS["city-large"], "", subs=subs).boxes}
    assert boxes["correcting"].sub == "企业经办人\n3 个工作日"


def test_labels_follow_the_language() -> None:
    flow = FLOWS["city-large"]
    english = {b.key: b for b in draw(flow, "submitted", locale="en", subs={"submitted": "2020-02-15"}).boxes}
    assert english["submitted"].label == flow.state("submitted").label.en
    assert english["submitted"].sub == "2020-02-15"
    assert {b.key: b.label for b in draw(flow, "submitted").boxes}["submitted"] == flow.state("submitted").label.zh


def test_no_line_begins_with_a_closing_mark_and_lines_are_even() -> None:
    assert wrap("已提交，待受理", 60) == "已提交，\n待受理"
    assert wrap("甲ABC、乙", 50) == "甲\nABC、\n乙"
    assert [len(line) for line in wrap("甲乙丙丁戊己庚辛壬", 120).split("\n")] == [5, 4]
    assert wrap_parts("企业经办人 · 3 个工作日", 108) == "企业经办人\n3 个工作日"
    assert wrap_parts("核查员 · 1 个工作日", 156) == "核查员 · 1 个工作日"


def test_the_drawing_is_sound_and_says_where_the_case_is() -> None:
    flow = FLOWS["city-small"]
    chart = draw(flow, "inspecting", ["submitted", "reviewing"], "zh_Hans", sub_lines(flow))
    words = described(chart, SOURCE_WORDS)
    assert "待实地核查（进行中，核查员 · 2 个工作日）" in words
    root = ElementTree.fromstring(svg(chart, id="a", title="图", desc=words, words=SOURCE_WORDS, standalone=True))
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert root.get("aria-labelledby") == " ".join(str(i) for i in ids) == "a-title a-desc"
    assert [e.text for e in root.iter(f"{SVG}title")] == ["图"]
    assert [e.text for e in root.iter(f"{SVG}text")].count("您在这里") == 1
    assert len(list(root.iter(f"{SVG}circle"))) == 2, "a tick for each state that is done"
    sizes = [int(part.split("px")[0]) for part in (root.find(f"{SVG}style").text or "").split("font-size:")[1:]]  # type: ignore[union-attr]
    assert min(sizes) >= 13


def test_the_flag_fits_over_the_narrowest_box() -> None:
    assert marker_width("您在这里") <= 116
    assert marker_width("You are here") <= 116


def test_words_cannot_become_markup() -> None:
    flow = FLOWS["city-small"]
    bad = '"><script>alert(1)</script>\x00\ud800&'
    chart = draw(flow, "submitted", subs={"submitted": bad})
    drawn = svg(chart, id=bad, title=bad, desc=bad, words=SOURCE_WORDS, standalone=True)
    assert "<script" not in drawn
    ElementTree.fromstring(drawn)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<g ", '<image href="file:///etc/passwd"/><g '),
        ("<g ", '<g style="fill:url(file:///x)" '),
        ("<g ", '<g onload="alert(1)" '),
        ("</desc>", "</desc><script>alert(1)</script>"),
        (STYLE, STYLE + "@import url(file:///x);"),
        ("</svg>", "</svg><style>@import url(file:///x)</style>"),
        ("</svg>", "</svg><!-- x -->"),
        ('<svg class="fg-flow__svg"', "<svg"),
    ],
)
def test_only_a_drawing_of_ours_is_taken_for_one(old: str, new: str) -> None:
    flow = FLOWS["city-small"]
    chart = draw(flow, "submitted", ["submitted"], subs=sub_lines(flow))
    drawn = svg(chart, id="a", title="图<", desc='"&', words=SOURCE_WORDS, standalone=True)
    assert is_drawing(drawn)
    assert old in drawn
    assert not is_drawing(drawn.replace(old, new, 1))
    assert not is_drawing("")


def test_a_chart_of_no_case_does_not_speak_of_progress() -> None:
    chart = draw(FLOWS["city-small"], "")
    words = described(chart, SOURCE_WORDS)
    assert "未开始" not in words
    assert "退回补正（可能的情况）" in words

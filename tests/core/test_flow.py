"""Flow files: the product's own are read, every fault is named, and no mutation gets past the reader half-broken."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from tests.core.scene import FLOWS, agreeing, needs, person
from workflow.core.actors import Role
from workflow.core.chart import draw
from workflow.core.effects import Effect
from workflow.core.engine import Engine
from workflow.core.errors import DomainError
from workflow.core.flow import Flow, InspectionRule, NoteRule, StateKind
from workflow.core.flow_file import MAX_STATES, FlowInvalid, read_flow
from workflow.data.catalogue import flow_text


@pytest.mark.parametrize("key", FLOWS)
def test_the_products_flows(key: str) -> None:
    flow = FLOWS[key]
    assert flow.state(flow.initial).kind is StateKind.DRAFT
    assert flow.state(flow.main[-1]).kind is StateKind.APPROVED
    labels = [s.label for s in flow.states.values()] + [s.label for s in flow.steps] + [s.done for s in flow.steps]
    assert all(label.zh != label.en for label in labels)
    assert flow.label.text("en") == flow.label.en
    assert flow.label.text("zh_Hans") == flow.label.zh


@pytest.mark.parametrize("key", FLOWS)
def test_authorities_never_act_on_their_own_company(key: str) -> None:
    for step in FLOWS[key].steps:
        if step.role not in ("filer", "system"):
            assert "not_of_company" in step.guards, step.action


@pytest.mark.parametrize("key", FLOWS)
def test_deciders_never_inspected_and_give_words(key: str) -> None:
    decisions = [s for s in FLOWS[key].steps if s.decision]
    assert decisions
    for step in decisions:
        assert "not_the_inspector" in step.guards, step.action
        assert step.note is NoteRule.REQUIRED, step.action


INSPECTED_LATER = {"filing": InspectionRule.AFTER, "extra-staff": InspectionRule.NONE}
"""Where nobody goes there first: under the filing regime checks follow by lot, added staff are only registered."""


@pytest.mark.parametrize("key", FLOWS)
def test_a_flow_says_when_the_place_is_inspected(key: str) -> None:
    assert FLOWS[key].inspection is INSPECTED_LATER.get(key, InspectionRule.BEFORE)


@pytest.mark.parametrize("key", sorted(FLOWS.keys() - INSPECTED_LATER.keys()))
def test_an_approval_has_a_passed_inspection_behind_it(key: str) -> None:
    """Taking away the steps that demand a passed inspection, no approved state can be reached any more."""
    flow = FLOWS[key]
    seen = {flow.initial}
    for _ in flow.states:
        seen |= {s.dest for s in flow.steps if set(s.sources) & seen and "inspection_passed" not in needs(s)}
    assert not [k for k in seen if flow.state(k).kind is StateKind.APPROVED]


@pytest.mark.parametrize("key", FLOWS)
def test_officers_have_clocks_and_a_review_goes_on_after_a_correction(key: str) -> None:
    for state in FLOWS[key].states.values():
        if state.kind is StateKind.OPEN:
            assert state.days, state.key
            assert bool(state.escalate) is (state.holder is not Role.FILER), state.key
            assert state.escalate is not state.holder, state.key
    for step in FLOWS[key].steps:
        if step.form == "correct":
            assert FLOWS[key].state(step.dest).resumes, step.dest


@pytest.mark.parametrize("key", [k for k, f in FLOWS.items() if f.opinions])
def test_nothing_is_approved_before_the_departments_have_spoken(key: str) -> None:
    flow = FLOWS[key]
    for step in flow.steps:
        if flow.state(step.dest).kind is StateKind.APPROVED:
            assert {"all_opinions_in", "no_opinion_against"} <= set(step.guards), step.action
        if step.form == "submit" or Effect.START_NEW_CYCLE in step.effects:
            following = [step, *flow.steps_from(step.dest)]
            assert any(Effect.ASK_OPINIONS in s.effects for s in following), step.action


def test_a_lot_is_not_refused_by_a_guard() -> None:
    text = flow_text("filing").replace(
        'action = "draw_for_check"', 'action = "draw_for_check"\nguards = ["inspection_passed"]', 1
    )
    with pytest.raises(FlowInvalid, match="drawn by lot"):
        read_flow(text)


def test_filing_lets_work_go_on_while_it_is_checked_and_stops_it_with_the_passes() -> None:
    flow = FLOWS["filing"]
    at_work = {k for k, s in flow.states.items() if s.permits}
    assert at_work == {"filed", "post_check", "inspecting", "rectifying", "awaiting_recheck", "awaiting_order"}
    leaving = [s for s in flow.steps if set(s.sources) & at_work and s.dest not in at_work]
    assert leaving
    assert all({Effect.REVOKE_PASSES, Effect.SUSPEND_PASSES} & set(s.effects) for s in leaving)
    assert [r.percent for r in flow.samples] == sorted((r.percent for r in flow.samples), reverse=True)
    assert flow.state("submitted").lapse == "file_tacitly"


SMALL = """
key = "small"
revision = 1
label = { zh = "小流程", en = "Small" }
summary = { zh = "说明", en = "Summary" }
main = ["waiting", "good"]
checklist = "general"
[[state]]
key = "draft"
label = { zh = "草稿", en = "Draft" }
kind = "draft"
holder = "filer"
[[state]]
key = "waiting"
label = { zh = "等待", en = "Waiting" }
holder = "leader"
days = 2
[[state]]
key = "good"
label = { zh = "好", en = "Good" }
kind = "approved"
[[step]]
action = "submit"
label = { zh = "提交", en = "Submit" }
source = ["draft"]
dest = "waiting"
role = "filer"
guards = ["required_present"]
effects = ["issue_receipt"]
note = "none"
[[step]]
action = "approve"
label = { zh = "同意", en = "Approve" }
source = ["waiting"]
dest = "good"
role = "leader"
decision = true
[[material]]
slot = "M01"
when = { head_count = { gt = 20 } }
"""

FAULTS = [
    ('key = "small"', "key = ", "not TOML"),
    ("revision = 1", "revision = " + "1" * 5000, "not TOML"),
    ("revision = 1", "revision = " + "[" * 3000 + "]" * 3000, "not TOML"),
    ("revision = 1", "revision = 0", "revision must be a whole number"),
    ("revision = 1", "revision = true", "revision must be a whole number"),
    ("revision = 1", 'revision = 1\ncolour = "red"', "flow: unknown key 'colour'"),
    ('key = "small"', 'key = "../small"', "flow: key must be a short name"),
    ('key = "small"\n', "", "flow: key must be a text"),
    ('zh = "小流程", ', "", "flow: label needs zh and en"),
    ('"小流程"', '"<b>小</b>"', "flow: label needs zh and en"),
    ('"小流程"', '"{{7*7}}"', "flow: label needs zh and en"),
    ('"小流程"', f'"{"长" * 61}"', "at most 60 characters"),
    ('"小流程"', '""', "flow: label needs zh and en"),
    ('"小流程"', '"　 "', "flow: label needs zh and en"),
    ('"小流程"', r'"小\u0000流程"', "flow: label needs zh and en"),
    ('"小流程"', r'"小\u202e流程"', "flow: label needs zh and en"),
    ('"小流程"', r'"小\u2028流程"', "flow: label needs zh and en"),
    ("summary", "abstract", "flow: summary needs zh and en"),
    ('checklist = "general"', "checklist = 1", "flow: checklist must be a text"),
    ('checklist = "general"', 'checklist = "general"\ninspection = "never"', "inspection 'never' is not one of"),
    (
        'checklist = "general"',
        'checklist = "general"\ninspection = "before"',
        "state 'good': can be reached without a step that demands inspection_passed",
    ),
    (
        'checklist = "general"',
        'checklist = "general"\ninspection = "after"',
        "inspection after approval needs [[sample]]",
    ),
    ('main = ["waiting", "good"]', "main = []", "main: names no state"),
    ('main = ["waiting", "good"]', 'main = "waiting"', "flow: main must be a list of texts"),
    ('main = ["waiting", "good"]', 'main = ["waiting", "bad"]', "main: unknown state 'bad'"),
    ('main = ["waiting", "good"]', 'main = ["good", "good"]', "main: state 'good': named twice"),
    ("[[step]]", "[step]", "not TOML"),
    ("[[material]]", "[material]", "material must be written as [[material]] tables"),
    ('key = "good"', 'key = "waiting"', "state 'waiting': named twice"),
    ('key = "good"', 'key = "gut so"', "state: key must be a short name"),
    ('kind = "approved"', 'kind = "great"', "kind 'great' is not one of"),
    ('kind = "approved"', "kind = [1]", "kind [1] is not one of"),
    ('kind = "draft"', 'kind = "open"', "exactly one state must be of kind draft, found 0"),
    ('kind = "approved"', 'kind = "draft"', "exactly one state must be of kind draft, found 2"),
    ('holder = "leader"', 'holder = "king"', "holder 'king' is not one of"),
    ('holder = "leader"\n', "", "state 'waiting': an open state needs a holder"),
    ('holder = "leader"', 'holder = "reviewer"', "its holder reviewer has no step"),
    ("days = 2", "days = 0", "days must be a whole number from 1 to 365"),
    ("days = 2", "days = 1.5", "days must be a whole number from 1 to 365"),
    ("days = 2", "tage = 2", "state 'waiting': unknown key 'tage'"),
    ('action = "approve"', 'action = "state"', "this name is reserved"),
    ('action = "approve"', 'action = "a/b"', "step: action must be a short name"),
    ('source = ["waiting"]', "source = []", "step 'approve': source is empty"),
    ('source = ["waiting"]', 'source = "waiting"', "step 'approve': source must be a list of texts"),
    ('source = ["waiting"]', 'source = ["*"]', "step 'approve': unknown state '*'"),
    ('dest = "good"', 'dest = "="', "step 'approve': unknown state '='"),
    ('dest = "good"', "dest = 3", "step 'approve': dest must be a text"),
    ('dest = "good"', 'dest = "waiting"', "state 'good': can't be reached"),
    ('dest = "good"', 'dest = "waiting"', "state 'waiting': no way to an end"),
    ('role = "leader"', 'role = "boss"', "role 'boss' is not one of"),
    ('role = "leader"', 'role = "department"', "role 'department' is not one of"),
    ('role = "leader"', 'role = "host_filer"', "role 'host_filer' is not one of"),
    (
        'role = "leader"',
        'role = "leader"\nform = "sheet"\noutcome = "pass"',
        "form 'sheet' is not one of note, schedule",
    ),
    ('role = "leader"', 'role = "leader"\nform = "correct"', "form 'correct' is not one of note, schedule"),
    ('holder = "leader"', 'holder = "commander"', "holder 'commander' is not one of"),
    ("days = 2", 'days = 2\nescalate = "reviewer"', "escalate 'reviewer' is not one of"),
    ('guards = ["required_present"]', 'guards = ["always"]', "unknown name 'always' in guards"),
    ('guards = ["required_present"]', 'checks = ["always"]', "unknown name 'always' in checks"),
    ('effects = ["issue_receipt"]', 'effects = ["send_flowers"]', "unknown name 'send_flowers' in effects"),
    ('note = "none"', 'note = "some"', "note 'some' is not one of"),
    ('note = "none"', 'tone = "pink"', "tone 'pink' is not one of"),
    ('note = "none"', 'form = "paper"', "form 'paper' is not one of"),
    ("decision = true", 'decision = "yes"', "decision must be true or false"),
    (
        '[[step]]\naction = "approve"',
        '[[step]]\naction = "approve"\nlabel = {zh="甲",en="A"}\nsource = ["waiting"]\n'
        'dest = "good"\nrole = "leader"\n[[step]]\naction = "approve"',
        "step 'approve': a second one from 'waiting'",
    ),
    ('slot = "M01"', "slot = 1", "material: slot must be a text"),
    ('slot = "M01"', 'slot = "M01"\nrequired = "no"', "material 'M01': required must be true or false"),
    ('slot = "M01"', 'slot = "M01"\n[[material]]\nslot = "M01"', "material 'M01': named twice"),
    ("head_count", "heads", "material 'M01': unknown fact 'heads'"),
    ("{ gt = 20 }", "{ }", "material 'M01': head_count: compares with nothing"),
    ("when = { head_count = { gt = 20 } }", 'when = "always"', "material 'M01': when must be a table"),
]


def test_the_small_flow_is_good() -> None:
    assert read_flow(SMALL).step("waiting", "approve") is not None


@pytest.mark.parametrize(("old", "new", "problem"), FAULTS)
def test_each_fault_is_named(old: str, new: str, problem: str) -> None:
    assert old in SMALL
    with pytest.raises(FlowInvalid) as caught:
        read_flow(SMALL.replace(old, new, 1))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


def test_all_faults_are_named_at_once() -> None:
    text = SMALL.replace("days = 2", "days = 0").replace('role = "leader"', 'role = "boss"').replace('"general"', "1")
    with pytest.raises(FlowInvalid) as caught:
        read_flow(text)
    assert len(caught.value.problems) >= 3


def test_too_many_states_are_refused() -> None:
    more = "".join(f'\n[[state]]\nkey = "s{n}"\nlabel = {{ zh = "态", en = "S" }}\n' for n in range(MAX_STATES))
    with pytest.raises(FlowInvalid, match="at most 200"):
        read_flow(SMALL + more)


JUNK = [
    "1", "-1", "0", "true", '""', '"x"', '"state"', '"="', '"*"', '"draft"', '"approved"', "[]", "{}", "nan", "inf",
    "1979-05-27", "07:32:00", '["draft"]', '["x", "y"]', "[1]", "[[]]", "{ a = 1 }", '{ zh = "甲", en = "A" }',
    '{ zh = "<i>", en = "A" }', '"""\n"""', "99999999999999999999", '"filer"', '"submitted"', '["submitted"]', "'\\'",
]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """``text`` with one to four random faults: lines lost, doubled or swapped, values and characters replaced."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 4)):
        here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
        kind = chance.randrange(7)
        if kind == 0:
            del lines[here]
        elif kind == 1:
            lines.insert(there, lines[here])
        elif kind == 2:
            lines[here], lines[there] = lines[there], lines[here]
        elif kind in (3, 4) and " = " in lines[here]:
            lines[here] = lines[here].split(" = ", 1)[0] + " = " + chance.choice(JUNK)
        elif kind == 5 and " = " in lines[here] and " = " in lines[there]:
            lines[here] = lines[here].split(" = ", 1)[0] + " = " + lines[there].split(" = ", 1)[1]
        elif lines[here]:
            place = chance.randrange(len(lines[here]))
            lines[here] = lines[here][:place] + chance.choice('"[]{}=#,.\x00\\é甲 ') + lines[here][place + 1 :]
    return "\n".join(lines)


def walk(flow: Flow, chance: random.Random) -> None:
    """A random walk through ``flow``: whatever the reader let pass, the engine and the chart must bear."""
    engine, state = Engine(flow), flow.initial
    for _ in range(40):
        assert state in flow.states
        assert draw(flow, state).boxes
        steps = list(flow.steps_from(state))
        if not steps:
            break
        step = chance.choice(steps)
        with suppress(DomainError):
            state = engine.move(state, step.action, person(step.role), agreeing(needs(step)), "意见").dest.key


@pytest.mark.parametrize("key", FLOWS)
def test_mutations_are_refused_with_reasons_or_give_a_flow_that_walks(key: str) -> None:
    good = 0
    for seed in range(500):
        chance = random.Random(seed)
        try:
            flow = read_flow(mutated(flow_text(key), chance))
        except FlowInvalid as error:
            problems = error.problems
        else:
            problems = ("none",)
            good += 1
            walk(flow, chance)
        assert problems
        assert all(problems)
    assert 20 < good < 450

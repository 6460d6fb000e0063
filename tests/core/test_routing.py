"""Routing: every enterprise gets exactly one flow, operators mean what they say, bad files are refused with reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.scene import FLOWS, enterprise
from workflow.core.answers import CONDITIONS, PRIORITY_CLASSES, QUESTIONS, SECTORS, enterprise_facts
from workflow.core.facts import EnterpriseFacts, SizeClass
from workflow.core.routing import FACT_NAMES, RoutingInvalid, read_condition, read_routing
from workflow.data.catalogue import areas, bureau_of, bureaus, industries, routing

FACTS = st.fixed_dictionaries(
    {
        "size": st.sampled_from([s.value for s in SizeClass]),
        "sector": st.sampled_from([s for s, _ in SECTORS]),
        "industry": st.sampled_from([c for c, _ in industries()]),
        "head_count": st.integers(0, 9_999_999),
        "resuming_count": st.integers(1, 9_999_999),
        "county": st.sampled_from([a.code for a in areas() if a.kind == "county"]),
        "town": st.sampled_from([a.code for a in areas() if a.kind == "town"]),
        "priority_class": st.sampled_from([p for p, _ in PRIORITY_CLASSES]),
        "hazardous": st.sampled_from(["yes", "no"]),
        "key_area_count": st.integers(0, 9_999_999),
        "filed_on": st.dates(dt.date(2020, 2, 1), dt.date(2030, 1, 1)),
    }
)


def expected(values: dict[str, str | int | dt.date | None]) -> str:
    """The flow as the notices say it: Yinzhou's own for its industry, the city's by size for all others."""
    if values["county"] == "330212" and values["sector"] == "industry":
        return "yinzhou-town" if int(str(values["head_count"])) <= 100 else "yinzhou-bureau"
    return {"above": "city-large", "below": "city-small", "micro": "micro"}[str(values["size"])]


@given(FACTS)
def test_every_enterprise_gets_the_flow_of_the_notices(values: dict[str, str | int | dt.date | None]) -> None:
    rule = routing().choose(EnterpriseFacts(values))
    assert rule is not None
    assert rule.flow == expected(values)
    assert rule.flow in FLOWS


@pytest.mark.parametrize(("heads", "flow"), [(99, "yinzhou-town"), (100, "yinzhou-town"), (101, "yinzhou-bureau")])
def test_exactly_one_hundred_heads_go_where_the_rule_says(heads: int, flow: str) -> None:
    facts = EnterpriseFacts({"county": "330212", "sector": "industry", "head_count": heads, "size": "above"})
    rule = routing().choose(facts)
    assert rule is not None
    assert rule.flow == flow


def test_facts_unknown_choose_nothing() -> None:
    assert routing().choose(EnterpriseFacts({})) is None


def test_every_flow_is_chosen_by_some_rule() -> None:
    assert {r.flow for r in routing().rules} == set(FLOWS)


def test_every_fact_comes_from_the_answers() -> None:
    given_by_answers = set(enterprise_facts({}, dt.date(2020, 2, 15)).values)
    assert given_by_answers == FACT_NAMES
    assert FACT_NAMES - {"county", "filed_on"} <= set(QUESTIONS)
    assert CONDITIONS


OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


@given(st.sampled_from(sorted(OPERATORS)), st.integers(-3, 200), st.integers(-3, 200))
def test_comparisons(operator: str, value: int, bound: int) -> None:
    condition, problems = read_condition({"head_count": {operator: bound}})
    assert not problems
    assert condition.holds(enterprise(head_count=value)) is OPERATORS[operator](value, bound)


def test_dates_compare_with_dates_only() -> None:
    condition, problems = read_condition({"filed_on": {"ge": dt.date(2020, 2, 10), "lt": dt.date(2020, 2, 20)}})
    assert not problems
    assert condition.holds(enterprise(filed_on=dt.date(2020, 2, 10)))
    assert not condition.holds(enterprise(filed_on=dt.date(2020, 2, 20)))
    assert not condition.holds(enterprise(filed_on=20200215))


def test_all_clauses_must_hold_and_an_unknown_fact_never_does() -> None:
    condition, problems = read_condition({"sector": ["industry", "commerce"], "head_count": {"gt": 10, "le": 100}})
    assert not problems
    assert condition.holds(enterprise(head_count=100))
    assert not condition.holds(enterprise(head_count=101))
    assert not condition.holds(enterprise(sector="finance"))
    assert not condition.holds(enterprise(head_count=None))
    assert read_condition({})[0].holds(EnterpriseFacts({}))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"colour": "red"}, "unknown fact 'colour'"),
        ({"size": ["huge"]}, "size: no answer is 'huge'"),
        ({"size": []}, "size: needs a value"),
        ({"size": {}}, "size: compares with nothing"),
        ({"hazardous": True}, "hazardous: needs a value"),
        ({"head_count": {"about": 5}}, "unknown comparison 'about'"),
        ({"head_count": {"gt": "5"}}, "gt needs a number or a date"),
        ({"head_count": {"gt": True}}, "gt needs a number or a date"),
        ({"head_count": 1.5}, "head_count: needs a value"),
        ("size", "when must be a table"),
    ],
)
def test_bad_conditions(table: object, problem: str) -> None:
    assert any(problem in p for p in read_condition(table)[1])


BUREAUS = "\n".join(
    f'[[bureau]]\ncode = "b-{s}"\nlabel = {{ zh = "局", en = "Bureau" }}\nsectors = ["{s}"]' for s, _ in SECTORS
)
GOOD = f"""
[calendar]
earliest_resume_on = 2020-02-10
notice_days = 1
[[rule]]
flow = "city-small"
why = {{ zh = "都走此流程", en = "All take this" }}
{BUREAUS}
"""


def test_a_small_routing_file() -> None:
    read = read_routing(GOOD, frozenset(FLOWS))
    assert read.earliest_day(dt.date(2020, 2, 1)) == dt.date(2020, 2, 10)
    assert read.earliest_day(dt.date(2020, 2, 10)) == dt.date(2020, 2, 11)
    assert read.bureau_of("finance").code == "b-finance"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[calendar]", "[calendar", "not TOML"),
        ("notice_days = 1", "notice_days = " + "9" * 5000, "not TOML"),
        ("notice_days = 1", "notice_days = true", "notice_days must be a whole number"),
        ("notice_days = 1", "notice_days = 1\nholiday = 1", "calendar: unknown key 'holiday'"),
        ("2020-02-10", '"2020-02-10"', "earliest_resume_on must be a date"),
        ("2020-02-10", "2020-02-10T08:00:00", "earliest_resume_on must be a date"),
        ("[calendar]", "[kalender]", "calendar: must be a [calendar] table"),
        ('"city-small"', '"city-middle"', "rule 1: unknown flow 'city-middle'"),
        ('"city-small"', '["city-small"]', "rule 1: unknown flow"),
        ("[[rule]]", "[rule]", "rule must be written as [[rule]] tables"),
        ("why = {", "warum = {", "rule 1: unknown key 'warum'"),
        ('zh = "都走此流程", ', "", "rule 1: why needs zh and en"),
        ('"b-finance"', '"b-industry"', "bureau 'b-industry': named twice"),
        ('["finance"]', '["industry"]', "sector 'finance': needs exactly one bureau, has 0"),
        ('["finance"]', '["finance", "industry"]', "sector 'industry': needs exactly one bureau, has 2"),
        ('["finance"]', '["banking"]', "unknown name 'banking' in sectors"),
    ],
)
def test_bad_routing_files(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    with pytest.raises(RoutingInvalid) as caught:
        read_routing(GOOD.replace(old, new, 1), frozenset(FLOWS))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


def test_each_sector_has_its_bureau() -> None:
    assert {s: bureau_of(s) for s, _ in SECTORS} == {
        "industry": "jingxin",
        "commerce": "shangwu",
        "construction": "zhujian",
        "transport": "jiaotong",
        "culture": "wenguang",
        "finance": "jinrong",
        "agriculture": "nongye",
        "other": "fagai",
    }
    assert len(bureaus()) == len({b.label.zh for b in bureaus()}) == 8
    with pytest.raises(KeyError):
        bureau_of("mining")

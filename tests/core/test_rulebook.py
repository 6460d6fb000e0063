"""Rulebooks: operators mean what they say, the narrowest area's word counts, bad files are refused with reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.scene import FLOWS, enterprise
from workflow.core.answers import enterprise_facts
from workflow.core.conditions import DERIVED_FACTS, FACT_NAMES, Regime, read_condition
from workflow.core.departments import DepartmentsInvalid, read_departments
from workflow.core.facts import EnterpriseFacts, SizeClass
from workflow.core.questions import CONDITIONS, PRIORITY_CLASSES, PURPOSES, QUESTIONS, SECTORS, TRADES
from workflow.core.rulebook import NO_FLOW, Rulebook, RulebookInvalid, Rules, read_rulebook
from workflow.data.catalogue import (
    areas,
    bureau_of,
    bureaus,
    department,
    departments,
    industries,
    rule_keys,
    rules_text,
    shipped_rules,
)

FACTS = st.fixed_dictionaries(
    {
        "purpose": st.sampled_from([p for p, _ in PURPOSES]),
        "trade": st.sampled_from([t for t, _ in TRADES]),
        "size": st.sampled_from([s.value for s in SizeClass]),
        "sector": st.sampled_from([s for s, _ in SECTORS]),
        "industry": st.sampled_from([c for c, _ in industries()]),
        "head_count": st.integers(0, 9_999_999),
        "resuming_count": st.integers(1, 9_999_999),
        "town": st.sampled_from([a.code for a in areas() if a.kind == "town"]),
        "priority_class": st.sampled_from([p for p, _ in PRIORITY_CLASSES]),
        "hazardous": st.sampled_from(["yes", "no"]),
        "key_area_count": st.integers(0, 9_999_999),
        "filed_on": st.dates(dt.date(2020, 2, 1), dt.date(2030, 1, 1)),
        "approved_before": st.sampled_from(["yes", "no"]),
    }
)
Values = dict[str, str | int | dt.date | None]


def placed(values: Values) -> EnterpriseFacts:
    """The facts with the county that the town lies in."""
    return EnterpriseFacts({**values, "county": str(values["town"])[:6]})


@pytest.mark.parametrize("key", rule_keys())
@given(values=FACTS)
def test_every_enterprise_is_taken_by_the_shipped_rules(key: str, values: Values) -> None:
    """Alone where a book says it all, else together with the city's first book."""
    rules = Rules((*shipped_rules(key).books, *shipped_rules().books))
    choice = rules.choose(placed(values))
    assert choice.rule is not None
    assert choice.rule.flow in {*FLOWS, NO_FLOW}
    assert choice.facts.get("regime") == choice.regime.value
    assert choice.facts.get("listed") == ("yes" if choice.listed else "no")


@pytest.mark.parametrize(("heads", "flow"), [(99, "yinzhou-town"), (100, "yinzhou-town"), (101, "yinzhou-bureau")])
def test_exactly_one_hundred_heads_go_where_the_rule_says(heads: int, flow: str) -> None:
    facts = enterprise(county="330212", town="330212013", head_count=heads)
    choice = shipped_rules().choose(facts)
    assert choice.rule is not None
    assert choice.rule.flow == flow
    assert ("head_count", heads) in [(clause.fact, value) for clause, value in choice.evidence]


APPROVAL = [
    ({"purpose": "reopen", "hazardous": "yes"}, "reopen"),
    ({"purpose": "extra_staff", "approved_before": "yes", "hazardous": "yes"}, "extra-staff"),
    ({"purpose": "extra_staff", "approved_before": "no"}, "city-small"),
    ({"purpose": "host", "size": "above"}, "host-building"),
    ({"purpose": "site", "county": "330212", "sector": "construction"}, "construction"),
    ({"hazardous": "yes", "priority_class": "daily_life", "county": "330212"}, "hazardous"),
    ({"priority_class": "key_project", "size": "micro"}, "priority"),
    ({"county": "330211", "size": "above"}, "zhenhai-bureau"),
    ({"county": "330211", "size": "micro"}, "zhenhai-town"),
    ({"county": "330211", "size": "below"}, "zhenhai-town"),
    ({"size": "micro"}, "micro"),
    ({"size": "above"}, "city-large"),
    ({"size": "below"}, "city-small"),
]


@pytest.mark.parametrize(("values", "flow"), APPROVAL)
def test_under_approval_each_goes_where_the_notices_say(values: Values, flow: str) -> None:
    choice = shipped_rules().choose(enterprise(**{"purpose": "resume", "trade": "none", **values}))
    assert choice.regime is Regime.APPROVAL
    assert choice.rule is not None
    assert choice.rule.flow == flow


FILING = [
    ({}, Regime.FILING, "no", "filing"),
    ({"purpose": "host"}, Regime.FILING, "no", "filing"),
    ({"trade": "ktv"}, Regime.FILING, "yes", "city-small"),
    ({"trade": "cinema", "size": "above"}, Regime.FILING, "yes", "city-large"),
    ({"trade": "gym", "purpose": "host"}, Regime.FILING, "yes", "host-building"),
    ({"trade": "bath", "purpose": "site"}, Regime.FILING, "yes", "construction"),
    ({"trade": "market"}, Regime.FILING, "no", "filing"),
    ({"hazardous": "yes"}, Regime.APPROVAL, "no", "hazardous"),
    ({"purpose": "reopen", "trade": "ktv"}, Regime.APPROVAL, "yes", "reopen"),
    ({"purpose": "extra_staff", "approved_before": "yes"}, Regime.FILING, "no", "extra-staff"),
]


@pytest.mark.parametrize(("values", "regime", "listed", "flow"), FILING)
def test_under_filing_only_the_negative_list_is_reviewed_first(
    values: Values, regime: Regime, listed: str, flow: str
) -> None:
    choice = shipped_rules("filing").choose(enterprise(**{"purpose": "resume", "trade": "none", **values}))
    assert (choice.regime, choice.facts.get("listed")) == (regime, listed)
    assert choice.rule is not None
    assert choice.rule.flow == flow


def test_the_negative_list_differs_by_the_class_of_the_area() -> None:
    rules = Rules((*shipped_rules("haishu").books, *shipped_rules("filing").books))
    for town, trade, flow in (
        ("330203002", "gym", "city-small"),
        ("330203001", "gym", "filing"),
        ("330203002", "market", "filing"),
        ("330203001", "ktv", "city-small"),
    ):
        choice = rules.choose(enterprise(town=town, trade=trade, purpose="resume"))
        assert choice.facts.get("area_class") == ("class-2" if town == "330203002" else None)
        assert choice.rule is not None
        assert choice.rule.flow == flow, (town, trade)


@pytest.mark.parametrize(
    ("values", "flow"), [({}, NO_FLOW), ({"purpose": "reopen"}, "reopen"), ({"hazardous": "yes"}, "hazardous")]
)
def test_where_nothing_is_needed_only_closures_and_chemicals_file(values: Values, flow: str) -> None:
    choice = shipped_rules("none").choose(enterprise(**{"purpose": "resume", **values}))
    assert choice.regime is (Regime.NONE if flow == NO_FLOW else Regime.APPROVAL)
    assert choice.rule is not None
    assert choice.rule.flow == flow


def test_facts_unknown_choose_nothing() -> None:
    choice = shipped_rules().choose(EnterpriseFacts({}))
    assert (choice.rule, choice.book, choice.number, choice.evidence) == (None, -1, -1, ())


def test_every_flow_is_chosen_by_some_rule() -> None:
    named = {r.flow for key in rule_keys() for r in shipped_rules(key).all_rules}
    assert named - {NO_FLOW} == set(FLOWS)


def test_every_fact_comes_from_the_answers_or_is_derived() -> None:
    given_by_answers = set(enterprise_facts({}, dt.date(2020, 2, 15)).values)
    assert given_by_answers | DERIVED_FACTS == FACT_NAMES
    assert FACT_NAMES - DERIVED_FACTS - {"county", "filed_on"} <= set(QUESTIONS)
    assert CONDITIONS


CITY = """
title = { zh = "全市", en = "City" }
[calendar]
earliest_resume_on = 2020-02-10
notice_days = 1
[[regime]]
regime = "filing"
when = { filed_on = { ge = 2020-02-20 } }
why = { zh = "备案", en = "Filing" }
[[listed]]
label = { zh = "网吧", en = "Internet cafes" }
when = { trade = ["internet_cafe"] }
[[rule]]
flow = "filing"
when = { regime = "filing", listed = "no" }
why = { zh = "备案", en = "Filing" }
[[rule]]
flow = "city-small"
why = { zh = "审批", en = "Approval" }
"""
TOWN = """
title = { zh = "镇", en = "Town" }
[[area_class]]
key = "II"
label = { zh = "二类区域", en = "Class II" }
towns = ["330203002"]
[[regime]]
regime = "approval"
when = { area_class = "II" }
why = { zh = "本街道仍审批", en = "Approval here" }
[[listed]]
label = { zh = "健身房", en = "Gyms" }
when = { trade = ["gym"], area_class = "II" }
[[rule]]
flow = "micro"
when = { size = "micro" }
why = { zh = "本街道微型", en = "Micro here" }
"""
CITY_BOOK, TOWN_BOOK = read_rulebook(CITY), read_rulebook(TOWN)


def flow_of(books: tuple[Rulebook, ...], **values: str | int | dt.date | None) -> tuple[str, Regime, str]:
    """Flow, regime and list entry that some books give."""
    usual: Values = {"purpose": "resume", "trade": "none", "filed_on": dt.date(2020, 2, 25)}
    choice = Rules(books).choose(enterprise(**{**usual, **values}))
    assert choice.rule is not None
    return choice.rule.flow, choice.regime, choice.listed.label.zh if choice.listed else ""


def test_the_regime_changes_on_its_day_and_the_list_is_kept_out() -> None:
    day_before, day = dt.date(2020, 2, 19), dt.date(2020, 2, 20)
    assert flow_of((CITY_BOOK,), filed_on=day_before) == ("city-small", Regime.APPROVAL, "")
    assert flow_of((CITY_BOOK,), filed_on=day) == ("filing", Regime.FILING, "")
    assert flow_of((CITY_BOOK,), filed_on=day, trade="internet_cafe") == ("city-small", Regime.FILING, "网吧")


def test_a_town_may_differ_from_the_city_in_regime_list_and_rule() -> None:
    both = (TOWN_BOOK, CITY_BOOK)
    assert flow_of(both) == ("city-small", Regime.APPROVAL, "")
    assert flow_of(both, size="micro") == ("micro", Regime.APPROVAL, "")
    assert flow_of(both, trade="gym")[2] == "健身房"
    assert flow_of(both, trade="internet_cafe")[2] == ""  # the town's own list takes the place of the city's
    # Another town asks its own book first, finds nothing in it for itself, and goes by the city's.
    assert flow_of(both, town="330203003") == ("filing", Regime.FILING, "")


def test_the_narrowest_book_with_a_calendar_counts() -> None:
    own = read_rulebook(TOWN + "[calendar]\nearliest_resume_on = 2020-03-01\nnotice_days = 3\n")
    assert Rules((own, CITY_BOOK)).earliest_day(dt.date(2020, 2, 1)) == dt.date(2020, 3, 1)
    assert Rules((TOWN_BOOK, CITY_BOOK)).earliest_day(dt.date(2020, 2, 10)) == dt.date(2020, 2, 11)
    assert Rules(()).earliest_day(dt.date(2020, 2, 10)) == dt.date(2020, 2, 10)


def test_a_choice_says_which_book_and_rule_won() -> None:
    choice = Rules((TOWN_BOOK, CITY_BOOK)).choose(enterprise(filed_on=dt.date(2020, 2, 1)))
    assert (choice.book, choice.number) == (1, 2)


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
        ({"head_count": "60"}, "head_count: no answer is '60'"),
        ({"head_count": {"ge": dt.date(2020, 2, 10)}}, "head_count: no answer is 2020-02-10"),
        ({"filed_on": {"ge": 20200210}}, "filed_on: no answer is 20200210"),
        ({"filed_on": {"ge": dt.datetime(2020, 2, 10, tzinfo=dt.UTC)}}, "filed_on: no answer is 2020-02-10 00:00"),
        ({"town": 330203002}, "town: no answer is 330203002"),
        ({"size": {"gt": 5}}, "size: no answer is 5"),
        ("size", "when must be a table"),
    ],
)
def test_bad_conditions(table: object, problem: str) -> None:
    assert any(problem in p for p in read_condition(table)[1])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[calendar]", "[calendar", "not TOML"),
        ("notice_days = 1", "notice_days = " + "9" * 5000, "not TOML"),
        ("notice_days = 1", "notice_days = true", "notice_days must be a whole number"),
        ("notice_days = 1", "notice_days = 1\nholiday = 1", "calendar: unknown key 'holiday'"),
        ("2020-02-10", '"2020-02-10"', "earliest_resume_on must be a date"),
        ("2020-02-10", "2020-02-10T08:00:00", "earliest_resume_on must be a date"),
        ("[calendar]", "[kalender]", "rulebook: unknown key 'kalender'"),
        ("[calendar]", "[[calendar]]", "calendar: must be a [calendar] table"),
        ("title =", "titel =", "rulebook: title needs zh and en"),
        ('"city-small"', '"city-middle"', "rule 2: unknown flow 'city-middle'"),
        ('"city-small"', '["city-small"]', "rule 2: unknown flow"),
        ("[[rule]]", "[rule]", "not TOML"),
        ('zh = "审批", ', "", "rule 2: why needs zh and en"),
        ("why = {", "warum = {", "regime 1: unknown key 'warum'"),
        ('regime = "filing"\nwhen', 'regime = "lottery"\nwhen', "regime 1: regime 'lottery' is not one of"),
        ("{ filed_on = { ge = 2020-02-20 } }", '{ regime = "filing" }', "regime 1: regime is decided later"),
        ('{ trade = ["internet_cafe"] }', '{ listed = "yes" }', "listed 1: listed is decided later"),
        ('when = { trade = ["internet_cafe"] }\n', "", "listed 1: a list entry without when"),
        ('["internet_cafe"]', '["casino"]', "listed 1: trade: no answer is 'casino'"),
    ],
)
def test_bad_rulebooks(old: str, new: str, problem: str) -> None:
    assert old in CITY
    with pytest.raises(RulebookInvalid) as caught:
        read_rulebook(CITY.replace(old, new, 1), frozenset({*FLOWS, "filing"}))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


def test_a_town_lies_in_one_class_only() -> None:
    again = TOWN + '[[area_class]]\nkey = "I"\nlabel = { zh = "一类", en = "I" }\ntowns = ["330203002"]\n'
    with pytest.raises(RulebookInvalid, match="town '330203002': named twice"):
        read_rulebook(again)


def test_a_book_that_says_nothing_is_refused() -> None:
    with pytest.raises(RulebookInvalid, match="says nothing"):
        read_rulebook('title = { zh = "空", en = "Empty" }')


@pytest.mark.parametrize("key", rule_keys())
def test_the_shipped_books_are_read_as_written(key: str) -> None:
    book = read_rulebook(rules_text(key), frozenset(FLOWS))
    assert book.title.zh != book.title.en
    assert all(rule.why.zh != rule.why.en for rule in book.rules)


DEPARTMENTS = "\n".join(
    f'[[department]]\ncode = "b-{s}"\nlabel = {{ zh = "局", en = "Bureau" }}\nsectors = ["{s}"]' for s, _ in SECTORS
)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"b-finance"', '"b-industry"', "department 'b-industry': named twice"),
        ('["finance"]', '["industry"]', "sector 'finance': needs exactly one department, has 0"),
        ('["finance"]', '["finance", "industry"]', "sector 'industry': needs exactly one department, has 2"),
        ('["finance"]', '["banking"]', "unknown name 'banking' in sectors"),
        ("[[department]]", "[department]", "not TOML"),
    ],
)
def test_bad_departments(old: str, new: str, problem: str) -> None:
    assert len(read_departments(DEPARTMENTS)) == len(SECTORS)
    with pytest.raises(DepartmentsInvalid) as caught:
        read_departments(DEPARTMENTS.replace(old, new, 1))
    assert any(problem in p for p in caught.value.problems), caught.value.problems


def test_each_sector_has_its_bureau_and_others_give_opinions() -> None:
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
    assert {d.code for d in departments()} > {b.code for b in bureaus()}
    assert department("weijian").sectors == ()
    for unknown in (lambda: bureau_of("mining"), lambda: department("nobody")):
        with pytest.raises(KeyError):
            unknown()

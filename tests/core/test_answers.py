"""Answers: each kind of question, the checks across questions, and input that tries to be something else."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import tenants
from workflow.core.answers import AnswerContext, Reading, enterprise_facts, read_answers, show_answer
from workflow.core.questions import CONDITIONS, PURPOSES, QUESTIONS, ROUTING_KEYS, TOPICS, QuestionKind, topics_for
from workflow.core.texts import clean_text

TODAY = dt.date(2020, 2, 15)
CONTEXT = AnswerContext(
    today=TODAY,
    earliest_resume_on=dt.date(2020, 2, 16),
    lookups={
        "industry": frozenset({"13", "34"}),
        "town": frozenset({"330203002"}),
        "zone": frozenset({"330203002-Z1"}),
        "building": frozenset({"330203002-Z1-B01"}),
    },
)
GOOD = {
    "purpose": "resume",
    "trade": "none",
    "name": "宁波海序精密机械有限公司",
    "legal_person": "陈序",
    "sector": "industry",
    "industry": "34",
    "size": "below",
    "hazardous": "no",
    "town": "330203002",
    "address": "江厦街道某路 8 号",
    "head_name": "陈序",
    "head_phone": "0574-87654321",
    "contact_name": "林一",
    "contact_mobile": "13805741234",
    "hotline": "13805741235",
    "head_count": "80",
    "resuming_count": "60",
    "key_area_count": "0",
    "priority_class": "steady",
    "resume_on": "2020-02-20",
    "reason": "订单交付",
} | {f"has_{key}": "have" for key, _ in CONDITIONS}


def read(**changes: str) -> Reading:
    """The good answers, changed."""
    return read_answers(GOOD | changes, CONTEXT)


def test_good_answers_have_no_errors() -> None:
    reading = read()
    assert not reading.errors
    assert reading.clean["head_count"] == 80
    assert reading.clean["resume_on"] == dt.date(2020, 2, 20)
    assert "zone" not in reading.clean


def test_no_answer_at_all_asks_for_each_required_one() -> None:
    reading = read_answers({}, CONTEXT)
    assert set(reading.errors) == {q.key for t in TOPICS if not t.only_for for q in t.questions if q.required}
    assert str(reading.errors["name"]) == "请填写“企业名称”。"
    assert not reading.clean


@pytest.mark.parametrize("topic", [t.key for t in TOPICS])
def test_a_topic_has_its_own_errors_only(topic: str) -> None:
    found = next(t for t in TOPICS if t.key == topic)
    reading = read_answers({key: min(values) for key, values in found.only_for.items()}, CONTEXT, topic)
    own = {q.key for q in found.questions}
    assert reading.errors
    assert set(reading.errors) <= own


@pytest.mark.parametrize(
    ("key", "typed", "stored"),
    [
        ("name", "  宁波 \t 海序  公司 ", "宁波 海序 公司"),
        ("reason", "一\r\n二\r三", "一\n二\n三"),
        ("name", "e\u0301", "é"),
        ("name", "甲\u200b\u202e乙\x00丙", "甲乙丙"),
        ("head_count", "１２０", 120),
        ("head_count", " 1,200 人 ", 1200),
        ("head_count", "1，200", 1200),
        ("resume_on", "2020/2/20", dt.date(2020, 2, 20)),
        ("resume_on", "2020年2月20日", dt.date(2020, 2, 20)),
        ("resume_on", "２０２０．２．２０", dt.date(2020, 2, 20)),
        ("contact_mobile", "+86 138 0574 1234", "13805741234"),
        ("head_phone", "057487654321", "0574-87654321"),
        ("zone", "330203002-Z1", "330203002-Z1"),
        ("size", "micro", "micro"),
    ],
)
def test_reading_by_kind(key: str, typed: str, stored: object) -> None:
    assert read(**{key: typed}).clean[key] == stored


@pytest.mark.parametrize(
    ("key", "typed", "word"),
    [
        ("name", "\u200b \u202e", "请填写"),
        ("name", "名" * 201, "最多 200 个字，现为 201 个字"),
        ("legal_person", "名" * 61, "最多 60 个字"),
        ("reason", "由" * 1001, "最多 1000 个字"),
        ("head_count", "八十", "整数"),
        ("head_count", "-1", "整数"),
        ("head_count", "1.5", "整数"),
        ("head_count", "12345678", "7 位"),
        ("head_count", "٨٠", "整数"),
        ("resume_on", "2020-02-30", "存在的日期"),
        ("resume_on", "明天", "存在的日期"),
        ("resume_on", "20-02-20", "存在的日期"),
        ("resume_on", "0000-01-01", "存在的日期"),
        ("sector", "mining", "列表中的一项"),
        ("has_supplies", "maybe", "列表中的一项"),
        ("town", "330212006", "列表中的一项"),
        ("industry", "99", "列表中的一项"),
        ("contact_mobile", "0574-87654321", "11 位手机号"),
        ("head_phone", "123", "电话号码"),
        ("hotline", "10000000000", "电话号码"),
    ],
)
def test_what_cannot_be_accepted_says_why(key: str, typed: str, word: str) -> None:
    reading = read(**{key: typed})
    assert set(reading.errors) == {key}
    assert word in str(reading.errors[key])
    assert key not in reading.clean


@pytest.mark.parametrize(
    ("changes", "key", "word"),
    [
        ({"resuming_count": "81"}, "resuming_count", "不能多于企业总人数（80 人）"),
        ({"resuming_count": "0"}, "resuming_count", "至少为 1 人"),
        ({"key_area_count": "81"}, "key_area_count", "不能多于企业总人数（80 人）"),
        ({"size": "micro", "head_count": "21", "resuming_count": "9"}, "head_count", "不超过 20 人"),
        ({"resume_on": "2020-02-15"}, "resume_on", "不能早于 2020-02-16"),
        ({"resume_on": "2021-02-15"}, "resume_on", "一年之后"),
    ],
)
def test_checks_across_questions(changes: dict[str, str], key: str, word: str) -> None:
    reading = read(**changes)
    assert set(reading.errors) == {key}
    assert word in str(reading.errors[key])
    assert key not in reading.clean


@pytest.mark.parametrize(
    "changes",
    [
        {"resuming_count": "80"},
        {"key_area_count": "80"},
        {"size": "micro", "head_count": "20", "resuming_count": "9"},
        {"resume_on": "2020-02-16"},
        {"resume_on": "2021-02-14"},
        {"name": "名" * 200},
        {"reason": "由" * 1000},
    ],
)
def test_bounds_are_inclusive(changes: dict[str, str]) -> None:
    assert not read(**changes).errors


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "{{7*7}}", "<img src=file:///etc/passwd>", "%(n)s", "𫍲䶮㛃"]
)
def test_markup_is_kept_as_the_text_it_is(text: str) -> None:
    asked = [q for t in topics_for(GOOD) for q in t.questions]
    texts = [q.key for q in asked if q.kind in (QuestionKind.TEXT, QuestionKind.TEXTAREA)]
    reading = read(**dict.fromkeys(texts, text))
    assert not reading.errors
    assert {reading.clean[k] for k in texts} == {text}


@given(st.dictionaries(st.sampled_from(sorted(QUESTIONS)), st.text(max_size=40)))
def test_any_text_is_read_or_refused_in_words(changes: dict[str, str]) -> None:
    reading = read(**changes)
    assert not set(reading.clean) & set(reading.errors)
    assert all(str(reason) for reason in reading.errors.values())


@given(st.text(max_size=60))
def test_cleaning_twice_changes_nothing_and_stays_storable(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert "\x00" not in once
    once.encode()


def test_a_half_of_a_character_is_dropped() -> None:
    assert clean_text("甲\ud83d乙") == "甲乙"


def test_answers_become_facts() -> None:
    facts = enterprise_facts(read().clean, TODAY)
    assert facts.get("county") == "330203"
    assert facts.get("head_count") == 80
    assert facts.get("filed_on") == TODAY
    assert enterprise_facts({}, TODAY).get("county") is None


def test_answers_are_shown_in_words() -> None:
    clean = read().clean
    assert show_answer("sector", clean["sector"]) == "工业"
    assert show_answer("resume_on", clean["resume_on"]) == "2020-02-20"
    assert show_answer("head_count", clean["head_count"]) == "80"


def test_questions_are_asked_once_and_choices_have_options() -> None:
    keys = [q.key for t in TOPICS for q in t.questions]
    assert len(keys) == len(set(keys))
    assert set(keys) >= ROUTING_KEYS
    for question in QUESTIONS.values():
        assert bool(question.options) is (question.kind is QuestionKind.CHOICE)


SITE = {
    "purpose": "site",
    "sector": "construction",
    "project_name": "安置房工程",
    "project_owner": "某建设公司",
    "site_manager": "陈序",
    "site_count": "40",
    "site_lodging": "yes",
}
REOPEN = {"purpose": "reopen", "closure_reason": "有确诊病例", "closed_on": "2020-02-01", "release": "已全部解除"}
ADDED = {"purpose": "extra_staff", "added_count": "5", "arrive_on": "2020-02-20"}
HOST = {
    "purpose": "host",
    "building": "330203002-Z1-B01",
    "tenants": tenants(801, 802),
}
ONLY_FOR = {"resume": set(), "host": {"tenants"}, "site": {"project"}, "reopen": {"closure"}, "extra_staff": {"added"}}


def test_topics_are_asked_by_what_is_filed_for() -> None:
    assert set(ONLY_FOR) == {p for p, _ in PURPOSES}
    usual = {t.key for t in TOPICS if not t.only_for}
    for purpose, more in ONLY_FOR.items():
        assert {t.key for t in topics_for({"purpose": purpose})} == usual | more
    assert {t.key for t in topics_for({})} == usual


@pytest.mark.parametrize("changes", [SITE, REOPEN, ADDED, HOST], ids=lambda c: c["purpose"])
def test_each_purpose_can_be_filed_for(changes: dict[str, str]) -> None:
    reading = read(**changes)
    assert {k: str(r) for k, r in reading.errors.items()} == {}
    assert set(changes) <= set(reading.clean)


def test_what_was_typed_for_another_purpose_is_not_read() -> None:
    reading = read(**{**SITE, "purpose": "resume", "sector": "industry", "site_count": "many"})
    assert not reading.errors
    assert not {"project_name", "site_count"} & set(reading.clean)


@pytest.mark.parametrize(
    ("changes", "key", "word"),
    [
        ({**HOST, "building": ""}, "building", "请填写“楼宇或园区”"),
        ({**HOST, "tenants": ""}, "tenants", "请填写“入驻企业”"),
        ({**SITE, "sector": "industry"}, "sector", "建筑业和房地产"),
        ({**REOPEN, "closed_on": "2020-02-16"}, "closed_on", "不能晚于今天"),
        ({**ADDED, "added_count": "0"}, "added_count", "至少为 1 人"),
        ({**ADDED, "added_count": "61"}, "added_count", "不能多于追加之后的在岗总人数（60 人）"),
        ({**ADDED, "arrive_on": "2021-02-15"}, "arrive_on", "一年之后"),
    ],
)
def test_checks_of_each_purpose(changes: dict[str, str], key: str, word: str) -> None:
    reading = read(**changes)
    assert set(reading.errors) == {key}
    assert word in str(reading.errors[key])

"""The one reading of answers that forms and submission share: raw texts in, clean values and reasons out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from workflow.core.errors import N_, Invalid, Reason
from workflow.core.facts import EnterpriseFacts, SizeClass
from workflow.core.identifiers import parse_phone
from workflow.core.questions import QUESTIONS, TOPIC_OF, Question, QuestionKind, topics_for
from workflow.core.tenants import Tenant, read_tenants, tenant_lines
from workflow.core.texts import clean_text

Answer = str | int | dt.date | tuple[Tenant, ...]
_K = QuestionKind


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """What reading answers depends on: Shanghai's ``today``, the first allowed day, and the lookups' valid values."""

    today: dt.date
    earliest_resume_on: dt.date
    lookups: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The outcome of reading: clean values by key, and a reason by key for what can't be accepted."""

    clean: Mapping[str, Answer] = field(default_factory=dict)
    errors: Mapping[str, Reason] = field(default_factory=dict)


def _read_text(question: Question, raw: str, context: AnswerContext) -> Answer:
    text = clean_text(raw)
    if question.kind is _K.TEXT:
        text = " ".join(text.split())
    if len(text) > question.longest:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), n=question.longest, m=len(text))
    return text


def _read_count(question: Question, raw: str, context: AnswerContext) -> Answer:
    text = unicodedata.normalize("NFKC", raw).strip().replace(",", "").removesuffix("人").strip()
    if not re.fullmatch(r"\d{1,7}", text, re.ASCII):
        raise Invalid(N_("请填写不超过 7 位的整数，没有请填 0。"))
    return int(text)


def _read_date(question: Question, raw: str, context: AnswerContext) -> Answer:
    numbers = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", unicodedata.normalize("NFKC", raw).strip())
    try:
        day = dt.date(*(int(n) for n in numbers.groups())) if numbers else None
    except ValueError:
        day = None
    if day is None:
        raise Invalid(N_("请填写存在的日期，如 2020-02-20。"))
    return day


def _read_choice(question: Question, raw: str, context: AnswerContext) -> Answer:
    if raw not in {value for value, _ in question.options}:
        raise Invalid(N_("请选择列表中的一项。"))
    return raw


def _read_lookup(question: Question, raw: str, context: AnswerContext) -> Answer:
    if raw not in context.lookups.get(question.key, frozenset()):
        raise Invalid(N_("请选择列表中的一项。"))
    return raw


_READERS: Mapping[QuestionKind, Callable[[Question, str, AnswerContext], Answer]] = {
    _K.TEXT: _read_text,
    _K.TEXTAREA: _read_text,
    _K.COUNT: _read_count,
    _K.DATE: _read_date,
    _K.CHOICE: _read_choice,
    _K.LOOKUP: _read_lookup,
    _K.PHONE: lambda q, raw, c: parse_phone(raw, q.key),
    _K.MOBILE: lambda q, raw, c: parse_phone(raw, q.key, mobile_only=True),
    _K.TENANTS: lambda q, raw, c: read_tenants(raw),
}


def _read_one(question: Question, raw: Mapping[str, str], context: AnswerContext) -> Answer | Reason | None:
    typed = raw.get(question.key, "")
    if not clean_text(typed):
        return Reason(N_("请填写“%(label)s”。"), {"label": question.label}) if question.is_needed(raw) else None
    try:
        return _READERS[question.kind](question, typed, context)
    except Invalid as error:
        return Reason(error.message, error.params)


def _count_checks(clean: Mapping[str, Answer]) -> Iterator[tuple[str, Reason]]:
    """Numbers of people that don't fit each other."""
    count = {k: v for k, v in clean.items() if isinstance(v, int)}
    total, resuming = count.get("head_count"), count.get("resuming_count")
    if resuming == 0:
        yield "resuming_count", Reason(N_("申请复工人数至少为 1 人。"))
    if total is not None and resuming is not None and resuming > total:
        yield "resuming_count", Reason(N_("申请复工人数不能多于企业总人数（%(n)s 人）。"), {"n": total})
    if total is not None and count.get("key_area_count", 0) > total:
        yield "key_area_count", Reason(N_("此人数不能多于企业总人数（%(n)s 人）。"), {"n": total})
    if clean.get("size") == SizeClass.MICRO and total is not None and total > 20:
        yield "head_count", Reason(N_("微型企业不超过 20 人，请核对人数或企业规模。"))
    if count.get("added_count") == 0:
        yield "added_count", Reason(N_("追加人数至少为 1 人。"))
    if resuming is not None and count.get("added_count", 0) > resuming:
        yield "added_count", Reason(N_("追加人数不能多于追加之后的在岗总人数（%(n)s 人）。"), {"n": resuming})


def _day_checks(clean: Mapping[str, Answer], context: AnswerContext) -> Iterator[tuple[str, Reason]]:
    """Days that are too early or too late."""
    resume_on, closed_on, arrive_on = (clean.get(k) for k in ("resume_on", "closed_on", "arrive_on"))
    if isinstance(resume_on, dt.date):
        if resume_on < context.earliest_resume_on:
            day = context.earliest_resume_on.isoformat()
            yield "resume_on", Reason(N_("申请复工日期不能早于 %(day)s。"), {"day": day})
        elif resume_on > context.today + dt.timedelta(days=365):
            yield "resume_on", Reason(N_("申请复工日期不能晚于一年之后。"))
    if isinstance(closed_on, dt.date) and closed_on > context.today:
        yield "closed_on", Reason(N_("封闭日期不能晚于今天。"))
    if isinstance(arrive_on, dt.date) and arrive_on > context.today + dt.timedelta(days=365):
        yield "arrive_on", Reason(N_("预计到岗日期不能晚于一年之后。"))


def _cross_checks(clean: Mapping[str, Answer], context: AnswerContext) -> Mapping[str, Reason]:
    errors = dict([*_count_checks(clean), *_day_checks(clean, context)])
    if clean.get("purpose") == "site" and clean.get("sector", "construction") != "construction":
        errors["sector"] = Reason(N_("建设工程由施工单位申报，企业类型请选“建筑业和房地产”。"))
    return errors


def read_answers(raw: Mapping[str, str], context: AnswerContext, topic: str | None = None) -> Reading:
    """Read ``raw`` answers of one topic, or of all; errors of other topics are left out when ``topic`` is given.

    Topics that are not for those who answered so are not read, whatever was typed there once.
    """
    clean: dict[str, Answer] = {}
    errors: dict[str, Reason] = {}
    for question in (q for t in topics_for(raw) for q in t.questions):
        value = _read_one(question, raw, context)
        if isinstance(value, Reason):
            errors[question.key] = value
        elif value is not None:
            clean[question.key] = value
    for key, reason in _cross_checks(clean, context).items():
        errors.setdefault(key, reason)
        clean.pop(key, None)
    if topic is not None:
        errors = {k: r for k, r in errors.items() if TOPIC_OF[k] == topic}
    return Reading(clean, errors)


_FACT_ANSWERS = (
    "purpose",
    "sector",
    "size",
    "industry",
    "trade",
    "head_count",
    "resuming_count",
    "town",
    "building",
    "priority_class",
    "hazardous",
    "key_area_count",
)
"""Answers that are facts for rules under the same name."""


def enterprise_facts(clean: Mapping[str, Answer], filed_on: dt.date) -> EnterpriseFacts:
    """The routing facts that clean answers give; the county is the first six digits of the town's code."""
    values: dict[str, str | int | dt.date | None] = {}
    for name in _FACT_ANSWERS:
        value = clean.get(name)
        values[name] = None if isinstance(value, tuple) else value
    values["county"] = str(clean["town"])[:6] if "town" in clean else None
    values["filed_on"] = filed_on
    return EnterpriseFacts(values)


def show_answer(key: str, value: Answer) -> str:
    """A clean value as text; choices give the source text of their label, tenants one line each."""
    if isinstance(value, tuple):
        return tenant_lines(value)
    question = QUESTIONS[key]
    return dict(question.options).get(str(value), value.isoformat() if isinstance(value, dt.date) else str(value))

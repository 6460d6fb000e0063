"""The application form as data: topics, questions, and the one reading of answers that forms and submission share.

Sources: annex 1 of 甬防〔2020〕9号, the enterprise table of Zhenhai and form Y01 of 鄞防〔2020〕5号 (domain forms).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflow.core.errors import N_, Invalid, Reason
from workflow.core.facts import SIZE_LABELS, EnterpriseFacts, SizeClass
from workflow.core.identifiers import parse_phone

Answer = str | int | dt.date


class QuestionKind(StrEnum):
    """How a question is asked and read."""

    TEXT = "text"
    TEXTAREA = "textarea"
    COUNT = "count"
    DATE = "date"
    CHOICE = "choice"
    LOOKUP = "lookup"
    PHONE = "phone"
    MOBILE = "mobile"


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``options`` holds (value, label) pairs of a choice, a lookup's options come from the data."""

    key: str
    label: str
    kind: QuestionKind
    required: bool = True
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    longest: int = 200
    routing: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of the application: one topic, few questions."""

    key: str
    label: str
    questions: tuple[Question, ...]
    hint: str = ""


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


_K = QuestionKind
_YES_NO = (("yes", N_("是")), ("no", N_("否")))
_HAVE = (("have", N_("有")), ("lack", N_("无")))

SECTORS = (
    ("industry", N_("工业")),
    ("commerce", N_("商贸（含外贸、餐饮、住宿）")),
    ("construction", N_("建筑业和房地产")),
    ("transport", N_("交通运输和仓储")),
    ("culture", N_("文化和旅游")),
    ("finance", N_("金融")),
    ("agriculture", N_("农业")),
    ("other", N_("其他")),
)

PRIORITY_CLASSES = (
    ("epidemic_supplies", N_("优先保障：疫情防控必需")),
    ("city_operation", N_("优先保障：城市运行和企业生产必需")),
    ("daily_life", N_("优先保障：群众生活必需")),
    ("national_interest", N_("优先保障：其他重要国计民生")),
    ("key_project", N_("提前开工：重点建设项目")),
    ("large_order", N_("提前开工：亟需履行的国际大型订单")),
    ("steady", N_("稳步复工")),
)

CONDITIONS = (
    ("leading_team", N_("领导小组名单")),
    ("post_measures", N_("岗位防疫措施")),
    ("dormitory_measures", N_("居住点防控措施")),
    ("isolation_site", N_("集中医学隔离点")),
    ("disinfection_plan", N_("场所消杀方案")),
    ("supplies", N_("防护物资准备情况")),
    ("canteen_plan", N_("后勤就餐管理方案")),
    ("vehicle_control", N_("物流车辆管理")),
    ("staff_list", N_("人员管控清单")),
    ("emergency_plan", N_("突发疫情应急处置预案")),
    ("staff_commitment", N_("员工承诺书")),
    ("company_commitment", N_("企业承诺书")),
    ("system_filled", N_("企业防疫管理系统填报")),
    ("production_plan", N_("复工生产计划")),
)

TOPICS: tuple[Topic, ...] = (
    Topic(
        "enterprise",
        N_("企业基本情况"),
        (
            Question("name", N_("企业名称"), _K.TEXT, hint=N_("与营业执照一致")),
            Question("legal_person", N_("法定代表人"), _K.TEXT, longest=60),
            Question("sector", N_("企业类型"), _K.CHOICE, options=SECTORS, routing=True),
            Question("industry", N_("所属行业"), _K.LOOKUP, hint=N_("国民经济行业分类（GB/T 4754—2017）大类")),
            Question(
                "size",
                N_("企业规模"),
                _K.CHOICE,
                options=tuple((s.value, SIZE_LABELS[s]) for s in SizeClass),
                hint=N_("规模以上工业、限额以上商贸等以统计部门名录为准"),
                routing=True,
            ),
            Question("hazardous", N_("是否涉及危险化学品"), _K.CHOICE, options=_YES_NO, routing=True),
        ),
    ),
    Topic(
        "place",
        N_("所在地"),
        (
            Question("town", N_("所属镇（街道）"), _K.LOOKUP, hint=N_("由该镇街专班受理"), routing=True),
            Question("zone", N_("片区"), _K.LOOKUP, required=False, hint=N_("不清楚可不选"), routing=True),
            Question("building", N_("楼宇或园区"), _K.LOOKUP, required=False, routing=True),
            Question("address", N_("详细地址"), _K.TEXT, hint=N_("核查员按此地址上门")),
        ),
    ),
    Topic(
        "people",
        N_("负责人和联系人"),
        (
            Question("head_name", N_("企业负责人"), _K.TEXT, longest=60),
            Question("head_phone", N_("负责人电话"), _K.PHONE, longest=30),
            Question("contact_name", N_("企业联系人"), _K.TEXT, longest=60),
            Question("contact_mobile", N_("联系人手机"), _K.MOBILE, hint=N_("专班有事会打这个号码"), longest=30),
            Question("hotline", N_("24 小时联系电话"), _K.PHONE, longest=30),
        ),
    ),
    Topic(
        "staffing",
        N_("复工人数和日期"),
        (
            Question("head_count", N_("企业总人数"), _K.COUNT, routing=True),
            Question("resuming_count", N_("申请复工人数"), _K.COUNT),
            Question(
                "key_area_count",
                N_("其中近 14 天来自或去过重点疫情地区的人数"),
                _K.COUNT,
                hint=N_("没有请填 0"),
                routing=True,
            ),
            Question("priority_class", N_("复工类别"), _K.CHOICE, options=PRIORITY_CLASSES, routing=True),
            Question("resume_on", N_("申请复工日期"), _K.DATE),
            Question("reason", N_("复工理由"), _K.TEXTAREA, longest=1000),
        ),
    ),
    Topic(
        "conditions",
        N_("复工条件自查"),
        tuple(Question(f"has_{key}", label, _K.CHOICE, options=_HAVE) for key, label in CONDITIONS),
        hint=N_("如实填写，现场核查时逐项比对"),
    ),
)

QUESTIONS: Mapping[str, Question] = {q.key: q for t in TOPICS for q in t.questions}
TOPIC_OF: Mapping[str, str] = {q.key: t.key for t in TOPICS for q in t.questions}
ROUTING_KEYS = frozenset(q.key for q in QUESTIONS.values() if q.routing)
"""Answers that decide who reviews the case; they can't be changed while a case is open."""

_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def clean_text(raw: str) -> str:
    """``raw`` trimmed, in NFC, without control and direction-changing characters; line ends become ``\\n``."""
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))
    return _INVISIBLE.sub("", text).strip()


def required_line(text: str, field: str, longest: int) -> str:
    """``text`` on one line; raises :class:`Invalid` at ``field`` when it is empty or longer than ``longest``."""
    value = " ".join(clean_text(text).split())
    if not value:
        raise Invalid(N_("此项必填。"), field=field)
    if len(value) > longest:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field=field, n=longest, m=len(value))
    return value


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
}


def _read_one(question: Question, raw: str, context: AnswerContext) -> Answer | Reason | None:
    if not clean_text(raw):
        return Reason(N_("请填写“%(label)s”。"), {"label": question.label}) if question.required else None
    try:
        return _READERS[question.kind](question, raw, context)
    except Invalid as error:
        return Reason(error.message, error.params)


def _cross_checks(clean: Mapping[str, Answer], context: AnswerContext) -> Mapping[str, Reason]:
    errors: dict[str, Reason] = {}
    total, resuming, key_area = (clean.get(k) for k in ("head_count", "resuming_count", "key_area_count"))
    if isinstance(resuming, int) and resuming == 0:
        errors["resuming_count"] = Reason(N_("申请复工人数至少为 1 人。"))
    if isinstance(total, int) and isinstance(resuming, int) and resuming > total:
        errors["resuming_count"] = Reason(N_("申请复工人数不能多于企业总人数（%(n)s 人）。"), {"n": total})
    if isinstance(total, int) and isinstance(key_area, int) and key_area > total:
        errors["key_area_count"] = Reason(N_("此人数不能多于企业总人数（%(n)s 人）。"), {"n": total})
    if clean.get("size") == SizeClass.MICRO and isinstance(total, int) and total > 20:
        errors["head_count"] = Reason(N_("微型企业不超过 20 人，请核对人数或企业规模。"))
    resume_on = clean.get("resume_on")
    if isinstance(resume_on, dt.date):
        if resume_on < context.earliest_resume_on:
            day = context.earliest_resume_on.isoformat()
            errors["resume_on"] = Reason(N_("申请复工日期不能早于 %(day)s。"), {"day": day})
        elif resume_on > context.today + dt.timedelta(days=365):
            errors["resume_on"] = Reason(N_("申请复工日期不能晚于一年之后。"))
    return errors


def read_answers(raw: Mapping[str, str], context: AnswerContext, topic: str | None = None) -> Reading:
    """Read ``raw`` answers of one topic, or of all; errors of other topics are left out when ``topic`` is given."""
    clean: dict[str, Answer] = {}
    errors: dict[str, Reason] = {}
    for key, question in QUESTIONS.items():
        value = _read_one(question, raw.get(key, ""), context)
        if isinstance(value, Reason):
            errors[key] = value
        elif value is not None:
            clean[key] = value
    for key, reason in _cross_checks(clean, context).items():
        errors.setdefault(key, reason)
        clean.pop(key, None)
    if topic is not None:
        errors = {k: r for k, r in errors.items() if TOPIC_OF[k] == topic}
    return Reading(clean, errors)


def enterprise_facts(clean: Mapping[str, Answer], filed_on: dt.date) -> EnterpriseFacts:
    """The routing facts that clean answers give; the county is the first six digits of the town's code."""
    names = ("sector", "size", "industry", "head_count", "resuming_count", "town", "priority_class", "key_area_count")
    values: dict[str, str | int | dt.date | None] = {n: clean.get(n) for n in (*names, "hazardous")}
    values["county"] = str(clean["town"])[:6] if "town" in clean else None
    values["filed_on"] = filed_on
    return EnterpriseFacts(values)


def show_answer(key: str, value: Answer) -> str:
    """A clean value as text; choices give the source text of their label."""
    question = QUESTIONS[key]
    return dict(question.options).get(str(value), value.isoformat() if isinstance(value, dt.date) else str(value))

"""The application form as data: topics and questions, and for whom each topic is.

Sources: annex 1 of 甬防〔2020〕9号, the enterprise table of Zhenhai and form Y01 of 鄞防〔2020〕5号 (domain forms);
the topics for buildings, sites, reopening and added staff are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflow.core.errors import N_
from workflow.core.facts import SIZE_LABELS, SizeClass


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
    TENANTS = "tenants"


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``options`` holds (value, label) pairs of a choice, a lookup's options come from the data.

    ``needed_for``: an optional question that must be answered by those who gave one of these values to others.
    """

    key: str
    label: str
    kind: QuestionKind
    required: bool = True
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    longest: int = 200
    routing: bool = False
    needed_for: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_needed(self, raw: Mapping[str, str]) -> bool:
        """Whether it must be answered by those who answered ``raw``."""
        return self.required or (bool(self.needed_for) and _meets(raw, self.needed_for))


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of the application: one topic, few questions; ``only_for`` says who sees it by their other answers."""

    key: str
    label: str
    questions: tuple[Question, ...]
    hint: str = ""
    only_for: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_for(self, raw: Mapping[str, str]) -> bool:
        """Whether those who answered ``raw`` are asked this topic."""
        return _meets(raw, self.only_for)


def _meets(raw: Mapping[str, str], wanted: Mapping[str, frozenset[str]]) -> bool:
    return all(raw.get(key) in values for key, values in wanted.items())


_K = QuestionKind
_YES_NO = (("yes", N_("是")), ("no", N_("否")))
_HAVE = (("have", N_("有")), ("lack", N_("无")))

PURPOSES = (
    ("resume", N_("复工申请")),
    ("host", N_("楼宇、商场、园区统一申报")),
    ("site", N_("建设工程复工")),
    ("reopen", N_("涉疫封闭后启封复工")),
    ("extra_staff", N_("已复工企业追加返岗人员")),
)
"""What an application asks for."""

TRADES = (
    ("none", N_("都不是")),
    ("cinema", N_("影剧院")),
    ("ktv", N_("歌舞厅、卡拉 OK")),
    ("game_hall", N_("游艺厅、电子游戏厅")),
    ("internet_cafe", N_("网吧")),
    ("bar", N_("酒吧")),
    ("chess_room", N_("棋牌室、茶室")),
    ("bath", N_("公共浴室、足浴、保健按摩")),
    ("gym", N_("室内游泳馆、健身房")),
    ("training", N_("线下培训、托管机构")),
    ("scenic", N_("景区、文化场馆")),
    ("banquet", N_("农村家宴、大型聚餐")),
    ("market", N_("活禽、宠物等专业市场")),
)
"""Gathering places that negative lists speak of (of Hangzhou, Qingyang and Haiyan; Ningbo's own was not found)."""

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
            Question("purpose", N_("申请事项"), _K.CHOICE, options=PURPOSES, routing=True),
            Question("name", N_("企业名称"), _K.TEXT, hint=N_("与营业执照一致")),
            Question("legal_person", N_("法定代表人"), _K.TEXT, longest=60),
            Question("sector", N_("企业类型"), _K.CHOICE, options=SECTORS, routing=True),
            Question(
                "industry",
                N_("所属行业"),
                _K.LOOKUP,
                hint=N_("国民经济行业分类（GB/T 4754—2017）大类"),
                routing=True,
            ),
            Question(
                "size",
                N_("企业规模"),
                _K.CHOICE,
                options=tuple((s.value, SIZE_LABELS[s]) for s in SizeClass),
                hint=N_("规模以上工业、限额以上商贸等以统计部门名录为准"),
                routing=True,
            ),
            Question("trade", N_("经营场所是否属于下列类别"), _K.CHOICE, options=TRADES, routing=True),
            Question("hazardous", N_("是否涉及危险化学品"), _K.CHOICE, options=_YES_NO, routing=True),
        ),
    ),
    Topic(
        "place",
        N_("所在地"),
        (
            Question(
                "town", N_("所属镇（街道）"), _K.LOOKUP, hint=N_("由该镇街专班受理；建设工程选项目所在地"), routing=True
            ),
            Question("zone", N_("片区"), _K.LOOKUP, required=False, hint=N_("不清楚可不选"), routing=True),
            Question(
                "building",
                N_("楼宇或园区"),
                _K.LOOKUP,
                required=False,
                hint=N_("统一申报必须选择所申报的楼宇、商场或园区"),
                routing=True,
                needed_for={"purpose": frozenset({"host"})},
            ),
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
            Question("resuming_count", N_("申请复工人数"), _K.COUNT, hint=N_("追加返岗的，填追加之后的在岗总人数")),
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
        "tenants",
        N_("入驻企业名单"),
        (
            Question(
                "tenants",
                N_("入驻企业"),
                _K.TENANTS,
                hint=N_(
                    "一行一家：名称，统一社会信用代码，复工人数；用逗号或顿号隔开，也可从表格复制粘贴。最多 500 家"
                ),
                longest=50_000,
            ),
        ),
        hint=N_("由物业或运营单位统一填报，入驻企业不再单独申请"),
        only_for={"purpose": frozenset({"host"})},
    ),
    Topic(
        "project",
        N_("工程项目"),
        (
            Question("project_name", N_("工程名称"), _K.TEXT, hint=N_("与施工许可证一致")),
            Question("project_owner", N_("建设单位"), _K.TEXT),
            Question(
                "permit_number", N_("施工许可证号"), _K.TEXT, required=False, hint=N_("抢险工程可不填"), longest=60
            ),
            Question("site_manager", N_("项目经理"), _K.TEXT, longest=60),
            Question("site_count", N_("现场人数"), _K.COUNT, hint=N_("含分包和劳务人员")),
            Question("site_lodging", N_("工人是否住在工地"), _K.CHOICE, options=_YES_NO),
        ),
        only_for={"purpose": frozenset({"site"})},
    ),
    Topic(
        "closure",
        N_("封闭和解除情况"),
        (
            Question("closure_reason", N_("封闭原因"), _K.TEXTAREA, hint=N_("不要写个人姓名和病情"), longest=500),
            Question("closed_on", N_("封闭日期"), _K.DATE),
            Question(
                "release",
                N_("解除隔离情况"),
                _K.TEXTAREA,
                hint=N_("解除隔离的日期和人数、终末消毒由谁完成"),
                longest=1000,
            ),
        ),
        only_for={"purpose": frozenset({"reopen"})},
    ),
    Topic(
        "added",
        N_("追加返岗人员"),
        (
            Question("added_count", N_("追加人数"), _K.COUNT),
            Question("arrive_on", N_("预计到岗日期"), _K.DATE),
        ),
        hint=N_("名单在“上传材料”中提交"),
        only_for={"purpose": frozenset({"extra_staff"})},
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


def topics_for(raw: Mapping[str, str]) -> tuple[Topic, ...]:
    """The topics that those who answered ``raw`` are asked, in order."""
    return tuple(t for t in TOPICS if t.is_for(raw))

"""What the names in flow files mean, in both languages: guards, effects, roles, facts and conditions over them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from workflow.core.actors import ROLE_LABELS, Role
from workflow.core.conditions import REGIME_LABELS, Clause, Condition, Value
from workflow.core.effects import Effect
from workflow.core.questions import QUESTIONS
from workflow.core.tables import Label

NameOf = Callable[[str, Value], Label | None]
"""Looks a value of a fact up that is no answer of a closed list: an area, an industry; None when it has no name."""

GUARD_WORDS: Mapping[str, Label] = {
    "required_present": Label("必交材料每项至少有一个文件", "every required material has a file"),
    "materials_marked": Label("每项材料本轮都有了结论", "every material has a verdict in this round"),
    "material_flagged": Label("至少一项材料有误、缺项或过期", "at least one material is wrong, missing or expired"),
    "materials_accepted": Label("全部材料都符合", "every material conforms"),
    "corrections_made": Label("退回的材料每项都重新交过", "every flagged material was replaced"),
    "two_inspectors": Label("指定了两名不同的核查员", "two different inspectors are appointed"),
    "inspectors_not_of_company": Label("核查员都不是该企业的人", "no inspector belongs to the company"),
    "inspector_not_reviewer": Label("核查员没有审核过本案材料", "no inspector judged the case's materials"),
    "appointed_inspector": Label("由指定的核查员本人办理", "an appointed inspector acts in person"),
    "checklist_complete": Label("核查清单逐项填完", "every item of the checklist is marked"),
    "no_failed_items": Label("没有不符合项", "no item failed"),
    "some_failed_items": Label("至少有一个不符合项", "at least one item failed"),
    "rectify_date_set": Label("写明整改期限，且不早于当天", "a date to rectify by is given and not past"),
    "rectification_answered": Label("企业逐项说明了整改情况", "the company answered every failed item"),
    "sheet_signed": Label(
        "两名核查员已确认，企业已签字或拒签，且其后没有改动",
        "both inspectors confirmed, the company signed or refused, and nothing changed since",
    ),
    "inspection_passed": Label("最近一次实地核查通过", "the last on-site check passed"),
    "not_the_inspector": Label("办理人没有参加过本案核查", "whoever acts did not inspect this case"),
    "not_of_company": Label("办理人不是该企业的人", "whoever acts does not belong to the company"),
    "all_opinions_in": Label("征求意见的部门都已答复", "every department that was asked has answered"),
    "no_opinion_against": Label("没有部门不同意", "no department is against it"),
}

EFFECT_WORDS: Mapping[str, Label] = {
    Effect.ISSUE_RECEIPT: Label("生成编号和受理回执", "a reference number and the receipt are issued"),
    Effect.SEND_ONE_TIME_NOTICE: Label("生成一次性告知书", "the one-time notice lists every correction"),
    Effect.OPEN_NEXT_ROUND: Label("材料审核进入下一轮", "the next round of review opens"),
    Effect.ISSUE_INSPECTION_SHEET: Label("生成《实地勘定表》", "the inspection sheet is issued"),
    Effect.CANCEL_INSPECTION: Label("取消尚未进行的核查预约", "planned inspections are cancelled"),
    Effect.ISSUE_NOTICE: Label("生成《同意复工通知书》", "the notice of approval is issued"),
    Effect.FILE_WITH_CITY: Label("报市备案", "the case is filed with the city"),
    Effect.START_NEW_CYCLE: Label("案件重新审理", "the case starts a new cycle"),
    Effect.TELL_COMPANY: Label("通知企业", "the company is told"),
    Effect.ASK_OPINIONS: Label("向有关部门征求意见", "departments are asked for their opinions"),
    Effect.DRAW_SAMPLE: Label("按比例抽取事后核查对象", "a share is drawn for a post-check"),
    Effect.REVOKE_PASSES: Label("撤销已发放的通行证", "passes that were granted are revoked"),
    Effect.SUSPEND_PASSES: Label("暂停已发放的通行证", "passes that were granted are suspended"),
    Effect.RESUME_PASSES: Label("恢复已暂停的通行证", "passes that were suspended with the case are good again"),
}

_ROLE_EN: Mapping[Role, str] = {
    Role.FILER: "Company's clerk",
    Role.HOST_FILER: "Host filer",
    Role.REVIEWER: "Reviewer",
    Role.INSPECTOR: "Inspector",
    Role.LEADER: "Town leader",
    Role.BUREAU_REVIEWER: "Industry bureau",
    Role.LEADING_GROUP: "Leading group",
    Role.GUARD: "Gate guard",
    Role.DEPARTMENT: "Department",
    Role.COMMANDER: "Headquarters",
    Role.AUDITOR: "Auditor",
    Role.ADMIN: "Administrator",
    Role.SYSTEM: "System",
}
ROLE_WORDS: Mapping[Role, Label] = {r: Label(ROLE_LABELS[r], _ROLE_EN.get(r, r.value)) for r in Role}

FACT_WORDS: Mapping[str, Label] = {
    "purpose": Label("申请事项", "purpose"),
    "size": Label("企业规模", "size"),
    "sector": Label("企业类型", "sector"),
    "industry": Label("所属行业", "industry"),
    "trade": Label("经营场所类别", "kind of premises"),
    "head_count": Label("企业总人数", "head count"),
    "resuming_count": Label("申请复工人数", "people resuming"),
    "county": Label("所在区县", "county"),
    "town": Label("所在镇街", "town"),
    "building": Label("所在楼宇", "building"),
    "priority_class": Label("复工类别", "priority class"),
    "hazardous": Label("涉及危险化学品", "hazardous chemicals"),
    "key_area_count": Label("重点疫情地区人员数", "people from key epidemic areas"),
    "filed_on": Label("申请日期", "date of filing"),
    "regime": Label("管理方式", "regime"),
    "listed": Label("列入负面清单", "on the negative list"),
    "area_class": Label("区域类别", "class of area"),
    "approved_before": Label("此前已同意复工", "approved before"),
}

_VALUE_EN: Mapping[tuple[str, str], str] = {
    ("purpose", "resume"): "resumption",
    ("purpose", "host"): "host filing for a building, mall or park",
    ("purpose", "site"): "construction site",
    ("purpose", "reopen"): "reopening after a closure",
    ("purpose", "extra_staff"): "additional staff",
    ("size", "above"): "above scale",
    ("size", "below"): "below scale",
    ("size", "micro"): "micro, below 20 people",
    ("sector", "construction"): "construction and real estate",
    ("sector", "transport"): "transport and storage",
    ("sector", "culture"): "culture and tourism",
    ("priority_class", "epidemic_supplies"): "needed against the epidemic",
    ("priority_class", "city_operation"): "needed to keep the city running",
    ("priority_class", "daily_life"): "needed for daily life",
    ("priority_class", "national_interest"): "other national interest",
    ("priority_class", "key_project"): "key construction project",
    ("priority_class", "large_order"): "urgent large international order",
    ("priority_class", "steady"): "steady resumption",
    ("trade", "none"): "none of these",
    ("trade", "ktv"): "karaoke",
    ("trade", "chess_room"): "chess or tea room",
    ("trade", "bath"): "bath or massage",
    ("trade", "gym"): "pool or gym",
    ("trade", "training"): "training or day care",
    ("trade", "scenic"): "scenic or cultural site",
    ("trade", "banquet"): "banquets",
    ("trade", "market"): "live animal market",
    ("regime", "approval"): "approval",
    ("regime", "filing"): "filing",
    ("regime", "none"): "no review",
}
"""English for answers whose code does not say it well; the others are told by their code."""

_COMPARED: Mapping[str, Label] = {
    "lt": Label("少于 ", "below "),
    "le": Label("不超过 ", "at most "),
    "gt": Label("多于 ", "above "),
    "ge": Label("不少于 ", "at least "),
}
_DATED: Mapping[str, Label] = {
    "lt": Label("早于 ", "before "),
    "le": Label("不晚于 ", "no later than "),
    "gt": Label("晚于 ", "after "),
    "ge": Label("不早于 ", "no earlier than "),
}


def guard_words(name: str) -> Label:
    """A guard in words; its name when there are none."""
    return GUARD_WORDS.get(name, Label(name, name))


def effect_words(effect: str) -> Label:
    """An effect in words; its name when there are none."""
    return EFFECT_WORDS.get(effect, Label(str(effect), str(effect)))


def _answer(fact: str, value: str) -> str | None:
    """The Chinese text of an answer of a closed list."""
    if fact == "regime":
        return next((label for regime, label in REGIME_LABELS.items() if regime == value), None)
    options = QUESTIONS[fact].options if fact in QUESTIONS else (("yes", "是"), ("no", "否"))
    return next((label for code, label in options if code == value), None)


def value_words(fact: str, value: Value, name_of: NameOf) -> Label:
    """A value of a fact in words; the value itself when it has no name."""
    named = name_of(fact, value)
    if named is not None:
        return named
    zh = _answer(fact, value) if isinstance(value, str) else None
    if zh is None:
        return Label(str(value), str(value))
    return Label(zh, _VALUE_EN.get((fact, str(value)), str(value).replace("_", " ")))


def _clause_words(clause: Clause, name_of: NameOf) -> Label:
    fact = FACT_WORDS.get(clause.fact, Label(clause.fact, clause.fact))
    if isinstance(clause.operand, tuple):
        values = [value_words(clause.fact, v, name_of) for v in clause.operand]
        return Label(f"{fact.zh}：{'或'.join(v.zh for v in values)}", f"{fact.en}: {' or '.join(v.en for v in values)}")
    compared = (_DATED if isinstance(clause.operand, dt.date) else _COMPARED)[clause.operator]
    return Label(f"{fact.zh}{compared.zh}{clause.operand}", f"{fact.en} {compared.en}{clause.operand}")


def condition_words(condition: Condition, name_of: NameOf) -> Label | None:
    """A condition in words, its clauses all to hold; None when it always holds."""
    clauses = [_clause_words(c, name_of) for c in condition.clauses]
    if not clauses:
        return None
    return Label("；".join(c.zh for c in clauses), "; ".join(c.en for c in clauses))

"""What staff are told of: the events, the groups in which people choose how, and which company message goes by mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflow.core.errors import N_
from workflow.core.tables import Label


class Group(StrEnum):
    """What one choice covers; the values are stored."""

    MINE = "mine"
    RETURNED = "returned"
    DEADLINE = "deadline"
    OPINION = "opinion"
    TALK = "talk"
    WORK = "work"
    GATE = "gate"
    SYSTEM = "system"
    COMPANY = "company"
    """Progress of one's own company's cases: the only group of company people."""


GROUP_LABELS: Mapping[Group, str] = {
    Group.MINE: N_("交给我办理的案件和核查"),
    Group.RETURNED: N_("企业补正后交回的案件"),
    Group.DEADLINE: N_("时限将到、超期和督办"),
    Group.OPINION: N_("部门意见答复"),
    Group.TALK: N_("提到我和沟通消息"),
    Group.WORK: N_("批量办理和导出的结果"),
    Group.GATE: N_("卡口通行的异常"),
    Group.SYSTEM: N_("通知渠道的故障"),
    Group.COMPANY: N_("本企业案件的进展"),
}
STAFF_GROUPS = tuple(g for g in Group if g is not Group.COMPANY)


@dataclass(frozen=True, slots=True)
class Kind:
    """An event: the group it belongs to, its words in both languages, its icon, and its tone on pages."""

    group: Group
    label: Label
    icon: str = "bell"
    tone: str = "info"


COMPANY_EVENT = "company_message"
"""What people of a company get mail about; in the pages it is the company's inbox that shows it."""

KINDS: Mapping[str, Kind] = {
    "assigned": Kind(Group.MINE, Label("案件交由您办理", "A case was assigned to you"), "user", "progress"),
    "handed_over": Kind(Group.MINE, Label("案件移交给您", "Cases were handed over to you"), "user", "progress"),
    "taken_over": Kind(Group.MINE, Label("您经办的案件由他人接手", "A colleague took over a case of yours"), "user"),
    "nobody_to_assign": Kind(
        Group.DEADLINE,
        Label("案件无人可分派，请处理", "Nobody can take a case: please assign it"),
        "alert-triangle",
        "danger",
    ),
    "returned": Kind(
        Group.RETURNED, Label("企业已补正交回", "The company has corrected and sent it back"), "arrow-back-up"
    ),
    "due_soon": Kind(Group.DEADLINE, Label("办理时限将到", "The deadline is near"), "clock", "warning"),
    "overdue": Kind(Group.DEADLINE, Label("已超过办理时限", "The deadline has passed"), "alert-triangle", "danger"),
    "escalated": Kind(Group.DEADLINE, Label("案件超期，已报督办", "A late case was escalated"), "flag", "danger"),
    "opinion_given": Kind(Group.OPINION, Label("部门已答复意见", "A department gave its opinion"), "clipboard-check"),
    "visit_confirmed": Kind(
        Group.MINE, Label("企业已确认核查时间", "The company confirmed the visit"), "calendar", "success"
    ),
    "visit_wished": Kind(
        Group.MINE, Label("企业希望改核查时间", "The company asks for another time"), "calendar", "warning"
    ),
    "mentioned": Kind(Group.TALK, Label("有人在内部记录中提到您", "You were mentioned in a note"), "message"),
    "thread_message": Kind(Group.TALK, Label("企业沟通有新消息", "New message in the conversation"), "message"),
    "bulk_done": Kind(Group.WORK, Label("批量办理已完成", "Bulk work is done"), "list-check", "success"),
    "export_done": Kind(Group.WORK, Label("导出文件已生成", "The export is ready"), "download", "success"),
    "gate_alarm": Kind(
        Group.GATE, Label("卡口通行有异常", "Something was wrong at a gate"), "alert-triangle", "danger"
    ),
    "passes_printed": Kind(
        Group.WORK, Label("通行证文件已生成", "The passes are ready to print"), "printer", "success"
    ),
    "robot_off": Kind(
        Group.SYSTEM, Label("群机器人连续失败，已停用", "A group robot failed and was switched off"), "ban", "danger"
    ),
    COMPANY_EVENT: Kind(Group.COMPANY, Label("案件有新进展", "There is news about your case"), "bell"),
}
"""Every event that anybody is told of; services name them by these keys."""

OTHER = Kind(Group.SYSTEM, Label("新通知", "A new notice"))
"""Stands for an event that this version no longer knows."""


def kind_of(event: str) -> Kind:
    """The event's kind; :data:`OTHER` for one that was stored by another version."""
    return KINDS.get(event, OTHER)


class Digest(StrEnum):
    """When mail goes out: within a minute, or collected each full hour or each morning."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"


class RobotKind(StrEnum):
    """Whose group robot it is."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


ROBOT_LABELS: Mapping[RobotKind, str] = {
    RobotKind.WECOM: N_("企业微信"),
    RobotKind.DINGTALK: N_("钉钉"),
    RobotKind.FEISHU: N_("飞书"),
}
ROBOT_EVENTS = ("returned", "due_soon", "overdue", "escalated", "opinion_given", "thread_message", "gate_alarm")
"""What a team's robot can be asked to pass on."""

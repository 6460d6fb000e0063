"""The timeline of a case: the audit rows, opinions and notices in words for its reader."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from workflow.core.actors import ROLE_LABELS, Actor, Role
from workflow.core.errors import N_
from workflow.core.flow import Label
from workflow.data import audit
from workflow.data.cases import Case
from workflow.services.records import CaseRecord

EVENT_LABELS: dict[str, str] = {
    audit.FILE_ADDED: N_("上传了材料"),
    audit.FILE_REMOVED: N_("移除了材料"),
    audit.FORM_CORRECTED: N_("更正了申请表"),
    audit.MATERIAL_JUDGED: N_("审核了一项材料"),
    audit.LATE_DEFECT: N_("对未改动的材料提出新问题（已留痕）"),
    audit.INSPECTION_SAVED: N_("保存了核查记录"),
    audit.PHOTO_ADDED: N_("拍摄了现场照片"),
    audit.PHOTO_TAKEN_BACK: N_("撤回了一张现场照片"),
    audit.SHEET_SIGNED: N_("在勘定表上签字或拒签"),
    audit.DOCUMENT_ISSUED: N_("生成了文书"),
    audit.CITY_FILED: N_("报市领导小组备案"),
    audit.PASS_REQUESTED: N_("申请了车辆通行证"),
    audit.PASS_GRANTED: N_("发放了车辆通行证"),
    audit.PASS_REFUSED: N_("未同意车辆通行证申请"),
    audit.PASS_REVOKED: N_("撤销了车辆通行证"),
    audit.PASS_SUSPENDED: N_("暂停了车辆通行证"),
    audit.PASS_RESUMED: N_("恢复了车辆通行证"),
    audit.PASS_REPLACED: N_("车辆通行证已换新证"),
    audit.PASS_WITHDRAWN: N_("撤回了通行证申请"),
    audit.FLOW_MIGRATED: N_("案件转到新版流程"),
    audit.TAILORING_PROPOSED: N_("提出一企一策调整"),
    audit.TAILORING_APPROVED: N_("同意一企一策调整"),
    audit.TAILORING_REFUSED: N_("未同意一企一策调整"),
    audit.TAILORING_WITHDRAWN: N_("撤回一企一策建议"),
    audit.OPINION_ASKED: N_("向部门征求意见"),
    audit.OPINION_GIVEN: N_("部门答复了意见"),
    audit.OPINION_REMINDED: N_("催办部门意见"),
    audit.OPINION_WITHDRAWN: N_("撤回征求意见"),
    audit.LOT_DRAWN: N_("抽取事后核查"),
    audit.DUE_SOON: N_("办理时限将到"),
    audit.OVERDUE: N_("已超过办理时限"),
    audit.ESCALATED: N_("超期督办"),
    audit.ASSIGNED: N_("确定经办人"),
    audit.RELEASED: N_("案件待分派"),
    audit.LAPSE_REFUSED: N_("期满自动办理未成"),
    audit.COMPANY_REMINDED: N_("提醒了企业"),
    audit.VISIT_CONFIRMED: N_("企业确认了核查时间"),
    audit.VISIT_WISHED: N_("企业希望改核查时间"),
    audit.WISH_ANSWERED: N_("答复了改期请求"),
    audit.REMEDY_PHOTO_ADDED: N_("企业上传了整改照片"),
    audit.REMEDY_PHOTO_REMOVED: N_("企业移除了整改照片"),
    audit.ITEM_DUE_SOON: N_("整改期限将到"),
    audit.ITEM_OVERDUE: N_("整改已过期限"),
    audit.NOTE_ADDED: N_("写了内部备注"),
    audit.THREAD_WRITTEN: N_("在沟通记录中留言"),
}
"""Source texts of the fixed events; a flow's own steps carry their labels."""

_DETAIL = frozenset(
    {
        audit.INSPECTION_SAVED,
        audit.MATERIAL_JUDGED,
        audit.PHOTO_ADDED,
        audit.PHOTO_TAKEN_BACK,
        audit.SHEET_SIGNED,
        audit.DOCUMENT_ISSUED,
        audit.TAILORING_PROPOSED,
        audit.TAILORING_REFUSED,
        audit.TAILORING_WITHDRAWN,
        audit.OPINION_REMINDED,
        audit.OPINION_WITHDRAWN,
        audit.DUE_SOON,
        audit.LAPSE_REFUSED,
        audit.ASSIGNED,
        audit.RELEASED,
        audit.REMEDY_PHOTO_ADDED,
        audit.REMEDY_PHOTO_REMOVED,
        audit.ITEM_DUE_SOON,
        audit.ITEM_OVERDUE,
    }
)
"""Events the company is not shown one by one: the result comes to it as a whole."""
_ELSEWHERE = frozenset({audit.NOTE_ADDED, audit.THREAD_WRITTEN})
"""Events that no timeline shows: notes and the thread have places of their own on the case page."""


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One line: either ``step`` (a label in both languages) or ``label`` (a source text)."""

    at: dt.datetime
    event: str
    step: Label | None
    label: str
    who: str
    role: str
    words: str
    is_move: bool
    entry_hash: str


def timeline(actor: Actor, case: Case, record: CaseRecord) -> list[TimelineEvent]:
    """The history of a case as ``actor`` may read it, newest first.

    The company reads moves and opinions, with roles instead of officers' names.
    """
    insider = actor.is_staff and case.enterprise_id not in actor.enterprise_ids
    entries, names = record.entries, record.names
    words = {o.move: o.words for o in record.opinions}
    flow = case.flow
    labels = {s.action: s.done for s in flow.steps}
    specific = {(s.action, source): s.done for s in flow.steps for source in s.sources}
    lines = []
    for entry in reversed(entries):
        if entry.event in _ELSEWHERE or (not insider and entry.event in _DETAIL):
            continue
        is_move = entry.event in labels
        by_company = entry.role == Role.FILER
        who = names.get(entry.person_id, "") if insider or by_company else ""
        lines.append(
            TimelineEvent(
                at=entry.at,
                event=entry.event,
                step=specific.get((entry.event, entry.before.get("state", "")), labels.get(entry.event)),
                label=EVENT_LABELS.get(entry.event, entry.event),
                who=who,
                role=ROLE_LABELS[Role(entry.role)] if entry.role else "",
                words=words.get(int(entry.after.get("moves", 0)), "") if is_move else "",
                is_move=is_move,
                entry_hash=entry.hash,
            )
        )
    return lines

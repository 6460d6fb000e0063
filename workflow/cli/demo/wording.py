"""Standard phrases of the demo: what a town's task force would have written down after its first week."""

from __future__ import annotations

import datetime as dt

from workflow.core.times import shanghai_day
from workflow.data import people
from workflow.services import phrases

PHRASES = (
    ("verdict.wrong", "公章不清晰，请重新盖章后上传原件扫描件。"),
    ("verdict.wrong", "所填人数与返工人员调查总表不一致，请核对后更正。"),
    ("verdict.missing", "缺第二页签字页，请补齐后一并上传。"),
    ("verdict.expired", "证照已过有效期，请上传有效的版本。"),
    ("step", "材料齐全，符合要求。"),
    ("step", "现场情况与申报一致，防控措施到位。"),
    ("thread", "请在预约时间前安排熟悉现场的人员在厂门口等候。"),
    ("note", "已电话联系企业，约定今天补齐材料。"),
)


def build(now: dt.datetime) -> int:
    """Keep the phrases for the leader's town; returns how many."""
    account = people.account_by_login("leader")
    if account is None:
        return 0
    leader = people.actor_of(account, shanghai_day(now))
    for topic, words in PHRASES:
        phrases.add(leader, topic, words, leader.appointments[0].area_id, now)
    return len(PHRASES)

"""The lines of an export: what is said of a case, column by column, with personal data masked unless it was allowed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.core.actors import ROLE_LABELS, Role
from workflow.core.clocks import NO_LIMIT
from workflow.core.facts import SIZE_LABELS, SizeClass
from workflow.core.identifiers import mask_name, mask_phone
from workflow.core.questions import SECTORS
from workflow.core.times import shanghai_time
from workflow.data import catalogue, queue
from workflow.data.queue import KnownFlow, QueueRow
from workflow.documents.long_tables import Cell, Column

COLUMNS = (
    Column("受理编号", 26),
    Column("企业名称", 34),
    Column("统一社会信用代码", 21),
    Column("流程", 20),
    Column("当前环节", 16),
    Column("办理方", 14),
    Column("经办人", 10),
    Column("区县", 10),
    Column("镇街", 12),
    Column("片区", 14),
    Column("楼宇", 16),
    Column("详细地址", 34),
    Column("企业类型", 14),
    Column("规模", 14),
    Column("行业主管部门", 16),
    Column("企业总人数", 11),
    Column("申请复工人数", 13),
    Column("申请复工日期", 13),
    Column("法定代表人", 11),
    Column("企业负责人", 11),
    Column("负责人电话", 15),
    Column("联系人", 10),
    Column("联系人手机", 15),
    Column("24 小时电话", 15),
    Column("提交时间", 17),
    Column("办理时限", 17),
    Column("办结时间", 17),
    Column("补正轮次", 9),
)
_DIGITS = re.compile(r"\d[\d\- ]{5,}\d")
_CALLED = re.compile(
    r"[（(][^（）()]{0,40}[)）]|(?:联系|负责)人.*$|转?[\u4e00-\u9fff]{1,4}(?:收|转|先生|女士|同志|经理|主任)"
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Turns rows of the queue into lines; ``unmasked`` when personal data was asked for and allowed."""

    unmasked: bool
    flows: Mapping[int, KnownFlow] = field(default_factory=lambda: {k.id: k for k in queue.flows()})
    bureaus: Mapping[str, str] = field(default_factory=lambda: {b.code: b.label.zh for b in catalogue.bureaus()})
    sectors: Mapping[str, str] = field(default_factory=lambda: dict(SECTORS))

    def line(self, row: QueueRow) -> list[Cell]:
        """One case, in the order of :data:`COLUMNS`."""
        flow = queue.flow_of(row, self.flows[row.flow_version_id])
        facts = row.facts
        return [
            row.reference,
            row.enterprise_name,
            row.uscc,
            flow.label.zh,
            flow.state(row.state).label.zh,
            ROLE_LABELS[Role(row.holder)] if row.holder else "",
            row.assignee,
            row.county,
            row.place,
            row.zone,
            row.building,
            self._address(_text(facts, "address")),
            self.sectors.get(row.sector, row.sector),
            _size(_text(facts, "size")),
            self.bureaus.get(row.bureau or "", row.bureau or ""),
            _number(facts, "head_count"),
            row.resuming_count,
            row.resume_on.isoformat() if row.resume_on else "",
            *self._people(facts),
            _time(row.submitted_at),
            _time(row.due_at) if row.is_open else "",
            _time(row.decided_at),
            row.round,
        ]

    def _people(self, facts: Mapping[str, Any]) -> list[str]:
        names = [_text(facts, key) for key in ("legal_person", "head_name", "contact_name")]
        phones = [_text(facts, key) for key in ("head_phone", "contact_mobile", "hotline")]
        if not self.unmasked:
            names, phones = [mask_name(n) for n in names], [masked_phone(p) for p in phones]
        return [names[0], names[1], phones[0], names[2], phones[1], phones[2]]

    def _address(self, address: str) -> str:
        """The address; masked, without the people and numbers that are written into some."""
        return address if self.unmasked else _DIGITS.sub("****", _CALLED.sub("", address)).strip()


def masked_phone(number: str) -> str:
    """A phone number with at most its first three and last four digits; a short one not at all."""
    return mask_phone(number) if len(number) >= 9 else "****" if number else ""


def _text(facts: Mapping[str, Any], key: str) -> str:
    value = facts.get(key)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(facts: Mapping[str, Any], key: str) -> Cell:
    value = facts.get(key)
    return value if isinstance(value, int) else _text(facts, key)


def _size(size: str) -> str:
    return SIZE_LABELS[SizeClass(size)] if size in set(SizeClass) else size


def _time(at: dt.datetime | None) -> str:
    return "" if at is None or at >= NO_LIMIT else f"{shanghai_time(at):%Y-%m-%d %H:%M}"

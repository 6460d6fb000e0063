"""The gate log as a file: written in chunks with flat memory, plates masked unless that was asked for and allowed."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.core.actors import Actor, Permission
from workflow.core.errors import N_, Invalid, NotPermitted
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_time
from workflow.data import audit, gate_log
from workflow.data.gate_log import LogFilters
from workflow.documents import long_tables
from workflow.documents.long_tables import About, Cell, Column
from workflow.services import gate_log as service
from workflow.services.exports import MEDIA, chain_of
from workflow.services.gate_log import VERDICTS, LogLine

MOST = 100_000
"""Entries in one file."""
COLUMNS = (
    Column("时间", 19),
    Column("卡口", 18),
    Column("镇街", 14),
    Column("方向", 7),
    Column("处置", 10),
    Column("车牌", 13),
    Column("通行证编号", 16),
    Column("企业名称", 34),
    Column("现场查验", 20),
    Column("服务器核对", 20),
    Column("人数", 7),
    Column("测温人数", 9),
    Column("最高体温", 9),
    Column("离线", 7),
    Column("异常", 50),
    Column("说明", 30),
)
DIRECTIONS: Mapping[str, str] = {"in": "进", "out": "出"}
DECISIONS: Mapping[str, str] = {"pass": "放行", "turn_back": "劝返", "hand_over": "移交"}


@dataclass(frozen=True, slots=True)
class Asking:
    """What somebody wants as a file: filters, the format, and whole plates or not."""

    filters: LogFilters
    format: str
    unmasked: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A written file in a folder of its own, which goes when the object does."""

    folder: tempfile.TemporaryDirectory[str]
    path: Path
    rows: int
    media: str

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes; the folder is deleted after the last."""
        try:
            with self.path.open("rb") as content:
                while piece := content.read(1 << 16):
                    yield piece
        finally:
            self.folder.cleanup()


def mask_plate(plate: str) -> str:
    """``浙B***45``: where a plate is from and its last two characters."""
    return f"{plate[:2]}***{plate[-2:]}" if len(plate) >= 6 else "***" if plate else ""


def check(actor: Actor, asking: Asking) -> str:
    """The reason as kept; :class:`Invalid` for an unknown format or whole plates without a reason,
    :class:`NotPermitted` without the right to them."""
    if not actor.may(Permission.SEE_GATES):
        raise NotPermitted()
    if asking.format not in MEDIA:
        raise Invalid(N_("请选择列表中的一项。"), field="format")
    if asking.unmasked and not actor.may(Permission.EXPORT_PERSONAL):
        raise NotPermitted(N_("您没有导出个人信息的权限。"))
    reason = clean_text(asking.reason)[:200]
    if asking.unmasked and len(reason) < 4:
        raise Invalid(N_("导出完整车牌请写明用途。"), field="reason")
    return reason if asking.unmasked else ""


def write(actor: Actor, asking: Asking, now: dt.datetime) -> LogFile:
    """Write the file; nothing of the database changes. :class:`Invalid` when there are too many entries for one."""
    reason = check(actor, asking)
    gates = service.gates_of(actor)
    if gate_log.count(gates, asking.filters, MOST + 1) > MOST:
        raise Invalid(N_("一次最多导出 %(n)s 条，请缩小日期范围。"), field="from", n=f"{MOST:,}")
    folder = tempfile.TemporaryDirectory(prefix="gate-log-")
    spool, target, rows = Path(folder.name) / "rows", Path(folder.name) / f"log.{asking.format}", 0
    encode = long_tables.csv_rows if asking.format == "csv" else long_tables.spool_rows
    with spool.open("wb") as output:
        for part in gate_log.stream(gates, asking.filters, MOST):
            lines = service.in_words(actor, part, gates)
            output.write(encode(_line(line, asking.unmasked) for line in lines))
            rows += len(part)
    if asking.format == "csv":
        long_tables.finish_csv(spool, target, COLUMNS)
    else:
        long_tables.finish_xlsx(spool, target, COLUMNS, _about(actor, asking, reason, rows, now))
    return LogFile(folder, target, rows, MEDIA[asking.format])


def _about(actor: Actor, asking: Asking, reason: str, rows: int, now: dt.datetime) -> About:
    days = f"{asking.filters.from_on.isoformat()} 至 {asking.filters.until_on.isoformat()}"
    notes = (
        f"由 {actor.name} 于 {shanghai_time(now):%Y-%m-%d %H:%M}（北京时间）导出，{days}，共 {rows:,} 条。",
        "含完整车牌，仅限所填用途使用，不得转发。" if asking.unmasked else "车牌已遮盖。",
        *((f"用途：{reason}",) if reason else ()),
        "体温只有人数和最高值。时间均为北京时间。导出已记入操作留痕。",
    )
    return About("卡口记录", actor.name, now, notes)


def _line(line: LogLine, unmasked: bool) -> list[Cell]:
    entry, known = line.entry, line.known
    plate = entry.plate if unmasked else mask_plate(entry.plate)
    said = [_said(reason.message, dict(reason.params), unmasked) for _code, reason in line.alarms]
    return [
        f"{shanghai_time(entry.at):%Y-%m-%d %H:%M:%S}",
        line.gate.name,
        line.gate.town.name,
        DIRECTIONS[entry.direction],
        DECISIONS[entry.decision],
        plate,
        entry.number,
        known.enterprise if known else "",
        VERDICTS[entry.verdict],
        VERDICTS[entry.checked],
        entry.heads,
        len(entry.temperatures),
        f"{line.hottest:.1f}" if line.hottest is not None else "",
        "是" if entry.is_offline else "",
        "".join(said),
        entry.words,
    ]


def _said(message: str, params: dict[str, object], unmasked: bool) -> str:
    if not unmasked:
        for name in ("plate", "seen"):
            if name in params:
                params[name] = mask_plate(str(params[name]).replace("·", ""))
    return message % params if params else message


def record(actor: Actor, asking: Asking, written: LogFile, now: dt.datetime) -> None:
    """Put into the history that a file was made: how much and with what, no plates."""
    filters = asking.filters
    asked = [n for n in ("gate_id", "plate", "number", "decision", "alarm") if getattr(filters, n)]
    after = {
        "rows": written.rows,
        "format": asking.format,
        "personal": "unmasked" if asking.unmasked else "masked",
        "from": filters.from_on.isoformat(),
        "until": filters.until_on.isoformat(),
        "filters": asked,
    }
    audit.record(audit.GATE_LOG_EXPORTED, chain=chain_of(actor), actor=actor, at=now, after=after)

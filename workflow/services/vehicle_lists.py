"""Asking for passes by a list of vehicles: the list is kept, looked through as often as wanted, and handed in once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.core.actors import Actor
from workflow.core.errors import N_, DomainError, Invalid, NotFound, StepClosed
from workflow.core.pass_catalogue import ALWAYS
from workflow.core.times import shanghai_day
from workflow.core.vehicle_table import COLUMNS, HOURS, PURPOSE, VehicleRow, check, read, word
from workflow.data import catalogue, vehicle_lists
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.data.vehicle_lists import VehicleList
from workflow.documents import vehicle_sheets
from workflow.documents.uploads import FileKind, ReceivedFile
from workflow.extensions import db
from workflow.services import cases as case_service
from workflow.services import passes as pass_service
from workflow.services.pass_offer import Offer, offer_for, standing_of
from workflow.services.pass_requests import Desk, PassRequest

KINDS = (FileKind.XLSX, FileKind.CSV)


@dataclass(frozen=True, slots=True)
class Looked:
    """A list as it is now: rows that would be asked for, rows that have to be corrected, and what the rules allow."""

    kept: VehicleList
    good: Sequence[VehicleRow]
    bad: Sequence[VehicleRow]
    offer: Offer

    @property
    def total(self) -> int:
        """All vehicles of the list."""
        return len(self.good) + len(self.bad)

    @property
    def automatic(self) -> bool:
        """Whether every kind of pass is decided by the rule at once."""
        return all(part.decision == "automatic" for part in self.offer.parts)


def own_case(actor: Actor, case_id: int) -> Case:
    """A case of the actor's own company; :class:`NotFound` for any other."""
    case = case_service.get(actor, case_id)
    if case.enterprise_id not in actor.enterprise_ids:
        raise NotFound()
    return case


def purposes() -> dict[str, str]:
    """The words for what a pass is for, each with its kind's key: labels in both languages, short words and keys."""
    found: dict[str, str] = {}
    for key, kind in catalogue.passes().vehicle_kinds.items():
        for text in (kind.label.zh, kind.word.zh, kind.label.en, kind.word.en, key):
            found.setdefault(word(text), key)
    return found


def hours() -> dict[str, str]:
    """The words for when in the week a pass is good, each with its schedule's key."""
    found: dict[str, str] = {}
    for key, schedule in catalogue.passes().schedules.items():
        for text in (schedule.label.zh, schedule.label.en, key):
            found.setdefault(word(text), key)
    return found


def offered() -> tuple[list[str], list[str]]:
    """What a list may say for purpose and hours, as offered in the blank workbook."""
    known = catalogue.passes()
    return [k.label.zh for k in known.vehicle_kinds.values()], [s.label.zh for s in known.schedules.values()]


def keep(actor: Actor, case_id: int, file: ReceivedFile, now: dt.datetime) -> VehicleList:
    """Read an uploaded list and keep it; :class:`Invalid` when it is none. The file itself is not kept.

    The same file of the same person is kept once as long as it is not handed in.
    """
    case = own_case(actor, case_id)
    if not case.permits:
        raise StepClosed(N_("同意复工之后才能申请车辆通行证。"))
    rows = read(vehicle_sheets.read_cells(file.path, file.kind))
    same = vehicle_lists.of(actor, case_id).where(
        VehicleList.sha256 == file.sha256,
        VehicleList.person_id == actor.person_id,
        VehicleList.submitted_at.is_(None),
    )
    found = db.session.scalar(same.limit(1))
    if found is not None:
        return found
    kept = VehicleList(
        case_id=case.id,
        person_id=actor.person_id,
        name=file.name[:120],
        sha256=file.sha256,
        rows=[_stored(row) for row in rows],
        asked=0,
        created_at=now,
    )
    db.session.add(kept)
    db.session.flush()
    return kept


def _stored(row: VehicleRow) -> list[str | int]:
    return [row.line, *(row[column] for column in COLUMNS)]


def _rows(kept: VehicleList) -> list[VehicleRow]:
    return [VehicleRow(line, dict(zip(COLUMNS, cells, strict=True))) for line, *cells in kept.rows]


def get(actor: Actor, case_id: int, list_id: int) -> VehicleList:
    """A list of a case of the actor's own company."""
    own_case(actor, case_id)
    found = db.session.scalar(vehicle_lists.of(actor, case_id).where(VehicleList.id == list_id))
    if found is None:
        raise NotFound()
    return found


def look(actor: Actor, case_id: int, list_id: int, now: dt.datetime) -> Looked:
    """Look a kept list through by today's rules and passes; nothing is changed.

    Every row says all that is wrong with it; the quota is counted in the order of the list.
    """
    kept, case = get(actor, case_id, list_id), own_case(actor, case_id)
    standing = standing_of(case.enterprise_id, shanghai_day(now))
    offer = offer_for(case, standing, now)
    good, bad = _sorted(_rows(kept), Desk(actor, case, now, offer, standing, {}))
    return Looked(kept, good, bad, offer)


def _sorted(rows: Sequence[VehicleRow], desk: Desk) -> tuple[list[VehicleRow], list[VehicleRow]]:
    kinds, schedules = purposes(), hours()
    good: list[VehicleRow] = []
    bad: list[VehicleRow] = []
    seen: dict[str, list[VehicleRow]] = {}
    for row in rows:
        check(row, kinds, schedules)
        if not row.problems:
            _check_against_others(row, request_of(row, kinds, schedules), desk, seen)
        (bad if row.problems else good).append(row)
    return good, bad


def _check_against_others(row: VehicleRow, request: PassRequest, desk: Desk, seen: dict[str, list[VehicleRow]]) -> None:
    """Whether the rules, the company's passes and the rows before leave room for this one."""
    first, last = row.first_on, row.last_on
    plate = word(request.plate)
    for other in seen.get(plate, ()):
        if first and last and other.first_on and other.last_on and other.first_on <= last and first <= other.last_on:
            row.refuse(N_("与第 %(n)s 行重复：同一辆车的日期重叠。"), n=other.line)
            return
    try:
        desk.check(request)
    except DomainError as error:
        row.refuse_with(error)
        return
    seen.setdefault(plate, []).append(row)


def request_of(row: VehicleRow, kinds: Mapping[str, str], schedules: Mapping[str, str]) -> PassRequest:
    """What a row without problems asks for."""
    return PassRequest(
        plate=row["车牌号"],
        vehicle_type=row["车辆类型"],
        purpose=kinds[word(row[PURPOSE])],
        route=row["行驶路线"],
        drivers=row.drivers,
        valid_from_on=row.first_on,
        valid_until_on=row.last_on,
        schedule=schedules[word(row[HOURS])] if row[HOURS] else ALWAYS,
    )


def submit(actor: Actor, case_id: int, list_id: int, now: dt.datetime) -> tuple[int, int]:
    """Ask for every good vehicle of a list in one act; returns how many were asked for, and how many are left.

    What is left has to be corrected and stays in the list. A list is handed in once: :class:`StepClosed` afterwards.
    """
    kept = db.session.scalar(
        vehicle_lists.of(actor, case_id)
        .where(VehicleList.id == list_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if kept is None:
        raise NotFound()
    if kept.submitted_at is not None:
        raise StepClosed(N_("这张表已经提交过了。"))
    looked = look(actor, case_id, list_id, now)
    if not looked.good:
        raise Invalid(N_("没有可以提交的车辆，请先改正。"))
    kinds, schedules = purposes(), hours()
    requests = [request_of(row, kinds, schedules) for row in looked.good]
    outcomes = pass_service.request_many(actor, case_id, requests, now)
    taken = {row.line for row, outcome in zip(looked.good, outcomes, strict=True) if isinstance(outcome, VehiclePass)}
    kept.rows = [stored for stored in kept.rows if stored[0] not in taken]
    kept.asked, kept.submitted_at = len(taken), now
    return len(taken), len(kept.rows)


def discard(actor: Actor, case_id: int, list_id: int) -> None:
    """Throw a list away; passes that were asked for stay."""
    db.session.delete(get(actor, case_id, list_id))


def blank(now: dt.datetime) -> bytes:
    """The workbook to fill in, in Chinese as all forms to hand in are."""
    kinds, schedules = offered()
    today = shanghai_day(now)
    last = today + dt.timedelta(days=6)
    example = ["浙B00000（示例）", "中型货车", kinds[0], "海曙区 → 北仑港，走北外环", "张三、李四"]
    notes = (
        "一行一辆车。带 * 的必填；第 2 行是示例，上传时自动跳过，可以删去。",
        "车牌号：空格、小写和全角会自动更正；号牌不使用字母 I 和 O。临时、军用等特殊号牌请在网页上逐辆申请。",
        f"用途：{'、'.join(kinds)}。",
        f"通行时段：{'、'.join(schedules)}。不填是全天。",
        "驾驶员：只填姓名，1 至 5 名，用顿号或逗号隔开。不要填身份证号和电话。",
        "日期：写成 2020-02-15，也可以用 Excel 的日期格式。",
        "上传后先逐行检查，您确认后才提交；有问题的行可以下载改好再传。一张表最多 5,000 辆。",
    )
    cells = [*example, today.isoformat(), last.isoformat(), schedules[0]]
    return vehicle_sheets.blank(kinds, schedules, cells, notes)

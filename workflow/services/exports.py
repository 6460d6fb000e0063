"""Exports: a view of the queue as a file, written chunk by chunk by the worker, for its maker alone and for a week."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from workflow.core.actors import Actor, AreaKind, Permission
from workflow.core.errors import N_, Invalid, NotFound, NotPermitted, StepClosed
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day, shanghai_time
from workflow.data import audit, exports, outbox, people, queue
from workflow.data.exports import Export
from workflow.data.files import StoredFile
from workflow.data.people import Account
from workflow.data.queue import Asked, Mark
from workflow.documents import long_tables, storage
from workflow.documents.long_tables import About
from workflow.extensions import db, settings
from workflow.services import notices
from workflow.services.bulk import rights_of
from workflow.services.export_lines import COLUMNS, Writer
from workflow.services.filters import filters_of

KEPT = dt.timedelta(days=7)
MOST_AT_ONCE = 3
MOST_TICKED = 1000
SECONDS = 5.0
"""For how long one chunk is written before others have their turn."""
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_MOVED = N_("您的任职已变更，导出已停止。")


@dataclass(frozen=True, slots=True)
class Asking:
    """What somebody wants exported: the view's address (or ``case_ids``), the format, and personal data or not."""

    view: Mapping[str, Any]
    case_ids: tuple[int, ...] = ()
    format: str = "xlsx"
    unmasked: bool = False
    reason: str = ""

    @property
    def filters(self) -> dict[str, Any]:
        """As the export keeps it."""
        return {"cases": list(self.case_ids)} if self.case_ids else {"view": dict(self.view)}


def start(actor: Actor, asking: Asking, now: dt.datetime) -> Export:
    """Order an export; :class:`Invalid` for an unknown format, or personal data without the right to it or a reason."""
    if asking.format not in MEDIA:
        raise Invalid(N_("请选择列表中的一项。"), field="format")
    if len(asking.case_ids) > MOST_TICKED:
        raise Invalid(N_("一次最多办理 %(n)s 件，请缩小范围。"), field="case", n=MOST_TICKED)
    reason = clean_text(asking.reason)[:200]
    if asking.unmasked and not actor.may(Permission.EXPORT_PERSONAL):
        raise NotPermitted(N_("您没有导出个人信息的权限。"))
    if asking.unmasked and len(reason) < 4:
        raise Invalid(N_("导出个人信息请写明用途。"), field="reason")
    going = select(func.count()).select_from(Export)
    going = going.where(Export.person_id == actor.person_id, Export.status.in_(("waiting", "running")))
    if (db.session.scalar(going) or 0) >= MOST_AT_ONCE:
        raise Invalid(N_("您已有 %(n)s 个导出正在进行，请等它们完成。"), n=MOST_AT_ONCE)
    export = Export(
        person_id=actor.person_id,
        account_id=actor.account_id,
        rights=rights_of(actor),
        filters=asking.filters,
        format=asking.format,
        unmasked=asking.unmasked,
        reason=reason if asking.unmasked else "",
        total=_expected(actor, asking, now),
        created_at=now,
    )
    db.session.add(export)
    db.session.flush()
    outbox.put("export", {"export_id": export.id}, now)
    return export


def _expected(actor: Actor, asking: Asking, now: dt.datetime) -> int:
    """How many rows it will have, for its progress; 0 when that is too many to count."""
    found = len(asking.case_ids) or queue.count(actor, filters_of(asking.view, actor, now), now)
    return found if found <= queue.COUNT_CAP else 0


def get(actor: Actor, export_id: int) -> Export:
    """The actor's own export; :class:`NotFound` for anybody else's."""
    export = db.session.scalar(exports.of(actor).where(Export.id == export_id))
    if export is None:
        raise NotFound()
    return export


def file_of(actor: Actor, export_id: int, now: dt.datetime) -> StoredFile:
    """The finished file, for its maker while the rights it was made with are held and its week is not over."""
    export = get(actor, export_id)
    held = rights_of(actor)
    if export.status != "done" or export.file is None or export.expires_at is None or export.expires_at <= now:
        raise NotFound(N_("这份导出还没有完成，或已过期。"))
    if not all(right in held for right in export.rights):
        raise NotFound()
    if export.unmasked and not actor.may(Permission.EXPORT_PERSONAL):
        raise NotFound()
    return export.file


def cancel(actor: Actor, export_id: int, now: dt.datetime) -> Export:
    """Stop an export in the making; its unfinished file goes."""
    export = exports.lock(get(actor, export_id).id)
    if export is None or not export.is_going:
        raise StepClosed(N_("这份导出已经不在进行中。"))
    export.status, export.finished_at = "cancelled", now
    unfinished(export.id).unlink(missing_ok=True)
    return export


def _folder() -> Path:
    folder = settings().var_dir / "exports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    return folder


def unfinished(export_id: int) -> Path:
    """Where the rows of an export lie until it is finished."""
    return _folder() / f"{export_id}.rows"


def _clear(export_id: int) -> None:
    """Remove what was in the making, also by a process that ended in the middle of it."""
    unfinished(export_id).unlink(missing_ok=True)
    for left in _folder().glob(f"{export_id}-*"):
        shutil.rmtree(left, ignore_errors=True)


def forget_leftovers(now: dt.datetime) -> None:
    """Delete what lies in the folder of unfinished exports for longer than finished ones are kept."""
    for left in _folder().iterdir():
        if left.stat().st_mtime < (now - KEPT).timestamp():
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)


def _maker(export: Export, now: dt.datetime) -> Actor | None:
    """Whoever ordered it with the rights held now; None when one that it was ordered with is gone."""
    account = db.session.get(Account, export.account_id)
    if account is None or not account.is_active:
        return None
    actor = people.actor_of(account, shanghai_day(now))
    held = rights_of(actor)
    lost = export.unmasked and not actor.may(Permission.EXPORT_PERSONAL)
    return None if lost or any(right not in held for right in export.rights) else actor


@dataclass(frozen=True, slots=True)
class Position:
    """How far the unfinished file is: rows, bytes, and the place of the last row."""

    rows: int = 0
    offset: int = 0
    mark: Mark | None = None


def _position(export: Export, path: Path) -> Position:
    """Where to go on; from the beginning when the unfinished file is not there (another machine, a cleaned disk)."""
    if export.offset and (not path.exists() or path.stat().st_size < export.offset):
        return Position()
    mark = export.mark
    place = Mark(dt.datetime.fromisoformat(mark["at"]), int(mark["id"])) if mark else None
    return Position(export.rows, export.offset, place)


def write_on(
    export_id: int,
    clock: Callable[[], dt.datetime],
    seconds: float = SECONDS,
    *,
    going: Callable[[], None] = lambda: None,
) -> Callable[[dt.datetime], None]:
    """Write on without a lock for some seconds, and return what keeps that in one transaction.

    What is written but not kept, because the process ended in between, is cut off again the next time. With the last
    rows the file is finished, which takes as long as it takes: ``going`` is called meanwhile.
    """
    export, now = db.session.get(Export, export_id), clock()
    if export is None or not export.is_going:
        return lambda at: _clear(export_id)
    actor = _maker(export, now)
    if actor is None:
        return lambda at: _fail(export_id, _MOVED, at)
    path = unfinished(export_id)
    before = _position(export, path)
    after, is_over = _append(export, actor, path, before, now, seconds)
    made = _finish(export, actor, path, after, going) if is_over else None
    return lambda at: _keep(export_id, actor, after, made, at)


def _fail(export_id: int, why: str, now: dt.datetime) -> None:
    export = exports.lock(export_id)
    if export is not None and export.is_going:
        export.status, export.finished_at, export.error = "failed", now, why
        _clear(export_id)


def _append(
    export: Export, actor: Actor, path: Path, at: Position, now: dt.datetime, seconds: float
) -> tuple[Position, bool]:
    """Append rows until the time or the rows are over; returns where it is now and whether that is the end."""
    asked, order = _asked(export, actor, now)
    writer, until = Writer(export.unmasked), time.monotonic() + seconds
    spool = long_tables.csv_rows if export.format == "csv" else long_tables.spool_rows
    path.touch(mode=0o640)
    with path.open("r+b") as file:
        file.truncate(at.offset)
        file.seek(at.offset)
        while True:
            rows = asked(at.mark)
            content = spool([writer.line(row) for row in rows])
            file.write(content)
            if rows:
                at = Position(at.rows + len(rows), at.offset + len(content), rows[-1].mark(order))
            is_over = len(rows) < queue.CHUNK
            if is_over or time.monotonic() > until:
                break
        file.flush()
        os.fsync(file.fileno())
    return at, is_over


def _asked(
    export: Export, actor: Actor, now: dt.datetime
) -> tuple[Callable[[Mark | None], list[queue.QueueRow]], queue.Sort]:
    """What reads the rows after a mark, and their order."""
    ticked = export.filters.get("cases")
    if ticked:
        return lambda mark: queue.rows_of(actor, ticked) if mark is None else [], queue.Sort.DUE
    filters = filters_of(export.filters.get("view", {}), actor, now)
    asked = Asked.by(actor, filters, now)
    return lambda mark: asked.rows(mark, False, queue.CHUNK, whole=True), asked.order


@dataclass(frozen=True, slots=True)
class _Made:
    """A finished file in the store."""

    key: str
    sha256: str
    size: int


def _finish(export: Export, actor: Actor, path: Path, at: Position, going: Callable[[], None]) -> _Made:
    """Make the file in a folder of its own, and put it into the store."""
    about = _about(export, actor, at.rows)
    with tempfile.TemporaryDirectory(prefix=f"{export.id}-", dir=path.parent) as folder:
        target = Path(folder) / f"export.{export.format}"
        if export.format == "csv":
            long_tables.finish_csv(path, target, COLUMNS)
        else:
            long_tables.finish_xlsx(path, target, COLUMNS, about, going)
        with target.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        size = target.stat().st_size
        key = storage.put_file(storage.open_store(settings().files_url), target, sha256)
    return _Made(key, sha256, size)


def _about(export: Export, actor: Actor, rows: int) -> About:
    made = f"{shanghai_time(export.created_at):%Y-%m-%d %H:%M}"
    masked = "含未遮盖的个人信息，仅限所填用途使用，不得转发。" if export.unmasked else "个人信息已遮盖。"
    purpose = (f"用途：{export.reason}",) if export.reason else ()
    notes = (
        f"由 {actor.name} 于 {made}（北京时间）导出，共 {rows:,} 件。",
        masked,
        *purpose,
        f"导出编号 {export.id}；时间均为北京时间。导出已记入操作留痕。",
    )
    return About("案件", actor.name, export.created_at, notes)


def _keep(export_id: int, actor: Actor, at: Position, made: _Made | None, now: dt.datetime) -> None:
    export = exports.lock(export_id)
    if export is None or not export.is_going:
        _clear(export_id)
        return
    export.status, export.started_at = "running", export.started_at or now
    export.rows, export.offset = at.rows, at.offset
    export.mark = {"at": at.mark.at.isoformat(), "id": at.mark.id} if at.mark else None
    if made is None:
        outbox.put("export", {"export_id": export.id}, now)
        return
    export.file = StoredFile(
        sha256=made.sha256,
        size=made.size,
        media_type=MEDIA[export.format],
        kind=export.format,
        key=made.key,
        created_at=now,
    )
    export.status, export.digest, export.total = "done", made.sha256, at.rows
    export.finished_at, export.expires_at = now, now + KEPT
    _record(export, actor, now)
    _tell(export, now)
    _clear(export_id)


def _tell(export: Export, now: dt.datetime) -> None:
    """Tell whoever ordered it that the file can be fetched."""
    about = {"zh": f"编号 {export.id}，共 {export.rows:,} 件", "en": f"no. {export.id}, {export.rows:,} cases"}
    notices.tell_people([export.person_id], "export_done", None, {"about": about, "url": "/exports"}, now)


def chain_of(actor: Actor) -> str:
    """The chain of the actor's widest area."""
    order = list(AreaKind)
    widest = min(actor.appointments, key=lambda a: order.index(a.area_kind), default=None)
    return f"area:{widest.area_id}" if widest else "accounts"


def _record(export: Export, actor: Actor, now: dt.datetime) -> None:
    asked = export.filters.get("view")
    after = {
        "export": export.id,
        "rows": export.rows,
        "format": export.format,
        "personal": "unmasked" if export.unmasked else "masked",
        "filters": sorted(k for k, v in asked.items() if v) if asked is not None else ["cases"],
        "sha256": export.digest,
    }
    audit.record(audit.EXPORTED, chain=chain_of(actor), actor=actor, at=now, after=after)


def forget_expired(now: dt.datetime, limit: int = 100) -> list[str]:
    """Let go of exports whose week is over; returns the keys of what is to be deleted from the store afterwards."""
    keys = []
    for export in exports.expired(now, limit):
        file = export.file
        export.status, export.file, export.reason = "expired", None, ""
        if file is not None:
            if not exports.is_used(file, export.id):
                keys.append(file.key)
            db.session.flush()
            db.session.delete(file)
    return keys


def delete_files(keys: Sequence[str]) -> None:
    """Delete what :func:`forget_expired` let go of, once that is committed."""
    store = storage.open_store(settings().files_url)
    for key in keys:
        storage.remove(store, key)

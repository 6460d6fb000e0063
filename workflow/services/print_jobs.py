"""Printing passes by the hundred: one file, made by the worker, for whoever asked for it alone and for a week."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from workflow.core.actors import Actor
from workflow.core.errors import N_, Invalid, NotFound, StepClosed
from workflow.core.times import shanghai_day
from workflow.data import audit, outbox, passes, people, print_jobs
from workflow.data.files import StoredFile
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.data.print_jobs import FORMATS, PrintJob
from workflow.documents import storage
from workflow.documents.pass_facts import PassFacts
from workflow.documents.sheets import layouts, render_passes, zip_passes
from workflow.extensions import db, settings
from workflow.services import cases, issuing, notices

KEPT = dt.timedelta(days=7)
MOST = 10_000
"""The most passes in one file."""
MOST_AT_ONCE = 3
READ_AT_ONCE = 100
SECONDS = 1.0
"""How often a job says how far it is, and asks whether it is still wanted."""
MEDIA = {"pdf": "application/pdf", "zip": "application/zip"}
_NOTHING = N_("没有可以打印的通行证。")
_GONE = N_("其中有通行证已撤销、暂停或看不到了，请重新生成。")


@dataclass(frozen=True, slots=True)
class PrintAsking:
    """What somebody wants printed: all standing passes of a case, or some by their ids; how, and into what."""

    case_id: int | None = None
    pass_ids: tuple[int, ...] = ()
    layout: str = "windscreen"
    format: str = "pdf"


class _Stopped(Exception):
    """The job was cancelled while it was being printed."""


def start(actor: Actor, asking: PrintAsking, now: dt.datetime) -> PrintJob:
    """Order a file with the passes that stand; :class:`StepClosed` when none of them does."""
    if asking.layout not in layouts() or asking.format not in FORMATS:
        raise Invalid(N_("请选择列表中的一项。"), field="layout")
    going = select(func.count()).select_from(PrintJob)
    going = going.where(PrintJob.person_id == actor.person_id, PrintJob.status.in_(("waiting", "running")))
    if (db.session.scalar(going) or 0) >= MOST_AT_ONCE:
        raise Invalid(N_("您已有 %(n)s 份打印正在进行，请等它们完成。"), n=MOST_AT_ONCE)
    ids = _standing(actor, asking, now)
    if not ids:
        raise StepClosed(_NOTHING)
    if len(ids) > MOST:
        raise Invalid(N_("一次最多打印 %(n)s 张，请分批选择。"), n=MOST)
    job = PrintJob(
        person_id=actor.person_id,
        account_id=actor.account_id,
        case_id=asking.case_id,
        pass_ids=ids,
        layout=asking.layout,
        format=asking.format,
        total=len(ids),
        created_at=now,
    )
    db.session.add(job)
    db.session.flush()
    outbox.put("print", {"job_id": job.id}, now)
    return job


def _standing(actor: Actor, asking: PrintAsking, now: dt.datetime) -> list[int]:
    """The ids of those passes that the actor sees and that stand, in the order of their numbers."""
    query = passes.visible_to(actor).where(
        VehiclePass.status == "granted", VehiclePass.valid_until_on >= shanghai_day(now)
    )
    if asking.case_id is not None:
        case = cases.get(actor, asking.case_id)
        query = query.where(VehiclePass.case_id == case.id)
    if asking.pass_ids or asking.case_id is None:
        query = query.where(VehiclePass.id.in_(asking.pass_ids[: MOST + 1]))
    query = query.order_by(VehiclePass.number).limit(MOST + 1)
    return list(db.session.scalars(query.with_only_columns(VehiclePass.id)))


def get(actor: Actor, job_id: int) -> PrintJob:
    """The actor's own job; :class:`NotFound` for anybody else's."""
    job = db.session.scalar(print_jobs.of(actor).where(PrintJob.id == job_id))
    if job is None:
        raise NotFound()
    return job


def file_of(actor: Actor, job_id: int, now: dt.datetime) -> StoredFile:
    """The finished file, while its week lasts and every pass in it stands and is seen by the actor.

    A pass that was revoked or suspended meanwhile is not printed again: :class:`StepClosed`.
    """
    job = get(actor, job_id)
    if job.status != "done" or job.file is None or job.expires_at is None or job.expires_at <= now:
        raise NotFound(N_("这份文件还没有完成，或已过期。"))
    good = passes.visible_to(actor).where(VehiclePass.status == "granted")
    count = 0
    for ids in _slices(job.pass_ids, 1000):
        query = good.where(VehiclePass.id.in_(ids)).order_by(None).with_only_columns(func.count(VehiclePass.id))
        count += db.session.scalar(query) or 0
    if count != len(job.pass_ids):
        raise StepClosed(_GONE)
    return job.file


def cancel(actor: Actor, job_id: int, now: dt.datetime) -> PrintJob:
    """Stop a job in the making; what is being printed is thrown away."""
    job = print_jobs.lock(get(actor, job_id).id)
    if job is None or not job.is_going:
        raise StepClosed(N_("这份打印已经不在进行中。"))
    job.status, job.finished_at = "cancelled", now
    return job


def _slices(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _maker(job: PrintJob, now: dt.datetime) -> Actor | None:
    """Whoever ordered it, with the rights held now; None when the account was closed."""
    account = db.session.get(Account, job.account_id)
    return people.actor_of(account, shanghai_day(now)) if account is not None and account.is_active else None


def _facts(actor: Actor, ids: Sequence[int], today: dt.date, kept: list[int]) -> Iterator[PassFacts]:
    """What is printed, read a hundred at a time; ``kept`` grows by the ids of those that still stand and are seen."""
    for part in _slices(ids, READ_AT_ONCE):
        query = passes.visible_to(actor).where(
            VehiclePass.id.in_(part), VehiclePass.status == "granted", VehiclePass.valid_until_on >= today
        )
        found = {p.id: p for p in db.session.scalars(query)}
        ready = [(i, issuing.pass_facts(found[i])) for i in part if i in found]
        for each in found.values():
            db.session.expunge(each)
        for pass_id, facts in ready:
            kept.append(pass_id)
            yield facts


def print_on(
    job_id: int,
    clock: Callable[[], dt.datetime],
    going: Callable[[Callable[[], None]], None],
    seconds: float = SECONDS,
) -> Callable[[dt.datetime], None]:
    """Print a job into the file store without a lock, and return what keeps that in one transaction.

    A process that ends in between begins anew the next time: the same passes give the same bytes. ``going`` does what
    it is given in a transaction of its own, every so many ``seconds``: how far it is, and whether it is still wanted.
    """
    job, now = db.session.get(PrintJob, job_id), clock()
    if job is None or not job.is_going:
        return lambda at: None
    actor = _maker(job, now)
    if actor is None:
        return lambda at: _end(job_id, "failed", N_("您的账号已停用，打印已停止。"), at)
    for left in _folder().glob(f"print-{job_id}-*"):  # of a process that ended in the middle of it
        shutil.rmtree(left, ignore_errors=True)
    layout, kind, ids = layouts()[job.layout], job.format, list(job.pass_ids)
    kept: list[int] = []
    facts = _facts(actor, ids, shanghai_day(now), kept)
    try:
        with tempfile.TemporaryDirectory(prefix=f"print-{job_id}-", dir=_folder()) as folder:
            path = Path(folder) / f"passes.{kind}"
            pieces = render_passes(facts, layout) if kind == "pdf" else zip_passes(facts, layout)
            sha256 = _written(pieces, path, lambda: going(lambda: _say(job_id, len(kept), clock())), seconds)
            size = path.stat().st_size
            key = storage.put_file(storage.open_store(settings().files_url), path, sha256)
    except _Stopped:
        return lambda at: None
    except ValueError:
        if kept:
            raise
        return lambda at: _end(job_id, "failed", _NOTHING, at)  # none of them stands any more
    return lambda at: _keep(job_id, actor, kept, StoredFile(sha256=sha256, size=size, key=key), at)


def _folder() -> Path:
    folder = settings().var_dir / "prints"
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    return folder


def _written(pieces: Iterator[bytes], path: Path, tell: Callable[[], None], seconds: float) -> str:
    """Write the pieces into a file, telling every so many seconds; returns their SHA-256."""
    digest, told = hashlib.sha256(), time.monotonic()
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            if time.monotonic() - told >= seconds:
                tell()
                told = time.monotonic()
    return digest.hexdigest()


def _say(job_id: int, printed: int, now: dt.datetime) -> None:
    """Say how far a job is; stops when it was cancelled."""
    job = print_jobs.lock(job_id)
    if job is None or not job.is_going:
        raise _Stopped
    job.status, job.started_at, job.printed = "running", job.started_at or now, printed


def _end(job_id: int, status: str, why: str, now: dt.datetime) -> None:
    job = print_jobs.lock(job_id)
    if job is not None and job.is_going:
        job.status, job.error, job.finished_at = status, why, now


def _keep(job_id: int, actor: Actor, kept: list[int], file: StoredFile, now: dt.datetime) -> None:
    """Keep the finished file, record it in each town's history, and tell whoever asked."""
    job = print_jobs.lock(job_id)
    if job is None or not job.is_going:
        return
    file.media_type, file.kind, file.created_at = MEDIA[job.format], job.format, now
    job.file, job.pass_ids, job.printed, job.total = file, kept, len(kept), len(kept)
    job.status, job.digest, job.started_at = "done", file.sha256, job.started_at or now
    job.finished_at, job.expires_at = now, now + KEPT
    towns: Counter[int] = Counter()
    for ids in _slices(kept, 1000):
        towns.update(db.session.scalars(select(VehiclePass.town_id).where(VehiclePass.id.in_(ids))).all())
    for town, count in sorted(towns.items()):
        after = {"job": job.id, "passes": count, "layout": job.layout, "sha256": job.digest}
        audit.record(audit.PASSES_PRINTED, chain=f"town:{town}", actor=actor, at=now, after=after)
    about = {"zh": f"共 {len(kept):,} 张", "en": f"{len(kept):,} passes"}
    notices.tell_people([job.person_id], "passes_printed", None, {"about": about, "url": "/passes/prints"}, now)


def forget_leftovers(now: dt.datetime) -> None:
    """Delete what processes that ended in the middle of a job have left, once it is older than finished files get."""
    for left in _folder().iterdir():
        if left.stat().st_mtime < (now - KEPT).timestamp():
            shutil.rmtree(left, ignore_errors=True)


def forget_expired(now: dt.datetime, limit: int = 100) -> list[str]:
    """Let go of files whose week is over; returns the keys of what is to be deleted from the store afterwards."""
    keys = []
    for job in print_jobs.expired(now, limit):
        file = job.file
        job.status, job.file = "expired", None
        if file is not None:
            if not print_jobs.is_used(file, job.id):
                keys.append(file.key)
            db.session.flush()
            db.session.delete(file)
    return keys

"""Bulk jobs: previewed case by case, then taken row by row through the one write path, left and found again.

Each row is a commit of its own when the worker takes it; small jobs are taken at once by the same code, each row in its
own savepoint. What is refused changes nothing and does not stop the others.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from workflow.core.actors import Actor
from workflow.core.errors import N_, DomainError, Invalid, NotFound, Reason, Stale, StepClosed
from workflow.core.texts import clean_text
from workflow.core.times import shanghai_day
from workflow.data import bulk, cases, outbox, people, queue
from workflow.data.bulk import BulkJob, BulkRow, JobStatus
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import bulk_acts, notices, pass_acts, refusals
from workflow.services.bulk_acts import Act, act_of
from workflow.services.cases import clean_words

log = structlog.get_logger()
MAX_CASES = 1000
AT_ONCE = 20
"""Jobs of up to so many cases of one town are done before the answer is sent."""
STALLED = dt.timedelta(minutes=5)
ANY_ACT: Mapping[str, Act] = {**bulk_acts.ACTS, **pass_acts.ACTS}
"""Every act by its key, with cases or with passes."""
_MOVED = N_("您的任职已变更，任务已停止，其余案件没有办理。")
_BROKEN = N_("系统出错，此件没有办理，请到案件页单独办理。")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One case before the act: ``reasons`` is empty when it may be done with it now."""

    case: Case
    reasons: tuple[Reason, ...]

    @property
    def is_open(self) -> bool:
        """Whether it may be done now."""
        return not self.reasons

    @property
    def is_elsewhere(self) -> bool:
        """Whether nothing else closes it than that its state has no such step for the actor."""
        return self.reasons == (bulk_acts.NO_STEP,)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A case as it was previewed; ``words`` are the opinion on it, ``checked`` that equal words were meant for it."""

    case_id: int
    version: int
    words: str = ""
    checked: bool = False


def _few(case_ids: Sequence[int], most: int) -> list[int]:
    wanted = list(dict.fromkeys(case_ids))
    if not wanted:
        raise Invalid(N_("请先勾选案件。"), field="case")
    if len(wanted) > most:
        raise Invalid(N_("一次最多办理 %(n)s 件，请缩小范围。"), field="case", n=most)
    return wanted


def seen(actor: Actor, case_ids: Sequence[int], most: int = MAX_CASES) -> list[Case]:
    """Those of the cases that the actor sees, in the order given; unseen ones are left out."""
    wanted = _few(case_ids, most)
    found = queue.some(actor, wanted)
    return [found[i] for i in wanted if i in found]


def preview(
    actor: Actor, found: Sequence[Case], action: str, params: Mapping[str, Any], now: dt.datetime
) -> list[Candidate]:
    """What the act would do with each of the cases."""
    act = act_of(actor, action)
    return [Candidate(case, act.reasons(actor, case, params, now)) for case in found]


def _check_words(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Opinions as kept: cases without one are left out; equal ones need a tick at each case."""
    kept = [Wanted(w.case_id, w.version, clean_words(w.words), w.checked) for w in wanted]
    kept = [w for w in kept if w.words]
    if not kept:
        raise Invalid(N_("请至少给一件填写意见；没有意见的不会办理。"), field="words")
    times = Counter(clean_text(w.words) for w in kept)
    if any(times[clean_text(w.words)] > 1 and not w.checked for w in kept):
        raise Invalid(N_("有几件的意见相同，请在这些案件上逐件勾选“逐件核对过”。"), field="checked")
    return kept


def rights_of(actor: Actor) -> list[list[Any]]:
    """The actor's appointments as a job keeps them."""
    return sorted([a.role.value, a.area_id, a.bureau or ""] for a in actor.appointments)


def start(actor: Actor, action: str, params: Mapping[str, Any], wanted: Sequence[Wanted], now: dt.datetime) -> BulkJob:
    """Make a job of the cases as they were previewed; a small one is done right away, the worker does any other."""
    act = act_of(actor, action)
    if action == "decide":
        wanted = _check_words(wanted)
    by_id = {w.case_id: w for w in wanted}
    found = seen(actor, list(by_id), act.most)
    if not found:
        raise NotFound(N_("没有找到此案件，或您无权查看。"))
    small = len(found) <= AT_ONCE and len({case.town_id for case in found}) == 1
    if small:  # before the rows, which hold their cases too: no two of these wait for each other
        cases.lock_all(actor, [case.id for case in found])
    job = _new_job(actor, action, params, len(found), now)
    places = {case.id: place for place, case in enumerate(found)}
    for case_id in sorted(places):
        want = by_id[case_id]
        row = BulkRow(job_id=job.id, place=places[case_id], case_id=case_id, version=want.version, words=want.words)
        db.session.add(row)
    return _set_going(job, actor, small, now)


def start_passes(actor: Actor, action: str, pass_ids: Sequence[int], words: str, now: dt.datetime) -> BulkJob:
    """Make a job of these passes; a small one is done right away, the worker does any other.

    Raises :class:`Invalid` without passes or, where the act needs them, without words.
    """
    kept = pass_acts.check_words(actor, action, words)
    found = pass_acts.seen(actor, pass_ids)
    if not found:
        raise NotFound()
    small = len(found) <= AT_ONCE and len({p.town_id for p in found}) == 1
    if small:
        cases.lock_all(actor, [p.case_id for p in found])
    job = _new_job(actor, action, {}, len(found), now)
    for place, one in sorted(enumerate(found), key=lambda pair: (pair[1].case_id, pair[1].id)):
        row = BulkRow(job_id=job.id, place=place, case_id=one.case_id, pass_id=one.id, version=0, words=kept)
        db.session.add(row)
    return _set_going(job, actor, small, now)


def _new_job(actor: Actor, action: str, params: Mapping[str, Any], total: int, now: dt.datetime) -> BulkJob:
    job = BulkJob(
        action=action,
        params=dict(params),
        person_id=actor.person_id,
        account_id=actor.account_id,
        rights=rights_of(actor),
        total=total,
        done=0,
        refused=0,
        status=JobStatus.WAITING.value,
        run=1,
        created_at=now,
        moved_at=now,
    )
    db.session.add(job)
    db.session.flush()
    return job


def _set_going(job: BulkJob, actor: Actor, small: bool, now: dt.datetime) -> BulkJob:
    db.session.flush()
    if small:
        while advance(job.id, job.run, actor, now):
            pass
    else:
        outbox.put("bulk", {"job_id": job.id, "run": job.run}, now)
    return job


def actor_of_job(job_id: int, now: dt.datetime) -> Actor | None:
    """Whoever started the job, with the rights held now; None when the account is switched off."""
    job = db.session.get(BulkJob, job_id)
    account = db.session.get(Account, job.account_id) if job else None
    if account is None or not account.is_active:
        return None
    return people.actor_of(account, shanghai_day(now))


def is_going(job_id: int, run: int) -> bool:
    """Whether the job still goes on in this run."""
    job = db.session.get(BulkJob, job_id, populate_existing=True)
    return job is not None and job.run == run and job.is_going


def tell_of_end(job_id: int, run: int, now: dt.datetime) -> None:
    """Tell whoever started the job that the worker has ended this run of it; not who cancelled or paused it oneself."""
    job = db.session.get(BulkJob, job_id, populate_existing=True)
    if job is None or job.run != run or not (job.status == JobStatus.DONE.value or job.why):
        return
    zh, en = f"任务 {job.id}，办成 {job.done} 件", f"job {job.id}, {job.done} done"
    if job.refused:
        zh, en = f"{zh}，未成 {job.refused} 件", f"{en}, {job.refused} refused"
    if job.left:
        zh, en = f"{zh}，其余 {job.left} 件没有办", f"{en}, {job.left} left undone"
    about, url = {"zh": zh, "en": en}, f"/bulk/{job.id}"
    notices.tell_people([job.person_id], "bulk_done", None, {"about": about, "url": url}, now)


def _still_may(actor: Actor | None, job: BulkJob) -> bool:
    """Whether every appointment that the job was started with is still held."""
    return actor is not None and all(right in rights_of(actor) for right in job.rights)


def _end(job: BulkJob, status: JobStatus, now: dt.datetime, why: str = "") -> None:
    job.status, job.finished_at, job.why = status.value, now, why


def advance(job_id: int, run: int, actor: Actor | None, now: dt.datetime) -> int:
    """Take the next row (or rows, where the act takes several at once) in the present transaction.

    Returns how many; 0 when nothing is left to do in this run: done, paused, cancelled, or the rights are gone.
    """
    job = bulk.lock(job_id)
    if job is None or job.run != run or not job.is_going:
        return 0
    if actor is None or not _still_may(actor, job):
        _end(job, JobStatus.CANCELLED, now, _MOVED)
        return 0
    act = ANY_ACT[job.action]
    rows = bulk.next_rows(job.id, act.at_once)
    job.status, job.started_at, job.moved_at = JobStatus.RUNNING.value, job.started_at or now, now
    if act.take_all is not None:
        _take_several(job, act, rows, actor, now)
    else:
        for row in rows:
            _settle(job, row, _take(act, actor, row, job.params, now), now)
    if job.left == 0:
        _end(job, JobStatus.DONE, now)
        return 0
    return len(rows)


def _take_several(job: BulkJob, act: Act, rows: Sequence[BulkRow], actor: Actor, now: dt.datetime) -> None:
    assert act.take_all is not None
    outcomes = act.take_all(actor, rows, job.params, now)
    for row in rows:
        _settle(job, row, outcomes.get(row.subject_id, NotFound()), now)


def _settle(job: BulkJob, row: BulkRow, refusal: DomainError | None, now: dt.datetime) -> None:
    row.at = now
    if refusal is None:
        row.status, job.done = "done", job.done + 1
        return
    row.status, job.refused = "refused", job.refused + 1
    moved = isinstance(refusal, Stale | StepClosed) and row.pass_id is None
    case = db.session.get(Case, row.case_id, populate_existing=True) if moved else None
    changed = case is not None and case.version != row.version
    row.refusal = refusals.keep(refusal, case if changed else None)


def _take(act: Act, actor: Actor, row: BulkRow, params: Mapping[str, Any], now: dt.datetime) -> DomainError | None:
    assert act.take is not None
    try:
        with db.session.begin_nested():
            act.take(actor, row, params, now)
    except DomainError as error:
        return error
    except StaleDataError:
        return Stale()
    except DBAPIError:
        raise  # the database is busy or gone: this row is tried again later
    except Exception as error:  # one broken case must not hold up the others; it is told, and left as it was
        log.warning("bulk_row_failed", row=row.id, error=type(error).__name__)
        return DomainError(_BROKEN)
    return None


def get(actor: Actor, job_id: int) -> BulkJob:
    """The actor's own job; :class:`NotFound` for anybody else's."""
    job = db.session.scalar(bulk.of(actor).where(BulkJob.id == job_id))
    if job is None:
        raise NotFound()
    return job


def _own_locked(actor: Actor, job_id: int) -> BulkJob:
    job = bulk.lock(get(actor, job_id).id)
    if job is None:
        raise NotFound()
    return job


def is_stalled(job: BulkJob, now: dt.datetime) -> bool:
    """Whether a going job has not got on for long: what was to take it on was given up."""
    return job.is_going and now - job.moved_at > STALLED


def pause(actor: Actor, job_id: int, now: dt.datetime) -> BulkJob:
    """Hold the job after the row in hand."""
    job = _own_locked(actor, job_id)
    if not job.is_going:
        raise StepClosed(N_("这项任务已经不在进行中。"))
    job.status = JobStatus.PAUSED.value
    return job


def resume(actor: Actor, job_id: int, now: dt.datetime) -> BulkJob:
    """Go on with a paused job, or with one that got stuck."""
    job = _own_locked(actor, job_id)
    if job.status != JobStatus.PAUSED.value and not is_stalled(job, now):
        raise StepClosed(N_("这项任务不在暂停中。"))
    job.run, job.status, job.moved_at = job.run + 1, JobStatus.WAITING.value, now
    outbox.put("bulk", {"job_id": job.id, "run": job.run}, now)
    return job


def cancel(actor: Actor, job_id: int, now: dt.datetime) -> BulkJob:
    """End the job; what was done stays done, the rest is left alone."""
    job = _own_locked(actor, job_id)
    if job.status in (JobStatus.DONE.value, JobStatus.CANCELLED.value):
        raise StepClosed(N_("这项任务已经结束。"))
    _end(job, JobStatus.CANCELLED, now)
    return job

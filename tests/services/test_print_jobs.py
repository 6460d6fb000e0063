"""Jobs that print passes: progress, cancelling, a killed worker, whose file it is, and what is not printed again."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import World
from tests.conftest import building
from tests.services.exported import Killed, clock
from workflow.core.actors import Role
from workflow.core.errors import Invalid, NotFound, StepClosed
from workflow.data import audit, outbox
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.files import StoredFile
from workflow.data.notices import Notice
from workflow.data.outbox import OutboxItem
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.data.print_jobs import PassLookKept, PrintJob
from workflow.documents import pass_looks, storage
from workflow.documents.sheets import layouts, render_passes
from workflow.extensions import db, settings
from workflow.jobs import chunks, drain
from workflow.services import issuing, print_jobs
from workflow.services import passes as pass_service
from workflow.services.print_jobs import PrintAsking


@pytest.fixture
def fleet(world: World) -> tuple[Account, Case, list[VehiclePass]]:
    """A company's case with five passes that stand."""
    clerk = world.company()
    case = world.approved(clerk)
    actor = world.actor(clerk)
    requests = [world.pass_request(f"浙B1234{n}") for n in range(5)]
    asked = [pass_service.request_pass(actor, case.id, r, world.now) for r in requests]
    reviewer = world.actor(world.officer(Role.REVIEWER))
    for one in asked:
        if one.status == "requested":
            pass_service.grant(reviewer, one.id, world.now)
    db.session.commit()
    return clerk, case, asked


def order(world: World, who: Account, asking: PrintAsking) -> PrintJob:
    """Order, and let the worker do it."""
    job = print_jobs.start(world.actor(who), asking, world.now)
    db.session.commit()
    drain.drain(clock(world))
    db.session.expire_all()
    return job


def content(file: StoredFile) -> bytes:
    return storage.read_bytes(storage.open_store(settings().files_url), file.key)


@pytest.mark.parametrize(("layout", "pages"), [("windscreen", 5), ("half", 3), ("card", 1)])
def test_all_of_a_case_in_one_pdf(
    world: World, fleet: tuple[Account, Case, list[VehiclePass]], layout: str, pages: int
) -> None:
    clerk, case, asked = fleet
    job = order(world, clerk, PrintAsking(case.id, layout=layout))
    assert (job.status, job.printed, job.total) == ("done", 5, 5)
    data = content(print_jobs.file_of(world.actor(clerk), job.id, world.now))
    assert len(pypdfium2.PdfDocument(data)) == pages
    facts = [issuing.pass_facts(p) for p in sorted(asked, key=lambda p: p.number or "")]
    assert data == b"".join(render_passes(facts, layouts()[layout])), "the same bytes as without a job"
    (entry,) = db.session.scalars(select(AuditEntry).where(AuditEntry.event == "passes_printed"))
    assert entry.after == {"job": job.id, "passes": 5, "layout": layout, "sha256": job.digest}
    assert entry.person_id == clerk.person_id
    assert list(audit.verify()) == []


def test_an_officers_selection_as_a_zip_and_a_notice(
    world: World, fleet: tuple[Account, Case, list[VehiclePass]]
) -> None:
    _, _, asked = fleet
    officer = world.officer(Role.REVIEWER)
    job = order(world, officer, PrintAsking(pass_ids=(asked[3].id, asked[1].id, 999_999), format="zip"))
    names = zipfile.ZipFile(io.BytesIO(content(print_jobs.file_of(world.actor(officer), job.id, world.now)))).namelist()
    assert names == sorted(f"{p.number}.pdf" for p in (asked[1], asked[3]))
    drain.drain(clock(world))
    assert "passes_printed" in {n.event for n in db.session.scalars(select(Notice))}


def test_nobody_else_fetches_it_and_it_expires(world: World, fleet: tuple[Account, Case, list[VehiclePass]]) -> None:
    clerk, case, _ = fleet
    job = order(world, clerk, PrintAsking(case.id))
    for other in (world.officer(Role.REVIEWER), world.company()):
        with pytest.raises(NotFound):
            print_jobs.file_of(world.actor(other), job.id, world.now)
    with pytest.raises(NotFound):
        print_jobs.start(world.actor(world.company()), PrintAsking(case.id), world.now)
    with pytest.raises(StepClosed):
        print_jobs.start(world.actor(world.company()), PrintAsking(pass_ids=tuple(job.pass_ids)), world.now)
    assert job.file is not None
    key = job.file.key
    world.now += dt.timedelta(days=7)
    with pytest.raises(NotFound):
        print_jobs.file_of(world.actor(clerk), job.id, world.now)
    assert chunks.forget_expired_files(clock(world)) == 1
    db.session.expire_all()
    assert (job.status, job.file) == ("expired", None)
    with pytest.raises(NotFound):
        storage.read_bytes(storage.open_store(settings().files_url), key)


@pytest.mark.parametrize("act", [pass_service.revoke, pass_service.suspend])
def test_a_file_with_a_pass_that_is_dead_meanwhile_is_not_given_out(
    world: World,
    fleet: tuple[Account, Case, list[VehiclePass]],
    act: Callable[..., VehiclePass],
) -> None:
    clerk, case, asked = fleet
    job = order(world, clerk, PrintAsking(case.id))
    act(world.actor(world.officer(Role.LEADER)), asked[0].id, "车辆已出售", world.now)
    db.session.commit()
    with pytest.raises(StepClosed, match="重新生成"):
        print_jobs.file_of(world.actor(clerk), job.id, world.now)
    again = order(world, clerk, PrintAsking(case.id))
    assert (again.status, again.total) == ("done", 4)
    assert asked[0].id not in again.pass_ids


def test_passes_that_die_while_the_job_waits_are_left_out(
    world: World, fleet: tuple[Account, Case, list[VehiclePass]]
) -> None:
    clerk, case, asked = fleet
    job = print_jobs.start(world.actor(clerk), PrintAsking(case.id), world.now)
    only = print_jobs.start(world.actor(clerk), PrintAsking(pass_ids=(asked[0].id,)), world.now)
    pass_service.revoke(world.actor(world.officer(Role.LEADER)), asked[0].id, "车辆已出售", world.now)
    db.session.commit()
    drain.drain(clock(world))
    db.session.expire_all()
    assert (job.status, job.total) == ("done", 4)
    assert (only.status, only.file) == ("failed", None)
    assert only.error


def test_odd_orders_are_refused(world: World, fleet: tuple[Account, Case, list[VehiclePass]]) -> None:
    clerk, case, _ = fleet
    actor = world.actor(clerk)
    for odd in (PrintAsking(case.id, layout="poster"), PrintAsking(case.id, format="exe")):
        with pytest.raises(Invalid):
            print_jobs.start(actor, odd, world.now)
    with pytest.raises(StepClosed):
        print_jobs.start(actor, PrintAsking(), world.now)
    for _ in range(print_jobs.MOST_AT_ONCE):
        print_jobs.start(actor, PrintAsking(case.id), world.now)
    with pytest.raises(Invalid):
        print_jobs.start(actor, PrintAsking(case.id), world.now)


def test_it_says_how_far_it_is_and_stops_when_cancelled(
    world: World, fleet: tuple[Account, Case, list[VehiclePass]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, case, _ = fleet
    job = print_jobs.start(world.actor(clerk), PrintAsking(case.id), world.now)
    db.session.commit()
    job_id, actor, seen = job.id, world.actor(clerk), list[tuple[str, int]]()
    say = print_jobs._say

    def watched(*args: object) -> None:
        say(*args)  # type: ignore[arg-type]
        found = db.session.get_one(PrintJob, job_id)
        seen.append((found.status, found.printed))
        if found.printed == 3:
            print_jobs.cancel(actor, job_id, world.now)

    monkeypatch.setattr(print_jobs, "_say", watched)
    monkeypatch.setattr(print_jobs.print_on, "__defaults__", (0.0,))
    drain.drain(clock(world))
    db.session.expire_all()
    assert ("running", 2) in seen
    assert max(n for _, n in seen) == 3
    found = db.session.get_one(PrintJob, job_id)
    assert (found.status, found.file) == ("cancelled", None)
    assert list((settings().var_dir / "prints").iterdir()) == []


def test_a_worker_that_is_killed_leaves_nothing_and_the_next_one_prints_the_same(
    app: Flask, world: World, fleet: tuple[Account, Case, list[VehiclePass]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, case, _ = fleet
    job = print_jobs.start(world.actor(clerk), PrintAsking(case.id), world.now)
    db.session.commit()
    job_id, written = job.id, print_jobs._written

    def killed(*_: object) -> str:
        raise Killed

    monkeypatch.setattr(print_jobs, "_written", killed)
    with pytest.raises(Killed):
        drain.drain(clock(world))
    db.session.rollback()
    monkeypatch.setattr(print_jobs, "_written", written)
    (settings().var_dir / "prints" / f"print-{job_id}-left").mkdir(parents=True)
    assert drain.drain(clock(world)) == 0, "the lease of the dead one lasts"
    world.now += outbox.LEASE
    drain.drain(clock(world))
    db.session.expire_all()
    found = db.session.get_one(PrintJob, job_id)
    assert (found.status, found.total) == ("done", 5)
    assert list((settings().var_dir / "prints").iterdir()) == []
    assert db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "print")).one().done_at is not None
    assert len(db.session.scalars(select(AuditEntry).where(AuditEntry.event == "passes_printed")).all()) == 1


def test_what_a_pass_said_when_it_was_granted_it_says_for_good(
    app: Flask, world: World, fleet: tuple[Account, Case, list[VehiclePass]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company has another name, the area another template: neither changes a pass that was granted."""
    _, case, asked = fleet
    before = issuing.render_pass_pdf(asked[0])
    assert asked[0].printed is not None
    case.enterprise_name = "宁波海曙改名有限公司"
    db.session.flush()
    other = pass_looks.look_from({"words": "另一句话", "accent": "#112233"})
    monkeypatch.setattr(issuing, "look_of", lambda code: other)
    assert issuing.render_pass_pdf(asked[0]) == before
    monkeypatch.setattr(issuing, "look_known", lambda digest: None)
    assert issuing.render_pass_pdf(asked[0]) == before, "a process that has never met the look reads it"
    asked[0].printed = asked[0].look = None
    assert issuing.render_pass_pdf(asked[0]) != before, "granted before facts were kept"


def test_one_look_is_kept_for_many_passes(app: Flask) -> None:
    with building(app) as world:
        clerk = world.company()
        case = world.approved(clerk)
        actor, reviewer = world.actor(clerk), world.actor(world.officer(Role.REVIEWER))
        asked = [
            pass_service.request_pass(actor, case.id, world.pass_request(f"浙B5432{n}"), world.now) for n in range(3)
        ]
        pass_service.decide_many(reviewer, [p.id for p in asked], "grant", "", world.now)
        db.session.commit()
        looks = db.session.scalars(select(PassLookKept)).all()
        assert [look.digest for look in looks] == [asked[0].look]
        assert {p.look for p in asked} == {asked[0].look}

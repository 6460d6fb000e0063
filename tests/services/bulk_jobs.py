"""Bulk jobs as their tests make them: cases in numbers, a worker that can be killed, and how rows came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import insert, select

from tests.builders import World
from workflow.core.actors import Role
from workflow.data.bulk import BulkJob, BulkRow
from workflow.data.cases import Case
from workflow.extensions import db
from workflow.services import bulk
from workflow.services.bulk import Wanted

ACCEPT = {"step": "accept"}


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def clock(world: World) -> Callable[[], dt.datetime]:
    """The world's clock."""
    return lambda: world.now


def wanted(*cases: Case) -> list[Wanted]:
    """The cases as previewed now."""
    return [Wanted(c.id, c.version) for c in cases]


def copies(case: Case, number: int) -> list[Wanted]:
    """``number`` more rows like a case."""
    table = Case.__table__
    row = dict(db.session.execute(select(table).where(table.c.id == case.id)).mappings().one())
    del row["id"]
    db.session.execute(insert(table), [{**row, "reference": f"{row['reference']}-{n:04d}"} for n in range(number)])
    db.session.commit()
    found = db.session.execute(select(Case.id, Case.version).order_by(Case.id)).all()
    return [Wanted(row.id, row.version) for row in found]


def outcomes(job_id: int) -> list[str]:
    """What became of the rows, in their order."""
    db.session.rollback()
    return list(db.session.scalars(select(BulkRow.status).where(BulkRow.job_id == job_id).order_by(BulkRow.place)))


def stored(job_id: int) -> BulkJob:
    """The job as the database has it."""
    db.session.rollback()
    return db.session.get_one(BulkJob, job_id, populate_existing=True)


def big_job(world: World, number: int = 40) -> int:
    """A waiting job over ``number`` + 1 cases."""
    actor = world.actor(world.officer(Role.REVIEWER))
    job = bulk.start(actor, "accept", ACCEPT, copies(world.submitted(), number), world.now)
    db.session.commit()
    assert job.status == "waiting"
    return job.id

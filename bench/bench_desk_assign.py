"""Assigning 200 cases in one act, on both databases, against 200 bare updates with a history insert each."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from flask import Flask
from sqlalchemy import insert, select, update

from bench import scene
from bench.harness import Measurement, bench
from tests import postgres
from workflow.cli.demo import bulk
from workflow.core.actors import SYSTEM, Role
from workflow.data import areas
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.organisation import TeamKind
from workflow.extensions import db, write_intent
from workflow.services import accounts, assignment, organisation
from workflow.services.organisation import TeamValues

NUMBER, CASES, OFFICERS, ROUNDS = 200, 5000, 12, 3


def _staff() -> None:
    """A dozen reviewers of the city in two teams, so that the rules have somebody to choose among."""
    now = scene.now()
    people = []
    for number in range(OFFICERS):
        account = accounts.create_staff(
            SYSTEM, login=f"officer-{number}", name=f"测速{number}", password=scene.PASSWORD, mobile="", now=now
        )
        for role in (Role.REVIEWER, Role.INSPECTOR, Role.LEADER):
            accounts.appoint(
                SYSTEM, person_id=account.person_id, role=role.value, area_code="3302", bureau=None, now=now
            )
        people.append(account.person_id)
    area = areas.by_code(scene.TOWN)
    if area is None:
        raise LookupError("the bench's town is missing")
    for part in range(2):
        values = TeamValues(f"测速专班{part}", TeamKind.TEAM, area.id, area_ids=[area.id])
        team = organisation.create_team(SYSTEM, values, now)
        for person_id in people[part::2]:
            organisation.add_member(SYSTEM, team.id, person_id, "member", now)


def _waiting() -> list[int]:
    roles = [r.value for r in (Role.REVIEWER, Role.INSPECTOR, Role.LEADER)]
    query = select(Case.id).where(Case.is_open, Case.holder.in_(roles), Case.assignee_id.is_(None))
    return list(db.session.scalars(query.order_by(Case.id).limit(NUMBER)))


def _ours() -> float:
    case_ids = _waiting()
    db.session.rollback()
    started = time.perf_counter()
    results = assignment.assign_many(SYSTEM, case_ids, scene.now())
    db.session.commit()
    took = time.perf_counter() - started
    if len(results) != NUMBER or any(r.refusal for r in results):
        raise RuntimeError("not all of the cases could be assigned")
    return took


def _bare() -> float:
    case_ids = _waiting()
    db.session.rollback()
    started = time.perf_counter()
    for number, case_id in enumerate(case_ids):
        db.session.execute(update(Case).where(Case.id == case_id).values(assignee_id=1), {"synchronize_session": False})
        row = {"chain": "bare", "number": number, "event": "assigned", "at": scene.now(), "person_id": 0, "role": ""}
        row |= {"case_id": case_id, "before": {}, "after": {"assignee": 1}, "previous": "", "hash": ""}
        db.session.execute(insert(AuditEntry), [row])
    db.session.flush()
    took = time.perf_counter() - started
    db.session.rollback()
    return took


def _measure(app: Flask) -> Measurement:
    with app.app_context():
        token = write_intent.set(True)
        try:
            bulk.load(CASES, scene.now(), lambda done: None)
            _staff()
            db.session.commit()
            rounds = [(_ours(), _bare()) for _ in range(ROUNDS)]
        finally:
            db.session.remove()
            write_intent.reset(token)
            db.engine.dispose()
    return Measurement(min(mine for mine, _base in rounds), min(base for _mine, base in rounds))


@bench("desk.assign200", "s", "200 bare updates with a history insert each, SQLite")
def on_sqlite() -> Measurement:
    """One act over 200 cases on SQLite: candidates, rules, history chain, counters, notices, commit."""
    with tempfile.TemporaryDirectory(prefix="fugong-bench-") as name:
        return _measure(scene.make_app(Path(name)))


@bench("desk.assign200.postgresql", "s", "200 bare updates with a history insert each, PostgreSQL")
def on_postgresql() -> Measurement:
    """The same on PostgreSQL."""
    server = postgres.start_cluster()
    try:
        with tempfile.TemporaryDirectory(prefix="fugong-bench-") as name:
            return _measure(scene.make_app(Path(name), server.create_database("bench")))
    finally:
        server.stop()

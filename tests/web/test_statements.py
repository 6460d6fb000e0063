"""No page of the main line runs more than 15 SQL statements, whatever the number of rows on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.builders import World
from tests.conftest import building, sign_in
from workflow.core.actors import Role
from workflow.data import applications, inspections
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import notes, phrases, threads
from workflow.services import passes as pass_service

MOST = 15


@contextmanager
def counting() -> Iterator[list[str]]:
    """Collect the statements that run, without BEGIN, COMMIT and the like."""
    found: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.split(None, 1)[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _passes(world: World, case_id: int, clerk: Account, reviewer: Account) -> None:
    """A dozen passes, asked for and granted."""
    for n in range(12):
        request = world.pass_request(f"浙B1234{n % 10}" if n < 10 else f"浙B5432{n - 10}")
        asked = pass_service.request_pass(world.actor(clerk), case_id, request, world.now)
        pass_service.grant(world.actor(reviewer), asked.id, world.now)


def _talk(world: World, case_id: int, clerk: Account, reviewer: Account) -> None:
    """Notes, a thread and standard phrases."""
    company, officer = world.actor(clerk), world.actor(reviewer)
    for n in range(12):
        notes.add(officer, case_id, f"电话核实第 {n} 次", (), world.now)
        threads.write(company if n % 2 else officer, case_id, f"留言 {n}", world.now)
        phrases.add(officer, "step.approve", f"常用意见 {n}", None, world.now)


@pytest.fixture
def pages(app: Flask) -> dict[str, list[str]]:
    """The main line's pages by the login that reads them, on a case with a long history."""
    with building(app) as world:
        clerk = world.company()
        case = world.submitted(clerk, size="above")
        reviewer = world.officer(Role.REVIEWER)
        world.step(reviewer, case, "accept")
        for _ in range(3):
            world.judge_all(case, commitment="请补签")
            world.step(reviewer, case, "return_for_correction")
            application = applications.of_case(case.id)
            from workflow.services import materials as material_service

            material_service.add_file(world.actor(clerk), application.id, "commitment", world.file(), world.now)
            db.session.commit()
            world.step(clerk, case, "resubmit")
        world.judge_all(case)
        world.step(reviewer, case, "pass_materials")
        planned = world.schedule(case)
        visit = inspections.of_case(planned.id)[0]
        world.conclude(case)
        world.step(world.officer(Role.LEADER), case, "endorse")
        world.step(world.officer(Role.BUREAU_REVIEWER, "330203", "jingxin"), case, "agree")
        group = world.officer(Role.LEADING_GROUP, "330203")
        world.step(group, case, "approve")
        _passes(world, case.id, clerk, reviewer)
        _talk(world, case.id, clerk, reviewer)
        world.submitted(clerk)
        draft = world.draft(clerk)
        db.session.commit()
        first, _second = world.inspectors()
        draft_page, case_page = f"/applications/{draft.id}", f"/cases/{case.id}"
        topics = [f"{draft_page}/{t}" for t in ("enterprise", "place", "people", "staffing", "conditions")]
        return {
            clerk.login: [
                "/company", draft_page, *topics, f"{draft_page}/materials", f"{draft_page}/check", case_page,
                f"{case_page}/passes", f"{case_page}/thread", "/messages", f"/applications/{application.id}/submitted",
            ],
            reviewer.login: ["/desk", "/desk?tab=open", "/desk?tab=done", case_page, f"{case_page}/materials",
                             f"{case_page}/materials/summary", f"{case_page}/thread", f"{case_page}/colleagues",
                             "/phrases", f"{case_page}/next?from=tab%3Dopen"],
            first.login: ["/inspections", f"/inspections/{visit.id}", case_page],
            group.login: ["/desk", case_page],
        }  # fmt: skip


def test_no_page_runs_more_than_fifteen_statements(
    app: Flask, client: FlaskClient, pages: dict[str, list[str]]
) -> None:
    for login, paths in pages.items():
        browser = sign_in(app.test_client(), login)
        for path in paths:
            assert browser.get(path).status_code in (200, 302), path
            with counting() as found:
                browser.get(path)
            assert 0 < len(found) <= MOST, f"{path}: {len(found)} statements\n" + "\n".join(found)

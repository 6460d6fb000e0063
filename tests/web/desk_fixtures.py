"""A site for tests of the staff's pages: rows are built in contexts of their own, requests are made outside of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, select
from werkzeug.test import TestResponse

from tests.builders import World
from tests.conftest import sign_in
from workflow.core.actors import Role
from workflow.data import names
from workflow.data.cases import Case
from workflow.data.people import Account
from workflow.extensions import db, write_intent


@dataclass(slots=True)
class Site:
    """One application with its people; :meth:`building` gives the builders, :meth:`browser` a signed-in client."""

    app: Flask
    count: int = 0
    keys: int = 0
    logins: dict[str, str] = field(default_factory=dict)
    staff: dict[tuple[str, str], int] = field(default_factory=dict)
    reached: dt.datetime | None = None

    @contextmanager
    def building(self, days_ago: int = 0) -> Iterator[World]:
        """Builders in a context that ends before any request is made; long stories begin some days ago.

        Another story goes on where the last one ended: who was appointed in it, maybe after midnight, holds the post.
        """
        with self.app.app_context():
            token = write_intent.set(True)
            begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago, hours=2)
            if self.reached is not None and not days_ago:
                begin = max(begin, self.reached)
            world = World(self.app, now=begin, count=self.count)
            world.staff = {key: db.session.get_one(Account, account_id) for key, account_id in self.staff.items()}
            try:
                yield world
                db.session.commit()
                self.count, self.staff = world.count, {key: account.id for key, account in world.staff.items()}
                self.reached = max(world.now, self.reached or world.now)
            finally:
                db.session.remove()
                write_intent.reset(token)

    def login(self, role: Role, area: str = "330203002", bureau: str | None = None) -> str:
        """The login of an officer with this role in this area."""
        with self.building() as world:
            return world.officer(role, area, bureau).login

    def browser(self, login: str) -> FlaskClient:
        """A client without JavaScript, signed in."""
        return sign_in(self.app.test_client(), login)

    def officer(self, role: Role, area: str = "330203002", bureau: str | None = None) -> FlaskClient:
        """A client signed in as an officer with this role in this area."""
        return self.browser(self.login(role, area, bureau))

    def post(self, client: FlaskClient, url: str, **fields: object) -> TestResponse:
        """Post a form as a page would, with a fresh idempotency key."""
        self.keys += 1
        return client.post(url, data={"idempotency_key": f"desk-test-{self.keys:06d}", **fields})

    def case(self, make: str = "submitted", **answers: str) -> int:
        """A new case in some stage of the builders; its id."""
        with self.building(days_ago=3 if make == "approved" else 0) as world:
            case: Case = getattr(world, make)(**answers)
            return case.id

    def read(self, case_id: int) -> tuple[int, str]:
        """A case's version and state."""
        with self.app.app_context():
            case = db.session.get_one(Case, case_id)
            return case.version, case.state

    def copies(self, case_id: int, number: int) -> None:
        """Add ``number`` rows like a case, all with its deadline."""
        with self.building():
            table = Case.__table__
            row = dict(db.session.execute(select(table).where(table.c.id == case_id)).mappings().one())
            del row["id"]
            reference = row["reference"]
            rows = [{**row, "reference": f"{reference}-{n:04d}"} for n in range(number)]
            db.session.execute(insert(table), rows)
            made = db.session.scalars(select(Case.id).where(Case.reference.like(f"{reference}-%")))
            grams = [(n, row["town_id"], row["enterprise_name"]) for n in made if not _has_grams(n)]
            names.keep(db.session(), grams)


def _has_grams(case_id: int) -> bool:
    return db.session.scalar(select(names.NameGram.gram).where(names.NameGram.case_id == case_id).limit(1)) is not None


@pytest.fixture
def site(app: Flask) -> Site:
    """The application of this test, with forms that carry no CSRF token."""
    app.config["WTF_CSRF_ENABLED"] = False
    return Site(app)


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(*event_arguments: object) -> None:
        seen.append(str(event_arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def page(answer: TestResponse) -> str:
    """The text of a page that was made."""
    body = answer.get_data(as_text=True)
    assert answer.status_code == 200, (answer.status_code, re.sub(r"<[^>]+>|\s+", " ", body)[-900:])
    return body


def material_id(site: Site, case_id: int, slot: str) -> int:
    """The id of a case's material."""
    from workflow.data import applications, materials

    with site.app.app_context():
        rows = materials.of_application(applications.of_case(case_id).id)
        return next(m.id for m in rows if m.slot == slot)

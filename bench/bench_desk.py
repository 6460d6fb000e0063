"""The desk at very many cases: whole requests at the largest installation over the smallest, and the search for a name.

``BENCH_DESK`` names the sizes (``10000,1000000``); the first and the last are compared. ``BENCH_DESK_DATABASE`` is
``sqlite`` (the usual) or ``postgresql``, which starts a server of its own. The slower of the two readers, an officer of
a large town and the commander of its county, makes the row; both go to the error output.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from functools import lru_cache

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, true

from bench import desk_cases, scene
from bench.harness import Measurement, bench, compare
from tests import postgres
from workflow.core.times import shanghai_day
from workflow.data import people, queue
from workflow.data.cases import Case
from workflow.data.filters import Filters, Tab
from workflow.data.names import NameGram
from workflow.data.queue import Asked
from workflow.extensions import db

SIZES = tuple(int(size) for size in os.environ.get("BENCH_DESK", "10000,1000000").split(","))
DATABASE = os.environ.get("BENCH_DESK_DATABASE", "sqlite")
LOGINS = (desk_cases.TOWN_LOGIN, desk_cases.COUNTY_LOGIN)
DEEP = 100_000
NAME_PART = "金鑫"


@lru_cache(maxsize=1)
def _server() -> postgres.Cluster:
    server = postgres.start_cluster()
    atexit.register(server.stop)
    return server


@lru_cache(maxsize=len(SIZES))
def _app(size: int) -> Flask:
    url = _server().create_database(f"desk_{size}") if DATABASE == "postgresql" else None
    print(f"building {size:,} cases on {DATABASE}", file=sys.stderr)
    return desk_cases.installation(size, url)


@lru_cache(maxsize=2 * len(SIZES))
def _browser(size: int, login: str) -> FlaskClient:
    client = _app(size).test_client()
    data = {"login": login, "password": scene.PASSWORD, "idempotency_key": f"bench-{login}"}
    if client.post("/login", data=data).status_code != 303:
        raise RuntimeError(f"{login} can't sign in")
    return client


def _asking(size: int, login: str, address: str) -> Callable[[], None]:
    client = _browser(size, login)

    def ask() -> None:
        if client.get(address).status_code != 200:
            raise RuntimeError(f"{address} failed")

    return ask


def _growth(name: str, addresses: Callable[[int, str], str]) -> Measurement:
    """The largest installation over the smallest, by the reader for whom it grows most."""
    found = []
    for login in LOGINS:
        few, many = ((size, addresses(size, login)) for size in (SIZES[0], SIZES[-1]))
        large, small = compare(
            _asking(many[0], login, many[1]), _asking(few[0], login, few[1]), calls=5, rounds=9, warmup=2
        )
        found.append(Measurement(large.milliseconds, small.milliseconds))
        print(f"{name} {login}: {large.milliseconds:.2f} ms over {small.milliseconds:.2f} ms", file=sys.stderr)
    return max(found, key=lambda each: each.ratio)


@bench("desk.first_page.growth", "ms", "the same request at the smallest number of cases")
def first_page() -> Measurement:
    """The first page of what is open, with the counts of all tabs."""
    return _growth("first page", lambda size, login: "/desk?tab=open")


@lru_cache(maxsize=2 * len(SIZES))
def _deep(size: int, login: str) -> str:
    """The address of the page behind row 100,000 of the closed cases, or behind half of them where there are fewer."""
    app = _app(size)
    with app.app_context():
        account = people.account_by_login(login)
        if account is None:
            raise LookupError(login)
        actor = people.actor_of(account, shanghai_day(scene.now()))
        column = "county_id" if login == desk_cases.COUNTY_LOGIN else "town_id"
        area = actor.appointments[0].area_id
        closed = f"FROM cases WHERE {column} = {area} AND is_open = {'false' if DATABASE == 'postgresql' else 0}"
        number = db.session.scalar(text(f"SELECT count(*) {closed}")) or 0
        skip = min(DEEP, number // 2)
        found = db.session.scalar(text(f"SELECT id {closed} ORDER BY due_at DESC, id DESC LIMIT 1 OFFSET {skip}"))
        case = queue.some(actor, [int(found or 0)])[int(found or 0)]
        since = case.due_at.timestamp()
        return f"/desk?tab=done&after={round(since * 10**6)}-{case.id}"


@bench("desk.deep_page.growth", "ms", "the same request in the middle of the smallest number of cases")
def deep_page() -> Measurement:
    """The page behind row 100,000 (the middle, for whoever has fewer), reached by its mark."""
    return _growth("deep page", _deep)


@bench("desk.counts.growth", "ms", "the same request at the smallest number of cases")
def counts() -> Measurement:
    """What is overdue of all that is open, with its number and the numbers of all tabs."""
    return _growth("counts", lambda size, login: "/desk?tab=open&overdue=1")


@bench("desk.broad_search.growth", "ms", "the same request at the smallest number of cases")
def broad_search() -> Measurement:
    """A search for words that nearly every name holds, with its number: what costs most."""
    return _growth("broad search", lambda size, login: "/desk?tab=done&q=有限公司")


@bench("desk.search", "ms", "the same rows read by one statement on the pieces of names")
def name_search() -> Measurement:
    """A page of cases by two characters of their name, against one statement that asks the table of pieces."""
    with _app(SIZES[-1]).app_context():
        account = people.account_by_login(desk_cases.TOWN_LOGIN)
        if account is None:
            raise LookupError(desk_cases.TOWN_LOGIN)
        now = scene.now()
        actor = people.actor_of(account, shanghai_day(now))
        town = actor.appointments[0].area_id
        plain = (
            queue.row_columns(False)
            .join(NameGram, NameGram.case_id == Case.id)
            .where(NameGram.gram == NAME_PART, NameGram.town_id == town, Case.is_open == true())
            .order_by(Case.due_at, Case.id)
            .limit(queue.PAGE + 1)
        )

        def ours() -> None:
            Asked.by(actor, Filters(tab=Tab.OPEN, text=NAME_PART), now).page(None, None)

        def direct() -> None:
            _rows = [queue.QueueRow(*row) for row in db.session.execute(plain)]

        mine, base = compare(ours, direct, calls=20, rounds=9, warmup=2)
        db.session.rollback()
    return Measurement(mine.milliseconds, base.milliseconds)

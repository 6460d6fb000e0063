"""Gates' server: one entry, ten thousand queued ones, a check, and the list of dead passes whole and by differences.

``BENCH_PASSES`` says how many passes there are (a tenth of them dead), ``BENCH_GATE_DATABASE`` where (PostgreSQL
instead of SQLite). ``python -m bench.bench_gate`` prints sizes and times of the list besides.
"""

from __future__ import annotations

import atexit
import datetime as dt
import itertools
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text

from bench import scene
from bench.harness import Measurement, bench, compare, measure
from workflow.cli.demo import bulk
from workflow.core.actors import SYSTEM, Actor, Appointment, AreaKind, Role
from workflow.core.times import shanghai_day
from workflow.data import areas
from workflow.data.cases import Case
from workflow.data.passes import LIST_VERSION, VehiclePass, fingerprint_of
from workflow.data.sequences import Sequence
from workflow.extensions import db, write_intent
from workflow.services import accounts, gates, issuing, pass_list

PASSES = int(os.environ.get("BENCH_PASSES", "100000"))
DATABASE = os.environ.get("BENCH_GATE_DATABASE")
SIGNED, AT_ONCE, BATCH, QUEUED = 10_000, 10_000, 200, 10_000
CHECK_MOST_MS = 5.0
"""What a check may take at the 99th of a hundred: the issue's own limit."""


@dataclass(frozen=True)
class Site:
    """An installation with a gate, a phone's secret, and passes of which some have real tokens."""

    app: Flask
    client: FlaskClient
    secret: str
    signed: tuple[tuple[str, str], ...]

    def post(self, path: str, body: object) -> Any:
        """One request of the phone; RuntimeError when it is refused."""
        answer = self.client.post(path, json=body, headers={"Authorization": f"Device {self.secret}"})
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        return answer.json

    def entries(self, number: int) -> list[dict[str, object]]:
        """So many scans of granted passes, each with a name of its own."""
        at = scene.now().isoformat()
        return [
            {
                "client_id": str(uuid.uuid4()),
                "at": at,
                "direction": ("in", "out")[n % 2],
                "decision": "pass",
                "way": "camera",
                "token": token,
                "plate": plate,
                "verdict": "valid",
                "heads": 2,
                "temperatures": [36.5, 36.6],
                "offline": True,
                "list_made_at": at,
            }
            for n, (token, plate) in enumerate(itertools.islice(itertools.cycle(self.signed), number))
        ]


def _row(n: int, case_id: int, town_id: int, person_id: int, now: dt.datetime) -> dict[str, object]:
    number, dead, first = f"330203{n:06d}", n % 10 == 0, shanghai_day(now)
    last = first + dt.timedelta(days=13)
    plate = f"浙B{n % 100_000:05d}"
    token = issuing.document_token("goods", number, plate, "330203", first, last) if n <= SIGNED else ""
    return {
        "case_id": case_id,
        "number": number,
        "short_code": f"{n:09d}",
        "token": token,
        "fingerprint": fingerprint_of(number),
        "status": "revoked" if dead else "granted",
        "is_dead": dead,
        "list_version": n // 10 if dead else 0,
        "town_id": town_id,
        "reason": "new",
        "plate": plate,
        "plate_kind": "ordinary",
        "vehicle_type": "中型货车",
        "purpose": "goods",
        "route": "海曙区 → 北仑港",
        "schedule": "always",
        "drivers": ["郑师傅"],
        "valid_from_on": first + dt.timedelta(days=n // 100_000),
        "valid_until_on": last + dt.timedelta(days=n // 100_000),
        "requested_by": person_id,
        "requested_at": now,
    }


def _fill(count: int) -> tuple[tuple[str, str], ...]:
    now = scene.now()
    account = accounts.create_staff(SYSTEM, login="gate", name="测速", password=scene.PASSWORD, mobile="", now=now)
    db.session.commit()
    person_id = account.person_id
    bulk.load(5, now, lambda done: None)
    case_id, town_id = db.session.execute(select(Case.id, Case.town_id).order_by(Case.id)).first() or (0, 0)
    taken: set[int] = set()
    for start in range(1, count + 1, AT_ONCE):
        rows = [_row(n, case_id, town_id, person_id, now) for n in range(start, min(start + AT_ONCE, count + 1))]
        rows = [r for r in rows if r["fingerprint"] not in taken]
        taken.update(int(str(r["fingerprint"])) for r in rows)
        db.session.execute(insert(VehiclePass), rows)
        db.session.commit()
    db.session.execute(insert(Sequence).values(name=LIST_VERSION, value=count // 10))
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE"))
    db.session.commit()
    good = select(VehiclePass.token, VehiclePass.plate).where(VehiclePass.token != "", VehiclePass.is_dead.is_(False))
    return tuple((token or "", plate) for token, plate in db.session.execute(good))


@lru_cache(maxsize=2)
def site(count: int) -> Site:
    """An installation with so many passes, made once a run."""
    folder = Path(tempfile.mkdtemp(prefix="fugong-bench-gate-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app = scene.make_app(folder, DATABASE if count == PASSES else None)
    with app.app_context():
        token = write_intent.set(True)
        signed = _fill(count)
        town = areas.by_code(scene.TOWN)
        if town is None:
            raise RuntimeError("there is no such town")
        held = Appointment(Role.LEADER, town.id, AreaKind.TOWN)
        person = db.session.scalar(select(VehiclePass.requested_by).limit(1)) or 0
        leader = Actor(person, 0, "测速", (held,))
        gate = gates.add(leader, town.id, "测速卡口", "", scene.now())
        _device, code = gates.invite(leader, gate.id, "测速手机", scene.now())
        _device, secret = gates.enrol(code, "", scene.now())
        db.session.commit()
        db.session.remove()
        write_intent.reset(token)
    return Site(app, app.test_client(), secret, signed)


def _bare() -> tuple[FlaskClient, Path]:
    """A view that puts the rows it is sent into a table, and commits as durably."""
    folder = Path(tempfile.mkdtemp(prefix="fugong-bench-bare-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None, check_same_thread=False)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE e (id TEXT UNIQUE, body TEXT)"
    )
    app = Flask("bare")

    @app.post("/")
    def keep() -> Any:
        rows = [(e["client_id"], e["token"]) for e in request.get_json()["entries"]]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO e VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        return jsonify(results=[{"client_id": row[0], "status": "kept"} for row in rows])

    return app.test_client(), folder


@bench("gate.entry", "ms", "bare Flask view that inserts one row into SQLite and commits as durably")
def entry() -> Measurement:
    """One scan as a phone sends it: device, token, register, two gates, log, counters, people inside."""
    at, (bare, _folder) = site(PASSES), _bare()
    ours, base = compare(
        lambda: at.post("/gate/sync", {"entries": at.entries(1)}),
        lambda: bare.post("/", json={"entries": at.entries(1)}),
        calls=20,
        rounds=9,
        warmup=2,
    )
    return Measurement(ours.milliseconds, base.milliseconds)


@bench("gate.sync10k", "s", "bare Flask view that inserts the same 10,000 rows in the same 50 requests")
def sync() -> Measurement:
    """Ten thousand scans kept off-line, sent in requests of 200, each judged and counted."""
    at, (bare, _folder) = site(PASSES), _bare()

    def run(send: Any) -> float:
        batches = [{"entries": at.entries(BATCH)} for _n in range(QUEUED // BATCH)]
        started = time.perf_counter()
        for body in batches:
            send(body)
        return time.perf_counter() - started

    return Measurement(run(lambda b: at.post("/gate/sync", b)), run(lambda b: bare.post("/", json=b)))


def _checks(at: Site, rounds: int = 1000) -> list[float]:
    taken = []
    for n, (token, _plate) in zip(range(rounds + 50), itertools.cycle(at.signed), strict=False):
        started = time.perf_counter()
        at.post("/gate/check", {"token": token})
        if n >= 50:
            taken.append((time.perf_counter() - started) * 1000)
    return taken


@bench("gate.check.p99", "ms", f"the issue's limit of {CHECK_MOST_MS} ms")
def check() -> Measurement:
    """A check on-line in process, at the 99th of a hundred."""
    return Measurement(statistics.quantiles(_checks(site(PASSES)), n=100)[98], CHECK_MOST_MS)


def _flip(app: Flask, up: Iterator[int]) -> None:
    """One more pass dies, or comes back."""
    with app.app_context():
        token = write_intent.set(True)
        found = db.session.get_one(VehiclePass, next(up))
        found.settle("granted" if found.is_dead else "suspended", by=None, at=scene.now())
        db.session.commit()
        db.session.remove()
        write_intent.reset(token)


def _difference(at: Site) -> tuple[float, int]:
    """Milliseconds from one change to the list that says it, and the bytes of it."""
    up, today = itertools.count(11), shanghai_day(scene.now())
    with at.app.app_context():
        held = pass_list.for_device(0, None, scene.now()).claims.version
    taken, size = [], 0
    for _n in range(40):
        _flip(at.app, up)
        with at.app.app_context():
            started = time.perf_counter()
            found = pass_list.for_device(held, today, scene.now())
            taken.append((time.perf_counter() - started) * 1000)
            held = found.claims.version
            size = len(found.difference.add) + len(found.difference.drop) + len(found.token)
    return statistics.median(taken), size


def _whole(at: Site) -> tuple[float, int]:
    """Milliseconds to read and sign the whole list, nothing kept from before, and the bytes of it."""

    def read() -> pass_list.SignedList:
        with at.app.app_context():
            at.app.extensions.pop("pass_list", None)
            return pass_list.for_device(0, None, scene.now())

    return measure(read, rounds=5).milliseconds, len(read().difference.add)


@bench("gate.bundle.difference", "ms", "the same with a hundredth of the passes")
def difference() -> Measurement:
    """What a device gets after one suspension: flat, however many passes and dead ones there are."""
    return Measurement(_difference(site(PASSES))[0], _difference(site(PASSES // 100))[0])


@bench("gate.bundle.whole", "ms", "sorting, packing and hashing the same fingerprints that are in memory already")
def whole() -> Measurement:
    """The whole list for a device that has none."""
    at = site(PASSES)
    mine, _size = _whole(at)
    with at.app.app_context():
        marks = pass_list.unpack(pass_list.current(scene.now()).packed)
    base = measure(lambda: pass_list.State(1, shanghai_day(scene.now()), pass_list.pack(marks), scene.now()), rounds=5)
    return Measurement(mine, base.milliseconds)


def main() -> None:
    """Print what the rows leave out: sizes, and where the time goes."""
    at = site(PASSES)
    whole_ms, whole_bytes = _whole(at)
    difference_ms, difference_bytes = _difference(at)
    taken = sorted(_checks(at))
    print(f"{PASSES} passes, {PASSES // 10} dead, {at.app.config['SQLALCHEMY_DATABASE_URI'].split(':')[0]}")
    print(
        f"whole: {whole_ms:.1f} ms, {whole_bytes} bytes; one change: {difference_ms:.2f} ms, {difference_bytes} bytes"
    )
    print(f"check: median {statistics.median(taken):.2f} ms, p99 {taken[int(len(taken) * 0.99)]:.2f} ms")


if __name__ == "__main__":
    main()

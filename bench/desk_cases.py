"""Installations with very many cases for the desk's benches: Core inserts, pieces of names, counters.

The towns differ in size as they do in the field: the reader's town holds one case in twenty and its county one in five,
whatever the number of all, so that a small installation shows full pages too.
"""

from __future__ import annotations

import atexit
import datetime as dt
import random
import shutil
import tempfile
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text

from bench import scene
from workflow.core.actors import SYSTEM, Role
from workflow.core.clocks import NO_LIMIT
from workflow.core.flow import Flow, State, StateKind
from workflow.core.grams import grams
from workflow.core.times import end_of_day, shanghai_day
from workflow.data import catalogue, counters, flows
from workflow.data.areas import Area
from workflow.data.cases import Case
from workflow.data.counters import Counter
from workflow.data.enterprises import Enterprise
from workflow.extensions import db, write_intent
from workflow.services import accounts

TOWN, COUNTY = "330203002", "330203"
TOWN_LOGIN, COUNTY_LOGIN = "bench-town", "bench-county"
CHUNK = 20_000
_HEAP = "name_grams_heap"
_FIRST = "华东恒通海明永金瑞盛宏达新联鼎立中天泰丰信诚嘉凯安顺利和润博远江甬鄞慈余奉象宁"
_SECOND = "鑫森源辉昌隆祥腾飞翔宇航峰磊晶晨光耀星辰悦科创智汇聚英杰伟业兴旺发展"
_TRADES = (
    "机械制造", "服装", "电子科技", "塑料制品", "五金工具", "汽车零部件", "模具", "物流", "纺织", "食品",
    "建筑工程", "国际贸易", "餐饮管理", "文具", "轴承", "新材料", "包装", "紧固件", "电器", "软件",
)  # fmt: skip
_ENDS = ("有限公司", "有限公司", "有限公司", "股份有限公司", "厂", "商行")
_SECTORS = ("industry", "industry", "industry", "commerce", "commerce", "construction", "transport", "other")


@dataclass(frozen=True, slots=True)
class Place:
    """A town with what lies above it."""

    id: int
    city_id: int
    county_id: int
    short_name: str


def _places() -> tuple[list[Place], list[Place]]:
    """The reader's town and the others of its county; then those of all other counties."""
    counties = {a.id: a for a in db.session.scalars(select(Area).where(Area.kind == "county"))}
    towns = db.session.scalars(select(Area).where(Area.kind == "town").order_by(Area.code)).all()
    here: list[Place] = []
    there: list[Place] = []
    for town in towns:
        county = counties[town.county_id or 0]
        place = Place(town.id, town.city_id or 0, county.id, county.short_name)
        if county.code == COUNTY:
            here.insert(0, place) if town.code == TOWN else here.append(place)
        else:
            there.append(place)
    return here, there


def _town(noise: random.Random, here: list[Place], there: list[Place]) -> Place:
    share = noise.random()
    if share < 0.05:
        return here[0]
    return noise.choice(here[1:]) if share < 0.2 else noise.choice(there)


def _name(noise: random.Random, place: Place) -> str:
    called = "".join(
        (noise.choice(_FIRST), noise.choice(_SECOND), noise.choice(_SECOND) if noise.random() < 0.3 else "")
    )
    return f"宁波{place.short_name}{called}{noise.choice(_TRADES)}{noise.choice(_ENDS)}"


@dataclass(frozen=True, slots=True)
class _Kind:
    version_id: int
    state: State


def _kinds(now: dt.datetime) -> tuple[list[_Kind], list[_Kind]]:
    """Open and closed states of the two commonest flows."""
    every = []
    for key in ("city-small", "city-large"):
        version = flows.newest(key, shanghai_day(now))
        if version is None:
            raise LookupError(key)
        flow: Flow = version.engine.flow
        every += [_Kind(version.id, s) for s in flow.states.values() if s.kind is not StateKind.DRAFT]
    still = [k for k in every if k.state.kind is StateKind.OPEN]
    return still, [k for k in every if k.state.kind is not StateKind.OPEN]


def rows(number: int, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """``number`` cases as column values, always the same ones."""
    noise, (here, there), (still, ended) = random.Random(20200215), _places(), _kinds(now)
    calendar = catalogue.calendar()
    limits: dict[tuple[dt.date, int], dt.datetime] = {}
    for n in range(1, number + 1):
        place, is_open = _town(noise, here, there), noise.random() < 0.2
        kind = noise.choice(still if is_open else ended)
        filed_at = now - dt.timedelta(seconds=noise.randrange(3600, 86400 * (9 if is_open else 300)))
        since = min(now, filed_at + dt.timedelta(seconds=noise.randrange(600, 86400 * 4)))
        day, days, due_at = shanghai_day(since), kind.state.days, since
        if is_open and days is None:
            due_at = NO_LIMIT
        elif is_open and days is not None:
            due_at = limits.setdefault((day, days), end_of_day(calendar.after(day, days)))
        sector, count = noise.choice(_SECTORS), 1 + noise.randrange(900)
        holder = kind.state.holder.value if kind.state.holder else ""
        late = is_open and due_at < now - dt.timedelta(days=2)
        yield {
            "id": n, "reference": f"复工-{place.short_name}-{shanghai_day(filed_at):%Y%m%d}-B{n:07d}",
            "enterprise_id": n, "enterprise_name": _name(noise, place), "routed_because": {},
            "flow_version_id": kind.version_id,
            "state": kind.state.key, "holder": holder, "is_open": is_open, "state_since_at": since, "due_at": due_at,
            "clock_at": None, "clock_stage": "", "spent": {}, "tailoring": None, "assigned_because": None,
            "escalated_to": (kind.state.escalate.value if late and kind.state.escalate else ""),
            "permits": kind.state.permits, "assignee_id": None, "assigned_at": None, "assign_at": None,
            "handled_by": {},
            "came_back": is_open and holder == "reviewer" and noise.random() < 0.2, "moves": 2, "round": 1, "cycle": 1,
            "city_id": place.city_id, "county_id": place.county_id, "town_id": place.id, "zone_id": None,
            "building_id": None, "bureau": catalogue.bureau_of(sector), "sector": sector, "resuming_count": count,
            "resume_on": shanghai_day(filed_at) + dt.timedelta(days=5), "facts": {"head_count": count},
            "submitted_at": filed_at, "decided_at": None if is_open else since, "city_filed_at": None, "version": 3,
        }  # fmt: skip


def fill(number: int, now: dt.datetime, reader_id: int) -> None:
    """Write ``number`` cases in one transaction; every fortieth open one of the reader's town is the reader's."""
    tally: Tally[counters.Place] = Tally()
    chunk: list[dict[str, Any]] = []
    (here, _there), mine = _places(), 0
    for row in rows(number, now):
        if row["is_open"] and row["town_id"] == here[0].id and row["holder"] == "reviewer":
            mine += 1
            if mine % 40 == 0:
                row.update(assignee_id=reader_id, assigned_at=now)
        tally.update(counters.share({**row, "_state": row["state"]}))
        chunk.append(row)
        if len(chunk) == CHUNK:
            _write(chunk, now)
            chunk = []
    _write(chunk, now)
    _index_names()
    placed = [{"kind": k, "day": d, "town_id": t, "key": y, "number": n} for (k, d, t, y), n in sorted(tally.items())]
    db.session.execute(insert(Counter), placed)
    _settle(now)


def _write(chunk: list[dict[str, Any]], now: dt.datetime) -> None:
    if not chunk:
        return
    firms = [
        {
            "id": r["id"],
            "uscc": f"91330201N{r['id']:08d}0",
            "name": r["enterprise_name"],
            "profile": {},
            "created_at": now,
        }
        for r in chunk
    ]
    db.session.execute(insert(Enterprise.__table__), firms)  # type: ignore[arg-type]
    db.session.execute(insert(Case.__table__), chunk)  # type: ignore[arg-type]
    pieces = ((g, r["town_id"], r["id"]) for r in chunk for g in grams(r["enterprise_name"]))
    connection = db.session.connection()
    raw: Any = connection.connection.driver_connection
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {_HEAP} (gram text, town_id integer, case_id integer)"
    )
    if connection.dialect.name == "postgresql":
        with raw.cursor() as cursor, cursor.copy(f"COPY {_HEAP} FROM STDIN") as copy:
            for piece in pieces:
                copy.write_row(piece)
    else:
        raw.executemany(f"INSERT INTO {_HEAP} VALUES (?, ?, ?)", pieces)


def _index_names() -> None:
    """Put the pieces of all names into their table in the order of its key, which takes a tenth of the time."""
    columns = "gram, town_id, case_id"
    connection = db.session.connection()
    collated = ' COLLATE "C"' if connection.dialect.name == "postgresql" else ""
    order = f"gram{collated}, town_id, case_id"
    connection.exec_driver_sql(f"INSERT INTO name_grams ({columns}) SELECT {columns} FROM {_HEAP} ORDER BY {order}")
    connection.exec_driver_sql(f"DROP TABLE {_HEAP}")


def _settle(now: dt.datetime) -> None:
    """Move PostgreSQL's sequences behind the ids that were written."""
    if db.engine.dialect.name == "postgresql":
        for name in ("enterprises", "cases"):
            highest = select(func.max(text("id"))).select_from(text(name)).scalar_subquery()
            db.session.execute(select(func.setval(func.pg_get_serial_sequence(name, "id"), highest)))


def installation(number: int, database_url: str | None) -> Flask:
    """An application with ``number`` cases and two readers: an officer of a town and a commander of its county."""
    folder = Path(tempfile.mkdtemp(prefix="fugong-desk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app, now = scene.make_app(folder, database_url), scene.now()
    with app.app_context():
        token = write_intent.set(True)
        readers = []
        for login, role, area in ((TOWN_LOGIN, Role.REVIEWER, TOWN), (COUNTY_LOGIN, Role.COMMANDER, COUNTY)):
            account = accounts.create_staff(
                SYSTEM, login=login, name=login, password=scene.PASSWORD, mobile="", now=now
            )
            person = account.person_id
            accounts.appoint(SYSTEM, person_id=person, role=role.value, area_code=area, bureau=None, now=now)
            readers.append(person)
        db.session.commit()
        fill(number, now, readers[0])
        db.session.commit()
        write_intent.reset(token)
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            postgres = connection.dialect.name == "postgresql"
            connection.exec_driver_sql("VACUUM ANALYZE" if postgres else "ANALYZE")
        db.session.remove()
    return app

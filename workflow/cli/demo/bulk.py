"""Bulk cases for benchmarks: rows written directly in chunks, with true history chains."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Table, func, insert, select, text

from workflow.cli.clock import writing
from workflow.cli.demo.cast import company, person_name
from workflow.core.actors import AreaKind
from workflow.core.flow import Flow, StateKind
from workflow.core.questions import CONDITIONS
from workflow.core.times import shanghai_day
from workflow.data import audit, catalogue, flows
from workflow.data.applications import Application
from workflow.data.areas import Area
from workflow.data.audit import GENESIS, AuditEntry, AuditHead
from workflow.data.cases import Case
from workflow.data.enterprises import Enterprise
from workflow.data.people import Person
from workflow.extensions import Model, db

CHUNK = 10_000
OPEN_SHARE = 0.2
_CLERK = "批量数据经办人"


class _Place(NamedTuple):
    """An area as plain values, so that it outlives the chunk's transaction."""

    id: int
    code: str
    short_name: str
    city_id: int | None
    county_id: int | None


def _places(kind: AreaKind) -> list[_Place]:
    columns = (Area.id, Area.code, Area.short_name, Area.city_id, Area.county_id)
    return [_Place(*row) for row in db.session.execute(select(*columns).where(Area.kind == kind).order_by(Area.code))]


@dataclass(slots=True)
class _Way:
    """The main way of a flow to each of its states, as (action, role, before, after) moves."""

    version_id: int
    flow: Flow
    moves: dict[str, list[tuple[str, str, str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.moves[self.flow.initial] = []
        queue = [self.flow.initial]
        while queue:
            here = queue.pop(0)
            for step in self.flow.steps_from(here):
                if step.dest not in self.moves:
                    self.moves[step.dest] = [*self.moves[here], (step.action, step.role.value, here, step.dest)]
                    queue.append(step.dest)


def _table(model: type[Model]) -> Table:
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model} is not mapped to a table")
    return table


def _first_free(model: type[Any]) -> int:
    return int(db.session.scalar(select(func.max(model.id))) or 0) + 1


def _clerk(now: dt.datetime) -> int:
    """The one invented person in whose name bulk applications stand."""
    person = db.session.scalar(select(Person).where(Person.name == _CLERK))
    if person is None:
        person = Person(name=_CLERK, created_at=now)
        db.session.add(person)
        db.session.flush()
    return person.id


@dataclass(slots=True)
class _Writer:
    """Collects one chunk's rows by table; chains go on from their heads."""

    noise: random.Random
    now: dt.datetime
    towns: list[_Place]
    counties: dict[int, _Place]
    ways: dict[bool, _Way]
    clerk_id: int
    heads: dict[str, tuple[int, str]]
    case_id: int
    application_id: int
    enterprise_id: int
    serial: int
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self) -> None:
        """Add one case with its enterprise, application and history."""
        noise = self.noise
        town = self.towns[int(len(self.towns) * noise.random() ** 2)]
        large = noise.random() < 0.3
        way = self.ways[large]
        wanted_open = noise.random() < OPEN_SHARE
        states = [
            s for s in way.flow.states.values() if (s.kind is StateKind.OPEN) == wanted_open and s.key in way.moves
        ]
        state = noise.choice([s for s in states if s.kind is not StateKind.DRAFT])
        filed_at = self.now - dt.timedelta(minutes=noise.randrange(60, 60 * 24 * (6 if wanted_open else 300)))
        moves = way.moves[state.key]
        invented = company(self.case_id)
        name = f"{invented.name[:-4]}{self.case_id}{invented.name[-4:]}"
        self._enterprise(name, filed_at)
        last_at = min(self.now, filed_at + dt.timedelta(hours=5 * len(moves)))
        self._case(town, way, state.key, name, invented.sector, filed_at, last_at, len(moves))
        for number, (action, role, before, after) in enumerate(moves, 1):
            at = min(last_at, filed_at + dt.timedelta(hours=5 * (number - 1)))
            self._entry(f"town:{town.id}", action, role, at, before, after, number)
        self.case_id += 1
        self.application_id += 1
        self.enterprise_id += 1
        self.serial += 1

    def _put(self, table: str, row: dict[str, Any]) -> None:
        self.rows.setdefault(table, []).append(row)

    def _enterprise(self, name: str, at: dt.datetime) -> None:
        code = f"91330201N{self.enterprise_id:08d}"
        self._put(
            "enterprises",
            {"id": self.enterprise_id, "uscc": f"{code}0", "name": name, "profile": {}, "created_at": at},
        )

    def _case(
        self,
        town: _Place,
        way: _Way,
        state_key: str,
        name: str,
        sector: str,
        filed_at: dt.datetime,
        last_at: dt.datetime,
        moves: int,
    ) -> None:
        state = way.flow.state(state_key)
        county = self.counties[town.county_id or 0]
        resume_on = shanghai_day(filed_at) + dt.timedelta(days=5)
        count = 1 + self.noise.randrange(1500)
        due_at = catalogue.calendar().due_after(last_at, state.days) or last_at
        self._put(
            "cases",
            {
                "id": self.case_id,
                "reference": f"复工-{county.short_name}-{shanghai_day(filed_at):%Y%m%d}-B{self.serial:07d}",
                "enterprise_id": self.enterprise_id,
                "enterprise_name": name,
                "flow_version_id": way.version_id,
                "routed_because": {},
                "state": state_key,
                "holder": state.holder.value if state.holder else "",
                "is_open": state.kind is StateKind.OPEN,
                "state_since_at": last_at,
                "due_at": due_at,
                "clock_at": due_at if state.kind is StateKind.OPEN and due_at > self.now else None,
                "permits": state.permits,
                "moves": moves,
                "round": 1,
                "cycle": 1,
                "city_id": town.city_id,
                "county_id": county.id,
                "town_id": town.id,
                "zone_id": None,
                "building_id": None,
                "bureau": catalogue.bureau_of(sector),
                "sector": sector,
                "resuming_count": count,
                "resume_on": resume_on,
                "facts": self._facts(town, way, name, sector, count),
                "submitted_at": filed_at,
                "decided_at": None if state.kind is StateKind.OPEN else last_at,
                "city_filed_at": None,
                "version": moves + 1,
            },
        )
        self._application(town, name, filed_at)

    def _facts(self, town: _Place, way: _Way, name: str, sector: str, count: int) -> dict[str, Any]:
        """What rules ask about and pages show, as far as a bulk case has it."""
        return {
            "name": name,
            "town": town.code,
            "contact_name": person_name(self.case_id),
            "address": "批量路 1 号",
            "purpose": "resume",
            "trade": "none",
            "size": "above" if way is self.ways[True] else "below",
            "sector": sector,
            "head_count": count + self.noise.randrange(200),
            "resuming_count": count,
            "key_area_count": 0,
            "hazardous": "no",
            "priority_class": "steady",
        }

    def _application(self, town: _Place, name: str, filed_at: dt.datetime) -> None:
        self._put(
            "applications",
            {
                "id": self.application_id,
                "enterprise_id": self.enterprise_id,
                "status": "submitted",
                "answers": {"name": name, "town": town.code, **{f"has_{k}": "have" for k, _ in CONDITIONS[:3]}},
                "revision": 1,
                "case_id": self.case_id,
                "based_on_id": None,
                "created_by": self.clerk_id,
                "created_at": filed_at,
                "updated_at": filed_at,
            },
        )

    def _entry(self, chain: str, action: str, role: str, at: dt.datetime, before: str, after: str, moves: int) -> None:
        number, previous = self.heads.get(chain, (0, GENESIS))
        row: dict[str, Any] = {
            "chain": chain,
            "number": number + 1,
            "event": action,
            "at": at,
            "person_id": self.clerk_id,
            "role": role,
            "case_id": self.case_id,
            "before": {"state": before},
            "after": {"state": after, "moves": moves, "round": 1},
            "previous": previous,
        }
        row["hash"] = audit.hash_of(row)
        self.heads[chain] = (number + 1, row["hash"])
        self._put("audit_entries", row)

    def flush(self) -> None:
        """Write the chunk and the heads of the chains it touched."""
        for model in (Enterprise, Case, Application, AuditEntry):
            table = _table(model)
            db.session.execute(insert(table), self.rows.get(table.name, []))
        known = set(db.session.scalars(select(AuditHead.chain)))
        touched = {row["chain"] for row in self.rows.get("audit_entries", [])}
        for chain in touched:
            number, digest = self.heads[chain]
            if chain in known:
                db.session.get_one(AuditHead, chain).number = number
                db.session.get_one(AuditHead, chain).hash = digest
            else:
                db.session.add(AuditHead(chain=chain, number=number, hash=digest))
        db.session.flush()
        self.rows.clear()


def _begin(now: dt.datetime) -> _Writer:
    today = shanghai_day(now)
    ways = {}
    for large, key in ((False, "city-small"), (True, "city-large")):
        version = flows.newest(key, today)
        if version is None:
            raise LookupError("publish the flows first: flask flows sync")
        ways[large] = _Way(version.id, version.engine.flow)
    towns = _places(AreaKind.TOWN)
    counties = {p.id: p for p in _places(AreaKind.COUNTY)}
    heads = {h.chain: (h.number, h.hash) for h in db.session.scalars(select(AuditHead))}
    case_id = _first_free(Case)
    return _Writer(
        noise=random.Random(20200215 + case_id),
        now=now.replace(microsecond=0),
        towns=towns,
        counties=counties,
        ways=ways,
        clerk_id=_clerk(now),
        heads=heads,
        case_id=case_id,
        application_id=_first_free(Application),
        enterprise_id=_first_free(Enterprise),
        serial=case_id,
    )


def _settle_sequences() -> None:
    """On PostgreSQL, move the id sequences behind the ids that were written; SQLite needs nothing."""
    if db.engine.dialect.name != "postgresql":
        return
    for model in (Enterprise, Case, Application):
        name = _table(model).name
        highest = db.session.scalar(select(func.max(model.id)))
        db.session.execute(select(func.setval(func.pg_get_serial_sequence(name, "id"), highest)))


def load(count: int, now: dt.datetime, report: Callable[[int], None]) -> None:
    """Add ``count`` cases, committing each chunk; ``report`` gets how many are there so far."""
    with writing():
        writer = _begin(now)
    done = 0
    while done < count:
        step = min(CHUNK, count - done)
        with writing():
            for _ in range(step):
                writer.add()
            writer.flush()
            _settle_sequences()
        db.session.expunge_all()
        done += step
        if done % (CHUNK * 10) == 0 or done == count:
            report(done)
    with writing():
        db.session.execute(text("ANALYZE"))

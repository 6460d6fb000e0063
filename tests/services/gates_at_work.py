"""Gates with enrolled devices, passes as they are once granted, and entries as a device sends them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from flask import Flask

from tests.builders import NOW, TOWN, World
from tests.conftest import building
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data import areas
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass, fingerprint_of
from workflow.extensions import db
from workflow.services import gates, issuing, keys, pass_life
from workflow.services.gates import AtGate


@dataclass(frozen=True)
class Standing:
    """An enrolled device at a gate, and its secret."""

    gate_id: int
    device_id: int
    secret: str

    @property
    def at(self) -> AtGate:
        """The device as a request finds it."""
        return gates.by_secret(self.secret)


class Scannable(Protocol):
    """What an entry is made from: a row, or what is known of one."""

    token: Any
    plate: Any


@dataclass(frozen=True)
class Issued:
    """A granted pass as whoever holds it knows it."""

    id: int
    number: str
    short_code: str
    token: str
    plate: str
    valid_until_on: dt.date


@dataclass
class Stage:
    """A database between requests: builders act in contexts of their own, and share one clock."""

    app: Flask
    now: dt.datetime = NOW
    count: int = 0
    case_id: int = 0
    leader: str = field(default="", init=False)

    def later(self, **span: float) -> dt.datetime:
        """Move the clock on."""
        self.now += dt.timedelta(**span)
        return self.now

    @contextmanager
    def world(self) -> Iterator[World]:
        """Builders, as long as no request is made."""
        with building(self.app) as made:
            made.now, made.count = self.now, self.count
            yield made
            self.now, self.count = made.now, made.count

    def granted(self, plate: str = "", **changes: Any) -> Issued:
        """A pass of the stage's case, as it is once granted."""
        with self.world() as world:
            if not self.case_id:
                self.case_id = world.submitted().id
            found = granted(world, db.session.get_one(Case, self.case_id), plate, **changes)
            return Issued(
                found.id,
                found.number or "",
                found.short_code or "",
                found.token or "",
                found.plate,
                found.valid_until_on,
            )

    def settle(self, found: Issued, status: str) -> None:
        """Suspend, resume or revoke a pass."""
        with self.world() as world:
            settle(world, db.session.get_one(VehiclePass, found.id), status)

    def entry(self, found: Scannable | None = None, **changes: Any) -> dict[str, Any]:
        """An entry as of now."""
        return entry_at(self.now, found, **changes)


def standing(world: World, name: str = "东门卡口", area: str = TOWN) -> Standing:
    """A gate of the town's leader with one enrolled device."""
    leader = world.actor(world.officer(Role.LEADER, area))
    place = areas.by_code(area)
    assert place is not None
    gate = gates.add(leader, place.id, name, "试验路口", world.now)
    device, code = gates.invite(leader, gate.id, "值守手机", world.now)
    device, secret = gates.enrol(code, "", world.now)
    db.session.commit()
    return Standing(gate.id, device.id, secret)


def another(world: World, gate_id: int) -> Standing:
    """One more device at the same gate."""
    leader = world.actor(world.officer(Role.LEADER))
    device, code = gates.invite(leader, gate_id, "备用手机", world.now)
    device, secret = gates.enrol(code, "", world.now)
    db.session.commit()
    return Standing(gate_id, device.id, secret)


def granted(world: World, case: Case, plate: str = "", **changes: Any) -> VehiclePass:
    """A pass of the case as it is once granted: number, token and all, without the way to it."""
    n, today = world.number(), shanghai_day(world.now)
    values: dict[str, Any] = {"valid_from_on": today, "valid_until_on": today + dt.timedelta(days=6), **changes}
    number = f"{case.county.code}{n:06d}"
    made = VehiclePass(
        case=case,
        town_id=case.town_id,
        number=number,
        short_code=keys.new_short_code(),
        fingerprint=fingerprint_of(number),
        status="granted",
        plate=plate or f"浙B{n:05d}",
        plate_kind="ordinary",
        vehicle_type="中型货车",
        purpose="goods",
        route="海曙区 → 北仑港",
        drivers=["郑师傅"],
        requested_by=world.officer(Role.REVIEWER).person_id,
        requested_at=world.now,
        decided_at=world.now,
        **values,
    )
    made.token = issuing.document_token(
        "goods",
        number,
        made.plate,
        case.county.code,
        made.valid_from_on,
        made.valid_until_on,
        made.schedule or "always",
    )
    db.session.add(made)
    db.session.commit()
    return made


def settle(world: World, found: VehiclePass, status: str) -> None:
    """Suspend, resume or revoke a pass, with its history, as the services do."""
    pass_life.settle(found, status, world.actor(world.officer(Role.REVIEWER)), world.now, "试验")
    db.session.commit()


def entry_at(now: dt.datetime, found: Scannable | None = None, **changes: Any) -> dict[str, Any]:
    """An entry as the page sends it: the pass scanned, valid, let in with one head of 36.5 °C."""
    values: dict[str, Any] = {
        "client_id": str(uuid.uuid4()),
        "at": now.isoformat(),
        "direction": "in",
        "decision": "pass",
        "way": "camera",
        "token": found.token if found is not None else "",
        "code": "",
        "plate": found.plate if found is not None else "",
        "verdict": "valid",
        "heads": 1,
        "temperatures": [36.5],
        "words": "",
        "offline": False,
        "list_version": 0,
        "list_made_at": "",
    }
    return values | changes

"""Gates, devices, entries and day counts as rows, for tests that only read them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import insert, select

from tests.builders import TOWN, World
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data.areas import Area
from workflow.data.gates import Gate, GateDay, GateDevice, GateEntry
from workflow.extensions import db


def gate(world: World, name: str = "东门卡口", area: str = TOWN, inside: int = 0) -> tuple[int, int]:
    """A gate of a town with one device: their ids."""
    town = db.session.scalars(select(Area).where(Area.code == area)).one()
    by = world.officer(Role.LEADER, area).person_id
    made = Gate(area_id=town.id, town_id=town.id, name=name, inside=inside, created_by=by, created_at=world.now)
    db.session.add(made)
    db.session.flush()
    device = GateDevice(gate_id=made.id, name="值守手机", invited_by=by, invited_at=world.now)
    db.session.add(device)
    db.session.flush()
    return made.id, device.id


def entry(at_gate: tuple[int, int], at: dt.datetime, **changes: Any) -> dict[str, Any]:
    """The values of an entry: a vehicle let in with a valid pass."""
    alarms = changes.get("alarms", "")
    return {
        "client_id": str(uuid.uuid4()),
        "gate_id": at_gate[0],
        "device_id": at_gate[1],
        "at": at,
        "received_at": at,
        "clock_off": 0,
        "direction": "in",
        "decision": "pass",
        "way": "camera",
        "verdict": "valid",
        "checked": "valid",
        "number": "",
        "plate": "浙B12345",
        "heads": 1,
        "temperatures": [36.5],
        "words": "",
        "is_offline": False,
        "list_age": 60,
        "alarms": "",
        "has_alarm": bool(alarms),
        **changes,
    }


def keep(rows: list[dict[str, Any]], area: str = TOWN) -> None:
    """Store entries of gates of one town, without counting them."""
    town_id = db.session.scalars(select(Area.id).where(Area.code == area)).one()
    db.session.execute(insert(GateEntry), [{**row, "town_id": town_id} for row in rows])


def count(gate_id: int, at: dt.datetime, **numbers: int) -> None:
    """Store what passed a gate on a day."""
    db.session.add(GateDay(gate_id=gate_id, day_on=shanghai_day(at), **numbers))

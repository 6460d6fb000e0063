"""The demo's gates: two in Jiangxia, each with a phone, and a day of vehicles with one of every alarm among them."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from workflow.cli.demo.cast import CENTRE
from workflow.core.actors import SYSTEM, Actor, Role
from workflow.core.times import end_of_day, shanghai_day, start_of_day
from workflow.data import areas, people
from workflow.data.areas import Area
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import gate_entries, gates, pass_life, pass_list
from workflow.services.gate_checks import claims_in
from workflow.services.gate_entries import Batch, Sent
from workflow.services.gates import AtGate

_GATES = (("药行街卡口", "药行街与碶闸街路口"), ("江厦桥卡口", "江厦桥西堍"))
_NAMES = uuid.UUID("6f6b0a52-5d0c-4a53-9f5e-2020021500aa")
_HOURS = 9
_VEHICLES = 16
_FEVER = 37.6
_FORGED = "2KCFCFECLEZDGBBWKMQA" * 4


@dataclass(slots=True)
class _Day:
    """A day at the gates up to ``now``: entries with names that the next run would give them again."""

    now: dt.datetime
    chance: random.Random
    made: int = 0

    def sent(self, found: VehiclePass | None, at: dt.datetime, **changes: object) -> Sent:
        """An ordinary entry of a pass, changed where the story wants it."""
        self.made += 1
        token = found.token or "" if found is not None else ""
        heads = self.chance.choice((1, 1, 1, 2, 2, 3))
        plain = Sent(
            client_id=str(uuid.uuid5(_NAMES, str(self.made))),
            at=at,
            direction="in",
            decision="pass",
            way="camera",
            token=token,
            claims=claims_in(token) if token else None,
            code="",
            plate=found.plate if found is not None else "",
            verdict="valid",
            heads=heads,
            temperatures=[round(self.chance.uniform(36.1, 36.9), 1) for _n in range(heads)],
            words="",
            is_offline=False,
            list_made_at=at - dt.timedelta(seconds=self.chance.randrange(5, 40)),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def ordinary(self, passes: Sequence[VehiclePass]) -> list[Sent]:
        """Vehicles that come and, most of them, go again."""
        found: list[Sent] = []
        for n in range(_VEHICLES):
            at = self.now - dt.timedelta(hours=_HOURS * (_VEHICLES - n) / _VEHICLES)
            known = passes[n % len(passes)]
            came = self.sent(known, at)
            found.append(came)
            if n % 4 != 3:
                heads = came.heads
                out = at + dt.timedelta(minutes=10)
                found.append(self.sent(known, out, direction="out", heads=heads, temperatures=[]))
        return found

    def alarming(self, passes: Sequence[VehiclePass], dead: VehiclePass) -> list[Sent]:
        """One entry of each alarm but that of two gates, and two that were turned back."""
        ago = [self.now - dt.timedelta(hours=h) for h in (1, 2, 3, 4, 5, 6)]
        first = passes[0]
        forged = {"token": _FORGED, "claims": None, "verdict": "forged", "decision": "turn_back"}
        fever = {
            "heads": 1,
            "temperatures": [_FEVER],
            "decision": "hand_over",
            "words": "复测 37.5，已交社区卫生服务中心",
        }
        alone = {"way": "none", "verdict": "none", "words": "救护车"}
        return [
            self.sent(first, ago[0], plate="浙B9K027", decision="turn_back", words="证车不符"),
            self.sent(dead, ago[1], is_offline=True, list_made_at=ago[1] - dt.timedelta(hours=5)),
            self.sent(first, ago[2], **fever),
            self.sent(None, ago[3], plate="浙B5120警", **alone),
            self.sent(None, ago[4], plate="浙B77310", **forged),
            self.sent(first, self.now + dt.timedelta(hours=6), list_made_at=None),
        ]


def _leader(town: Area, now: dt.datetime) -> Actor:
    today = shanghai_day(now)
    (person, *_others) = people.holders_of(Role.LEADER, frozenset({town.id}), today)
    account = db.session.scalars(select(Account).where(Account.person_id == person.id)).first()
    return people.actor_of(account, today) if account is not None else SYSTEM


def _with_device(leader: Actor, town: Area, name: str, place: str, now: dt.datetime) -> AtGate:
    gate = gates.add(leader, town.id, name, place, now)
    _device, code = gates.invite(leader, gate.id, "白班手机", now)
    _device, secret = gates.enrol(code, "", now)
    db.session.flush()
    return gates.by_secret(secret)


def _passes(town: Area, now: dt.datetime) -> list[VehiclePass]:
    """The town's granted passes, those that are good throughout the hours before ``now``."""
    query = select(VehiclePass).where(VehiclePass.town_id == town.id, VehiclePass.status == "granted")
    found = db.session.scalars(query.order_by(VehiclePass.id))
    first = now - dt.timedelta(hours=_HOURS)
    return [p for p in found if start_of_day(p.valid_from_on) <= first and now < end_of_day(p.valid_until_on)]


def build(now: dt.datetime) -> int:
    """Set up the gates and let a day pass; returns how many entries were kept, 0 where there are too few passes."""
    town = areas.by_code(CENTRE)
    passes = _passes(town, now) if town is not None else []
    if town is None or len(passes) < 2:
        return 0
    began = now - dt.timedelta(hours=_HOURS + 1)
    leader = _leader(town, now)
    at = [_with_device(leader, town, name, place, began) for name, place in _GATES]
    *good, dead = passes
    pass_life.settle(dead, "suspended", SYSTEM, now - dt.timedelta(hours=4), "企业停工整改，暂停使用")
    db.session.flush()
    day = _Day(now, random.Random(20200215))
    here = [*day.ordinary(good), *day.alarming(good, dead), day.sent(good[-1], now - dt.timedelta(minutes=48))]
    there = [day.sent(good[-1], now - dt.timedelta(minutes=40))]
    version, kept = pass_list.version_now(), 0
    for device, entries in zip(at, (here, there), strict=True):
        done = gate_entries.sync(device, Batch(tuple(entries), version), now)
        kept += sum(r.status == "kept" for r in done.results)
    return kept

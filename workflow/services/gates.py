"""Gates and the devices at them: added, changed, closed, counted anew; invited by a code, enrolled once, revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from workflow.core.actors import SYSTEM, Actor, AreaKind, Permission
from workflow.core.errors import N_, DomainError, Invalid, NotFound, StepClosed
from workflow.core.gate_rules import CODE_LASTS
from workflow.core.texts import clean_text, required_line
from workflow.data import areas, audit, gates
from workflow.data.areas import Area
from workflow.data.audit import Event
from workflow.data.gates import Gate, GateDevice
from workflow.extensions import db

LONGEST_NAME, LONGEST_PLACE = 40, 100
MOST_INSIDE = 999_999
SECRET_BYTES = 32
_KINDS = (AreaKind.TOWN.value, AreaKind.ZONE.value, AreaKind.BUILDING.value)
SEEN_EVERY = dt.timedelta(seconds=30)
"""So often it is written down that a device was in contact."""


class DeviceRefused(DomainError):
    """A request without the secret of a device in use; ``code`` says to the page what became of it."""

    status = 401

    def __init__(self, code: str) -> None:
        gone = N_("这台设备已被停用，本机数据已清除。需要继续使用的，请联系管理员重新登记。")
        strange = N_("这台设备没有登记，请扫描管理员提供的登记码。")
        super().__init__(gone if code == "revoked" else strange)
        self.code = code


@dataclass(frozen=True, slots=True)
class AtGate:
    """The device that speaks, and its gate, as plain values: they outlive the transaction they were read in."""

    device_id: int
    device_name: str
    seen_at: dt.datetime | None
    list_version: int
    gate_id: int
    gate_name: str
    place: str
    area: str
    town_id: int
    inside: int
    counted_at: dt.datetime | None


_BY_SECRET = (
    select(
        GateDevice.id,
        GateDevice.name,
        GateDevice.seen_at,
        GateDevice.list_version,
        Gate.id,
        Gate.name,
        Gate.place,
        Area.name,
        Gate.town_id,
        Gate.inside,
        Gate.counted_at,
        GateDevice.revoked_at,
    )
    .join(Gate, Gate.id == GateDevice.gate_id)
    .join(Area, Area.id == Gate.area_id)
    .where(GateDevice.secret_digest == bindparam("digest"))
)
"""The fields of :class:`AtGate` in their order, and when the device was revoked; made once, asked on every request."""


def digest_of(secret: str) -> str:
    """What is stored of a code or secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def by_secret(secret: str) -> AtGate:
    """The device that holds ``secret``; :class:`DeviceRefused` when none does or it was revoked."""
    found = db.session.execute(_BY_SECRET, {"digest": digest_of(secret)}).one_or_none() if secret else None
    if found is None:
        raise DeviceRefused("unknown")
    *values, revoked_at = found
    if revoked_at is not None:
        raise DeviceRefused("revoked")
    return AtGate(*values)


def note_seen(device: AtGate, list_version: int | None, now: dt.datetime) -> None:
    """Write down that a device was in contact and which list it holds, unless that was said a moment ago."""
    version = device.list_version if list_version is None else list_version
    recent = device.seen_at is not None and now - device.seen_at < SEEN_EVERY
    if recent and version == device.list_version:
        return
    this = update(GateDevice).where(GateDevice.id == device.device_id)
    db.session.execute(this.values(seen_at=now, list_version=version).execution_options(synchronize_session=False))


def places_for(actor: Actor) -> list[Area]:
    """The towns, zones and buildings in which the actor may set up a gate, by code."""
    inside = areas.lies_in(actor.areas_with(Permission.MANAGE_GATES))
    return list(db.session.scalars(select(Area).where(inside, Area.kind.in_(_KINDS)).order_by(Area.code)))


def get(actor: Actor, gate_id: int) -> Gate:
    """A gate that the actor may change; :class:`NotFound` for any other."""
    found = db.session.scalar(gates.managed_by(actor).where(Gate.id == gate_id))
    if found is None:
        raise NotFound()
    return found


def _lock(actor: Actor, gate_id: int) -> Gate:
    get(actor, gate_id)
    query = select(Gate).where(Gate.id == gate_id).with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).one()


def _record(event: Event, gate: Gate, actor: Actor, now: dt.datetime, **after: object) -> None:
    audit.record(event, chain=f"area:{gate.town_id}", actor=actor, at=now, after={"gate": gate.id, **after})


def _flush(gate: Gate) -> None:
    db.session.add(gate)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Invalid(N_("这个镇街已有同名的卡口。"), field="name") from error


def _place(text: str) -> str:
    place = " ".join(clean_text(text).split())
    if len(place) > LONGEST_PLACE:
        raise Invalid(N_("最多 %(n)s 个字，现为 %(m)s 个字。"), field="place", n=LONGEST_PLACE, m=len(place))
    return place


def add(actor: Actor, area_id: int, name: str, place: str, now: dt.datetime) -> Gate:
    """Set up a gate in an area of the actor's; :class:`Invalid` for any other area or a name that is taken."""
    inside = areas.lies_in(actor.areas_with(Permission.MANAGE_GATES))
    area = db.session.scalar(select(Area).where(inside, Area.kind.in_(_KINDS), Area.id == area_id))
    if area is None:
        raise Invalid(N_("请选择您辖区内的地点。"), field="area_id")
    gate = Gate(
        area=area,
        town_id=area.town_id or area.id,
        name=required_line(name, "name", LONGEST_NAME),
        place=_place(place),
        created_by=actor.person_id,
        created_at=now,
    )
    _flush(gate)
    _record(audit.GATE_ADDED, gate, actor, now)
    return gate


def change(actor: Actor, gate_id: int, name: str, place: str, now: dt.datetime) -> Gate:
    """Give a gate another name or description."""
    gate = _lock(actor, gate_id)
    gate.name, gate.place = required_line(name, "name", LONGEST_NAME), _place(place)
    _flush(gate)
    _record(audit.GATE_CHANGED, gate, actor, now, changed="words")
    return gate


def close(actor: Actor, gate_id: int, now: dt.datetime) -> int:
    """Close a gate and revoke its devices; returns how many. What they still hold of that gate is kept no more."""
    gate = _lock(actor, gate_id)
    if not gate.is_open:
        raise StepClosed(N_("这个卡口已经关闭。"))
    gate.is_open = False
    standing = [d for d in devices_of(gate_id) if d.revoked_at is None]
    for device in standing:
        _revoke(device, gate, actor, now)
    _record(audit.GATE_CHANGED, gate, actor, now, changed="closed", devices=len(standing))
    return len(standing)


def reopen(actor: Actor, gate_id: int, now: dt.datetime) -> Gate:
    """Open a closed gate again; its devices are enrolled anew."""
    gate = _lock(actor, gate_id)
    if gate.is_open:
        raise StepClosed(N_("这个卡口正在使用。"))
    gate.is_open = True
    _record(audit.GATE_CHANGED, gate, actor, now, changed="opened")
    return gate


def count_anew(actor: Actor, gate_id: int, inside: int, now: dt.datetime) -> Gate:
    """Say how many people are inside, as counted on the spot: entries from before don't move the number any more."""
    if not 0 <= inside <= MOST_INSIDE:
        raise Invalid(N_("请填写 0 至 %(n)s 的人数。"), field="inside", n=MOST_INSIDE)
    gate = _lock(actor, gate_id)
    before, gate.inside, gate.counted_at = gate.inside, inside, now
    _record(audit.GATE_COUNTED, gate, actor, now, inside=inside, before=before)
    return gate


def devices_of(gate_id: int) -> list[GateDevice]:
    """Every device of a gate, those in use first, then the newest."""
    query = select(GateDevice).where(GateDevice.gate_id == gate_id)
    return list(db.session.scalars(query.order_by(GateDevice.revoked_at.is_not(None), GateDevice.id.desc())))


def _devices_managed_by(actor: Actor) -> Select[GateDevice]:
    mine = gates.managed_by(actor).with_only_columns(Gate.id).order_by(None)
    return select(GateDevice).where(GateDevice.gate_id.in_(mine)).options(joinedload(GateDevice.gate))


def device(actor: Actor, device_id: int) -> GateDevice:
    """A device of a gate that the actor may change; :class:`NotFound` for any other."""
    found = db.session.scalar(_devices_managed_by(actor).where(GateDevice.id == device_id))
    if found is None:
        raise NotFound()
    return found


def _locked_device(actor: Actor, device_id: int) -> GateDevice:
    device(actor, device_id)
    query = select(GateDevice).where(GateDevice.id == device_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def invite(actor: Actor, gate_id: int, name: str, now: dt.datetime) -> tuple[GateDevice, str]:
    """Make room for one more device; returns it and the code that enrols it, which is stored nowhere."""
    gate = _lock(actor, gate_id)
    if not gate.is_open:
        raise StepClosed(N_("这个卡口已经关闭，不能再登记设备。"))
    words = required_line(name, "device_name", LONGEST_NAME)
    made = GateDevice(gate=gate, name=words, invited_by=actor.person_id, invited_at=now)
    code = _new_code(made, now)
    db.session.add(made)
    db.session.flush()
    _record(audit.DEVICE_INVITED, gate, actor, now, device=made.id)
    return made, code


def invite_again(actor: Actor, device_id: int, now: dt.datetime) -> tuple[GateDevice, str]:
    """A new code for a device that never enrolled; the old one is good no more."""
    found = _locked_device(actor, device_id)
    if found.secret_digest is not None or found.revoked_at is not None or not found.gate.is_open:
        raise StepClosed(N_("这台设备已登记或已停用，请另外添加设备。"))
    code = _new_code(found, now)
    found.invited_by, found.invited_at = actor.person_id, now
    _record(audit.DEVICE_INVITED, found.gate, actor, now, device=found.id)
    return found, code


def _new_code(made: GateDevice, now: dt.datetime) -> str:
    code = secrets.token_urlsafe(SECRET_BYTES)
    made.code_digest, made.code_until = digest_of(code), now + CODE_LASTS
    return code


def enrol(code: str, name: str, now: dt.datetime) -> tuple[GateDevice, str]:
    """Turn a code into a secret, once; :class:`NotFound` for a code that is used, over or never was, all alike."""
    over = NotFound(N_("登记码已使用、已过期或不存在，请让管理员重新生成。"))
    query = select(GateDevice).where(GateDevice.code_digest == digest_of(code)).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True)) if code else None
    if found is None or found.code_until is None or found.revoked_at is not None or now >= found.code_until:
        raise over
    if not found.gate.is_open:
        raise over
    secret = secrets.token_urlsafe(SECRET_BYTES)
    own = " ".join(clean_text(name).split())[:LONGEST_NAME]
    found.name = own or found.name
    found.code_digest = found.code_until = None
    found.secret_digest, found.enrolled_at, found.seen_at = digest_of(secret), now, now
    _record(audit.DEVICE_ENROLLED, found.gate, SYSTEM, now, device=found.id)
    return found, secret


def revoke(actor: Actor, device_id: int, now: dt.datetime) -> GateDevice:
    """Take a device out of use: from its next request on it is told so and forgets what it holds."""
    found = _locked_device(actor, device_id)
    if found.revoked_at is not None:
        raise StepClosed(N_("这台设备已经停用。"))
    _revoke(found, found.gate, actor, now)
    return found


def _revoke(found: GateDevice, gate: Gate, actor: Actor, now: dt.datetime) -> None:
    found.revoked_by, found.revoked_at = actor.person_id, now
    found.code_digest = found.code_until = None
    _record(audit.DEVICE_REVOKED, gate, actor, now, device=found.id)


@dataclass(frozen=True, slots=True)
class GateLine:
    """A gate as the list of gates shows it: how many devices are in use, and when one was last in contact."""

    gate: Gate
    devices: int
    seen_at: dt.datetime | None


def overview(actor: Actor) -> list[GateLine]:
    """The gates that the actor may change, open ones first, by town and name."""
    query = gates.managed_by(actor).order_by(Gate.is_open.desc(), Area.code, Gate.name)
    found = list(db.session.scalars(query))
    in_use = GateDevice.secret_digest.is_not(None) & GateDevice.revoked_at.is_(None)
    counted = (
        select(GateDevice.gate_id, func.count(GateDevice.id), func.max(GateDevice.seen_at))
        .where(GateDevice.gate_id.in_([g.id for g in found]), in_use)
        .group_by(GateDevice.gate_id)
    )
    devices = {gate_id: (number, seen_at) for gate_id, number, seen_at in db.session.execute(counted)}
    return [GateLine(g, *devices.get(g.id, (0, None))) for g in found]


def state_of(found: GateDevice, now: dt.datetime) -> str:
    """``revoked``, ``in_use``, ``invited``, or ``lapsed``: invited, but nobody came in time."""
    if found.revoked_at is not None:
        return "revoked"
    if found.secret_digest is not None:
        return "in_use"
    return "invited" if found.code_until is not None and now < found.code_until else "lapsed"

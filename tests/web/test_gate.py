"""What gate devices are answered: enrolment once, the signed list, checks, and entries kept once."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.services.gates_at_work import Issued, Stage, Standing, another, standing
from tests.web.test_statements import counting
from workflow.core.actors import Role
from workflow.data.gates import Gate, GateDay, GateDevice, GateEntry
from workflow.data.passes import fingerprint_of
from workflow.documents.list_tokens import read_list
from workflow.extensions import Model, db
from workflow.services import gates, keys


@dataclass
class Phone:
    """A device as the page is: its secret, what it holds of the list, and a browser without cookies."""

    client: FlaskClient
    secret: str
    version: int = 0
    day: str = ""
    held: frozenset[bytes] = frozenset()

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """One request with the secret."""
        known = {"Authorization": f"Device {self.secret}", **headers}
        return self.client.open(path, method=method, json=body, headers=known)

    def fetch(self) -> dict[str, Any]:
        """Fetch the bundle and apply the list as the page does, checking the signature."""
        answer = self.call("GET", f"/gate/bundle?version={self.version}&day={self.day}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        bundle: dict[str, Any] = answer.json
        found = bundle["list"]
        add, drop = (_items(found[name]) for name in ("add", "drop"))
        self.held = add if found["full"] else (self.held | add) - drop
        ring = {bytes.fromhex(k["kid"]): k for k in bundle["keys"]["keys"]}
        assert ring
        with self.client.application.app_context():
            claims = read_list(base64.b64decode(found["token"]), keys.public_keys())
        assert claims.digest == hashlib.sha256(b"".join(sorted(self.held))).digest()
        assert (claims.version, claims.day_on.isoformat()) == (found["version"], found["day"])
        assert claims.count == len(self.held)
        self.version, self.day = found["version"], found["day"]
        return bundle

    def sync(self, *entries: dict[str, Any], **body: object) -> list[dict[str, Any]]:
        """Send entries and return their results."""
        answer = self.call("POST", "/gate/sync", {"entries": list(entries), **body})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        results: list[dict[str, Any]] = answer.json["results"]
        return results


def _items(text: str) -> frozenset[bytes]:
    packed = base64.b64decode(text)
    return frozenset(packed[n : n + 5] for n in range(0, len(packed), 5))


def _mark(number: str) -> bytes:
    return fingerprint_of(number).to_bytes(5, "big")


Row = TypeVar("Row", bound=Model)


@dataclass
class Scene(Stage):
    """A gate with a phone, and a pass for 浙B12345; the web's clock is the stage's."""

    phone: Phone = field(init=False)
    at: Standing = field(init=False)
    good: Issued = field(init=False)

    def row(self, model: type[Row], *where: Any) -> Row:
        """The only row that there is."""
        with self.world():
            found = db.session.scalars(select(model).where(*where)).one()
            db.session.expunge(found)
            return found

    def kept(self) -> int:
        """How many entries there are."""
        with self.world():
            return db.session.scalar(select(func.count(GateEntry.id))) or 0


@pytest.fixture
def scene(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The scene, set."""
    found = Scene(app)
    with found.world() as world:
        found.at = standing(world)
    found.phone = Phone(client, found.at.secret)
    found.good = found.granted("浙B12345")
    monkeypatch.setattr("workflow.web.gate.now", lambda: found.now)
    return found


def test_a_code_enrols_once_and_in_time(scene: Scene) -> None:
    client = scene.phone.client
    with scene.world() as world:
        leader = world.actor(world.officer(Role.LEADER))
        invited, code = gates.invite(leader, scene.at.gate_id, "南侧手机", world.now)
        _other, late = gates.invite(leader, scene.at.gate_id, "北侧手机", world.now)
        db.session.commit()
        invited_id, gate_id = invited.id, scene.at.gate_id
    answer = client.post("/gate/enrol", json={"code": code, "name": "小李的手机"})
    assert answer.status_code == 200
    assert answer.json["device"] == {"id": invited_id, "name": "小李的手机"}
    assert (answer.json["gate"]["id"], answer.json["gate"]["name"]) == (gate_id, "东门卡口")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    stored = scene.row(GateDevice, GateDevice.id == invited_id)
    secret = answer.json["secret"]
    assert stored.secret_digest == gates.digest_of(secret)
    assert stored.code_digest is None
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    scene.later(minutes=15)
    for wrong in (code, late, "", "x" * 43, 7, None):
        refused = client.post("/gate/enrol", json={"code": wrong})
        assert refused.status_code in (404, 422), wrong
        assert refused.json["message"]
        assert "secret" not in refused.json
    assert client.get("/gate/bundle", headers={"Authorization": f"Device {secret}"}).status_code == 200


@pytest.mark.parametrize("header", ["", "Device", "Device x", "Bearer {secret}", "Device {digest}", "device {secret}"])
def test_without_the_secret_nothing_is_answered(scene: Scene, header: str) -> None:
    said = header.format(secret=scene.at.secret, digest=gates.digest_of(scene.at.secret))
    for method, path in (("GET", "bundle"), ("POST", "check"), ("POST", "sync")):
        answer = scene.phone.client.open(
            f"/gate/{path}", method=method, headers={"Authorization": said}, json={} if method == "POST" else None
        )
        assert (answer.status_code, answer.json["code"]) == (401, "unknown")
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_revoked_device_is_told_so_and_nothing_of_it_is_kept(scene: Scene) -> None:
    sent = scene.entry(scene.good)
    with scene.world() as world:
        gates.revoke(world.actor(world.officer(Role.LEADER)), scene.at.device_id, world.now)
        db.session.commit()
    for method, path, body in (("GET", "bundle", None), ("POST", "check", {}), ("POST", "sync", {"entries": [sent]})):
        answer = scene.phone.call(method, f"/gate/{path}", body)
        assert (answer.status_code, answer.json["code"]) == (401, "revoked")
        assert "停用" in answer.json["message"]
    english = scene.phone.call("GET", "/gate/bundle", **{"Accept-Language": "en-GB,en;q=0.9"})
    assert english.json["code"] == "revoked"
    assert scene.kept() == 0


def test_a_bundle_has_all_that_a_device_goes_by(scene: Scene) -> None:
    bundle = scene.phone.fetch()
    assert bundle["rules"] == {"fever": 37.3, "amber_hours": 4, "red_hours": 24, "wipe_hours": 72}
    assert bundle["keys"] == scene.phone.client.get("/.well-known/fugong-keys.json").json
    assert {k["key"] for k in bundle["kinds"]} >= {"goods", "commute", "notice"}
    assert {
        "number": 0,
        "key": "always",
        "label": "全天",
        "days": [*range(1, 8)],
        "from": "00:00",
        "until": "24:00",
    } in (bundle["schedules"])
    assert bundle["gate"]["inside"] == 0
    text = json.dumps(bundle, ensure_ascii=False)
    for personal in ("郑师傅", "浙B12345", scene.good.number, "宁波海曙试验"):
        assert str(personal) not in text


def test_a_device_gets_from_any_list_to_the_present_one(scene: Scene) -> None:
    phone = scene.phone
    assert phone.fetch()["list"]["full"] is True
    scene.settle(scene.good, "suspended")
    bundle = phone.fetch()
    assert (bundle["list"]["full"], phone.held) == (False, {_mark(scene.good.number or "")})
    assert len(base64.b64decode(bundle["list"]["token"])) < 200
    scene.settle(scene.good, "granted")
    assert phone.fetch()["list"]["full"] is False
    assert phone.held == frozenset()
    for version, day in (("-1", "2020-02-15"), ("1e3", ""), ("1", "2020-02-31"), ("٣", "x"), ("9" * 40, "2020-02-15")):
        answer = phone.call("GET", f"/gate/bundle?version={version}&day={day}")
        assert (answer.status_code, answer.json["list"]["full"]) == (200, True)


def test_a_get_writes_nothing_and_a_batch_notes_the_device(scene: Scene) -> None:
    scene.later(minutes=2)
    scene.phone.fetch()
    assert scene.row(GateDevice).seen_at == scene.now - dt.timedelta(minutes=2)
    assert scene.phone.sync(list_version=7) == []
    device = scene.row(GateDevice)
    assert (device.seen_at, device.list_version) == (scene.now, 7)


def _checked(scene: Scene, **body: object) -> dict[str, Any]:
    answer = scene.phone.call("POST", "/gate/check", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.json
    return found


def test_a_check_says_what_the_register_has_at_this_moment(scene: Scene) -> None:
    good, token = scene.good, scene.good.token or ""
    for body in ({"token": token}, {"token": f"HTTPS://LOCALHOST:8000/C/{token}"}, {"code": good.short_code}):
        found = _checked(scene, **body)
        assert (found["status"], found["plate"], found["number"]) == ("valid", "浙B·12345", good.number)
        assert found["schedule"] == {"label": "全天"}
        assert found["valid_until_on"] == good.valid_until_on.isoformat()
    assert _checked(scene, plate="浙b1234 5")["status"] == "valid"
    assert _checked(scene, plate="浙B1234Z")["status"] == "unknown"
    scene.settle(good, "suspended")
    for body in ({"token": token}, {"code": good.short_code}, {"plate": "浙B12345"}):
        assert _checked(scene, **body)["status"] == "revoked"
    scene.settle(good, "granted")
    scene.later(days=8)
    assert _checked(scene, token=token)["status"] == "expired"


def test_plates_that_look_alike_are_found_or_hinted_at(scene: Scene) -> None:
    scene.granted("浙B1O8S0".replace("O", "0"))
    found = _checked(scene, plate="浙BIO8SO")
    assert (found["status"], found["plate"]) == ("valid", "浙B·108S0")
    assert "I 和 O" in found["message"]
    near = _checked(scene, plate="浙B10B50")
    assert near["status"] == "unknown"
    assert "浙B·108S0" in near["message"]
    assert _checked(scene, plate="浙В12345")["status"] == "valid"  # a Cyrillic В


def test_all_passes_of_a_plate_are_shown_the_best_first(scene: Scene) -> None:
    day = scene.good.valid_until_on
    scene.settle(scene.granted("浙B12345", valid_from_on=day, valid_until_on=day), "revoked")
    found = _checked(scene, plate="浙B12345")
    assert [p["status"] for p in found["passes"]] == ["valid", "revoked"]
    assert found["status"] == "valid"


FOREIGN = [
    "HC1:6BFOXN%TSMAHN-HWWK5LLXB6ZU/6D*OJ:P3D0U%C5/I",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIzMzAyMDMwMDAwMDEifQ.",
    "https://example.org/health/code?id=330203",
    "",
    "浙B12345",
    "A" * 1900,
]


@pytest.mark.parametrize("text", [t for t in FOREIGN if t])
def test_codes_of_other_systems_are_refused(scene: Scene, text: str) -> None:
    assert _checked(scene, token=text)["status"] == "forged"


def test_altered_tokens_and_papers_are_no_passes(scene: Scene) -> None:
    token = scene.good.token or ""
    for altered in (
        token[:-1],
        token + token,
        token.lower() + "x",
        f"{token[:60]}{'A' if token[60] != 'A' else 'B'}{token[61:]}",
        f"{token}====",
        "A" + token[1:],
    ):
        assert _checked(scene, token=altered)["status"] == "forged", altered
    for bad in ({}, {"token": ""}, {"token": 7}, {"token": "A" * 2001}, [], "x"):
        answer = scene.phone.call("POST", "/gate/check", bad)
        assert answer.status_code == 422, bad
        assert answer.json["message"]


def test_an_entry_is_kept_once_whatever_is_sent_again(scene: Scene) -> None:
    first, second = scene.entry(scene.good, heads=3, temperatures=[36.5, 36.6, 36.4]), scene.entry()
    kept = scene.phone.sync(first, second, first)
    assert [(r["client_id"], r["status"]) for r in kept] == [
        (first["client_id"], "kept"),
        (second["client_id"], "kept"),
        (first["client_id"], "duplicate"),
    ]
    again = scene.phone.sync(second, first)
    assert [r["status"] for r in again] == ["duplicate", "duplicate"]
    assert again[0]["alarms"] == kept[1]["alarms"] == ["overridden"]
    gate, day = scene.row(Gate), scene.row(GateDay)
    assert (gate.inside, day.vehicles_in, day.people_in, day.alarms) == (4, 1, 4, 1)
    row = scene.row(GateEntry, GateEntry.client_id == first["client_id"])
    assert (row.checked, row.number, row.alarms, row.plate) == ("valid", scene.good.number, "", "浙B12345")


def test_a_name_of_another_device_is_refused(scene: Scene) -> None:
    mine = scene.entry(scene.good)
    scene.phone.sync(mine)
    with scene.world() as world:
        other = Phone(scene.phone.client, another(world, scene.at.gate_id).secret)
    (refused,) = other.sync(mine | {"heads": 50})
    assert (refused["status"], "另一台" in refused["message"]) == ("refused", True)
    assert scene.row(Gate).inside == 1


MALFORMED: dict[str, dict[str, Any]] = {
    "no name": {"client_id": "7"},
    "name is no text": {"client_id": ["x"]},
    "no time": {"at": ""},
    "time without offset": {"at": "2020-02-15T09:00:00"},
    "direction": {"direction": "sideways"},
    "decision": {"decision": None},
    "way": {"way": {}},
    "verdict": {"verdict": "fine"},
    "100 heads": {"heads": 100},
    "heads below 0": {"heads": -1},
    "half a head": {"heads": 1.5},
    "heads is true": {"heads": True},
    "NaN": {"temperatures": [float("nan")]},
    "infinite": {"temperatures": [float("inf")]},
    "45 degrees": {"temperatures": [36.5, 45]},
    "25 degrees": {"temperatures": [25]},
    "a word for degrees": {"temperatures": ["36.5"]},
    "temperatures no list": {"temperatures": 36.5},
    "a long plate": {"plate": "浙B1234567890"},
    "a long scan": {"token": "A" * 2001},
    "a scan that is no text": {"token": 5},
}


@pytest.mark.parametrize("wrong", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_entry_is_refused_alone(scene: Scene, wrong: dict[str, Any]) -> None:
    good = scene.entry(scene.good)
    results = scene.phone.sync(scene.entry(scene.good, **wrong), good)
    assert [r["status"] for r in results] == ["refused", "kept"]
    assert results[0]["message"]
    assert scene.kept() == 1


def test_words_and_plates_are_cleaned(scene: Scene) -> None:
    sent = scene.entry(scene.good, words="  特殊\u202e\u0000 情况\n" + "长" * 300, plate="浙ｂ·12345\u0000")
    assert scene.phone.sync(sent)[0]["status"] == "kept"
    row = scene.row(GateEntry)
    assert (row.plate, row.words[:5], len(row.words), row.alarms) == ("浙B12345", "特殊 情况", 200, "")


def test_whole_requests_that_are_none_are_refused(scene: Scene) -> None:
    many = [scene.entry() for _n in range(201)]
    answer = scene.phone.call("POST", "/gate/sync", {"entries": many})
    assert (answer.status_code, "200" in answer.json["message"]) == (422, True)
    heavy = scene.phone.call("POST", "/gate/sync", {"entries": [], "x": "x" * (2 << 20)})
    assert (heavy.status_code, bool(heavy.json["message"])) == (413, True)
    for body in ({}, {"entries": {}}, {"entries": "x"}, [], None, {"entries": [], "sent_at": "yesterday"}):
        assert scene.phone.call("POST", "/gate/sync", body).status_code in (415, 422), body
    assert [r["status"] for r in scene.phone.sync(*([None, 7, "x", []]))] == ["refused"] * 4  # type: ignore[list-item]
    assert scene.kept() == 0


def test_statements_are_few_and_fixed(scene: Scene) -> None:
    made = [scene.good, *(scene.granted() for _n in range(9))]
    first, single, batch = ([scene.entry(made[n % 10]) for n in range(count)] for count in (1, 1, 200))
    token = scene.good.token
    scene.phone.sync(*first)
    with counting() as one:
        scene.phone.sync(*single)
    with counting() as many:
        scene.phone.sync(*batch)
    with counting() as again:
        scene.phone.sync(*batch)
    with counting() as check:
        scene.phone.call("POST", "/gate/check", {"token": token})
    with counting() as bundle:
        scene.phone.fetch()
    assert [len(n) for n in (one, many, again, check, bundle)] == [5, 5, 4, 2, 4], (one, many, again, check, bundle)


def test_the_page_of_another_site_can_do_nothing(scene: Scene) -> None:
    """No cookie counts: a signed-in leader's browser is nobody at these addresses."""
    scene.phone.client.application.config["WTF_CSRF_ENABLED"] = True
    answer = scene.phone.client.post("/gate/sync", data='{"entries": []}', content_type="text/plain")
    assert answer.status_code == 401
    assert scene.phone.sync(scene.entry(scene.good))[0]["status"] == "kept"
    assert str(uuid.UUID(int=0)) not in answer.get_data(as_text=True)

"""The pages of gates and devices: set up, invited, revoked, closed, counted anew, and only in one's own areas."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import TOWN
from tests.conftest import sign_in
from tests.services.gates_at_work import Stage, Standing, standing
from tests.web.test_statements import counting
from workflow.core.actors import Role
from workflow.data import areas
from workflow.data.gates import GateDevice
from workflow.extensions import db


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A database, and the pages' clock."""
    found = Stage(app)
    for name in ("gates", "gate"):
        monkeypatch.setattr(f"workflow.web.{name}.now", lambda: found.now)
    return found


@pytest.fixture
def at(stage: Stage) -> Standing:
    """A gate with one enrolled device."""
    with stage.world() as world:
        return standing(world)


def _login(stage: Stage, role: Role, area: str = TOWN) -> str:
    with stage.world() as world:
        return world.new_officer(role, area).login


@pytest.fixture
def leader(stage: Stage, client: FlaskClient) -> FlaskClient:
    """The browser of a leader of the town."""
    return sign_in(client, _login(stage, Role.LEADER))


def _area(stage: Stage, code: str) -> int:
    with stage.world():
        found = areas.by_code(code)
        assert found is not None
        return found.id


def _device(stage: Stage, device_id: int) -> GateDevice:
    with stage.world():
        found = db.session.get_one(GateDevice, device_id)
        db.session.expunge(found)
        return found


def _post(client: FlaskClient, path: str, number: int, **data: object) -> tuple[int, str]:
    answer = client.post(path, data={"idempotency_key": f"gates-page-{number:04d}", **data})
    text = answer.get_data(as_text=True)
    return answer.status_code, answer.headers.get("Location", text)


def _page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_a_gate_is_set_up_and_a_phone_enrolled_by_what_the_page_shows(stage: Stage, leader: FlaskClient) -> None:
    assert "还没有卡口" in _page(leader, "/gates")
    town_id = _area(stage, TOWN)
    status, where = _post(leader, "/gates", 1, area_id=town_id, name="东门卡口", place="试验路口")
    assert status == 303
    gate_id = int(where.rsplit("/", 1)[1])
    assert "还没有设备" in _page(leader, where)
    status, where = _post(leader, f"/gates/{gate_id}/devices", 2, device_name="东门白班手机")
    page = _page(leader, where)
    code = re.search(r"/gate/#enrol=([\w-]{43})<", page)
    assert code is not None
    assert "<svg" in page
    assert f'data-progress-url="{where}"' in page
    enrolled = leader.post("/gate/enrol", json={"code": code[1]})
    assert enrolled.status_code == 200
    used = _page(leader, where)
    assert "可以使用了" in used
    assert "data-progress-part" in used  # what the page that waits looks for: no longer going, so it comes anew
    assert "data-going" not in used
    shown = _page(leader, f"/gates/{gate_id}")
    assert "使用中" in shown
    assert "东门白班手机" in shown
    assert "1 台设备" in _page(leader, "/gates")
    assert code[1] not in shown


def test_a_code_is_shown_only_where_it_was_made_and_in_time(stage: Stage, leader: FlaskClient, at: Standing) -> None:
    _status, where = _post(leader, f"/gates/{at.gate_id}/devices", 1, device_name="备用")
    device_id = int(where.split("/")[3])
    other = sign_in(stage.app.test_client(), _login(stage, Role.LEADER))
    assert "#enrol=" not in _page(other, where)
    assert "#enrol=" in _page(leader, where)
    _status, again = _post(leader, f"/gates/devices/{device_id}/invite", 2)
    assert again == where
    stage.later(minutes=15)
    late = _page(leader, where)
    assert "#enrol=" not in late
    assert "登记码已过期" in late
    assert "登记码已过期" in _page(leader, f"/gates/{at.gate_id}")


def test_a_device_is_revoked_and_a_closed_gate_revokes_its_own(stage: Stage, leader: FlaskClient, at: Standing) -> None:
    assert _post(leader, f"/gates/devices/{at.device_id}/revoke", 1)[0] == 303
    assert _post(leader, f"/gates/devices/{at.device_id}/revoke", 2)[0] == 409
    secret = {"Authorization": f"Device {at.secret}"}
    assert leader.get("/gate/bundle", headers=secret).json["code"] == "revoked"
    _status, where = _post(leader, f"/gates/{at.gate_id}/devices", 3, device_name="备用")
    device_id = int(where.split("/")[3])
    assert _post(leader, f"/gates/{at.gate_id}/close", 4)[0] == 303
    device = _device(stage, device_id)
    assert (device.revoked_at, device.code_digest) == (stage.now, None)
    assert _post(leader, f"/gates/{at.gate_id}/devices", 5, device_name="晚班")[0] == 409
    assert _post(leader, f"/gates/{at.gate_id}/close", 6)[0] == 409
    assert "已关闭" in _page(leader, "/gates")
    assert _post(leader, f"/gates/{at.gate_id}/open", 7)[0] == 303
    assert "添加设备" in _page(leader, f"/gates/{at.gate_id}")


def test_what_is_wrong_is_said_and_what_was_typed_stays(stage: Stage, leader: FlaskClient, at: Standing) -> None:
    town_id, elsewhere = _area(stage, TOWN), _area(stage, "330206004")
    status, page = _post(leader, "/gates", 1, area_id=town_id, name="东门卡口", place="另一路口")
    assert (status, "同名" in page, "另一路口" in page) == (422, True, True)
    for area, name in (("", "x"), (elsewhere, "x"), (town_id, " "), (town_id, "长" * 41), ("x", "x")):
        assert _post(leader, "/gates", 2, area_id=area, name=name, place="")[0] == 422, (area, name)
    for inside in ("", "-1", "1.5", "1000000", "9" * 30):
        assert _post(leader, f"/gates/{at.gate_id}/count", 3, inside=inside)[0] == 422, inside
    assert _post(leader, f"/gates/{at.gate_id}", 4, name="", place="")[0] == 422
    assert _post(leader, f"/gates/{at.gate_id}/devices", 5, device_name="")[0] == 422


def test_counting_anew_and_other_words_are_recorded(stage: Stage, leader: FlaskClient, at: Standing) -> None:
    assert _post(leader, f"/gates/{at.gate_id}/count", 1, inside="12")[0] == 303
    assert _post(leader, f"/gates/{at.gate_id}", 2, name="东门主卡口", place="")[0] == 303
    page = _page(leader, f"/gates/{at.gate_id}")
    assert "12 人" in page
    assert "东门主卡口" in page


@pytest.mark.parametrize("role", [Role.LEADER, Role.ADMIN])
def test_gates_of_other_areas_are_not_there(stage: Stage, client: FlaskClient, at: Standing, role: Role) -> None:
    sign_in(client, _login(stage, role, "330206" if role is Role.ADMIN else "330206004"))
    assert "东门卡口" not in _page(client, "/gates")
    for path in (f"/gates/{at.gate_id}", f"/gates/devices/{at.device_id}/invitation"):
        assert client.get(path).status_code == 404
    for n, path in enumerate(("", "/close", "/open", "/count", "/devices")):
        assert _post(client, f"/gates/{at.gate_id}{path}", n, name="x", inside="1", device_name="x")[0] == 404
    for n, path in enumerate(("invite", "revoke"), 10):
        assert _post(client, f"/gates/devices/{at.device_id}/{path}", n)[0] == 404
    assert _device(stage, at.device_id).revoked_at is None


def test_pages_take_few_statements_however_many_gates(stage: Stage, leader: FlaskClient, at: Standing) -> None:
    with stage.world() as world:
        for n in range(12):
            standing(world, f"卡口{n}")
    with counting() as index:
        _page(leader, "/gates")
    with counting() as one:
        _page(leader, f"/gates/{at.gate_id}")
    assert len(index) <= 10, index
    assert len(one) <= 10, one


def test_a_list_behind_is_said(stage: Stage, leader: FlaskClient, at: Standing) -> None:
    stage.later(hours=25)
    page = _page(leader, f"/gates/{at.gate_id}")
    assert "fg-badge--danger" in page

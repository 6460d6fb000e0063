"""The gate log's pages: whose gates, filters, what was wrong in words, paging, and the log as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from tests.services import gate_rows
from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.core.times import shanghai_day, shanghai_time, start_of_day
from workflow.data import audit
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.extensions import db
from workflow.services import passes as pass_service
from workflow.services.gate_log_file import mask_plate
from workflow.web.clock import now as real_now

OTHER_TOWN = "330203003"
NOON = start_of_day(shanghai_day(real_now())) + dt.timedelta(minutes=1)
"""Today, and over: the log is asked for from today's midnight on."""
PLATE = re.compile(r'<td class="fg-cell-name"><span class="fg-plate">([^<]+)</span>')


@pytest.fixture
def gates(site: Site) -> dict[str, tuple[int, int]]:  # noqa: F811
    """Two gates of the town with a day behind them, and one of another town."""
    with site.building() as world:
        made = {
            "east": gate_rows.gate(world, "东门卡口", inside=12),
            "south": gate_rows.gate(world, "南门卡口", inside=3),
            "far": gate_rows.gate(world, "邻镇卡口", OTHER_TOWN),
        }
        gate_rows.count(made["east"][0], NOON, vehicles_in=4, people_in=9, alarms=2, turned_back=1)
        gate_rows.count(made["south"][0], NOON, vehicles_in=1, vehicles_out=1, people_in=2, handed_over=1)
        gate_rows.count(made["far"][0], NOON, vehicles_in=77)
        db.session.commit()
        return made


def granted(site: Site, case_id: int, plate: str) -> tuple[int, str]:  # noqa: F811
    """A granted pass: its id and number."""
    with site.building() as world:
        case = db.session.get_one(Case, case_id)
        world.now = real_now()
        made = VehiclePass(
            case=case,
            town_id=case.town_id,
            plate=plate,
            plate_kind="ordinary",
            vehicle_type="中型货车",
            purpose="goods",
            route="海曙 → 北仑",
            drivers=["郑师傅"],
            valid_from_on=shanghai_day(world.now),
            valid_until_on=shanghai_day(world.now) + dt.timedelta(days=6),
            status="requested",
            requested_by=world.officer(Role.REVIEWER).person_id,
            requested_at=world.now,
        )
        db.session.add(made)
        db.session.flush()
        pass_service.grant(world.actor(world.officer(Role.REVIEWER)), made.id, world.now)
        db.session.commit()
        return made.id, made.number or ""


def test_everybody_sees_the_gates_of_their_area(site: Site, gates: dict[str, tuple[int, int]]) -> None:  # noqa: F811
    with site.building():
        gate_rows.keep([gate_rows.entry(gates["east"], NOON), gate_rows.entry(gates["south"], NOON, plate="浙B54321")])
        gate_rows.keep([gate_rows.entry(gates["far"], NOON, plate="浙B99999")], OTHER_TOWN)
        db.session.commit()
    for role in (Role.GUARD, Role.REVIEWER, Role.LEADER):
        body = page(site.officer(role).get("/gates/log"))
        assert sorted(PLATE.findall(body)) == ["浙B·12345", "浙B·54321"], role
        assert "东门卡口" in body
        assert "邻镇卡口" not in body
        assert "5<small> / 11</small>" in body
        assert "<dt>现在在内</dt><dd>15</dd>" in body
    far = page(site.officer(Role.GUARD, OTHER_TOWN).get("/gates/log"))
    assert PLATE.findall(far) == ["浙B·99999"]
    assert PLATE.findall(page(site.officer(Role.GUARD, OTHER_TOWN).get(f"/gates/log?gate={gates['east'][0]}"))) == []
    assert sorted(PLATE.findall(page(site.officer(Role.AUDITOR, "3302").get("/gates/log")))) == [
        "浙B·12345",
        "浙B·54321",
        "浙B·99999",
    ]
    assert site.officer(Role.INSPECTOR).get("/gates/log").status_code == 403
    assert "还没有卡口" in page(site.officer(Role.GUARD, "330212002").get("/gates/log"))


def test_filters_narrow_and_nonsense_is_left_out(site: Site, gates: dict[str, tuple[int, int]]) -> None:  # noqa: F811
    east, before = gates["east"], NOON - dt.timedelta(days=3)
    with site.building():
        gate_rows.keep(
            [
                gate_rows.entry(east, NOON, plate="浙B10001"),
                gate_rows.entry(east, NOON, plate="浙B10002", decision="turn_back", verdict="expired"),
                gate_rows.entry(gates["south"], NOON, plate="浙B10003", alarms="fever overridden", temperatures=[38.2]),
                gate_rows.entry(east, before, plate="浙B10004", number="330203000001"),
            ]
        )
        db.session.commit()
    client = site.officer(Role.LEADER)

    def found(query: str) -> list[str]:
        return sorted(PLATE.findall(page(client.get(f"/gates/log?{query}"))))

    day = shanghai_day(before).isoformat()
    assert found(f"gate={east[0]}") == ["浙B·10001", "浙B·10002"]
    assert found("decision=turn_back") == ["浙B·10002"]
    assert found("alarm=any") == found("alarm=fever") == ["浙B·10003"]
    assert found("alarm=forged") == []
    assert found("plate=bio003") == found("plate=10003") == ["浙B·10003"]
    assert found(f"from={day}&until={day}") == found(f"from={day}&number=330203000001") == ["浙B·10004"]
    assert len(found(f"from={day}&until={shanghai_day(NOON)}")) == 4
    for query in ("from=2020-13-45&until=x&gate=x&decision=x&alarm=x", "after=1-1", "before=9-x", "from=0001-01-01"):
        assert client.get(f"/gates/log?{query}").status_code == 200
    body = page(client.get("/gates/log?alarm=fever"))
    assert "最高 38.2 ℃" in body
    assert "有人体温达到 37.3 ℃ 或以上" in body
    assert "[38.2]" not in body


@pytest.fixture
def case_id(site: Site) -> int:  # noqa: F811
    """An approved case of the town, from before its gates were put up."""
    return site.case("approved", name="宁波海曙东方之星国际物流供应链管理有限公司")


def test_alarms_say_what_was_wrong(site: Site, case_id: int, gates: dict[str, tuple[int, int]]) -> None:  # noqa: F811
    dead_id, dead = granted(site, case_id, "浙B20001")
    _id, twice = granted(site, case_id, "浙B20002")
    with site.building() as world:
        died = NOON - dt.timedelta(minutes=50)
        pass_service.revoke(world.actor(world.officer(Role.REVIEWER)), dead_id, "提供虚假材料", died)
        gate_rows.keep(
            [
                gate_rows.entry(
                    gates["east"],
                    NOON,
                    number=dead,
                    plate="浙B20001",
                    alarms="late_revoked",
                    checked="revoked",
                    is_offline=True,
                    list_age=2 * 3600,
                ),
                gate_rows.entry(gates["south"], NOON - dt.timedelta(seconds=20), number=twice, plate="浙B20002"),
                gate_rows.entry(gates["east"], NOON, number=twice, plate="浙B30003", alarms="mismatch two_gates"),
                gate_rows.entry(gates["east"], NOON, alarms="overridden clock", verdict="expired", clock_off=-900),
            ]
        )
        db.session.commit()
    made = shanghai_time(NOON - dt.timedelta(hours=2))
    body = page(site.officer(Role.LEADER).get("/gates/log"))
    assert f"通行证在 {shanghai_time(died):%m-%d %H:%M} 已失效；设备的名单是 {made:%m-%d %H:%M} 的" in body
    assert "证上是 浙B·20002，现场车牌是 浙B·30003" in body
    assert "在“南门卡口”进入，没有离开记录" in body
    assert "查验结果是“已过期”，仍然放行" in body
    assert "设备时钟偏差 15 分钟" in body
    assert f"/cases/{case_id}#passes" in body
    assert "东方之星" in body
    guard = page(site.officer(Role.GUARD).get("/gates/log"))
    assert "证上是 浙B·20002" in guard
    assert "东方之星" not in guard
    assert f"/cases/{case_id}" not in guard
    assert "/gates/log/export" not in guard


def test_ten_thousand_entries_are_read_a_page_at_a_time(site: Site, gates: dict[str, tuple[int, int]]) -> None:  # noqa: F811
    step = dt.timedelta(milliseconds=5)
    with site.building():
        rows = [gate_rows.entry(gates["east"], NOON + n // 2 * step, plate=f"浙B{n:05d}") for n in range(10_000)]
        gate_rows.keep(rows)
        db.session.commit()
    client = site.officer(Role.LEADER)
    with counted(site.app) as seen:
        body = page(client.get("/gates/log"))
    assert len(seen) <= 15, seen
    assert len(body.encode()) <= 120_000
    shown = PLATE.findall(body)
    for _page in range(3):
        on = re.search(r'href="([^"]+)" rel="next"', body)
        assert on
        body = page(client.get(on[1].replace("&amp;", "&")))
        shown += PLATE.findall(body)
    assert shown == [f"浙B·{n:05d}" for n in range(9999, 9799, -1)]
    back = re.search(r'href="([^"]+)" rel="prev"', body)
    assert back
    assert PLATE.findall(page(client.get(back[1].replace("&amp;", "&")))) == shown[100:150]


def test_the_log_as_a_file_masks_plates_and_is_recorded(site: Site, gates: dict[str, tuple[int, int]]) -> None:  # noqa: F811
    with site.building():
        gate_rows.keep(
            [gate_rows.entry(gates["east"], NOON, plate="浙BD12345", words="=1+1", temperatures=[36.4, 36.8])]
        )
        gate_rows.keep([gate_rows.entry(gates["far"], NOON, plate="浙B99999")], OTHER_TOWN)
        db.session.commit()
    leader, reviewer = site.officer(Role.LEADER), site.officer(Role.REVIEWER)
    assert "完整车牌" in page(leader.get("/gates/log/export?plate=1"))
    assert "车牌会遮盖" in page(reviewer.get("/gates/log/export"))
    answer = site.post(reviewer, "/gates/log/export", format="csv")
    head, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert [(r[head.index("车牌")], r[head.index("最高体温")], r[head.index("说明")]) for r in rows] == [
        ("浙B***45", "36.8", "'=1+1")
    ]
    assert site.post(reviewer, "/gates/log/export", format="csv", unmasked="1", reason="疫情流调").status_code == 403
    assert site.post(leader, "/gates/log/export", format="xlsx", unmasked="1").status_code == 422
    assert site.post(leader, "/gates/log/export", format="doc").status_code == 422
    whole = site.post(leader, "/gates/log/export", format="xlsx", unmasked="1", reason="疫情流调")
    book = CalamineWorkbook.from_filelike(io.BytesIO(whole.data))
    assert book.get_sheet_by_index(0).to_python()[1][5] == "浙BD12345"
    assert site.post(site.officer(Role.GUARD), "/gates/log/export", format="csv").status_code == 403
    assert site.post(site.officer(Role.INSPECTOR), "/gates/log/export", format="csv").status_code == 403
    with site.app.app_context():
        kept = db.session.scalars(select(AuditEntry).where(AuditEntry.event == audit.GATE_LOG_EXPORTED)).all()
        assert [(e.after["rows"], e.after["personal"]) for e in kept] == [(1, "masked"), (1, "unmasked")]
        assert "浙" not in str([e.after for e in kept])
        assert list(audit.verify()) == []


def test_plates_are_masked_so_that_no_vehicle_is_known() -> None:
    assert [mask_plate(p) for p in ("浙B12345", "浙BD12345", "WJ", "")] == ["浙B***45", "浙B***45", "***", ""]


def test_the_board_has_a_card_of_todays_gates(site: Site, gates: dict[str, tuple[int, int]]) -> None:  # noqa: F811
    body = page(site.officer(Role.COMMANDER, "3302").get("/board"))
    assert "卡口今日" in body
    assert "82" in body
    body = page(site.officer(Role.LEADER).get("/board"))
    assert re.search(r"卡口今日.*?15", body, re.S)
    assert "卡口今日" not in page(site.officer(Role.LEADER, "330212002").get("/board"))

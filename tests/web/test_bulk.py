"""The pages of bulk work and exports: preview, start, progress, results, and whose they are."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.data.bulk import BulkJob
from workflow.data.cases import Case
from workflow.data.exports import Export
from workflow.data.people import Account
from workflow.extensions import db
from workflow.jobs import drain
from workflow.web.clock import now as real_now

TICKED = re.compile(r'name="row" value="(\d+)-(\d+)"')


@pytest.fixture
def two(site: Site) -> tuple[int, int]:  # noqa: F811
    """Two submitted cases of the town."""
    return site.case(name="宁波海曙晨光服装有限公司"), site.case(name="宁波100%棉_纺🧵织'厂有限公司")


def work(site: Site) -> None:  # noqa: F811
    """Let the worker do what waits."""
    with site.app.app_context():
        drain.drain(real_now)
        db.session.remove()


def ticked(body: str) -> list[str]:
    """What the preview would start with."""
    return [f"{case_id}-{version}" for case_id, version in TICKED.findall(body)]


def test_preview_start_and_a_result_per_case(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    third = site.case()
    with site.building() as world:
        world.step(world.officer(Role.REVIEWER), db.session.get_one(Case, third), "accept")
    client = site.officer(Role.REVIEWER)
    body = page(site.post(client, "/desk/bulk", action="accept", case=[str(i) for i in (*two, third, 999_999)]))
    assert "选了 3 件，其中 2 件可以办" in body
    assert "1 件现在不能办" in body
    rows = ticked(body)
    assert {int(r.split("-")[0]) for r in rows} == set(two)
    rows[1] = f"{two[1]}-999"
    answer = site.post(client, "/bulk", action="accept", step="accept", row=rows)
    assert answer.status_code == 303
    result = page(client.get(answer.headers["Location"]))
    assert "共 2 件" in result
    assert "未成 1 件" in result
    assert "已被他人更新" in result
    assert [site.read(i)[1] for i in (*two, third)] == ["reviewing", "submitted", "reviewing"]
    assert "批量办理" in page(client.get("/bulk"))


def test_the_same_form_twice_makes_one_job(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    rows = ticked(page(site.post(client, "/desk/bulk", action="accept", case=[str(i) for i in two])))
    data = {"idempotency_key": "bulk-double-click", "action": "accept", "step": "accept", "row": rows}
    answers = [client.post("/bulk", data=data) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with site.app.app_context():
        assert len(db.session.scalars(select(BulkJob)).all()) == 1


def test_none_and_too_many_lead_back_to_the_queue(site: Site) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    answer = site.post(client, "/desk/bulk", action="accept")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk")
    assert "请先勾选案件" in page(client.get("/desk"))
    assert site.post(client, "/desk/bulk", action="accept", cases=",".join(map(str, range(1001)))).status_code == 303
    assert site.post(client, "/bulk", action="accept", step="accept", row=["1"]).status_code == 422
    assert site.post(client, "/bulk", action="accept", step="accept").status_code == 303
    assert site.post(client, "/desk/bulk", action="nonsense", case="1").status_code == 404


def test_another_town_and_other_roles_change_nothing(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    row = f"{two[0]}-{site.read(two[0])[0]}"
    other = site.officer(Role.REVIEWER, "330203003")
    assert "晨光" not in page(site.post(other, "/desk/bulk", action="accept", case=str(two[0])))
    assert site.post(other, "/bulk", action="accept", step="accept", row=row).status_code == 404
    for role in (Role.AUDITOR, Role.ADMIN):
        client = site.officer(role, "3302")
        assert site.post(client, "/desk/bulk", action="accept", case=str(two[0])).status_code == 403
        assert site.post(client, "/bulk", action="accept", step="accept", row=row).status_code == 403
    assert site.read(two[0])[1] == "submitted"


def test_a_big_job_shows_progress_and_is_its_makers_alone(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    site.copies(two[0], 60)
    client = site.officer(Role.REVIEWER)
    body = page(site.post(client, "/desk/bulk?tab=open&all=1", action="accept"))
    assert "选了 62 件" in body
    answer = site.post(client, "/bulk", action="accept", step="accept", row=ticked(body))
    url = answer.headers["Location"]
    shown = page(client.get(url))
    assert "<noscript>" in shown  # without a script there is a link that looks again
    assert "还剩 62 件" in shown
    assert "data-going" in page(client.get(f"{url}/rows"))
    stranger = site.officer(Role.LEADER)
    for path in (url, f"{url}/rows"):
        assert stranger.get(path).status_code == 404
    for move in ("pause", "cancel"):
        assert site.post(stranger, f"{url}/{move}").status_code == 404
    assert site.post(client, f"{url}/explode").status_code == 404
    site.post(client, f"{url}/pause")
    assert "已暂停" in page(client.get(url))
    site.post(client, f"{url}/resume")
    work(site)
    with counted(site.app) as seen:
        done = page(client.get(url))
    assert len(seen) <= 15, seen
    assert "共 62 件，已办理 62 件" in done
    assert "data-going" not in done


def test_decisions_one_after_the_other(site: Site) -> None:  # noqa: F811
    with site.building(days_ago=3) as world:
        ids = [world.conclude(world.scheduled()).id for _ in range(2)]
        for case_id in ids:
            case = db.session.get_one(Case, case_id)
            case.due_at = case.due_at.replace(year=2099)
    client = site.officer(Role.LEADER)
    body = page(site.post(client, "/desk/bulk", action="decide", step="approve", case=[str(i) for i in ids]))
    assert body.count("<textarea") == 2
    fields = {"action": "decide", "step": "approve", "row": ticked(body), "cases": ",".join(map(str, ids))}
    empty = site.post(client, "/bulk", **fields)
    assert empty.status_code == 422
    same = {f"words_{i}": "同意" for i in ids}
    refused = site.post(client, "/bulk", **fields, **same)
    assert refused.status_code == 422
    text = refused.get_data(as_text=True)
    assert "逐件核对过" in text
    assert text.count(">同意</textarea>") == 2
    answer = site.post(client, "/bulk", **fields, **{f"words_{ids[0]}": "物资齐备，同意"})
    assert "共 1 件，已审定 1 件" in page(client.get(answer.headers["Location"]))
    assert [site.read(i)[1] for i in ids] == ["approved", "awaiting_decision"]


def test_assigning_scheduling_and_reminding_have_their_forms(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    reviewer = site.login(Role.REVIEWER)
    leader = site.officer(Role.LEADER)
    body = page(site.post(leader, "/desk/bulk", action="assign", case=[str(i) for i in two]))
    assert "自动分派" in body
    with site.app.app_context():
        person = db.session.scalars(select(Account.person_id).where(Account.login == reviewer)).one()
        db.session.rollback()
    assert f'value="{person}"' in body
    answer = site.post(leader, "/bulk", action="assign", person=str(person), row=ticked(body))
    assert "已分派 2 件" in page(leader.get(answer.headers["Location"]))
    visit = site.case("reviewed")
    with site.building() as world:
        first, second = (a.person_id for a in world.inspectors())
        login = world.inspectors()[0].login
        day = f"{world.later(days=3):%Y-%m-%d}"
    inspector = site.browser(login)
    body = page(site.post(inspector, "/desk/bulk", action="schedule", case=str(visit)))
    fields = {"action": "schedule", "row": ticked(body), "cases": str(visit), "lead_id": str(first), "start": "09:00"}
    bad = site.post(inspector, "/bulk", **fields, second_id=str(first), day=day, minutes="30")
    assert bad.status_code == 422
    assert "两名不同" in bad.get_data(as_text=True)
    good = site.post(inspector, "/bulk", **fields, second_id=str(second), day=day, minutes="30")
    assert "已安排 1 件" in page(inspector.get(good.headers["Location"]))
    client = site.browser(reviewer)
    assert "不在企业手中" in page(site.post(client, "/desk/bulk", action="remind", case=str(two[0])))


def test_an_export_is_ordered_written_and_fetched(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    assert "还没有导出" in page(client.get("/exports"))
    form = page(client.get("/exports/new?tab=open&q=晨光"))
    assert "导出 1 件案件" in form
    assert 'name="unmasked"' not in form
    assert site.post(client, "/exports", tab="open", format="xlsx", unmasked="1", reason="试一试").status_code == 403
    assert site.post(client, "/exports", tab="open", format="pdf").status_code == 422
    answer = site.post(client, "/exports", tab="open", q="晨光", format="csv")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/exports")
    assert "data-going" in page(client.get("/exports/rows"))
    work(site)
    assert "可下载" in page(client.get("/exports"))
    with site.app.app_context():
        export_id = db.session.scalars(select(Export.id)).one()
        db.session.rollback()
    fetched = client.get(f"/exports/{export_id}/file")
    assert fetched.status_code == 200
    assert fetched.get_data().decode("utf-8-sig").count("晨光") == 1
    assert fetched.headers["Cache-Control"] == "private, no-store"
    assert "attachment" in fetched.headers["Content-Disposition"]
    assert site.officer(Role.LEADER).get(f"/exports/{export_id}/file").status_code == 404
    assert site.post(client, f"/exports/{export_id}/cancel").status_code == 409


def test_ticked_cases_can_be_exported(site: Site, two: tuple[int, int]) -> None:  # noqa: F811
    client = site.officer(Role.LEADER)
    form = page(site.post(client, "/desk/bulk", action="export", case=[str(i) for i in two]))
    assert "导出 2 件案件" in form
    assert 'name="unmasked"' in form
    asked = {"cases": ",".join(map(str, two)), "format": "xlsx", "unmasked": "1"}
    assert site.post(client, "/exports", **asked).status_code == 422
    assert site.post(client, "/exports", **asked, reason="电话核实").status_code == 303

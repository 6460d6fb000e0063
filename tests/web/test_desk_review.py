"""Reviewing materials, the case page and its steps, and deciding on passes."""

from __future__ import annotations

import pytest

from tests.web.desk_fixtures import Site, counted, material_id, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.data.cases import Case
from workflow.data.passes import VehiclePass
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import passes as pass_service

NASTY = "<script>alert(1)</script>{{7*7}}<img src=x onerror=alert(2)>"


def _accepted(site: Site, **answers: str) -> int:  # noqa: F811
    with site.building() as world:
        case = world.submitted(**answers)
        return world.step(world.officer(Role.REVIEWER), case, "accept").id


def _judge(site: Site, client, case_id: int, slot: str, verdict: str, words: str = "", **more: str):  # type: ignore[no-untyped-def] # noqa: F811
    material = material_id(site, case_id, slot)
    fields = {"verdict": verdict, "words": words, "seen_rev": _revision(site, material), **more}
    return site.post(client, f"/cases/{case_id}/materials/{material}/verdict", **fields)


def _revision(site: Site, material: int) -> str:  # noqa: F811
    from workflow.data.materials import Material

    with site.app.app_context():
        return str(db.session.get_one(Material, material).content_rev)


def test_the_case_page_answers_whether_it_may_be_approved(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site, size="above", head_count="300")
    body = page(site.officer(Role.REVIEWER).get(f"/cases/{case_id}"))
    assert "材料审核通过" in body
    assert "项材料未审定为符合" in body
    assert "没有需要补正的材料" in body
    assert "13800138000" in body
    assert "规上（限上）企业复工审核" in body
    leader = page(site.officer(Role.LEADER).get(f"/cases/{case_id}"))
    assert "现在不由您办理" in leader
    assert "/steps/" not in leader


def test_whatever_the_company_wrote_is_shown_as_text(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site, name=f"宁波{NASTY}厂", reason=NASTY, address=NASTY)
    client = site.officer(Role.REVIEWER)
    for url in (f"/cases/{case_id}", f"/cases/{case_id}/materials", "/desk", f"/cases/{case_id}/materials/summary"):
        body = page(client.get(url))
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "{{7*7}}" in body
        assert "宁波49厂" not in body


def test_a_review_leads_from_item_to_item_and_ends_in_the_summary(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site)
    client = site.officer(Role.REVIEWER)
    url = f"/cases/{case_id}/materials"
    seen = 0
    while "/summary" not in url:
        body = page(client.get(url))
        action = body.split("data-review", 1)[0].rsplit('action="', 1)[1].split('"')[0]
        material = int(action.split("/")[4])
        answer = site.post(client, action, verdict="ok", words="", seen_rev=_revision(site, material))
        assert answer.status_code == 303
        url, seen = answer.headers["Location"], seen + 1
        assert seen < 20
    assert "全部材料都已审定为符合" in page(client.get(url))
    version = site.read(case_id)[0]
    assert site.post(client, f"/cases/{case_id}/steps/pass_materials", version=str(version)).status_code == 303
    assert site.read(case_id)[1] == "awaiting_inspection"


def test_a_flag_without_words_keeps_what_was_chosen(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site)
    answer = _judge(site, site.officer(Role.REVIEWER), case_id, "M02", "wrong")
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "请写明哪里不对" in body
    assert 'value="wrong"' in body
    assert "checked" in body.split('value="wrong"')[0].rsplit("<input", 1)[1] + body.split('value="wrong"')[1][:40]


def test_everything_flagged_is_shown_before_it_is_told(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site)
    with site.building() as world:
        world.judge_all(db.session.get_one(Case, case_id), M02="方案缺少值班表", licence=NASTY)
    client = site.officer(Role.REVIEWER)
    for url in (f"/cases/{case_id}/materials/summary", f"/cases/{case_id}"):
        body = page(client.get(url))
        assert "方案缺少值班表" in body
        assert "<script>alert" not in body
        assert "一次性告知" in body
    version = str(site.read(case_id)[0])
    answer = site.post(client, f"/cases/{case_id}/steps/return_for_correction", version=version, note="")
    assert answer.status_code == 303
    assert site.read(case_id)[1] == "correcting"


def test_refusals_of_a_review(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site)
    other = site.officer(Role.REVIEWER, "330203003")
    assert _judge(site, other, case_id, "M02", "ok").status_code == 404
    assert _judge(site, site.officer(Role.LEADER), case_id, "M02", "ok").status_code == 403
    client = site.officer(Role.REVIEWER)
    assert _judge(site, client, case_id, "M02", "ok", seen_rev="99").status_code == 409
    assert _judge(site, client, case_id, "M02", "ok", seen_rev="").status_code == 409
    assert _judge(site, client, case_id, "M02", "nonsense").status_code == 422
    assert _judge(site, client, case_id, "M02", "wrong", words="长" * 2001).status_code == 422
    assert client.get(f"/cases/{case_id}/materials?m=999999").status_code == 404


def test_refusals_of_a_step(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site)
    client, version = site.officer(Role.REVIEWER), site.read(case_id)[0]
    closed = site.post(client, f"/cases/{case_id}/steps/pass_materials", version=str(version))
    assert closed.status_code == 409
    assert "项材料未审定为符合" in closed.get_data(as_text=True)
    assert site.post(client, f"/cases/{case_id}/steps/pass_materials", version="1").status_code == 409
    assert site.post(client, f"/cases/{case_id}/steps/pass_materials").status_code == 422
    assert site.post(client, f"/cases/{case_id}/steps/approve", version=str(version)).status_code == 409


def test_a_late_defect_asks_for_its_reason(site: Site) -> None:  # noqa: F811
    case_id = _accepted(site)
    with site.building() as world:
        case = db.session.get_one(Case, case_id)
        world.judge_all(case, M02="缺少值班表")
        world.step(world.officer(Role.REVIEWER), case, "return_for_correction")
        from workflow.data import applications, enterprises, people
        from workflow.services import materials as material_service

        (person_id,) = enterprises.people_of(case.enterprise_id)
        account = db.session.scalar(db.select(people.Account).where(people.Account.person_id == person_id))
        assert account is not None
        application = applications.of_case(case.id)
        world.later(minutes=5)
        material_service.add_file(world.actor(account), application.id, "M02", world.file(name="新方案.png"), world.now)
        db.session.commit()
        world.step(account, case, "resubmit")
    client = site.officer(Role.REVIEWER)
    body = page(client.get(f"/cases/{case_id}/materials?m={material_id(site, case_id, 'licence')}"))
    assert "为何现在才提出" in body
    changed = page(client.get(f"/cases/{case_id}/materials?m={material_id(site, case_id, 'M02')}"))
    assert "新方案.png" in changed
    assert ">新</span>" in changed
    assert "缺少值班表" in changed
    answer = _judge(site, client, case_id, "licence", "wrong", "印章不清")
    assert answer.status_code == 422
    assert "一次性告知" in answer.get_data(as_text=True)
    answer = _judge(site, client, case_id, "licence", "wrong", "印章不清", late_reason="上一轮看漏")
    assert answer.status_code == 303


def test_a_page_of_the_case_stays_within_its_statements(site: Site) -> None:  # noqa: F811
    case_id = site.case("approved", size="above", head_count="300")
    client = site.officer(Role.LEADER)
    page(client.get(f"/cases/{case_id}"))
    with counted(site.app) as seen:
        page(client.get(f"/cases/{case_id}"))
    assert len(seen) <= 45, seen


@pytest.fixture
def asked(site: Site) -> int:  # noqa: F811
    """A requested pass of an approved case."""
    with site.building(days_ago=3) as world:
        clerk = world.company()
        case_id, clerk_id = world.approved(clerk).id, clerk.id
    with site.building() as world:
        account = db.session.get_one(Account, clerk_id)
        found = pass_service.request_pass(world.actor(account), case_id, world.pass_request(), world.now)
        db.session.flush()
        return found.id


def _status(site: Site, pass_id: int) -> str:  # noqa: F811
    with site.app.app_context():
        return db.session.get_one(VehiclePass, pass_id).status


def test_a_pass_is_granted_and_revoked(site: Site, asked: int) -> None:  # noqa: F811
    client = site.officer(Role.REVIEWER)
    answer = site.post(client, f"/passes/{asked}/grant")
    assert answer.status_code == 303
    body = page(client.get(answer.headers["Location"]))
    assert "已发放" in body
    assert "浙B·12345" in body
    assert site.post(client, f"/passes/{asked}/grant").status_code == 409
    assert site.post(client, f"/passes/{asked}/revoke", words="").status_code == 422
    assert site.post(client, f"/passes/{asked}/revoke", words=NASTY).status_code == 303
    body = page(client.get(answer.headers["Location"]))
    assert "<script>alert" not in body
    assert _status(site, asked) == "revoked"


def test_a_pass_is_refused_with_a_reason_and_by_the_right_people(site: Site, asked: int) -> None:  # noqa: F811
    assert site.post(site.officer(Role.INSPECTOR), f"/passes/{asked}/grant").status_code == 403
    assert site.post(site.officer(Role.REVIEWER, "330203003"), f"/passes/{asked}/grant").status_code == 404
    client = site.officer(Role.LEADER)
    assert site.post(client, f"/passes/{asked}/refuse", words="车辆已有本市通行证").status_code == 303
    assert _status(site, asked) == "refused"

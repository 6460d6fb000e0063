"""Pages of departments' opinions: the inbox, the answer, and what officers and the company see on the case page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.services.asking import COUNTY, department, publish_asking, request_to
from tests.web.desk_fixtures import Site, counted, page
from tests.web.desk_fixtures import site as site  # a fixture
from workflow.core.actors import Role
from workflow.core.tailoring import Tailoring
from workflow.data import materials
from workflow.data.cases import Case
from workflow.data.enterprises import EnterpriseMember
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import tailoring as tailoring_service

HEALTH = (Role.DEPARTMENT, COUNTY, "weijian")


class Asked:
    """A case whose flow asked the health and the emergency bureau, and clients for those concerned."""

    def __init__(self, site: Site) -> None:
        self.site = site
        with site.building(days_ago=3) as world:
            publish_asking(world)
            world.inspectors()
            world.officer(Role.LEADER)
            clerk = world.company()
            case = world.reviewed(clerk)
            department(world, "yingji")
            self.case_id, self.clerk_login = case.id, clerk.login
            self.health_id, self.emergency_id = (request_to(case, c).id for c in ("weijian", "yingji"))
            self.file_id = next(f.id for m in materials.of_case(case.id) for f in m.files)
        self.health = site.officer(*HEALTH)
        self.inspector = site.officer(Role.INSPECTOR)

    @property
    def clerk(self) -> FlaskClient:
        """The company's clerk."""
        return self.site.browser(self.clerk_login)

    def answer(self, request_id: int, client: FlaskClient | None = None, **fields: str) -> int:
        """Answer, as the health bureau unless told otherwise; gives the status."""
        url = f"/opinions/{request_id}/answer"
        return self.site.post(client or self.health, url, **fields).status_code

    def emergency(self) -> FlaskClient:
        """Somebody of the emergency bureau."""
        return self.site.officer(Role.DEPARTMENT, COUNTY, "yingji")


@pytest.fixture
def asked(site: Site) -> Asked:
    return Asked(site)


def test_a_department_arrives_in_its_inbox_and_sees_nothing_else(asked: Asked) -> None:
    assert asked.health.get("/").location == "/opinions"
    inbox = page(asked.health.get("/opinions"))
    assert f"/opinions/{asked.health_id}" in inbox
    assert f"/opinions/{asked.emergency_id}" not in inbox
    assert re.search(r"部门意见\s*<span[^>]*>\s*1", inbox), "the navigation counts what waits"
    assert asked.health.get("/desk").status_code == 403
    assert asked.health.get(f"/opinions/{asked.emergency_id}").status_code == 404
    assert asked.health.get(f"/cases/{asked.case_id}").location == f"/opinions/{asked.health_id}"


def test_a_request_shows_facts_and_materials_but_no_marks(asked: Asked) -> None:
    text = page(asked.health.get(f"/opinions/{asked.health_id}"))
    assert "统一社会信用代码" in text
    assert "营业执照副本" in text
    assert "符合" not in text, "reviewers' marks are their own"
    shown = page(asked.health.get(f"/opinions/{asked.health_id}?f={asked.file_id}"))
    assert f"/files/{asked.file_id}/image.jpg" in shown
    assert asked.health.get(f"/files/{asked.file_id}/image.jpg").status_code == 200
    assert asked.health.get(f"/files/{asked.file_id}").status_code == 200
    assert asked.health.get(f"/opinions/{asked.health_id}?f=999999").status_code == 404
    stranger = asked.site.officer(Role.DEPARTMENT, COUNTY, "gongan")
    assert stranger.get(f"/files/{asked.file_id}").status_code == 404


def test_an_answer_reaches_officers_in_full_and_the_company_in_part(asked: Asked) -> None:
    assert asked.answer(asked.health_id, stance="agree_if", words="每日测温两次") == 303
    assert asked.answer(asked.emergency_id, asked.emergency(), stance="against", words="仓库消防不合格") == 303
    officers = page(asked.inspector.get(f"/cases/{asked.case_id}"))
    assert "每日测温两次" in officers
    assert "仓库消防不合格" in officers
    company = page(asked.clerk.get(f"/cases/{asked.case_id}"))
    assert "有条件同意" in company
    assert "每日测温两次" in company
    assert "不同意" in company
    assert "仓库消防不合格" not in company, "the reason of an objection is for the officers"
    assert "已答复" in page(asked.health.get("/opinions"))


def test_the_company_reads_who_is_asked_and_until_when(asked: Asked) -> None:
    company = page(asked.clerk.get(f"/cases/{asked.case_id}"))
    assert "正在征求：卫生健康局意见（2 个工作日内）" in company
    assert "正在征求：应急管理局意见（3 个工作日内）" in company


def test_a_refused_answer_gives_the_words_back(asked: Asked) -> None:
    answer = asked.site.post(asked.health, f"/opinions/{asked.health_id}/answer", stance="", words="意见写了半天")
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "意见写了半天" in text
    assert "请选择部门意见。" in text
    assert asked.answer(asked.health_id, stance="agree") == 303
    late = asked.site.post(asked.health, f"/opinions/{asked.health_id}/answer", stance="against", words="又改主意")
    assert late.status_code == 409
    assert "又改主意" in late.get_data(as_text=True)


def test_a_double_click_answers_once(asked: Asked) -> None:
    data = {"idempotency_key": "answer-twice-1", "stance": "agree", "words": ""}
    for _click in range(2):
        assert asked.health.post(f"/opinions/{asked.health_id}/answer", data=data).status_code == 303


def test_an_officer_asks_reminds_and_takes_back(asked: Asked) -> None:
    site, case_url = asked.site, f"/cases/{asked.case_id}"
    version, _state = site.read(asked.case_id)
    with site.building() as world:
        shop = department(world, "shichang").login
    fields = {"version": version, "department": "shichang", "question": "冷链是否合规？", "days": "2"}
    assert site.post(asked.inspector, f"{case_url}/opinions", **fields).status_code == 303
    assert "冷链是否合规？" in page(site.browser(shop).get("/opinions"))
    again = site.post(asked.inspector, f"{case_url}/opinions", **fields)
    assert again.status_code == 409
    assert "正在征求这个部门的意见" in again.get_data(as_text=True)
    assert 'rows="2" maxlength="2000" required>冷链是否合规？</textarea>' in again.get_data(as_text=True)
    remind = f"/opinions/{asked.health_id}/remind"
    assert site.post(asked.inspector, remind).status_code == 303
    assert site.post(asked.inspector, remind).status_code == 409
    assert "已催办 1 次" in page(asked.health.get("/opinions"))
    withdraw = f"/opinions/{asked.health_id}/withdraw"
    empty = site.post(asked.inspector, withdraw, words="")
    assert empty.status_code == 422
    assert "请写明为何撤回。" in empty.get_data(as_text=True)
    assert site.post(asked.inspector, withdraw, words="改由会商").status_code == 303
    assert "改由会商" in page(asked.inspector.get(case_url))
    assert "卫生健康局" not in page(asked.clerk.get(case_url)), "what was taken back is not the company's concern"
    assert "已被撤回" in page(asked.health.get(f"/opinions/{asked.health_id}"))


def test_the_case_page_offers_only_what_may_be_done(asked: Asked) -> None:
    leader = asked.site.officer(Role.LEADER)
    text = page(leader.get(f"/cases/{asked.case_id}"))
    assert "催办" in text
    assert f"/opinions/{asked.health_id}/withdraw" not in text
    assert "征求其他部门意见" not in text
    assert "征求其他部门意见" in page(asked.inspector.get(f"/cases/{asked.case_id}"))
    auditor = page(asked.site.officer(Role.AUDITOR, COUNTY).get(f"/cases/{asked.case_id}"))
    assert "催办" not in auditor


def test_a_leader_reads_how_many_answers_are_missing(asked: Asked) -> None:
    with asked.site.building() as world:
        world.conclude(world.schedule(db.session.get_one(Case, asked.case_id)))
    leader = asked.site.officer(Role.LEADER)
    assert "还有 2 个部门未答复意见" in page(leader.get(f"/cases/{asked.case_id}"))


def test_people_of_the_company_are_told_to_keep_out(asked: Asked) -> None:
    with asked.site.building() as world:
        officer = world.new_officer(*HEALTH)
        enterprise_id = db.session.get_one(Case, asked.case_id).enterprise_id
        db.session.add(EnterpriseMember(enterprise_id=enterprise_id, person_id=officer.person_id))
        login = officer.login
    client = asked.site.browser(login)
    assert "应当回避" in page(client.get(f"/opinions/{asked.health_id}"))
    assert asked.answer(asked.health_id, client, stance="agree") == 403


def test_the_pages_run_few_statements(asked: Asked) -> None:
    with asked.site.building(days_ago=1) as world:
        case = world.conclude(world.schedule(db.session.get_one(Case, asked.case_id)))
        wanted = Tailoring(longer=(("awaiting_decision", 2),))
        leader = world.actor(world.officer(Role.LEADER))
        tailoring_service.propose(leader, case.id, wanted, "理由", version=case.version, now=world.now)
    pages = [
        (asked.site.officer(Role.LEADER), [f"/cases/{asked.case_id}", f"/cases/{asked.case_id}/tailoring"]),
        (asked.health, ["/opinions", f"/opinions/{asked.health_id}"]),
        (asked.inspector, [f"/cases/{asked.case_id}"]),
        (asked.clerk, [f"/cases/{asked.case_id}"]),
    ]
    for client, paths in pages:
        for path in paths:
            page(client.get(path))
            with counted(asked.site.app) as seen:
                page(client.get(path))
            found = [s for s in seen if s.startswith("SELECT")]
            assert len(found) <= 15, f"{path}: {len(found)}\n" + "\n".join(found)


def test_the_admin_appoints_a_department(site: Site) -> None:
    admin = site.officer(Role.ADMIN, "3302")
    with site.building() as world:
        account_id = world.new_officer(Role.GUARD).id
    url = f"/admin/people/{account_id}"
    town = site.post(admin, f"{url}/appointments", role="department", area="330203002", bureau="weijian")
    assert town.status_code == 422
    assert "协同部门按区县任职" in town.get_data(as_text=True)
    assert site.post(admin, f"{url}/appointments", role="department", area=COUNTY, bureau="").status_code == 422
    assert site.post(admin, f"{url}/appointments", role="department", area=COUNTY, bureau="weijian").status_code == 303
    assert "卫生健康局" in page(admin.get(url))
    with site.app.app_context():
        assert db.session.get_one(Account, account_id).is_active

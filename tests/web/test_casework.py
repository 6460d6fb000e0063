"""The case page's notes, thread, phrases and comparison in requests, and that no note ever reaches a company."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import png
from tests.web.desk_fixtures import Site, material_id, page, site  # noqa: F401
from workflow.core.actors import Role
from workflow.data import applications, audit, casework, issued, materials
from workflow.data.cases import Case
from workflow.data.messages import Message
from workflow.data.outbox import OutboxItem
from workflow.extensions import db
from workflow.jobs import drain
from workflow.services import materials as material_service
from workflow.services import progress

SECRET = "内部机密字样甲乙丙"


def _clerk(site: Site) -> tuple[str, int]:  # noqa: F811
    """The login of a company's clerk, and its submitted case."""
    with site.building() as world:
        clerk = world.company()
        return clerk.login, world.submitted(clerk).id


def _all_of_company(site: Site, client: FlaskClient, case_id: int) -> str:  # noqa: F811
    """Everything a company can read of its case: pages, inbox, every paper."""
    with site.app.app_context():
        found = issued.of_case(case_id)
        papers, printed = [d.id for d in found], [str(d.facts) for d in found]
    parts = ("", "/thread", "/corrections", "/passes")
    paths = ["/company", "/messages", *(f"/cases/{case_id}{part}" for part in parts)]
    texts = [client.get(p).get_data(as_text=True) for p in paths]
    for paper in papers:
        texts.append(client.get(f"/documents/{paper}.pdf").get_data().decode("latin-1"))
    assert papers
    return "\n".join(texts + printed)


def test_no_note_reaches_the_company(site: Site) -> None:  # noqa: F811
    login, case_id = _clerk(site)
    officer, company = site.officer(Role.REVIEWER), site.browser(login)
    assert site.post(officer, f"/cases/{case_id}/notes", words=SECRET).status_code == 303
    assert SECRET in page(officer.get(f"/cases/{case_id}"))
    version, _state = site.read(case_id)
    site.post(officer, f"/cases/{case_id}/steps/accept", version=version)
    with site.building() as world:
        drain.drain(lambda: world.now)
    assert SECRET not in _all_of_company(site, company, case_id)
    assert company.get(f"/cases/{case_id}/colleagues").status_code == 403
    assert site.post(company, f"/cases/{case_id}/notes", words="我也写").status_code == 403
    with site.app.app_context():
        told = [str(m.details) for m in db.session.scalars(select(Message))]
        told += [str(i.payload) for i in db.session.scalars(select(OutboxItem))]
        told += [f"{e.before}{e.after}" for e in audit.of_case(case_id)]
        assert casework.talk_of(case_id).notes
    assert all(SECRET not in text for text in told), "neither messages, nor the outbox, nor history hold the words"


def test_an_officer_of_the_company_reads_no_notes_of_it(site: Site) -> None:  # noqa: F811
    login, case_id = _clerk(site)
    site.post(site.officer(Role.REVIEWER), f"/cases/{case_id}/notes", words=SECRET)
    with site.building() as world:
        from workflow.core.actors import SYSTEM
        from workflow.data.people import account_by_login
        from workflow.services import accounts

        clerk = account_by_login(login)
        assert clerk is not None
        accounts.appoint(
            SYSTEM, person_id=clerk.person_id, role="reviewer", area_code="330203002", bureau=None, now=world.now
        )
    both = site.browser(login)
    assert SECRET not in page(both.get(f"/cases/{case_id}"))
    assert both.get(f"/cases/{case_id}/colleagues").status_code == 404
    assert site.post(both, f"/cases/{case_id}/notes", words="混进来").status_code == 404


def test_a_refused_note_comes_back_where_it_was_typed(site: Site) -> None:  # noqa: F811
    case_id = site.case()
    officer = site.officer(Role.REVIEWER)
    answer = site.post(officer, f"/cases/{case_id}/notes", words="@没有这个人 请看")
    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "没有“没有这个人”" in body
    assert re.search(r'name="words"[^>]*>@没有这个人 请看</textarea>', body)


def test_namesakes_are_offered_to_choose_from(site: Site) -> None:  # noqa: F811
    case_id = site.case()
    with site.building() as world:
        for role in (Role.LEADER, Role.INSPECTOR):
            world.new_officer(role).person.name = "王重名"
    officer = site.officer(Role.REVIEWER)
    answer = site.post(officer, f"/cases/{case_id}/notes", words="@王重名 请看")
    ids = re.findall(r'name="mention" value="(\d+)"', answer.get_data(as_text=True))
    assert (answer.status_code, len(ids)) == (422, 2)
    answer = site.post(officer, f"/cases/{case_id}/notes", words="@王重名 请看", mention=ids[0])
    assert answer.status_code == 303


def test_the_company_reads_roles_and_not_names(site: Site) -> None:  # noqa: F811
    login, case_id = _clerk(site)
    officer, company = site.officer(Role.REVIEWER), site.browser(login)
    key = {"idempotency_key": "thread-twice-01", "words": "请补充租赁合同"}
    for _ in range(2):
        assert officer.post(f"/cases/{case_id}/thread", data=key).status_code == 303
    with site.app.app_context():
        assert len(casework.talk_of(case_id).messages) == 1, "a double click writes once"
        name = casework.talk_of(case_id).messages[0].name
    body = page(company.get(f"/cases/{case_id}"))
    assert "请补充租赁合同" in body
    assert name not in body
    assert "1 条新留言" in body
    assert "专班科员" in body
    last = re.search(r'name="up_to" value="(\d+)"', body)
    assert last
    assert site.post(company, f"/cases/{case_id}/thread/read", up_to=last.group(1)).status_code == 303
    assert "条新留言" not in page(company.get(f"/cases/{case_id}"))
    assert site.post(company, f"/cases/{case_id}/thread", words="好的，明天补").status_code == 303
    assert "好的，明天补" in page(officer.get(f"/cases/{case_id}/thread"))
    assert site.post(company, f"/cases/{case_id}/thread", words="字" * 2001).status_code == 422


def test_a_version_is_laid_beside_the_one_before(site: Site) -> None:  # noqa: F811
    with site.building() as world:
        clerk = world.company()
        case = world.submitted(clerk)
        reviewer = world.officer(Role.REVIEWER)
        case = world.step(reviewer, case, "accept")
        world.judge_all(case, commitment="请补签")
        case = world.step(reviewer, case, "return_for_correction")
        application = applications.of_case(case.id)
        held = next(m for m in materials.of_application(application.id) if m.slot == "commitment")
        old = held.current_files[0].id
        material_service.remove_file(world.actor(clerk), old, world.now)
        new = material_service.add_file(
            world.actor(clerk), application.id, "commitment", world.file(png(77)), world.now
        ).id
        case_id = world.step(clerk, case, "resubmit").id
    officer = site.officer(Role.REVIEWER)
    chosen = material_id(site, case_id, "commitment")
    body = page(officer.get(f"/cases/{case_id}/materials?m={chosen}"))
    assert f"cmp={old}" in body
    body = page(officer.get(f"/cases/{case_id}/materials?m={chosen}&f={new}&cmp={old}"))
    assert body.count("data-viewer=") == 2
    assert body.index(f"/files/{old}/image.jpg") < body.index(f"/files/{new}/image.jpg"), "the older one on the left"
    foreign = page(officer.get(f"/cases/{case_id}/materials?m={chosen}&cmp=999999"))
    assert foreign.count("data-viewer=") == 1


def test_the_way_through_the_queue_is_kept_to_the_next_case(site: Site) -> None:  # noqa: F811
    first, second = site.case(), site.case()
    officer = site.officer(Role.REVIEWER)
    answer = officer.get(f"/cases/{first}/next?from=tab%3Dopen")
    assert answer.status_code == 302
    assert answer.location.startswith(f"/cases/{second}?from=tab%3Dopen&at=")
    body = page(officer.get(answer.location))
    assert 'href="/desk?tab=open"' in body
    assert "from=tab%3Dopen" in body
    version, _state = site.read(second)
    answer = site.post(officer, f"/cases/{second}/steps/accept?from=tab%3Dopen&at=1-1", version=version)
    assert answer.location.startswith(f"/cases/{second}?from=tab%3Dopen")
    for odd in ("%00", "tab%3D%27", "x" * 2000, "&at=99999999999999999-1", "%F0%9F%98%80"):
        assert officer.get(f"/cases/{first}/next?from={odd}").status_code in (302, 303)
    other = site.officer(Role.REVIEWER, "330206004")
    assert other.get(f"/cases/{first}/next").status_code == 404


def test_phrases_are_kept_offered_and_thrown_away(site: Site) -> None:  # noqa: F811
    officer = site.officer(Role.REVIEWER)
    assert "还没有自己的常用意见" in page(officer.get("/phrases"))
    assert site.post(officer, "/phrases", topic="step.accept", words="材料齐全，予以受理").status_code == 303
    assert site.post(officer, "/phrases", topic="nothing", words="字").status_code == 422
    assert "材料齐全，予以受理" in page(officer.get("/phrases"))
    assert "材料齐全，予以受理" not in page(site.officer(Role.LEADER).get("/phrases"))


def test_the_progress_is_told_to_whoever_knows_reference_and_mobile(site: Site) -> None:  # noqa: F811
    login, case_id = _clerk(site)
    with site.app.app_context():
        case = db.session.get_one(Case, case_id)
        reference, company = case.reference, case.enterprise_name
    stranger = site.app.test_client()
    assert "查询办理进度" in page(stranger.get("/"))
    answer = stranger.post("/progress", data={"reference": f" {reference.lower()} ", "mobile": "138 0013 8000"})
    body = page(answer)
    assert "专班科员" in body
    assert "提交" in body
    for hidden in (company, "13800138000", "吴联络", f"/cases/{case_id}"):
        assert hidden not in body
    refusals = set()
    for wrong, mobile in ((reference, "13800138009"), ("复工-海曙-20200215-9999", "13800138000")):
        answer = stranger.post("/progress", data={"reference": wrong, "mobile": mobile})
        words = re.sub(r'value="[^"]*"|nonce="[^"]*"', "", answer.get_data(as_text=True))
        refusals.add((answer.status_code, re.sub(r"请求编号.*|content=.*", "", words)))
    assert len({(status, len(words)) for status, words in refusals}) == 1, "one answer for both"
    assert stranger.post("/progress", data={"reference": "", "mobile": "x"}).status_code == 422
    for odd in ("%", "'; --", "😀", "字" * 10_000, "\u202e"):
        assert stranger.post("/progress", data={"reference": odd, "mobile": "13800138000"}).status_code == 422
    assert login not in body


def test_references_are_read_as_people_type_them() -> None:
    assert progress.clean_reference(" 复工—海曙－20200215-0042 ") == "复工-海曙-20200215-0042"

"""Files: downloads with the company's name, previews of our own making, and the same walls for every address."""

from __future__ import annotations

import io
from urllib.parse import quote

import pytest
from PIL import Image

from tests.builders import png
from tests.documents import files as made
from tests.web.desk_fixtures import Site, material_id, page, site  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.data.people import Account
from workflow.extensions import db
from workflow.services import applications as application_service
from workflow.services import materials as material_service

NAME = "复工方案 “定稿”（2）；v1.0"
CONTENTS = {
    "pdf": (made.pdf(2), f"{NAME}.pdf"),
    "png": (png(7, (900, 600)), f"{NAME}.png"),
    "docx": (made.word(3), f"{NAME}.docx"),
    "xlsx": (made.excel(4, 3), f"{NAME}.xlsx"),
}


@pytest.fixture
def handed_in(site: Site) -> tuple[int, dict[str, int], str]:  # noqa: F811
    """A case whose plan (the supplies) has a file of each kind: its id, the file ids by kind, and the clerk's login."""
    with site.building() as world:
        clerk = world.company()
        application = world.draft(clerk)
        actor, ids = world.actor(clerk), {}
        for kind, (content, name) in CONTENTS.items():
            added = material_service.add_file(actor, application.id, "supplies", world.file(content, name), world.now)
            ids[kind] = added.id
        case = application_service.submit(
            actor, application.id, revision=application.revision, committed=True, now=world.now
        )
        db.session.commit()
        return case.id, ids, db.session.get_one(Account, clerk.id).login


def test_a_download_has_the_companys_name_and_can_do_nothing(
    site: Site,  # noqa: F811
    handed_in: tuple[int, dict[str, int], str],
) -> None:
    _case, ids, login = handed_in
    for client in (site.officer(Role.REVIEWER), site.browser(login)):
        for kind in ("pdf", "docx", "xlsx"):
            answer = client.get(f"/files/{ids[kind]}")
            assert answer.status_code == 200
            assert answer.data == CONTENTS[kind][0]
            disposition = answer.headers["Content-Disposition"]
            assert disposition.startswith("attachment;")
            assert f"filename*=UTF-8''{quote(CONTENTS[kind][1])}" in disposition
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert answer.headers["Cache-Control"].startswith("private")


def test_previews(site: Site, handed_in: tuple[int, dict[str, int], str]) -> None:  # noqa: F811
    case_id, ids, _login = handed_in
    client = site.officer(Role.REVIEWER)
    first = client.get(f"/files/{ids['pdf']}/pages/1.png?w=800")
    assert first.mimetype == "image/png"
    assert Image.open(io.BytesIO(first.data)).width == pytest.approx(800, abs=2)
    assert client.get(f"/files/{ids['pdf']}/pages/2.png?w=99999").status_code == 200
    for number in (0, 3, 301, 99_999_999):
        assert client.get(f"/files/{ids['pdf']}/pages/{number}.png").status_code == 404
    picture = client.get(f"/files/{ids['png']}/image.jpg?w=abc")
    assert picture.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(picture.data)).size == (900, 600)
    material = material_id(site, case_id, "supplies")
    for kind in ids:
        body = page(client.get(f"/cases/{case_id}/materials?m={material}&f={ids[kind]}"))
        wanted = {"pdf": "pages/2.png", "png": "image.jpg", "docx": "fg-office", "xlsx": "<td>"}[kind]
        assert wanted in body
    for kind in ("docx", "xlsx"):
        answer = client.get(f"/files/{ids[kind]}/text")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "<script" not in page(answer)


def test_a_preview_of_the_wrong_kind_is_not_there(site: Site, handed_in: tuple[int, dict[str, int], str]) -> None:  # noqa: F811
    _case, ids, _login = handed_in
    client = site.officer(Role.REVIEWER)
    assert client.get(f"/files/{ids['png']}/pages/1.png").status_code == 404
    assert client.get(f"/files/{ids['pdf']}/image.jpg").status_code == 404
    assert client.get(f"/files/{ids['pdf']}/text").status_code == 404


def test_files_obey_the_walls_of_their_case(site: Site, handed_in: tuple[int, dict[str, int], str]) -> None:  # noqa: F811
    _case, ids, _login = handed_in
    with site.building() as world:
        stranger = world.company().login
    urls = [f"/files/{ids['pdf']}", f"/files/{ids['pdf']}/pages/1.png", f"/files/{ids['png']}/image.jpg"]
    urls.append(f"/files/{ids['docx']}/text")
    for client in (site.officer(Role.REVIEWER, "330203003"), site.browser(stranger)):
        assert [client.get(u).status_code for u in urls] == [404] * 4
    admin = site.officer(Role.ADMIN)
    assert [admin.get(u).status_code for u in urls] == [403] * 4
    nobody = site.app.test_client()
    assert [nobody.get(u).status_code for u in urls] == [303] * 4


def test_nasty_words_in_a_spreadsheet_are_text(site: Site) -> None:  # noqa: F811
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet("<b>表<b>")
    sheet.write_string(0, 0, "<script>alert(1)</script>")
    sheet.write_string(1, 0, "=cmd|' /C calc'!A0")
    book.close()
    with site.building() as world:
        clerk = world.company()
        application = world.draft(clerk)
        received = world.file(buffer.getvalue(), "名册.xlsx")
        added = material_service.add_file(world.actor(clerk), application.id, "supplies", received, world.now)
        application_service.submit(
            world.actor(clerk), application.id, revision=application.revision, committed=True, now=world.now
        )
        file_id = added.id
    body = page(site.officer(Role.REVIEWER).get(f"/files/{file_id}/text"))
    assert "&lt;script&gt;alert(1)" in body
    assert "<script" not in body
    assert "<b>表" not in body


def test_a_photo_is_seen_by_those_who_see_the_case(site: Site) -> None:  # noqa: F811
    from workflow.services import inspections as inspection_service

    with site.building() as world:
        case = world.scheduled()
        first, _second = world.inspectors()
        visit = inspection_service.planned(case)
        assert visit is not None
        photo = inspection_service.add_photo(
            world.actor(first), visit.id, world.file(png(3, (500, 400))), code="", caption="大门", now=world.now
        )
        photo_id = photo.id
    answer = site.officer(Role.LEADER).get(f"/photos/{photo_id}.jpg?w=320")
    assert answer.mimetype == "image/jpeg"
    assert Image.open(io.BytesIO(answer.data)).width == 320
    assert site.officer(Role.LEADER, "330203003").get(f"/photos/{photo_id}.jpg").status_code == 404

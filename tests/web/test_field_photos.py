"""Photos from the phone over HTTP: kept as sent, shown clean, refused in words, found when one byte is changed."""

# ruff: noqa: F811 - fixtures are imported, and named again by whoever takes them

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator

from PIL import Image
from werkzeug.test import TestResponse

from tests.documents import files
from tests.web.desk_fixtures import Site, counted, page, site  # noqa: F401 - a fixture
from tests.web.phone import NINGBO, Kept, Visit, day, gps_jpeg, items, stored, uid, visit  # noqa: F401 - fixtures among them
from workflow import cli
from workflow.core.actors import Role
from workflow.data import audit
from workflow.data.inspections import Inspection
from workflow.extensions import db


def test_a_photo_is_kept_as_sent_and_shown_without_metadata(
    site: Site,
    visit: Visit,
    stored: Kept,
) -> None:
    content = gps_jpeg()
    assert b"Exif" in content
    first = visit.put(1, content, X_Code=visit.codes[0])
    assert (first.status_code, first.get_json()["sha256"]) == (201, hashlib.sha256(content).hexdigest())
    assert visit.put(1, content).status_code == 200
    assert visit.put(1, gps_jpeg(2)).status_code == 409
    (kept,) = stored.photos()
    assert stored.path(kept.original).read_bytes() == content
    shown = stored.path(kept.file).read_bytes()
    assert b"Exif" not in shown
    assert not Image.open(io.BytesIO(shown)).getexif()
    assert (kept.latitude, kept.longitude, kept.place_status, kept.source) == (29.868, 121.544, "given", "camera")
    assert (kept.caption, kept.code) == ("大门", visit.codes[0])
    assert kept.clock_off < 0, "taken long before the appointment: kept, and flagged"
    served = visit.second.get(f"/photos/{kept.id}.jpg")
    assert not Image.open(io.BytesIO(served.data)).getexif()
    row = stored.history()[-1]
    assert (row.event, row.after["sha256"]) == (audit.PHOTO_ADDED, kept.sha256)
    assert NINGBO[:6] not in str(row.after)
    listed = visit.second.get(f"/field/{visit.id}/photos").get_json()["photos"]
    assert listed == [{"client_id": uid(1), "sha256": kept.sha256, "taken_back": False}]
    assert day(visit.first)["visits"][0]["photos"][0]["client_id"] == uid(1)
    assert site.officer(Role.INSPECTOR, "330203003").get(f"/photos/{kept.id}.jpg").status_code == 404


def test_a_refused_place_and_a_gallery_picture_are_recorded(visit: Visit, stored: Kept) -> None:
    visit.put(1, gps_jpeg(1), X_Place="refused", X_Source="gallery", X_Taken_At="")
    visit.put(2, files.heic(), X_Place="unavailable", Content_Type="image/heic")
    kept = stored.photos()
    assert [(p.place_status, p.source, p.latitude) for p in kept] == [
        ("refused", "gallery", None),
        ("unavailable", "camera", None),
    ]
    assert kept[0].taken_at is None
    assert [(p.file.kind, p.original.kind if p.original else "") for p in kept] == [("jpeg", "jpeg"), ("jpeg", "heic")]


def _refusals(visit: Visit) -> Iterator[tuple[str, TestResponse, int, str]]:
    good = gps_jpeg()
    yield "another hash", visit.put(1, good, X_Sha256="0" * 64), 422, "校验值"
    yield "no hash", visit.put(1, good, X_Sha256="abc"), 422, "校验值"
    yield "a cut HEIC", visit.put(1, files.heic()[:400]), 422, "损坏"
    yield "a cut JPEG", visit.put(1, good[: len(good) // 2]), 422, "损坏"
    yield "a bomb", visit.put(1, files.png_bomb()), 422, "万像素"
    yield "no picture", visit.put(1, b"<html>hello</html>"), 422, "不能上传"
    yield "nothing", visit.put(1, b""), 422, "空"
    yield "40 MB", visit.put(1, b"\xff\xd8" + bytes(40 << 20)), 413, "20 MB"
    yield "no item", visit.put(1, good, X_Code="NO-99"), 422, "清单"
    yield "no source", visit.put(1, good, X_Source="drawn"), 422, "相册"
    yield "no place", visit.put(1, good, X_Place="here"), 422, "位置"
    yield "a place beyond", visit.put(1, good, X_Place="91,0"), 422, "位置"
    yield "no number", visit.put(1, good, X_Place="nan,nan"), 422, "位置"
    yield "no time", visit.put(1, good, X_Taken_At="noon"), 422, "手机时间"


def test_wrong_photos_leave_nothing(site: Site, visit: Visit, stored: Kept) -> None:
    for what, answer, status, words in _refusals(visit):
        assert answer.status_code == status, (what, answer.get_data(as_text=True))
        assert words in answer.get_json()["message"], (what, answer.get_json())
    assert stored.photos() == []
    assert stored.incoming() == []
    stranger = site.officer(Role.INSPECTOR, "330203003")
    assert visit.put(1, gps_jpeg(), stranger).status_code == 404
    assert visit.first.put(f"/field/{visit.id}/photos/1", data=b"x").status_code == 422


class Broken(io.BytesIO):
    """A connection that breaks: it promised more than comes."""


def test_twelve_photos_through_connections_that_break(visit: Visit, stored: Kept) -> None:
    photos = {n: gps_jpeg(n) for n in range(12)}
    for number, content in photos.items():
        for cut in (0, len(content) // 3, len(content) - 1):
            sha256 = hashlib.sha256(content).hexdigest()
            answer = visit.first.put(
                f"/field/{visit.id}/photos/{uid(number)}",
                input_stream=Broken(content[:cut]),
                content_length=len(content),
                headers={"X-Sha256": sha256, "X-Source": "camera", "Content-Type": "image/jpeg"},
            )
            assert answer.status_code in (400, 422)
        assert len(stored.photos()) == number
        assert visit.put(number, content).status_code == 201
    there = {p["client_id"]: p["sha256"] for p in visit.first.get(f"/field/{visit.id}/photos").get_json()["photos"]}
    assert there == {uid(n): hashlib.sha256(c).hexdigest() for n, c in photos.items()}
    assert stored.incoming() == []


def test_the_same_photo_twice_at_once_is_one(visit: Visit, stored: Kept) -> None:
    content, outcomes = gps_jpeg(), []

    def send() -> None:
        outcomes.append(visit.put(1, content, visit.first).status_code)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes)[-1] == 201
    assert set(outcomes) <= {200, 201}
    assert len(stored.photos()) == 1


def test_a_photo_is_taken_back_by_whoever_took_it(visit: Visit, stored: Kept) -> None:
    visit.put(1, gps_jpeg(), X_Code=visit.codes[0])
    url = f"/field/{visit.id}/photos/{uid(1)}"
    assert visit.second.delete(url).status_code == 403
    assert visit.first.delete(url).get_json()["taken_back"] is True
    assert visit.first.delete(url).status_code == 200
    (kept,) = stored.photos()
    assert kept.taken_back_at is not None
    assert [e.event for e in stored.history()][-2:] == [audit.PHOTO_ADDED, audit.PHOTO_TAKEN_BACK]
    assert visit.second.get(f"/photos/{kept.id}.jpg").status_code == 404
    assert f"/photos/{kept.id}.jpg" not in page(visit.first.get(f"/inspections/{visit.id}"))
    assert day(visit.first)["visits"][0]["photos"] == []
    assert visit.first.get(f"/field/{visit.id}/photos").get_json()["photos"][0]["taken_back"] is True
    assert visit.put(1, gps_jpeg()).status_code == 200, "a late copy does not bring it back"


def test_one_changed_byte_is_found_and_named(site: Site, visit: Visit, stored: Kept) -> None:
    visit.put(1, gps_jpeg(1))
    visit.put(2, gps_jpeg(2))
    cli.register(site.app)
    runner = site.app.test_cli_runner()
    kept, lost = stored.photos()
    with site.app.app_context():
        reference = db.session.get_one(Inspection, visit.id).case.reference
    clean = runner.invoke(args=["audit", "verify", "--files"])
    assert clean.exit_code == 0, clean.output
    assert "stored files are as recorded" in clean.output
    path, gone = stored.path(kept.original), stored.path(lost.file)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o640)
    path.write_bytes(data)
    gone.unlink()
    found = runner.invoke(args=["audit", "verify", "--files"])
    assert found.exit_code == 1
    assert f"case {reference}, photo {kept.id}: its content was changed" in found.output
    assert f"case {reference}, photo {lost.id}: it is missing" in found.output
    assert found.output.count("case ") == 2

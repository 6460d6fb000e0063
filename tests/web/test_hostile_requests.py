"""Requests that nobody's browser sends: every route answers them without an unexpected error, and nothing leaks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.conftest import sign_in
from tests.web.desk_fixtures import Site, site  # noqa: F401 - a fixture
from tests.web.test_routes import Ids, ids  # noqa: F401 - a fixture
from workflow.core.actors import Role
from workflow.documents import uploads
from workflow.extensions import db
from workflow.web import boundary, errors

NUL, HALF, HUGE = "\x00", "\ud83d", "9" * 5000
ODD_IDS = ("0", "-1", "٣", "１", "1.0", "1e3", "0x1", "9" * 19, "9" * 400, "%00", "1%00", "%F0%9F%8F%AD", "..%2f1")


def _paths(app: Flask, values: dict[str, str | int], *, odd: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Every route's endpoint, method and path; ``odd`` stands in the place of every number."""
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for name in rule.arguments:
            for shape in (f"<int:{name}>", f"<path:{name}>", f"<{name}>"):
                wanted = odd if odd is not None and shape.startswith("<int") else str(values[name])
                path = path.replace(shape, wanted)
        yield rule.endpoint, next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})), path


def _people(ids: Ids) -> tuple[str, ...]:  # noqa: F811
    return tuple(ids.logins[f"{role}/own"] for role in ("filer", "reviewer", "inspector", "admin"))


def test_odd_ids_are_addresses_that_do_not_exist(app: Flask, client: FlaskClient, ids: Ids) -> None:  # noqa: F811
    plain = {path for _endpoint, _method, path in _paths(app, ids.values)}
    for login in _people(ids):
        sign_in(client, login)
        for odd in ODD_IDS:
            for endpoint, method, path in _paths(app, ids.values, odd=odd):
                if path in plain:
                    continue
                with client.open(path, method=method, data=None) as answer:
                    assert answer.status_code in (403, 404, 405, 422), f"{method} {path} ({endpoint})"


BODIES: dict[str, dict[str, object]] = {
    "NUL in fields": {
        "data": dict.fromkeys(("login", "note", "words", "area", "text", "plate", "locale"), f"甲{NUL}乙")
    },
    "NUL in a name": {"data": {f"note{NUL}": "甲"}},
    "long numbers": {"data": dict.fromkeys(("version", "revision", "seen_rev", "lead_id", "enterprise_id"), HUGE)},
    "other digits": {"data": dict.fromkeys(("version", "revision", "seen_rev", "lead_id", "enterprise_id"), "١٢")},
    "ten thousand fields": {
        "data": "&".join(f"field_{n}=x" for n in range(10_000)).encode(),
        "content_type": "application/x-www-form-urlencoded",
    },
    "broken JSON": {"data": b"{", "content_type": "application/json"},
    "JSON of another shape": {"json": [[["甲"]]]},
    "JSON with half characters": {
        "data": json.dumps({"fields": {"name": HALF, "note_A1": HALF}, "revision": 1}),
        "content_type": "application/json",
    },
    "huge numbers in JSON": {
        "data": f'{{"fields": {{}}, "revision": {HUGE}}}'.encode(),
        "content_type": "application/json",
    },
    "unknown content type": {"data": b"\xff\xfe<x/>", "content_type": "application/xml; charset=utf-7"},
    "multipart without an end": {"data": b"--x\r\nContent-Disp", "content_type": "multipart/form-data; boundary=x"},
    "multipart without a boundary": {"data": b"--x", "content_type": "multipart/form-data"},
}


@pytest.mark.parametrize("name", BODIES)
def test_odd_bodies_are_refused_in_words(
    app: Flask,
    client: FlaskClient,
    ids: Ids,  # noqa: F811
    name: str,
) -> None:
    body = BODIES[name]
    for login in _people(ids):
        sign_in(client, login)
        for number, (endpoint, method, path) in enumerate(_paths(app, ids.values)):
            if method != "POST" or endpoint in ("accounts.logout", "accounts.sign_in_demo"):
                continue
            headers = {"Idempotency-Key": f"odd-body-{number:04d}"}
            with client.post(path, headers=headers, **body) as answer:  # type: ignore[arg-type]
                assert answer.status_code < 500, f"{endpoint}: {answer.status_code}"


def test_odd_queries_are_answered(app: Flask, client: FlaskClient, ids: Ids) -> None:  # noqa: F811
    names = ("q", "tab", "group", "flow", "area", "after", "before", "m", "f", "w", "case", "done", "code", "next")
    for login in _people(ids):
        sign_in(client, login)
        for value in (f"甲{NUL}", HUGE, "-1", "١٢", "'\"%_\\", "1-1", f"{'9' * 17}-{'9' * 18}", "🏭" * 3000):
            for endpoint, method, path in _paths(app, ids.values):
                if method == "GET":
                    with client.get(path, query_string=dict.fromkeys(names, value)) as answer:
                        assert answer.status_code < 500, f"{endpoint} with {value[:20]!r}: {answer.status_code}"


def test_half_a_character_is_never_stored(site: Site) -> None:  # noqa: F811
    with site.building() as world:
        clerk = world.company()
        draft = world.draft(clerk)
        login, application_id = clerk.login, draft.id
    client = site.browser(login)
    body = json.dumps({"fields": {"reason": f"复工{HALF}"}, "revision": 1})
    headers = {"Idempotency-Key": "half-a-character", "Accept": "application/json"}
    url = f"/applications/{application_id}/autosave"
    answer = client.post(url, data=body, headers=headers, content_type="application/json")
    assert answer.status_code == 422
    assert client.get(f"/applications/{application_id}/check").status_code == 200


def test_files_are_opened_only_where_files_are_taken(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(*arguments: object, **more: object) -> None:
        raise AssertionError("a file of a stranger was opened")

    monkeypatch.setattr(uploads, "receive", never)
    monkeypatch.setattr("workflow.web.intake.receive", never)
    for path in ("/login", "/register", "/settings/language", "/nowhere"):
        data = {"idempotency_key": "no-files-here", "file": (io.BytesIO(b"%PDF-1.7"), "a.pdf")}
        assert client.post(path, data=data).status_code in (303, 404, 422)


def test_a_body_without_files_is_short(client: FlaskClient) -> None:
    big = b"login=" + b"x" * boundary.MAX_PLAIN_BODY
    answer = client.post("/login", data=big, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "文件太大" in answer.get_data(as_text=True)


def test_an_address_without_a_page_is_404_whatever_is_sent(client: FlaskClient) -> None:
    assert client.post("/nowhere").status_code == 404
    assert client.post("/guide").status_code == 405
    assert client.post("/nowhere", data={"file": (io.BytesIO(b"x"), "x")}).status_code == 404


def test_an_old_cookie_signs_nobody_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    import itsdangerous.timed

    client = site.officer(Role.REVIEWER)
    assert client.get("/desk").status_code == 200
    real = itsdangerous.timed.time.time
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: real() + 13 * 3600)
    assert client.get("/desk").status_code == 303


def test_the_way_back_after_signing_in_fits_into_the_cookie(client: FlaskClient) -> None:
    answer = client.get("/desk", query_string={"q": "甲" * 3000})
    assert len(answer.headers["Set-Cookie"]) < 4000


def test_forms_work_on_the_check_page_behind_https(client: FlaskClient) -> None:
    """The CSRF check over https needs a referrer, which a page without one would never send."""
    for path in ("/check", "/check?code=ABC", "/c/FORGED"):
        assert client.get(path).headers["Referrer-Policy"] == "same-origin"


class _Secret(RuntimeError):
    pass


def _fail() -> None:
    try:
        int("13800138000x")
    except ValueError as error:
        raise _Secret("宁波某人 13800138000") from error


class _Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def error(self, event: str, **more: object) -> None:
        self.seen.append((event, more))

    warning = error


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the error handlers log."""
    log = _Log()
    monkeypatch.setattr(errors, "log", log)
    return log.seen


def test_logs_tell_where_and_never_what(app: Flask, seen: list[object]) -> None:
    with app.test_request_context():
        with pytest.raises(_Secret) as caught:
            _fail()
        assert errors._unexpected(caught.value)[1] == 500
    assert "13800138000" not in str(seen)
    assert "某人" not in str(seen)
    assert "_Secret" in str(seen)
    assert "ValueError" in str(seen)
    assert "test_hostile_requests.py" in str(seen)


def test_errors_of_statements_do_not_quote_their_values(app: Flask) -> None:
    with app.app_context(), pytest.raises(DBAPIError) as caught:
        db.session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "13800138000"})
    assert "13800138000" not in str(caught.value)


def test_a_wrong_statement_is_no_busy_database(app: Flask, seen: list[object]) -> None:
    with app.test_request_context():
        with pytest.raises(DBAPIError) as caught:
            db.session.execute(text("SELECT * FROM nowhere"))
        if isinstance(caught.value, OperationalError):  # SQLite's; PostgreSQL calls it a ProgrammingError
            assert errors._busy(caught.value)[1] == 500  # type: ignore[index]
            assert "unexpected_error" in str(seen)

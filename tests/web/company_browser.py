"""A company's browser without JavaScript for tests: posts as forms do, reads what a page says."""

from __future__ import annotations

import contextvars
import datetime as dt
import html
import io
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from tests.builders import PASSWORD, World
from workflow.data.people import Account
from workflow.extensions import db

JSON = {"Accept": "application/json"}


def present() -> dt.datetime:
    """Pages read the real clock, so the people behind them live now."""
    return dt.datetime.now(dt.UTC)


def apart(call: Callable[..., TestResponse], *arguments: Any, **named: Any) -> TestResponse:
    """Make a request as another process would: outside of the test's context, its own transaction ended.

    (On SQLite an open transaction of the test would keep the request waiting.)
    """
    if has_app_context():
        db.session.rollback()
    return contextvars.Context().run(call, *arguments, **named)


@dataclass(slots=True)
class Browser:
    """One browser; every form it posts has a key of its own, unless one is given."""

    client: FlaskClient
    app: Flask
    keys: Iterator[int] = field(default_factory=itertools.count)

    def enter(self, account: Account | str) -> Browser:
        """Sign in through the page."""
        login = account if isinstance(account, str) else account.login
        answer = self.post("/login", login=login, password=PASSWORD)
        assert answer.status_code == 303, text_of(answer)
        return self

    def get(self, path: str, **headers: str) -> TestResponse:
        """Follow a link."""
        return apart(self.client.get, path, headers=headers or None)

    def post(self, path: str, fields: dict[str, Any] | None = None, key: str = "", **more: Any) -> TestResponse:
        """Send a form."""
        data = {"idempotency_key": key or f"form-key-{next(self.keys)}", **(fields or {}), **more}
        return apart(self.client.post, path, data=data)

    def autosave(self, path: str, body: Any, key: str = "") -> TestResponse:
        """Save as the script does."""
        headers = {**JSON, "Idempotency-Key": key or f"save-key-{next(self.keys)}"}
        return apart(self.client.post, path, json=body, headers=headers)

    def upload(self, path: str, *files: tuple[bytes, str], script: bool = False, key: str = "") -> TestResponse:
        """Send files: as a form, or as the upload script does."""
        parts = MultiDict([("idempotency_key", key or f"file-key-{next(self.keys)}")])
        for content, name in files:
            parts.add("file", FileStorage(io.BytesIO(content), name, "file"))
        boundary, body = encode_multipart(parts)  # in memory: the test client's own temporary file is never closed
        kind = f'multipart/form-data; boundary="{boundary}"'
        return apart(self.client.post, path, data=body, content_type=kind, headers=JSON if script else None)


def text_of(answer: TestResponse) -> str:
    """What the page says, without tags and with entities resolved."""
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.get_data(as_text=True), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def error_at(answer: TestResponse, field_id: str) -> str:
    """The words of the error at a field; empty when there is none."""
    pattern = rf'<p class="fg-error" id="{re.escape(field_id)}-error">(.*?)</p>'
    found = re.search(pattern, answer.get_data(as_text=True), re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))).split()) if found else ""


def revision_of(answer: TestResponse) -> str:
    """The revision that a form was drawn from."""
    found = re.search(r'name="revision" value="(\d+)"', answer.get_data(as_text=True))
    assert found
    return found.group(1)


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that run inside, without the brackets of transactions."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def living(world: World) -> World:
    """The world with its clock at the present, some days back, so that its later steps are not in the future."""
    world.now = present() - dt.timedelta(days=3)
    return world

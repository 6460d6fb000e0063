"""Two commanders at their browsers and the drafts they work on, for tests of the pages on rules and flows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse, encode_multipart

from tests.builders import World
from tests.conftest import building, sign_in
from workflow.core.actors import Role
from workflow.data.drafts import Draft
from workflow.extensions import db


@dataclass
class PublishingDesk:
    """The application with two commanders of the city; ``first`` and ``second`` are their browsers."""

    app: Flask
    logins: tuple[str, str]
    first: FlaskClient
    second: FlaskClient
    count: int = field(default=0)

    @contextmanager
    def building(self) -> Iterator[World]:
        """Builders in a context of their own."""
        with building(self.app) as world:
            yield world

    def post(self, client: FlaskClient, path: str, **fields: object) -> TestResponse:
        """Send a form once."""
        self.count += 1
        data = {**fields, "idempotency_key": f"publishing-{self.count:05d}"}
        boundary, body = encode_multipart(MultiDict(data))
        return client.post(path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"')

    def start(self, source: str, area: str = "3302", name: str = "") -> int:
        """Begin a draft as the first commander; returns its id."""
        answer = self.post(self.first, "/publishing/drafts", source=source, area=area, name=name)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return int(answer.headers["Location"].rpartition("/")[2])

    def draft(self, draft_id: int) -> Draft:
        """The draft as it is stored now."""
        with self.app.app_context():
            found = db.session.get_one(Draft, draft_id)
            db.session.expunge(found)
            return found

    def save(self, client: FlaskClient, draft_id: int, **fields: object) -> TestResponse:
        """Send the edit page as it was drawn, with changes; ``act`` is the button pressed."""
        page = client.get(f"/publishing/drafts/{draft_id}").get_data(as_text=True)
        return self.post(client, f"/publishing/drafts/{draft_id}", **{**drawn(page), **fields})

    def proposed(self, draft_id: int, on: str) -> None:
        """Propose a draft as the first commander."""
        answer = self.save(self.first, draft_id, effective_on=on, act="propose")
        assert answer.status_code == 303, errors(answer)

    def publish(self, draft_id: int) -> TestResponse:
        """Approve and publish as the second commander."""
        return self.post(self.second, f"/publishing/drafts/{draft_id}/publish", version=self.draft(draft_id).revision)


def arrive(app: Flask) -> PublishingDesk:
    """Two commanders sign in."""
    app.config["WTF_CSRF_ENABLED"] = False
    with building(app) as world:
        logins = (
            world.officer(Role.COMMANDER, "3302").login,
            world.new_officer(Role.COMMANDER, "3302").login,
        )
    return PublishingDesk(app, logins, sign_in(app.test_client(), logins[0]), sign_in(app.test_client(), logins[1]))


def _unescaped(text: str) -> str:
    for entity, sign in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


def drawn(page: str) -> dict[str, object]:
    """What a browser would send for the edit page's form without any change."""
    form = re.search(r'<form class="fg-form fg-draft".*?</form>', page, re.DOTALL)
    assert form is not None, page[:2000]
    fields: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name is None or name[1] in ("csrf_token", "idempotency_key"):
            continue
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                fields.setdefault(name[1], []).append(_unescaped(value[1] if value else ""))  # type: ignore[attr-defined]
            continue
        fields[name[1]] = _unescaped(value[1] if value else "")
    for name, body in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)"[^>]* selected', body) or re.search(
            r'<option value="([^"]*)"', body
        )
        fields[name] = _unescaped(chosen[1]) if chosen else ""
    text = re.search(r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', form[0], re.DOTALL)
    assert text is not None
    fields["text"] = _unescaped(text[1]).replace("\n", "\r\n")
    return fields


def errors(answer: TestResponse) -> str:
    """What an answer says is wrong."""
    body = answer.get_data(as_text=True)
    found = re.findall(
        r'<section class="fg-errors".*?</section>|<div class="fg-note fg-note--danger.*?</div>', body, re.DOTALL
    )
    return re.sub(r"<[^>]+>", " ", " ".join(found)) or body[:3000]

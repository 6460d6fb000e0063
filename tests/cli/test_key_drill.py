"""The compromise drill from end to end: rotate, print, retire, what gates and readers see, sign anew, print again."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import World
from tests.cli.test_keys import ADDRESS, Run, granted
from tests.cli.test_keys import run as run  # the fixture
from tests.conftest import building
from workflow.data import audit, issued, outbox, passes
from workflow.data.issued import IssuedDocument
from workflow.extensions import db
from workflow.services import issuing, keys, verification


def history(chain: str) -> list[tuple[str, dict[str, object]]]:
    """Event and what it says of each row of a chain."""
    rows = db.session.scalars(
        db.select(audit.AuditEntry).where(audit.AuditEntry.chain == chain).order_by(audit.AuditEntry.number)
    )
    return [(row.event, row.after) for row in rows]


def printed(world: World, number: str) -> bytes:
    """The paper of a pass as the company prints it now."""
    found = passes.by_number(number)
    assert found is not None
    return issuing.render_pass_pdf(found)


def test_the_drill(app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with building(app) as world:
        now = world.now
    monkeypatch.setattr("workflow.cli.keys.clock", lambda: now)
    assert run("rotate").exit_code == 0
    with building(app) as world:
        bad = keys.signing_key().kid
        number, token, notice = granted(world)
        before = printed(world, number)
        town = passes.by_number(number).town_id  # type: ignore[union-attr]
    kids = [key["kid"] for key in client.get(ADDRESS).get_json()["keys"]]
    assert kids == [bad.hex()]

    drill = run("reissue", bad.hex(), "--drill").output
    assert "1 passes and 2 papers would be signed anew" in drill
    assert run("reissue", bad.hex()).exit_code == 1, "a key in use"
    assert run("retire", bad.hex(), "--drill").exit_code == 0
    assert [key["kid"] for key in client.get(ADDRESS).get_json()["keys"]] == kids, "a drill changes nothing"

    assert run("retire", bad.hex()).exit_code == 0
    (after,) = [key["kid"] for key in client.get(ADDRESS).get_json()["keys"]]
    assert after != bad.hex(), "gates fetch the new key alone"
    with app.app_context():
        assert verification.check_token(token, now).status == "forged"
        assert history("keys") == [
            ("key_made", {"kid": bad.hex()}),
            ("key_made", {"kid": after}),
            ("key_retired", {"kid": bad.hex()}),
        ]

    assert "1 passes and 2 papers are signed anew" in run("reissue", bad.hex()).output
    assert "0 passes and 0 papers are signed anew" in run("reissue", bad.hex()).output, "again changes nothing"
    with building(app) as world:
        _check_signed_anew(world, bad.hex(), town, (number, token, notice), before)


def _check_signed_anew(world: World, bad: str, town: int, granted_before: tuple[str, str, str], before: bytes) -> None:
    """The pass and its case's papers carry new tokens, and everybody was told."""
    number, token, notice = granted_before
    now = world.now
    found = passes.by_number(number)
    assert found is not None
    assert found.token != token
    assert verification.check_token(found.token or "", now).status == "not_yet"
    assert verification.check_code(found.short_code or "", now).status == "not_yet"
    assert verification.check_token(token, now).status == "forged", "the old paper stays refused"
    assert printed(world, number) != before
    paper = issued.by_number(notice)
    assert paper is not None
    assert paper.file_id is None, "the kept PDF had the old code"
    assert verification.check_token(paper.token, now).status == "valid"
    assert ("passes_reissued", {"kid": bad, "passes": 1}) in history(f"town:{town}")
    assert ("passes_reissued", {"kid": bad, "papers": 2}) in history(f"town:{town}")
    kinds = [i.kind for i in db.session.scalars(db.select(outbox.OutboxItem).order_by(outbox.OutboxItem.id))]
    assert kinds[-4:].count("message") >= 1
    told = db.session.scalars(db.select(outbox.OutboxItem).where(outbox.OutboxItem.kind == "message")).all()
    assert sum(i.payload["event"] == "passes_reissued" for i in told) == 2
    assert list(audit.verify()) == []
    assert db.session.scalar(db.select(db.func.count()).select_from(IssuedDocument)) == 3

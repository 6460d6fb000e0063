"""The commands on signing keys, the compromise drill, and the public keys under their agreed address."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import World
from tests.conftest import building
from workflow import cli
from workflow.core.actors import Role
from workflow.core.errors import NotFound
from workflow.data import issued
from workflow.extensions import settings
from workflow.services import keys, verification
from workflow.services import passes as pass_service

Run = Callable[..., Result]
ADDRESS = "/.well-known/fugong-keys.json"


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command of the application."""
    cli.register(app)

    def call(*words: str) -> Result:
        result: Result = app.test_cli_runner().invoke(args=["keys", *words])
        return result

    return call


def test_rotation_is_listed(app: Flask, run: Run) -> None:
    assert run("list").output == ""
    assert "1 verify" in run("rotate").output
    assert "2 verify" in run("rotate").output
    first, second = (line.split() for line in run("list").output.splitlines())
    assert (first[1], second[1]) == ("verifies", "signs")
    with app.app_context():
        assert keys.signing_key().kid.hex() == second[0]
        assert {path.stat().st_mode & 0o077 for path in settings().keys_dir.glob("*.pem")} == {0}


def granted(world: World) -> tuple[str, str, str]:
    """Number, token and case's notice number of a pass granted now."""
    clerk = world.company()
    case = world.approved(clerk)
    asked = pass_service.request_pass(world.actor(clerk), case.id, world.pass_request(), world.now)
    found = pass_service.grant(world.actor(world.officer(Role.REVIEWER)), asked.id, world.now)
    world.app.extensions["sqlalchemy"].session.commit()
    notice = next(d.number for d in issued.of_case(case.id) if d.kind == "notice")
    return found.number or "", found.token or "", notice


def test_a_compromised_key_is_retired_with_a_list_of_what_it_signed(
    app: Flask, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with building(app) as world:
        now = world.now
        bad = keys.signing_key().kid
        number, token, notice = granted(world)
        keys.make_key()
        later_number, later_token, _ = granted(world)
    monkeypatch.setattr("workflow.cli.keys.clock", lambda: now)
    drill = run("retire", bad.hex(), "--drill")
    with app.app_context():
        assert verification.check_token(token, now).status != "forged"
    result = run("retire", bad.hex())
    assert result.exit_code == 0, result.output
    for output in (drill.output, result.output):
        assert f"pass {number}" in output.splitlines()
        assert f"paper {notice}" in output.splitlines()
        assert later_number not in output
    assert "would be refused" in drill.output
    assert "are refused from now on" in result.output
    with app.app_context():
        assert verification.check_token(token, now).status == "forged"
        assert verification.check_token(later_token, now).status != "forged"
        (kept,) = settings().keys_dir.glob("retired/*.pem")
        assert bad.hex() in kept.name
        assert kept.stat().st_mode & 0o077 == 0
    assert run("list").output.splitlines()[0] == f"{bad.hex()}  retired"


def test_passes_that_have_ended_are_not_listed(app: Flask, run: Run) -> None:
    with building(app) as world:
        bad = keys.signing_key().kid
        number, _, _ = granted(world)
    assert f"pass {number}" not in run("retire", bad.hex(), "--drill").output, "it ended in 2020"


def test_the_last_key_is_replaced_before_it_goes_and_numbers_never_come_again(app: Flask, run: Run) -> None:
    with app.app_context():
        only = keys.signing_key().kid
    run("retire", only.hex())
    with app.app_context():
        after = keys.signing_key().kid
        assert after != only
        assert list(keys.public_keys()) == [after]
    run("retire", after.hex())
    with app.app_context():
        assert len(keys.retired_kids()) == 2
        assert [path.name[:4] for path in settings().keys_dir.glob("*.pem")] == ["0003"]


@pytest.mark.parametrize("kid", ["00000000", "xyz", ""])
@pytest.mark.parametrize("more", [[], ["--drill"]])
def test_what_is_no_key_in_use_is_refused(app: Flask, run: Run, kid: str, more: list[str]) -> None:
    run("rotate")
    assert run("retire", kid, *more).exit_code == 1
    with app.app_context(), pytest.raises(NotFound):
        keys.retire(b"\0\0\0\0")
    assert run("list").output.count("signs") == 1


def test_public_keys_are_for_everybody_without_a_session(app: Flask, client: FlaskClient, run: Run) -> None:
    assert client.get(ADDRESS).json == {"keys": []}, "asking makes no key"
    run("rotate")
    run("rotate")
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    with app.app_context():
        signing = keys.signing_key()
        wanted = keys.public_keys()
    shown = answer.get_json()["keys"]
    assert [key["kid"] for key in shown] == [kid.hex() for kid in wanted]
    for key in shown:
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
        assert set(key) == {"kty", "crv", "alg", "use", "kid", "x"}, "nothing private"
    raw = base64.urlsafe_b64decode(shown[-1]["x"] + "=")
    Ed25519PublicKey.from_public_bytes(raw).verify(signing.sign(b"words"), b"words")
    run("retire", shown[0]["kid"])
    assert [key["kid"] for key in client.get(ADDRESS).get_json()["keys"]] == [shown[1]["kid"]]

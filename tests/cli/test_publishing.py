"""Publishing from a file: two people, the same checks, every problem with its line."""

from __future__ import annotations

import datetime as dt
import importlib
import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from tests.conftest import building
from workflow import cli
from workflow.core.actors import Role
from workflow.core.times import shanghai_day
from workflow.data import catalogue

STARTED = dt.datetime.now(dt.UTC)
TODAY = shanghai_day(STARTED).isoformat()


@pytest.fixture
def logins(app: Flask) -> tuple[str, str]:
    """Two commanders of the city."""
    with building(app) as world:
        return world.officer(Role.COMMANDER, "3302").login, world.new_officer(Role.COMMANDER, "3302").login


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run a command of the application, on the day when these tests were read: a run may go on past midnight."""
    for module in ("publishing", "flows"):
        monkeypatch.setattr(importlib.import_module(f"workflow.cli.{module}"), "clock", lambda: STARTED)
    cli.register(app)

    def call(*words: str) -> Result:
        result: Result = app.test_cli_runner().invoke(args=["flows", *words])
        return result

    return call


def _file(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_rulebook_is_published_and_listed(run, logins: tuple[str, str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    who = ("--by", logins[0], "--approved-by", logins[1])
    path = _file(tmp_path, catalogue.rules_text("filing"))
    result = run("publish", path, "--area", "3302", "--on", TODAY, *who)
    assert result.exit_code == 0, result.output
    assert "rules: version 2" in result.output
    rows = json.loads(run("list", "--json").output)
    assert [(r["in_force"], r["area"]) for r in rows if r["kind"] == "rules"] == [(1, ""), (2, "3302")]
    again = run("publish", path, "--area", "3302", "--on", TODAY, *who)
    assert again.exit_code == 1
    assert "不必再发布" in again.output


def test_every_problem_is_told_with_its_line(run, logins: tuple[str, str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = catalogue.rules_text("filing").replace("[[rule]]\nflow", "[[rule]]\nflaw", 1)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith("flaw"))
    path = _file(tmp_path, text)
    result = run("publish", path, "--area", "3302", "--on", TODAY, "--by", logins[0], "--approved-by", logins[1])
    assert result.exit_code == 1
    assert f"mine.toml:{line}: rule 1: unknown key 'flaw'" in result.output


@pytest.mark.parametrize(
    ("area", "on", "second", "words"),
    [
        ("3302", TODAY, 0, "另一位同事"),
        ("3302", "2020-02-01", 1, "不能早于今天"),
        ("99", TODAY, 1, "no area"),
    ],
    ids=["one-person-twice", "day-that-is-over", "no-such-area"],  # no day in a name: two workers may read on two days
)
def test_what_the_page_refuses_the_command_refuses(  # type: ignore[no-untyped-def]
    run, logins: tuple[str, str], tmp_path: Path, area: str, on: str, second: int, words: str
) -> None:
    path = _file(tmp_path, catalogue.rules_text("filing"))
    result = run("publish", path, "--area", area, "--on", on, "--by", logins[0], "--approved-by", logins[second])
    assert result.exit_code == 1
    assert words in result.output
    rows = json.loads(run("list", "--json").output)
    assert len([r for r in rows if r["kind"] == "rules"]) == 1

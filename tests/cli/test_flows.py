"""The commands on flows: listing, checking with lines, explaining."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from workflow import cli
from workflow.data import catalogue


@pytest.fixture
def run(app: Flask):  # type: ignore[no-untyped-def]
    """Run a command of the application."""
    cli.register(app)

    def call(*words: str) -> Result:
        result: Result = app.test_cli_runner().invoke(args=["flows", *words])
        return result

    return call


def test_the_list_tells_every_flow_with_the_revision_in_force(run) -> None:  # type: ignore[no-untyped-def]
    rows = json.loads(run("list", "--json").output)
    assert [r["key"] for r in rows] == list(catalogue.flow_keys())
    assert all(r["in_force"] == r["revision"] for r in rows)
    assert "approve" in rows[0]["steps"]
    assert "city-small" in run("list").output


def test_the_shipped_flows_are_right(run) -> None:  # type: ignore[no-untyped-def]
    result = run("check")
    assert result.exit_code == 0, result.output
    assert "nothing wrong" in result.output


def test_a_wrong_file_is_told_with_every_problem_and_its_line(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    text = catalogue.flow_text("city-small").replace('dest = "reviewing"', 'dest = "nowhere"', 1)
    text = text.replace('role = "leader"', 'role = "mayor"', 1)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    result = run("check", str(path))
    assert result.exit_code == 1
    accept = next(n for n, line in enumerate(text.splitlines(), 1) if line == 'action = "accept"')
    assert f"mine.toml:{accept}: step 'accept': unknown state 'nowhere'" in result.output
    assert "mayor" in result.output


def test_a_file_that_is_no_toml_is_told(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "broken.toml"
    path.write_text("key = \n", encoding="utf-8")
    result = run("check", str(path))
    assert result.exit_code == 1
    assert "not TOML" in result.output


def test_the_route_is_explained(run) -> None:  # type: ignore[no-untyped-def]
    result = run("explain", "size=below", "sector=industry", "head_count=86")
    assert result.exit_code == 0
    assert "rule 1: yinzhou-town — not: county in ('330212',)" in result.output
    assert "city-large — not: size in ('above',)" in result.output
    assert "rule 5: city-small" in result.output


@pytest.mark.parametrize("words", ["colour=red", "size=", "head_count=many"])
def test_what_is_no_fact_is_refused(run, words: str) -> None:  # type: ignore[no-untyped-def]
    assert run("explain", words).exit_code == 1


def test_an_enterprise_that_no_rule_takes_is_told(run) -> None:  # type: ignore[no-untyped-def]
    result = run("explain", "size=enormous", "county=330203")
    assert result.exit_code == 1
    assert "no rule takes" in result.output

"""Commands on flows: publishing what ships, listing, checking files, and explaining which flow an enterprise takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
from flask.cli import AppGroup

from workflow.cli.clock import clock, writing
from workflow.core.coverage import TooManyKinds, explain, survey
from workflow.core.facts import EnterpriseFacts
from workflow.core.flow import read_flow
from workflow.core.routing import FACT_NAMES, Routing
from workflow.core.tables import FileInvalid
from workflow.core.times import shanghai_day
from workflow.data import catalogue, flows
from workflow.services import publishing

group = AppGroup("flows", help="Flow versions and routing.")
_NUMBERS = frozenset({"head_count", "resuming_count", "key_area_count"})
_NAMED = re.compile(r"^(state|step|material) '([^']+)'")
_KEYS = {"state": "key", "step": "action", "material": "slot"}


@group.command("sync")
def sync_flows() -> None:
    """Publish shipped flows whose revision is new."""
    with writing():
        versions = publishing.sync_flows(clock())
    click.echo(f"flows: {len(versions)} published")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")
def list_flows(as_json: bool) -> None:
    """List the shipped flows and which revision of each is in force today."""
    rows = []
    for key in catalogue.flow_keys():
        flow = read_flow(catalogue.flow_text(key))
        version = flows.newest(key, shanghai_day(clock()))
        rows.append(
            {
                "key": key,
                "revision": flow.revision,
                "in_force": version.revision if version else None,
                "label": {"zh": flow.label.zh, "en": flow.label.en},
                "states": list(flow.states),
                "steps": sorted({s.action for s in flow.steps}),
                "roles": sorted({s.role.value for s in flow.steps}),
            }
        )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo(f"{row['key']}  revision {row['revision']}, in force {row['in_force'] or 'none'}")


def line_of(text: str, problem: str) -> int | None:
    """The line of a flow file that a problem speaks of: where the state, step or material it names begins."""
    named = _NAMED.match(problem)
    if named is None:
        return None
    wanted = re.compile(rf'^{_KEYS[named[1]]}\s*=\s*"{re.escape(named[2])}"')
    return next((n for n, line in enumerate(text.splitlines(), 1) if wanted.match(line)), None)


def _problems(name: str, text: str) -> list[str]:
    try:
        read_flow(text)
    except FileInvalid as error:
        found = []
        for problem in error.problems:
            line = line_of(text, problem)
            found.append(f"{name}:{line}: {problem}" if line else f"{name}: {problem}")
        return found
    return []


def _routing_problems(routing: Routing) -> list[str]:
    try:
        found = survey(routing)
    except TooManyKinds as error:
        return [f"routing: {error}"]
    problems = [f"routing: no rule takes {_words(g.example)}" for g in found.gaps]
    return problems + [f"routing: rule {n} never wins" for n in found.unreachable]


def _words(example: object) -> str:
    return json.dumps(example, ensure_ascii=False, default=str)


@group.command("check")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_flows(files: tuple[Path, ...]) -> None:
    """Check flow FILES, or all shipped ones with their routing: every problem with its line; exit code 1 if any."""
    if files:
        problems = [p for f in files for p in _problems(f.name, f.read_text(encoding="utf-8", errors="replace"))]
    else:
        problems = [p for k in catalogue.flow_keys() for p in _problems(f"{k}.toml", catalogue.flow_text(k))]
        problems += _routing_problems(catalogue.routing())
        for overlap in survey(catalogue.routing()).overlaps:
            click.echo(f"note: rules {overlap.first} and {overlap.second} both take {_words(overlap.example)}")
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise SystemExit(1)
    click.echo(f"flows: {len(files) or len(catalogue.flow_keys())} checked, nothing wrong")


@group.command("explain")
@click.argument("facts", nargs=-1, required=True)
def explain_route(facts: tuple[str, ...]) -> None:
    """Say which flow an enterprise takes and why the other rules do not: FACTS as name=value, e.g. size=above."""
    values: dict[str, str | int] = {}
    for fact in facts:
        name, _sep, value = fact.partition("=")
        if name not in FACT_NAMES or not value:
            raise click.ClickException(f"{fact!r} is no fact; known are {', '.join(sorted(FACT_NAMES))}")
        if name in _NUMBERS and not (value.isascii() and value.isdigit()):
            raise click.ClickException(f"{name} must be a whole number")
        values[name] = int(value) if name in _NUMBERS else value
    routing = catalogue.routing()
    given = EnterpriseFacts({**values, "filed_on": shanghai_day(clock())})
    for trial in explain(routing, given):
        rule = routing.rules[trial.number - 1]
        if trial.holds:
            click.echo(f"rule {trial.number}: {trial.flow} — {rule.why_zh} / {rule.why_en}")
            return
        click.echo(f"rule {trial.number}: {trial.flow} — not: {'; '.join(trial.failed)}")
    raise click.ClickException("no rule takes this enterprise")

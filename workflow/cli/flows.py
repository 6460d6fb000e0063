"""Commands on flows: publishing what ships, listing, checking files, and explaining which flow an enterprise takes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select

from workflow.cli.clock import clock, writing
from workflow.core.conditions import FACT_NAMES
from workflow.core.coverage import explain
from workflow.core.errors import DomainError
from workflow.core.facts import EnterpriseFacts
from workflow.core.flow_file import read_flow
from workflow.core.times import shanghai_day
from workflow.data import areas, catalogue, flows
from workflow.data.areas import Area
from workflow.data.flows import FlowVersion, RuleVersion
from workflow.extensions import db
from workflow.services import drafts, flow_check, publishing, routes

group = AppGroup("flows", help="Flow versions and routing.")
_NUMBERS = frozenset({"head_count", "resuming_count", "key_area_count"})


@group.command("sync")
def sync_flows() -> None:
    """Publish shipped flows whose revision is new."""
    with writing():
        versions = publishing.sync_flows(clock())
    click.echo(f"flows: {len(versions)} published")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of lines.")
def list_flows(as_json: bool) -> None:
    """List everything in force today: what ships with its revision, and what people published, with its area."""
    today = shanghai_day(clock())
    rows = [_row(catalogue.flow_text(k), flows.newest(k, today)) for k in catalogue.flow_keys()]
    for version, area in _published_by_people(today):
        if isinstance(version, FlowVersion):
            rows.append(_row(version.text, version, area))
        else:
            title = version.book.title
            label = {"zh": title.zh, "en": title.en}
            rows.append(
                {"kind": "rules", "key": "rules", "in_force": version.revision, "area": _code(area), "label": label}
            )
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        place = f" in {row['area']}" if row["area"] else ""
        shipped = f"revision {row['revision']}, " if "revision" in row else ""
        click.echo(f"{row['key']}{place}  {shipped}in force {row['in_force'] or 'none'}")


def _code(area: Area | None) -> str:
    return area.code if area else ""


def _row(text: str, version: FlowVersion | None, area: Area | None = None) -> dict[str, Any]:
    flow = read_flow(text)
    return {
        "kind": "flow",
        "key": flow.key,
        "revision": flow.revision,
        "in_force": version.revision if version else None,
        "area": _code(area),
        "label": {"zh": flow.label.zh, "en": flow.label.en},
        "states": list(flow.states),
        "steps": sorted({s.action for s in flow.steps}),
        "roles": sorted({s.role.value for s in flow.steps}),
    }


def _published_by_people(today: dt.date) -> list[tuple[FlowVersion | RuleVersion, Area | None]]:
    """What people published and is in force today, the newest of each area and key, and the shipped rulebook."""
    newest: dict[tuple[str, int | None], FlowVersion | RuleVersion] = {}
    for kind in (RuleVersion, FlowVersion):
        held = (kind.effective_on <= today) & kind.withdrawn_at.is_(None)
        for version in db.session.scalars(select(kind).where(held).order_by(kind.effective_on, kind.revision)):
            if isinstance(version, RuleVersion):
                newest[("", version.area_id)] = version
            elif isinstance(version, FlowVersion) and version.drafted_by is not None:
                newest[(version.key, version.area_id)] = version
    return [(v, db.session.get(Area, v.area_id) if v.area_id else None) for v in newest.values()]


def _read(file: Path) -> str:
    """The text of a file as an upload would read it."""
    try:
        return drafts.decoded(file.read_bytes())
    except DomainError as error:
        raise click.ClickException(f"{file.name}: {error}") from error


def _texts(files: tuple[Path, ...]) -> list[tuple[str, str]]:
    if files:
        return [(f.name, _read(f)) for f in files]
    shipped = [(f"flows/{k}.toml", catalogue.flow_text(k)) for k in catalogue.flow_keys()]
    return shipped + [(f"rules/{k}.toml", catalogue.rules_text(k)) for k in catalogue.rule_keys()]


def _area(code: str | None) -> Area | None:
    if code is None:
        return None
    area = areas.by_code(code)
    if area is None:
        raise click.ClickException(f"there is no area {code!r}")
    return area


@group.command("check")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--area", "area_code", help="Code of the area; also checks that every role is held there.")
def check_flows(files: tuple[Path, ...], area_code: str | None) -> None:
    """Check flow and rule FILES, or all shipped ones: every problem with its line, all at once; exit code 1 if any."""
    area, today, wrong = _area(area_code), shanghai_day(clock()), 0
    texts = _texts(files)
    for name, text in texts:
        kind = drafts.kind_of(text)
        found = flow_check.check(kind, text, area, today if area or (kind == "rules" and not files) else None)
        for problem in found.problems:
            click.echo(f"{name}:{problem}", err=True)
        for note in found.notes:
            click.echo(f"note: {name}:{note}")
        wrong += len(found.problems)
    if wrong:
        raise SystemExit(1)
    click.echo(f"flows: {len(texts)} checked, nothing wrong")


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
    today = shanghai_day(clock())
    town = str(values.get("town", ""))
    if town:
        values.setdefault("county", town[:6])
    rules = routes.rules_at(town, today)
    choice = rules.choose(EnterpriseFacts({"purpose": "resume", "trade": "none", "filed_on": today, **values}))
    listed = f", on the negative list: {choice.listed.label.en}" if choice.listed else ""
    click.echo(f"regime: {choice.regime.value}{listed}")
    for trial in explain(rules.all_rules, choice.facts):
        rule = rules.all_rules[trial.number - 1]
        if trial.holds:
            click.echo(f"rule {trial.number}: {trial.flow} — {rule.why.zh} / {rule.why.en}")
            return
        click.echo(f"rule {trial.number}: {trial.flow} — not: {'; '.join(trial.failed)}")
    raise click.ClickException("no rule takes this enterprise")

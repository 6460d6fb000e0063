"""Publishing a flow or rulebook from a file: the same two people and the same checks as in the page."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from workflow.cli.clock import clock, writing
from workflow.cli.drawing import group as group  # with the command below, this is what gets registered
from workflow.core.actors import Actor
from workflow.core.errors import DomainError
from workflow.core.times import shanghai_day
from workflow.data import areas, people
from workflow.extensions import db
from workflow.services import drafts, releases


def _person(login: str) -> Actor:
    account = people.account_by_login(login)
    if account is None or not account.is_active:
        raise click.ClickException(f"no account has the login {login!r}")
    return people.actor_of(account, shanghai_day(clock()))


@group.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--area", "area_code", required=True, help="Official code of the city, county or town it is for.")
@click.option("--on", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="From which day on.")
@click.option("--by", "by", required=True, help="Login of the commander who drafted it.")
@click.option("--approved-by", required=True, help="Login of another commander, who approves it.")
def publish_file(file: Path, area_code: str, on: dt.datetime, by: str, approved_by: str) -> None:
    """Publish the flow or rulebook in FILE; tells every problem with its line and exits with 1 when there is any."""
    area, drafter, approver, now = areas.by_code(area_code), _person(by), _person(approved_by), clock()
    if area is None:
        raise click.ClickException(f"there is no area {area_code!r}")
    try:
        text = drafts.decoded(file.read_bytes())
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    with writing():
        draft = drafts.start(drafter, drafts.kind_of(text), file.name, text, area, now)
        drafts.save(drafter, draft.id, revision=draft.revision, now=now, effective_on=on.date())
        problems = drafts.checked(draft, now).problems
        if problems:
            db.session.rollback()
            for problem in problems:
                click.echo(f"{file.name}:{problem}", err=True)
            raise SystemExit(1)
        drafts.propose(drafter, draft.id, revision=draft.revision, now=now)
        version = releases.publish(approver, draft.id, revision=draft.revision, now=now)
        told = f"{draft.kind}: version {version.revision} for {area.name} from {version.effective_on}"
    click.echo(told)

"""Commands on the signing keys: list, rotate, and retire one that is in wrong hands."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from workflow.cli.clock import clock
from workflow.core.errors import DomainError
from workflow.core.times import shanghai_day
from workflow.services import keys

group = AppGroup("keys", help="Signing keys of passes and papers.")


@group.command("list")
def list_keys() -> None:
    """List key ids with what each does, oldest first: retired, verifies, or signs."""
    for kid in keys.retired_kids():
        click.echo(f"{kid}  retired")
    in_use = [kid.hex() for kid in keys.public_keys()]
    for kid in in_use:
        click.echo(f"{kid}  {'signs' if kid == in_use[-1] else 'verifies'}")


@group.command("rotate")
def rotate() -> None:
    """Make a new key, which signs from now on; what the others signed still verifies."""
    click.echo(f"keys: {keys.make_key().name} signs, {len(keys.public_keys())} verify")


@group.command("retire")
@click.argument("kid")
@click.option("--drill", is_flag=True, help="Only print what would be refused; the key stays in use.")
def retire(kid: str, drill: bool) -> None:
    """Take a key out of use and print the passes and papers that are refused from now on, one a line.

    A new key is made first when it was the one that signs.
    """
    name = _kid(kid)
    passes = list(keys.passes_signed_with(name, shanghai_day(clock())))
    papers = list(keys.papers_signed_with(name))
    if not drill:
        try:
            keys.retire(name)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
    elif name not in keys.public_keys():
        raise click.ClickException("no key in use has this id")
    for number in passes:
        click.echo(f"pass {number}")
    for number in papers:
        click.echo(f"paper {number}")
    state = "would be refused" if drill else "are refused from now on"
    click.echo(f"keys: {name.hex()}: {len(passes)} passes and {len(papers)} papers {state}", err=True)


def _kid(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise click.ClickException("a key id is written in hexadecimal, as the list shows it") from error

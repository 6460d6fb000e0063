"""Commands on the signing keys: list, rotate, retire one that is in wrong hands, and sign anew what it signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import click
from flask.cli import AppGroup

from workflow.cli.clock import clock, writing
from workflow.core.actors import SYSTEM, Actor
from workflow.core.errors import DomainError
from workflow.core.times import shanghai_day
from workflow.services import key_changes, keys

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
    with writing():
        kid = key_changes.rotate(SYSTEM, clock())
    click.echo(f"keys: {kid.hex()} signs, {len(keys.public_keys())} verify")


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
        with writing():
            key_changes.retire(name, SYSTEM, clock())
    elif name not in keys.public_keys():
        raise click.ClickException("no key in use has this id")
    for number in passes:
        click.echo(f"pass {number}")
    for number in papers:
        click.echo(f"paper {number}")
    state = "would be refused" if drill else "are refused from now on"
    click.echo(f"keys: {name.hex()}: {len(passes)} passes and {len(papers)} papers {state}", err=True)


@group.command("reissue")
@click.argument("kid")
@click.option("--drill", is_flag=True, help="Only count what would be signed anew.")
def reissue(kid: str, drill: bool) -> None:
    """Sign anew what stands and was signed by a retired key, and tell the companies to print it again.

    Goes on where it was interrupted when it is called again.
    """
    name = _kid(kid)
    found = key_changes.standing(name, clock())
    passes, papers = len(found.passes), len(found.papers)
    if not drill:
        try:
            key_changes.check_retired(name)
        except DomainError as error:
            raise click.ClickException(str(error)) from error
        passes = _in_batches(key_changes.reissue_passes, name, found.passes)
        papers = _in_batches(key_changes.reissue_papers, name, found.papers)
    state = "would be signed anew" if drill else "are signed anew, their companies are told to print them"
    click.echo(f"keys: {name.hex()}: {passes} passes and {papers} papers {state}")


def _in_batches(act: Callable[[bytes, Sequence[int], Actor, dt.datetime], int], kid: bytes, ids: Sequence[int]) -> int:
    """Let ``act`` take the ids in transactions of a batch each; returns how many it changed."""
    done = 0
    for start in range(0, len(ids), key_changes.BATCH):
        with writing():
            done += act(kid, ids[start : start + key_changes.BATCH], SYSTEM, clock())
    return done


def _kid(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise click.ClickException("a key id is written in hexadecimal, as the list shows it") from error

"""The clock of commands and the one transaction that a command writes in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import click

from workflow.core.errors import DomainError
from workflow.extensions import db, write_intent


def clock() -> dt.datetime:
    """The present instant, UTC."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def writing() -> Iterator[None]:
    """One write transaction of a command; a domain error becomes a message and exit code 1."""
    token = write_intent.set(True)
    try:
        yield
        db.session.commit()
    except DomainError as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    except BaseException:
        db.session.rollback()
        raise
    finally:
        write_intent.reset(token)

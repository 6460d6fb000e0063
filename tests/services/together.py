"""Runs several acts at the same time, each in a thread with its own session and write transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from workflow.extensions import db, write_intent

PATIENCE = 60


def together(app: Flask, *acts: Callable[[], Any], writing: bool = True) -> list[Any]:
    """What each act gave back, or the exception it ended with; each act commits by itself when it is done.

    The caller's own session is rolled back first: on SQLite it would hold the write lock that the others wait for.
    """
    db.session.rollback()
    start = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            write_intent.set(writing)
            start.wait(PATIENCE)
            try:
                outcomes[place] = act()
                db.session.commit()
            except Exception as error:
                db.session.rollback()
                outcomes[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(n, act), daemon=True) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "an act hangs"
    return outcomes


def failures(outcomes: list[Any]) -> list[Exception]:
    """The exceptions among outcomes."""
    return [o for o in outcomes if isinstance(o, Exception)]

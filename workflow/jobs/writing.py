"""A transaction of the worker that means to write: committed at its end, rolled back on an error."""

from __future__ import annotations

from workflow.extensions import db, write_intent


class Writing:
    """``with Writing():`` around what belongs into one commit; what was read before it is read anew inside."""

    def __enter__(self) -> None:
        db.session.rollback()
        self._token = write_intent.set(True)

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            db.session.rollback() if kind else db.session.commit()
        finally:
            write_intent.reset(self._token)

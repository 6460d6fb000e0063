"""The whole write path against the least an ORM can do: load, set a column, insert a history row, commit."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench import scene
from bench.harness import Measurement, bench, compare
from workflow.data import people
from workflow.data.cases import Case
from workflow.extensions import db, write_intent
from workflow.services import cases


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]


class _History(_Base):
    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(ForeignKey("rows.id"))
    before: Mapped[str]
    after: Mapped[str]
    at: Mapped[dt.datetime]


def _bare(folder: Path) -> tuple[Session, list[int]]:
    engine = create_engine(f"sqlite:///{folder / 'bare.sqlite3'}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, record: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    _Base.metadata.create_all(engine)
    session = Session(engine)
    session.add_all([_Row(id=n, state="submitted") for n in range(1, 4001)])
    session.commit()
    return session, list(range(1, 4001))


@bench("cases.perform", "steps/s", "bare ORM transition + history insert + commit, SQLite FULL")
def perform() -> Measurement:
    """Accept cases one by one, each with rights, engine, history chain, outbox and its own commit."""
    app = scene.installation()
    with tempfile.TemporaryDirectory() as name, app.app_context():
        session, ids = _bare(Path(name))

        def bare() -> None:
            row = session.get_one(_Row, ids.pop())
            row.state = "reviewing"
            session.add(_History(row_id=row.id, before="submitted", after="reviewing", at=scene.now()))
            session.commit()

        account = people.account_by_login("bench")
        if account is None:
            raise LookupError("the bench's officer is missing")
        actor = people.actor_of(account, scene.now().date())
        waiting = list(
            db.session.execute(
                select(Case.id, Case.version).where(
                    Case.state == "submitted", Case.town_id == actor.appointments[0].area_id
                )
            )
        )
        db.session.rollback()
        calls, rounds = min(40, len(waiting) // 6), 5
        token = write_intent.set(True)

        def ours() -> None:
            case_id, version = waiting.pop()
            cases.perform(actor, case_id, "accept", version=version, now=scene.now())
            db.session.commit()

        try:
            mine, base = compare(ours, bare, calls=calls, rounds=rounds)
        finally:
            write_intent.reset(token)
            session.close()
    return Measurement(mine.per_second, base.per_second)

"""who handles a case, counters beside the cases, and the pieces of names

Revision ID: 0004
Revises: 0003
"""

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

import workflow.extensions
from workflow.core.grams import grams

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)
NO_DAY, NO_LIMIT = dt.date(1970, 1, 1), dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def upgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assignee_id", ID, nullable=True))
        batch_op.add_column(sa.Column("assigned_at", AT, nullable=True))
        batch_op.add_column(sa.Column("assigned_because", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("assign_at", AT, nullable=True))
        batch_op.add_column(sa.Column("handled_by", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.create_foreign_key(batch_op.f("fk_cases_assignee_id_people"), "people", ["assignee_id"], ["id"])
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.alter_column("handled_by", server_default=None)
        batch_op.create_index("ix_cases_assignee", ["assignee_id", "is_open", "due_at", "id"])
        some = sa.text("assign_at IS NOT NULL")
        batch_op.create_index("ix_cases_assign", ["assign_at", "id"], sqlite_where=some, postgresql_where=some)
        for level in ("town", "county", "city"):
            batch_op.create_index(f"ix_cases_{level}_filed", [f"{level}_id", "is_open", "submitted_at", "id"])
    op.create_table(
        "name_grams",
        sa.Column("gram", sa.String(length=2), nullable=False),
        sa.Column("town_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_name_grams_case_id_cases")),
        sa.PrimaryKeyConstraint("gram", "town_id", "case_id", name=op.f("pk_name_grams")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_name_grams_case", "name_grams", ["case_id"])
    op.create_table(
        "counters",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("town_id", ID, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "day", "town_id", "key", name=op.f("pk_counters")),
    )
    if not op.get_context().as_sql:
        _fill()


def _day(at: dt.datetime) -> dt.date:
    return at.astimezone(ZoneInfo("Asia/Shanghai")).date()


def _fill() -> None:
    """Count the cases that are there, and keep the pieces of their names; what waits for staff is to be assigned."""
    connection = op.get_bind()
    cases = sa.table(
        "cases",
        *(sa.column(n) for n in ("id", "town_id", "enterprise_name", "flow_version_id", "state", "is_open", "moves")),
        *(sa.column(n, AT) for n in ("due_at", "submitted_at", "decided_at", "state_since_at", "assign_at")),
        sa.column("permits", sa.Boolean()),
        sa.column("holder"),
    )
    kept = sa.table("name_grams", sa.column("gram"), sa.column("town_id"), sa.column("case_id"))
    found: Counter[tuple[str, dt.date, int, str]] = Counter()
    last = 0
    while rows := connection.execute(sa.select(cases).where(cases.c.id > last).order_by(cases.c.id).limit(2000)).all():
        last = rows[-1].id
        pieces = [
            {"gram": g, "town_id": row.town_id, "case_id": row.id} for row in rows for g in grams(row.enterprise_name)
        ]
        connection.execute(sa.insert(kept), pieces)
        for row in rows:
            _count(row, found)
    counters = sa.table(
        "counters", *(sa.column(n) for n in ("kind", "town_id", "key", "number")), sa.column("day", sa.Date())
    )
    if found:
        lines = [{"kind": k, "day": d, "town_id": t, "key": y, "number": n} for (k, d, t, y), n in found.items()]
        connection.execute(sa.insert(counters), lines)
    waiting = sa.and_(cases.c.is_open == sa.true(), cases.c.holder.not_in(("", "filer", "host_filer")))
    connection.execute(sa.update(cases).where(waiting).values(assign_at=cases.c.state_since_at))


def _count(row: sa.Row, found: Counter[tuple[str, dt.date, int, str]]) -> None:
    if not row.moves:
        return
    found[("filed", _day(row.submitted_at), row.town_id, "")] += 1
    if row.is_open:
        found[("open", NO_DAY, row.town_id, f"{row.flow_version_id}:{row.state}")] += 1
        if row.due_at < NO_LIMIT:
            found[("due", _day(row.due_at - dt.timedelta(microseconds=1)), row.town_id, "")] += 1
    if row.decided_at is not None:
        hours = int((row.decided_at - row.submitted_at).total_seconds() // 3600)
        found[("decided", _day(row.decided_at), row.town_id, "approved" if row.permits else "ended")] += 1
        found[("hours", _day(row.decided_at), row.town_id, str(max(0, hours)))] += 1


def downgrade() -> None:
    op.drop_table("counters")
    op.drop_table("name_grams")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        for level in ("town", "county", "city"):
            batch_op.drop_index(f"ix_cases_{level}_filed")
        batch_op.drop_index("ix_cases_assign")
        batch_op.drop_index("ix_cases_assignee")
        batch_op.drop_constraint(batch_op.f("fk_cases_assignee_id_people"), type_="foreignkey")
        for name in ("handled_by", "assign_at", "assigned_because", "assigned_at", "assignee_id"):
            batch_op.drop_column(name)

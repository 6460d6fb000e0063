"""life of a pass: suspended, replaced, withdrawn; the list of dead passes

Revision ID: 0013
Revises: 0012
"""

import hashlib

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)
BATCH = 1000
STATUSES = "'requested', 'granted', 'suspended', 'refused', 'withdrawn', 'revoked', 'replaced'"
NEVER_GRANTED = "'requested', 'refused', 'withdrawn'"


def _fingerprint(number: str) -> int:
    """As the model computes it at this revision."""
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:5], "big")


def _fill() -> None:
    """Give every pass its town and every number its fingerprint; those that were revoked are on the list."""
    op.execute("UPDATE passes SET town_id = (SELECT town_id FROM cases WHERE cases.id = passes.case_id)")
    op.execute("UPDATE passes SET is_dead = (status = 'revoked')")
    bind = op.get_bind()
    table = sa.table("passes", sa.column("id", ID), sa.column("number"), sa.column("fingerprint", sa.BigInteger()))
    last = 0
    while True:
        query = sa.select(table.c.id, table.c.number).where(table.c.id > last, table.c.number.is_not(None))
        rows = bind.execute(query.order_by(table.c.id).limit(BATCH)).all()
        if not rows:
            break
        statement = sa.update(table).where(table.c.id == sa.bindparam("of"))
        bind.execute(
            statement.values(fingerprint=sa.bindparam("print")),
            [{"of": row.id, "print": _fingerprint(row.number)} for row in rows],
        )
        last = rows[-1].id
    dead = bind.scalar(sa.text("SELECT count(*) FROM passes WHERE is_dead"))
    if dead:
        op.execute("UPDATE passes SET list_version = 1 WHERE is_dead")
        op.execute("INSERT INTO sequences (name, value) VALUES ('pass-list', 1)")


def _live_plate(*statuses: str) -> None:
    live = sa.text(f"status IN ({', '.join(repr(s) for s in statuses)})")
    columns = ["case_id", "plate", "valid_from_on"]
    op.create_index("uq_passes_live_plate", "passes", columns, unique=True, sqlite_where=live, postgresql_where=live)


def upgrade() -> None:
    op.drop_index("uq_passes_live_plate", "passes")
    with op.batch_alter_table("passes") as batch:
        batch.add_column(sa.Column("fingerprint", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("is_dead", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("list_version", ID, nullable=False, server_default="0"))
        batch.add_column(sa.Column("town_id", ID, nullable=True))
        batch.add_column(sa.Column("reason", sa.String(length=10), nullable=False, server_default="new"))
        batch.add_column(sa.Column("replaces_id", ID, nullable=True))
        batch.add_column(sa.Column("schedule", sa.String(length=20), nullable=False, server_default="always"))
        batch.drop_constraint(op.f("fk_passes_revoked_by_people"), type_="foreignkey")
        batch.alter_column("revoked_by", new_column_name="changed_by")
        batch.alter_column("revoked_at", new_column_name="changed_at")
        batch.drop_constraint(op.f("ck_passes_status"), type_="check")
        batch.drop_constraint(op.f("ck_passes_number"), type_="check")
    _fill()
    with op.batch_alter_table("passes") as batch:
        batch.alter_column("town_id", existing_type=ID, nullable=False)
        for column, default in (("is_dead", sa.Boolean()), ("list_version", ID)):
            batch.alter_column(column, existing_type=default, server_default=None)
        for column, length in (("reason", 10), ("schedule", 20)):
            batch.alter_column(column, existing_type=sa.String(length), server_default=None)
        batch.create_check_constraint(op.f("ck_passes_status"), f"status IN ({STATUSES})")
        batch.create_check_constraint(op.f("ck_passes_reason"), "reason IN ('new', 'renewal', 'lost', 'plate')")
        batch.create_check_constraint(op.f("ck_passes_number"), f"(status IN ({NEVER_GRANTED})) = (number IS NULL)")
        batch.create_unique_constraint(op.f("uq_passes_fingerprint"), ["fingerprint"])
        batch.create_foreign_key(op.f("fk_passes_changed_by_people"), "people", ["changed_by"], ["id"])
        batch.create_foreign_key(op.f("fk_passes_town_id_areas"), "areas", ["town_id"], ["id"])
        batch.create_foreign_key(op.f("fk_passes_replaces_id_passes"), "passes", ["replaces_id"], ["id"])
    op.create_index(op.f("ix_passes_replaces_id"), "passes", ["replaces_id"])
    op.create_index("ix_passes_desk", "passes", ["town_id", "status", "id"])
    op.create_index("ix_passes_list", "passes", ["list_version", "is_dead", "fingerprint"])
    op.create_index("ix_passes_dead", "passes", ["is_dead", "valid_until_on", "fingerprint"])
    _live_plate("requested", "granted", "suspended")


def downgrade() -> None:
    for name in ("uq_passes_live_plate", "ix_passes_dead", "ix_passes_list", "ix_passes_desk"):
        op.drop_index(name, "passes")
    op.drop_index(op.f("ix_passes_replaces_id"), "passes")
    with op.batch_alter_table("passes") as batch:
        for name in ("town_id_areas", "replaces_id_passes", "changed_by_people"):
            batch.drop_constraint(op.f(f"fk_passes_{name}"), type_="foreignkey")
        batch.drop_constraint(op.f("uq_passes_fingerprint"), type_="unique")
        for name in ("status", "reason", "number"):
            batch.drop_constraint(op.f(f"ck_passes_{name}"), type_="check")
    # What the older program has no word for is what comes closest: dead is revoked, withdrawn is refused.
    op.execute("UPDATE passes SET status = 'revoked' WHERE status IN ('suspended', 'replaced')")
    op.execute("UPDATE passes SET status = 'refused' WHERE status = 'withdrawn'")
    op.execute("DELETE FROM sequences WHERE name = 'pass-list'")
    with op.batch_alter_table("passes") as batch:
        batch.alter_column("changed_by", new_column_name="revoked_by")
        batch.alter_column("changed_at", new_column_name="revoked_at")
        for column in ("fingerprint", "is_dead", "list_version", "town_id", "reason", "replaces_id", "schedule"):
            batch.drop_column(column)
        batch.create_check_constraint(op.f("ck_passes_status"), "status IN ('requested','granted','refused','revoked')")
        batch.create_check_constraint(
            op.f("ck_passes_number"), "(status IN ('requested','refused')) = (number IS NULL)"
        )
    with op.batch_alter_table("passes") as batch:  # by itself: a renamed column is not known by its new name before
        batch.create_foreign_key(op.f("fk_passes_revoked_by_people"), "people", ["revoked_by"], ["id"])
    _live_plate("requested", "granted")

"""passes that are suspended with their case; a suspended pass leaves room for the one asked for in its stead

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _live_plate(*statuses: str) -> None:
    live = sa.text(f"status IN ({', '.join(repr(s) for s in statuses)})")
    columns = ["case_id", "plate", "valid_from_on"]
    op.create_index("uq_passes_live_plate", "passes", columns, unique=True, sqlite_where=live, postgresql_where=live)


def upgrade() -> None:
    op.drop_index("uq_passes_live_plate", "passes")
    with op.batch_alter_table("passes") as batch:
        batch.add_column(sa.Column("with_case", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("passes") as batch:
        batch.alter_column("with_case", existing_type=sa.Boolean(), server_default=None)
    _live_plate("requested", "granted")


def downgrade() -> None:
    op.drop_index("uq_passes_live_plate", "passes")
    # A lost pass and the one in its stead begin on one day: the older program knows only one of them.
    op.execute(
        "UPDATE passes SET status = 'revoked' WHERE status = 'suspended' AND EXISTS (SELECT 1 FROM passes AS other"
        " WHERE other.case_id = passes.case_id AND other.plate = passes.plate"
        " AND other.valid_from_on = passes.valid_from_on AND other.id <> passes.id"
        " AND other.status IN ('requested', 'granted'))"
    )
    with op.batch_alter_table("passes") as batch:
        batch.drop_column("with_case")
    _live_plate("requested", "granted", "suspended")

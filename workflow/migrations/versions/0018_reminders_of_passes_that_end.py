"""reminders of passes that end; those granted before this revision are not reminded of

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("passes") as batch:
        batch.add_column(sa.Column("remind_on", sa.Date(), nullable=True))
    waiting = sa.text("remind_on IS NOT NULL")
    op.create_index(
        "ix_passes_remind", "passes", ["remind_on", "case_id"], sqlite_where=waiting, postgresql_where=waiting
    )


def downgrade() -> None:
    op.drop_index("ix_passes_remind", "passes")
    with op.batch_alter_table("passes") as batch:
        batch.drop_column("remind_on")

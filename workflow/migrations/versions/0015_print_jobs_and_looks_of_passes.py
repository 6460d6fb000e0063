"""what a pass said when it was granted, how its area's passes looked then, and jobs that print many

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)
STATUSES = "'waiting', 'running', 'done', 'failed', 'cancelled', 'expired'"


def _key(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_print_jobs_{column}_{other}"))


def _jobs() -> None:
    op.create_table(
        "print_jobs",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("pass_ids", sa.JSON(), nullable=False),
        sa.Column("layout", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("printed", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("file_id", ID, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("started_at", AT, nullable=True),
        sa.Column("finished_at", AT, nullable=True),
        sa.Column("expires_at", AT, nullable=True),
        sa.Column("id", ID, nullable=False),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_print_jobs_status")),
        sa.CheckConstraint("format IN ('pdf', 'zip')", name=op.f("ck_print_jobs_format")),
        _key("person_id", "people"),
        _key("account_id", "accounts"),
        _key("case_id", "cases"),
        _key("file_id", "files"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_jobs")),
    )
    op.create_index("ix_print_jobs_mine", "print_jobs", ["person_id", "id"])
    op.create_index("ix_print_jobs_expiry", "print_jobs", ["status", "expires_at"])


def upgrade() -> None:
    op.create_table(
        "pass_looks",
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pass_looks")),
    )
    said, looked = "what else it says, as it was when granted", "digest of how its area's passes looked then"
    op.add_column("passes", sa.Column("printed", sa.JSON(), nullable=True, comment=said))
    op.add_column("passes", sa.Column("look", sa.String(length=32), nullable=True, comment=looked))
    _jobs()


def downgrade() -> None:
    op.drop_table("print_jobs")
    with op.batch_alter_table("passes") as batch:
        batch.drop_column("look")
        batch.drop_column("printed")
    op.drop_table("pass_looks")

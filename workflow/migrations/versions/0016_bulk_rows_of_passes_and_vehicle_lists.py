"""bulk rows of passes, and vehicle lists that are looked at before they are handed in

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)
OF_CASE, OF_PASS = sa.text("pass_id IS NULL"), sa.text("pass_id IS NOT NULL")


def _rows() -> None:
    with op.batch_alter_table("bulk_rows") as batch:
        batch.add_column(sa.Column("pass_id", ID, nullable=True))
        batch.drop_constraint(op.f("uq_bulk_rows_job_id"), type_="unique")
        batch.create_foreign_key(op.f("fk_bulk_rows_pass_id_passes"), "passes", ["pass_id"], ["id"])
    unique = {"unique": True}
    op.create_index(
        "uq_bulk_rows_case",
        "bulk_rows",
        ["job_id", "case_id"],
        sqlite_where=OF_CASE,
        postgresql_where=OF_CASE,
        **unique,
    )
    op.create_index(
        "uq_bulk_rows_pass",
        "bulk_rows",
        ["job_id", "pass_id"],
        sqlite_where=OF_PASS,
        postgresql_where=OF_PASS,
        **unique,
    )


def _lists() -> None:
    op.create_table(
        "vehicle_lists",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False, comment="of the file"),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("submitted_at", AT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_vehicle_lists_case_id_cases")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_vehicle_lists_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_lists")),
    )
    op.create_index("ix_vehicle_lists_case", "vehicle_lists", ["case_id", "id"])
    op.create_index("ix_vehicle_lists_created", "vehicle_lists", ["created_at"])


def upgrade() -> None:
    _rows()
    _lists()


def downgrade() -> None:
    op.drop_table("vehicle_lists")
    op.drop_index("uq_bulk_rows_pass", "bulk_rows")
    op.drop_index("uq_bulk_rows_case", "bulk_rows")
    # The older program knows no rows of passes: their jobs go with them.
    op.execute("DELETE FROM bulk_rows WHERE pass_id IS NOT NULL")
    op.execute("DELETE FROM bulk_jobs WHERE action LIKE 'passes_%'")
    with op.batch_alter_table("bulk_rows") as batch:
        batch.drop_constraint(op.f("fk_bulk_rows_pass_id_passes"), type_="foreignkey")
        batch.drop_column("pass_id")
        batch.create_unique_constraint(op.f("uq_bulk_rows_job_id"), ["job_id", "case_id"])

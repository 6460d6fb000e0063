"""notes threads and phrases

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def upgrade() -> None:
    op.create_table(
        "case_notes",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("id", ID, nullable=False),
        _to("case_notes", "case_id", "cases"),
        _to("case_notes", "person_id", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    op.create_index("ix_case_notes_case", "case_notes", ["case_id", "id"])
    op.create_table(
        "thread_messages",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("from_company", sa.Boolean(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("id", ID, nullable=False),
        _to("thread_messages", "case_id", "cases"),
        _to("thread_messages", "person_id", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread_messages")),
    )
    op.create_index("ix_thread_messages_case", "thread_messages", ["case_id", "id"])
    op.create_table(
        "thread_marks",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("up_to_id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.CheckConstraint("side IN ('company','staff')", name=op.f("ck_thread_marks_side")),
        _to("thread_marks", "case_id", "cases"),
        sa.PrimaryKeyConstraint("case_id", "side", name=op.f("pk_thread_marks")),
    )
    op.create_table(
        "phrases",
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.CheckConstraint("(owner_id IS NULL) <> (area_id IS NULL)", name=op.f("ck_phrases_whose")),
        _to("phrases", "owner_id", "people"),
        _to("phrases", "area_id", "areas"),
        _to("phrases", "created_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phrases")),
    )
    op.create_index("ix_phrases_owner", "phrases", ["owner_id", "topic"])
    op.create_index("ix_phrases_area", "phrases", ["area_id", "topic"])


def downgrade() -> None:
    for table in ("phrases", "thread_marks", "thread_messages", "case_notes"):
        op.drop_table(table)

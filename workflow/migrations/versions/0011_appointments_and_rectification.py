"""appointments and rectification

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def _people(column: str) -> tuple[str, str, list[str], list[str]]:
    return op.f(f"fk_inspections_{column}_people"), "people", [column], ["id"]


def upgrade() -> None:
    with op.batch_alter_table("inspections") as batch:
        batch.add_column(sa.Column("duration_minutes", sa.Integer(), nullable=False, server_default="90"))
        batch.add_column(sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("appointed_at", AT, nullable=True))
        batch.add_column(sa.Column("confirmed_at", AT, nullable=True))
        batch.add_column(sa.Column("confirmed_by", ID, nullable=True))
        batch.add_column(sa.Column("wish_status", sa.String(length=10), nullable=False, server_default=""))
        batch.add_column(sa.Column("wish_at", AT, nullable=True))
        batch.add_column(sa.Column("wish_words", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("wished_at", AT, nullable=True))
        batch.add_column(sa.Column("wished_by", ID, nullable=True))
        batch.add_column(sa.Column("wish_answer", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("remind_at", AT, nullable=True))
        batch.create_foreign_key(*_people("confirmed_by"))
        batch.create_foreign_key(*_people("wished_by"))
        batch.create_check_constraint(
            op.f("ck_inspections_wish_status"), "wish_status IN ('','open','accepted','moved','kept')"
        )
        batch.create_check_constraint(op.f("ck_inspections_duration_minutes"), "duration_minutes BETWEEN 15 AND 480")
    op.create_index("ix_inspections_visit_at", "inspections", ["status", "visit_at"])
    noted = sa.text("remind_at IS NOT NULL")
    op.create_index(
        "ix_inspections_remind_at", "inspections", ["remind_at"], sqlite_where=noted, postgresql_where=noted
    )


def downgrade() -> None:
    op.drop_index("ix_inspections_remind_at", "inspections")
    op.drop_index("ix_inspections_visit_at", "inspections")
    with op.batch_alter_table("inspections") as batch:
        batch.drop_constraint(op.f("ck_inspections_wish_status"), type_="check")
        batch.drop_constraint(op.f("ck_inspections_duration_minutes"), type_="check")
        batch.drop_constraint(op.f("fk_inspections_confirmed_by_people"), type_="foreignkey")
        batch.drop_constraint(op.f("fk_inspections_wished_by_people"), type_="foreignkey")
        for column in ("duration_minutes", "sequence", "appointed_at", "confirmed_at", "confirmed_by", "wish_status"):
            batch.drop_column(column)
        for column in ("wish_at", "wish_words", "wished_at", "wished_by", "wish_answer", "remind_at"):
            batch.drop_column(column)

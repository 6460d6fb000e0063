"""saved views and queue indexes

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)
LATE = sa.text("escalated_to <> ''")


def _is_postgres() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _views() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("shared", sa.String(length=10), nullable=False),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("changed_at", AT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("shared IN ('','team','area')", name=op.f("ck_saved_views_shared")),
        sa.CheckConstraint("(shared = 'area') = (area_id IS NOT NULL)", name=op.f("ck_saved_views_area")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_saved_views_area_id_areas")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_saved_views_owner_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_saved_views_owner_id")),
    )
    op.create_index("ix_saved_views_area_id", "saved_views", ["area_id"])
    op.create_index(
        "uq_saved_views_default",
        "saved_views",
        ["owner_id"],
        unique=True,
        sqlite_where=sa.text("is_default = 1"),
        postgresql_where=sa.text("is_default"),
    )


def upgrade() -> None:
    _views()
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("came_back", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.alter_column("came_back", server_default=None)
        batch_op.drop_index("ix_cases_zone_id")
        batch_op.create_index("ix_cases_zone_all", ["zone_id", "is_open", "due_at", "id"])
        here = {"sqlite_where": sa.text("came_back = 1"), "postgresql_where": sa.text("came_back")}
        for level in ("town", "county", "city"):
            columns = [f"{level}_id", "holder", "due_at", "id"]
            batch_op.create_index(f"ix_cases_{level}_returned", columns, **here)
        for level in ("town", "city"):
            columns = [f"{level}_id", "escalated_to", "due_at", "id"]
            batch_op.create_index(f"ix_cases_{level}_escalated", columns, sqlite_where=LATE, postgresql_where=LATE)
    cases = sa.table(
        "cases", sa.column("came_back", sa.Boolean()), sa.column("is_open", sa.Boolean()), *map(sa.column, ("holder",)),
        sa.column("round", sa.Integer()),
    )  # fmt: skip
    again = sa.and_(cases.c.is_open == sa.true(), cases.c.holder == "reviewer", cases.c.round > 1)
    op.execute(sa.update(cases).where(again).values(came_back=True))
    if _is_postgres():
        op.execute('ALTER TABLE name_grams ALTER COLUMN gram TYPE varchar(2) COLLATE "C"')


def downgrade() -> None:
    if _is_postgres():
        op.execute('ALTER TABLE name_grams ALTER COLUMN gram TYPE varchar(2) COLLATE "default"')
    with op.batch_alter_table("cases", schema=None) as batch_op:
        for level in ("town", "city"):
            batch_op.drop_index(f"ix_cases_{level}_escalated")
        for level in ("town", "county", "city"):
            batch_op.drop_index(f"ix_cases_{level}_returned")
        batch_op.drop_index("ix_cases_zone_all")
        batch_op.create_index("ix_cases_zone_id", ["zone_id"])
        batch_op.drop_column("came_back")
    op.drop_table("saved_views")

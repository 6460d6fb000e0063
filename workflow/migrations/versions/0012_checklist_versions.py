"""published versions of checklists, and which ones a visit goes by

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "checklist_versions",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("area_id", ID, nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("published_at", AT, nullable=False),
        sa.Column("drafted_by", ID, nullable=True),
        sa.Column("approved_by", ID, nullable=True),
        sa.Column("withdrawn_at", AT, nullable=True),
        sa.Column("withdrawn_by", ID, nullable=True),
        sa.Column("id", ID, nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_checklist_versions_approved_by_people")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_checklist_versions_area_id_areas")),
        sa.ForeignKeyConstraint(["drafted_by"], ["people.id"], name=op.f("fk_checklist_versions_drafted_by_people")),
        sa.ForeignKeyConstraint(
            ["withdrawn_by"], ["people.id"], name=op.f("fk_checklist_versions_withdrawn_by_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_versions")),
        sa.UniqueConstraint("key", "revision", name=op.f("uq_checklist_versions_key")),
    )
    op.create_index("ix_checklist_versions_digest", "checklist_versions", ["key", "digest"])
    op.create_table(
        "item_counts",
        sa.Column("town_id", ID, nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("sector", sa.String(length=20), nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("marked", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("town_id", "month_on", "code", "sector", "zone_id", name=op.f("pk_item_counts")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_drafts_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_drafts_kind"), "kind IN ('flow','rules','checklist')")
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.add_column(sa.Column("checklist_versions", sa.JSON(), nullable=False, server_default="[]"))
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.alter_column("checklist_versions", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.drop_column("checklist_versions")
    op.execute("DELETE FROM drafts WHERE kind = 'checklist'")
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_drafts_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_drafts_kind"), "kind IN ('flow','rules')")
    op.drop_table("item_counts")
    op.drop_table("checklist_versions")

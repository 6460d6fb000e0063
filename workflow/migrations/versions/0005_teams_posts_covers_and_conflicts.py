"""teams, named officers, leave with covers, and declared interests

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

import workflow.extensions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


RUNNING = sa.text("ends_on IS NULL")
LEADING = sa.text("ends_on IS NULL AND duty = 'leader'")


def _id(table: str) -> list[SchemaItem]:
    return [sa.Column("id", ID, nullable=False), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def _refers(table: str, column: str, other: str, *, nullable: bool = False) -> list[SchemaItem]:
    name = op.f(f"fk_{table}_{column}_{other}")
    return [sa.Column(column, ID, nullable=nullable), sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)]


def _dates(table: str, *, open_ended: bool = True) -> list[SchemaItem]:
    rule = "ends_on IS NULL OR ends_on >= starts_on" if open_ended else "ends_on >= starts_on"
    return [
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=open_ended),
        sa.CheckConstraint(rule, name=op.f(f"ck_{table}_dates")),
    ]


def upgrade() -> None:
    op.create_table(
        "teams",
        *_id("teams"),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        *_refers("teams", "area_id", "areas"),
        *_refers("teams", "parent_id", "teams", nullable=True),
        sa.Column("group_name", sa.String(length=40), nullable=False),
        sa.Column("sectors", sa.JSON(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('headquarters', 'team', 'squad')", name=op.f("ck_teams_kind")),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_teams_parent")),
        sa.UniqueConstraint("code", name=op.f("uq_teams_code")),
    )
    op.create_index("ix_teams_area_id", "teams", ["area_id"])
    op.create_index("ix_teams_parent_id", "teams", ["parent_id"])
    op.create_table(
        "team_members",
        *_id("team_members"),
        *_refers("team_members", "team_id", "teams"),
        *_refers("team_members", "person_id", "people"),
        sa.Column("duty", sa.String(length=10), nullable=False),
        *_dates("team_members"),
        sa.CheckConstraint("duty IN ('leader', 'deputy', 'member', 'support')", name=op.f("ck_team_members_duty")),
    )
    op.create_index("ix_team_members_team_id", "team_members", ["team_id"])
    op.create_index("ix_team_members_person_id", "team_members", ["person_id"])
    _unique("uq_team_members_running", "team_members", ["team_id", "person_id"], RUNNING)
    _unique("uq_team_members_leader", "team_members", ["team_id"], LEADING)
    op.create_table(
        "team_areas",
        *_refers("team_areas", "team_id", "teams"),
        *_refers("team_areas", "area_id", "areas"),
        sa.PrimaryKeyConstraint("team_id", "area_id", name=op.f("pk_team_areas")),
    )
    op.create_index("ix_team_areas_area_id", "team_areas", ["area_id"])
    _people_tables()


def _unique(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)


def _people_tables() -> None:
    op.create_table(
        "building_officers",
        *_id("building_officers"),
        *_refers("building_officers", "area_id", "areas"),
        *_refers("building_officers", "person_id", "people"),
        *_dates("building_officers"),
    )
    op.create_index("ix_building_officers_area_id", "building_officers", ["area_id"])
    op.create_index("ix_building_officers_person_id", "building_officers", ["person_id"])
    _unique("uq_building_officers_running", "building_officers", ["area_id"], RUNNING)
    op.create_table(
        "absences",
        *_id("absences"),
        *_refers("absences", "person_id", "people"),
        *_refers("absences", "cover_id", "people", nullable=True),
        *_dates("absences", open_ended=False),
        sa.Column("hands_over", sa.Boolean(), nullable=False),
        sa.CheckConstraint("cover_id IS NULL OR cover_id <> person_id", name=op.f("ck_absences_cover")),
    )
    op.create_index("ix_absences_person_id", "absences", ["person_id"])
    op.create_index("ix_absences_cover_id", "absences", ["cover_id"])
    op.create_table(
        "interests",
        *_id("interests"),
        *_refers("interests", "person_id", "people"),
        *_refers("interests", "enterprise_id", "enterprises"),
        sa.Column("relation", sa.String(length=10), nullable=False),
        *_refers("interests", "declared_by", "people"),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("relation IN ('own', 'relative', 'other')", name=op.f("ck_interests_relation")),
    )
    op.create_index("ix_interests_person_id", "interests", ["person_id"])
    _unique("uq_interests_running", "interests", ["enterprise_id", "person_id"], RUNNING)


def downgrade() -> None:
    for table in ("interests", "absences", "building_officers", "team_areas", "team_members", "teams"):
        op.drop_table(table)

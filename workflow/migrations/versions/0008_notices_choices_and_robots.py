"""notices choices and robots

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def upgrade() -> None:
    _notices()
    _choices()
    _robots()


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("outbox_id", ID, nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False, comment="labels in both languages, no personal data"),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("read_at", AT, nullable=True),
        sa.Column("mail", sa.String(length=10), nullable=False),
        sa.CheckConstraint("mail IN ('','waiting','planned','sent')", name=op.f("ck_notices_mail")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_notices_case_id_cases")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notices_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("outbox_id", "person_id", name=op.f("uq_notices_outbox_id")),
    )
    op.create_index(op.f("ix_notices_case_id"), "notices", ["case_id"])
    op.create_index("ix_notices_inbox", "notices", ["person_id", "id"])
    for name, condition in (("unread", "read_at IS NULL"), ("waiting", "mail = 'waiting'")):
        some = sa.text(condition)
        op.create_index(f"ix_notices_{name}", "notices", ["person_id", "id"], sqlite_where=some, postgresql_where=some)


def _choices() -> None:
    op.create_table(
        "notice_choices",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("digest", sa.String(length=10), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("digest_at", AT, nullable=True),
        sa.Column("digested_at", AT, nullable=True),
        sa.CheckConstraint("digest IN ('none','hourly','daily')", name=op.f("ck_notice_choices_digest")),
        sa.CheckConstraint("language IN ('zh','en')", name=op.f("ck_notice_choices_language")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notice_choices_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notice_choices")),
    )
    some = sa.text("digest_at IS NOT NULL")
    op.create_index(
        "ix_notice_choices_digest", "notice_choices", ["digest_at"], sqlite_where=some, postgresql_where=some
    )


def _robots() -> None:
    op.create_table(
        "robots",
        sa.Column("id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("url", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("secret", sa.Text(), nullable=False, comment="sealed; empty: no signature"),
        sa.Column("shown", sa.String(length=100), nullable=False, comment="host and last four signs of the address"),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("last_ok_at", AT, nullable=True),
        sa.Column("last_error", sa.String(length=40), nullable=False, comment="class and number, no words"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", AT, nullable=True),
        sa.Column("recent", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('wecom','dingtalk','feishu')", name=op.f("ck_robots_kind")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_robots_created_by_people")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_robots_team_id_teams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robots")),
    )
    op.create_index(op.f("ix_robots_team_id"), "robots", ["team_id"])


def downgrade() -> None:
    op.drop_table("robots")
    op.drop_table("notice_choices")
    op.drop_table("notices")

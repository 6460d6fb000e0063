"""published rules by area, drafts, opinions, tailoring, samples, and the clocks of cases

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("based_on_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("proposed_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("approved_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("words", sa.Text(), nullable=False, comment="why it was sent back"),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("kind IN ('flow','rules')", name=op.f("ck_drafts_kind")),
        sa.CheckConstraint("status <> 'published' OR approved_by <> proposed_by", name=op.f("ck_drafts_two_people")),
        sa.CheckConstraint("status IN ('editing','proposed','published','discarded')", name=op.f("ck_drafts_status")),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_drafts_approved_by_people")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_drafts_area_id_areas")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_drafts_created_by_people")),
        sa.ForeignKeyConstraint(["proposed_by"], ["people.id"], name=op.f("fk_drafts_proposed_by_people")),
        sa.ForeignKeyConstraint(["updated_by"], ["people.id"], name=op.f("fk_drafts_updated_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drafts_area_id"), ["area_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_drafts_status"), ["status"], unique=False)

    op.create_table(
        "rule_versions",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("area_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("published_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("drafted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("approved_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("withdrawn_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_rule_versions_approved_by_people")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_rule_versions_area_id_areas")),
        sa.ForeignKeyConstraint(["drafted_by"], ["people.id"], name=op.f("fk_rule_versions_drafted_by_people")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["people.id"], name=op.f("fk_rule_versions_withdrawn_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
        sa.UniqueConstraint("revision", name=op.f("uq_rule_versions_revision")),
    )
    with op.batch_alter_table("rule_versions", schema=None) as batch_op:
        batch_op.create_index("ix_rule_versions_area", ["area_id", "effective_on"], unique=False)

    op.create_table(
        "sampling_seeds",
        sa.Column("town_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("made_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["town_id"], ["areas.id"], name=op.f("fk_sampling_seeds_town_id_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampling_seeds")),
        sa.UniqueConstraint("town_id", "day_on", name=op.f("uq_sampling_seeds_town_id")),
    )
    op.create_table(
        "opinion_requests",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=20), nullable=False),
        sa.Column("county_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column(
            "asked_by",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="person; 0 is the system",
        ),
        sa.Column("asked_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("clock_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("stance", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("(status = 'answered') = (stance <> '')", name=op.f("ck_opinion_requests_answer")),
        sa.CheckConstraint("stance IN ('','agree','agree_if','against')", name=op.f("ck_opinion_requests_stance")),
        sa.CheckConstraint("status IN ('open','answered','withdrawn')", name=op.f("ck_opinion_requests_status")),
        sa.ForeignKeyConstraint(["answered_by"], ["people.id"], name=op.f("fk_opinion_requests_answered_by_people")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_opinion_requests_case_id_cases")),
        sa.ForeignKeyConstraint(["county_id"], ["areas.id"], name=op.f("fk_opinion_requests_county_id_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion_requests")),
    )
    with op.batch_alter_table("opinion_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opinion_requests_case_id"), ["case_id"], unique=False)
        batch_op.create_index(
            "ix_opinion_requests_clock",
            ["clock_at"],
            unique=False,
            sqlite_where=sa.text("clock_at IS NOT NULL"),
            postgresql_where=sa.text("clock_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_opinion_requests_inbox", ["department", "status", "county_id", "due_at", "id"], unique=False
        )
        batch_op.create_index(
            "uq_opinion_requests_open",
            ["case_id", "department"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )

    op.create_table(
        "sample_draws",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seed_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_sample_draws_case_id_cases")),
        sa.ForeignKeyConstraint(
            ["seed_id"], ["sampling_seeds.id"], name=op.f("fk_sample_draws_seed_id_sampling_seeds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_draws")),
    )
    with op.batch_alter_table("sample_draws", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sample_draws_case_id"), ["case_id"], unique=False)

    op.create_table(
        "tailoring_proposals",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("proposed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proposed_at", workflow.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "status <> 'approved' OR decided_by <> proposed_by", name=op.f("ck_tailoring_proposals_two_people")
        ),
        sa.CheckConstraint(
            "status IN ('proposed','approved','refused','withdrawn')", name=op.f("ck_tailoring_proposals_status")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_tailoring_proposals_case_id_cases")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_tailoring_proposals_decided_by_people")),
        sa.ForeignKeyConstraint(["proposed_by"], ["people.id"], name=op.f("fk_tailoring_proposals_proposed_by_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tailoring_proposals")),
    )
    with op.batch_alter_table("tailoring_proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tailoring_proposals_case_id"), ["case_id"], unique=False)
        batch_op.create_index(
            "uq_tailoring_proposals_pending",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("status = 'proposed'"),
            postgresql_where=sa.text("status = 'proposed'"),
        )

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("clock_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("clock_stage", sa.String(length=10), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("escalated_to", sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("spent", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("permits", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("tailoring", sa.JSON(), nullable=True))
        batch_op.create_index("ix_cases_city_queue", ["city_id", "holder", "is_open", "due_at", "id"], unique=False)
        batch_op.create_index(
            "ix_cases_clock",
            ["clock_at", "id"],
            unique=False,
            sqlite_where=sa.text("clock_at IS NOT NULL"),
            postgresql_where=sa.text("clock_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_cases_escalated",
            ["county_id", "escalated_to", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("escalated_to <> ''"),
            postgresql_where=sa.text("escalated_to <> ''"),
        )
        batch_op.create_index("ix_cases_flow_version", ["flow_version_id", "is_open", "state"], unique=False)

    with op.batch_alter_table("flow_versions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("drafted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(
            sa.Column("approved_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("withdrawn_at", workflow.extensions.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("withdrawn_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.drop_constraint(batch_op.f("uq_flow_versions_text"), type_="unique")
        batch_op.create_index("ix_flow_versions_digest", ["key", "digest"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_flow_versions_drafted_by_people"), "people", ["drafted_by"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_flow_versions_approved_by_people"), "people", ["approved_by"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_flow_versions_withdrawn_by_people"), "people", ["withdrawn_by"], ["id"]
        )
    # Companies that were approved may work; the worker sets the clocks of open cases by their flows on its first round.
    op.execute("UPDATE cases SET permits = true WHERE state = 'approved'")
    op.execute("UPDATE cases SET clock_at = due_at WHERE is_open")


def downgrade() -> None:
    with op.batch_alter_table("flow_versions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_flow_versions_withdrawn_by_people"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_flow_versions_approved_by_people"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_flow_versions_drafted_by_people"), type_="foreignkey")
        batch_op.drop_index("ix_flow_versions_digest")
        batch_op.create_unique_constraint(batch_op.f("uq_flow_versions_text"), ["key", "digest"])
        batch_op.drop_column("withdrawn_by")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("approved_by")
        batch_op.drop_column("drafted_by")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index("ix_cases_flow_version")
        batch_op.drop_index(
            "ix_cases_escalated",
            sqlite_where=sa.text("escalated_to <> ''"),
            postgresql_where=sa.text("escalated_to <> ''"),
        )
        batch_op.drop_index(
            "ix_cases_clock",
            sqlite_where=sa.text("clock_at IS NOT NULL"),
            postgresql_where=sa.text("clock_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_cases_city_queue")
        batch_op.drop_column("tailoring")
        batch_op.drop_column("permits")
        batch_op.drop_column("spent")
        batch_op.drop_column("escalated_to")
        batch_op.drop_column("clock_stage")
        batch_op.drop_column("clock_at")

    with op.batch_alter_table("tailoring_proposals", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tailoring_proposals_pending",
            sqlite_where=sa.text("status = 'proposed'"),
            postgresql_where=sa.text("status = 'proposed'"),
        )
        batch_op.drop_index(batch_op.f("ix_tailoring_proposals_case_id"))

    op.drop_table("tailoring_proposals")
    with op.batch_alter_table("sample_draws", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sample_draws_case_id"))

    op.drop_table("sample_draws")
    with op.batch_alter_table("opinion_requests", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_opinion_requests_open",
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )
        batch_op.drop_index("ix_opinion_requests_inbox")
        batch_op.drop_index(
            "ix_opinion_requests_clock",
            sqlite_where=sa.text("clock_at IS NOT NULL"),
            postgresql_where=sa.text("clock_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_opinion_requests_case_id"))

    op.drop_table("opinion_requests")
    op.drop_table("sampling_seeds")
    with op.batch_alter_table("rule_versions", schema=None) as batch_op:
        batch_op.drop_index("ix_rule_versions_area")

    op.drop_table("rule_versions")
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_drafts_status"))
        batch_op.drop_index(batch_op.f("ix_drafts_area_id"))

    op.drop_table("drafts")

"""field sheets evidence and signatures

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def _add_to_items() -> None:
    with op.batch_alter_table("inspection_items") as batch:
        batch.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("marked_by", ID, nullable=True))
        batch.add_column(sa.Column("marked_at", AT, nullable=True))
        batch.add_column(sa.Column("marked_device_at", AT, nullable=True))
        batch.add_column(sa.Column("rectify_by_on", sa.Date(), nullable=True))
        batch.create_foreign_key(op.f("fk_inspection_items_marked_by_people"), "people", ["marked_by"], ["id"])


def _add_to_photos() -> None:
    with op.batch_alter_table("inspection_photos") as batch:
        batch.add_column(sa.Column("client_id", sa.String(length=36), nullable=True))
        batch.add_column(sa.Column("sha256", sa.String(length=64), nullable=False, server_default=""))
        batch.add_column(sa.Column("original_id", ID, nullable=True))
        batch.add_column(sa.Column("taken_at", AT, nullable=True))
        batch.add_column(sa.Column("clock_off", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("source", sa.String(length=10), nullable=False, server_default=""))
        batch.add_column(sa.Column("latitude", sa.Double(), nullable=True))
        batch.add_column(sa.Column("longitude", sa.Double(), nullable=True))
        batch.add_column(sa.Column("place_status", sa.String(length=12), nullable=False, server_default=""))
        batch.add_column(sa.Column("by_company", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("taken_back_at", AT, nullable=True))
        batch.add_column(sa.Column("taken_back_by", ID, nullable=True))
        batch.create_unique_constraint(op.f("uq_inspection_photos_client_id"), ["client_id"])
        batch.create_foreign_key(op.f("fk_inspection_photos_original_id_files"), "files", ["original_id"], ["id"])
        batch.create_foreign_key(op.f("fk_inspection_photos_taken_back_by_people"), "people", ["taken_back_by"], ["id"])
        batch.create_check_constraint(op.f("ck_inspection_photos_source"), "source IN ('','camera','gallery')")
        batch.create_check_constraint(
            op.f("ck_inspection_photos_place_status"), "place_status IN ('','given','refused','unavailable')"
        )
    # What came from the page before is served as it was kept: its hash is the file's own.
    op.execute(
        "UPDATE inspection_photos SET sha256 = (SELECT f.sha256 FROM files f WHERE f.id = inspection_photos.file_id)"
    )


def _create_operations() -> None:
    op.create_table(
        "field_operations",
        sa.Column("op_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("base_revision", sa.Integer(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("device_at", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("clock_off", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("taken_over_by", ID, nullable=True),
        sa.Column("id", ID, nullable=False),
        sa.CheckConstraint("kind IN ('mark','sign','conclude')", name=op.f("ck_field_operations_kind")),
        sa.CheckConstraint("status IN ('applied','conflict','refused')", name=op.f("ck_field_operations_status")),
        _to("field_operations", "inspection_id", "inspections"),
        _to("field_operations", "person_id", "people"),
        _to("field_operations", "taken_over_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_operations")),
        sa.UniqueConstraint("op_id", name=op.f("uq_field_operations_op_id")),
    )
    op.create_index("ix_field_operations_inspection", "field_operations", ["inspection_id", "status", "id"])


def _create_signatures() -> None:
    op.create_table(
        "inspection_signatures",
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("party", sa.String(length=10), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("post", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("file_id", ID, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("covers", sa.String(length=64), nullable=False),
        sa.Column("device_at", AT, nullable=True),
        sa.Column("clock_off", sa.Integer(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.CheckConstraint("party IN ('company','lead','second')", name=op.f("ck_inspection_signatures_party")),
        sa.CheckConstraint("status IN ('signed','refused')", name=op.f("ck_inspection_signatures_status")),
        sa.CheckConstraint(
            "status = 'refused' OR file_id IS NOT NULL OR name <> ''", name=op.f("ck_inspection_signatures_named")
        ),
        _to("inspection_signatures", "inspection_id", "inspections"),
        _to("inspection_signatures", "person_id", "people"),
        _to("inspection_signatures", "file_id", "files"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_signatures")),
        sa.UniqueConstraint("inspection_id", "party", name=op.f("uq_inspection_signatures_inspection_id")),
    )


def upgrade() -> None:
    _add_to_items()
    _add_to_photos()
    _create_operations()
    _create_signatures()


def downgrade() -> None:
    op.drop_table("inspection_signatures")
    op.drop_table("field_operations")
    with op.batch_alter_table("inspection_photos") as batch:
        batch.drop_constraint(op.f("uq_inspection_photos_client_id"), type_="unique")
        batch.drop_constraint(op.f("fk_inspection_photos_original_id_files"), type_="foreignkey")
        batch.drop_constraint(op.f("fk_inspection_photos_taken_back_by_people"), type_="foreignkey")
        batch.drop_constraint(op.f("ck_inspection_photos_source"), type_="check")
        batch.drop_constraint(op.f("ck_inspection_photos_place_status"), type_="check")
        for column in ("client_id", "sha256", "original_id", "taken_at", "clock_off", "source", "latitude"):
            batch.drop_column(column)
        for column in ("longitude", "place_status", "by_company", "taken_back_at", "taken_back_by"):
            batch.drop_column(column)
    with op.batch_alter_table("inspection_items") as batch:
        batch.drop_constraint(op.f("fk_inspection_items_marked_by_people"), type_="foreignkey")
        for column in ("revision", "marked_by", "marked_at", "marked_device_at", "rectify_by_on"):
            batch.drop_column(column)

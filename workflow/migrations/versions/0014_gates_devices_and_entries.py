"""gates, their devices, and the log of what passed

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)
VERDICTS = "'valid', 'not_yet', 'expired', 'hours', 'revoked', 'forged', 'unknown', 'none'"
CHECKS = {
    "direction": "direction IN ('in', 'out')",
    "decision": "decision IN ('pass', 'turn_back', 'hand_over')",
    "way": "way IN ('camera', 'picture', 'code', 'plate', 'none')",
    "verdict": f"verdict IN ({VERDICTS})",
    "checked": f"checked IN ({VERDICTS})",
    "heads": "heads BETWEEN 0 AND 99",
}
INDEXES = {
    "gate": ["gate_id", "at", "id"],
    "town": ["town_id", "at", "id"],
    "alarm": ["town_id", "has_alarm", "at", "id"],
    "plate": ["plate", "at"],
    "number": ["number", "at"],
    "received": ["received_at"],
}


def _key(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def _gates() -> None:
    op.create_table(
        "gates",
        sa.Column("area_id", ID, nullable=False),
        sa.Column("town_id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("inside", sa.Integer(), nullable=False),
        sa.Column("counted_at", AT, nullable=True),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.CheckConstraint("inside >= 0", name=op.f("ck_gates_inside")),
        _key("gates", "area_id", "areas"),
        _key("gates", "town_id", "areas"),
        _key("gates", "created_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gates")),
        sa.UniqueConstraint("town_id", "name", name=op.f("uq_gates_town_id")),
    )
    op.create_index("ix_gates_area", "gates", ["area_id"])


def _devices() -> None:
    op.create_table(
        "gate_devices",
        sa.Column("gate_id", ID, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("code_until", AT, nullable=True),
        sa.Column("secret_digest", sa.String(length=64), nullable=True),
        sa.Column("invited_by", ID, nullable=False),
        sa.Column("invited_at", AT, nullable=False),
        sa.Column("enrolled_at", AT, nullable=True),
        sa.Column("seen_at", AT, nullable=True),
        sa.Column("list_version", ID, nullable=False),
        sa.Column("revoked_by", ID, nullable=True),
        sa.Column("revoked_at", AT, nullable=True),
        sa.Column("id", ID, nullable=False),
        _key("gate_devices", "gate_id", "gates"),
        _key("gate_devices", "invited_by", "people"),
        _key("gate_devices", "revoked_by", "people"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_devices")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_gate_devices_code_digest")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_gate_devices_secret_digest")),
    )
    op.create_index("ix_gate_devices_gate", "gate_devices", ["gate_id", "id"])


def _entries() -> None:
    op.create_table(
        "gate_entries",
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("gate_id", ID, nullable=False),
        sa.Column("town_id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("clock_off", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("checked", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False, comment="of the pass; empty when there was none"),
        sa.Column("plate", sa.String(length=10), nullable=False, comment="of the vehicle that stood there"),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("temperatures", sa.JSON(), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("is_offline", sa.Boolean(), nullable=False),
        sa.Column("list_age", sa.Integer(), nullable=True, comment="seconds since the device's list was made"),
        sa.Column("alarms", sa.String(length=80), nullable=False),
        sa.Column("has_alarm", sa.Boolean(), nullable=False),
        sa.Column("id", ID, nullable=False),
        *(sa.CheckConstraint(text, name=op.f(f"ck_gate_entries_{name}")) for name, text in CHECKS.items()),
        _key("gate_entries", "gate_id", "gates"),
        _key("gate_entries", "town_id", "areas"),
        _key("gate_entries", "device_id", "gate_devices"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_entries")),
        sa.UniqueConstraint("client_id", name=op.f("uq_gate_entries_client_id")),
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_gate_entries_{name}", "gate_entries", columns)


def upgrade() -> None:
    _gates()
    _devices()
    _entries()
    counts = ("vehicles_in", "vehicles_out", "people_in", "people_out", "turned_back", "handed_over", "alarms")
    op.create_table(
        "gate_days",
        sa.Column("gate_id", ID, nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        _key("gate_days", "gate_id", "gates"),
        sa.PrimaryKeyConstraint("gate_id", "day_on", name=op.f("pk_gate_days")),
    )


def downgrade() -> None:
    for table in ("gate_days", "gate_entries", "gate_devices", "gates"):
        op.drop_table(table)

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
    pass


def downgrade() -> None:
    pass

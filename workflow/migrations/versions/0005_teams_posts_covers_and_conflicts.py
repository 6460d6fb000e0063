"""teams posts covers and conflicts

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

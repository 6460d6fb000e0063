"""bulk jobs and exports

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

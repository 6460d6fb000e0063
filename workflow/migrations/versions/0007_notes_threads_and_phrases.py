"""notes threads and phrases

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""saved views and queue indexes

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import workflow.extensions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = workflow.extensions.UtcDateTime(timezone=True)


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""The windows of a visit that the customer refused, so that none is offered again

Revision ID: 0020
Revises: 0016
Create Date: 2026-11-30 17:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("refused", sa.JSON()))


def downgrade() -> None:
    op.drop_column("follow_up", "refused")

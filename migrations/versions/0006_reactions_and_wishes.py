"""Reactions, reasons of a reading, and wishes for fewer messages

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-30 11:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # The constant defaults fill the rows that there are; the product writes each value itself.
    op.add_column("message", sa.Column("reacted_to_id", ID))
    op.add_column(
        "message", sa.Column("because", sa.String(200), nullable=False, server_default="")
    )
    op.add_column(
        "customer", sa.Column("quiet_hours", sa.String(16), nullable=False, server_default="")
    )
    op.add_column(
        "customer",
        sa.Column("takes_questions", sa.Boolean(), nullable=False, server_default=sa.true()),
    )


def downgrade() -> None:
    op.drop_column("customer", "takes_questions")
    op.drop_column("customer", "quiet_hours")
    op.drop_column("message", "because")
    op.drop_column("message", "reacted_to_id")

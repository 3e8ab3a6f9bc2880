"""Whose turn it is, the date before the last, and who closed a request

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-30 14:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The constant defaults fill the rows that there are; the product writes each value itself.
    op.add_column("stage_run", sa.Column("previous_due_at", sa.DateTime(timezone=True)))
    for table, name in (
        ("stage_run", "waits_on_third_party"),
        ("service_request", "closed_by_customer"),
    ):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    # Only a customer's answer declines a request.
    op.execute("UPDATE service_request SET closed_by_customer = TRUE WHERE status = 'declined'")


def downgrade() -> None:
    op.drop_column("service_request", "closed_by_customer")
    op.drop_column("stage_run", "waits_on_third_party")
    op.drop_column("stage_run", "previous_due_at")

"""Resilience

A sender counts the failures of its provider; a job remembers the rows that it could not process.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-30 10:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("sender", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("sender", sa.Column("trial_until", TIME))
    op.create_table(
        "job_failure",
        sa.Column("job", sa.String(32), nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("job", "row_id"),
    )


def downgrade() -> None:
    op.drop_table("job_failure")
    op.drop_column("sender", "trial_until")
    op.drop_column("sender", "failures")

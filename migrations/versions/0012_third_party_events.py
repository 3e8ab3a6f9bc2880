"""Codes and comparable tracking numbers of third parties

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-30 15:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The constant default fills the rows that there are; the product writes each value itself.
    op.add_column(
        "stage_run", sa.Column("tracking_key", sa.String(64), nullable=False, server_default="")
    )
    op.add_column("stage_run", sa.Column("third_party_code", sa.String(32)))
    op.add_column("stage_run", sa.Column("third_party_code_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE stage_run SET tracking_key = upper(replace(replace(replace("
        "tracking_number, ' ', ''), '-', ''), '.', '')) WHERE tracking_number <> ''"
    )
    op.create_index(
        "ix_stage_run_tracking_key",
        "stage_run",
        ["tracking_key"],
        sqlite_where=sa.text("tracking_key <> ''"),
        postgresql_where=sa.text("tracking_key <> ''"),
    )


def downgrade() -> None:
    op.drop_index("ix_stage_run_tracking_key", "stage_run")
    op.drop_column("stage_run", "third_party_code_at")
    op.drop_column("stage_run", "third_party_code")
    op.drop_column("stage_run", "tracking_key")

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
    _fill_keys()
    op.create_index(
        "ix_stage_run_tracking_key",
        "stage_run",
        ["tracking_key"],
        sqlite_where=sa.text("tracking_key <> ''"),
        postgresql_where=sa.text("tracking_key <> ''"),
    )


def _fill_keys() -> None:
    """Numbers as they are compared: letters and digits only, in upper case."""
    runs = sa.table(
        "stage_run", sa.column("id"), sa.column("tracking_number"), sa.column("tracking_key")
    )
    numbered = sa.select(runs.c.id, runs.c.tracking_number).where(runs.c.tracking_number != "")
    keys = [
        {
            "run_id": run_id,
            "key": "".join(letter for letter in number.upper() if letter.isalnum())[:64],
        }
        for run_id, number in op.get_bind().execute(numbered)
    ]
    if keys:
        fill = sa.update(runs).where(runs.c.id == sa.bindparam("run_id"))
        op.get_bind().execute(fill.values(tracking_key=sa.bindparam("key")), keys)


def downgrade() -> None:
    op.drop_index("ix_stage_run_tracking_key", "stage_run")
    op.drop_column("stage_run", "third_party_code_at")
    op.drop_column("stage_run", "third_party_code")
    op.drop_column("stage_run", "tracking_key")

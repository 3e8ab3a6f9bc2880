"""Sign-ins as rows, and a record of what happens to accounts

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-30 10:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# SQLite numbers the rows by itself only where the key is a plain INTEGER.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
ENUM = sa.String(32)


def upgrade() -> None:
    op.create_table(
        "staff_sign_in",
        sa.Column("id", ID, primary_key=True),
        sa.Column("staff_id", ID, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("browser", sa.String(60), nullable=False),
        sa.Column("network", sa.String(49), nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("end_reason", ENUM),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_staff_sign_in_staff_id", "staff_sign_in", ["staff_id"])
    op.create_table(
        "account_event",
        sa.Column("id", ID, primary_key=True),
        sa.Column("staff_id", ID, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("end_reason", ENUM),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("browser", sa.String(60), nullable=False),
        sa.Column("network", sa.String(49), nullable=False),
    )
    op.create_index("ix_account_event_staff", "account_event", ["staff_id", "at"])


def downgrade() -> None:
    op.drop_table("account_event")
    op.drop_table("staff_sign_in")

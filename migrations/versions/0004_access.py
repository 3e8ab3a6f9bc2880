"""Scopes, expiry and last use of API keys, the key behind an event, and reads of files

Keys that exist keep every scope and no expiry.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-30 10:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    every_scope = "read open act act_as_staff"
    op.add_column(
        "api_key", sa.Column("scopes", sa.String(200), nullable=False, server_default=every_scope)
    )
    op.add_column("api_key", sa.Column("expires_at", TIME))
    op.add_column("api_key", sa.Column("last_used_at", TIME))
    op.add_column("event", sa.Column("via_key", sa.String(120), nullable=False, server_default=""))
    op.create_table(
        "attachment_read",
        sa.Column("attachment_id", ID, sa.ForeignKey("attachment.id"), primary_key=True),
        sa.Column("staff_id", ID, sa.ForeignKey("staff_member.id"), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("read_at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("attachment_read")
    op.drop_column("event", "via_key")
    op.drop_column("api_key", "last_used_at")
    op.drop_column("api_key", "expires_at")
    op.drop_column("api_key", "scopes")

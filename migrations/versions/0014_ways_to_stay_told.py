"""Codes to a new address, share links, and browsers that get notifications

Revision ID: 0014
Revises: 0012
Create Date: 2026-11-30 14:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "verification_code",
        sa.Column("is_new_address", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "share_link",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("token", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index("ix_share_link_request_id", "share_link", ["request_id"])
    op.create_table(
        "push_subscription",
        sa.Column("id", ID, primary_key=True),
        sa.Column("customer_id", ID, sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("endpoint", sa.String(1_000), nullable=False, unique=True),
        sa.Column("p256dh", sa.String(100), nullable=False),
        sa.Column("auth", sa.String(40), nullable=False),
        sa.Column("public_key", sa.String(100), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_index("ix_push_subscription_customer_id", "push_subscription", ["customer_id"])


def downgrade() -> None:
    op.drop_table("push_subscription")
    op.drop_table("share_link")
    op.drop_column("verification_code", "is_new_address")

"""Messages that get there: who sends them, what was asked, what a person settled

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-23 02:40:00
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import portal.models.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNSETTLED = (
    "status IN ('failed', 'undelivered', 'review', 'unknown', 'expired') AND settled_at IS NULL"
)


def upgrade() -> None:
    op.create_table(
        "sender",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=254), nullable=False),
        sa.Column("rests_until", portal.models.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("rest_reason", sa.String(length=400), nullable=False),
        sa.Column("paced_until", portal.models.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("ask_at", portal.models.columns.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("settled_at", portal.models.columns.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("settled_by", sa.String(length=120), nullable=False, server_default="")
        )
        batch_op.create_index(
            "ix_message_ask",
            ["ask_at"],
            unique=False,
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_message_unsettled",
            ["id"],
            unique=False,
            sqlite_where=sa.text(UNSETTLED),
            postgresql_where=sa.text(UNSETTLED),
        )


def downgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_unsettled")
        batch_op.drop_index("ix_message_ask")
        batch_op.drop_column("settled_by")
        batch_op.drop_column("settled_at")
        batch_op.drop_column("ask_at")
        batch_op.drop_column("urgent")
    op.drop_table("sender")

"""Needs of a request, the fields of questions, and corrections

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-30 14:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "need",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("stage_key", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("message_id", ID, sa.ForeignKey("message.id")),
        sa.Column("promise_id", ID, sa.ForeignKey("promise.id")),
        sa.Column("accepted_at", TIME),
        sa.UniqueConstraint("request_id", "key"),
    )
    # The constant defaults fill the rows that there are; the product writes each value itself.
    op.add_column("follow_up", sa.Column("fields", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("follow_up", sa.Column("read_back_at", TIME))
    op.add_column("stage_run", sa.Column("fields", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column(
        "stage_run", sa.Column("correction", sa.Text(), nullable=False, server_default="")
    )
    op.add_column("stage_run", sa.Column("correction_by_id", ID))


def downgrade() -> None:
    op.drop_column("stage_run", "correction_by_id")
    op.drop_column("stage_run", "correction")
    op.drop_column("stage_run", "fields")
    op.drop_column("follow_up", "read_back_at")
    op.drop_column("follow_up", "fields")
    op.drop_table("need")

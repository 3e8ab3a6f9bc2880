"""Visits: the end of a booked window, the windows offered, and that somebody is on the way

Revision ID: 0011
Revises: 0008
Create Date: 2026-11-30 15:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("follow_up", sa.Column("answer_until", TIME))
    op.add_column("follow_up", sa.Column("offered", sa.JSON()))
    op.add_column("follow_up", sa.Column("on_the_way_at", TIME))
    is_booked = sa.text("answer_until IS NOT NULL")
    op.create_index(
        "ix_follow_up_visit", "follow_up", ["answer_until"],
        sqlite_where=is_booked, postgresql_where=is_booked,
    )  # fmt: skip
    # A call that the customer wants within a window: not before its start, worded as they said it.
    op.add_column("promise", sa.Column("not_before_at", TIME))
    op.add_column(
        "promise", sa.Column("call_window", sa.String(16), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("promise", "call_window")
    op.drop_column("promise", "not_before_at")
    op.drop_index("ix_follow_up_visit", "follow_up")
    op.drop_column("follow_up", "on_the_way_at")
    op.drop_column("follow_up", "offered")
    op.drop_column("follow_up", "answer_until")

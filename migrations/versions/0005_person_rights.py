"""A person's rights

The key of digests, requests of persons about their data, and when a request was made nameless.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-30 10:00:00
"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
ENUM = sa.String(32)


def upgrade() -> None:
    key = op.create_table(
        "address_key",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    # Made here, so that every backup from now on has it.
    op.bulk_insert(key, [{"id": 1, "key": secrets.token_hex(32), "created_at": datetime.now(UTC)}])
    op.create_table(
        "person_request",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("recorded_by", sa.String(120), nullable=False),
        sa.Column("recorded_by_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column("done_at", TIME),
        sa.Column("done_by", sa.String(120), nullable=False),
    )
    op.create_index("ix_person_request_due_at", "person_request", ["due_at"])
    op.add_column("service_request", sa.Column("erased_at", TIME))
    # What mail to staff says about a person is found among that mail only.
    op.create_index(
        "ix_message_notice",
        "message",
        ["id"],
        sqlite_where=sa.text("kind = 'notice'"),
        postgresql_where=sa.text("kind = 'notice'"),
    )


def downgrade() -> None:
    op.drop_index("ix_message_notice", "message")
    op.drop_column("service_request", "erased_at")
    op.drop_table("person_request")
    op.drop_table("address_key")

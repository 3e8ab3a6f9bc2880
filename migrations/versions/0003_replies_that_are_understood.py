"""Replies that are understood: their meaning, files, answers at hand, colleagues present

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23 03:00:00
"""

import sqlalchemy as sa
from alembic import op

import portal.models.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "pending", "stored", "refused",
                name="attachmentstate", native_enum=False, length=32,
            ),
            nullable=False,
        ),
        sa.Column("source_url", sa.String(length=1_000), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", portal.models.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", portal.models.columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"]),
        sa.PrimaryKeyConstraint("id"),
    )  # fmt: skip
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index("ix_attachment_message_id", ["message_id"], unique=False)
        batch_op.create_index(
            "ix_attachment_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
    op.create_table(
        "canned_reply",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("written_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", portal.models.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("retired_at", portal.models.columns.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("canned_reply", schema=None) as batch_op:
        batch_op.create_index("ix_canned_reply_department_id", ["department_id"], unique=False)
    op.create_table(
        "presence",
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seen_at", portal.models.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("is_writing", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["service_request.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_member.id"]),
        sa.PrimaryKeyConstraint("request_id", "staff_id"),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("meaning", sa.String(length=32), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("meaning_by", sa.String(length=120), nullable=False, server_default="")
        )
        batch_op.create_index(
            "ix_message_from",
            ["from_address", "id"],
            unique=False,
            sqlite_where=sa.text("direction = 'in'"),
            postgresql_where=sa.text("direction = 'in'"),
        )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "expects",
                sa.Enum("yes_no", "time", name="expects", native_enum=False, length=32),
                nullable=False,
                server_default="yes_no",
            )
        )
        batch_op.add_column(
            sa.Column("answer_at", portal.models.columns.UtcDateTime(timezone=True), nullable=True)
        )
    with op.batch_alter_table("promise", schema=None) as batch_op:
        batch_op.create_index(
            "ix_promise_department",
            ["department_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("promise", schema=None) as batch_op:
        batch_op.drop_index("ix_promise_department")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_column("answer_at")
        batch_op.drop_column("expects")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_from")
        batch_op.drop_column("meaning_by")
        batch_op.drop_column("meaning")
    op.drop_table("presence")
    op.drop_table("canned_reply")
    op.drop_table("attachment")

"""Safe to share: codes to the phone on file, and the browsers that have shown one

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-23 12:00:00
"""

import sqlalchemy as sa
from alembic import op

from portal.models.columns import BigId, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "access_code",
        sa.Column("id", BigId, nullable=False),
        sa.Column("request_id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        _channel(),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["service_request.id"]),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_code_request", "access_code", ["request_id", "id"])
    op.create_index("ix_access_code_customer", "access_code", ["customer_id", "made_at"])
    op.create_table(
        "known_device",
        sa.Column("id", BigId, nullable=False),
        sa.Column("customer_id", BigId, nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        _channel(),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash", "customer_id"),
    )
    op.create_index("ix_known_device_customer", "known_device", ["customer_id"])
    op.create_index("ix_contact_at", "contact", ["at"])
    # A person who leaves hands on what is open; the many that are closed only made it large.
    op.drop_index("ix_promise_owner_id", "promise")
    op.create_index(
        "ix_promise_owner_id", "promise", ["owner_id"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def downgrade() -> None:
    op.drop_index("ix_promise_owner_id", "promise")
    op.create_index("ix_promise_owner_id", "promise", ["owner_id"])
    op.drop_index("ix_contact_at", "contact")
    op.drop_index("ix_known_device_customer", "known_device")
    op.drop_table("known_device")
    op.drop_index("ix_access_code_customer", "access_code")
    op.drop_index("ix_access_code_request", "access_code")
    op.drop_table("access_code")


def _channel() -> sa.Column[str]:
    kind = sa.Enum("sms", "email", "web", name="channel", native_enum=False, length=32)
    return sa.Column("channel", kind, nullable=False)

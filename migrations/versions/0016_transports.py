"""What carried a text: SMS, WhatsApp or RCS, by which template, and when it was read

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-30 17:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("message", sa.Column("transport", sa.String(32)))
    op.add_column(
        "message", sa.Column("template_sid", sa.String(64), nullable=False, server_default="")
    )
    op.add_column(
        "message", sa.Column("whatsapp_number", sa.String(32), nullable=False, server_default="")
    )
    op.add_column("message", sa.Column("read_at", TIME))


def downgrade() -> None:
    op.drop_column("message", "read_at")
    op.drop_column("message", "whatsapp_number")
    op.drop_column("message", "template_sid")
    op.drop_column("message", "transport")

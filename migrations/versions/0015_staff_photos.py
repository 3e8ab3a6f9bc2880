"""Photos of staff

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-30 17:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_photo",
        sa.Column(
            "staff_member_id", sa.Integer(), sa.ForeignKey("staff_member.id"), primary_key=True
        ),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("staff_photo")

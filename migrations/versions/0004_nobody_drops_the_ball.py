"""Nobody drops the ball: what is watched, who stands in, what is measured

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-23 09:00:00
"""

import sqlalchemy as sa
from alembic import op

from portal.models.columns import BigId, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNMAILED = sa.text("resolved_at IS NULL AND (mailed_level IS NULL OR mailed_level <> level)")
ESCALATES = sa.text("resolved_at IS NULL AND escalates_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "outage",
        sa.Column("id", BigId, nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("patient_until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outage_patient_until", "outage", ["patient_until"])
    op.create_table(
        "pace",
        sa.Column("workflow_key", sa.String(length=64), nullable=False),
        sa.Column("stage_key", sa.String(length=64), nullable=False),
        sa.Column("half_seconds", sa.Integer(), nullable=False),
        sa.Column("most_seconds", sa.Integer(), nullable=False),
        sa.Column("measured", sa.Integer(), nullable=False),
        sa.Column("measured_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("workflow_key", "stage_key"),
    )
    with op.batch_alter_table("department") as batch_op:
        batch_op.add_column(_words("lead_after", 16, "4bh"))
        batch_op.add_column(_words("manager_after", 16, "1bd"))
    with op.batch_alter_table("dropped_ball") as batch_op:
        batch_op.add_column(sa.Column("department_id", BigId, nullable=True))
        batch_op.add_column(sa.Column("slipped_at", UtcDateTime(), nullable=True))
        batch_op.add_column(_level("level", nullable=False))
        batch_op.add_column(sa.Column("escalates_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("escalated_to_id", BigId, nullable=True))
        batch_op.add_column(_level("mailed_level", nullable=True))
        batch_op.add_column(_words("dismissed_by", 120))
        batch_op.add_column(_words("dismissed_reason"))
        batch_op.create_foreign_key(
            "fk_dropped_ball_department", "department", ["department_id"], ["id"]
        )
        batch_op.create_foreign_key(
            "fk_dropped_ball_escalated_to", "staff_member", ["escalated_to_id"], ["id"]
        )
    # What stood open before was seen at the desk: it is not mailed, nor does it escalate.
    op.execute("UPDATE dropped_ball SET slipped_at = raised_at, mailed_level = 'owner'")
    with op.batch_alter_table("dropped_ball") as batch_op:
        batch_op.alter_column("slipped_at", existing_type=UtcDateTime(), nullable=False)
        batch_op.create_index(
            "ix_dropped_ball_escalates", ["escalates_at"],
            sqlite_where=ESCALATES, postgresql_where=ESCALATES,
        )  # fmt: skip
        batch_op.create_index(
            "ix_dropped_ball_unmailed", ["id"], sqlite_where=UNMAILED, postgresql_where=UNMAILED
        )
    with op.batch_alter_table("follow_up") as batch_op:
        batch_op.add_column(sa.Column("called_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("handoff") as batch_op:
        batch_op.add_column(sa.Column("recalled_at", UtcDateTime(), nullable=True))
        batch_op.add_column(_words("note"))
    with op.batch_alter_table("promise") as batch_op:
        batch_op.add_column(_words("closed_reason"))
        batch_op.add_column(_truth("is_told", sa.true()))
    with op.batch_alter_table("service_request") as batch_op:
        batch_op.add_column(_words("minds_about"))
        for name in ("watch_at", "tell_at", "told_at", "ages_at"):
            batch_op.add_column(sa.Column(name, UtcDateTime(), nullable=True))
        batch_op.add_column(_truth("has_dropped", sa.false()))
    # Each open request is looked at once; that finds its next moments.
    op.execute(
        "UPDATE service_request SET watch_at = updated_at, tell_at = updated_at"
        " WHERE closed_at IS NULL"
    )
    op.execute(
        "UPDATE service_request SET has_dropped = true, watch_at = updated_at WHERE id IN"
        " (SELECT request_id FROM dropped_ball WHERE resolved_at IS NULL)"
    )
    with op.batch_alter_table("service_request") as batch_op:
        for name in ("watch", "tell"):
            where = sa.text(f"{name}_at IS NOT NULL")
            batch_op.create_index(
                f"ix_service_request_{name}", [f"{name}_at"],
                sqlite_where=where, postgresql_where=where,
            )  # fmt: skip
    with op.batch_alter_table("staff_member") as batch_op:
        batch_op.add_column(sa.Column("absent_from", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("absent_until", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("deputy_id", BigId, nullable=True))
        batch_op.create_foreign_key("fk_staff_member_deputy", "staff_member", ["deputy_id"], ["id"])
    with op.batch_alter_table("stage_run") as batch_op:
        for name in ("outer_at", "usual_at", "heard_at", "silent_at"):
            batch_op.add_column(sa.Column(name, UtcDateTime(), nullable=True))
        batch_op.add_column(
            sa.Column("delays_told", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(_words("delay_reason"))
        batch_op.add_column(sa.Column("returned_by_id", BigId, nullable=True))
        batch_op.add_column(_words("third_party", 120))
        batch_op.add_column(_words("tracking_number", 64))
        batch_op.add_column(sa.Column("took_seconds", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            "fk_stage_run_returned_by", "department", ["returned_by_id"], ["id"]
        )
    op.execute("UPDATE stage_run SET outer_at = late_at")
    with op.batch_alter_table("stage_run") as batch_op:
        batch_op.alter_column("outer_at", existing_type=UtcDateTime(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("stage_run") as batch_op:
        batch_op.drop_constraint("fk_stage_run_returned_by", type_="foreignkey")
        for name in (
            "took_seconds", "tracking_number", "third_party", "returned_by_id", "delay_reason",
            "delays_told", "silent_at", "heard_at", "usual_at", "outer_at",
        ):  # fmt: skip
            batch_op.drop_column(name)
    with op.batch_alter_table("staff_member") as batch_op:
        batch_op.drop_constraint("fk_staff_member_deputy", type_="foreignkey")
        for name in ("deputy_id", "absent_until", "absent_from"):
            batch_op.drop_column(name)
    with op.batch_alter_table("service_request") as batch_op:
        for name in ("watch", "tell"):
            batch_op.drop_index(f"ix_service_request_{name}")
        for name in ("has_dropped", "ages_at", "told_at", "tell_at", "watch_at", "minds_about"):
            batch_op.drop_column(name)
    with op.batch_alter_table("promise") as batch_op:
        batch_op.drop_column("is_told")
        batch_op.drop_column("closed_reason")
    with op.batch_alter_table("handoff") as batch_op:
        batch_op.drop_column("note")
        batch_op.drop_column("recalled_at")
    with op.batch_alter_table("follow_up") as batch_op:
        batch_op.drop_column("called_at")
    with op.batch_alter_table("dropped_ball") as batch_op:
        batch_op.drop_index("ix_dropped_ball_unmailed")
        batch_op.drop_index("ix_dropped_ball_escalates")
        batch_op.drop_constraint("fk_dropped_ball_escalated_to", type_="foreignkey")
        batch_op.drop_constraint("fk_dropped_ball_department", type_="foreignkey")
        for name in (
            "dismissed_reason", "dismissed_by", "mailed_level", "escalated_to_id", "escalates_at",
            "level", "slipped_at", "department_id",
        ):  # fmt: skip
            batch_op.drop_column(name)
    with op.batch_alter_table("department") as batch_op:
        batch_op.drop_column("manager_after")
        batch_op.drop_column("lead_after")
    op.drop_table("pace")
    op.drop_index("ix_outage_patient_until", "outage")
    op.drop_table("outage")


def _words(name: str, length: int | None = None, default: str = "") -> sa.Column[str]:
    kind = sa.Text() if length is None else sa.String(length)
    return sa.Column(name, kind, nullable=False, server_default=default)


def _truth(name: str, default: sa.True_ | sa.False_) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=default)


def _level(name: str, *, nullable: bool) -> sa.Column[str]:
    kind = sa.Enum("owner", "lead", "manager", name="level", native_enum=False, length=32)
    default = None if nullable else "owner"
    return sa.Column(name, kind, nullable=nullable, server_default=default)

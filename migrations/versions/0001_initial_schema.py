"""Initial schema

Every table of the first release, for SQLite and PostgreSQL. Types and names are written out here
rather than taken from the models: the models change later, this migration does not.

Revision ID: 0001
Revises:
Create Date: 2026-11-30 09:00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite numbers the rows by itself only where the key is a plain INTEGER.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
# One value of an enumeration. It has no CHECK constraint: a new value needs no migration.
ENUM = sa.String(32)


def upgrade() -> None:
    # A table comes after the tables to which its foreign keys refer.
    _create_people()
    _create_workflows()
    _create_requests()
    _create_messages()
    _create_access()
    _create_monitoring()


def downgrade() -> None:
    # The reverse order of upgrade. A table takes its indexes with it.
    op.drop_table("stage_duration")
    op.drop_table("monitoring_gap")
    op.drop_table("heartbeat")
    op.drop_table("idempotent_response")
    op.drop_table("api_key")
    op.drop_table("trusted_device")
    op.drop_table("verification_code")
    op.drop_table("consent")
    op.drop_table("sender")
    op.drop_table("canned_reply")
    op.drop_table("contact")
    op.drop_table("attachment")
    op.drop_table("send_attempt")
    op.drop_table("message")
    op.drop_table("presence")
    op.drop_table("dropped_ball")
    op.drop_table("tracking_link")
    op.drop_table("event")
    op.drop_table("follow_up")
    op.drop_table("promise")
    op.drop_table("handoff")
    op.drop_table("stage_run")
    op.drop_table("service_request")
    op.drop_table("stage")
    op.drop_table("workflow")
    op.drop_table("contact_point")
    op.drop_table("customer")
    op.drop_table("membership")
    op.drop_table("staff_member")
    op.drop_table("department")


def _create_people() -> None:
    op.create_table(
        "department",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("hours", sa.String(400), nullable=False),
        sa.Column("holidays", sa.String(16), nullable=False),
        sa.Column("accept_within", sa.String(16)),
        sa.Column("reply_within", sa.String(16), nullable=False),
        sa.Column("lead_after", sa.String(16), nullable=False, server_default="4bh"),
        sa.Column("manager_after", sa.String(16), nullable=False, server_default="1bd"),
        sa.UniqueConstraint("key"),
    )

    op.create_table(
        "staff_member",
        sa.Column("id", ID, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("role", ENUM, nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("invitation_hash", sa.String(64)),
        sa.Column("invited_until", TIME),
        sa.Column("disabled_at", TIME),
        sa.Column("absent_from", TIME),
        sa.Column("absent_until", TIME),
        sa.Column("deputy_id", ID, sa.ForeignKey("staff_member.id", name="fk_staff_member_deputy")),
        sa.Column("sign_in_version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("invitation_hash"),
    )

    op.create_table(
        "membership",
        sa.Column(
            "staff_member_id", sa.Integer(), sa.ForeignKey("staff_member.id"), primary_key=True
        ),
        sa.Column("department_id", sa.Integer(), sa.ForeignKey("department.id"), primary_key=True),
        sa.Column("is_lead", sa.Boolean(), nullable=False),
    )
    # The primary key starts with the person; this one finds the people of a department.
    op.create_index("ix_membership_department_id", "membership", ["department_id"])

    op.create_table(
        "customer",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("locale", sa.String(16), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("preferred_channel", ENUM),
        sa.Column("merged_into_id", ID, sa.ForeignKey("customer.id")),
        sa.Column("created_at", TIME, nullable=False),
    )

    op.create_table(
        "contact_point",
        sa.Column("id", ID, primary_key=True),
        sa.Column("customer_id", ID, sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("channel", ENUM, nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("verified_at", TIME),
        sa.Column("valid_until", TIME),
        sa.UniqueConstraint("customer_id", "channel", "address"),
    )
    # Whose number or address is this?
    op.create_index("ix_contact_point_address", "contact_point", ["channel", "address"])


def _create_workflows() -> None:
    op.create_table(
        "workflow",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("loaded_at", TIME, nullable=False),
        sa.UniqueConstraint("key", "version"),
    )

    op.create_table(
        "stage",
        sa.Column("id", ID, primary_key=True),
        sa.Column("workflow_id", ID, sa.ForeignKey("workflow.id"), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("department_id", ID, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.UniqueConstraint("workflow_id", "key"),
    )


def _create_requests() -> None:
    op.create_table(
        "service_request",
        sa.Column("id", ID, primary_key=True),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("workflow_id", ID, sa.ForeignKey("workflow.id"), nullable=False),
        sa.Column("customer_id", ID, sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("external_id", sa.String(200)),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("status", ENUM, nullable=False),
        sa.Column("owner_id", ID, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("coordinator_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column("department_id", ID, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("unanswered_since", TIME),
        sa.Column("customer_note", sa.Text(), nullable=False, server_default=""),
        sa.Column("next_check_at", TIME),
        sa.Column("next_update_at", TIME),
        sa.Column("last_told_at", TIME),
        sa.Column("overdue_age_at", TIME),
        sa.Column("has_open_ball", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("page_version", sa.Integer(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("close_reason", sa.Text(), nullable=False),
        sa.Column("closed_unconfirmed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("reference"),
    )
    # The requests of a customer, to which a reply may belong.
    op.create_index("ix_service_request_customer_id", "service_request", ["customer_id"])
    # What is open in a department, newest first.
    _partial_index(
        "ix_service_request_department",
        "service_request",
        ["department_id", "id"],
        "closed_at IS NULL",
    )
    # What a person still owns.
    _partial_index(
        "ix_service_request_owner", "service_request", ["owner_id", "id"], "closed_at IS NULL"
    )
    op.create_index("ix_service_request_status", "service_request", ["status", "id"])
    # Requests whose customer is due an update.
    _partial_index(
        "ix_service_request_next_update",
        "service_request",
        ["next_update_at"],
        "next_update_at IS NOT NULL",
    )
    # Requests to check for overdue work.
    _partial_index(
        "ix_service_request_next_check",
        "service_request",
        ["next_check_at"],
        "next_check_at IS NOT NULL",
    )
    op.create_index("ix_service_request_workflow_id", "service_request", ["workflow_id"])

    op.create_table(
        "stage_run",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("stage_id", ID, sa.ForeignKey("stage.id"), nullable=False),
        sa.Column("stage_key", sa.String(64), nullable=False),
        sa.Column("department_id", ID, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("passage", sa.Integer(), nullable=False),
        sa.Column("assignee_id", ID, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("reached_at", TIME),
        sa.Column("completed_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("completed_by", sa.String(120), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("overdue_at", TIME, nullable=False),
        sa.Column("last_promised_at", TIME, nullable=False),
        sa.Column("p50_at", TIME),
        sa.Column("delays_announced", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("delay_reason", sa.Text(), nullable=False, server_default=""),
        sa.Column(
            "returned_by_id", ID, sa.ForeignKey("department.id", name="fk_stage_run_returned_by")
        ),
        sa.Column("third_party", sa.String(120), nullable=False, server_default=""),
        sa.Column("tracking_number", sa.String(64), nullable=False, server_default=""),
        sa.Column("third_party_updated_at", TIME),
        sa.Column("silence_overdue_at", TIME),
        sa.Column("in_business_hours", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("waits_on_customer", sa.Boolean(), nullable=False),
        sa.Column("held_at", TIME),
        sa.Column("hold_reason", sa.Text(), nullable=False),
        sa.Column("hold_until", TIME),
        sa.Column("paused_at", TIME),
        sa.Column("paused_seconds", sa.Integer(), nullable=False),
        sa.Column("duration_seconds", sa.Integer()),
    )
    # The open work of a person.
    _partial_index("ix_stage_run_assignee", "stage_run", ["assignee_id"], "state = 'open'")
    # The board of a department, soonest due first.
    _partial_index(
        "ix_stage_run_board", "stage_run", ["department_id", "due_at", "id"], "state = 'open'"
    )
    # Holds that end by themselves.
    _partial_index("ix_stage_run_hold_until", "stage_run", ["hold_until"], "hold_until IS NOT NULL")
    op.create_index("ix_stage_run_request_id", "stage_run", ["request_id"])
    op.create_index("ix_stage_run_stage_id", "stage_run", ["stage_id"])

    op.create_table(
        "handoff",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("run_id", ID, sa.ForeignKey("stage_run.id"), nullable=False),
        sa.Column("from_run_id", ID, sa.ForeignKey("stage_run.id")),
        sa.Column("from_department_id", ID, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("to_department_id", ID, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("sender_id", ID, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("accept_by", TIME),
        sa.Column("accepted_at", TIME),
        sa.Column("accepted_by_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column("refused_at", TIME),
        sa.Column("refused_reason", sa.Text(), nullable=False),
        sa.Column("recalled_at", TIME),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.Column("closed_at", TIME),
    )
    op.create_index("ix_handoff_request_id", "handoff", ["request_id"])
    op.create_index("ix_handoff_run_id", "handoff", ["run_id"])
    # What a department has yet to accept.
    _partial_index(
        "ix_handoff_pending", "handoff", ["to_department_id", "accept_by"], "closed_at IS NULL"
    )

    op.create_table(
        "promise",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("wording", ENUM, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner_id", ID, sa.ForeignKey("staff_member.id"), nullable=False),
        sa.Column("department_id", ID, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("kept_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("moved_reason", sa.Text(), nullable=False),
        sa.Column("moved_by_customer", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("closed_reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("is_told", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    # The inbox of a department, soonest due first.
    _partial_index(
        "ix_promise_department", "promise", ["department_id", "due_at"], "closed_at IS NULL"
    )
    # Open promises of every department, soonest due first.
    _partial_index("ix_promise_due", "promise", ["due_at"], "closed_at IS NULL")
    # What a person who is away or leaves still has to keep.
    _partial_index("ix_promise_owner_id", "promise", ["owner_id"], "closed_at IS NULL")
    op.create_index("ix_promise_request_id", "promise", ["request_id"])

    op.create_table(
        "follow_up",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("run_id", ID, sa.ForeignKey("stage_run.id"), nullable=False),
        sa.Column("key", sa.String(96), nullable=False),
        sa.Column("during_stage", sa.Boolean(), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.Column("next_at", TIME),
        sa.Column("asked_at", TIME),
        sa.Column("reminded_at", TIME),
        sa.Column("called_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("answer", ENUM),
        sa.Column("expects", ENUM, nullable=False, server_default="yes_no"),
        sa.Column("answer_words", sa.Text(), nullable=False),
        sa.Column("answer_at", TIME),
        sa.Column("answered_via", sa.String(16), nullable=False),
    )
    # Questions, reminders and closings that are due.
    _partial_index("ix_follow_up_due", "follow_up", ["next_at"], "next_at IS NOT NULL")
    op.create_index("ix_follow_up_request_id", "follow_up", ["request_id"])

    op.create_table(
        "event",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("visible", sa.Boolean(), nullable=False),
        sa.Column("stage_key", sa.String(64)),
        sa.Column("run_id", ID, sa.ForeignKey("stage_run.id")),
        sa.Column("department_id", ID, sa.ForeignKey("department.id")),
        sa.Column("actor_kind", ENUM, nullable=False),
        sa.Column("actor_name", sa.String(120), nullable=False),
        sa.Column("actor_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    # The timeline of a request, and what a page has missed since its last event.
    op.create_index("ix_event_request", "event", ["request_id", "id"])

    op.create_table(
        "tracking_link",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.UniqueConstraint("token"),
    )
    op.create_index("ix_tracking_link_request_id", "tracking_link", ["request_id"])

    op.create_table(
        "dropped_ball",
        sa.Column("id", ID, primary_key=True),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id")),
        sa.Column("owner_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column(
            "department_id", ID, sa.ForeignKey("department.id", name="fk_dropped_ball_department")
        ),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("dropped_at", TIME, nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("level", ENUM, nullable=False, server_default="owner"),
        sa.Column("escalates_at", TIME),
        sa.Column("escalated_at", TIME),
        sa.Column(
            "escalated_to_id",
            ID,
            sa.ForeignKey("staff_member.id", name="fk_dropped_ball_escalated_to"),
        ),
        sa.Column("notified_level", ENUM),
        sa.Column("resolved_at", TIME),
        sa.Column("dismissed_by", sa.String(120), nullable=False, server_default=""),
        sa.Column("dismissed_reason", sa.Text(), nullable=False, server_default=""),
    )
    # What goes to the next level now.
    _partial_index(
        "ix_dropped_ball_escalates",
        "dropped_ball",
        ["escalates_at"],
        "resolved_at IS NULL AND escalates_at IS NOT NULL",
    )
    # The list of what is open, newest first.
    _partial_index("ix_dropped_ball_list", "dropped_ball", ["id"], "resolved_at IS NULL")
    op.create_index("ix_dropped_ball_owner_id", "dropped_ball", ["owner_id"])
    op.create_index("ix_dropped_ball_request_id", "dropped_ball", ["request_id"])
    # What somebody has yet to get mail about.
    _partial_index(
        "ix_dropped_ball_notification_pending",
        "dropped_ball",
        ["id"],
        "resolved_at IS NULL AND (notified_level IS NULL OR notified_level <> level)",
    )
    # A problem is open at most once, whoever reports it.
    _partial_index(
        "ux_dropped_ball_open",
        "dropped_ball",
        ["kind", "subject"],
        "resolved_at IS NULL",
        unique=True,
    )

    op.create_table(
        "presence",
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), primary_key=True),
        sa.Column("staff_id", ID, sa.ForeignKey("staff_member.id"), primary_key=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("is_writing", sa.Boolean(), nullable=False),
    )


def _create_messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id")),
        sa.Column("customer_id", ID, sa.ForeignKey("customer.id")),
        sa.Column("event_id", ID, sa.ForeignKey("event.id")),
        sa.Column("direction", ENUM, nullable=False),
        sa.Column("channel", ENUM, nullable=False),
        sa.Column("kind", ENUM, nullable=False),
        sa.Column("cause", sa.String(96), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("to_address", sa.String(254), nullable=False),
        sa.Column("from_address", sa.String(254), nullable=False),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("author_id", ID, sa.ForeignKey("staff_member.id")),
        sa.Column("status", ENUM, nullable=False),
        sa.Column("reason", ENUM),
        sa.Column("reason_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("is_shortened", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(16)),
        sa.Column("provider_sid", sa.String(200)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim_token", sa.String(32)),
        sa.Column("claimed_at", TIME),
        sa.Column("reconciled_at", TIME),
        sa.Column("possible_duplicate", sa.Boolean(), nullable=False),
        sa.Column("intent", sa.String(32), nullable=False, server_default=""),
        sa.Column("intent_corrected_by", sa.String(120), nullable=False, server_default=""),
        sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("poll_at", TIME),
        sa.Column("handled_at", TIME),
        sa.Column("handled_by", sa.String(120), nullable=False, server_default=""),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("sent_at", TIME),
        sa.Column("delivered_at", TIME),
        # One cause sends one message per kind and channel, even if it is handled twice.
        sa.UniqueConstraint("cause", "kind", "channel"),
        sa.UniqueConstraint("provider_sid"),
    )
    # Messages whose delivery the provider has yet to confirm.
    _partial_index("ix_message_poll", "message", ["poll_at"], "poll_at IS NOT NULL")
    # What is due and not yet claimed, oldest first.
    _partial_index("ix_message_due", "message", ["due_at", "id"], "status = 'queued'")
    # What an address has sent lately.
    _partial_index("ix_message_from", "message", ["from_address", "id"], "direction = 'in'")
    # A recipient gets one message at a time.
    _partial_index(
        "ix_message_in_flight", "message", ["to_address"], "status IN ('sending', 'unknown')"
    )
    # The conversation of a request, oldest first.
    op.create_index("ix_message_request", "message", ["request_id", "id"])
    # What an address was last sent, to which a reply may belong.
    op.create_index("ix_message_to", "message", ["to_address", "id"])
    # Messages that may need a person, oldest first.
    _partial_index(
        "ix_message_needs_attention",
        "message",
        ["id"],
        "status IN ('failed', 'undelivered', 'review', 'unknown', 'expired') AND handled_at IS NULL",
    )

    op.create_table(
        "send_attempt",
        sa.Column("id", ID, primary_key=True),
        sa.Column("message_id", ID, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claim_token", sa.String(32), nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.Column("provider_sid", sa.String(200)),
        sa.Column("status", ENUM, nullable=False),
        sa.Column("error_code", sa.String(16)),
        sa.Column("reason", ENUM),
        sa.Column("error", sa.String(400), nullable=False),
        sa.UniqueConstraint("provider_sid"),
    )
    op.create_index("ix_send_attempt_claim_token", "send_attempt", ["claim_token"])
    op.create_index("ix_send_attempt_message_id", "send_attempt", ["message_id"])

    op.create_table(
        "attachment",
        sa.Column("id", ID, primary_key=True),
        sa.Column("message_id", ID, sa.ForeignKey("message.id"), nullable=False),
        sa.Column("state", ENUM, nullable=False),
        sa.Column("source_url", sa.String(1000), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("refusal_code", ENUM),
        sa.Column("max_megabytes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", TIME),
        sa.Column("created_at", TIME, nullable=False),
    )
    # Files that are still to be fetched from the provider.
    _partial_index("ix_attachment_due", "attachment", ["next_at"], "next_at IS NOT NULL")
    op.create_index("ix_attachment_message_id", "attachment", ["message_id"])

    op.create_table(
        "contact",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("message_id", ID, sa.ForeignKey("message.id")),
        sa.Column("channel", ENUM, nullable=False),
        sa.Column("reason", ENUM, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("logged_by", sa.String(120), nullable=False),
    )
    # Why customers got in touch in a week.
    op.create_index("ix_contact_at", "contact", ["at"])
    op.create_index("ix_contact_request_id", "contact", ["request_id"])

    op.create_table(
        "canned_reply",
        sa.Column("id", ID, primary_key=True),
        sa.Column("department_id", ID, sa.ForeignKey("department.id")),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("written_by", sa.String(120), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
    )
    op.create_index("ix_canned_reply_department_id", "canned_reply", ["department_id"])

    op.create_table(
        "sender",
        sa.Column("name", sa.String(254), primary_key=True),
        sa.Column("paused_until", TIME),
        sa.Column("pause_reason", ENUM),
        sa.Column("rate_used_until", TIME),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
    )


def _create_access() -> None:
    op.create_table(
        "consent",
        sa.Column("id", ID, primary_key=True),
        sa.Column("channel", ENUM, nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id")),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("evidence", sa.String(400), nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    # The newest consent of an address is the one that counts.
    op.create_index("ix_consent_address", "consent", ["channel", "address", "id"])

    op.create_table(
        "verification_code",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("service_request.id"), nullable=False),
        sa.Column("customer_id", ID, sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("channel", ENUM, nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
    )
    # How many codes a customer was sent lately.
    op.create_index(
        "ix_verification_code_customer", "verification_code", ["customer_id", "created_at"]
    )
    # The newest code of a request.
    op.create_index("ix_verification_code_request", "verification_code", ["request_id", "id"])

    op.create_table(
        "trusted_device",
        sa.Column("id", ID, primary_key=True),
        sa.Column("customer_id", ID, sa.ForeignKey("customer.id"), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("channel", ENUM, nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        # The customers of a shared browser have one secret and a row each.
        sa.UniqueConstraint("secret_hash", "customer_id"),
    )
    # A customer's devices, to forget them all.
    op.create_index("ix_trusted_device_customer", "trusted_device", ["customer_id"])

    op.create_table(
        "api_key",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("name"),
    )

    op.create_table(
        "idempotent_response",
        sa.Column("id", ID, primary_key=True),
        sa.Column("api_key_id", ID, sa.ForeignKey("api_key.id"), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("api_key_id", "idempotency_key"),
    )
    # Answers are deleted by their age.
    op.create_index("ix_idempotent_response_created_at", "idempotent_response", ["created_at"])


def _create_monitoring() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("beat_at", TIME, nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
    )
    op.create_index("ix_heartbeat_beat_at", "heartbeat", ["beat_at"])

    op.create_table(
        "monitoring_gap",
        sa.Column("id", ID, primary_key=True),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("grace_until", TIME, nullable=False),
    )
    op.create_index("ix_monitoring_gap_grace_until", "monitoring_gap", ["grace_until"])

    op.create_table(
        "stage_duration",
        sa.Column("workflow_key", sa.String(64), primary_key=True),
        sa.Column("stage_key", sa.String(64), primary_key=True),
        sa.Column("p50_seconds", sa.Integer(), nullable=False),
        sa.Column("p80_seconds", sa.Integer(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("measured_at", TIME, nullable=False),
    )


def _partial_index(
    name: str, table: str, columns: Sequence[str], where: str, *, unique: bool = False
) -> None:
    """Create an index of the rows that meet a condition, which stays small as others close."""
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )

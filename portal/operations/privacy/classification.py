"""Every column that can hold text, classified: how it is erased, or why it holds nothing personal.

The erasure reads its columns here. ``tests/operations/privacy/test_classification.py`` compares
this list with the schema: a new column must be classified.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

ERASED = "[erased]"
"""What stands where a text of a person stood."""
ERASED_NAME = "Erased person"


class Treatment(StrEnum):
    """How a column is erased."""

    # A text that is not empty becomes ERASED, so that rules still know that there was one.
    REPLACE = "replace"
    # It becomes empty, or its neutral default.
    CLEAR = "clear"
    # The row is deleted.
    DELETE_ROW = "delete the row"
    # The value becomes its digest, by which it is recognised and cannot be read back.
    DIGEST = "digest"
    # Only what a rule reads stays of it: ids, times and codes.
    REDUCE = "reduce"


PERSONAL: Mapping[str, Treatment] = {
    "customer.name": Treatment.CLEAR,
    "customer.locale": Treatment.CLEAR,
    "customer.timezone": Treatment.CLEAR,
    "customer.quiet_hours": Treatment.CLEAR,
    "contact_point.address": Treatment.DELETE_ROW,
    "consent.address": Treatment.DIGEST,
    "consent.evidence": Treatment.CLEAR,
    "trusted_device.secret_hash": Treatment.DELETE_ROW,
    "trusted_device.address": Treatment.DELETE_ROW,
    "push_subscription.endpoint": Treatment.DELETE_ROW,
    "push_subscription.p256dh": Treatment.DELETE_ROW,
    "push_subscription.auth": Treatment.DELETE_ROW,
    "push_subscription.public_key": Treatment.DELETE_ROW,
    "verification_code.address": Treatment.DELETE_ROW,
    "verification_code.nonce": Treatment.DELETE_ROW,
    "person_request.address": Treatment.DIGEST,
    "person_request.names": Treatment.CLEAR,
    "idempotent_response.idempotency_key": Treatment.DELETE_ROW,
    "idempotent_response.body_hash": Treatment.DELETE_ROW,
    "idempotent_response.body": Treatment.DELETE_ROW,
    "service_request.title": Treatment.CLEAR,
    "service_request.external_id": Treatment.CLEAR,
    "service_request.fields": Treatment.CLEAR,
    "service_request.customer_note": Treatment.REPLACE,
    "service_request.close_reason": Treatment.REPLACE,
    "tracking_link.token": Treatment.DELETE_ROW,
    "share_link.token": Treatment.DELETE_ROW,
    "event.data": Treatment.REDUCE,
    "stage_run.note": Treatment.REPLACE,
    "stage_run.hold_reason": Treatment.REPLACE,
    "stage_run.delay_reason": Treatment.REPLACE,
    "stage_run.tracking_number": Treatment.REPLACE,
    "stage_run.fields": Treatment.CLEAR,
    "stage_run.correction": Treatment.REPLACE,
    "need.reason": Treatment.REPLACE,
    "stage_run.tracking_key": Treatment.REPLACE,
    "handoff.note": Treatment.REPLACE,
    "handoff.refused_reason": Treatment.REPLACE,
    "promise.text": Treatment.REPLACE,
    "promise.moved_reason": Treatment.REPLACE,
    "promise.closed_reason": Treatment.REPLACE,
    "follow_up.question": Treatment.REPLACE,
    "follow_up.fields": Treatment.CLEAR,
    "follow_up.answer_words": Treatment.REPLACE,
    "contact.note": Treatment.REPLACE,
    "dropped_ball.subject": Treatment.REDUCE,
    "dropped_ball.detail": Treatment.REPLACE,
    "dropped_ball.dismissed_reason": Treatment.REPLACE,
    "message.cause": Treatment.REDUCE,
    "message.subject": Treatment.REPLACE,
    "message.body": Treatment.REPLACE,
    "message.because": Treatment.REPLACE,
    "message.to_address": Treatment.CLEAR,
    "message.from_address": Treatment.CLEAR,
    "message.whatsapp_number": Treatment.CLEAR,
    "message.provider_sid": Treatment.CLEAR,
    "send_attempt.provider_sid": Treatment.CLEAR,
    "send_attempt.error": Treatment.REPLACE,
    "attachment.source_url": Treatment.DELETE_ROW,
    "attachment.name": Treatment.DELETE_ROW,
    "attachment.media_type": Treatment.DELETE_ROW,
    "attachment.digest": Treatment.DELETE_ROW,
}

_STAFF = "a member of staff, or another system by the name of its key"
_ORGANISATION = "the organisation's own"
_CODE = "a code or key of ours, of a fixed set"

NOT_PERSONAL: Mapping[str, str] = {
    "account_event.actor": _STAFF,
    "account_event.browser": "the browser of a member of staff",
    "account_event.network": "the network of a member of staff",
    "address_key.key": "random",
    "api_key.name": _ORGANISATION,
    "api_key.hash": _ORGANISATION,
    "api_key.scopes": _CODE,
    "attachment_read.day": "a day",
    "canned_reply.title": _ORGANISATION,
    "canned_reply.body": "a template with placeholders for every customer",
    "canned_reply.reason": _CODE,
    "canned_reply.written_by": _STAFF,
    "consent.source": _CODE,
    "contact.logged_by": _STAFF,
    "department.key": _ORGANISATION,
    "department.name": _ORGANISATION,
    "department.timezone": _ORGANISATION,
    "department.hours": _ORGANISATION,
    "department.holidays": _ORGANISATION,
    "department.accept_within": _ORGANISATION,
    "department.reply_within": _ORGANISATION,
    "department.lead_after": _ORGANISATION,
    "department.manager_after": _ORGANISATION,
    "dropped_ball.dismissed_by": _STAFF,
    "event.stage_key": _CODE,
    "event.via_key": _STAFF,
    "event.actor_name": _STAFF + ", or the word Customer",
    "follow_up.key": _CODE,
    "follow_up.answered_via": _CODE,
    "follow_up.offered": "the windows of a visit that were free",
    "follow_up.refused": "the windows of a visit that were free",
    "heartbeat.name": "a machine and a process",
    "heartbeat.note": "a machine and a process",
    "job_failure.job": _CODE,
    "promise.call_window": _CODE,
    "message.author": _STAFF + ", the brand, or the word Customer",
    "message.error_code": "a code of the provider",
    "message.claim_token": "random",
    "message.intent": _CODE,
    "message.template_sid": "the Content SID of a template, the organisation's own",
    "message.intent_corrected_by": _STAFF,
    "message.handled_by": _STAFF,
    "need.stage_key": _CODE,
    "need.key": _CODE,
    "person_request.recorded_by": _STAFF,
    "person_request.done_by": _STAFF,
    "send_attempt.claim_token": "random",
    "send_attempt.error_code": "a code of the provider",
    "sender.name": "a number or address that we send from",
    "sender.month": "a month",
    "service_request.reference": "random; it names a request, and no longer a person",
    "staff_member.email": _STAFF,
    "staff_sign_in.browser": "the browser of a member of staff",
    "staff_sign_in.network": "the network of a member of staff",
    "staff_sign_in.token_hash": "a digest of a random token",
    "staff_member.name": _STAFF,
    "staff_member.password_hash": _STAFF,
    "staff_member.invitation_hash": _STAFF,
    "staff_photo.digest": _STAFF,
    "staff_photo.image": _STAFF,
    "stage.key": _ORGANISATION,
    "stage.name": _ORGANISATION,
    "stage_duration.workflow_key": _ORGANISATION,
    "stage_duration.stage_key": _ORGANISATION,
    "stage_run.stage_key": _CODE,
    "stage_run.completed_by": _STAFF,
    "stage_run.third_party": "a company with a part in the stage",
    "workflow.key": _ORGANISATION,
    "workflow.name": _ORGANISATION,
    "workflow.document": _ORGANISATION,
}

KEPT_EVENT_DATA = frozenset(
    {
        "accept_by", "again", "answer", "at", "ball", "channel", "channels", "code", "due_at", "from",
        "key", "label", "late", "message_id", "preferred_channel", "promise_id", "read", "stage",
        "start", "stop", "told", "to", "to_id", "until", "was",
    }
)  # fmt: skip
"""What stays of an event's data: ids, times, codes, and names of colleagues, departments and companies."""


def replacements(table: type[SQLModel]) -> dict[str, Any]:
    """The new value of each column of this table that is replaced."""
    name = str(table.__tablename__)
    return {
        column.name: sa.case((column == "", ""), else_=sa.literal(ERASED))
        for column in table.metadata.tables[name].columns
        if PERSONAL.get(f"{name}.{column.name}") == Treatment.REPLACE
    }


def reduce_event_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an event without what a person wrote or is called."""
    return {
        key: value if key in KEPT_EVENT_DATA or _is_plain(value) else ERASED
        for key, value in data.items()
    }


def _is_plain(value: object) -> bool:
    return value is None or value == "" or isinstance(value, bool | int | float)

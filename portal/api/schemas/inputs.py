"""The request bodies: one model for each call that writes."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from portal.api.schemas.fields import (
    NOT_BLANK,
    Channels,
    Email,
    Key,
    Note,
    Reason,
    ShortText,
    Version,
    check_printable,
)
from portal.messaging.wording.signatures import MAX_TEXT_LENGTH
from portal.models import Channel, ContactChannel, ContactReason, PromiseKind
from portal.operations.open_request import MAX_NAME_LENGTH, MAX_TITLE_LENGTH
from portal.web.times import Moment

Body = Annotated[
    str, Field(min_length=1, max_length=MAX_TEXT_LENGTH, json_schema_extra=dict(NOT_BLANK))
]
ExternalId = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TITLE_LENGTH, json_schema_extra=dict(NOT_BLANK)),
    AfterValidator(check_printable),
]
MAX_FIELDS_LENGTH = 20_000
"""Characters of all fields together, as JSON."""


def _check_fields(fields: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(fields, ensure_ascii=False)) > MAX_FIELDS_LENGTH:
        raise ValueError(f"Please keep all fields together under {MAX_FIELDS_LENGTH:,} letters.")
    return fields


class Input(BaseModel):
    """A body that may name who acts: ``by`` is the e-mail address of a member of staff."""

    model_config = ConfigDict(extra="forbid")

    by: Email | None = Field(default=None, description="Who acts; without it, the key.")


class VersionedInput(Input):
    """A body that may name the ``version`` of the request that the caller has seen."""

    version: Version | None = Field(default=None, description="Refused with 409 when older.")


class StageInput(VersionedInput):
    """A body about one open stage, which must be named where several are open."""

    stage: Key | None = None


class NewCustomer(BaseModel):
    """The customer of a new request. Without an address nothing is sent; the page still works."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
    phone: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="With its country code; kept in E.164."
    )
    email: Email | None = None
    locale: Annotated[str, Field(max_length=16)] | None = None
    timezone: Key | None = Field(default=None, description="An IANA zone: America/New_York.")


class NewRequest(Input):
    """Opens a request."""

    workflow: Key
    customer: NewCustomer
    title: Annotated[str, Field(max_length=MAX_TITLE_LENGTH)] | None = None
    external_id: ExternalId | None = Field(
        default=None,
        description="Your own id for it, without the space around it; used once, 409 when used before.",
    )
    fields: Annotated[dict[str, Any], AfterValidator(_check_fields)] | None = None


QuestionFields = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=200)]],
    Field(max_length=20),
]
"""The values of the fields of a question, by name."""


class Advance(StageInput):
    """Completes a stage."""

    note: Note | None = Field(default=None, description="The customer reads it with what is next.")
    expected_by: Moment | None = Field(default=None, description="When the next stage is due.")
    handover: Note | None = Field(
        default=None, description="For whoever takes it up; the customer never reads it."
    )
    fields: QuestionFields | None = Field(
        default=None,
        description="The values of the fields of the question that this puts to the customer, "
        'such as {"amount": "$89"}. Without one of them it is refused with 422.',
    )


class SendBack(VersionedInput):
    """Runs an earlier stage again."""

    stage: Key
    reason: Reason
    fields: QuestionFields | None = Field(
        default=None, description="Those of the question that the stage puts, as in `advance`."
    )


class Hold(StageInput):
    """Puts a stage on hold; its clock is paused, at most ``until`` then."""

    reason: Reason
    until: Moment | None = None


class DelayInput(StageInput):
    """A new date for an open stage, and why; the customer reads the reason."""

    expected_by: Moment = Field(description="A time to come.")
    reason: Reason


class Cancel(VersionedInput):
    """Cancels a request."""

    reason: Reason


class StageReasonInput(StageInput):
    """A body with a reason: refuses a handoff."""

    reason: Reason


class Reopen(StageReasonInput):
    """Reopens a request."""

    fields: QuestionFields | None = Field(
        default=None, description="Those of the question that the stage puts, as in `advance`."
    )


class Dismiss(Input):
    """Dismisses a dropped ball."""

    reason: Reason


class Assign(StageInput):
    """Assigns a request to a person of any department."""

    owner: Email
    note: Note | None = Field(default=None, description="For them; no customer reads it.")


class NewPromise(VersionedInput):
    """Makes a promise to the customer, with its due time and its owner."""

    text: Reason
    due_at: Moment
    owner: Email | None = None
    kind: PromiseKind = Field(
        default=PromiseKind.OTHER,
        description="What keeps it: `answer`, writing to the customer; `call`, logging a call.",
    )
    tell: bool = Field(default=True, description="Without it only the desk knows of the promise.")


class MovePromise(VersionedInput):
    """Gives a promise a new due time."""

    due_at: Moment
    reason: Reason


class WithdrawPromise(VersionedInput):
    """Withdraws a promise that was made by mistake."""

    reason: Reason


class NewMessage(Input):
    """Writes to the customer, by the first of these channels that may be used."""

    body: Body
    channels: Channels | None = None
    urgent: bool = Field(default=False, description="Goes in the customer's quiet hours too.")


class NewDocument(Input):
    """Puts a photo or a PDF on the customer's page."""

    name: ShortText = Field(min_length=1, description="The name of the file: permit.pdf.")
    content: str = Field(min_length=4, description="The file in base64 (RFC 4648).")


class Retry(Input):
    """Sends the same text again."""

    to: ShortText | None = Field(
        default=None, description="Another of the customer's own addresses of that channel."
    )


class Resend(Input):
    """Sends another text instead."""

    body: Body
    channel: Literal[Channel.SMS, Channel.EMAIL] | None = Field(
        default=None, description="Without it, the channel of the first."
    )


class MarkToldInput(Input):
    """Marks the customer as informed of a failed message, by phone or otherwise."""

    note: Note | None = None


class NewContact(Input):
    """Logs a contact by the customer."""

    channel: ContactChannel
    reason: ContactReason
    note: Note | None = None


class Absence(Input):
    """Marks a person as away."""

    from_: Moment | None = Field(default=None, alias="from", description="Without it, now.")
    until: Moment | None = Field(
        default=None, description="When they are back; without it, once they say so."
    )
    deputy: ShortText | None = Field(
        default=None,
        description="Who stands in, else their department's lead: the e-mail address of a "
        "colleague, or empty for nobody by name. Without it, whoever did before.",
    )

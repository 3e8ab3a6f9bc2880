"""What may be sent: the body of each call, and the questions of each list."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    WithJsonSchema,
)

from portal import business_time
from portal.models import Channel, ContactChannel, ContactReason, PromiseKind, RequestStatus
from portal.operations.conversation.staff_messages import MAX_TEXT_LENGTH
from portal.operations.open_request import MAX_NAME_LENGTH, MAX_TITLE_LENGTH
from portal.operations.transitions import MAX_REASON_LENGTH

MAX_FIELDS_LENGTH = 20_000
"""Letters of all fields together, as JSON."""

MAX_DATE_DISTANCE = timedelta(days=3653)


def parse_time(value: object) -> datetime:
    """A moment with its offset (ISO 8601), in UTC. Raises ValueError with a sentence."""
    no_time = "This must be a time like 2026-12-01T17:00:00Z."
    if not isinstance(value, str):
        raise ValueError(no_time)  # noqa: TRY004 (pydantic takes ValueErrors)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(no_time) from None
    if moment.tzinfo is None:
        raise ValueError("Please say which zone: end the time with Z or an offset like -05:00.")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("That is too far away.") from None
    if abs(moment - business_time.now()) > MAX_DATE_DISTANCE:
        raise ValueError("Please give a time within ten years.")
    return moment


def decode_cursor(value: object) -> int:
    """The id in an opaque cursor. Raises ValueError for what we did not give out."""
    refusal = "Please send a next_cursor as it was given, or none."
    try:
        digits = base64.urlsafe_b64decode(str(value).encode("ascii") + b"==").decode("ascii")
    except (binascii.Error, UnicodeError):
        raise ValueError(refusal) from None
    if not (digits.isdigit() and len(digits) < 19):
        raise ValueError(refusal)
    return int(digits)


def encode_cursor(after: int | None) -> str | None:
    """The opaque cursor for going on after this id."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(str(after).encode()).decode().rstrip("=")


def _check_fields(fields: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(fields, ensure_ascii=False)) > MAX_FIELDS_LENGTH:
        raise ValueError(f"Please keep all fields together under {MAX_FIELDS_LENGTH:,} letters.")
    return fields


def _check_printable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("This holds a NUL, which no text can.")
    return text


def _strip(text: str) -> str:
    return text.strip()


Moment = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Cursor = Annotated[int, BeforeValidator(decode_cursor), WithJsonSchema({"type": "string"})]
Key = Annotated[str, Field(max_length=64), AfterValidator(_check_printable)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_check_printable)]
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON_LENGTH)]
Note = Annotated[str, Field(max_length=MAX_REASON_LENGTH), AfterValidator(_strip)]
ShortText = Annotated[str, Field(max_length=254), AfterValidator(_check_printable)]
Channels = Annotated[list[Literal[Channel.SMS, Channel.EMAIL]], Field(max_length=2)]
Version = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]


class Input(BaseModel):
    """A body that may say who acts: ``by`` is the e-mail address of a member of staff."""

    model_config = ConfigDict(extra="forbid")

    by: Email | None = Field(default=None, description="Who acts; without it, the key.")


class VersionedInput(Input):
    """A body that may say which ``version`` of the request it was decided on."""

    version: Version | None = Field(default=None, description="Refused with 409 when older.")


class StageInput(VersionedInput):
    """A move of one open stage, to be named where several are open or waiting."""

    stage: Key | None = None


class NewCustomer(BaseModel):
    """Who a request is for. Without an address nothing can be sent; the page still lives."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
    phone: Annotated[str, Field(max_length=40)] | None = Field(
        default=None, description="With its country code; kept in E.164."
    )
    email: Email | None = None
    locale: Annotated[str, Field(max_length=16)] | None = None
    timezone: Key | None = Field(default=None, description="An IANA zone: America/New_York.")


class NewRequest(Input):
    """A request to open."""

    workflow: Key
    customer: NewCustomer
    title: Annotated[str, Field(max_length=MAX_TITLE_LENGTH)] | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=MAX_TITLE_LENGTH)] | None = Field(
        default=None, description="Your own id for it; used once, 409 when used before."
    )
    fields: Annotated[dict[str, Any], AfterValidator(_check_fields)] | None = None


class Advance(StageInput):
    """A stage is done."""

    note: Note | None = Field(default=None, description="The customer reads it with what is next.")
    expected_by: Moment | None = Field(default=None, description="When the next stage is due.")
    handover: Note | None = Field(
        default=None, description="For whoever takes it up; the customer never reads it."
    )


class SendBack(VersionedInput):
    """An earlier stage is to run again."""

    stage: Key
    reason: Reason


class Hold(StageInput):
    """It is put aside; clocks stand still, at most ``until`` then."""

    reason: Reason
    until: Moment | None = None


class Cancel(VersionedInput):
    """It ends without the thing done."""

    reason: Reason


class StageReasonInput(StageInput):
    """A move that needs a reason: refusing a handoff, reopening."""

    reason: Reason


class Dismiss(Input):
    """It does not matter that this slipped, or nothing can be done about it."""

    reason: Reason


class Assign(StageInput):
    """It is to be this person's, of whichever department."""

    owner: Email
    note: Note | None = Field(default=None, description="For them; no customer reads it.")


class NewPromise(VersionedInput):
    """A commitment to the customer, with its time and its owner."""

    text: Reason
    due_at: Moment
    owner: Email | None = None
    kind: PromiseKind = Field(
        default=PromiseKind.OTHER,
        description="What keeps it: `answer`, writing to the customer; `call`, logging a call.",
    )
    tell: bool = Field(default=True, description="Without it only the desk knows of the promise.")


class MovePromise(VersionedInput):
    """A promise gets a new time."""

    due_at: Moment
    reason: Reason


class WithdrawPromise(VersionedInput):
    """A promise was none."""

    reason: Reason


class NewMessage(Input):
    """Words to the customer, by the first of these channels that may be used."""

    body: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)]
    channels: Channels | None = None
    urgent: bool = Field(default=False, description="Goes in the customer's quiet hours too.")


class Retry(Input):
    """The same words once more."""

    to: ShortText | None = Field(
        default=None, description="Another of the customer's own addresses of that channel."
    )


class Resend(Input):
    """Other words instead."""

    body: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)]
    channel: Literal[Channel.SMS, Channel.EMAIL] | None = Field(
        default=None, description="Without it, the channel of the first."
    )


class MarkToldInput(Input):
    """Somebody has told the customer, by phone or otherwise."""

    note: Note | None = None


class NewContact(Input):
    """The customer came to us."""

    channel: ContactChannel
    reason: ContactReason
    note: Note | None = None


class Absence(Input):
    """A person is away."""

    from_: Moment | None = Field(default=None, alias="from", description="Without it, now.")
    until: Moment | None = Field(
        default=None, description="When they are back; without it, once they say so."
    )
    deputy: Email | None = Field(
        default=None,
        description="Who stands in, else their department's lead: the e-mail address of a "
        "colleague, or empty for nobody by name. Without it, whoever did before.",
    )


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    cursor: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class RequestQuery(PageQuery):
    """Which requests."""

    department: Key | None = Field(default=None, description="The key of the one that has it.")
    stage: Key | None = Field(default=None, description="The key of a stage that is open.")
    status: RequestStatus | None = None
    owner: Email | None = Field(default=None, description="The owner's e-mail address.")
    q: ShortText | None = Field(
        default=None,
        description="A reference, an external_id, the customer's phone or e-mail address, "
        "or how their name begins.",
    )


class DroppedBallQuery(PageQuery):
    """Which dropped balls; both kinds where ``open`` is not given."""

    open: bool | None = None


class MessageQuery(PageQuery):
    """Which messages: those that need a person."""

    needs: Literal["person"] = Field(
        description="`person`: they did not get through, or nobody knows, and nobody saw to it."
    )


class NoQuery(BaseModel):
    """A call that asks for one thing takes no questions."""

    model_config = ConfigDict(extra="forbid")

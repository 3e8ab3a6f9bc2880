"""A customer's message as its channel delivers it, and its row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from portal.attachments.stored_file import RefusedFile, StoredFile
from portal.messaging.card_masking import mask_card_numbers
from portal.models import (
    Channel,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    Transport,
    hash_token,
)
from portal.models.people.contact_address import MAX_EMAIL_LENGTH
from portal.operations.conversation.attachments import IncomingMedia, attach_files, expect_media
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import is_recorded


class OptOutType(StrEnum):
    """What Twilio took a text for and has answered itself (``OptOutType``, Advanced Opt-Out)."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """What a customer sent, as its channel delivered it. All of it is untrusted.

    ``provider_id`` is a MessageSid or a Message-ID: the same id is recorded once. ``sender`` is an
    E.164 number or a lower-case address, empty on the page. ``request_id`` is given by a reply
    address or a tracking link, never read from the text. ``own_text`` is what the customer wrote,
    where ``body`` has more than that; ``says_more``: the rest may say something as well. ``opt_out_type``: Twilio has acted on it and answered it.
    ``is_shortened``: the body is cut at its limit. ``media`` are fetched later; ``files`` are checked already.
    ``cause`` is its own, where the provider's id alone is none. ``is_unproven``: the request was found
    by what the message says of itself. ``is_for_person``: its meaning is known, and a person answers
    it. ``had_card_number``: one was masked. ``need`` is the key of the item that its files are for.
    ``transport`` carried it, if it is a text; ``whatsapp_number`` is its sender as WhatsApp spells it.
    """

    channel: Channel
    body: str
    own_text: str | None = None
    says_more: bool = False
    provider_id: str | None = None
    sender: str = ""
    recipient: str = ""
    request_id: int | None = None
    opt_out_type: OptOutType | None = None
    is_shortened: bool = False
    media: Sequence[IncomingMedia] = ()
    files: Sequence[StoredFile | RefusedFile] = ()
    cause: str = ""
    is_unproven: bool = False
    is_for_person: bool = False
    had_card_number: bool = False
    need: str = ""
    transport: Transport | None = None
    whatsapp_number: str = ""

    @property
    def has_files(self) -> bool:
        """Whether a file came with it that may be taken."""
        return bool(self.media) or any(isinstance(file, StoredFile) for file in self.files)

    @property
    def text(self) -> str:
        """The customer's own words: what is classified."""
        return self.body if self.own_text is None else self.own_text

    def without_card_numbers(self) -> "InboundMessage":
        """The message as it may be stored: card numbers in it are masked."""
        body = mask_card_numbers(self.body)
        own_text = None if self.own_text is None else mask_card_numbers(self.own_text)
        had_card_number = (body, own_text) != (self.body, self.own_text)
        return replace(self, body=body, own_text=own_text, had_card_number=had_card_number)


async def record_inbound(uow: UnitOfWork, inbound: InboundMessage) -> Message | None:
    """Write the message's row and its files; None where the provider's id is recorded already."""
    provider_id = inbound.provider_id
    if provider_id and await is_recorded(uow.session, provider_id):
        return None
    message = build_message(uow, inbound)
    uow.session.add(message)
    await uow.session.flush()
    if provider_id is None:
        message.cause = f"web:{message.id}"
    if inbound.media:
        expect_media(uow, message, inbound.media)
    if inbound.files:
        await attach_files(uow, message, inbound.files)
    return message


def build_message(
    uow: UnitOfWork, inbound: InboundMessage, kind: MessageKind = MessageKind.CUSTOMER
) -> Message:
    """Its row, on no request yet."""
    return Message(
        direction=Direction.IN,
        channel=inbound.channel,
        transport=inbound.transport,
        whatsapp_number=inbound.whatsapp_number,
        kind=kind,
        cause=inbound.cause
        or (
            f"inbound:{hash_token(inbound.provider_id)}"
            if inbound.provider_id
            else f"web:{uow.now.timestamp()}"
        ),
        provider_sid=inbound.provider_id,
        body=inbound.body,
        is_shortened=inbound.is_shortened,
        from_address=inbound.sender[:MAX_EMAIL_LENGTH],
        to_address=inbound.recipient[:MAX_EMAIL_LENGTH],
        status=MessageStatus.RECEIVED,
        author="Customer",
        created_at=uow.now,
        due_at=uow.now,
    )


def copy_for(uow: UnitOfWork, message: Message, request: ServiceRequest) -> Message:
    """The same text as a second row, for one more request that it is about."""
    copied = Message(
        direction=Direction.IN,
        channel=message.channel,
        transport=message.transport,
        kind=message.kind,
        cause=f"message:{message.id}:for:{request.id}",
        body=message.body,
        from_address=message.from_address,
        to_address=message.to_address,
        status=MessageStatus.RECEIVED,
        author=message.author,
        created_at=message.created_at,
        due_at=message.due_at,
    )
    uow.session.add(copied)
    return copied

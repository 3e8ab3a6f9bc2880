"""The outbox: messages to customers, written in the same transaction as their cause."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.messaging.link_spacing import space_after_links
from portal.messaging.send_rules import (
    KINDS_WITHOUT_OPT_OUT_HINT,
    NOT_DELIVERED,
    due_at,
    with_opt_out_hint,
)
from portal.messaging.sms import segments
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.plain_names import with_plain_names
from portal.messaging.wording.signatures import sign
from portal.models import (
    Channel,
    DeliveryReason,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.queries.consent import may_write
from portal.settings import Settings

MAX_SUBJECT_LENGTH = 200
MESSAGE_LIFETIME = timedelta(days=3)
"""A message that could not be sent for this long expires: later it would only confuse."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The content of a message to a customer, and its cause.

    One ``cause`` has one message by each kind and channel. ``mail_body`` is the body of an e-mail,
    where that has room for more. ``author`` is the brand where it is empty; a text of a colleague's
    begins with their name and the brand. ``urgent``: it is sent at any hour, because time is short or the customer waits for it.
    """

    kind: MessageKind
    cause: str
    body: str
    mail_body: str = ""
    subject: str = ""
    author: str = ""
    author_id: int | None = None
    event_id: int | None = None
    urgent: bool = False


@dataclass
class Outbox:
    """Writes messages that the worker will send; a cause has one message for each kind and channel.

    ``written`` collects the rows, so that the worker can be woken for them after the commit.
    """

    session: AsyncSession
    settings: Settings
    now: datetime
    written: list[Message] = field(default_factory=list)

    async def queue(
        self, request: ServiceRequest, draft: Draft, *, channels: Sequence[Channel] = ()
    ) -> Message:
        """Queue a message to the customer by the first channel that may be used.

        ``channels`` overrides the customer's own order. Where none may be used, the row is
        ``suppressed`` and has the reason.
        """
        channel, address, refusal = await self._choose_channel(request, channels)
        body, locale = draft.body, request.customer.locale
        if channel == Channel.EMAIL and draft.mail_body:
            body = draft.mail_body
        if channel == Channel.SMS and draft.kind == MessageKind.STAFF and draft.author_id:
            body = sign(body, draft.author, self.settings.brand, locale)
        message = Message(
            request_id=request.id,
            customer_id=request.customer_id,
            event_id=draft.event_id,
            channel=channel,
            kind=draft.kind,
            cause=draft.cause,
            subject=(draft.subject or request.title_in(request.customer.locale))[
                :MAX_SUBJECT_LENGTH
            ],
            to_address=address,
            author=draft.author or self.settings.brand,
            author_id=draft.author_id,
            body=body,
            urgent=draft.urgent,
            created_at=self.now,
            due_at=due_at(
                self.settings,
                self.now,
                request.customer.timezone,
                channel,
                draft.kind,
                urgent=draft.urgent,
                own=request.customer.own_quiet_hours,
            ),
            expires_at=self.now + MESSAGE_LIFETIME,
        )
        if refusal:
            message.status, message.reason = MessageStatus.SUPPRESSED, refusal
        else:
            request.last_told_at = self.now
        return await self._write(message, locale)

    async def send_code(
        self,
        request: ServiceRequest,
        channel: Channel,
        address: str,
        cause: str,
        body: str,
        *,
        subject: str,
        until: datetime,
    ) -> Message:
        """Queue a code for the customer, at any hour; after ``until`` it is not sent."""
        message = Message(
            request_id=request.id, customer_id=request.customer_id, channel=channel,
            kind=MessageKind.CODE, cause=cause, subject=subject, to_address=address, body=body,
            author=self.settings.brand, urgent=True, created_at=self.now, due_at=self.now,
            expires_at=until,
        )  # fmt: skip
        return await self._write(message, request.customer.locale)

    async def queue_reply_to_address(
        self,
        kind: MessageKind,
        cause: str,
        body: str,
        *,
        channel: Channel,
        address: str,
        locale: str = "en",
    ) -> Message:
        """Queue a reply to this address, known or not; quiet hours do not delay it."""
        message = Message(
            channel=channel, kind=kind, cause=cause, to_address=address, body=body,
            author=self.settings.brand, created_at=self.now, due_at=self.now,
            expires_at=self.now + MESSAGE_LIFETIME,
        )  # fmt: skip
        return await self._write(message, locale)

    async def queue_staff_notice(
        self, cause: str, address: str, subject: str, body: str
    ) -> Message:
        """Queue an e-mail to a member of staff; quiet hours and consent do not apply."""
        message = Message(
            channel=Channel.EMAIL, kind=MessageKind.NOTICE, cause=cause, to_address=address,
            subject=subject[:MAX_SUBJECT_LENGTH], body=body, author=self.settings.brand,
            created_at=self.now, due_at=self.now, expires_at=self.now + MESSAGE_LIFETIME,
        )  # fmt: skip
        return await self._write(message)

    async def replace_link_in_queue(self, request: ServiceRequest) -> None:
        """Replace revoked links in queued messages by the live one."""
        new_body: Any = col(Message.body)
        for link in request.links:
            if link.revoked_at is not None and request.live_link is not None:
                new_body = sa.func.replace(new_body, link.token, request.live_link.token)
        is_queued = (
            col(Message.request_id) == request.id,
            col(Message.status) == MessageStatus.QUEUED,
        )
        connection = await self.session.connection()
        await connection.execute(sa.update(Message).where(*is_queued).values(body=new_body))

    async def _choose_channel(
        self, request: ServiceRequest, channels: Sequence[Channel]
    ) -> tuple[Channel, str, DeliveryReason | None]:
        """The channel, the address, and why nothing may be sent (None when it may)."""
        refusal: tuple[Channel, str, DeliveryReason | None] | None = None
        for channel in channels or request.customer.channels():
            address = request.customer.address(channel, self.now)
            if address is None:
                continue
            if await may_write(self.session, channel, address, request.id):
                return channel, address, None
            refusal = refusal or (channel, address, DeliveryReason.CONSENT_WITHDRAWN)
        return refusal or (
            Channel.WEB, "", DeliveryReason.NO_ADDRESS
        )  # fmt: skip

    async def _write(self, message: Message, locale: str = "en") -> Message:
        if message.channel == Channel.SMS:
            message.body = to_gsm7(message.body)
        message.body = space_after_links(message.body, self.settings.public_url)
        if message.channel == Channel.SMS:
            if message.kind not in KINDS_WITHOUT_OPT_OUT_HINT and await self._is_first_text(
                message
            ):
                message.body = with_opt_out_hint(message.body, self.settings.brand, locale)
            if message.kind != MessageKind.STAFF and message.author_id is None:
                message.body = with_plain_names(message.body)
            message.body = with_direction_mark(message.body, locale)
            message.segments = segments.count_segments(message.body).segments
            message.from_address = (
                self.settings.twilio_from_number or self.settings.twilio_messaging_service_sid or ""
            )
        elif message.channel == Channel.EMAIL:
            message.from_address = self.settings.mail_from or ""
        self.session.add(message)
        self.written.append(message)
        return message

    async def _is_first_text(self, message: Message) -> bool:
        """True for the first text to this address, which must have the opt-out hint."""
        if any(
            other.to_address == message.to_address and other.status not in NOT_DELIVERED
            for other in self.written
        ):
            return False
        query = (
            select(Message.id)
            .where(
                col(Message.to_address) == message.to_address,
                col(Message.direction) == Direction.OUT,
                col(Message.channel) == Channel.SMS,
                col(Message.status).not_in(NOT_DELIVERED),
            )
            .limit(1)
        )
        return (await self.session.exec(query)).first() is None

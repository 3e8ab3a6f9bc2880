"""The gateways that the settings name: the carrier and the mail server."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from portal.database import Database
from portal.messaging.email.signed_addresses import bounce_address
from portal.messaging.email.smtp import SmtpClient
from portal.messaging.push import PUSH_ID_PREFIX
from portal.messaging.push.client import PushClient
from portal.messaging.sms.twilio_client import Accepted, TwilioClient, WhatsAppContent
from portal.models import Channel, MessageStatus, Transport
from portal.settings import Settings
from workers.delivery.email_letters import build_message_email
from workers.delivery.push import PushSender
from workers.delivery.stored_claims import OutgoingMessage

MAX_CONCURRENT_TEXTS = 200
"""Texts in flight at once; the library's own limit is half of it."""
MAX_CONCURRENT_EMAILS = 20
"""Each has a connection of its own, and a mail server grants only so many."""


class Gateway(Protocol):
    """A gateway of one channel, with a sender and a limit on messages in flight."""

    @property
    def channel(self) -> Channel:
        """The channel that it sends."""
        ...

    @property
    def sender(self) -> str:
        """The name of the ``Sender`` row."""
        ...

    @property
    def max_concurrent(self) -> int:
        """The most messages in flight."""
        ...

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        """Send one message, in one attempt, after calling ``check_claim`` at the last moment.

        Raises a ``SendError``, or what ``check_claim`` raises.
        """
        ...

    async def probe(self) -> None:
        """Find out whether the provider has recovered, without sending anything.

        Raises a ``SendError`` where it has not.
        """
        ...


@dataclass
class SmsGateway:
    """Texts, by the carrier: SMS, RCS where the messaging service has it, and WhatsApp."""

    gateway: TwilioClient
    public_url: str
    push: PushSender | None = None
    channel = Channel.SMS
    max_concurrent = MAX_CONCURRENT_TEXTS

    @property
    def sender(self) -> str:
        """Our number, or the sid of our messaging service."""
        return self.gateway.sender

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        """By our own id in the callback's address a receipt finds its message, sid or no sid.

        Where the customer has chosen notifications, one stands in for the text: taken by the push
        service it counts as delivered. If none takes it, the text goes.
        """
        callback = f"{self.public_url}/hooks/twilio/status?m={message.id}"
        check_claim()
        if self.push is not None and await self.push.notify(message):
            return Accepted(f"{PUSH_ID_PREFIX}{message.id}", MessageStatus.DELIVERED, 0)
        check_claim()
        number, whatsapp = message.to_address, None
        if message.transport == Transport.WHATSAPP:
            number = message.whatsapp_number or number
            whatsapp = WhatsAppContent(message.content_sid, message.content_variables)
        return await self.gateway.send(number, message.body, callback, whatsapp=whatsapp)

    async def probe(self) -> None:
        """See ``TwilioClient.probe``."""
        await self.gateway.probe()


@dataclass
class SmtpGateway:
    """Mails, by the mail server."""

    mailer: SmtpClient
    database: Database
    settings: Settings
    channel = Channel.EMAIL
    max_concurrent = MAX_CONCURRENT_EMAILS

    @property
    def sender(self) -> str:
        """The address that our mail comes from."""
        return self.settings.mail_from or ""

    async def send(self, message: OutgoingMessage, check_claim: Callable[[], None]) -> Accepted:
        """The letter is written first; a server that takes it has sent it, as far as we know."""
        letter = await build_message_email(self.database, self.settings, message.id)
        check_claim()
        await self.mailer.send(letter, bounce_address(self.settings, message.id))
        return Accepted(message.provider_sid or "", MessageStatus.SENT, 0)

    async def probe(self) -> None:
        """See ``SmtpClient.probe``."""
        await self.mailer.probe()


@dataclass
class Gateways:
    """The gateways by channel. Messages of a channel without one wait in the outbox."""

    texts: SmsGateway | None
    mail: SmtpGateway | None

    def all(self) -> list[Gateway]:
        """Those that are there."""
        return [gateway for gateway in (self.texts, self.mail) if gateway is not None]

    async def close(self) -> None:
        """End the connections."""
        if self.texts is not None:
            await self.texts.gateway.close()
            if self.texts.push is not None:
                await self.texts.push.client.close()


def create_gateways(settings: Settings, database: Database) -> Gateways:
    """Make the gateways that the settings name; nothing is connected yet."""
    texts = None
    sender = settings.twilio_from_number or settings.twilio_messaging_service_sid
    if settings.twilio_account_sid and sender:
        gateway = TwilioClient(
            settings.twilio_account_sid,
            settings.twilio_auth_tokens[0].get_secret_value(),
            sender,
            api_url=settings.twilio_api_url,
            connections=MAX_CONCURRENT_TEXTS,
        )
        push = PushSender(database, settings, PushClient())
        texts = SmsGateway(gateway, settings.public_url, push)
    mail = (
        SmtpGateway(SmtpClient(settings.smtp_url), database, settings)
        if settings.smtp_url
        else None
    )
    return Gateways(texts, mail)

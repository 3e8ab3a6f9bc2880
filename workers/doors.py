"""The ways out: the carrier and the mail server, as far as settings name them."""

from dataclasses import dataclass

from portal.messaging.email import Mailer
from portal.messaging.sms import SmsGateway
from portal.models import Channel
from portal.settings import Settings

CONNECTIONS = 200
"""Texts under way at once; the library's own limit would be half of it."""


@dataclass
class Doors:
    """What can be sent by. A channel without a door waits in the outbox."""

    sms: SmsGateway | None
    mail: Mailer | None

    @property
    def channels(self) -> list[Channel]:
        """The channels that something can be sent by."""
        doors = {Channel.SMS: self.sms, Channel.EMAIL: self.mail}
        return [channel for channel, door in doors.items() if door is not None]

    async def close(self) -> None:
        """End the connections."""
        if self.sms is not None:
            await self.sms.close()


def open_doors(settings: Settings) -> Doors:
    """Build what the settings name; nothing is connected yet."""
    sms = None
    sender = settings.twilio_from_number or settings.twilio_messaging_service_sid
    if settings.twilio_account_sid and sender:
        sms = SmsGateway(
            settings.twilio_account_sid,
            settings.twilio_auth_tokens[0].get_secret_value(),
            sender,
            api_url=settings.twilio_api_url,
            connections=CONNECTIONS,
        )
    return Doors(sms, Mailer(settings.smtp_url) if settings.smtp_url else None)

"""A way out that ends in the test: what the worker's courier hands over stands on a phone."""

from dataclasses import dataclass, field

from portal.messaging.send_errors import Refused
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import Channel, MessageStatus
from portal.operations import Operations
from workers.delivery.claim import OutgoingMessage
from workers.delivery.deliver import ChannelSender
from workers.delivery.gateways import Gateway


@dataclass
class FakeSmsGateway:
    """The customers' phone, as the way that texts go: what it shows, in its order.

    ``refuses`` is the error code with which the carrier refuses everything, if it does.
    """

    sender = "+15005550006"
    channel = Channel.SMS
    max_concurrent = 100
    sent_bodies: list[str] = field(default_factory=list)
    reject_code: int | None = None

    async def send(self, message: OutgoingMessage, check_claim) -> Accepted:
        check_claim()
        if self.reject_code is not None:
            raise Refused(self.reject_code, twilio_codes.verdict(self.reject_code))
        self.sent_bodies.append(message.body)
        return Accepted(f"SMout{message.id}", MessageStatus.ACCEPTED, 0)


@dataclass
class FakeEmailGateway(FakeSmsGateway):
    """The same for mails."""

    channel = Channel.EMAIL


async def delivered_bodies(operations: Operations, phone: FakeSmsGateway) -> list[str]:
    """One pass of a worker over all that is due and may go; gives what the phone shows after it."""
    await deliver_due(operations, phone)
    return phone.sent_bodies


async def deliver_due(operations: Operations, door: Gateway) -> None:
    """One pass of a worker over all that is due and may go by this door."""
    courier = ChannelSender(operations, door)
    while await courier._deliver_batch():
        await courier.finish(within=5)

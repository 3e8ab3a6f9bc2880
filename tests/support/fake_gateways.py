"""A way out that ends in the test: what the worker's courier hands over stands on a phone."""

from dataclasses import dataclass, field

from portal.messaging.send_errors import Refused
from portal.messaging.sms import twilio_codes
from portal.messaging.sms.twilio_client import Accepted
from portal.models import Channel, MessageStatus
from portal.operations import Relay
from workers.delivery.claim import Claimed
from workers.delivery.deliver import Courier
from workers.delivery.gateways import Door


@dataclass
class Phone:
    """The customers' phone, as the way that texts go: what it shows, in its order.

    ``refuses`` is the error code with which the carrier refuses everything, if it does.
    """

    sender = "+15005550006"
    channel = Channel.SMS
    at_once = 100
    shows: list[str] = field(default_factory=list)
    refuses: int | None = None

    async def send(self, message: Claimed, still_ours) -> Accepted:
        still_ours()
        if self.refuses is not None:
            raise Refused(self.refuses, twilio_codes.verdict(self.refuses))
        self.shows.append(message.body)
        return Accepted(f"SMout{message.id}", MessageStatus.ACCEPTED, 0)


@dataclass
class Mailbox(Phone):
    """The same for mails."""

    channel = Channel.EMAIL


async def deliver(relay: Relay, phone: Phone) -> list[str]:
    """One pass of a worker over all that is due and may go; gives what the phone shows after it."""
    await hand_over(relay, phone)
    return phone.shows


async def hand_over(relay: Relay, door: Door) -> None:
    """One pass of a worker over all that is due and may go by this door."""
    courier = Courier(relay, door)
    while await courier._deliver_batch():
        await courier.finish(within=5)

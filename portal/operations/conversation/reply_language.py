"""In which language to answer whoever writes from an address."""

from collections.abc import Sequence

from portal.messaging.intents.classifier import Intent
from portal.models import Channel, Message, ServiceRequest
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.requests import find_last_request


async def reply_language(
    uow: UnitOfWork, inbound: Message, intent: Intent, requests: Sequence[ServiceRequest] = ()
) -> str:
    """The locale of the customer who has that number; of a stranger's, the one they write in.

    ``requests`` are those open at that number; without any it is their last one that counts.
    """
    if requests:
        return requests[-1].customer.locale
    last = await find_last_request(uow.session, Channel.SMS, inbound.from_address)
    return last.customer.locale if last else intent.language or "en"

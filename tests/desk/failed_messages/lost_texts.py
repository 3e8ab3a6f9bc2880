"""Failed messages that the tests of the desk share."""

from typing import Any

from sqlmodel import col, update

from portal.models import SYSTEM_ACTOR, Message, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails
from portal.operations.delivery.outcomes import record_receipt
from tests.support.desk_client import HTMX, DeskClient, hidden_fields
from tests.support.factories import Organisation

PHONE_ONLY = CustomerDetails("Martin Miller", "+14155550132", timezone="America/New_York")


async def fail(organisation: Organisation, message: Message, code: str = "30005") -> None:
    """The carrier says that this text did not arrive."""
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        sid = f"SM{message.id}"
        await record_receipt(uow, message.id or 0, sid, MessageStatus.UNDELIVERED, code)


async def put(organisation: Organisation, message: Message, **facts: Any) -> None:
    """Bring a message to where only days of waiting would bring it."""
    async with organisation.database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))


async def lost_text(
    organisation: Organisation, request: ServiceRequest, code: str = "30005"
) -> Message:
    """The first text about this request, which did not arrive."""
    (message,) = await organisation.outbound_messages(request)
    await fail(organisation, message, code)
    return message


async def press(
    desk: DeskClient, message: Message, verb: str, *, htmx: bool = False, at: str = "", **typed: str
) -> Any:
    """Fill in the verb's form as it stands on the page and send it; forge it where none does."""
    url = f"/desk/messages/{message.id}/{verb}"
    page = (await desk.get(at or "/desk/messages?show=all")).text
    carried = hidden_fields(page, url if f'action="{url}"' in page else "/desk/sign-out")
    return await desk.client.post(url, data=carried | typed, headers=HTMX if htmx else {})

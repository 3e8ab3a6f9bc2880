"""The demo customer, Martin: the texts on his phone, and a new request for him."""

from collections.abc import Sequence

import aiohttp
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.demo.sample_data.customers import MARTIN
from portal.demo.sample_data.scenarios import MARTIN_SCENARIO
from portal.desk.labels import iso
from portal.desk.request.conversation.view_models import ConversationEntry
from portal.desk.widgets import When
from portal.errors import Conflict, NotFound
from portal.messaging.code_masking import reveal_code
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import SYSTEM_ACTOR, Channel, Direction, Message, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails, Operations, RequestDetails, cancel, open_request
from portal.queries.consent import may_write
from portal.queries.requests import find_last_request, find_open_requests
from portal.settings import Settings

CUSTOMER_PHONE = MARTIN.phone or ""

VISIBLE_STATUSES = (
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.RECEIVED,
)


async def get_demo_request(session: AsyncSession) -> ServiceRequest:
    """Martin's newest request. Raises NotFound without the sample data."""
    found = await find_last_request(session, Channel.SMS, CUSTOMER_PHONE)
    if found is None:
        raise NotFound("There is no Martin here yet. Start again with `kept demo`.")
    return found


async def texts_on_phone(
    session: AsyncSession, request: ServiceRequest, settings: Settings, times: TimeFormatter
) -> list[ConversationEntry]:
    """The texts on Martin's phone since this request was opened, oldest first.

    A code has its digits, as on any phone; the desk beside it has stars.
    """
    return [
        ConversationEntry(
            mine=text.direction == Direction.OUT,
            who="",
            body=reveal_code(settings, text.kind, text.cause, text.body),
            at=When(iso(text.created_at), times.stamp(text.created_at)),
        )
        for text in await _texts(session, request)
    ]


async def send_demo_text(settings: Settings, body: str) -> None:
    """Send a text from Martin's phone by the fake carrier, which calls the product's webhook.

    Raises Conflict where the carrier does not answer.
    """
    url = f"{str(settings.twilio_api_url).rstrip('/')}/simulator/inbound"
    text = {"from": CUSTOMER_PHONE, "to": settings.twilio_from_number, "body": body}
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as carrier,
            carrier.post(url, json=text) as answer,
        ):
            answer.raise_for_status()
    except (aiohttp.ClientError, TimeoutError):
        raise Conflict("The simulated carrier does not answer, so the text went nowhere.") from None


async def restart_demo(operations: Operations) -> None:
    """Open a new request for Martin, and cancel the old ones: his replies mean the new one."""
    async with operations.database.reading() as session:
        stopped = not await may_write(session, Channel.SMS, CUSTOMER_PHONE, None)
        last = await find_last_request(session, Channel.SMS, CUSTOMER_PHONE)
        old = await find_open_requests(session, Channel.SMS, CUSTOMER_PHONE)
    if stopped and last is not None:
        await send_demo_text(operations.settings, "START")
    for request in old:
        async with operations.begin(SYSTEM_ACTOR) as uow:
            held = await uow.lock(request.reference)
            await cancel(uow, held, reason="The demonstration began anew.")
    customer = CustomerDetails(last.customer.name if last else MARTIN.name, CUSTOMER_PHONE)
    workflow, title = (last.workflow.key, last.title) if last else (MARTIN_SCENARIO.workflow, "")
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await open_request(uow, RequestDetails(workflow, customer, title))


async def _texts(session: AsyncSession, request: ServiceRequest) -> Sequence[Message]:
    of_nothing_else = sa.and_(
        col(Message.request_id).is_(None),
        sa.or_(
            col(Message.to_address) == CUSTOMER_PHONE, col(Message.from_address) == CUSTOMER_PHONE
        ),
        col(Message.created_at) >= request.opened_at,
    )
    query = (
        select(Message)
        .where(
            sa.or_(col(Message.request_id) == request.id, of_nothing_else),
            col(Message.channel) == Channel.SMS,
            col(Message.status).in_(VISIBLE_STATUSES),
        )
        .order_by(col(Message.id))
    )
    return (await session.exec(query)).all()

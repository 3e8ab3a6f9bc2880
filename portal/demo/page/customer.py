"""Martin, who waits for his card: his phone, and beginning his story anew."""

from collections.abc import Sequence

import aiohttp
import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.desk.labels import iso
from portal.desk.request.conversation_view import ConversationEntry
from portal.desk.widgets import When
from portal.errors import Conflict, NotFound
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import SYSTEM_ACTOR, Channel, Direction, Message, MessageStatus, ServiceRequest
from portal.operations import CustomerDetails, Operations, RequestDetails, cancel, open_request
from portal.queries.consent import may_write
from portal.queries.requests import find_last_request, find_open_requests
from portal.settings import Settings

CUSTOMER_PHONE = "+14155550132"
CUSTOMER_NAME = "Martin Reyes"
WORKFLOW = "card-application"

VISIBLE_STATUSES = (
    MessageStatus.ACCEPTED,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.RECEIVED,
)


async def get_demo_request(session: AsyncSession) -> ServiceRequest:
    """His newest request, whole. Raises NotFound where the sample data is not there."""
    found = await find_last_request(session, Channel.SMS, CUSTOMER_PHONE)
    if found is None:
        raise NotFound("There is no Martin here yet. Start again with `kept demo`.")
    return found


async def list_demo_texts(
    session: AsyncSession, request: ServiceRequest, words: TimeFormatter
) -> list[ConversationEntry]:
    """What his phone has shown since this request began, oldest first."""
    return [
        ConversationEntry(
            mine=one.direction == Direction.OUT,
            who="",
            body=one.body,
            at=When(iso(one.created_at), words.stamp(one.created_at)),
        )
        for one in await _texts(session, request)
    ]


async def send_demo_text(settings: Settings, body: str) -> None:
    """Martin writes from his phone: by the simulated carrier, so that it comes as all texts do.

    Raises Conflict where the carrier does not answer.
    """
    url = f"{str(settings.twilio_api_url).rstrip('/')}/simulator/inbound"
    told = {"from": CUSTOMER_PHONE, "to": settings.twilio_from_number, "body": body}
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as carrier,
            carrier.post(url, json=told) as answered,
        ):
            answered.raise_for_status()
    except (aiohttp.ClientError, TimeoutError):
        raise Conflict("The simulated carrier does not answer, so the text went nowhere.") from None


async def restart_demo(operations: Operations) -> None:
    """A new request for Martin. The old ones are cancelled, so that his replies mean this one."""
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
    customer = CustomerDetails(last.customer.name if last else CUSTOMER_NAME, CUSTOMER_PHONE)
    workflow, title = (last.workflow.key, last.title) if last else (WORKFLOW, "")
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

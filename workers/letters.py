"""Writing a message's mail: its words, its thread, its way to stop."""

from email.message import EmailMessage

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.messaging.email import Letter, compose
from portal.messaging.reply_address import reply_address
from portal.models import Channel, Customer, Direction, Message, ServiceRequest, TrackingLink
from portal.settings import Settings


async def write_letter(session: AsyncSession, settings: Settings, message: Message) -> EmailMessage:
    """The mail for this message: the same one however often it is written."""
    request = await session.get_one(ServiceRequest, message.request_id)
    customer = await session.get_one(Customer, request.customer_id)
    link = await _link(session, settings, request)
    letter = Letter(
        subject=f"{message.subject} ({request.reference})",
        headline=message.subject,
        paragraphs=(_words(message.body, link),),
        button="See your request",
        link=link,
        footer=f"You get this because you have a request with {settings.brand}.",
        stop_words="No more e-mail about it",
        reference=request.reference,
        language=customer.locale,
        right_to_left=customer.locale.startswith("ar"),
    )
    return compose(
        letter,
        brand=settings.brand,
        sender=settings.mail_from or "",
        to=message.to_address,
        to_name=customer.name,
        message_id=message.provider_sid or "",
        at=message.created_at,
        thread=await _thread(session, message),
        reply_to=reply_address(settings, request.id or 0),
        unsubscribe_url=f"{link}/unsubscribe",
    )


def _words(body: str, link: str) -> str:
    """The sentence without what a mail shows elsewhere: the link is its button."""
    return body.replace("STOP to end", "").replace(link, "").strip()


async def _link(session: AsyncSession, settings: Settings, request: ServiceRequest) -> str:
    query = (
        select(TrackingLink.token)
        .where(col(TrackingLink.request_id) == request.id, col(TrackingLink.revoked_at).is_(None))
        .order_by(col(TrackingLink.id).desc())
        .limit(1)
    )
    token = (await session.exec(query)).first()
    return f"{settings.public_url}/r/{token}" if token else settings.public_url


async def _thread(session: AsyncSession, message: Message) -> list[str]:
    """The request's first mail: what all later ones answer to."""
    query = (
        select(Message.provider_sid)
        .where(
            col(Message.request_id) == message.request_id,
            col(Message.channel) == Channel.EMAIL,
            col(Message.direction) == Direction.OUT,
            col(Message.provider_sid).is_not(None),
            col(Message.id) < message.id,
        )
        .order_by(col(Message.id))
        .limit(1)
    )
    first = (await session.exec(query)).first()
    return [first] if first else []

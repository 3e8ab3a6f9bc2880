"""Makes the mail of a message: its content, its thread, its unsubscribe link."""

import re
from dataclasses import replace
from email.message import EmailMessage

from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.database import Database
from portal.i18n.languages import ENGLISH, language_of
from portal.messaging.email.composition import EmailContent, EmailEnvelope, Thread, build_email
from portal.messaging.email.letter_content import (
    PROGRESS_KINDS,
    QUESTION_KINDS,
    letter_about_request,
    with_calendar,
)
from portal.messaging.email.letter_details import letter_details
from portal.messaging.email.signed_addresses import reply_address
from portal.messaging.send_errors import FailureRule, NotSent, Refused
from portal.messaging.wording.channel_neutral import channel_neutral_text
from portal.messaging.wording.renderer import MessageRenderer
from portal.models import (
    RESPONSE_KINDS,
    Channel,
    DeliveryReason,
    Direction,
    Event,
    FollowUp,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.queries.mail.parcels import load_parcel_links
from portal.queries.requests import REQUEST_OPTIONS
from portal.queries.roster import load_roster
from portal.settings import Settings

UNRENDERABLE = FailureRule(permanent=True, action="person", reason=DeliveryReason.NOT_WRITTEN)
NO_CODE = 0
MESSAGE_ID_PATTERN = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")


async def build_message_email(
    database: Database, settings: Settings, message_id: int
) -> EmailMessage:
    """The mail for this message, with the same id however often it is made.

    Raises ``NotSent`` where the database cannot be reached, and ``Refused`` where no mail can be
    made: another attempt would end the same, so a person sees it at once.
    """
    try:
        async with database.reading() as session:
            return await _write(session, settings, await session.get_one(Message, message_id))
    except (DBAPIError, OSError) as error:
        raise NotSent(f"The message could not be read: {type(error).__name__}") from error
    except Refused:
        raise
    except Exception as error:
        raise Refused(NO_CODE, UNRENDERABLE, type(error).__name__) from error


async def _write(session: AsyncSession, settings: Settings, message: Message) -> EmailMessage:
    if message.kind == MessageKind.NOTICE:
        return _compose(settings, message, _to_staff(settings, message))
    if message.request_id is None:
        return _compose(settings, message, _to_an_address(settings, message))
    request = await session.get_one(ServiceRequest, message.request_id, options=REQUEST_OPTIONS)
    customer = request.customer
    roster = await load_roster(session, request.definition)
    renderer = MessageRenderer(
        request, roster, settings.brand, settings.public_url, business_time.now()
    )
    link = renderer.link
    letter = letter_about_request(
        settings,
        message,
        request,
        customer,
        link,
        title=request.title_in(customer.locale),
        details=letter_details(renderer, message, await _question(session, message, request)),
    )
    if message.kind in PROGRESS_KINDS:
        parcel_links = await load_parcel_links(
            session, message.request_id, request.definition, settings.all_carriers, customer.locale
        )
        letter = replace(letter, parcel_links=tuple(parcel_links))
    if "/r/" in link and await _notes_a_time(session, message):
        letter = with_calendar(letter, link, language_of(customer.locale))
    return _compose(
        settings,
        message,
        letter,
        # A name that greets nobody may hold a link.
        to_name=customer.name if customer.given_name else "",
        thread=await _thread(session, message),
        reply_to=reply_address(settings, message.request_id),
        unsubscribe_url=f"{link}/unsubscribe" if "/r/" in link else "",
    )


async def _question(
    session: AsyncSession, message: Message, request: ServiceRequest
) -> FollowUp | None:
    """The question that the message puts; None for another message."""
    if message.kind not in QUESTION_KINDS or message.event_id is None:
        return None
    event = await session.get(Event, message.event_id)
    key = event.data.get("key") if event is not None else None
    return next((each for each in reversed(request.follow_ups) if each.key == key), None)


def _to_staff(settings: Settings, message: Message) -> EmailContent:
    return EmailContent(
        subject=message.subject,
        headline=message.subject,
        paragraphs=tuple(message.body.split("\n\n")),
        button_label="Open the desk",
        link=f"{settings.public_url}/desk/balls",
        footer=f"You get this because you work at the desk of {settings.brand}.",
    )


def _to_an_address(settings: Settings, message: Message) -> EmailContent:
    """An answer to whoever wrote: of them we know nothing but the address."""
    return EmailContent(
        subject=message.subject or f"Your message to {settings.brand}",
        headline=message.subject or "Thank you for writing",
        paragraphs=(channel_neutral_text(message.body, settings.brand, ENGLISH),),
        button_label=f"Go to {settings.brand}",
        link=settings.public_url,
        footer=f"You get this because you wrote to {settings.brand}.",
    )


async def _notes_a_time(session: AsyncSession, message: Message) -> bool:
    """Whether this answers the customer while a time that they named is still to come."""
    if message.kind != MessageKind.ANSWER:
        return False
    query = select(FollowUp.id).where(
        col(FollowUp.request_id) == message.request_id,
        col(FollowUp.closed_at) <= message.created_at,
        col(FollowUp.answer_at) > message.created_at,
    )
    return (await session.exec(query.limit(1))).first() is not None


async def _thread(session: AsyncSession, message: Message) -> Thread:
    """The ids of the request's first mail and of the mail that this one answers."""
    mails = (
        select(Message.provider_sid)
        .where(
            col(Message.request_id) == message.request_id,
            col(Message.channel) == Channel.EMAIL,
            col(Message.provider_sid).is_not(None),
            col(Message.kind) != MessageKind.AUTOMATIC,
            col(Message.id) < message.id,
        )
        .limit(1)
    )
    first = mails.where(col(Message.direction) == Direction.OUT).order_by(col(Message.id))
    last = mails.where(col(Message.direction) == Direction.IN).order_by(col(Message.id).desc())
    ids = [*(await session.exec(first)).all()]
    is_answer = message.kind in RESPONSE_KINDS
    if is_answer:
        ids += (await session.exec(last)).all()
    return Thread(
        # The customer's mail program may have made an id that no header can hold, or none.
        # One that repeats has a suffix of ours.
        ids=[found[0] for item in ids if item and (found := MESSAGE_ID_PATTERN.match(item))],
        answers=is_answer and message.kind != MessageKind.STAFF,
    )


def _compose(
    settings: Settings,
    message: Message,
    letter: EmailContent,
    *,
    to_name: str = "",
    thread: Thread = Thread(answers=True),  # noqa: B008 (frozen)
    reply_to: str = "",
    unsubscribe_url: str = "",
) -> EmailMessage:
    envelope = EmailEnvelope(
        brand=settings.brand,
        theme=settings.theme,
        public_url=settings.public_url,
        sender=settings.mail_from or "",
        to=message.to_address,
        to_name=to_name,
        message_id=message.provider_sid or "",
        at=message.created_at,
        thread=thread,
        reply_to=reply_to,
        unsubscribe_url=unsubscribe_url,
    )
    return build_email(letter, envelope)

"""What is known of a request's e-mails when a reply comes in."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.business_time import OpeningHours
from portal.i18n.languages import language_of
from portal.messaging.email.correspondence import MAX_EARLIER, MAX_SENT, Correspondence
from portal.messaging.email.letter_content import (
    QUESTION_KINDS,
    letter_about_request,
    letter_texts,
    with_calendar,
)
from portal.messaging.email.letter_details import (
    NO_DETAILS,
    LetterDetails,
    answer_choices,
    possible_details,
)
from portal.messaging.email.signed_addresses import mail_domain, reply_address
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    Channel,
    ContactPoint,
    Customer,
    Department,
    Direction,
    FollowUp,
    Message,
    MessageKind,
    ServiceRequest,
    StaffMember,
    StageRun,
    TrackingLink,
    Workflow,
)
from portal.models.people.given_name import staff_first_name
from portal.queries.mail.parcels import load_parcel_links
from portal.settings import Settings
from portal.workflows import WorkflowDefinition

UNQUOTED_KINDS = (MessageKind.NOTICE, MessageKind.CODE)
"""Mail to staff, and codes: no reply quotes them."""
MAX_LINKS = 5


async def load_correspondence(
    session: AsyncSession,
    settings: Settings,
    request_ids: Iterable[int],
    *,
    sender: str,
    sender_name: str = "",
    named_ids: Sequence[str] = (),
) -> Correspondence:
    """What a mail to these requests may quote.

    ``sender`` and ``sender_name`` are its From, ``named_ids`` the Message-IDs of the mails that it answers.
    """
    sent: list[str] = []
    ours = {settings.brand, f"@{mail_domain(settings)}"}
    theirs = {sender, sender_name}
    addresses: list[str] = []
    earlier: list[str] = []
    language = ""
    for request_id in request_ids:
        request = await session.get(ServiceRequest, request_id)
        if request is None:
            continue
        customer = await session.get_one(Customer, request.customer_id)
        workflow = await session.get_one(Workflow, request.workflow_id)
        title = workflow.definition.title_in(request.title, customer.locale)
        language = language or customer.locale
        ours |= {request.reference, title, reply_address(settings, request_id)}
        addresses += [address.lower() for address in await _addresses(session, customer)]
        theirs |= {customer.name, *addresses}
        choices = await _choices(session, request_id, workflow.definition, customer.locale)
        for message in await _sent(session, request_id, named_ids):
            for details in choices if message.kind in QUESTION_KINDS else (NO_DETAILS,):
                sent += _texts(settings, message, request, customer, title, details)
        sent.append(await _details(session, request, customer, workflow.definition))
        sent += await _links(session, settings, request_id)
        parcel_links = await load_parcel_links(
            session, request_id, workflow.definition, settings.all_carriers, customer.locale,
            open_only=False,
        )  # fmt: skip
        sent += [f"{label}: {url}" for label, url in parcel_links]
        earlier += await _earlier(session, request_id, sender)
    return Correspondence(
        sent=list(dict.fromkeys(sent)), our_marks=sorted(ours), their_marks=sorted(theirs),
        earlier=earlier, customer_addresses=addresses, language=language,
    )  # fmt: skip


async def find_answered_request(session: AsyncSession, message_ids: Sequence[str]) -> int | None:
    """The request of the newest mail of ours that has one of these Message-IDs."""
    query = (
        select(Message.request_id)
        .where(
            col(Message.provider_sid).in_(message_ids),
            col(Message.direction) == Direction.OUT,
            col(Message.channel) == Channel.EMAIL,
            col(Message.request_id).is_not(None),
        )
        .order_by(col(Message.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).first()


async def _sent(
    session: AsyncSession, request_id: int, named_ids: Sequence[str]
) -> Sequence[Message]:
    """The newest messages of ours about the request, and those that the mail names."""
    ours = select(Message).where(
        col(Message.request_id) == request_id,
        col(Message.direction) == Direction.OUT,
        col(Message.kind).not_in(UNQUOTED_KINDS),
    )
    newest = (await session.exec(ours.order_by(col(Message.id).desc()).limit(MAX_SENT))).all()
    named = ours.where(col(Message.provider_sid).in_(named_ids)).limit(MAX_SENT)
    return [*newest, *(await session.exec(named)).all()] if named_ids else newest


async def _details(
    session: AsyncSession,
    request: ServiceRequest,
    customer: Customer,
    definition: WorkflowDefinition,
) -> str:
    """What mails about the request may have said beside their messages."""
    had_it = select(StageRun.assignee_id).where(col(StageRun.request_id) == request.id)
    is_one = col(StaffMember.id).in_(had_it) | (col(StaffMember.id) == request.owner_id)
    people = (await session.exec(select(StaffMember.name).where(is_one))).all()
    keys = {stage.department for stage in definition.stages}
    known = select(Department.key, Department.name, Department.hours).where(
        col(Department.key).in_(keys)
    )
    rows = (await session.exec(known)).all()
    names = {key: definition.department_name(key, name, customer.locale) for key, name, _ in rows}
    zone = customer.readable_timezone
    times = TimeFormatter(customer.locale, zone, business_time.now(), is_lasting=True)
    first_names = {staff_first_name(name) for name in people} - {""}
    collections = [
        (
            stage.place.in_language(customer.locale) if stage.place else names[key],
            times.opening_hours(OpeningHours.parse(hours)) if hours else "",
        )
        for stage in definition.stages
        for key, _, hours in rows
        if stage.key == definition.collect_at and stage.department == key
    ]
    return possible_details(definition, times, sorted(first_names), names.values(), collections)


async def _earlier(session: AsyncSession, request_id: int, sender: str) -> Sequence[str]:
    query = (
        select(Message.body)
        .where(
            col(Message.request_id) == request_id,
            col(Message.direction) == Direction.IN,
            col(Message.channel) == Channel.EMAIL,
            sa.func.lower(col(Message.from_address)) == sender,
        )
        .order_by(col(Message.id).desc())
        .limit(MAX_EARLIER)
    )
    return (await session.exec(query)).all()


async def _addresses(session: AsyncSession, customer: Customer) -> Sequence[str]:
    query = select(ContactPoint.address).where(
        col(ContactPoint.customer_id) == customer.id, col(ContactPoint.channel) == Channel.EMAIL
    )
    return (await session.exec(query)).all()


async def _links(session: AsyncSession, settings: Settings, request_id: int) -> Sequence[str]:
    """The addresses of the request's page: mail servers break them into lines."""
    query = (
        select(TrackingLink.token)
        .where(col(TrackingLink.request_id) == request_id)
        .order_by(col(TrackingLink.id).desc())
        .limit(MAX_LINKS)
    )
    tokens = (await session.exec(query)).all()
    paths = (
        "#answer-yes",
        "#answer-wrong",
        "#answer-no",
        "#answer-at",
        "/unsubscribe",
        "/appointment.ics",
    )
    return [f"{settings.public_url}/r/{token}{path}" for token in tokens for path in paths]


async def _choices(
    session: AsyncSession, request_id: int, definition: WorkflowDefinition, locale: str
) -> Sequence[LetterDetails]:
    """The answers that a mail with a question may have had."""
    query = select(FollowUp).where(col(FollowUp.request_id) == request_id)
    follow_ups = (await session.exec(query)).all()
    choices = {answer_choices(definition, asked, follow_ups, locale) for asked in follow_ups}
    return [NO_DETAILS, *(LetterDetails(answers=answers) for answers in sorted(choices))]


def _texts(
    settings: Settings,
    message: Message,
    request: ServiceRequest,
    customer: Customer,
    title: str,
    details: LetterDetails,
) -> list[str]:
    """The texts of one message: of a text its body, of a mail those of its two parts."""
    link = settings.public_url
    letter = letter_about_request(
        settings, message, request, customer, link, title=title, details=details
    )
    texts = [message.body, *letter_texts(letter, settings.brand)]
    if message.kind == MessageKind.ANSWER:
        noted = with_calendar(letter, link, language_of(customer.locale))
        texts += letter_texts(noted, settings.brand)
    return texts

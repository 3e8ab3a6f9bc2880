"""What is known of whoever writes: every query of an inbound message, in one place."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portal.messaging.intents.question import Question
from portal.messaging.sms.sender_address import takes_texts
from portal.models import REFERENCE_PATTERN, AnswerType, Channel, Message, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.conversation.auto_reply_limits import (
    LOOKBACK,
    MAX_TEXTS,
    UNKNOWN_SENDER_REPLY_INTERVAL,
    AutoReplyLimits,
    limit_text_replies,
    load_email_limits,
)
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.privacy.digests import restore_stop
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import ConsentQuery, find_permitted
from portal.queries.conversations import (
    find_unmatched_texts,
    get_clarification,
    recent_exchange,
    was_written_to_since,
)
from portal.queries.requests import find_last_request, find_open_requests

CLARIFICATION_VALID_FOR = timedelta(days=1)
"""How long a text waits for the answer to "which?"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundFacts:
    """What is known of whoever writes, read once; matching and decision see nothing else.

    ``open_requests`` are those of a number, oldest first, not locked; ``last_request`` is its
    newest one, only where none is open. ``waiting`` are texts that wait for the answer to
    "which?", ``offered`` the references of the last such list, in its order. ``is_opted_out``:
    the address as a whole is stopped; ``muted``: the requests about which it gets nothing.
    ``consent_address``: the address that a mailed stop is about. ``was_greeted``: a number
    without a request has had something from us within the hour. ``answers_keywords``: Twilio
    answers keywords itself. ``takes_texts``: the sender is a phone, not letters or a hidden number.
    """

    now: datetime
    open_requests: Sequence[ServiceRequest] = ()
    last_request: ServiceRequest | None = None
    waiting: Sequence[Message] = ()
    offered: Sequence[str] = ()
    limits: AutoReplyLimits = field(default_factory=AutoReplyLimits)
    is_opted_out: bool = False
    muted: frozenset[int] = frozenset()
    consent_address: str | None = None
    is_known_sender: bool = True
    was_greeted: bool = False
    answers_keywords: bool = False
    takes_texts: bool = True

    @property
    def newest(self) -> ServiceRequest | None:
        """The request whose owner a message goes to where it names none."""
        return self.open_requests[-1] if self.open_requests else self.last_request

    @property
    def locale(self) -> str | None:
        """The customer's; None for an unknown sender."""
        return self.newest.customer.locale if self.newest else None


def question_of(request: ServiceRequest | None) -> Question:
    """The kind of the question that is open on the request."""
    question = request.open_question if request else None
    if question is None:
        kind = Question.NONE
    elif question.expects == AnswerType.TIME:
        kind = Question.TIME
    else:
        kind = Question.DECISION if question.during_stage else Question.ARRIVAL
    return kind


async def load_facts(
    uow: UnitOfWork, inbound: InboundMessage, request: ServiceRequest | None
) -> InboundFacts:
    """Read what is known. ``request`` is the one that a reply address or a link gives, locked.

    A stop that has outlived its person's erasure is put back into the ledger first, since it is
    known by a digest of the number alone.
    """
    return await LOADERS[inbound.channel](uow, inbound, request)


async def _load_text_facts(
    uow: UnitOfWork, inbound: InboundMessage, _: ServiceRequest | None
) -> InboundFacts:
    session, sender = uow.session, inbound.sender
    exchange = await recent_exchange(
        session, sender, uow.now - LOOKBACK, most_received=MAX_TEXTS + 1
    )
    if not takes_texts(sender, [uow.settings.twilio_from_number]):
        limits = limit_text_replies(exchange, uow.now)
        return InboundFacts(now=uow.now, limits=limits, takes_texts=False)
    requests = await find_open_requests(session, Channel.SMS, sender)
    last = None if requests else await find_last_request(session, Channel.SMS, sender)
    waiting: Sequence[Message] = ()
    offered: list[str] = []
    if len(requests) > 1:
        waiting = await find_unmatched_texts(session, sender, uow.now - CLARIFICATION_VALID_FOR)
    if waiting:
        clarification = await get_clarification(session, waiting[-1])
        offered = REFERENCE_PATTERN.findall(clarification.body)
    was_greeted = not requests and last is None and await was_written_to_since(
        session, sender, since=uow.now - UNKNOWN_SENDER_REPLY_INTERVAL
    )  # fmt: skip
    if not requests and last is None:
        await restore_stop(uow, Channel.SMS, sender)
    to_number = ConsentQuery(Channel.SMS, sender, None)
    about = {request.id: to_number._replace(request_id=request.id) for request in requests}
    permitted = await find_permitted(session, [to_number, *about.values()])
    return InboundFacts(
        now=uow.now, open_requests=requests, last_request=last, waiting=waiting, offered=offered,
        limits=limit_text_replies(exchange, uow.now), is_opted_out=to_number not in permitted,
        muted=frozenset(id_ or 0 for id_, query in about.items() if query not in permitted),
        was_greeted=was_greeted, answers_keywords=uow.settings.twilio_answers_keywords,
    )  # fmt: skip


async def _load_email_facts(
    uow: UnitOfWork, inbound: InboundMessage, request: ServiceRequest | None
) -> InboundFacts:
    """From proves nothing, so it is only compared with the customer's addresses."""
    if request is None:
        raise ValueError("A mail without a request has no reply address.")
    customer = request.customer
    is_known = is_known_sender(request, inbound.sender) and not inbound.is_unproven
    address = inbound.sender if is_known else customer.address(Channel.EMAIL, uow.now)
    muted = frozenset[int]()
    if address is not None:
        query = ConsentQuery(Channel.EMAIL, address, request.id)
        if query not in await find_permitted(uow.session, [query]):
            muted = frozenset([saved_id(request)])
    return InboundFacts(
        now=uow.now, last_request=request, is_known_sender=is_known, consent_address=address,
        muted=muted, limits=await load_email_limits(uow, request),
    )  # fmt: skip


async def _load_page_facts(
    uow: UnitOfWork, _: InboundMessage, request: ServiceRequest | None
) -> InboundFacts:
    return InboundFacts(now=uow.now, last_request=request)


LOADERS = {
    Channel.SMS: _load_text_facts,
    Channel.EMAIL: _load_email_facts,
    Channel.WEB: _load_page_facts,
}


def is_known_sender(request: ServiceRequest, sender: str) -> bool:
    """Whether a mail's From is one of the customer's addresses."""
    return any(
        point.channel == Channel.EMAIL and point.address == sender
        for point in request.customer.contact_points
    )

"""What is known of whoever writes: every query of an inbound message, in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.messaging.sms.sender_address import takes_texts
from portal.models import (
    REFERENCE_PATTERN,
    Channel,
    Event,
    EventKind,
    Message,
    PromiseKind,
    ServiceRequest,
    Transport,
)
from portal.models.columns import saved_id
from portal.operations.conversation.auto_reply_limits import (
    LOOKBACK,
    MAX_TEXTS,
    UNKNOWN_SENDER_REPLY_INTERVAL,
    AutoReplyLimits,
    find_repeated,
    limit_text_replies,
    load_email_limits,
)
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.reading.answers import is_repriced
from portal.operations.conversation.reading.asked import find_asked_calls
from portal.operations.privacy.digests import restore_stop
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import ConsentQuery, find_permitted
from portal.queries.conversations import (
    EXCHANGES,
    find_asked_back,
    find_clarification,
    find_last_sent,
    find_waiting_texts,
    has_written_since,
    recent_exchange,
    recent_exchanges,
    was_written_to_since,
)
from portal.queries.requests import find_by_references, find_last_request, find_recent_requests
from portal.queries.roster import load_visit_zones
from portal.rules.late_answers import is_waiting_to_decide


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundFacts:
    """What is known of whoever writes, read once; matching and decision see nothing else.

    ``open_requests`` are those of a number, oldest first, not locked; ``last_request`` is its
    newest one, only where none is open. ``spoken_of``: the request of the last exchange within a
    day, open or closed, unless we have written about another one since; ``exchanged``: the open one
    of the last exchange, whatever came since. ``waiting`` are texts that wait for the answer to
    "which?", ``offered`` the requests of the last such list in its order, some may be closed since.
    ``repeated``: the message that this one repeats. ``asked_back``: the questions, by id, that a
    reply was asked back about. ``undecided``: the requests about whose open decision the customer
    has asked us something. ``repriced``: the requests whose open question names an amount, while a
    colleague has written of another one since. ``asked_calls``: the requests about which our last question was when to
    call. ``asks_again``: they have just asked the same about the status of one of several requests.
    ``is_opted_out``: the address as a whole is stopped; ``muted``: the requests about which it gets nothing.
    ``consent_address``: the address that a mailed stop is about. ``was_greeted``: a number
    without a request has had something from us within the hour. ``answers_keywords``: Twilio
    answers keywords itself. ``had_card_number``: one was masked in it. ``takes_texts``: the sender is a phone, not letters or a hidden number.
    ``zones``: the time zones of the departments that come for a visit, by department id.
    """

    now: datetime
    open_requests: Sequence[ServiceRequest] = ()
    last_request: ServiceRequest | None = None
    spoken_of: ServiceRequest | None = None
    exchanged: ServiceRequest | None = None
    waiting: Sequence[Message] = ()
    offered: Sequence[ServiceRequest] = ()
    repeated: Message | None = None
    asked_back: frozenset[int] = frozenset()
    undecided: frozenset[int] = frozenset()
    repriced: frozenset[int] = frozenset()
    asked_calls: frozenset[int] = frozenset()
    asks_again: bool = False
    limits: AutoReplyLimits = field(default_factory=AutoReplyLimits)
    is_opted_out: bool = False
    muted: frozenset[int] = frozenset()
    consent_address: str | None = None
    is_known_sender: bool = True
    was_greeted: bool = False
    answers_keywords: bool = False
    takes_texts: bool = True
    had_card_number: bool = False
    zones: Mapping[int, str] = field(default_factory=dict)

    @property
    def newest(self) -> ServiceRequest | None:
        """The request whose owner a message goes to where it names none."""
        return self.open_requests[-1] if self.open_requests else self.last_request

    @property
    def asking(self) -> ServiceRequest | None:
        """The request whose question a message may answer: that asked last; else the newest."""
        return max(
            (request for request in self.open_requests if request.open_question),
            key=_asked_at, default=self.newest,
        )  # fmt: skip

    @property
    def owning(self) -> ServiceRequest | None:
        """The request whose owner a message goes to while the customer is asked which."""
        return self.exchanged or self.newest

    @property
    def has_own_quiet_hours(self) -> bool:
        """Whether whoever writes has quiet hours of their own, which they may end."""
        known = [*self.open_requests, *([self.last_request] if self.last_request else [])]
        return any(request.customer.quiet_hours for request in known)

    @property
    def recently_waiting(self) -> Sequence[Message]:
        """The waiting texts of the last day: an older one only a plain choice is about."""
        return [text for text in self.waiting if text.created_at > self.now - LOOKBACK]

    @property
    def locale(self) -> str | None:
        """The customer's; None for an unknown sender."""
        return self.newest.customer.locale if self.newest else None


async def load_facts(
    uow: UnitOfWork, inbound: InboundMessage, message: Message, request: ServiceRequest | None
) -> InboundFacts:
    """Read what is known. ``request`` is the one that a reply address or a link gives, locked.

    A stop that has outlived its person's erasure is put back into the ledger first, since it is
    known by a digest of the number alone.
    """
    facts = await LOADERS[inbound.channel](uow, inbound, request)
    others = [known for known in (facts.last_request, facts.spoken_of) if known is not None]
    about = {saved_id(known): known for known in [*facts.open_requests, *facts.offered, *others]}
    questions = {id_: asked for id_, known in about.items() if (asked := known.open_question)}
    asked_back = frozenset[int]()
    if questions:
        ids = [saved_id(asked) for asked in questions.values()]
        asked_back = await find_asked_back(uow.session, ids)
    undecided = [
        id_
        for id_, asked in questions.items()
        if is_waiting_to_decide(about[id_], asked)
        and await has_written_since(uow.session, id_, asked.asked_at or uow.now)
    ]
    priced = {id_: asked for id_, asked in questions.items() if asked.fields.get("amount")}
    sent_since = {
        id_: await find_last_sent(uow.session, [id_], asked.asked_at or uow.now)
        for id_, asked in priced.items()
    }
    repriced = frozenset(id_ for id_ in priced if is_repriced(priced[id_], sent_since[id_]))
    repeated = None
    if about and facts.is_known_sender:
        repeated = await find_repeated(uow, inbound, message, about)
    asked_calls = frozenset[int]()
    if any(_has_told_call(known) for known in about.values()):
        sent = facts.limits.recent_messages
        if inbound.channel != Channel.SMS:
            sent = await find_last_sent(uow.session, about, uow.now - LOOKBACK)
        asked_calls = find_asked_calls(sent)
    return replace(
        facts, asked_back=asked_back, undecided=frozenset(undecided),
        repriced=repriced, repeated=repeated,
        asked_calls=asked_calls, zones=await load_visit_zones(uow.session, about.values()),
    )  # fmt: skip


def _has_told_call(request: ServiceRequest) -> bool:
    return any(
        promise.is_open and promise.is_told and promise.kind == PromiseKind.CALL
        for promise in request.promises
    )


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
    recent = await find_recent_requests(session, Channel.SMS, sender, uow.now - LOOKBACK)
    requests = [request for request in recent if not request.is_closed]
    last = None if requests else await find_last_request(session, Channel.SMS, sender)
    waiting = await find_waiting_texts(session, sender) if recent or last else ()
    offered: list[ServiceRequest] = []
    if waiting:
        clarification = await find_clarification(session, waiting[-1])
        listed = f"{clarification.subject} {clarification.body}" if clarification else ""
        references = list(dict.fromkeys(REFERENCE_PATTERN.findall(listed)))
        offered = await find_by_references(session, references)
    spoken_of, exchanged = None, None
    if len(recent) > 1:
        spoken_of, exchanged = await _find_spoken_of(uow, recent, waiting)
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
        spoken_of=spoken_of, exchanged=exchanged,
        limits=limit_text_replies(exchange, uow.now), is_opted_out=to_number not in permitted,
        muted=frozenset(id_ or 0 for id_, query in about.items() if query not in permitted),
        was_greeted=was_greeted,
        # Twilio's keywords cover SMS, MMS and RCS; a STOP on WhatsApp reaches nobody but us.
        answers_keywords=uow.settings.twilio_answers_keywords
        and inbound.transport != Transport.WHATSAPP,
    )  # fmt: skip


async def _find_spoken_of(
    uow: UnitOfWork, recent: Sequence[ServiceRequest], waiting: Sequence[Message]
) -> tuple[ServiceRequest | None, ServiceRequest | None]:
    """``spoken_of`` and ``exchanged`` of these requests.

    A text that waits for the answer to "which?" says nothing about which is meant.
    """
    requests = {saved_id(request): request for request in recent}
    unclear = {text.event_id for text in waiting}
    events = [
        event
        for event in await recent_exchanges(uow.session, requests, uow.now - LOOKBACK)
        if event.id not in unclear and _is_noticed(event)
    ]
    exchanges = [requests[event.request_id] for event in events if event.kind in EXCHANGES]
    newest = requests[events[0].request_id] if events else None
    is_open = [request for request in exchanges if not request.is_closed]
    return newest if newest in exchanges else None, next(iter(is_open), None)


def _is_noticed(event: Event) -> bool:
    """Whether the customer knows of the event."""
    return event.kind != EventKind.STAGE_REACHED or bool(event.data.get("told"))


def _asked_at(request: ServiceRequest) -> tuple[datetime, int]:
    """When its open question was put last; of two at one moment the later one."""
    question = request.open_question
    if question is None or question.asked_at is None:
        raise ValueError(f"{request.reference} has no open question.")
    return question.reminded_at or question.asked_at, saved_id(question)


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

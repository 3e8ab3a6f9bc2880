"""Replies to an inbound message: by its channel, to the number itself, or on the page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portal.business_time import TimeWindow
from portal.i18n.languages import language_of
from portal.messaging.intents.classifier import Intent
from portal.messaging.intents.named_times import NamedTime, WindowKind
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.segments import count_segments
from portal.messaging.wording.calls import call_window_text, render_call_refusal
from portal.messaging.wording.promises import promised_by
from portal.messaging.wording.renderer import MessageRenderer, fill_template, product_text
from portal.models import (
    CALL_TIME_SUFFIX,
    REFERENCE_PATTERN,
    Channel,
    Message,
    MessageKind,
    MessageStatus,
    Promise,
    PromiseKind,
    RequestStatus,
    ServiceRequest,
    TrackingLink,
)
from portal.operations.conversation.auto_reply_limits import LAST_REPLY_SUFFIX
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.outcomes import AskWhich, OweReply
from portal.operations.follow_ups import REPLY_CHANNELS
from portal.operations.outbox import Draft
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.calls import CallRefusal, fit_call

MAX_CHOICES = 3
MAX_TITLE_LENGTH = 24
"""Letters of a title in a text that lists several or says more."""
SHORTER_TITLES = (MAX_TITLE_LENGTH, 20, 16, 12, 8)
"""Letters of a title in a list, until it fits one segment."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The one automatic reply to a message.

    ``is_last``: it says that no more follow for a while. ``cause``: another than the message.
    ``asks``: the end of its cause, where it asks for something that the next message may answer.
    ``keeps_link``: it is about the link, which stays whatever is added.
    """

    kind: MessageKind
    text: str
    is_last: bool = False
    cause: str = ""
    asks: str = ""
    keeps_link: bool = False


@dataclass(frozen=True, slots=True)
class MatchedMessage:
    """A message with the request that it belongs to, None where to none.

    ``cause`` is the cause of the reply, where it is another than the message. ``has_files``: its
    files may be an item that is needed, that of the key ``need``.
    """

    message: Message
    request: ServiceRequest | None
    intent: Intent
    facts: InboundFacts
    cause: str = ""
    has_files: bool = False
    need: str = ""


def render_owed(
    renderer: MessageRenderer,
    promise: Promise,
    owed: OweReply,
    *,
    stood: bool,
    is_complaint: bool = False,
) -> Reply:
    """The reply that says who answers or calls, and by when.

    ``stood``: the customer knew of the promise already. ``is_complaint``: it says sorry.
    """
    request = renderer.request
    kind = MessageKind.ACKNOWLEDGEMENT
    if owed.named is not None and not request.is_closed:
        return _render_call(renderer, promise, owed.named)
    if owed.template:
        template = owed.template
    elif request.is_closed:
        is_cancelled = request.status == RequestStatus.CANCELLED
        kind = MessageKind.REOPEN_OFFER
        template = "reopen_offer_cancelled" if is_cancelled else "reopen_offer"
    elif owed.kind != PromiseKind.CALL:
        first = "acknowledgement_complaint" if is_complaint else "acknowledgement"
        template = "acknowledgement_again" if stood else first
    else:
        template = "call_by"
    text = renderer.say(template, wish=owed.wish, **promised_by(renderer, promise))
    asks = CALL_TIME_SUFFIX if owed.template == "call_vague" else ""
    return Reply(kind, text, is_last=owed.template == "last_reply", asks=asks)


def _render_call(renderer: MessageRenderer, promise: Promise, named: NamedTime) -> Reply:
    """When the customer is called, as they named it; or why not then, and when instead."""
    department = renderer.department_name(promise.department_id)
    calendar = renderer.roster.department_by_id(promise.department_id).calendar
    fit = fit_call(calendar, named.window, named.kind, renderer.now, has_day=named.has_day)
    kind = MessageKind.ACKNOWLEDGEMENT
    if isinstance(fit, CallRefusal):
        return Reply(kind, render_call_refusal(renderer, fit, department), asks=CALL_TIME_SUFFIX)
    if fit.window == WindowKind.MOMENT:
        due = renderer.times.on(fit.due_at)
        return Reply(kind, renderer.say("call_at", due=due, department=department))
    window = TimeWindow(fit.not_before_at, fit.due_at)
    said = call_window_text(renderer.times, fit.window, window)
    return Reply(kind, renderer.say("call_window", window=said, department=department))


def render_owed_beside(
    renderer: MessageRenderer, reply: Reply, promise: Promise, *, is_urgent: bool
) -> Reply:
    """The reply, and that a person answers the rest of the message by the promise's time."""
    rest = renderer.say(
        "rest_urgent" if is_urgent else "rest_answered", **promised_by(renderer, promise)
    )
    return replace(reply, text=f"{_without_link(renderer, reply)} {rest}")


def render_card_warning(renderer: MessageRenderer, reply: Reply | None) -> Reply:
    """The reply, and that card numbers are never to be sent; that alone where there is none."""
    warning = renderer.say("no_card_numbers")
    if reply is None:
        return Reply(MessageKind.ANSWER, f"{renderer.brand}: {warning}")
    return replace(reply, text=f"{_without_link(renderer, reply)} {warning}")


def _without_link(renderer: MessageRenderer, reply: Reply) -> str:
    """What it says, to which more is added: the link gives way, as the text would cost more with it."""
    text = reply.text if reply.keeps_link else reply.text.replace(renderer.link, "")
    return " ".join(text.split())


async def render_link(uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage) -> Reply:
    """The link to the request; a new one where the last was revoked."""
    if request.live_link is None:
        request.links.append(TrackingLink(created_at=uow.now))
    await uow.finish(request)
    has_others = len(matched.facts.open_requests) > 1
    renderer = await uow.renderer(request)
    text = renderer.say("lost_link_several" if has_others else "lost_link")
    return Reply(MessageKind.ANSWER, text, keeps_link=True)


async def ask_which(uow: UnitOfWork, matched: MatchedMessage, asked: AskWhich) -> None:
    """A text to the number that lists its open requests and asks which is meant.

    The newest are listed. Their references are the row's subject, by which the answer is read; a
    text has no subject.
    """
    requests = matched.facts.open_requests[-MAX_CHOICES:]
    template = "which_request_again" if asked.is_again else "which_request"
    if asked.is_urgent:
        template = "which_request_urgent"
    renderer = await uow.renderer(requests[0])
    has_more = len(matched.facts.open_requests) > len(requests)
    text = ""
    for title_length in SHORTER_TITLES:
        listed = _list_choices(renderer, requests, title_length)
        text = renderer.say(template, choices=listed)
        if has_more:
            text = f"{text}. {renderer.say('which_more', link=renderer.public_url)}"
        if count_segments(to_gsm7(text)).segments == 1:
            break
    question = await uow.outbox.queue_reply_to_address(
        MessageKind.WHICH_REQUEST,
        f"message:{matched.message.id}",
        text,
        channel=Channel.SMS,
        address=matched.message.from_address,
        locale=requests[0].customer.locale,
    )
    question.subject = " ".join(request.reference for request in requests)


def _list_choices(
    renderer: MessageRenderer, requests: Sequence[ServiceRequest], title_length: int
) -> str:
    """The requests by number and title; with the date, and else the reference, where that is alike."""
    locale = renderer.request.customer.locale
    titles = [short_title(request, locale)[:title_length].strip() for request in requests]
    dates = [renderer.times.date_of(request.opened_at) for request in requests]
    choices = []
    for number, (request, title, date) in enumerate(zip(requests, titles, dates, strict=True), 1):
        is_alike = titles.count(title) > 1
        is_same_day = list(zip(titles, dates, strict=True)).count((title, date)) > 1
        mark = (request.reference if is_same_day else date) if is_alike else ""
        choices.append(f"{number} {title} {mark}".strip())
    # From right to left a number would seem to belong to the title before it: a line for each.
    is_mirrored = language_of(locale).direction == "rtl"
    return "".join(f"\n{choice}" for choice in choices) if is_mirrored else ", ".join(choices)


async def text_address(
    uow: UnitOfWork,
    matched: MatchedMessage,
    kind: MessageKind,
    template: str,
    about: ServiceRequest | None = None,
    *,
    suffix: str = "",
) -> None:
    """A text to the number itself, in its customer's language; a stranger's in their own.

    ``suffix`` is the end of its cause.
    """
    locale = matched.facts.locale or matched.intent.language or "en"
    fields = {"brand": uow.settings.brand, "link": uow.settings.public_url}
    if about is not None:
        fields |= {"title": short_title(about, locale), "reference": about.reference}
    await uow.outbox.queue_reply_to_address(
        kind,
        f"message:{matched.message.id}{suffix}",
        fill_template(product_text(template, locale), fields),
        channel=Channel.SMS,
        address=matched.message.from_address,
        locale=locale,
    )


def short_title(request: ServiceRequest, locale: str) -> str:
    """The title as a text that says more than it has room for it."""
    return REFERENCE_PATTERN.sub("", request.title_in(locale))[:MAX_TITLE_LENGTH].strip()


async def send_reply(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, reply: Reply
) -> None:
    """Reply by the channel of the message; on the page the reply is a message there."""
    cause = reply.cause or matched.cause or f"message:{matched.message.id}"
    cause += LAST_REPLY_SUFFIX if reply.is_last else reply.asks
    channel = matched.message.channel
    if channel == Channel.WEB:
        await _post_on_page(uow, request, reply.kind, cause, reply.text)
    else:
        draft = Draft(reply.kind, cause, reply.text)
        await uow.outbox.queue(request, draft, channels=REPLY_CHANNELS[channel])


async def _post_on_page(
    uow: UnitOfWork, request: ServiceRequest, kind: MessageKind, cause: str, text: str
) -> None:
    renderer = await uow.renderer(request)
    request.last_told_at = uow.now
    uow.session.add(
        Message(
            request_id=request.id,
            customer_id=request.customer_id,
            channel=Channel.WEB,
            kind=kind,
            cause=cause,
            body=text.replace(renderer.link, "").strip(),
            author=uow.settings.brand,
            status=MessageStatus.DELIVERED,
            created_at=uow.now,
            due_at=uow.now,
            sent_at=uow.now,
            delivered_at=uow.now,
        )
    )

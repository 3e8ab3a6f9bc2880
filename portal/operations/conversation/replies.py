"""Replies to an inbound message: by its channel, to the number itself, or on the page."""

from dataclasses import dataclass, replace

from portal.business_time import TimeWindow
from portal.i18n.languages import language_of
from portal.messaging.intents.classifier import Intent
from portal.messaging.intents.named_times import NamedTime, WindowKind
from portal.messaging.wording.calls import call_window_text, render_call_refusal
from portal.messaging.wording.renderer import MessageRenderer, fill_template, product_text
from portal.models import (
    REFERENCE_PATTERN,
    Channel,
    Message,
    MessageKind,
    MessageStatus,
    Promise,
    PromiseKind,
    RequestStatus,
    ServiceRequest,
)
from portal.operations.conversation.auto_reply_limits import LAST_REPLY_SUFFIX
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.outcomes import AskWhich, OweReply
from portal.operations.follow_ups import REPLY_CHANNELS
from portal.operations.outbox import Draft
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.calls import CallRefusal, fit_call

MAX_CHOICES = 6
MAX_TITLE_LENGTH = 24
"""Letters of a title in a text that lists several or says more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The one automatic reply to a message.

    ``is_last``: it says that no more follow for a while. ``cause``: another than the message.
    """

    kind: MessageKind
    text: str
    is_last: bool = False
    cause: str = ""


@dataclass(frozen=True, slots=True)
class MatchedMessage:
    """A message with the request that it belongs to, None where to none.

    ``cause`` is the cause of the reply, where it is another than the message.
    """

    message: Message
    request: ServiceRequest | None
    intent: Intent
    facts: InboundFacts
    cause: str = ""


def render_owed(
    renderer: MessageRenderer, promise: Promise, owed: OweReply, *, stood: bool
) -> Reply:
    """The reply that names the promise's time; ``stood``: the customer knew of it already."""
    request = renderer.request
    kind, due = MessageKind.ACKNOWLEDGEMENT, renderer.times.by(promise.due_at)
    department = renderer.department_name(promise.department_id)
    if owed.named is not None and not request.is_closed:
        return Reply(kind, _render_call(renderer, promise, owed.named))
    if owed.template:
        template = owed.template
    elif request.is_closed:
        is_cancelled = request.status == RequestStatus.CANCELLED
        kind = MessageKind.REOPEN_OFFER
        template = "reopen_offer_cancelled" if is_cancelled else "reopen_offer"
    elif owed.kind != PromiseKind.CALL:
        template = "acknowledgement_again" if stood else "acknowledgement"
    else:
        template = "call_by"
    text = renderer.say(template, due=due, department=department, wish=owed.wish)
    return Reply(kind, text, is_last=owed.template == "last_reply")


def _render_call(renderer: MessageRenderer, promise: Promise, named: NamedTime) -> str:
    """When the customer is called, as they named it; or why not then, and when instead."""
    department = renderer.department_name(promise.department_id)
    calendar = renderer.roster.department_by_id(promise.department_id).calendar
    fit = fit_call(calendar, named.window, named.kind, renderer.now, has_day=named.has_day)
    if isinstance(fit, CallRefusal):
        return render_call_refusal(renderer, fit, department)
    if fit.window == WindowKind.MOMENT:
        return renderer.say("call_at", due=renderer.times.on(fit.due_at), department=department)
    window = TimeWindow(fit.not_before_at, fit.due_at)
    said = call_window_text(renderer.times, fit.window, window)
    return renderer.say("call_window", window=said, department=department)


def render_owed_beside(
    renderer: MessageRenderer, reply: Reply, promise: Promise, *, is_urgent: bool
) -> Reply:
    """The reply, and that a person answers the rest of the message by the promise's time."""
    rest = renderer.say(
        "rest_urgent" if is_urgent else "rest_answered",
        department=renderer.department_name(promise.department_id),
        due=renderer.times.by(promise.due_at),
    )
    # The link gives way: with it the text would cost more.
    said = " ".join(reply.text.replace(renderer.link, "").split())
    return replace(reply, text=f"{said} {rest}")


async def ask_which(uow: UnitOfWork, matched: MatchedMessage, asked: AskWhich) -> None:
    """A text to the number that lists its open requests and asks which is meant."""
    requests = matched.facts.open_requests
    template = "which_request_again" if asked.is_again else "which_request"
    if asked.is_urgent:
        template = "which_request_urgent"
    renderer, locale = await uow.renderer(requests[0]), requests[0].customer.locale
    choices = [
        f"{number} {short_title(request, locale)} {request.reference}"
        for number, request in enumerate(requests[:MAX_CHOICES], start=1)
    ]
    # From right to left a number would seem to belong to the title before it: a line for each.
    is_mirrored = language_of(locale).direction == "rtl"
    listed = "".join(f"\n{choice}" for choice in choices) if is_mirrored else ", ".join(choices)
    await uow.outbox.queue_reply_to_address(
        MessageKind.WHICH_REQUEST,
        f"message:{matched.message.id}",
        renderer.say(template, choices=listed),
        channel=Channel.SMS,
        address=matched.message.from_address,
        locale=locale,
    )


async def text_address(
    uow: UnitOfWork,
    matched: MatchedMessage,
    kind: MessageKind,
    template: str,
    about: ServiceRequest | None = None,
) -> None:
    """A text to the number itself, in its customer's language; a stranger's in their own."""
    locale = matched.facts.locale or matched.intent.language or "en"
    fields = {"brand": uow.settings.brand, "link": uow.settings.public_url}
    if about is not None:
        fields |= {"title": short_title(about, locale), "reference": about.reference}
    await uow.outbox.queue_reply_to_address(
        kind,
        f"message:{matched.message.id}",
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
    if reply.is_last:
        cause += LAST_REPLY_SUFFIX
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

"""What a wish for fewer messages leads to. Pure.

It is kept as what it is, never as a stop of everything, and confirmed by one message that says what
goes on.
"""

from collections.abc import Callable
from dataclasses import replace

from portal.messaging.intents.classifier import Intent, IntentKind, StopScope
from portal.models import Channel, ConsentSource, ServiceRequest
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage
from portal.operations.conversation.outcomes import Decision, KeepWish, OweReply
from portal.operations.conversation.reading.calls import match_call_beside
from portal.operations.conversation.wishes.night_hours import read_quiet_hours

WISH_RULES = {
    "C8": "A wish for quiet hours or their end, without questions, about one request or by one channel: kept.",
    "C9": "A wish for fewer messages, or for a channel that they do not have: a person answers.",
}
SOURCES = {
    Channel.SMS: ConsentSource.TEXT,
    Channel.EMAIL: ConsentSource.MAIL,
    Channel.WEB: ConsentSource.STATUS_PAGE,
}
OTHER = {Channel.SMS: Channel.EMAIL, Channel.EMAIL: Channel.SMS}
MAX_EVIDENCE = 300


def is_wish(intent: Intent, facts: InboundFacts) -> bool:
    """Whether it is a wish for fewer messages, or for messages at any hour again."""
    return intent.kind == IntentKind.STOP_PARTIAL or (
        intent.kind == IntentKind.START
        and intent.scope == StopScope.NIGHT
        and facts.has_own_quiet_hours
        and not facts.is_opted_out
    )


def is_about_person(intent: Intent, facts: InboundFacts) -> bool:
    """Whether it is a wish about all messages to the customer, so that no request is asked for."""
    return is_wish(intent, facts) and intent.scope != StopScope.REQUEST


def decide_wish(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> Decision:
    """The decision about a wish of this request's customer; a call beside it is promised."""
    make = MAKERS.get(intent.scope) if intent.scope else None
    wish = make(inbound, request, intent, facts) if make else None
    is_silent = facts.limits.suppress_reply or facts.is_opted_out
    if wish is None:
        return Decision("C9", OweReply(is_silent=is_silent, template="wish_for_person"))
    needs_staff = intent.needs_reading or intent.needs_owner or intent.cancel
    owed = OweReply(is_silent=True) if needs_staff else None
    call = match_call_beside(request, intent, facts.now) if owed is not None else None
    if call is not None:
        # The one reply is that about the call.
        return Decision("C8", replace(wish, is_silent=True), replace(call, is_silent=is_silent))
    return Decision("C8", replace(wish, is_silent=is_silent), owed)


def _night(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, _: InboundFacts
) -> KeepWish:
    if intent.kind == IntentKind.START:
        return _wish(inbound, request, intent, "wish_any_hour", quiet_hours="")
    quiet_hours = str(read_quiet_hours(intent.about))
    return _wish(inbound, request, intent, "wish_night", quiet_hours=quiet_hours)


def _questions(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, _: InboundFacts
) -> KeepWish:
    return _wish(inbound, request, intent, "wish_no_questions", takes_questions=False)


def _request(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> KeepWish | None:
    """By the channel of the message; on the page by every channel that they have."""
    channels = tuple(OTHER) if inbound.channel == Channel.WEB else (inbound.channel,)
    addresses = _addresses(inbound, request, channels, facts)
    if not addresses:
        return None
    template = "mail_stop_request" if inbound.channel == Channel.EMAIL else "stop_one"
    return _wish(inbound, request, intent, template, stopped=addresses, is_of_request=True)


def _channel(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> KeepWish | None:
    """None where it names no channel, or the other one cannot be used."""
    stopped = next((channel for channel in OTHER if channel.value in intent.about.split()), None)
    if stopped is None or request.customer.address(OTHER[stopped], facts.now) is None:
        return None
    addresses = _addresses(inbound, request, (stopped,), facts)
    if not addresses:
        return None
    template = "wish_only_email" if stopped == Channel.SMS else "wish_only_text"
    return _wish(inbound, request, intent, template, stopped=addresses)


MAKERS: dict[
    StopScope,
    Callable[[InboundMessage, ServiceRequest, Intent, InboundFacts], KeepWish | None],
] = {
    StopScope.NIGHT: _night,
    StopScope.QUESTIONS: _questions,
    StopScope.REQUEST: _request,
    StopScope.CHANNEL: _channel,
}


def _addresses(
    inbound: InboundMessage,
    request: ServiceRequest,
    channels: tuple[Channel, ...],
    facts: InboundFacts,
) -> list[tuple[Channel, str]]:
    """The address that wrote, where it is of the channel; else all of the customer's."""
    return [
        (channel, address)
        for channel in channels
        for address in (
            [inbound.sender]
            if channel == inbound.channel
            else request.customer.addresses(channel, facts.now)
        )
    ]


def _wish(
    inbound: InboundMessage,
    request: ServiceRequest,
    intent: Intent,
    template: str,
    **kept: object,
) -> KeepWish:
    # The wish may have waited for the answer to "which?", so it is not always the message itself.
    evidence = f"{intent.answer_words[:MAX_EVIDENCE]} ({inbound.provider_id or request.reference})"
    return KeepWish(template, SOURCES[inbound.channel], evidence, **kept)  # type: ignore[arg-type]

"""A wish about our texts that came by text: heeded at once, confirmed once, then silence."""

from collections.abc import Sequence
from enum import StrEnum

from portal.messaging.intents.classifier import Intent, IntentKind, classify, normalize_words
from portal.messaging.wording.renderer import fill_template, product_text
from portal.models import (
    REFERENCE_PATTERN,
    Channel,
    ConsentSource,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.conversation.consent import grant_consent, has_opted_out, withdraw_consent
from portal.operations.conversation.intent_handlers import record_inbound
from portal.operations.conversation.reply_language import reply_language
from portal.operations.conversation.request_matching import GENERIC_WORDS
from portal.operations.promises import promise_answer
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import may_write
from portal.queries.requests import find_last_request, lock_by_id


class OptOutType(StrEnum):
    """What Twilio made of a text and has answered itself (``OptOutType``, Advanced Opt-Out)."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


async def handle_opt_out(
    uow: UnitOfWork,
    inbound: Message,
    intent: Intent,
    carrier: OptOutType | None,
    requests: Sequence[ServiceRequest],
    *,
    suppress_reply: bool = False,
) -> bool:
    """Stop, start or explain, if that is what the text asks; False where it asks none of it.

    A stop is about all texts to that number, whoever's request they are about; one that plainly
    names one of several open requests is about that one. A stop is confirmed once and a number
    that has stopped hears nothing but the answers to HELP and START. What the carrier answered
    is not answered again. ``requests`` are those open at that number; ``quiet`` leaves all but
    the confirmation of a stop unsaid.
    """
    address = inbound.from_address
    stopped = await has_opted_out(uow, Channel.SMS, address)
    wish = _wish(intent, carrier, stopped=stopped)
    if wish is None:
        return False
    is_answered = carrier is not None or (
        intent.is_keyword and uow.settings.twilio_answers_keywords
    )
    if wish == IntentKind.STOP:
        one = None if stopped or is_answered else _named(requests, inbound, intent)
        is_answered |= stopped or not await _is_news(uow, address, one)
        await withdraw_consent(
            uow, Channel.SMS, address, ConsentSource.TEXT,
            evidence=_evidence(inbound, carrier), request_id=one.id if one else None,
        )  # fmt: skip
        words = "stop_one" if one else "stop"
    else:
        one, words = None, wish.value
        if wish == IntentKind.START:
            await grant_consent(
                uow, Channel.SMS, address, ConsentSource.TEXT, evidence=_evidence(inbound, carrier)
            )
    unsaid = suppress_reply and wish == IntentKind.HELP
    for_person = intent.cancel or intent.needs_reading or unsaid
    await _keep(uow, inbound, intent, [one] if one else requests, for_person=for_person)
    if not is_answered and (wish == IntentKind.STOP or not suppress_reply):
        locale = await reply_language(uow, inbound, intent, requests)
        await _confirm(uow, inbound, words, one, locale)
    return True


async def assign_to_staff(
    uow: UnitOfWork, inbound: Message, request: ServiceRequest, intent: Intent | None = None
) -> None:
    """Put it into this request's conversation, with a promise of an answer and an owner."""
    held = await lock_by_id(uow.session, saved_id(request))
    intent = intent or classify(inbound.body, held.customer.locale)
    await record_inbound(uow, held, inbound, intent)
    held.unanswered_since = held.unanswered_since or uow.now
    await promise_answer(uow, held)
    await uow.finish(held)


def _wish(intent: Intent, carrier: OptOutType | None, *, stopped: bool) -> IntentKind | None:
    """What is asked of us. YES begins again, but only a number that had stopped."""
    if intent.kind == IntentKind.YES and not stopped and carrier != OptOutType.STOP:
        # Twilio counts it as START; from somebody who has our texts it answers a question.
        return None
    if carrier is not None:
        return IntentKind(carrier.lower())
    if intent.kind == IntentKind.YES and intent.bare:
        return IntentKind.START
    wishes = (IntentKind.STOP, IntentKind.START, IntentKind.HELP)
    return intent.kind if intent.kind in wishes else None


def _named(
    requests: Sequence[ServiceRequest], inbound: Message, intent: Intent
) -> ServiceRequest | None:
    """The one of several that the stop names, by reference or by a word of its title alone."""
    if len(requests) < 2:
        return None
    said = set(REFERENCE_PATTERN.findall(inbound.body.upper()))
    named = [request for request in requests if request.reference in said]
    if not said:
        about = set(intent.about.split()) - GENERIC_WORDS
        named = [one for one in requests if about & set(normalize_words(one.title).split())]
    return named[0] if len(named) == 1 else None


async def _is_news(uow: UnitOfWork, address: str, one: ServiceRequest | None) -> bool:
    """False where they had stopped the texts about this one already, and were told so."""
    return one is None or await may_write(uow.session, Channel.SMS, address, one.id)


async def _keep(
    uow: UnitOfWork,
    inbound: Message,
    intent: Intent,
    requests: Sequence[ServiceRequest],
    *,
    for_person: bool,
) -> None:
    """A text about texts still stands in the conversation; "cancel" may mean the request."""
    if for_person:
        # Of several, the newest's owner asks which was meant: our texts have just stopped.
        last = await find_last_request(uow.session, Channel.SMS, inbound.from_address)
        request = requests[-1] if requests else last
        if request is not None:
            await assign_to_staff(uow, inbound, request, intent)
    elif len(requests) == 1:
        request = await lock_by_id(uow.session, saved_id(requests[0]))
        await record_inbound(uow, request, inbound, intent)
        await uow.finish(request)


async def _confirm(
    uow: UnitOfWork, inbound: Message, name: str, one: ServiceRequest | None, locale: str
) -> None:
    fields = {"brand": uow.settings.brand, "link": uow.settings.public_url}
    if one is not None:
        title = REFERENCE_PATTERN.sub("", one.title_in(locale))[:24].strip()
        fields |= {"title": title, "reference": one.reference}
    await uow.outbox.queue_reply_to_address(
        MessageKind.CONSENT,
        f"message:{inbound.id}",
        fill_template(product_text(name, locale), fields),
        channel=Channel.SMS,
        address=inbound.from_address,
        locale=locale,
    )


def _evidence(inbound: Message, carrier: OptOutType | None) -> str:
    """The words, and where the carrier has them."""
    taken_as = f", {carrier} at Twilio" if carrier else ""
    return f"{inbound.body.strip()[:300]} ({inbound.provider_sid}{taken_as})"

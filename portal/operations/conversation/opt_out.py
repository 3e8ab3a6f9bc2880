"""A wish about our texts that came by text: heeded at once, confirmed once, then silence."""

from collections.abc import Sequence
from enum import StrEnum

from portal.messaging.intents.classifier import Meaning, MeaningKind, plain_words, understand
from portal.messaging.wording.renderer import fill, product_words
from portal.models import (
    A_REFERENCE,
    Channel,
    ConsentSource,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.operations.conversation.consent import grant, is_stopped, withdraw
from portal.operations.conversation.intent_handlers import record_heard
from portal.operations.conversation.reply_language import language_for
from portal.operations.conversation.request_matching import NAMES_NOTHING
from portal.operations.promises import promise_answer
from portal.operations.unit_of_work import Turn
from portal.queries.consent import may_write
from portal.queries.requests import find_last_request, lock_by_id


class CarrierWord(StrEnum):
    """What Twilio made of a text and has answered itself (``OptOutType``, Advanced Opt-Out)."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


async def heed_wish(
    turn: Turn,
    heard: Message,
    meaning: Meaning,
    carrier: CarrierWord | None,
    requests: Sequence[ServiceRequest],
    *,
    quiet: bool = False,
) -> bool:
    """Stop, start or explain, if that is what the text asks; False where it asks none of it.

    A stop is about all texts to that number, whoever's request they are about; one that plainly
    names one of several open requests is about that one. A stop is confirmed once and a number
    that has stopped hears nothing but the answers to HELP and START. What the carrier answered
    is not answered again. ``requests`` are those open at that number; ``quiet`` leaves all but
    the confirmation of a stop unsaid.
    """
    address = heard.from_address
    stopped = await is_stopped(turn, Channel.SMS, address)
    wish = _wish(meaning, carrier, stopped=stopped)
    if wish is None:
        return False
    is_answered = carrier is not None or (meaning.keyword and turn.settings.twilio_answers_keywords)
    if wish == MeaningKind.STOP:
        one = None if stopped or is_answered else _named(requests, heard, meaning)
        is_answered |= stopped or not await _is_news(turn, address, one)
        await withdraw(
            turn, Channel.SMS, address, ConsentSource.TEXT,
            evidence=_evidence(heard, carrier), request_id=one.id if one else None,
        )  # fmt: skip
        words = "stop_one" if one else "stop"
    else:
        one, words = None, wish.value
        if wish == MeaningKind.START:
            await grant(
                turn, Channel.SMS, address, ConsentSource.TEXT, evidence=_evidence(heard, carrier)
            )
    unsaid = quiet and wish == MeaningKind.HELP
    for_person = meaning.cancel or meaning.has_more or unsaid
    await _keep(turn, heard, meaning, [one] if one else requests, for_person=for_person)
    if not is_answered and (wish == MeaningKind.STOP or not quiet):
        locale = await language_for(turn, heard, meaning, requests)
        await _confirm(turn, heard, words, one, locale)
    return True


async def leave_to_a_person(
    turn: Turn, heard: Message, request: ServiceRequest, meaning: Meaning | None = None
) -> None:
    """Put it into this request's conversation, with a promise of an answer and an owner."""
    held = await lock_by_id(turn.session, request.id or 0)
    meaning = meaning or understand(heard.body, held.customer.locale)
    await record_heard(turn, held, heard, meaning)
    held.unanswered_since = held.unanswered_since or turn.now
    await promise_answer(turn, held)
    await turn.settle(held)


def _wish(meaning: Meaning, carrier: CarrierWord | None, *, stopped: bool) -> MeaningKind | None:
    """What is asked of us. YES begins again, but only a number that had stopped."""
    if meaning.kind == MeaningKind.YES and not stopped and carrier != CarrierWord.STOP:
        # Twilio counts it as START; from somebody who has our texts it answers a question.
        return None
    if carrier is not None:
        return MeaningKind(carrier.lower())
    if meaning.kind == MeaningKind.YES and meaning.bare:
        return MeaningKind.START
    wishes = (MeaningKind.STOP, MeaningKind.START, MeaningKind.HELP)
    return meaning.kind if meaning.kind in wishes else None


def _named(
    requests: Sequence[ServiceRequest], heard: Message, meaning: Meaning
) -> ServiceRequest | None:
    """The one of several that the stop names, by reference or by a word of its title alone."""
    if len(requests) < 2:
        return None
    said = set(A_REFERENCE.findall(heard.body.upper()))
    named = [request for request in requests if request.reference in said]
    if not said:
        about = set(meaning.about.split()) - NAMES_NOTHING
        named = [one for one in requests if about & set(plain_words(one.title).split())]
    return named[0] if len(named) == 1 else None


async def _is_news(turn: Turn, address: str, one: ServiceRequest | None) -> bool:
    """False where they had stopped the texts about this one already, and were told so."""
    return one is None or await may_write(turn.session, Channel.SMS, address, one.id)


async def _keep(
    turn: Turn,
    heard: Message,
    meaning: Meaning,
    requests: Sequence[ServiceRequest],
    *,
    for_person: bool,
) -> None:
    """A text about texts still stands in the conversation; "cancel" may mean the request."""
    if for_person:
        # Of several, the newest's owner asks which was meant: our texts have just stopped.
        last = await find_last_request(turn.session, Channel.SMS, heard.from_address)
        request = requests[-1] if requests else last
        if request is not None:
            await leave_to_a_person(turn, heard, request, meaning)
    elif len(requests) == 1:
        request = await lock_by_id(turn.session, requests[0].id or 0)
        await record_heard(turn, request, heard, meaning)
        await turn.settle(request)


async def _confirm(
    turn: Turn, heard: Message, name: str, one: ServiceRequest | None, locale: str
) -> None:
    fields = {"brand": turn.settings.brand, "link": turn.settings.public_url}
    if one is not None:
        title = A_REFERENCE.sub("", one.title_in(locale))[:24].strip()
        fields |= {"title": title, "reference": one.reference}
    await turn.outbox.answer_address(
        MessageKind.CONSENT,
        f"message:{heard.id}",
        fill(product_words(name, locale), fields),
        channel=Channel.SMS,
        address=heard.from_address,
        locale=locale,
    )


def _evidence(heard: Message, carrier: CarrierWord | None) -> str:
    """The words, and where the carrier has them."""
    taken_as = f", {carrier} at Twilio" if carrier else ""
    return f"{heard.body.strip()[:300]} ({heard.provider_sid}{taken_as})"

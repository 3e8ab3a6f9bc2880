"""A customer's words coming in: recorded once, brought to the right request, never guessed."""

from collections.abc import Sequence
from datetime import timedelta

from portal.attachments.stored_file import KeptFile
from portal.i18n.languages import language_of
from portal.messaging.intents.classifier import Meaning, MeaningKind, understand
from portal.messaging.sms.gsm_text import storable
from portal.messaging.wording.renderer import fill, product_words
from portal.models import (
    A_REFERENCE,
    BallKind,
    Channel,
    ConsentSource,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    token_hash,
)
from portal.models.people.contact_address import LONGEST_EMAIL
from portal.operations.conversation.attachments import Texted, attach_files, expect_files
from portal.operations.conversation.auto_reply_limits import Restraint, look_back, notice_flood
from portal.operations.conversation.closed_requests import hear_about_closed
from portal.operations.conversation.consent import Choice as Wish
from portal.operations.conversation.consent import is_stopped, record_wish
from portal.operations.conversation.intent_handlers import record_heard, reply, route
from portal.operations.conversation.opt_out import CarrierWord, heed_wish, leave_to_a_person
from portal.operations.conversation.reply_language import language_for
from portal.operations.conversation.request_matching import (
    Choice,
    answers_last,
    choose,
    named,
    spoken_of,
)
from portal.operations.conversation.staff_messages import check_letter
from portal.operations.dropped_balls.resolution import about, raise_ball
from portal.operations.unit_of_work import Turn
from portal.queries.conversations import (
    find_by_sid,
    find_unrouted,
    get_which,
    was_answered_since,
)
from portal.queries.requests import find_last_request, find_open_requests, lock_by_id

WHICH_HOLDS_FOR = timedelta(days=1)
STRANGER_PAUSE = timedelta(hours=1)
ASKED_TWICE = 2
"""Who has been asked "which?" so often and still names none is for a person."""
MOST_CHOICES = 6


async def receive_text(
    turn: Turn,
    *,
    sid: str,
    sender: str,
    to: str,
    body: str,
    carrier: CarrierWord | None = None,
    texted: Sequence[Texted] = (),
) -> None:
    """Record an inbound text once, on the right request, and answer it or give it an owner.

    ``sid`` is the provider's id of the text: heard again, nothing happens. Which request is
    settled before what it means; a text about several is asked "which", never guessed.
    ``texted`` are photos that came with it; the words may then be missing.
    ``carrier`` is what the provider made of it and has answered itself. A number that has stopped
    is heard, and what it says is owned by a person and not answered by text; so is one that
    writes or is answered too often.
    """
    if await find_by_sid(turn.session, sid) is not None:
        return
    heard = _heard(turn, Channel.SMS, sid, body, sender=sender, to=to)
    turn.session.add(heard)
    await turn.session.flush()
    expect_files(turn, heard, texted)
    requests = await find_open_requests(turn.session, Channel.SMS, sender)
    meaning = understand(body, requests[-1].customer.locale if requests else "en")
    heard.meaning = meaning.kind
    restraint = await look_back(turn, sender)
    if await heed_wish(turn, heard, meaning, carrier, requests, quiet=restraint.quiet):
        return
    if restraint.is_flood:
        await _take_in(turn, heard, meaning, requests)
    elif not requests:
        await _hear_without_open_request(turn, heard, meaning, restraint)
    elif len(requests) == 1:
        held = await lock_by_id(turn.session, requests[0].id or 0)
        await route(turn, held, heard, meaning, quiet=restraint.quiet)
    else:
        await _hear_about_one_of_several(turn, heard, meaning, requests, restraint)


async def receive_web_message(
    turn: Turn, request: ServiceRequest, body: str, files: Sequence[KeptFile] = ()
) -> Message:
    """What the customer wrote on their page, for the department that has the request.

    With ``files``, which are on the shelf already, the words may be missing.
    A wish to stop ends our texts here too; a person reads it all the same.
    """
    body = check_letter(body) if body.strip() or not files else ""
    heard = _heard(turn, Channel.WEB, None, body, sender="", to="")
    turn.session.add(heard)
    await turn.session.flush()
    attach_files(turn, heard, files)
    heard.cause = f"web:{heard.id}"
    meaning = understand(body, request.customer.locale)
    if meaning.kind == MeaningKind.STOP and request.customer.address(Channel.SMS, turn.now):
        texts = Wish(stop=True, about="all", channels=(Channel.SMS,))
        await record_wish(turn, request, texts, ConsentSource.STATUS_PAGE, body)
    if request.is_closed:
        await hear_about_closed(turn, request, heard, meaning)
    else:
        await route(turn, request, heard, meaning)
    return heard


async def _hear_about_one_of_several(
    turn: Turn,
    heard: Message,
    meaning: Meaning,
    requests: Sequence[ServiceRequest],
    restraint: Restraint,
) -> None:
    """Find out which they mean, then bring there what was waiting for it."""
    waiting = await find_unrouted(turn.session, heard.from_address, turn.now - WHICH_HOLDS_FOR)
    choice = await _which(turn, heard, meaning, requests, waiting=waiting, restraint=restraint)
    if choice is not None:
        await _bring(turn, [*waiting, heard], choice, quiet=restraint.quiet)
    elif restraint.quiet or await is_stopped(turn, Channel.SMS, heard.from_address):
        await leave_to_a_person(turn, heard, requests[-1], meaning)
    elif len(waiting) < ASKED_TWICE:
        await _ask_which(turn, heard, requests, again=bool(waiting))
    else:
        # We shall not find out by asking: whoever has the newest does.
        for message in [*waiting, heard]:
            await leave_to_a_person(turn, message, requests[-1])
        held = await lock_by_id(turn.session, requests[-1].id or 0)
        teller = await turn.teller(held)
        due = teller.times.by(held.promises[-1].due_at)
        words = teller.say("acknowledgement", due=due)
        await reply(turn, held, heard, MessageKind.ACKNOWLEDGEMENT, words)


async def _which(
    turn: Turn,
    heard: Message,
    meaning: Meaning,
    requests: Sequence[ServiceRequest],
    *,
    waiting: Sequence[Message],
    restraint: Restraint,
) -> Choice | None:
    """The requests that are meant; None where it would be a guess."""
    if waiting:
        question = await get_which(turn.session, waiting[-1])
        chosen = choose(heard.body, requests, A_REFERENCE.findall(question.body))
        if chosen is not None:
            return chosen
    said = named(heard.body, requests)
    if len(said) == 1:
        return Choice((said[0],))
    if said or A_REFERENCE.search(heard.body.upper()):
        return None
    if waiting and heard.body.strip().isdecimal():
        return None
    one = answers_last(meaning, requests, restraint.said)
    if one is None and not waiting:
        one = spoken_of(requests, restraint.said, turn.now)
    return Choice((one,)) if one else None


async def _bring(turn: Turn, messages: Sequence[Message], choice: Choice, *, quiet: bool) -> None:
    """Route what was waiting, and the choice too where it says more; to each that is meant."""
    *waiting, last = messages
    for place, request in enumerate(choice.requests):
        held = await lock_by_id(turn.session, request.id or 0)
        for message in messages:
            one = message if place == 0 else _copy(turn, message, held)
            await turn.session.flush()
            meaning = understand(message.body, held.customer.locale)
            is_choice = message.body.strip().isdecimal() and message is not messages[0]
            if is_choice or (message is last and waiting and not choice.says_more):
                await record_heard(turn, held, one, meaning)
                await turn.settle(held)
            else:
                await route(turn, held, one, meaning, quiet=quiet)


async def _take_in(
    turn: Turn, heard: Message, meaning: Meaning, requests: Sequence[ServiceRequest]
) -> None:
    """One of a flood: recorded where it belongs, answered by nobody, noticed once."""
    said = requests if len(requests) == 1 else named(heard.body, requests)
    last = (
        None if requests else await find_last_request(turn.session, Channel.SMS, heard.from_address)
    )
    one = said[0] if len(said) == 1 else last
    if one is not None:
        held = await lock_by_id(turn.session, one.id or 0)
        await record_heard(turn, held, heard, meaning)
        held.unanswered_since = held.unanswered_since or turn.now
        await turn.settle(held)
    stopped = await is_stopped(turn, Channel.SMS, heard.from_address)
    locale = await language_for(turn, heard, meaning, requests)
    await notice_flood(turn, heard, locale, may_text=not stopped)


async def _hear_without_open_request(
    turn: Turn, heard: Message, meaning: Meaning, restraint: Restraint
) -> None:
    """Nothing is open for this number: the last request's owner sees it, or the front desk."""
    last = await find_last_request(turn.session, Channel.SMS, heard.from_address)
    if last is not None:
        held = await lock_by_id(turn.session, last.id or 0)
        newest = next(iter(restraint.said), None)
        offered = (
            newest is not None and newest.kind == MessageKind.OFFER and newest.request_id == last.id
        )
        await hear_about_closed(turn, held, heard, meaning, offered=offered, quiet=restraint.quiet)
        return
    await raise_ball(
        turn, BallKind.UNKNOWN_SENDER, about(heard), "A text from a number that no customer has."
    )
    if restraint.quiet or await is_stopped(turn, Channel.SMS, heard.from_address):
        return
    if not await was_answered_since(
        turn.session, heard.from_address, since=turn.now - STRANGER_PAUSE
    ):
        await _greet_stranger(turn, heard, meaning.language or "en")


async def _ask_which(
    turn: Turn, heard: Message, requests: Sequence[ServiceRequest], *, again: bool
) -> None:
    teller = await turn.teller(requests[0])
    locale = requests[0].customer.locale
    choices = [
        f"{number} {A_REFERENCE.sub('', one.title_in(locale))[:24].strip()} {one.reference}"
        for number, one in enumerate(requests[:MOST_CHOICES], start=1)
    ]
    # Read from the right a number would seem to belong to the name before it: a line for each.
    is_mirrored = language_of(locale).direction == "rtl"
    listed = "".join(f"\n{one}" for one in choices) if is_mirrored else ", ".join(choices)
    await turn.outbox.answer_address(
        MessageKind.WHICH,
        f"message:{heard.id}",
        teller.say("which_again" if again else "which", choices=listed),
        channel=Channel.SMS,
        address=heard.from_address,
        locale=locale,
    )


async def _greet_stranger(turn: Turn, heard: Message, locale: str) -> None:
    fields = {"brand": turn.settings.brand, "link": turn.settings.public_url}
    await turn.outbox.answer_address(
        MessageKind.ACKNOWLEDGEMENT,
        f"message:{heard.id}",
        fill(product_words("unknown", locale), fields),
        channel=Channel.SMS,
        address=heard.from_address,
        locale=locale,
    )


def _heard(
    turn: Turn, channel: Channel, sid: str | None, body: str, *, sender: str, to: str
) -> Message:
    return Message(
        direction=Direction.IN,
        channel=channel,
        kind=MessageKind.CUSTOMER,
        cause=f"inbound:{token_hash(sid)}" if sid else f"web:{turn.now.timestamp()}",
        provider_sid=sid,
        body=storable(body),
        from_address=sender[:LONGEST_EMAIL],
        to_address=to[:LONGEST_EMAIL],
        status=MessageStatus.RECEIVED,
        author="Customer",
        created_at=turn.now,
        due_at=turn.now,
    )


def _copy(turn: Turn, message: Message, request: ServiceRequest) -> Message:
    """The same words, for one more request that they are about."""
    copied = Message(
        direction=Direction.IN,
        channel=message.channel,
        kind=message.kind,
        cause=f"message:{message.id}:for:{request.id}",
        body=message.body,
        from_address=message.from_address,
        to_address=message.to_address,
        status=MessageStatus.RECEIVED,
        author=message.author,
        created_at=message.created_at,
        due_at=message.due_at,
    )
    turn.session.add(copied)
    return copied

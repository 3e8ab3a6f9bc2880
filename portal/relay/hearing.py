"""A customer's words coming in: recorded once, brought to the right request, never guessed."""

from collections.abc import Sequence
from datetime import timedelta

from portal.files.kept import KeptFile
from portal.messaging.addresses import LONGEST_EMAIL
from portal.messaging.compose import fill, product_words
from portal.messaging.meaning import Meaning, MeaningKind, understand
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
from portal.queries.conversations import (
    find_by_sid,
    find_unrouted,
    get_which,
    was_answered_since,
)
from portal.queries.requests import find_last_request, find_open_requests, lock_by_id
from portal.relay.answering import WAYS_BACK
from portal.relay.attaching import Texted, attach_files, expect_files
from portal.relay.consenting import Choice, is_stopped, record_wish
from portal.relay.conversing import check_letter
from portal.relay.dropping import about, raise_ball
from portal.relay.heeding import CarrierWord, heed_wish, leave_to_a_person
from portal.relay.promising import answer_owed, promise_answer
from portal.relay.replying import record_heard, route
from portal.relay.turn import Turn

WHICH_HOLDS_FOR = timedelta(days=1)
STRANGER_PAUSE = timedelta(hours=1)


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
    is heard, and what it says is owned by a person and not answered by text.
    """
    if await find_by_sid(turn.session, sid) is not None:
        return
    heard = _heard(turn, Channel.SMS, sid, body, sender=sender, to=to)
    turn.session.add(heard)
    await turn.session.flush()
    expect_files(turn, heard, texted)
    meaning = understand(body)
    if await heed_wish(turn, heard, meaning, carrier):
        return
    requests = await find_open_requests(turn.session, Channel.SMS, sender)
    if not requests:
        await _hear_without_open_request(turn, heard, meaning)
        return
    waiting = await find_unrouted(turn.session, sender, since=turn.now - WHICH_HOLDS_FOR)
    request = await _which(turn, heard, meaning, requests, waiting)
    if request is None:
        if await is_stopped(turn, Channel.SMS, sender):
            await leave_to_a_person(turn, heard, requests[-1])
            return
        await _ask_which(turn, heard, requests)
        return
    for message in sorted({m.id: m for m in [*waiting, heard]}.values(), key=lambda m: m.id or 0):
        is_choice = bool(waiting) and message.body.strip().isdecimal()
        held = await lock_by_id(turn.session, request.id or 0)
        if is_choice:
            await record_heard(turn, held, message)
            await turn.settle(held)
        else:
            await route(turn, held, message, understand(message.body))


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
    meaning = understand(body)
    if meaning.kind == MeaningKind.STOP and request.customer.address(Channel.SMS, turn.now):
        texts = Choice(stop=True, about="all", channels=(Channel.SMS,))
        await record_wish(turn, request, texts, ConsentSource.STATUS_PAGE, body)
    await route(turn, request, heard, meaning)
    return heard


async def _hear_without_open_request(turn: Turn, heard: Message, meaning: Meaning) -> None:
    """Nothing is open for this number: the last request's owner sees it, or the front desk."""
    last = await find_last_request(turn.session, Channel.SMS, heard.from_address)
    if last is not None:
        request = await lock_by_id(turn.session, last.id or 0)
        await record_heard(turn, request, heard)
        if meaning.kind == MeaningKind.THANKS:
            await turn.settle(request)
            return
        was_told = answer_owed(request) is not None
        request.unanswered_since = request.unanswered_since or turn.now
        promise = await promise_answer(turn, request)
        await turn.settle(request)
        if was_told:
            return  # Once is enough: the promise stands, and every reply costs.
        teller = await turn.teller(request)
        await turn.outbox.tell(
            request,
            MessageKind.ACKNOWLEDGEMENT,
            f"message:{heard.id}",
            teller.say("ended", due=teller.times.by(promise.due_at)),
            channels=WAYS_BACK[Channel.SMS],
        )
        return
    await raise_ball(
        turn, BallKind.UNKNOWN_SENDER, about(heard), "A text from a number that no customer has."
    )
    if await is_stopped(turn, Channel.SMS, heard.from_address):
        return
    if not await was_answered_since(
        turn.session, heard.from_address, since=turn.now - STRANGER_PAUSE
    ):
        await _say(turn, heard, MessageKind.ACKNOWLEDGEMENT, "unknown")


async def _which(
    turn: Turn,
    heard: Message,
    meaning: Meaning,
    requests: Sequence[ServiceRequest],
    waiting: Sequence[Message],
) -> ServiceRequest | None:
    """The one request that is meant; None where it would be a guess."""
    if len(requests) == 1:
        return requests[0]
    said = heard.body.upper().replace(" ", "")
    named = [one for one in requests if one.reference.replace("-", "") in said.replace("-", "")]
    if len(named) == 1:
        return named[0]
    asked = [one for one in requests if one.asked is not None]
    if waiting and said.isdecimal():
        # By the list that they read last: one of it may have ended since.
        question = await get_which(turn.session, waiting[-1])
        offered = dict(enumerate(A_REFERENCE.findall(question.body), start=1))
        chosen = offered.get(int(said[:4]))
        return next((one for one in requests if one.reference == chosen), None)
    if meaning.kind in (MeaningKind.YES, MeaningKind.NO) and len(asked) == 1:
        return asked[0]
    return None


async def _ask_which(turn: Turn, heard: Message, requests: Sequence[ServiceRequest]) -> None:
    choices = ", ".join(
        f"{number} {A_REFERENCE.sub('', request.title)[:24]} {request.reference}"
        for number, request in enumerate(requests[:6], start=1)
    )
    teller = await turn.teller(requests[0])
    await turn.outbox.answer_address(
        MessageKind.WHICH,
        f"message:{heard.id}",
        teller.say("which", choices=choices),
        channel=Channel.SMS,
        address=heard.from_address,
    )


async def _say(turn: Turn, heard: Message, kind: MessageKind, name: str) -> None:
    """One of the product's sentences to somebody who may have no request."""
    fields = {"brand": turn.settings.brand, "link": turn.settings.public_url}
    await turn.outbox.answer_address(
        kind,
        f"message:{heard.id}",
        fill(product_words(name, "en"), fields),
        channel=Channel.SMS,
        address=heard.from_address,
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
        body=body.replace("\x00", ""),
        from_address=sender[:LONGEST_EMAIL],
        to_address=to[:LONGEST_EMAIL],
        status=MessageStatus.RECEIVED,
        author="Customer",
        created_at=turn.now,
        due_at=turn.now,
    )

"""A customer's words coming in: recorded once, brought to the right request, never guessed."""

from collections.abc import Sequence
from datetime import timedelta

from portal.attachments.stored_file import StoredFile
from portal.i18n.languages import language_of
from portal.messaging.intents.classifier import Intent, IntentKind, classify
from portal.messaging.sms.gsm_text import storable
from portal.messaging.wording.renderer import fill_template, product_text
from portal.models import (
    REFERENCE_PATTERN,
    Channel,
    ConsentSource,
    Direction,
    DroppedBallKind,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
    hash_token,
)
from portal.models.columns import saved_id
from portal.models.people.contact_address import MAX_EMAIL_LENGTH
from portal.operations.conversation.attachments import IncomingMedia, attach_files, expect_media
from portal.operations.conversation.auto_reply_limits import (
    AutoReplyLimits,
    load_auto_reply_limits,
    report_flood,
)
from portal.operations.conversation.closed_requests import handle_closed_request
from portal.operations.conversation.consent import (
    ConsentChange,
    has_opted_out,
    record_consent_change,
)
from portal.operations.conversation.intent_handlers import handle_intent, record_inbound, send_reply
from portal.operations.conversation.opt_out import OptOutType, assign_to_staff, handle_opt_out
from portal.operations.conversation.reply_language import reply_language
from portal.operations.conversation.request_matching import (
    RequestMatch,
    find_named,
    match_choice,
    match_open_question,
    match_recent_staff_message,
)
from portal.operations.conversation.staff_messages import check_message_body
from portal.operations.dropped_balls.resolution import message_subject, raise_dropped_ball
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.conversations import (
    find_by_sid,
    find_unmatched_texts,
    get_clarification,
    was_written_to_since,
)
from portal.queries.requests import find_last_request, find_open_requests, lock_by_id

CLARIFICATION_VALID_FOR = timedelta(days=1)
UNKNOWN_SENDER_REPLY_INTERVAL = timedelta(hours=1)
MAX_CLARIFICATIONS = 2
"""Who has been asked "which?" so often and still names none is for a person."""
MAX_CHOICES = 6


async def receive_text(
    uow: UnitOfWork,
    *,
    sid: str,
    sender: str,
    to: str,
    body: str,
    carrier: OptOutType | None = None,
    media: Sequence[IncomingMedia] = (),
) -> None:
    """Record an inbound text once, on the right request, and answer it or give it an owner.

    ``sid`` is the provider's id of the text: heard again, nothing happens. Which request is
    settled before what it means; a text about several is asked "which", never guessed.
    ``texted`` are photos that came with it; the words may then be missing.
    ``carrier`` is what the provider made of it and has answered itself. A number that has stopped
    is heard, and what it says is owned by a person and not answered by text; so is one that
    writes or is answered too often.
    """
    if await find_by_sid(uow.session, sid) is not None:
        return
    inbound = _heard(uow, Channel.SMS, sid, body, sender=sender, to=to)
    uow.session.add(inbound)
    await uow.session.flush()
    expect_media(uow, inbound, media)
    requests = await find_open_requests(uow.session, Channel.SMS, sender)
    intent = classify(body, requests[-1].customer.locale if requests else "en")
    inbound.intent = intent.kind
    limits = await load_auto_reply_limits(uow, sender)
    if await handle_opt_out(
        uow, inbound, intent, carrier, requests, suppress_reply=limits.suppress_reply
    ):
        return
    if limits.is_flood:
        await _take_in(uow, inbound, intent, requests)
    elif not requests:
        await _hear_without_open_request(uow, inbound, intent, limits)
    elif len(requests) == 1:
        held = await lock_by_id(uow.session, saved_id(requests[0]))
        await handle_intent(uow, held, inbound, intent, suppress_reply=limits.suppress_reply)
    else:
        await _hear_about_one_of_several(uow, inbound, intent, requests, limits)


async def receive_web_message(
    uow: UnitOfWork, request: ServiceRequest, body: str, files: Sequence[StoredFile] = ()
) -> Message:
    """What the customer wrote on their page, for the department that has the request.

    With ``files``, which are on the shelf already, the words may be missing.
    A wish to stop ends our texts here too; a person reads it all the same.
    """
    body = check_message_body(body) if body.strip() or not files else ""
    inbound = _heard(uow, Channel.WEB, None, body, sender="", to="")
    uow.session.add(inbound)
    await uow.session.flush()
    attach_files(uow, inbound, files)
    inbound.cause = f"web:{inbound.id}"
    intent = classify(body, request.customer.locale)
    if intent.kind == IntentKind.STOP and request.customer.address(Channel.SMS, uow.now):
        texts = ConsentChange(stop=True, about="all", channels=(Channel.SMS,))
        await record_consent_change(uow, request, texts, ConsentSource.STATUS_PAGE, body)
    if request.is_closed:
        await handle_closed_request(uow, request, inbound, intent)
    else:
        await handle_intent(uow, request, inbound, intent)
    return inbound


async def _hear_about_one_of_several(
    uow: UnitOfWork,
    inbound: Message,
    intent: Intent,
    requests: Sequence[ServiceRequest],
    limits: AutoReplyLimits,
) -> None:
    """Find out which they mean, then bring there what was waiting for it."""
    waiting = await find_unmatched_texts(
        uow.session, inbound.from_address, uow.now - CLARIFICATION_VALID_FOR
    )
    choice = await _which(uow, inbound, intent, requests, waiting=waiting, limits=limits)
    if choice is not None:
        await _bring(uow, [*waiting, inbound], choice, suppress_reply=limits.suppress_reply)
    elif limits.suppress_reply or await has_opted_out(uow, Channel.SMS, inbound.from_address):
        await assign_to_staff(uow, inbound, requests[-1], intent)
    elif len(waiting) < MAX_CLARIFICATIONS:
        await _ask_which(uow, inbound, requests, again=bool(waiting))
    else:
        # We shall not find out by asking: whoever has the newest does.
        for message in [*waiting, inbound]:
            await assign_to_staff(uow, message, requests[-1])
        held = await lock_by_id(uow.session, saved_id(requests[-1]))
        renderer = await uow.renderer(held)
        due = renderer.times.by(held.promises[-1].due_at)
        words = renderer.say("acknowledgement", due=due)
        await send_reply(uow, held, inbound, MessageKind.ACKNOWLEDGEMENT, words)


async def _which(
    uow: UnitOfWork,
    inbound: Message,
    intent: Intent,
    requests: Sequence[ServiceRequest],
    *,
    waiting: Sequence[Message],
    limits: AutoReplyLimits,
) -> RequestMatch | None:
    """The requests that are meant; None where it would be a guess."""
    if waiting:
        question = await get_clarification(uow.session, waiting[-1])
        chosen = match_choice(inbound.body, requests, REFERENCE_PATTERN.findall(question.body))
        if chosen is not None:
            return chosen
    said = find_named(inbound.body, requests)
    if len(said) == 1:
        return RequestMatch((said[0],))
    if said or REFERENCE_PATTERN.search(inbound.body.upper()):
        return None
    if waiting and inbound.body.strip().isdecimal():
        return None
    one = match_open_question(intent, requests, limits.recent_messages)
    if one is None and not waiting:
        one = match_recent_staff_message(requests, limits.recent_messages, uow.now)
    return RequestMatch((one,)) if one else None


async def _bring(
    uow: UnitOfWork, messages: Sequence[Message], choice: RequestMatch, *, suppress_reply: bool
) -> None:
    """Route what was waiting, and the choice too where it says more; to each that is meant."""
    *waiting, last = messages
    for place, request in enumerate(choice.requests):
        held = await lock_by_id(uow.session, saved_id(request))
        for message in messages:
            one = message if place == 0 else _copy(uow, message, held)
            await uow.session.flush()
            intent = classify(message.body, held.customer.locale)
            is_choice = message.body.strip().isdecimal() and message is not messages[0]
            if is_choice or (message is last and waiting and not choice.has_more_text):
                await record_inbound(uow, held, one, intent)
                await uow.finish(held)
            else:
                await handle_intent(uow, held, one, intent, suppress_reply=suppress_reply)


async def _take_in(
    uow: UnitOfWork, inbound: Message, intent: Intent, requests: Sequence[ServiceRequest]
) -> None:
    """One of a flood: recorded where it belongs, answered by nobody, noticed once."""
    said = requests if len(requests) == 1 else find_named(inbound.body, requests)
    last = (
        None
        if requests
        else await find_last_request(uow.session, Channel.SMS, inbound.from_address)
    )
    one = said[0] if len(said) == 1 else last
    if one is not None:
        held = await lock_by_id(uow.session, saved_id(one))
        await record_inbound(uow, held, inbound, intent)
        held.unanswered_since = held.unanswered_since or uow.now
        await uow.finish(held)
    stopped = await has_opted_out(uow, Channel.SMS, inbound.from_address)
    locale = await reply_language(uow, inbound, intent, requests)
    await report_flood(uow, inbound, locale, may_text=not stopped)


async def _hear_without_open_request(
    uow: UnitOfWork, inbound: Message, intent: Intent, limits: AutoReplyLimits
) -> None:
    """Nothing is open for this number: the last request's owner sees it, or the front desk."""
    last = await find_last_request(uow.session, Channel.SMS, inbound.from_address)
    if last is not None:
        held = await lock_by_id(uow.session, saved_id(last))
        newest = next(iter(limits.recent_messages), None)
        offered = (
            newest is not None
            and newest.kind == MessageKind.REOPEN_OFFER
            and newest.request_id == last.id
        )
        await handle_closed_request(
            uow, held, inbound, intent, offered=offered, suppress_reply=limits.suppress_reply
        )
        return
    await raise_dropped_ball(
        uow,
        DroppedBallKind.UNKNOWN_SENDER,
        message_subject(inbound),
        "A text from a number that no customer has.",
    )
    if limits.suppress_reply or await has_opted_out(uow, Channel.SMS, inbound.from_address):
        return
    if not await was_written_to_since(
        uow.session, inbound.from_address, since=uow.now - UNKNOWN_SENDER_REPLY_INTERVAL
    ):
        await _greet_stranger(uow, inbound, intent.language or "en")


async def _ask_which(
    uow: UnitOfWork, inbound: Message, requests: Sequence[ServiceRequest], *, again: bool
) -> None:
    renderer = await uow.renderer(requests[0])
    locale = requests[0].customer.locale
    choices = [
        f"{number} {REFERENCE_PATTERN.sub('', one.title_in(locale))[:24].strip()} {one.reference}"
        for number, one in enumerate(requests[:MAX_CHOICES], start=1)
    ]
    # Read from the right a number would seem to belong to the name before it: a line for each.
    is_mirrored = language_of(locale).direction == "rtl"
    listed = "".join(f"\n{one}" for one in choices) if is_mirrored else ", ".join(choices)
    await uow.outbox.queue_reply_to_address(
        MessageKind.WHICH_REQUEST,
        f"message:{inbound.id}",
        renderer.say("which_again" if again else "which", choices=listed),
        channel=Channel.SMS,
        address=inbound.from_address,
        locale=locale,
    )


async def _greet_stranger(uow: UnitOfWork, inbound: Message, locale: str) -> None:
    fields = {"brand": uow.settings.brand, "link": uow.settings.public_url}
    await uow.outbox.queue_reply_to_address(
        MessageKind.ACKNOWLEDGEMENT,
        f"message:{inbound.id}",
        fill_template(product_text("unknown", locale), fields),
        channel=Channel.SMS,
        address=inbound.from_address,
        locale=locale,
    )


def _heard(
    uow: UnitOfWork, channel: Channel, sid: str | None, body: str, *, sender: str, to: str
) -> Message:
    return Message(
        direction=Direction.IN,
        channel=channel,
        kind=MessageKind.CUSTOMER,
        cause=f"inbound:{hash_token(sid)}" if sid else f"web:{uow.now.timestamp()}",
        provider_sid=sid,
        body=storable(body),
        from_address=sender[:MAX_EMAIL_LENGTH],
        to_address=to[:MAX_EMAIL_LENGTH],
        status=MessageStatus.RECEIVED,
        author="Customer",
        created_at=uow.now,
        due_at=uow.now,
    )


def _copy(uow: UnitOfWork, message: Message, request: ServiceRequest) -> Message:
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
    uow.session.add(copied)
    return copied

"""Our side of a conversation: words to the customer, calls logged, wishes kept."""

from collections.abc import Sequence

from portal.errors import BadInput
from portal.i18n.lazy_string import Sentence
from portal.models import (
    Channel,
    ConsentSource,
    Contact,
    ContactChannel,
    ContactReason,
    EventKind,
    Message,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.operations.commitments import promise_what_is_said
from portal.operations.conversation.consent import Choice, record_wish
from portal.operations.promises import answer_owed, call_owed, keep_what_was_owed
from portal.operations.transitions import check_words
from portal.operations.unit_of_work import Turn

LONGEST_TEXT = 1_600
"""Letters that Twilio takes in one text."""


async def write_to_customer(
    turn: Turn,
    request: ServiceRequest,
    body: str,
    *,
    channels: Sequence[Channel] = (),
    urgent: bool = False,
) -> Message:
    """Our words to the customer. They keep the promise of an answer that is due, if any.

    What they commit to is promised: "I'll call you tomorrow at 3".
    At night they wait for the morning, unless they are ``urgent`` or the customer waits for them.
    """
    body = check_letter(body)
    urgent = urgent or await turn.is_awaited(request)
    event = request.record(EventKind.MESSAGE_OUT, turn.actor, turn.now, moves=False)
    keep_what_was_owed(turn, request, PromiseKind.ANSWER)
    request.unanswered_since = None
    await promise_what_is_said(turn, request, body)
    await turn.settle(request)
    message = await turn.outbox.tell(
        request,
        MessageKind.STAFF,
        f"event:{event.id}",
        body,
        channels=channels,
        author=turn.actor.name,
        author_id=turn.actor.staff_id,
        event_id=event.id,
        urgent=urgent,
    )
    await turn.session.flush()
    return message


async def log_contact(
    turn: Turn,
    request: ServiceRequest,
    *,
    channel: ContactChannel,
    reason: ContactReason,
    note: str = "",
) -> Contact:
    """A call or a visit: kept with its reason, so that we learn what made them ask.

    Having spoken by phone, whoever called, keeps a promise of a call that stands, and is the call
    that a question without an answer was to have.
    """
    contact = Contact(
        request_id=request.id or 0,
        channel=channel,
        reason=reason,
        note=check_words("note", note, needed=False),
        at=turn.now,
        logged_by=turn.actor.name,
    )
    turn.session.add(contact)
    if channel == ContactChannel.CALL:
        if call_owed(request) is not None:
            keep_what_was_owed(turn, request, PromiseKind.CALL)
            if answer_owed(request) is None:
                request.unanswered_since = None
        for question in request.follow_ups:
            question.note_call(turn.now)
    request.record(
        EventKind.CONTACT_LOGGED,
        turn.actor,
        turn.now,
        visible=False,
        moves=False,
        channel=channel.value,
        reason=reason.value,
        note=contact.note,
    )
    await turn.settle(request)
    return contact


async def set_preferences(
    turn: Turn,
    request: ServiceRequest,
    *,
    prefers: Channel | None = None,
    locale: str | None = None,
    choice: Choice | None = None,
    source: ConsentSource = ConsentSource.STATUS_PAGE,
) -> None:
    """The customer's own wishes: by which way, in which language, and whether at all.

    Raises BadInput and Conflict as ``record_wish`` does.
    """
    customer = request.customer
    if prefers is not None:
        customer.prefers = prefers
    if locale is not None:
        customer.locale = locale
    if choice is not None:
        await record_wish(turn, request, choice, source, request.reference)
    request.record(
        EventKind.PREFERENCES_CHANGED,
        turn.actor,
        turn.now,
        moves=False,
        prefers=prefers,
        locale=locale,
        stop=choice.about if choice and choice.stop else None,
        start=choice.about if choice and not choice.stop else None,
        channels=[channel.value for channel in choice.channels] if choice else [],
    )
    await turn.settle(request)


def check_letter(body: str) -> str:
    """A message as it may be sent. Raises BadInput where there is none, or too much of it."""
    body = body.replace("\x00", "").strip()
    if not body:
        raise BadInput(Sentence("Please write something first."), fields={"body": "some words"})
    if len(body) > LONGEST_TEXT:
        raise BadInput(
            Sentence(
                "That is too long to send: please keep it under {most} letters.",
                most=LONGEST_TEXT,
            ),
            fields={"body": f"at most {LONGEST_TEXT} letters"},
        )
    return body

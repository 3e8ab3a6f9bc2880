"""Putting right what did not get through: sent again, in other words, or told by phone.

A message that has ended stays ended, with its tries on record. What goes instead of it is a
message of its own, whose cause names the first: so late receipts cannot confuse the two, and two
people at once cannot send it twice.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import col, select

from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.sms.gsm_text import cheapen
from portal.messaging.sms.twilio_codes import verdict
from portal.models import (
    EDITED,
    BallKind,
    Channel,
    Direction,
    EventKind,
    Message,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.conversation.staff_messages import check_letter
from portal.operations.dropped_balls.resolution import about, resolve_balls
from portal.operations.outbox import LATEST
from portal.operations.transitions import check_words
from portal.operations.unit_of_work import Turn
from portal.queries.consent import may_write
from portal.queries.requests import lock_by_id

ENDED_BADLY = frozenset(
    {
        MessageStatus.FAILED,
        MessageStatus.UNDELIVERED,
        MessageStatus.EXPIRED,
        MessageStatus.REVIEW,
    }
)
"""It did not get through, or nobody could find out."""

LOST = ENDED_BADLY | {MessageStatus.UNKNOWN}
"""The same, and what we are still finding out about."""

NO_BETTER = "The same words would fare no better: change them, or call."
WAYS = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}


@dataclass(frozen=True)
class Lost:
    """A message that needs a person, with its request (a stranger's has none), both held."""

    message: Message
    request: ServiceRequest | None


async def lock_lost(turn: Turn, message_id: int) -> Lost:
    """One of our messages and its request, held until the turn ends. Raises NotFound."""
    # In the order in which the provider's receipts take them.
    query = select(Message).where(col(Message.id) == message_id).with_for_update()
    message = (await turn.session.exec(query)).one_or_none()
    if message is None or message.direction == Direction.IN:
        raise NotFound(f"We have written no message {message_id}.")
    if message.request_id is None:
        return Lost(message, None)
    return Lost(message, await lock_by_id(turn.session, message.request_id))


async def retry_message(turn: Turn, lost: Lost, *, to: str | None = None) -> Message:
    """The same words once more; gives the message that goes instead.

    To the same address, or where that is good no more to the customer's newest; ``to`` names
    another of theirs. Where nobody knows whether the first went, the new one is marked as a
    possible duplicate. Raises Conflict where somebody was faster, where the address is stopped or
    gone, and where these words must not go again.
    """
    message = lost.message
    _must_have_ended(message)
    if why := why_never_again(message):
        raise Conflict(why)
    again = message.once_more(turn.now, timedelta())
    again.to_address = _address(turn, lost, to)
    again.attempts = 0
    again.expires_at = turn.now + LATEST
    again.possible_duplicate = may_have_gone(message)
    await _must_be_welcome(turn, again)
    turn.session.add(again)
    turn.outbox.written.append(again)
    await _settle(turn, lost)
    await _record(turn, lost, EventKind.MESSAGE_RETRIED)
    return again


async def resend_message(
    turn: Turn, lost: Lost, body: str, *, channel: Channel | None = None
) -> Message:
    """Other words instead, by the same channel or the one named; gives the new message.

    Raises BadInput for words that cannot be sent, and Conflict as ``retry_message`` does.
    """
    message, request = lost.message, lost.request
    body, channel = check_letter(body), channel or message.channel
    _must_have_ended(message)
    if request is None:
        raise Conflict("Nobody's request is behind it: there is nobody to write to.")
    if why_never_again(message) and channel == message.channel and cheapen(body) == message.body:
        raise BadInput(
            "The carrier refused just these words. Please change them.", fields={"body": "others"}
        )
    address = request.customer.address(channel, turn.now)
    if address is None:
        raise Conflict(f"There is no address of theirs to write to by {WAYS[channel]}.")
    if not await may_write(turn.session, channel, address, request.id):
        raise Conflict(_stopped(channel))
    written = await turn.outbox.tell(
        request, message.kind, f"message:{message.id}{EDITED}", body,
        subject=message.subject, channels=[channel],
        author=turn.actor.name, author_id=turn.actor.staff_id, event_id=message.event_id,
        urgent=message.urgent,
    )  # fmt: skip
    await _settle(turn, lost)
    await _record(turn, lost, EventKind.MESSAGE_OUT)
    return written


async def mark_as_told(turn: Turn, lost: Lost, *, note: str = "") -> Message:
    """A person has told the customer, by phone or otherwise: nothing is sent any more.

    Also for one that we are still finding out about, or that may have been sent twice. Raises
    Conflict where somebody has seen to it already, or where it is on its way.
    """
    message = lost.message
    note = check_words("note", note, needed=False)
    if message.status not in LOST and not message.possible_duplicate:
        raise Conflict(_under_way(message))
    _must_be_unsettled(message)
    if message.status == MessageStatus.UNKNOWN:
        # Whatever we find out, it is not sent again by itself.
        message.status = MessageStatus.REVIEW
    await _settle(turn, lost)
    await _record(turn, lost, EventKind.MESSAGE_TOLD, note)
    return message


def why_never_again(message: Message) -> str:
    """Why these very words must not go to this address again; empty where they may."""
    code = message.error_code or ""
    if message.channel != Channel.SMS or not code.isdecimal():
        return ""
    judged = verdict(int(code))
    if judged.action != "never_resend":
        return ""
    return f"{judged.reason} {NO_BETTER}"


def may_have_gone(message: Message) -> bool:
    """True where nobody could find out; what was held before any try surely has not gone."""
    return message.status == MessageStatus.REVIEW and message.claimed_at is not None


def _must_have_ended(message: Message) -> None:
    _must_be_unsettled(message)
    if message.status == MessageStatus.UNKNOWN:
        raise Conflict(
            "We are still finding out whether this was sent, so it does not go again yet. "
            "Please look again in a few minutes, or call."
        )
    if message.status not in ENDED_BADLY:
        raise Conflict(_under_way(message))


def _must_be_unsettled(message: Message) -> None:
    if message.settled_at is not None:
        raise Conflict(f"{message.settled_by} has seen to this already, so nothing was done.")


def _under_way(message: Message) -> str:
    if message.status == MessageStatus.DELIVERED:
        return "This has been delivered, so nothing was done."
    if message.status == MessageStatus.SUPPRESSED:
        return "They asked us not to write there, so nothing was done. You may call."
    return "This is on its way, so nothing was done."


def _address(turn: Turn, lost: Lost, wanted: str | None) -> str:
    """Where it goes now. Raises BadInput for an address not theirs, Conflict where none is left."""
    message = lost.message
    if lost.request is None:
        return message.to_address
    valid = lost.request.customer.addresses(message.channel, turn.now)
    if wanted is not None:
        if wanted not in valid:
            raise BadInput(
                "Please choose one of their own addresses.", fields={"to": "one of theirs"}
            )
        return wanted
    if message.to_address in valid:
        return message.to_address
    if not valid:
        raise Conflict(
            f"There is no address of theirs left to write to by {WAYS[message.channel]}."
        )
    return valid[-1]


async def _must_be_welcome(turn: Turn, message: Message) -> None:
    if message.request_id is not None and not await may_write(
        turn.session, message.channel, message.to_address, message.request_id
    ):
        raise Conflict(_stopped(message.channel))


def _stopped(channel: Channel) -> str:
    return f"They asked us not to write by {WAYS[channel]}, so nothing was sent. You may call."


async def _settle(turn: Turn, lost: Lost) -> None:
    """A person has it in hand. Should what goes instead fail too, that is raised anew."""
    message = lost.message
    message.settle(turn.actor.name, turn.now)
    await resolve_balls(
        turn, about(message),
        BallKind.MESSAGE_UNDELIVERED, BallKind.OUTCOME_UNKNOWN, BallKind.SENT_TWICE,
    )  # fmt: skip
    if lost.request is not None and lost.request.id is not None:
        turn.nudged.add(lost.request.id)
    await turn.session.flush()


async def _record(turn: Turn, lost: Lost, kind: EventKind, note: str = "") -> None:
    """On the timeline, with who did it. Only new words are something that the customer can see."""
    if lost.request is None:
        return
    lost.request.record(
        kind, turn.actor, turn.now,
        visible=kind == EventKind.MESSAGE_OUT, moves=False, message_id=lost.message.id, note=note,
    )  # fmt: skip
    await turn.settle(lost.request)

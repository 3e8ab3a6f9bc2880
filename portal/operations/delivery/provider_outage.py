"""Pauses a sender whose provider refuses us or is down, with one dropped ball; resumes it after."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlmodel import col, select

from portal.messaging.send_errors import Refused, SendError
from portal.messaging.sms.twilio_client import Accepted
from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import (
    Channel,
    DeliveryReason,
    Direction,
    DroppedBallKind,
    Message,
    Sender,
)
from portal.models.messages.sender import PROBE_INTERVAL
from portal.operations.dropped_balls.resolution import raise_dropped_ball, resolve_dropped_balls
from portal.operations.unit_of_work import UnitOfWork

log = structlog.get_logger()

SENDER_PAUSE = timedelta(seconds=60)
"""Between two attempts while the provider refuses our account."""
IS_QUEUED = "status = 'queued'"
IS_IN_FLIGHT = "status IN ('sending', 'unknown')"
"""As in the partial indexes of messages, so that the database uses them."""

SendResult = Accepted | SendError


async def update_sender(
    uow: UnitOfWork, name: str, results: Sequence[SendResult], unsent: int
) -> None:
    """Pause the sender when the provider refuses it or is down; resume it when it accepts again.

    ``results`` are in the order in which they came; ``unsent`` SMS segments are removed from the
    month. One dropped ball is about the sender: its messages all wait, and none fails.
    """
    sender = await uow.session.get(Sender, name)
    if sender is None:
        return
    if not unsent and not any(map(_is_remarkable, results)) and not _is_in_doubt(sender):
        return
    await uow.session.refresh(sender, with_for_update=True)
    if unsent:
        sender.add_segments(uow.now, -unsent)
    # During the pause nothing is sent: an acceptance then is of an earlier message.
    may_resume = bool(sender.pause_reason) and not sender.is_paused(uow.now)
    outage = ""
    for result in results:
        if isinstance(result, SendError) and result.outage:
            outage = result.outage if sender.count_failure() else outage
        elif isinstance(result, Accepted | Refused):
            sender.count_answer()
            outage = ""
    refused = [
        item for item in results if isinstance(item, Refused) and item.action == "pause_queue"
    ]
    if refused:
        await _pause(uow, sender, refused[0].reason, reason_sentence(refused[0].reason))
    elif outage:
        await _pause(uow, sender, DeliveryReason.PROVIDER_DOWN, _outage_sentence(outage))
    elif may_resume and any(isinstance(item, Accepted) for item in results):
        await _resume(uow, sender)


async def record_probe(
    uow: UnitOfWork, name: str, channel: Channel, problem: SendError | None
) -> None:
    """Record what a probe of the provider has shown; without a problem one message may be sent.

    Where none is due or in flight, the pause is over: what is due later finds the provider well, or
    opens the circuit again.
    """
    sender = await uow.session.get_one(Sender, name, with_for_update=True)
    if isinstance(problem, Refused):
        await _pause(uow, sender, problem.reason, reason_sentence(problem.reason))
    elif problem is not None:
        sender.pause(uow.now + PROBE_INTERVAL, DeliveryReason.PROVIDER_DOWN)
    elif await _has_trial(uow, channel):
        sender.pass_probe(uow.now)
    else:
        await _resume(uow, sender)
    await uow.session.flush()


def _is_remarkable(result: SendResult) -> bool:
    return isinstance(result, SendError) and (
        bool(result.outage) or (isinstance(result, Refused) and result.action == "pause_queue")
    )


def _is_in_doubt(sender: Sender) -> bool:
    return bool(sender.failures or sender.pause_reason or sender.trial_until)


async def _pause(uow: UnitOfWork, sender: Sender, reason: DeliveryReason, sentence: str) -> None:
    is_down = reason == DeliveryReason.PROVIDER_DOWN
    sender.pause(uow.now + (PROBE_INTERVAL if is_down else SENDER_PAUSE), reason)
    detail = f"{sentence} Messages wait until this is put right; none is lost."
    is_new = await raise_dropped_ball(uow, DroppedBallKind.SENDING_PAUSED, sender.subject, detail)
    if is_new:
        log.error("sending is paused", reason=sentence)


async def _resume(uow: UnitOfWork, sender: Sender) -> None:
    sender.resume()
    await resolve_dropped_balls(uow, sender.subject, DroppedBallKind.SENDING_PAUSED)
    log.info("sending goes on")


def _outage_sentence(outage: str) -> str:
    return f"Sending is paused: {outage}."


async def _has_trial(uow: UnitOfWork, channel: Channel) -> bool:
    """Whether a message can show that the provider is well: one is due, or has no outcome yet."""
    ours = (col(Message.direction) == Direction.OUT, col(Message.channel) == channel)
    for candidates in (
        (sa.text(IS_QUEUED), col(Message.due_at) <= uow.now),
        (sa.text(IS_IN_FLIGHT),),
    ):
        query = select(Message.id).where(*ours, *candidates).limit(1)
        if (await uow.session.exec(query)).first() is not None:
            return True
    return False

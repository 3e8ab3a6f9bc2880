"""A customer's wishes: written by inbound messages, the preferences page and the desk."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from portal.errors import BadInput
from portal.i18n.lazy_string import LazyString
from portal.messaging.send_rules import due_at
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    Channel,
    Customer,
    DeliveryReason,
    Direction,
    Event,
    EventKind,
    FollowUp,
    Message,
    MessageKind,
    MessageStatus,
    ServiceRequest,
)
from portal.operations.authorization import authorize
from portal.operations.conversation.applying.replies import (
    MatchedMessage,
    Reply,
    send_reply,
    short_title,
)
from portal.operations.conversation.consent import withdraw_consent
from portal.operations.conversation.outcomes import KeepWish
from portal.operations.conversation.wishes.night_hours import NIGHT
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act
from portal.settings import QuietHours

WISH_BUTTONS: Mapping[str, Mapping[str, Any]] = {
    "quiet_on": {"quiet_hours": str(NIGHT)},
    "quiet_off": {"quiet_hours": ""},
    "questions_off": {"takes_questions": False},
    "questions_on": {"takes_questions": True},
}
"""What ``set_wishes`` is given by each button of the page and the desk."""
QUESTION_KINDS = (MessageKind.FOLLOW_UP, MessageKind.REMINDER)


async def set_wishes(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    quiet_hours: str | None = None,
    takes_questions: bool | None = None,
) -> None:
    """Set the customer's own quiet hours ("21:00-08:00", or empty for none) and whether we ask.

    By the customer on their page, or by staff to whom they said it. None leaves a wish as it is.
    Raises BadInput for hours that cannot be read.
    """
    await authorize(uow, request, Act.CONSENT)
    try:
        QuietHours.parse(quiet_hours or "")
    except ValueError:
        raise BadInput(
            LazyString("Please press one of the buttons."), fields={"quiet_hours": "21:00-08:00"}
        ) from None
    kept: Any = {"quiet_hours": quiet_hours, "takes_questions": takes_questions}
    await _set(uow, [request.customer], **kept)
    _record(uow, request, **kept)
    await uow.finish(request)


async def record_wish(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, wish: KeepWish
) -> None:
    """Write what a message asks for; the caller finishes the request."""
    customers = {
        each.customer.id: each.customer for each in (request, *matched.facts.open_requests)
    }
    kept: Any = {"quiet_hours": wish.quiet_hours, "takes_questions": wish.takes_questions}
    await _set(uow, customers.values(), **kept)
    for channel, address in wish.stopped:
        await withdraw_consent(
            uow, channel, address, wish.source, evidence=wish.evidence,
            request_id=request.id if wish.is_of_request else None,
        )  # fmt: skip
    _record(uow, request, **kept, wish=wish)


async def confirm_wish(
    uow: UnitOfWork, request: ServiceRequest, matched: MatchedMessage, wish: KeepWish
) -> None:
    """Say what is kept, what goes on, and how to stop everything, by the way that they wrote."""
    renderer, message = await uow.renderer(request), matched.message
    fields = {"title": short_title(request, request.customer.locale)}
    if hours := QuietHours.parse(wish.quiet_hours or ""):
        fields |= clock_fields(renderer.times, hours)
    text = renderer.say(wish.template, None, **fields)
    if message.channel == Channel.WEB:
        await send_reply(uow, request, matched, Reply(MessageKind.CONSENT, text))
        return
    reply = await uow.outbox.queue_reply_to_address(
        MessageKind.CONSENT, f"message:{message.id}", text,
        channel=message.channel, address=message.from_address, locale=request.customer.locale,
    )  # fmt: skip
    reply.request_id, reply.customer_id = request.id, request.customer_id
    if message.channel == Channel.EMAIL:
        reply.subject = request.title_in(request.customer.locale)


def clock_fields(times: TimeFormatter, hours: QuietHours) -> dict[str, str]:
    """The fields ``begin`` and ``end`` of quiet hours, as a reader of these times reads the clock."""
    zone = ZoneInfo(times.timezone)
    today = times.now.astimezone(zone).date()
    begin, end = (times.clock(datetime.combine(today, at, zone)) for at in (hours.start, hours.end))
    return {"begin": begin, "end": end}


async def _set(
    uow: UnitOfWork,
    customers: Iterable[Customer],
    *,
    quiet_hours: str | None,
    takes_questions: bool | None,
) -> None:
    for customer in customers:
        if quiet_hours is not None:
            customer.quiet_hours = quiet_hours
            await _reschedule_queued(uow, customer)
        if takes_questions is not None:
            customer.takes_questions = takes_questions
            if not takes_questions:
                await _withdraw_queued_questions(uow, customer)


async def _reschedule_queued(uow: UnitOfWork, customer: Customer) -> None:
    """What waits for the end of the quiet hours waits for that of the new ones, or goes at once.

    What waits for another reason, such as a limit, goes on waiting.
    """
    query = (
        select(Message)
        .where(
            col(Message.customer_id) == customer.id,
            col(Message.direction) == Direction.OUT,
            col(Message.status) == MessageStatus.QUEUED,
            col(Message.due_at) > uow.now,
            col(Message.reason).is_(None),
        )
        .with_for_update()
    )
    for message in (await uow.session.exec(query)).all():
        message.due_at = due_at(
            uow.settings, uow.now, customer.timezone, message.channel, message.kind,
            urgent=message.urgent, own=customer.own_quiet_hours,
        )  # fmt: skip
        uow.outbox.written.append(message)


async def _withdraw_queued_questions(uow: UnitOfWork, customer: Customer) -> None:
    """Questions that wait to be sent are not sent; those that are part of the work are."""
    query = (
        select(Message, Event)
        .join(Event, col(Event.id) == col(Message.event_id))
        .where(
            col(Message.customer_id) == customer.id,
            col(Message.kind).in_(QUESTION_KINDS),
            col(Message.status) == MessageStatus.QUEUED,
        )
        .with_for_update(of=Message)
    )
    for message, event in (await uow.session.exec(query)).all():
        during_stage = select(FollowUp.during_stage).where(
            col(FollowUp.run_id) == event.run_id, col(FollowUp.key) == event.data.get("key")
        )
        if not any((await uow.session.exec(during_stage)).all()):
            message.status = MessageStatus.SUPPRESSED
            message.reason = DeliveryReason.NO_QUESTIONS


def _record(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    quiet_hours: str | None,
    takes_questions: bool | None,
    wish: KeepWish | None = None,
) -> None:
    stopped = wish.stopped if wish else ()
    scope = ("request" if wish.is_of_request else "all") if wish and stopped else None
    request.record(
        EventKind.PREFERENCES_CHANGED, uow.actor, uow.now,
        visible=False, bumps_version=False,
        quiet_hours=quiet_hours, takes_questions=takes_questions, stop=scope,
        channels=[channel.value for channel, _ in stopped],
    )  # fmt: skip

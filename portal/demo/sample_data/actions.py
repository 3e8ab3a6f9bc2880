"""What people do in a story: each deed is one of the relay's own verbs, by the right hand."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from portal import operations
from portal.demo.sample_data.sample_request import Life
from portal.messaging.email.inbound import ReceivedMail
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    Channel,
    ContactChannel,
    ContactReason,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import Order
from portal.queries.requests import find_open_requests

Deed = Callable[[Life], Awaitable[None]]


async def open_request(life: Life) -> None:
    """The customer called, and somebody at the first department opened the request."""
    order = Order(life.story.workflow, life.customer, title=life.said(life.title))
    turn = life.turn(await life.first_hand())
    life.request = await operations.open_request(turn, order)


def accept(stage: str) -> Deed:
    """Somebody of the receiving department takes it up; nothing where nothing waits there."""

    async def deed(life: Life) -> None:
        run = life.open_run(stage)
        if run is not None and life.request.waiting_handoff(run):
            taker = await life.anybody_in(run.department_id)
            await operations.accept(life.turn(taker), life.request, stage=stage)

    return deed


def advance(stage: str) -> Deed:
    """Whoever has the stage has done it."""

    async def deed(life: Life) -> None:
        run = life.open_run(stage)
        hand = await life.hand(run.assignee_id if run else life.request.owner_id)
        await operations.advance(life.turn(hand), life.request, stage=stage)

    return deed


def hear(stage: str, words: str) -> Deed:
    """The third party that does the stage says something; nothing where nobody has taken it up."""

    async def deed(life: Life) -> None:
        run = life.open_run(stage)
        if run is not None and run.reached_at is not None:
            await operations.hear_from_third_party(
                life.turn(KEPT), life.request, stage=stage, words=words,
                tracking_number=f"JD0146{life.request.id or 0:06}",
            )  # fmt: skip

    return deed


def send_back(stage: str, reason: str) -> Deed:
    """Whoever has it finds that an earlier stage must run again."""

    async def deed(life: Life) -> None:
        turn = life.turn(await life.owner())
        await operations.send_back(turn, life.request, stage=stage, reason=life.said(reason))

    return deed


def hold(reason: str, length: timedelta) -> Deed:
    """Its owner puts it aside."""

    async def deed(life: Life) -> None:
        turn = life.turn(await life.owner())
        await operations.hold(turn, life.request, reason=life.said(reason), until=life.now + length)

    return deed


def cancel(reason: str) -> Deed:
    """It is ended without the thing done."""

    async def deed(life: Life) -> None:
        await operations.cancel(
            life.turn(await life.owner()), life.request, reason=life.said(reason)
        )

    return deed


def write_in(words: str) -> Deed:
    """The customer writes: by text or mail, or on their page where a text could mean several."""

    async def deed(life: Life) -> None:
        turn, sid, own = life.turn(THE_CUSTOMER), uuid.uuid4().hex, life.said(words)
        customer = life.request.customer
        phone = customer.address(Channel.SMS, life.now)
        email = customer.address(Channel.EMAIL, life.now)
        if phone and len(await find_open_requests(turn.session, Channel.SMS, phone)) == 1:
            to = turn.settings.twilio_from_number or ""
            await operations.receive_text(turn, sid=f"SM{sid}", sender=phone, to=to, body=own)
        elif email and not phone:
            to = turn.settings.mail_from or ""
            mail = ReceivedMail(
                message_id=f"<{sid}@example.com>", sender=email, recipients=to, words=own
            )
            await operations.receive_email(turn, mail, life.request.id or 0)
        else:
            await operations.receive_web_message(turn, life.request, own)

    return deed


def answer(words: str) -> Deed:
    """The customer answers what they were asked."""
    return write_in(words)


def reply(words: str) -> Deed:
    """Whoever has the request writes back."""

    async def deed(life: Life) -> None:
        await operations.write_to_customer(
            life.turn(await life.owner()), life.request, life.said(words)
        )

    return deed


def log_call(note: str) -> Deed:
    """The customer called; it is written down."""

    async def deed(life: Life) -> None:
        await operations.log_contact(
            life.turn(await life.owner()), life.request,
            channel=ContactChannel.CALL, reason=ContactReason.WHERE_IS_IT, note=note,
        )  # fmt: skip

    return deed


def promise(text: str, due_at: datetime) -> Deed:
    """The owner promises something by a time."""

    async def deed(life: Life) -> None:
        await operations.make_promise(
            life.turn(await life.owner()), life.request, text=life.said(text), due_at=due_at
        )

    return deed


async def keep_promise(life: Life) -> None:
    """The owner has done it."""
    turn = life.turn(await life.owner())
    await operations.keep_promise(turn, life.request, _promised(life.request))


def move_promise(due_at: datetime, reason: str) -> Deed:
    """The owner needs longer, and says why."""

    async def deed(life: Life) -> None:
        turn = life.turn(await life.owner())
        number = _promised(life.request)
        await operations.move_promise(turn, life.request, number, due_at=due_at, reason=reason)

    return deed


async def do_what_is_due(life: Life) -> None:
    """What the sweep does by itself: asks, reminds, and tells what the customer must hear."""
    await operations.ask_what_is_due(life.turn(KEPT), life.request)
    await operations.tell_in_time(life.turn(KEPT), life.request)


def _promised(request: ServiceRequest) -> int:
    """The newest promise that somebody made; answers are promised by Kept."""
    return [one.id or 0 for one in request.promises if one.kind == PromiseKind.OTHER][-1]

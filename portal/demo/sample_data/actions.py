"""What people do in a story: each deed is one of the relay's own verbs, by the right hand."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from portal import operations
from portal.demo.sample_data.sample_request import SampleRequest
from portal.messaging.email.inbound import InboundEmail
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Channel,
    ContactChannel,
    ContactReason,
    PromiseKind,
    ServiceRequest,
)
from portal.operations import RequestDetails
from portal.queries.requests import find_open_requests

SampleAction = Callable[[SampleRequest], Awaitable[None]]


async def open_request(sample: SampleRequest) -> None:
    """The customer called, and somebody at the first department opened the request."""
    order = RequestDetails(
        sample.scenario.workflow, sample.customer, title=sample.translated(sample.title)
    )
    uow = sample.begin(await sample.first_department_member())
    sample.request = await operations.open_request(uow, order)


def accept(stage: str) -> SampleAction:
    """Somebody of the receiving department takes it up; nothing where nothing waits there."""

    async def action(sample: SampleRequest) -> None:
        run = sample.open_run(stage)
        if run is not None and sample.request.pending_handoff(run):
            taker = await sample.department_member(run.department_id)
            await operations.accept(sample.begin(taker), sample.request, stage=stage)

    return action


def advance(stage: str) -> SampleAction:
    """Whoever has the stage has done it."""

    async def action(sample: SampleRequest) -> None:
        run = sample.open_run(stage)
        staff_actor = await sample.staff_actor(run.assignee_id if run else sample.request.owner_id)
        await operations.advance(sample.begin(staff_actor), sample.request, stage=stage)

    return action


def third_party_update(stage: str, words: str) -> SampleAction:
    """The third party that does the stage says something; nothing where nobody has taken it up."""

    async def action(sample: SampleRequest) -> None:
        run = sample.open_run(stage)
        if run is not None and run.reached_at is not None:
            await operations.record_third_party_update(
                sample.begin(SYSTEM_ACTOR), sample.request, stage=stage, words=words,
                tracking_number=f"JD0146{sample.request.id or 0:06}",
            )  # fmt: skip

    return action


def send_back(stage: str, reason: str) -> SampleAction:
    """Whoever has it finds that an earlier stage must run again."""

    async def action(sample: SampleRequest) -> None:
        uow = sample.begin(await sample.owner())
        await operations.send_back(
            uow, sample.request, stage=stage, reason=sample.translated(reason)
        )

    return action


def hold(reason: str, length: timedelta) -> SampleAction:
    """Its owner puts it aside."""

    async def action(sample: SampleRequest) -> None:
        uow = sample.begin(await sample.owner())
        await operations.hold(
            uow, sample.request, reason=sample.translated(reason), until=sample.now + length
        )

    return action


def cancel(reason: str) -> SampleAction:
    """It is ended without the thing done."""

    async def action(sample: SampleRequest) -> None:
        await operations.cancel(
            sample.begin(await sample.owner()), sample.request, reason=sample.translated(reason)
        )

    return action


def customer_writes(words: str) -> SampleAction:
    """The customer writes: by text or mail, or on their page where a text could mean several."""

    async def action(sample: SampleRequest) -> None:
        uow, sid, own = sample.begin(CUSTOMER_ACTOR), uuid.uuid4().hex, sample.translated(words)
        customer = sample.request.customer
        phone = customer.address(Channel.SMS, sample.now)
        email = customer.address(Channel.EMAIL, sample.now)
        if phone and len(await find_open_requests(uow.session, Channel.SMS, phone)) == 1:
            to = uow.settings.twilio_from_number or ""
            await operations.receive_text(uow, sid=f"SM{sid}", sender=phone, to=to, body=own)
        elif email and not phone:
            to = uow.settings.mail_from or ""
            mail = InboundEmail(
                message_id=f"<{sid}@example.com>", sender=email, recipients=to, words=own
            )
            await operations.receive_email(uow, mail, sample.request.id or 0)
        else:
            await operations.receive_web_message(uow, sample.request, own)

    return action


def answer(words: str) -> SampleAction:
    """The customer answers what they were asked."""
    return customer_writes(words)


def reply(words: str) -> SampleAction:
    """Whoever has the request writes back."""

    async def action(sample: SampleRequest) -> None:
        await operations.write_to_customer(
            sample.begin(await sample.owner()), sample.request, sample.translated(words)
        )

    return action


def log_call(note: str) -> SampleAction:
    """The customer called; it is written down."""

    async def action(sample: SampleRequest) -> None:
        await operations.log_contact(
            sample.begin(await sample.owner()), sample.request,
            channel=ContactChannel.CALL, reason=ContactReason.WHERE_IS_IT, note=note,
        )  # fmt: skip

    return action


def promise(text: str, due_at: datetime) -> SampleAction:
    """The owner promises something by a time."""

    async def action(sample: SampleRequest) -> None:
        await operations.make_promise(
            sample.begin(await sample.owner()),
            sample.request,
            text=sample.translated(text),
            due_at=due_at,
        )

    return action


async def keep_promise(sample: SampleRequest) -> None:
    """The owner has done it."""
    uow = sample.begin(await sample.owner())
    await operations.keep_promise(uow, sample.request, _promised(sample.request))


def move_promise(due_at: datetime, reason: str) -> SampleAction:
    """The owner needs longer, and says why."""

    async def action(sample: SampleRequest) -> None:
        uow = sample.begin(await sample.owner())
        number = _promised(sample.request)
        await operations.move_promise(uow, sample.request, number, due_at=due_at, reason=reason)

    return action


async def run_due_work(sample: SampleRequest) -> None:
    """What the sweep does by itself: asks, reminds, and tells what the customer must hear."""
    await operations.run_due_follow_ups(sample.begin(SYSTEM_ACTOR), sample.request)
    await operations.send_due_updates(sample.begin(SYSTEM_ACTOR), sample.request)


def _promised(request: ServiceRequest) -> int:
    """The newest promise that somebody made; answers are promised by Kept."""
    return [one.id or 0 for one in request.promises if one.kind == PromiseKind.OTHER][-1]

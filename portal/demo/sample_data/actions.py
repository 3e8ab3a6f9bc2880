"""The actions of a scenario: each is one of the product's operations, by the right actor."""

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
    ThirdPartyCode,
)
from portal.models.columns import saved_id
from portal.operations import RequestDetails, ThirdPartyReport
from portal.queries.requests import find_open_requests
from portal.rules.question_planning import questions_put_by

ScenarioAction = Callable[[SampleRequest], Awaitable[None]]

COURIER_CODES = (
    (0.1, ThirdPartyCode.PICKED_UP),
    (0.5, ThirdPartyCode.AT_DEPOT),
    (0.9, ThirdPartyCode.OUT_FOR_DELIVERY),
)
"""What a courier reports, each after this part of its stage."""


async def open_request(sample: SampleRequest) -> None:
    """A colleague of the first department opens the request for a customer who calls."""
    order = RequestDetails(
        sample.scenario.workflow, sample.customer, title=sample.translated(sample.title)
    )
    uow = sample.begin(await sample.opener())
    sample.request = await operations.open_request(uow, order)


def accept(stage: str) -> ScenarioAction:
    """A colleague of the receiving department accepts the handoff, if one waits."""

    async def action(sample: SampleRequest) -> None:
        run = sample.open_run(stage)
        if run is not None and sample.request.pending_handoff(run):
            person = await sample.colleague_of(run.department_id)
            await operations.accept(sample.begin(person), sample.request, stage=stage)

    return action


SAMPLE_FIELDS = {"amount": "£95"}
"""The values of the fields of questions in the sample data."""


def advance(stage: str) -> ScenarioAction:
    """The assignee of the stage completes it."""

    async def action(sample: SampleRequest) -> None:
        run = sample.open_run(stage)
        assignee = await sample.assignee(run.assignee_id if run else sample.request.owner_id)
        questions = questions_put_by(sample.request, run) if run else []
        fields = {name: SAMPLE_FIELDS[name] for question in questions for name in question.fields}
        await operations.advance(sample.begin(assignee), sample.request, stage=stage, fields=fields)

    return action


def record_third_party(stage: str, code: ThirdPartyCode) -> ScenarioAction:
    """The third party of the stage reports; nothing before the handoff is accepted."""

    async def action(sample: SampleRequest) -> None:
        run = sample.open_run(stage)
        if run is not None and run.reached_at is not None:
            report = ThirdPartyReport(number=f"JD0146{saved_id(sample.request):06}", code=code)
            await operations.record_third_party_event(
                sample.begin(SYSTEM_ACTOR), sample.request, report, stage=stage
            )

    return action


def send_back(stage: str, reason: str) -> ScenarioAction:
    """The owner sends the request back to an earlier stage."""

    async def action(sample: SampleRequest) -> None:
        uow = sample.begin(await sample.owner())
        await operations.send_back(
            uow, sample.request, stage=stage, reason=sample.translated(reason)
        )

    return action


def hold(reason: str, length: timedelta) -> ScenarioAction:
    """The owner puts the request on hold."""

    async def action(sample: SampleRequest) -> None:
        uow = sample.begin(await sample.owner())
        await operations.hold(
            uow, sample.request, reason=sample.translated(reason), until=sample.now + length
        )

    return action


def cancel(reason: str) -> ScenarioAction:
    """The owner cancels the request."""

    async def action(sample: SampleRequest) -> None:
        await operations.cancel(
            sample.begin(await sample.owner()), sample.request, reason=sample.translated(reason)
        )

    return action


def customer_writes(words: str) -> ScenarioAction:
    """The customer writes: by text or mail, or on the page where a text could mean several."""

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
            await operations.receive_email(uow, mail, saved_id(sample.request))
        else:
            await operations.receive_web_message(uow, sample.request, own)

    return action


def answer(words: str) -> ScenarioAction:
    """The customer answers a question."""
    return customer_writes(words)


def reply(words: str) -> ScenarioAction:
    """The owner writes to the customer."""

    async def action(sample: SampleRequest) -> None:
        await operations.write_to_customer(
            sample.begin(await sample.owner()), sample.request, sample.translated(words)
        )

    return action


def log_call(note: str) -> ScenarioAction:
    """The owner logs a call of the customer."""

    async def action(sample: SampleRequest) -> None:
        await operations.log_contact(
            sample.begin(await sample.owner()), sample.request,
            channel=ContactChannel.CALL, reason=ContactReason.WHERE_IS_IT, note=note,
        )  # fmt: skip

    return action


def promise(text: str, due_at: datetime) -> ScenarioAction:
    """The owner makes a promise."""

    async def action(sample: SampleRequest) -> None:
        await operations.make_promise(
            sample.begin(await sample.owner()),
            sample.request,
            text=sample.translated(text),
            due_at=due_at,
        )

    return action


async def keep_promise(sample: SampleRequest) -> None:
    """The owner keeps the newest promise."""
    uow = sample.begin(await sample.owner())
    await operations.keep_promise(uow, sample.request, _newest_promise_id(sample.request))


def move_promise(due_at: datetime, reason: str) -> ScenarioAction:
    """The owner moves the newest promise, with a reason."""

    async def action(sample: SampleRequest) -> None:
        uow = sample.begin(await sample.owner())
        number = _newest_promise_id(sample.request)
        await operations.move_promise(uow, sample.request, number, due_at=due_at, reason=reason)

    return action


async def run_due_work(sample: SampleRequest) -> None:
    """What the sweep does: send follow-ups, reminders and updates that are due."""
    await operations.run_due_follow_ups(sample.begin(SYSTEM_ACTOR), sample.request)
    await operations.send_due_updates(sample.begin(SYSTEM_ACTOR), sample.request)


def _newest_promise_id(request: ServiceRequest) -> int:
    """The newest promise that staff made; Kept promises answers by itself."""
    promises = [promise for promise in request.promises if promise.kind == PromiseKind.OTHER]
    return saved_id(promises[-1])

"""Whatever the carrier responds, the customer gets a text once, and other texts do not wait."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import httpx2
import pytest
from sqlmodel import col, select

from portal.business_time import now
from portal.demo.fake_providers import FakeProviders
from portal.models import Consent, DroppedBall, DroppedBallKind, Message, MessageStatus
from portal.operations import write_to_customer
from tests.faults.message_outcomes import (
    SENT_STATUSES,
    STARTS_WITHIN,
    dropped_balls_for,
    open_request_for,
    shift_times_back,
    wait_for_status,
)
from tests.support.factories import Organisation
from tests.support.processes import eventually
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.worker


async def test_429_is_retried_to_one_send_without_starvation(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """429 for one number: tried again, later each time; everybody else's text goes meanwhile."""
    carrier.fault("status_429", to=phone)
    throttled = await open_request_for(organisation, phone)
    others = [_near(phone, n) for n in range(1, 6)]
    for other in others:
        await open_request_for(organisation, other)
    await carrier.wait_for(
        lambda: all(len(carrier.texts_to(number)) == 1 for number in others), STARTS_WITHIN
    )
    assert carrier.texts_to(phone) == ()
    carrier.faults.clear()
    message = await wait_for_status(organisation, throttled, *SENT_STATUSES)
    assert len(carrier.texts_to(phone)) == 1
    assert message.attempts > 1
    assert not message.possible_duplicate


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("status_500", {"accepted": True}),
        ("status_502_html", {"accepted": True}),
        ("truncate_201", {}),
        ("refuse_after_accept", {}),
        ("hang", {"seconds": 4}),
    ],
)
async def test_lost_response_is_reconciled_and_not_resent(
    fault: str,
    more: dict[str, object],
    organisation: Organisation,
    carrier: FakeProviders,
    phone: str,
) -> None:
    """500, 502, half a 201, a dropped connection, no answer in time: one text, and its sid."""
    carrier.fault("no_callback", to=phone)  # Else the callback would say it first.
    carrier.fault(fault, to=phone, times=1, **more)
    request = await open_request_for(organisation, phone)
    message = await wait_for_status(organisation, request, *SENT_STATUSES)
    (text,) = carrier.texts_to(phone)
    assert message.provider_sid == text.sid
    assert not message.possible_duplicate
    assert message.attempts == 1


@pytest.mark.parametrize("fault", ["status_500", "drop_connection_before"])
async def test_unreconciled_send_is_resent_once_with_marker(
    fault: str, organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """After two looks in vain a milestone goes again, and staff see why."""
    carrier.fault(fault, to=phone, times=1)
    request = await open_request_for(organisation, phone)
    message = await wait_for_status(organisation, request, *SENT_STATUSES)
    assert len(carrier.texts_to(phone)) == 1
    assert message.possible_duplicate
    assert message.attempts == 2


async def test_text_accepted_twice_needs_action_by_staff(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """It took the first try when two looks had found nothing: the second sid is raised, once."""
    carrier.fault("accept_late", to=phone, seconds=2.5, times=1)
    request = await open_request_for(organisation, phone)
    await carrier.wait_for(lambda: len(carrier.texts_to(phone)) == 2, STARTS_WITHIN)

    async def raised() -> Sequence[DroppedBall]:
        return await dropped_balls_for(
            organisation.database, (await organisation.outbound_messages(request))[0]
        )

    (ball,) = await eventually(raised)
    assert (ball.kind, ball.owner_id) == (DroppedBallKind.SENT_TWICE, request.owner_id)
    message = await wait_for_status(organisation, request, MessageStatus.DELIVERED)
    assert message.possible_duplicate


async def test_text_that_always_fails_needs_action_and_blocks_no_other(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """A poison message: after its tries it is for the request's owner; others went meanwhile."""
    carrier.fault("status_500", to=phone)
    poisoned = await open_request_for(organisation, phone)
    other = _near(phone, 1)
    await open_request_for(organisation, other)
    await carrier.wait_for(lambda: carrier.texts_to(other), STARTS_WITHIN)
    message = await wait_for_status(organisation, poisoned, MessageStatus.REVIEW)
    assert message.attempts == 2
    (ball,) = await dropped_balls_for(organisation.database, message)
    assert (ball.kind, ball.owner_id) == (DroppedBallKind.OUTCOME_UNKNOWN, poisoned.owner_id)


async def test_slow_carrier_blocks_no_page_and_no_writer(
    organisation: Organisation, shared_stack: RunningStack, carrier: FakeProviders, phone: str
) -> None:
    """While it takes its time with thirty texts, pages are quick and the database is free."""
    slow = [_near(phone, n) for n in range(1, 31)]
    for number in slow:
        carrier.fault("hang", to=number, seconds=2, times=1)
        await open_request_for(organisation, number)
    await carrier.wait_for(lambda: all(carrier.texts_to(number) for number in slow), STARTS_WITHIN)
    request = await open_request_for(
        organisation, phone
    )  # A write, while all thirty calls are open.
    async with httpx2.AsyncClient(base_url=shared_stack.origin) as browser:
        started = time.monotonic()
        answer = await browser.get(f"/r/{request.links[-1].token}")
        assert time.monotonic() - started < 0.5
    assert answer.status_code == 200
    await wait_for_status(organisation, request, *SENT_STATUSES)


async def test_opt_out_reported_by_the_carrier_is_recorded_and_obeyed(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """21610: from now on the stop is ours too, and nothing more is tried."""
    carrier.fault("error", to=phone, code=21610, times=1)
    request = await open_request_for(organisation, phone)
    message = await wait_for_status(organisation, request, MessageStatus.FAILED)
    assert message.error_code == "21610"
    await organisation.run(
        write_to_customer, request, by=organisation.people.tess.actor, body="Hello?"
    )
    await wait_for_status(organisation, request, MessageStatus.SUPPRESSED, place=1)
    query = select(Consent).where(col(Consent.address) == phone).order_by(col(Consent.id).desc())
    async with organisation.database.reading() as session:
        newest = (await session.exec(query.limit(1))).one()
    assert (newest.granted, newest.source) == (False, "carrier")
    assert carrier.texts_to(phone) == ()


async def test_wrong_credentials_pause_the_queue_with_one_alert_and_lose_nothing(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """20003: all texts wait, one person is told once; when it is right again, they go by themselves."""
    carrier.fault("error", code=20003)
    requests = [await open_request_for(organisation, _near(phone, n)) for n in range(4)]

    async def alerts() -> list[DroppedBall]:
        query = select(DroppedBall).where(
            col(DroppedBall.kind) == DroppedBallKind.SENDING_PAUSED,
            col(DroppedBall.resolved_at).is_(None),
        )
        async with organisation.database.reading() as session:
            return list((await session.exec(query)).all())

    (alert,) = await eventually(alerts)
    assert alert.owner_id is not None
    for request in requests:
        assert (await organisation.outbound_messages(request))[0].status in (
            MessageStatus.QUEUED,
            MessageStatus.SENDING,
        )
    carrier.faults.clear()
    for request in requests:
        message = await wait_for_status(organisation, request, *SENT_STATUSES)
        assert not message.possible_duplicate
    assert [len(carrier.texts_to(_near(phone, n))) for n in range(4)] == [1] * 4

    async def no_alert() -> bool:
        return not await alerts()

    await eventually(no_alert)


async def test_receipt_may_arrive_early_twice_or_out_of_order(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """Before the sid is stored, doubled, in reverse: each text ends delivered, under one sid."""
    faults = ("callback_before_answer", "callback_twice", "callback_reversed")
    numbers = [_near(phone, n) for n in range(3)]
    for fault, number in zip(faults, numbers, strict=True):
        carrier.fault(fault, to=number)
    requests = await asyncio.gather(*(open_request_for(organisation, number) for number in numbers))
    for request, number in zip(requests, numbers, strict=True):
        message = await wait_for_status(organisation, request, MessageStatus.DELIVERED)
        (text,) = carrier.texts_to(number)
        assert message.provider_sid == text.sid
        assert not message.possible_duplicate
        assert message.delivered_at is not None


async def test_missing_receipt_is_polled(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """No webhook tells of it: the carrier is asked, and says that it was delivered."""
    carrier.fault("no_callback", to=phone)
    request = await open_request_for(organisation, phone)
    await wait_for_status(organisation, request, MessageStatus.DELIVERED)


async def test_polling_ends_after_three_days_without_a_receipt(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """Some carriers never say: it stays as sent, which is all that is known."""
    carrier.fault("no_receipt", to=phone)
    request = await open_request_for(organisation, phone)
    await wait_for_status(organisation, request, MessageStatus.SENT)
    await shift_times_back(
        organisation.database, timedelta(days=3), "sent_at", "poll_at", request=request
    )

    async def given_up() -> Message | None:
        (message,) = await organisation.outbound_messages(request)
        return message if message.poll_at is None else None

    message = await eventually(given_up)
    assert message.status == MessageStatus.SENT
    assert message.has_no_receipt(now())


def _near(phone: str, number: int) -> str:
    """One of the numbers that are this test's own."""
    return f"+{int(phone) + number}"

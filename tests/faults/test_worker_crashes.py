"""Workers that are killed, stopped, suspended or absent: one text, and its SID is recorded."""

import asyncio
import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from portal.database import Database
from portal.models import Message, MessageStatus, SendAttempt, ServiceRequest
from portal.operations import CustomerDetails
from tests.faults.message_outcomes import (
    SENT_STATUSES,
    STARTS_WITHIN,
    shift_times_back,
    wait_for_status,
)
from tests.support.factories import Organisation
from tests.support.processes import eventually, fast_worker
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.worker
A_MINUTE = timedelta(seconds=60)


@pytest.fixture
def starts_web() -> bool:
    """Nobody calls, so nobody serves: what a worker learns here, it learns by itself."""
    return False


@pytest.mark.parametrize("moment", ["before the claim", "after the claim", "after acceptance"])
async def test_killed_worker_loses_and_duplicates_no_text(
    moment: str,
    own_stack: RunningStack,
    own_stack_organisation: Organisation,
    own_stack_request: ServiceRequest,
    phone: str,
) -> None:
    """`kill -9`: the next worker sends what was not sent, and finds what was."""
    carrier, database = own_stack.carrier, own_stack_organisation.database
    taken = moment == "after acceptance"
    if moment != "before the claim":
        carrier.fault("hang", to=phone, seconds=8, times=1, accepted=taken)
    async with fast_worker(own_stack.settings) as first:
        if moment == "before the claim":
            first.suspend()  # It is there, and comes to nothing.
        else:
            await carrier.wait_for(lambda: carrier.carrier.requests["create"], STARTS_WITHIN)
        await first.killed()
    await shift_times_back(database, A_MINUTE, "claimed_at")
    async with fast_worker(own_stack.settings):
        message = await wait_for_status(own_stack_organisation, own_stack_request, *SENT_STATUSES)
    (text,) = carrier.texts_to(phone)
    assert message.provider_sid == text.sid
    assert message.possible_duplicate == (moment == "after the claim")


async def test_stop_signal_finishes_current_send_and_claims_nothing(
    own_stack: RunningStack,
    own_stack_organisation: Organisation,
    own_stack_request: ServiceRequest,
    phone: str,
) -> None:
    """SIGTERM: the send ends, its outcome is written down, and the exit code is 0."""
    carrier = own_stack.carrier
    carrier.fault("hang", to=phone, seconds=0.5, times=1)
    async with fast_worker(own_stack.settings) as process:
        await carrier.wait_for(lambda: carrier.texts_to(phone), STARTS_WITHIN)
        assert await process.told(signal.SIGTERM) == 0
    async with own_stack_organisation.database.reading() as session:
        (attempt,) = (await session.exec(select(SendAttempt))).all()
    assert attempt.finished_at is not None
    message = await wait_for_status(own_stack_organisation, own_stack_request, *SENT_STATUSES)
    assert message.attempts == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_worker_suspended_past_its_claim_releases_it(
    own_stack: RunningStack, own_stack_organisation: Organisation
) -> None:
    """What it had claimed and not yet sent it leaves alone when it wakes: another may have it.

    A lock keeps it between its claim and the sending; only PostgreSQL has one for that.
    """
    by_mail = CustomerDetails(name="Martin Miller", email="martin@example.com")
    request = await own_stack_organisation.open(
        customer=by_mail, by=own_stack_organisation.people.tess.actor
    )
    async with (
        own_stack_organisation.database.engine.connect() as elsewhere,
        fast_worker(own_stack.settings) as sleeper,
    ):
        await elsewhere.execute(sa.text("LOCK TABLE service_request IN ACCESS EXCLUSIVE MODE"))
        await _claimed(own_stack_organisation.database)
        sleeper.suspend()
        await elsewhere.execute(sa.text("SELECT pg_sleep(2.7)"))  # Its claim holds for 2.5.
        await elsewhere.rollback()
        sleeper.resume()
        message = await wait_for_status(own_stack_organisation, request, MessageStatus.SENT)
    assert message.attempts == 2
    assert not message.possible_duplicate
    async with own_stack_organisation.database.reading() as session:
        attempts = (await session.exec(select(SendAttempt).order_by(col(SendAttempt.number)))).all()
    assert "too old" in attempts[0].error
    assert len(own_stack.carrier.mails_to("martin@example.com")) == 1


@pytest.mark.parametrize("ahead", [-3600, 3600])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_clock_jump_sends_nothing_early_or_twice(
    ahead: int,
    own_stack: RunningStack,
    own_stack_organisation: Organisation,
    own_stack_request: ServiceRequest,
    phone: str,
) -> None:
    """What is under way as it jumps is not begun anew, and what is due later is still due later."""
    carrier, database = own_stack.carrier, own_stack_organisation.database
    later = await own_stack_organisation.open(
        customer=CustomerDetails(name="Martha Miller", phone=f"+{int(phone) + 1}"),
        by=own_stack_organisation.people.tess.actor,
    )
    await shift_times_back(database, -timedelta(hours=2), "due_at", request=later)
    carrier.fault("hang", to=phone, seconds=8, times=1)
    async with fast_worker(own_stack.settings) as first:
        await carrier.wait_for(lambda: carrier.texts_to(phone), STARTS_WITHIN)
        await first.killed()
    async with fast_worker(own_stack.settings, ahead=ahead) as jumped:
        await jumped.said("at work")
        if ahead > 0:  # For it the claim is old: it looks, and finds what was taken.
            await wait_for_status(own_stack_organisation, own_stack_request, *SENT_STATUSES)
        assert await jumped.told(signal.SIGTERM) == 0
    await shift_times_back(database, A_MINUTE, "claimed_at")
    async with fast_worker(own_stack.settings):
        message = await wait_for_status(own_stack_organisation, own_stack_request, *SENT_STATUSES)
    assert len(carrier.texts_to(phone)) == 1
    assert not message.possible_duplicate
    (waiting,) = await own_stack_organisation.outbound_messages(later)
    assert (waiting.status, waiting.attempts) == (MessageStatus.QUEUED, 0)


@pytest.mark.parametrize("where", ["refused", "unknown name"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_unreachable_carrier_is_retried_until_it_answers(
    where: str,
    own_stack: RunningStack,
    own_stack_organisation: Organisation,
    own_stack_request: ServiceRequest,
    phone: str,
) -> None:
    """A refused connection, a name that does not resolve: surely not sent, so simply again."""
    nowhere = {"refused": "http://127.0.0.1:9", "unknown name": "http://carrier.invalid"}[where]
    lost = own_stack.settings.model_copy(update={"twilio_api_url": nowhere})
    async with fast_worker(lost) as worker:

        async def tried_twice() -> bool:
            (message,) = await own_stack_organisation.outbound_messages(own_stack_request)
            return message.attempts > 1

        await eventually(tried_twice)
        await worker.told(signal.SIGTERM)
    await shift_times_back(own_stack_organisation.database, A_MINUTE, "due_at")
    async with fast_worker(own_stack.settings):
        message = await wait_for_status(own_stack_organisation, own_stack_request, *SENT_STATUSES)
    assert len(own_stack.carrier.texts_to(phone)) == 1
    assert not message.possible_duplicate


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_after_a_day_without_a_worker_each_message_is_sent_or_expired(
    own_stack: RunningStack,
    own_stack_organisation: Organisation,
    own_stack_request: ServiceRequest,
    phone: str,
) -> None:
    """What is still true goes; what would only confuse is kept back, with the reason."""
    database, times = own_stack_organisation.database, ("created_at", "due_at", "expires_at")
    await shift_times_back(database, timedelta(days=3), *times)
    late = f"+{int(phone) + 1}"
    customer = CustomerDetails(name="Martha Miller", phone=late)
    second = await own_stack_organisation.open(
        customer=customer, by=own_stack_organisation.people.tess.actor
    )
    await shift_times_back(database, timedelta(days=1), *times)
    async with fast_worker(own_stack.settings):
        await wait_for_status(own_stack_organisation, second, *SENT_STATUSES)
        expired = await wait_for_status(
            own_stack_organisation, own_stack_request, MessageStatus.EXPIRED
        )
    assert expired.reason
    assert own_stack.carrier.texts_to(phone) == ()
    assert len(own_stack.carrier.texts_to(late)) == 1


async def _claimed(database: Database) -> None:
    """Wait until something is claimed; read by rows, as the requests are locked."""

    async def look() -> bool:
        query = select(Message.id).where(col(Message.status) == MessageStatus.SENDING)
        async with database.reading() as session:
            return (await session.exec(query)).first() is not None

    await eventually(look)


async def test_stopped_worker_ends_while_the_database_is_locked(
    own_stack: RunningStack, own_stack_organisation: Organisation
) -> None:
    """A database call that waits for somebody else's lock does not keep the process."""
    database = own_stack_organisation.database
    async with fast_worker(own_stack.settings) as worker:
        await worker.said("at work")
        async with database.transaction() as session:
            connection = await session.connection()  # SQLite is locked from here on.
            if not database.is_sqlite:
                await connection.execute(sa.text("LOCK TABLE heartbeat"))
            await asyncio.sleep(
                3 * own_stack.settings.sweep_seconds
            )  # Who waits for a lock is silent.
            assert await worker.told(signal.SIGTERM) == 0
        assert "a round did not end in time" in worker.stderr

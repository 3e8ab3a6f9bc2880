"""Workers that are killed, stopped, frozen or were away: one text, and its sid is found."""

import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from portal.database import Database
from portal.models import Message, MessageStatus, SendAttempt, ServiceRequest
from portal.operations import CustomerDetails
from tests.faults.message_outcomes import GONE_OUT, STARTS_WITHIN, age, reached
from tests.support.factories import House
from tests.support.processes import eventually, hasty_worker
from tests.support.running_stack import Installation

pytestmark = pytest.mark.worker
A_MINUTE = timedelta(seconds=60)


@pytest.fixture
def serving() -> bool:
    """Nobody calls, so nobody serves: what a worker learns here, it learns by itself."""
    return False


@pytest.mark.parametrize("moment", ["before the claim", "after the claim", "after acceptance"])
async def test_a_worker_killed_at_any_moment_costs_no_text_and_doubles_none(
    moment: str,
    site: Installation,
    site_house: House,
    sites_request: ServiceRequest,
    phone: str,
) -> None:
    """`kill -9`: the next worker sends what was not sent, and finds what was."""
    carrier, database = site.carrier, site_house.database
    taken = moment == "after acceptance"
    if moment != "before the claim":
        carrier.fault("hang", to=phone, seconds=8, times=1, accepted=taken)
    async with hasty_worker(site.settings) as first:
        if moment == "before the claim":
            first.freeze()  # It is there, and comes to nothing.
        else:
            await carrier.wait_for(lambda: carrier.carrier.requests["create"], STARTS_WITHIN)
        await first.killed()
    await age(database, A_MINUTE, "claimed_at")
    async with hasty_worker(site.settings):
        message = await reached(site_house, sites_request, *GONE_OUT)
    (text,) = carrier.texts_to(phone)
    assert message.provider_sid == text.sid
    assert message.possible_duplicate == (moment == "after the claim")


async def test_told_to_stop_in_a_send_it_finishes_that_and_claims_nothing_more(
    site: Installation, site_house: House, sites_request: ServiceRequest, phone: str
) -> None:
    """SIGTERM: the send ends, its outcome is written down, and the exit code is 0."""
    carrier = site.carrier
    carrier.fault("hang", to=phone, seconds=0.5, times=1)
    async with hasty_worker(site.settings) as process:
        await carrier.wait_for(lambda: carrier.texts_to(phone), STARTS_WITHIN)
        assert await process.told(signal.SIGTERM) == 0
    async with site_house.database.reading() as session:
        (attempt,) = (await session.exec(select(SendAttempt))).all()
    assert attempt.finished_at is not None
    message = await reached(site_house, sites_request, *GONE_OUT)
    assert message.attempts == 1


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_worker_frozen_past_its_claim_gives_it_up(
    site: Installation, site_house: House
) -> None:
    """What it had claimed and not yet sent it leaves alone when it wakes: another may have it.

    A lock keeps it between its claim and the sending; only PostgreSQL has one for that.
    """
    by_mail = CustomerDetails(name="Martin Miller", email="martin@example.com")
    request = await site_house.open(customer=by_mail, by=site_house.people.tess.actor)
    async with (
        site_house.database.engine.connect() as elsewhere,
        hasty_worker(site.settings) as sleeper,
    ):
        await elsewhere.execute(sa.text("LOCK TABLE service_request IN ACCESS EXCLUSIVE MODE"))
        await _claimed(site_house.database)
        sleeper.freeze()
        await elsewhere.execute(sa.text("SELECT pg_sleep(2.7)"))  # Its claim holds for 2.5.
        await elsewhere.rollback()
        sleeper.thaw()
        message = await reached(site_house, request, MessageStatus.SENT)
    assert message.attempts == 2
    assert not message.possible_duplicate
    async with site_house.database.reading() as session:
        attempts = (await session.exec(select(SendAttempt).order_by(col(SendAttempt.number)))).all()
    assert "too old" in attempts[0].error
    assert len(site.carrier.mails_to("martin@example.com")) == 1


@pytest.mark.parametrize("ahead", [-3600, 3600])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_clock_that_jumps_an_hour_sends_nothing_early_and_nothing_twice(
    ahead: int, site: Installation, site_house: House, sites_request: ServiceRequest, phone: str
) -> None:
    """What is under way as it jumps is not begun anew, and what is due later is still due later."""
    carrier, database = site.carrier, site_house.database
    later = await site_house.open(
        customer=CustomerDetails(name="Martha Miller", phone=f"+{int(phone) + 1}"),
        by=site_house.people.tess.actor,
    )
    await age(database, -timedelta(hours=2), "due_at", request=later)
    carrier.fault("hang", to=phone, seconds=8, times=1)
    async with hasty_worker(site.settings) as first:
        await carrier.wait_for(lambda: carrier.texts_to(phone), STARTS_WITHIN)
        await first.killed()
    async with hasty_worker(site.settings, ahead=ahead) as jumped:
        await jumped.said("at work")
        if ahead > 0:  # For it the claim is old: it looks, and finds what was taken.
            await reached(site_house, sites_request, *GONE_OUT)
        assert await jumped.told(signal.SIGTERM) == 0
    await age(database, A_MINUTE, "claimed_at")
    async with hasty_worker(site.settings):
        message = await reached(site_house, sites_request, *GONE_OUT)
    assert len(carrier.texts_to(phone)) == 1
    assert not message.possible_duplicate
    (waiting,) = await site_house.told(later)
    assert (waiting.status, waiting.attempts) == (MessageStatus.QUEUED, 0)


@pytest.mark.parametrize("where", ["refused", "unknown name"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_carrier_that_cannot_be_reached_is_tried_until_it_can(
    where: str, site: Installation, site_house: House, sites_request: ServiceRequest, phone: str
) -> None:
    """A refused connection, a name that does not resolve: surely not sent, so simply again."""
    nowhere = {"refused": "http://127.0.0.1:9", "unknown name": "http://carrier.invalid"}[where]
    lost = site.settings.model_copy(update={"twilio_api_url": nowhere})
    async with hasty_worker(lost) as worker:

        async def tried_twice() -> bool:
            (message,) = await site_house.told(sites_request)
            return message.attempts > 1

        await eventually(tried_twice)
        await worker.told(signal.SIGTERM)
    await age(site_house.database, A_MINUTE, "due_at")
    async with hasty_worker(site.settings):
        message = await reached(site_house, sites_request, *GONE_OUT)
    assert len(site.carrier.texts_to(phone)) == 1
    assert not message.possible_duplicate


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_after_a_day_without_a_worker_everything_is_sent_or_visibly_expired(
    site: Installation, site_house: House, sites_request: ServiceRequest, phone: str
) -> None:
    """What is still true goes; what would only confuse is kept back, with the reason."""
    database, times = site_house.database, ("created_at", "due_at", "expires_at")
    await age(database, timedelta(days=3), *times)
    late = f"+{int(phone) + 1}"
    customer = CustomerDetails(name="Martha Miller", phone=late)
    second = await site_house.open(customer=customer, by=site_house.people.tess.actor)
    await age(database, timedelta(days=1), *times)
    async with hasty_worker(site.settings):
        await reached(site_house, second, *GONE_OUT)
        expired = await reached(site_house, sites_request, MessageStatus.EXPIRED)
    assert expired.reason
    assert site.carrier.texts_to(phone) == ()
    assert len(site.carrier.texts_to(late)) == 1


async def _claimed(database: Database) -> None:
    """Wait until something is claimed; read by rows, as the requests are locked."""

    async def look() -> bool:
        query = select(Message.id).where(col(Message.status) == MessageStatus.SENDING)
        async with database.reading() as session:
            return (await session.exec(query)).first() is not None

    await eventually(look)

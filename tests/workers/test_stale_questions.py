"""Questions and first texts after quiet hours."""

from datetime import timedelta

import pytest

from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, Answer, DeliveryReason, MessageStatus
from portal.operations import (
    CustomerDetails,
    Operations,
    advance,
    answer_follow_up,
    run_due_follow_ups,
    write_to_customer,
)
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, delivered_bodies
from tests.workers.nights import DAY, HOURS, MORNING, NIGHT, dropped, moved_on

pytestmark = pytest.mark.either_database


MARTHA = CustomerDetails("Martha Miller", phone="+14155550133", timezone="America/New_York")


@pytest.fixture
def organisation(clock, organisation, settings, database) -> Organisation:
    """The house at two in the afternoon in New York; its quiet hours are from nine to eight."""
    told = settings.model_copy(update={"quiet_hours": HOURS, "mail_quiet_hours": HOURS})
    organisation.operations = Operations(told, database, JobQueue(None), LiveUpdates(None))
    clock.move_to(DAY)
    return organisation


@pytest.fixture
def send(organisation):
    """One pass of a worker over all that is due; gives what the phone shows after it."""

    async def send(phone: FakeSmsGateway) -> list[str]:
        return await delivered_bodies(organisation.operations, phone)

    return send


async def asked_by_night(clock, organisation, send):
    """A repair whose quote is put to Martin at night."""
    request = await organisation.open("repair", by=SYSTEM_ACTOR)
    await send(FakeSmsGateway())
    clock.move_to(NIGHT)
    await organisation.run(advance, request, by=SYSTEM_ACTOR)
    return await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)


async def test_question_and_milestone_are_both_sent_after_quiet_hours(clock, organisation, send):
    """A question is no news: what it asks only it says."""
    await asked_by_night(clock, organisation, send)
    clock.move_to(MORNING)
    milestone, question = await send(FakeSmsGateway())
    assert "Your quote is ready" in milestone
    assert "Shall we go ahead?" in question


@pytest.mark.parametrize("ends_by", ["an answer", "the next stage"])
async def test_closed_question_is_not_sent(clock, organisation, send, ends_by):
    """They said YES on their page, or staff went on without: the question is dropped."""
    request = await asked_by_night(clock, organisation, send)
    if ends_by == "an answer":
        async with organisation.operations.begin(CUSTOMER_ACTOR) as uow:
            held = await uow.lock(request.reference)
            await answer_follow_up(uow, held, held.follow_ups[0], Answer.YES)
        why = DeliveryReason.QUESTION_ANSWERED
    else:
        await organisation.run(advance, request, by=SYSTEM_ACTOR)
        why = DeliveryReason.QUESTION_CLOSED
    clock.move_to(MORNING)
    (text,) = await send(FakeSmsGateway())
    assert "Your device is being repaired" in text
    assert ("follow_up", why) in await dropped(organisation, request)


async def test_delayed_question_is_sent_without_its_reminder(clock, organisation, send):
    """No worker for two days: the question goes, and a reminder right after it does not."""
    request = await asked_by_night(clock, organisation, send)
    clock.shift(timedelta(days=1))
    await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)
    clock.move_to(MORNING + timedelta(days=1))
    texts = await send(FakeSmsGateway())
    assert [text for text in texts if "Shall we go ahead?" in text] == texts[-1:]
    assert "once more" not in texts[-1]
    assert [kind for kind, _ in await dropped(organisation, request)] == ["reminder"]


async def test_reminder_is_sent_where_the_question_was_on_time(clock, organisation, send):
    """The ordinary case: asked in the morning, reminded the day after."""
    request = await asked_by_night(clock, organisation, send)
    clock.move_to(MORNING)
    await send(FakeSmsGateway())
    clock.shift(timedelta(days=1))
    await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)
    (text,) = await send(FakeSmsGateway())
    assert "once more" in text


async def test_first_text_sent_has_brand_and_opt_out_hint(clock, organisation, send):
    """The one that was to say so was dropped; nobody else at that number is told again."""
    clock.move_to(NIGHT)
    request = await organisation.open(customer=MARTHA, by=SYSTEM_ACTOR)
    first = (await organisation.outbound_messages(request))[0]
    assert first.body.endswith("STOP to end")
    await moved_on(organisation, request)
    clock.move_to(MORNING)
    await organisation.run(
        write_to_customer, request, "Good morning!", by=organisation.people.uma.actor
    )
    milestone, words = await send(FakeSmsGateway())
    assert milestone.startswith("Acme Bank: ")
    assert milestone.endswith("STOP to end")
    assert words == "Uma at Acme Bank: Good morning!"
    sent = next(
        message
        for message in await organisation.outbound_messages(request)
        if message.body == milestone
    )
    assert (sent.status, sent.segments) == (MessageStatus.ACCEPTED, 1)


async def test_undelivered_first_text_does_not_count_as_introduction(organisation, send):
    """A text that failed told them nothing, so the next says who we are."""
    request = await organisation.open(customer=MARTHA, by=SYSTEM_ACTOR)
    await send(FakeSmsGateway(reject_code=30007))
    await organisation.run(
        write_to_customer, request, "Good morning!", by=organisation.people.tess.actor
    )
    assert await send(FakeSmsGateway()) == ["Tess at Acme Bank: Good morning! STOP to end"]

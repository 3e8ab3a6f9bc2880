"""A message that waited is sent only while it is current."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, Channel, DeliveryReason, ServiceRequest
from portal.operations import (
    Operations,
    advance,
    announce_delay,
    cancel,
    hold,
    make_promise,
    reopen,
    replace_link,
    resume,
    send_back,
    set_preferences,
    write_to_customer,
)
from tests.support.factories import PERMIT, Organisation
from tests.support.fake_gateways import FakeEmailGateway, FakeSmsGateway, delivered_bodies
from tests.workers.nights import DAY, HOURS, MORNING, NIGHT, dropped, moved_on

pytestmark = pytest.mark.either_database


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


@pytest.fixture
async def card(organisation, send) -> ServiceRequest:
    """Martin's card; he has had the first text about it."""
    card = await organisation.open(by=organisation.people.tess.actor)
    await send(FakeSmsGateway())
    return card


async def test_only_newest_milestone_is_sent_after_quiet_hours(clock, organisation, send, card):
    """Three departments had it by night: in the morning one text says where it is now."""
    clock.move_to(NIGHT)
    await moved_on(organisation, card, times=3)
    assert await send(FakeSmsGateway()) == []
    clock.move_to(MORNING)
    (text,) = await send(FakeSmsGateway())
    assert "Your card is on its way to you" in text
    assert [kind for kind, _ in await dropped(organisation, card)] == ["milestone", "milestone"]
    assert {why for _, why in await dropped(organisation, card)} == {DeliveryReason.SUPERSEDED}


async def test_quick_steps_by_day_are_sent_each(organisation, send, card):
    """A text that has waited for no more than a quarter of an hour is not weighed."""
    await moved_on(organisation, card, times=3)
    assert len(await send(FakeSmsGateway())) == 3


async def test_only_current_news_is_sent_after_an_outage(clock, organisation, send, card):
    """The same by day, after an outage of an hour."""
    await moved_on(organisation, card, times=2)
    clock.shift(timedelta(hours=1))
    (text,) = await send(FakeSmsGateway())
    assert "Your card is being made" in text


@pytest.mark.parametrize(
    ("deeds", "goes"),
    [
        ("hold", "on hold"),
        ("hold resume", "goes on"),
        ("advance hold", "on hold"),
        ("hold cancel", "has been cancelled"),
        ("cancel reopen", "Once more:"),
        ("advance send_back", "Once more:"),
    ],
)
async def test_holds_and_endings_supersede_each_other(
    clock, organisation, send, card, *, deeds, goes
):
    """Whatever happened by night, one text says how it stands, and it is the newest."""
    verbs = {"hold": hold, "resume": resume, "cancel": cancel, "reopen": reopen}
    clock.move_to(NIGHT)
    for verb in deeds.split():
        if verb == "advance":
            await moved_on(organisation, card)
        elif verb == "send_back":
            await organisation.run(
                send_back, card, stage="received", reason="A page.", by=SYSTEM_ACTOR
            )
        else:
            why = {} if verb == "resume" else {"reason": "There is one."}
            await organisation.run(verbs[verb], card, by=SYSTEM_ACTOR, **why)
        clock.shift(timedelta(minutes=20))
    clock.move_to(MORNING)
    (text,) = await send(FakeSmsGateway())
    assert goes in text
    assert len(await dropped(organisation, card)) == len(deeds.split()) - 1


async def delayed(organisation: Organisation, request: ServiceRequest, days: int) -> None:
    """The open stage gets a new date; the customer is to be told."""
    await organisation.run(
        announce_delay, request, by=SYSTEM_ACTOR, expected_by=NIGHT + timedelta(days=days),
        reason="The printer is broken.",
    )  # fmt: skip


async def test_delay_of_a_completed_stage_is_not_sent(clock, organisation, send, card):
    """By morning the stage is over: only what came after it is news."""
    clock.move_to(NIGHT)
    await delayed(organisation, card, days=3)
    clock.shift(timedelta(minutes=20))
    await moved_on(organisation, card)
    clock.move_to(MORNING)
    (text,) = await send(FakeSmsGateway())
    assert "printer" not in text
    assert await dropped(organisation, card) == [("delay", DeliveryReason.SUPERSEDED)]


async def test_newer_delay_supersedes_the_older_one(clock, organisation, send, card):
    """Of two new dates for one stage the customer is told the last."""
    clock.move_to(NIGHT)
    await delayed(organisation, card, days=3)
    clock.shift(timedelta(minutes=20))
    await delayed(organisation, card, days=5)
    clock.move_to(MORNING)
    assert len(await send(FakeSmsGateway())) == 1
    assert await dropped(organisation, card) == [("delay", DeliveryReason.SUPERSEDED)]


async def test_parallel_stages_do_not_supersede_each_other(clock, organisation, send):
    """Of a fork nothing is dropped that only one of the texts says, until its stage is over."""
    request = await organisation.open("permit", by=SYSTEM_ACTOR)
    await send(FakeSmsGateway())
    clock.move_to(NIGHT)
    await organisation.run(
        advance, request, stage="intake", by=SYSTEM_ACTOR
    )  # fire waits to be taken up
    clock.shift(timedelta(minutes=30))
    await organisation.run(advance, request, stage="plans", by=SYSTEM_ACTOR)
    await organisation.run(hold, request, stage="zoning", reason="Wait.", by=SYSTEM_ACTOR)
    clock.move_to(MORNING)
    texts = await send(FakeSmsGateway())
    assert len(texts) == 1
    assert "on hold" in texts[0]
    assert len(await dropped(organisation, request)) == 2

    clock.move_to(NIGHT + timedelta(days=1))
    both = PERMIT.replace('key = "permit"', 'key = "both"')
    await organisation.load(both)
    other = await organisation.open("both", by=SYSTEM_ACTOR)
    await organisation.run(advance, other, stage="intake", by=SYSTEM_ACTOR)
    clock.move_to(MORNING + timedelta(days=1))
    texts = await send(FakeSmsGateway())
    assert [title in text for title, text in zip(("plans are", "Zoning is"), texts, strict=True)]


async def test_promises_and_staff_messages_are_never_superseded(clock, organisation, send, card):
    """A promise and the words of staff wait for the morning, and all of them come, in order."""
    tess = organisation.people.tess.actor
    clock.move_to(NIGHT)
    await organisation.run(make_promise, card, text="We call you.", due_at=MORNING, by=tess)
    await organisation.run(write_to_customer, card, "Have your papers at hand.", by=tess)
    await moved_on(organisation, card, times=2)
    clock.move_to(MORNING)
    promise, words, milestone = await send(FakeSmsGateway())
    assert "We call you." in promise
    assert words == "Tess at Acme Bank: Have your papers at hand."
    assert "Your card is being made" in milestone


async def test_requests_do_not_supersede_each_others_messages(clock, organisation, send, card):
    """Two matters of one customer: one text for each."""
    clock.move_to(NIGHT)
    second = await organisation.open("repair", by=SYSTEM_ACTOR)
    await moved_on(organisation, card, times=2)
    clock.move_to(MORNING)
    texts = await send(FakeSmsGateway())
    assert len(texts) == 2
    assert await dropped(organisation, second) == []


async def test_older_text_is_superseded_by_newer_email(clock, organisation, send, card):
    """They changed to mail by night: the older text is overtaken by what the mail says."""
    clock.move_to(NIGHT)
    await moved_on(organisation, card)
    await organisation.run(
        set_preferences, card, preferred_channel=Channel.EMAIL, by=CUSTOMER_ACTOR
    )
    await moved_on(organisation, card)
    clock.move_to(MORNING)
    (mail,) = await send(FakeEmailGateway())
    assert "Your card is being made" in mail
    assert await send(FakeSmsGateway()) == []
    assert [kind for kind, _ in await dropped(organisation, card)] == ["milestone"]


async def test_queued_message_has_the_live_link(clock, organisation, send, card):
    """A new link was made by night: the milestone of the evening does not lead to a dead one."""
    clock.move_to(NIGHT)
    await moved_on(organisation, card)
    card = await organisation.run(replace_link, card, by=organisation.people.uma.actor)
    clock.move_to(MORNING)
    milestone, link = await send(FakeSmsGateway())
    assert milestone.endswith(f"/r/{card.live_link.token}")
    assert link.endswith(f"/r/{card.live_link.token}")


async def test_fresh_messages_need_no_staleness_query(organisation, send, card, database):
    """By day a claim asks nothing more of the database than before: staleness is for waiting."""
    await moved_on(organisation, card)
    asked = []
    sa.event.listen(
        database.engine.sync_engine, "before_cursor_execute",
        lambda *told: asked.append(told[2]),
    )  # fmt: skip
    assert len(await send(FakeSmsGateway())) == 1
    assert not [query for query in asked if "follow_up" in query]

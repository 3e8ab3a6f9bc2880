"""What waited through the night is looked at in the morning: only what is still news is sent."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.jobs import Jobs
from portal.live import Live
from portal.models import (
    KEPT,
    THE_CUSTOMER,
    Answer,
    Channel,
    MessageStatus,
    ServiceRequest,
)
from portal.operations import (
    CustomerDetails,
    Relay,
    accept,
    advance,
    answer,
    ask_what_is_due,
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
from portal.settings import Settings
from tests.support.factories import PERMIT, House
from tests.support.fake_gateways import Mailbox, Phone, deliver

pytestmark = pytest.mark.either_database

MARTHA = CustomerDetails("Martha Miller", phone="+14155550133", timezone="America/New_York")
HOURS = Settings(_env_file=None, KEPT_QUIET_HOURS="21:00-08:00").quiet_hours
DAY = datetime(2025, 6, 3, 18, tzinfo=UTC)
NIGHT = datetime(2025, 6, 4, 3, tzinfo=UTC)
MORNING = datetime(2025, 6, 4, 12, tzinfo=UTC)


@pytest.fixture
def house(clock, house, settings, database) -> House:
    """The house at two in the afternoon in New York; its quiet hours are from nine to eight."""
    told = settings.model_copy(update={"quiet_hours": HOURS, "mail_quiet_hours": HOURS})
    house.relay = Relay(told, database, Jobs(None), Live(None))
    clock.move_to(DAY)
    return house


@pytest.fixture
def send(house):
    """One pass of a worker over all that is due; gives what the phone shows after it."""

    async def send(phone: Phone) -> list[str]:
        return await deliver(house.relay, phone)

    return send


@pytest.fixture
async def card(house, send) -> ServiceRequest:
    """Martin's card; he has had the first text about it."""
    card = await house.open(by=house.people.tess.actor)
    await send(Phone())
    return card


async def moved_on(house, request, times=1):
    """Whoever has it completes the stage, and the next department takes it up."""
    for _ in range(times):
        request = await house.do(advance, request, by=KEPT)
        if request.handoffs and request.handoffs[-1].waits:
            request = await house.do(accept, request, by=KEPT)
    return request


async def dropped(house, request) -> list[tuple[str, str]]:
    """The kind of each message that was dropped, and the reason that staff read."""
    told = await house.told(request)
    gone = [one for one in told if one.status == MessageStatus.EXPIRED]
    assert all(one.settled_at is not None for one in gone), "none of them needs a person"
    return [(one.kind.value, one.reason) for one in gone]


async def test_of_several_steps_in_a_night_only_the_newest_is_told(clock, house, send, card):
    """Three departments had it by night: in the morning one text says where it is now."""
    clock.move_to(NIGHT)
    await moved_on(house, card, times=3)
    assert await send(Phone()) == []
    clock.move_to(MORNING)
    (text,) = await send(Phone())
    assert "Your card is on its way to you" in text
    assert [kind for kind, _ in await dropped(house, card)] == ["milestone", "milestone"]
    assert {why for _, why in await dropped(house, card)} == {
        "There was newer news about this request before this could be sent."
    }


async def test_quick_steps_by_day_are_told_one_by_one(house, send, card):
    """A text that has waited for no more than a quarter of an hour is not weighed."""
    await moved_on(house, card, times=3)
    assert len(await send(Phone())) == 3


async def test_a_worker_that_was_down_tells_only_what_is_still_true(clock, house, send, card):
    """The same by day, after an outage of an hour."""
    await moved_on(house, card, times=2)
    clock.shift(timedelta(hours=1))
    (text,) = await send(Phone())
    assert "Your card is being made" in text


@pytest.mark.parametrize(
    ("deeds", "goes"),
    [
        ("hold", "on hold"),
        ("hold resume", "goes on"),
        ("advance hold", "on hold"),
        ("hold cancel", "has been cancelled"),
        ("cancel reopen", "once more:"),
        ("advance send_back", "once more:"),
    ],
)
async def test_holds_and_ends_are_news_about_the_same_thing(
    clock, house, send, card, *, deeds, goes
):
    """Whatever happened by night, one text says how it stands, and it is the newest."""
    verbs = {"hold": hold, "resume": resume, "cancel": cancel, "reopen": reopen}
    clock.move_to(NIGHT)
    for verb in deeds.split():
        if verb == "advance":
            await moved_on(house, card)
        elif verb == "send_back":
            await house.do(send_back, card, stage="received", reason="A page.", by=KEPT)
        else:
            why = {} if verb == "resume" else {"reason": "There is one."}
            await house.do(verbs[verb], card, by=KEPT, **why)
        clock.shift(timedelta(minutes=20))
    clock.move_to(MORNING)
    (text,) = await send(Phone())
    assert goes in text
    assert len(await dropped(house, card)) == len(deeds.split()) - 1


async def test_stages_that_run_side_by_side_are_news_each(clock, house, send):
    """Of a fork nothing is dropped that only one of the texts says, until its stage is over."""
    request = await house.open("permit", by=KEPT)
    await send(Phone())
    clock.move_to(NIGHT)
    await house.do(advance, request, stage="intake", by=KEPT)  # fire waits to be taken up
    clock.shift(timedelta(minutes=30))
    await house.do(advance, request, stage="plans", by=KEPT)
    await house.do(hold, request, stage="zoning", reason="Wait.", by=KEPT)
    clock.move_to(MORNING)
    texts = await send(Phone())
    assert len(texts) == 1
    assert "on hold" in texts[0]
    assert len(await dropped(house, request)) == 2

    clock.move_to(NIGHT + timedelta(days=1))
    both = PERMIT.replace('key = "permit"', 'key = "both"')
    await house.load(both)
    other = await house.open("both", by=KEPT)
    await house.do(advance, other, stage="intake", by=KEPT)
    clock.move_to(MORNING + timedelta(days=1))
    texts = await send(Phone())
    assert [title in text for title, text in zip(("plans are", "Zoning is"), texts, strict=True)]


async def test_what_is_not_news_is_never_dropped_for_news(clock, house, send, card):
    """A promise and the words of staff wait for the morning, and all of them come, in order."""
    tess = house.people.tess.actor
    clock.move_to(NIGHT)
    await house.do(make_promise, card, text="We call you.", due_at=MORNING, by=tess)
    await house.do(write_to_customer, card, "Have your papers at hand.", by=tess)
    await moved_on(house, card, times=2)
    clock.move_to(MORNING)
    promise, words, milestone = await send(Phone())
    assert "We call you." in promise
    assert words == "Have your papers at hand."
    assert "Your card is being made" in milestone


async def test_requests_do_not_drop_each_others_news(clock, house, send, card):
    """Two matters of one customer: one text for each."""
    clock.move_to(NIGHT)
    second = await house.open("repair", by=KEPT)
    await moved_on(house, card, times=2)
    clock.move_to(MORNING)
    texts = await send(Phone())
    assert len(texts) == 2
    assert await dropped(house, second) == []


async def asked_by_night(clock, house, send):
    """A repair whose quote is put to Martin at night."""
    request = await house.open("repair", by=KEPT)
    await send(Phone())
    clock.move_to(NIGHT)
    await house.do(advance, request, by=KEPT)
    return await house.do(ask_what_is_due, request, by=KEPT)


async def test_a_question_waits_for_the_morning_beside_the_milestone(clock, house, send):
    """A question is no news: what it asks only it says."""
    await asked_by_night(clock, house, send)
    clock.move_to(MORNING)
    milestone, question = await send(Phone())
    assert "Your quote is ready" in milestone
    assert "Shall we go ahead?" in question


@pytest.mark.parametrize("ends_by", ["an answer", "the next stage"])
async def test_a_question_that_is_over_is_not_asked(clock, house, send, ends_by):
    """They said YES on their page, or staff went on without: the question is dropped."""
    request = await asked_by_night(clock, house, send)
    if ends_by == "an answer":
        async with house.relay.turn(THE_CUSTOMER) as turn:
            held = await turn.lock(request.reference)
            await answer(turn, held, held.follow_ups[0], Answer.YES)
        why = "They had answered before this could be sent."
    else:
        await house.do(advance, request, by=KEPT)
        why = "The question was closed before this could be sent."
    clock.move_to(MORNING)
    (text,) = await send(Phone())
    assert "Your device is being repaired" in text
    assert ("follow_up", why) in await dropped(house, request)


async def test_a_question_and_its_reminder_that_waited_together_are_one_text(clock, house, send):
    """No worker for two days: the question goes, and a reminder right after it does not."""
    request = await asked_by_night(clock, house, send)
    clock.shift(timedelta(days=1))
    await house.do(ask_what_is_due, request, by=KEPT)
    clock.move_to(MORNING + timedelta(days=1))
    texts = await send(Phone())
    assert [text for text in texts if "Shall we go ahead?" in text] == texts[-1:]
    assert "once more" not in texts[-1]
    assert [kind for kind, _ in await dropped(house, request)] == ["reminder"]


async def test_a_reminder_goes_where_the_question_went_in_its_time(clock, house, send):
    """The ordinary case: asked in the morning, reminded the day after."""
    request = await asked_by_night(clock, house, send)
    clock.move_to(MORNING)
    await send(Phone())
    clock.shift(timedelta(days=1))
    await house.do(ask_what_is_due, request, by=KEPT)
    (text,) = await send(Phone())
    assert "once more" in text


async def test_whichever_text_comes_first_says_who_we_are_and_how_to_stop(clock, house, send):
    """The one that was to say so was dropped; nobody else at that number is told again."""
    clock.move_to(NIGHT)
    request = await house.open(customer=MARTHA, by=KEPT)
    first = (await house.told(request))[0]
    assert first.body.endswith("STOP to end")
    await moved_on(house, request)
    clock.move_to(MORNING)
    await house.do(write_to_customer, request, "Good morning!", by=house.people.uma.actor)
    milestone, words = await send(Phone())
    assert milestone.startswith("Acme Bank: ")
    assert milestone.endswith("STOP to end")
    assert words == "Good morning!"
    sent = next(one for one in await house.told(request) if one.body == milestone)
    assert (sent.status, sent.segments) == (MessageStatus.ACCEPTED, 1)


async def test_what_never_arrived_was_not_the_first_text(house, send):
    """A text that failed told them nothing, so the next says who we are."""
    request = await house.open(customer=MARTHA, by=KEPT)
    await send(Phone(refuses=30007))
    await house.do(write_to_customer, request, "Good morning!", by=house.people.tess.actor)
    assert await send(Phone()) == ["Acme Bank: Good morning! STOP to end"]


async def test_news_by_mail_is_not_repeated_by_an_older_text(clock, house, send, card):
    """They changed to mail by night: the older text is overtaken by what the mail says."""
    clock.move_to(NIGHT)
    await moved_on(house, card)
    await house.do(set_preferences, card, prefers=Channel.EMAIL, by=THE_CUSTOMER)
    await moved_on(house, card)
    clock.move_to(MORNING)
    (mail,) = await send(Mailbox())
    assert "Your card is being made" in mail
    assert await send(Phone()) == []
    assert [kind for kind, _ in await dropped(house, card)] == ["milestone"]


async def test_what_waits_carries_the_link_that_opens_the_page(clock, house, send, card):
    """A new link was made by night: the milestone of the evening does not lead to a dead one."""
    clock.move_to(NIGHT)
    await moved_on(house, card)
    card = await house.do(replace_link, card, by=house.people.uma.actor)
    clock.move_to(MORNING)
    milestone, link = await send(Phone())
    assert milestone.endswith(f"/r/{card.live_link.token}")
    assert link.endswith(f"/r/{card.live_link.token}")


async def test_fresh_messages_cost_no_look_at_others(house, send, card, database):
    """By day a claim asks nothing more of the database than before: staleness is for waiting."""
    await moved_on(house, card)
    asked = []
    sa.event.listen(
        database.engine.sync_engine, "before_cursor_execute",
        lambda *told: asked.append(told[2]),
    )  # fmt: skip
    assert len(await send(Phone())) == 1
    assert not [one for one in asked if "follow_up" in one]

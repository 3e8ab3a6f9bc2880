"""What the customer reads in each state that a request can be in, from the relay to the page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from starlette.applications import Starlette

from portal.database import Database
from portal.models import Answer, Message, MessageStatus, ServiceRequest
from portal.operations import (
    CustomerDetails,
    accept,
    advance,
    answer,
    ask_what_is_due,
    cancel,
    hold,
    keep_promise,
    load_workflow,
    make_promise,
    move_promise,
    receive_text,
    refuse,
    reopen,
    resume,
    send_back,
    withdraw_promise,
    write_to_customer,
)
from portal.queries.conversations import conversation
from portal.tracking.status_page.timeline_view import Leg
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from portal.workflows import read_workflow
from tests.support.factories import House

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LOAN = """
key = "loan"
name = "Loan"
prefix = "PAY"

[departments.telesales]
name = "Telesales"

[[stages]]
key = "paid"
department = "telesales"
title = "Your money is on its way"
expected = "1d"

[[follow_ups]]
after_stage = "paid"
wait = "2d"
title = "In your account"
question = "Has your money arrived? Reply YES or NO."
yes = "complete"
"""
START = datetime(2025, 6, 3, 14, 0, tzinfo=UTC)
"""10 am in New York, where Martin lives."""


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still, so that each moment can be named."""


@pytest.fixture
def see(app: Starlette) -> Callable[[ServiceRequest], object]:
    """The page of a request, as it is now; it must also be drawable."""

    async def look(request: ServiceRequest) -> StatusPage:
        assert request.live_link
        page = await app.state.status_pages.find_page(request.live_link.token)
        assert page is not None
        assert page.valid_until > page.now
        assert "<h1" in templating.render("tracking/status.html", page.context())
        return page  # type: ignore[no-any-return]

    return look


def leg(page: StatusPage, key: str) -> Leg:
    return next(one for level in page.levels for one in level if one.key == key)


def states(page: StatusPage) -> dict[str, str]:
    return {one.key: one.state for level in page.levels for one in level}


async def walk(house: House, request: ServiceRequest, *steps: str) -> ServiceRequest:
    """Each named person takes up what waits for them and passes it on."""
    for name in steps:
        actor = getattr(house.people, name).actor
        seen = await house.see(request)
        if any(handoff.waits for handoff in seen.handoffs):
            await house.do(accept, request, by=actor)
        await house.do(advance, request, by=actor)
    return await house.see(request)


async def ask(house: House, request: ServiceRequest) -> ServiceRequest:
    return await house.do(ask_what_is_due, request, by=house.people.mona.actor)


async def say(house: House, request: ServiceRequest, given: Answer) -> None:
    async with house.relay.turn(house.people.mona.actor) as turn:
        held = await turn.lock(request.reference)
        assert held.asked
        await answer(turn, held, held.asked, given)


async def test_each_leg_ahead_is_expected_when_those_before_it_are_due(
    see, house: House, martins: ServiceRequest
) -> None:
    """4 hours, 1 day, 3 days, 3 days: when the one begins is when the one before it ends."""
    page = await see(martins)
    due = START + timedelta(hours=4)
    assert leg(page, "received").expected_at == due
    assert leg(page, "decision").expected_at == due
    assert leg(page, "made").expected_at == due + timedelta(days=1)
    assert leg(page, "courier").expected_at == due + timedelta(days=4)
    assert leg(page, "delivered").expected_at == due + timedelta(days=7)
    assert page.next_up
    assert (page.next_up.title, page.next_up.by) == ("Your application is being checked", due)
    assert page.valid_until == due


async def test_while_a_handoff_waits_the_sender_has_it(
    see, house: House, martins: ServiceRequest
) -> None:
    page = await see(await walk(house, martins, "tess"))
    assert page.headline == "We have your application"
    assert [holder.department for holder in page.holders] == ["Telesales"]
    assert page.handoff == leg(page, "decision").handoff
    assert page.handoff
    assert page.handoff.department == "Underwriting"
    assert page.handoff.accept_by == START + timedelta(hours=4)
    assert states(page)["decision"] == "passed"
    assert page.write_to == "Telesales"


async def test_a_refused_handoff_is_back_with_its_sender(
    see, house: House, martins: ServiceRequest
) -> None:
    await walk(house, martins, "tess")
    await house.do(refuse, martins, by=house.people.uma.actor, reason="The form is unsigned.")
    page = await see(martins)
    assert states(page)["received"] == "now"
    assert states(page)["decision"] == "to"
    assert page.handoff is None
    assert [holder.department for holder in page.holders] == ["Telesales"]


async def test_what_is_late_says_so_and_nobody_guesses_what_follows(
    see, house: House, martins: ServiceRequest, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(hours=4))
    page = await see(martins)
    assert page.delay
    assert page.delay.was_by == START + timedelta(hours=4)
    assert leg(page, "received").is_late(page.now)
    assert page.next_up
    assert page.next_up.by is None
    assert leg(page, "delivered").expected_at is None


async def test_departments_side_by_side_share_a_level(see, house: House) -> None:
    """The note of who finished stands with what came of it; the join waits for the slowest."""
    permit = await house.open("permit", by=house.people.cora.actor)
    await house.do(advance, permit, by=house.people.cora.actor, note="All is there.")
    page = await see(permit)
    assert [len(level) for level in page.levels] == [1, 3, 1]
    assert states(page) == {
        "intake": "done", "fire": "passed", "plans": "now", "zoning": "now", "decision": "to",
    }  # fmt: skip
    assert page.handoff is None
    assert leg(page, "fire").handoff
    assert leg(page, "plans").note == "All is there."
    assert [h.department for h in page.holders] == ["Permit Counter", "Plan Review", "Zoning"]
    assert page.headline == "Your plans are being reviewed"
    assert page.next_up
    assert page.next_up.title == "Your permit is being decided"
    assert page.next_up.by == START + timedelta(days=2)


async def test_a_question_at_a_stage_waits_for_the_customer(see, house: House) -> None:
    repair = await house.open("repair", by=house.people.ben.actor)
    await walk(house, repair, "ben")
    await ask(house, repair)
    page = await see(repair)
    assert page.status == "waiting_on_customer"
    assert page.question
    assert page.question.words == "The repair costs 80 dollars. Shall we go ahead?"
    assert states(page)["quote"] == "paused"
    assert page.next_up
    assert page.next_up.by is None
    await say(house, repair, Answer.YES)
    page = await see(repair)
    assert (page.status, page.question) == ("open", None)
    assert states(page) == {"diagnosis": "done", "quote": "done", "mended": "now"}


async def test_a_quote_declined_ends_it_there(see, house: House) -> None:
    repair = await house.open("repair", by=house.people.ben.actor)
    await walk(house, repair, "ben")
    await ask(house, repair)
    await say(house, repair, Answer.NO)
    page = await see(repair)
    assert page.status == "declined"
    assert page.ending
    assert (page.ending.at, page.ending.confirmed) == (START, False)
    assert states(page) == {"diagnosis": "done", "quote": "ended", "mended": "skipped"}
    assert page.next_up is None
    assert page.holders == ()


async def test_on_hold_says_why_and_until_when(see, house: House, martins: ServiceRequest) -> None:
    until = START + timedelta(days=2)
    by = house.people.tess.actor
    await house.do(hold, martins, by=by, reason="We wait for your employer.", until=until)
    page = await see(martins)
    assert page.status == "on_hold"
    assert page.pause
    assert (page.pause.reason, page.pause.until) == ("We wait for your employer.", until)
    assert states(page)["received"] == "paused"
    assert page.delay is None
    await house.do(resume, martins, by=by)
    page = await see(martins)
    assert (page.status, page.pause) == ("open", None)


async def test_one_branch_on_hold_is_paused_alone(see, house: House) -> None:
    permit = await house.open("permit", by=house.people.cora.actor)
    await walk(house, permit, "cora")
    await house.do(hold, permit, by=house.people.zoe.actor, stage="zoning", reason="A map misses.")
    page = await see(permit)
    assert (page.status, page.pause) == ("open", None)
    assert states(page)["zoning"] == "paused"
    assert leg(page, "zoning").note == "A map misses."
    assert page.next_up
    assert page.next_up.by is None


async def test_the_customer_has_the_last_word(see, house: House, martins: ServiceRequest) -> None:
    await ask(house, await walk(house, martins, "tess", "uma", "pia", "carl", "carl"))
    page = await see(martins)
    assert page.status == "awaiting_confirmation"
    assert page.headline == "Your card has been delivered"
    assert page.question
    assert page.question.words == "Has your card arrived?"
    assert page.holders == ()
    await say(house, martins, Answer.YES)
    page = await see(martins)
    assert page.status == "completed"
    assert page.ending
    assert page.ending.confirmed
    assert set(states(page).values()) == {"done"}


async def test_a_no_runs_the_leg_once_more(see, house: House, martins: ServiceRequest) -> None:
    await ask(house, await walk(house, martins, "tess", "uma", "pia", "carl", "carl"))
    await say(house, martins, Answer.NO)
    page = await see(martins)
    assert page.status == "open"
    assert states(page)["courier"] == "now"
    assert states(page)["delivered"] == "to"
    assert leg(page, "courier").again
    assert page.headline == "Your card is on its way to you"


async def test_silence_is_never_shown_as_a_yes(
    see, house: House, martins: ServiceRequest, clock: time_machine.Traveller
) -> None:
    await ask(house, await walk(house, martins, "tess", "uma", "pia", "carl", "carl"))
    for days in (2, 30):
        clock.shift(timedelta(days=days))
        await ask(house, martins)
    page = await see(martins)
    assert page.status == "completed"
    assert page.ending
    assert (page.ending.confirmed, page.ending.unconfirmed) == (False, True)
    assert page.ending.reason is None
    html = templating.render("tracking/status.html", page.context())
    assert "We asked and did not hear from you, so we closed it" in html


async def test_cancelled_says_why_and_where_it_ended(
    see, house: House, martins: ServiceRequest
) -> None:
    await walk(house, martins, "tess")
    await house.do(cancel, martins, by=house.people.tess.actor, reason="You asked us to stop.")
    page = await see(martins)
    assert page.status == "cancelled"
    assert page.ending
    assert page.ending.reason == "You asked us to stop."
    assert states(page) == {
        "received": "done", "decision": "ended", "made": "skipped", "courier": "skipped",
        "delivered": "skipped",
    }  # fmt: skip
    await house.do(reopen, martins, by=house.people.tess.actor, reason="They changed their mind.")
    page = await see(martins)
    assert page.status == "open"
    assert states(page)["decision"] == "now"
    assert leg(page, "decision").again


async def test_sent_back_shows_the_reason_and_only_what_stands(
    see, house: House, martins: ServiceRequest
) -> None:
    await walk(house, martins, "tess", "uma", "pia")
    await house.do(accept, martins, by=house.people.carl.actor)
    await house.do(
        send_back, martins, by=house.people.carl.actor, stage="made", reason="The name is wrong."
    )
    await house.do(accept, martins, by=house.people.pia.actor)
    page = await see(martins)
    assert states(page)["made"] == "now"
    assert states(page)["courier"] == "to"
    assert leg(page, "made").note == "The name is wrong."
    assert leg(page, "made").again


async def test_promises_stand_there_with_their_owner_until_they_are_kept(
    see, house: House, martins: ServiceRequest, clock: time_machine.Traveller
) -> None:
    by, due = house.people.tess.actor, START + timedelta(hours=1)
    await house.do(make_promise, martins, by=by, text="I will call you back.", due_at=due)
    page = await see(martins)
    [promise] = page.promises
    assert (promise.owner, promise.words, promise.due_at) == ("Tess", "I will call you back", due)
    assert page.valid_until == due
    html = templating.render("tracking/status.html", page.context())
    assert "Tess: I will call you back by" in html
    clock.shift(timedelta(hours=1))
    assert (await see(martins)).promises[0].is_late(START + timedelta(hours=1))
    later = START + timedelta(hours=3)
    number = int(promise.key)
    await house.do(move_promise, martins, number, by=by, due_at=later, reason="The line is busy.")
    [moved] = (await see(martins)).promises
    assert (moved.key, moved.due_at) == (promise.key, later)
    assert moved.moved_because == "The line is busy."
    await house.do(keep_promise, martins, number, by=by)
    page = await see(martins)
    assert page.promises == ()
    html = templating.render("tracking/status.html", page.context())
    assert "Tess: I will call you back. Kept" in html


async def test_of_promises_only_those_stand_there_that_the_customer_knows_of(
    see, house: House, martins: ServiceRequest
) -> None:
    """Not the quiet ones, nor what was none; what the request ended without says so."""
    by, due = house.people.tess.actor, START + timedelta(days=1)
    await house.do(make_promise, martins, by=by, text="Ask the bank", due_at=due, tell=False)
    await house.do(write_to_customer, martins, "I'll call you tomorrow at 3.", by=by)
    read = (await house.see(martins)).promises[-1]
    assert [one.words for one in (await see(martins)).promises] == ["I'll call you"]
    await house.do(withdraw_promise, martins, read.id, reason="It was none.", by=by)
    page = await see(martins)
    assert page.promises == page.past_promises == ()
    await house.do(make_promise, martins, by=by, text="A call", due_at=due)
    await house.do(cancel, martins, reason="Enough.", by=by)
    html = templating.render("tracking/status.html", (await see(martins)).context())
    assert "Tess: A call. We did not get to this, and are sorry." in html


async def test_the_conversation_is_what_people_said(
    see, house: House, database: Database, martins: ServiceRequest
) -> None:
    """Both ways and by every channel, without what only a text needs; no milestone twice."""
    await house.hear(
        receive_text, by=house.people.mona.actor,
        sid="SM1", sender="+14155550132", to="+15005550006", body="Can I pay by cheque?",
    )  # fmt: skip
    await house.do(write_to_customer, martins, "Yes, you can.", by=house.people.tess.actor)
    await ask(house, await walk(house, martins, "tess", "uma", "pia", "carl", "carl"))
    lines = (await see(martins)).conversation
    assert [(line.author, line.channel, line.body) for line in lines] == [
        (None, "sms", "Can I pay by cheque?"),
        (
            "Acme Bank", "sms",
            "Thank you, Martin. Telesales has your message and will answer by 12 pm.",
        ),
        ("Tess", "sms", "Yes, you can."),
        ("Acme Bank", "sms", "Has your card arrived?"),
    ]  # fmt: skip
    async with database.reading() as session:
        messages = await conversation(session, martins.id or 0)
    keys = {str(message.id) for message in messages}
    assert {line.key for line in lines} < keys


async def test_what_was_never_said_is_not_shown_as_said(
    see, house: House, database: Database, martins: ServiceRequest
) -> None:
    await ask(house, await walk(house, martins, "tess", "uma", "pia", "carl", "carl"))
    async with database.transaction() as session:
        for message in await conversation(session, martins.id or 0):
            assert isinstance(message, Message)
            message.status = MessageStatus.EXPIRED
    assert (await see(martins)).conversation == ()


async def test_a_language_that_nobody_knows_is_read_in_english(see, house: House) -> None:
    """An odd locale is no reason to show nothing."""
    odd = CustomerDetails(name="Zed", phone="+14155550144", locale="zz")
    request = await house.open(customer=odd, by=house.people.tess.actor)
    assert (await see(request)).headline == "We have your application"


async def test_a_language_with_its_country_is_understood(see, house: House) -> None:
    brazil = CustomerDetails(name="Zé", phone="+5511955550144", locale="pt-BR")
    request = await house.open(customer=brazil, by=house.people.tess.actor)
    await walk(house, request, "tess")
    assert (await see(request)).first_name == "Zé"


async def test_the_last_leg_is_the_customers_own(
    see, house: House, clock: time_machine.Traveller
) -> None:
    """A question with a title is a leg; it is done when they say so."""
    async with house.relay.turn(house.people.mona.actor) as turn:
        await load_workflow(turn, read_workflow(LOAN))
    loan = await house.open("loan", by=house.people.tess.actor)
    [[paid], [yours]] = (await see(loan)).levels
    assert paid.expected_at == START + timedelta(days=1)
    assert (yours.title, yours.department, yours.state) == ("In your account", "You tell us", "to")
    assert yours.expected_at == START + timedelta(days=3)
    page = await see(await walk(house, loan, "tess"))
    assert page.status == "awaiting_confirmation"
    assert page.question is None
    assert page.next_up
    assert (page.next_up.title, page.next_up.by) == ("In your account", START + timedelta(days=2))
    clock.shift(timedelta(days=2))
    page = await see(await ask(house, loan))
    assert page.levels[-1][0].state == "now"
    assert page.next_up is None
    await say(house, loan, Answer.YES)
    page = await see(loan)
    assert page.levels[-1][0].state == "done"
    assert page.levels[-1][0].began_at == START + timedelta(days=2)

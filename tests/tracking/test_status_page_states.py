"""What the customer reads in each state that a request can be in, from the relay to the page."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from starlette.applications import Starlette

from portal.database import Database
from portal.messaging.wording.renderer import product_text
from portal.models import Answer, Message, MessageStatus, ServiceRequest
from portal.operations import (
    CustomerDetails,
    accept,
    advance,
    answer_follow_up,
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
    run_due_follow_ups,
    send_back,
    withdraw_promise,
    write_to_customer,
)
from portal.queries.conversations import conversation
from portal.tracking.status_page.timeline_view import TimelineStep
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating
from portal.workflows import read_workflow
from tests.support.factories import Organisation

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
        page = await app.state.status_pages.build_page(request.live_link.token)
        assert page is not None
        assert page.valid_until > page.now
        assert "<h1" in templating.render("tracking/status_page/status.html", page.context())
        return page  # type: ignore[no-any-return]

    return look


def step(page: StatusPage, key: str) -> TimelineStep:
    return next(one for level in page.step_groups for one in level if one.key == key)


def states(page: StatusPage) -> dict[str, str]:
    return {one.key: one.state for level in page.step_groups for one in level}


async def walk(organisation: Organisation, request: ServiceRequest, *steps: str) -> ServiceRequest:
    """Each named person takes up what waits for them and passes it on."""
    for name in steps:
        actor = getattr(organisation.people, name).actor
        seen = await organisation.reload(request)
        if any(handoff.is_pending for handoff in seen.handoffs):
            await organisation.run(accept, request, by=actor)
        await organisation.run(advance, request, by=actor)
    return await organisation.reload(request)


async def ask(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    return await organisation.run(run_due_follow_ups, request, by=organisation.people.mona.actor)


async def say(organisation: Organisation, request: ServiceRequest, given: Answer) -> None:
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        held = await uow.lock(request.reference)
        assert held.open_question
        await answer_follow_up(uow, held, held.open_question, given)


async def test_upcoming_step_is_expected_when_earlier_steps_are_due(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """4 hours, 1 day, 3 days, 3 days: when the one begins is when the one before it ends."""
    page = await see(card_request)
    due = START + timedelta(hours=4)
    assert step(page, "received").expected_at == due
    assert step(page, "decision").expected_at == due
    assert step(page, "made").expected_at == due + timedelta(days=1)
    assert step(page, "courier").expected_at == due + timedelta(days=4)
    assert step(page, "delivered").expected_at == due + timedelta(days=7)
    assert page.next_step
    assert (page.next_step.title, page.next_step.by) == ("Your application is being checked", due)
    assert page.valid_until == due


async def test_sender_keeps_the_request_until_acceptance(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    page = await see(await walk(organisation, card_request, "tess"))
    assert page.headline == "We have your application"
    assert [holder.department for holder in page.current_departments] == ["Telesales"]
    assert page.handoff == step(page, "decision").handoff
    assert page.handoff
    assert page.handoff.department == "Underwriting"
    assert page.handoff.accept_by == START + timedelta(hours=4)
    assert states(page)["decision"] == "handed_off"
    assert page.write_to == "Telesales"


async def test_refused_handoff_returns_to_its_sender(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess")
    await organisation.run(
        refuse, card_request, by=organisation.people.uma.actor, reason="The form is unsigned."
    )
    page = await see(card_request)
    assert states(page)["received"] == "current"
    assert states(page)["decision"] == "upcoming"
    assert page.handoff is None
    assert [holder.department for holder in page.current_departments] == ["Telesales"]


async def test_late_stage_is_shown_and_later_dates_are_unknown(
    see, organisation: Organisation, card_request: ServiceRequest, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(hours=4))
    page = await see(card_request)
    assert page.delay
    assert page.delay.previous_by == START + timedelta(hours=4)
    assert step(page, "received").is_overdue(page.now)
    assert page.next_step
    assert page.next_step.by is None
    assert step(page, "delivered").expected_at is None


async def test_parallel_departments_share_a_group(see, organisation: Organisation) -> None:
    """The note of who finished stands with what came of it; the join waits for the slowest."""
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await organisation.run(advance, permit, by=organisation.people.cora.actor, note="All is there.")
    page = await see(permit)
    assert [len(level) for level in page.step_groups] == [1, 3, 1]
    assert states(page) == {
        "intake": "done", "fire": "handed_off", "plans": "current", "zoning": "current", "decision": "upcoming",
    }  # fmt: skip
    assert page.handoff is None
    assert step(page, "fire").handoff
    assert step(page, "plans").note == "All is there."
    assert [h.department for h in page.current_departments] == [
        "Permit Counter",
        "Plan Review",
        "Zoning",
    ]
    assert page.headline == "Your plans are being reviewed"
    assert page.next_step
    assert page.next_step.title == "Your permit is being decided"
    assert page.next_step.by == START + timedelta(days=2)


async def test_question_during_a_stage_waits_for_the_customer(
    see, organisation: Organisation
) -> None:
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await walk(organisation, repair, "ben")
    await ask(organisation, repair)
    page = await see(repair)
    assert page.status == "waiting_on_customer"
    assert page.question
    assert page.question.text == "The repair costs 80 dollars. Shall we go ahead?"
    assert states(page)["quote"] == "paused"
    assert page.next_step
    assert page.next_step.by is None
    await say(organisation, repair, Answer.YES)
    page = await see(repair)
    assert (page.status, page.question) == ("open", None)
    assert states(page) == {"diagnosis": "done", "quote": "done", "mended": "current"}


async def test_declined_quote_ends_the_request(see, organisation: Organisation) -> None:
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await walk(organisation, repair, "ben")
    await ask(organisation, repair)
    await say(organisation, repair, Answer.NO)
    page = await see(repair)
    assert page.status == "declined"
    assert page.ending
    assert (page.ending.at, page.ending.confirmed) == (START, False)
    assert states(page) == {"diagnosis": "done", "quote": "ended", "mended": "skipped"}
    assert page.next_step is None
    assert page.current_departments == ()


async def test_hold_shows_reason_and_end(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    until = START + timedelta(days=2)
    by = organisation.people.tess.actor
    await organisation.run(
        hold, card_request, by=by, reason="We wait for your employer.", until=until
    )
    page = await see(card_request)
    assert page.status == "on_hold"
    assert page.pause
    assert (page.pause.reason, page.pause.until) == ("We wait for your employer.", until)
    assert states(page)["received"] == "paused"
    assert page.delay is None
    await organisation.run(resume, card_request, by=by)
    page = await see(card_request)
    assert (page.status, page.pause) == ("open", None)


async def test_hold_of_one_branch_pauses_only_that_branch(see, organisation: Organisation) -> None:
    permit = await organisation.open("permit", by=organisation.people.cora.actor)
    await walk(organisation, permit, "cora")
    await organisation.run(
        hold, permit, by=organisation.people.zoe.actor, stage="zoning", reason="A map misses."
    )
    page = await see(permit)
    assert (page.status, page.pause) == ("open", None)
    assert states(page)["zoning"] == "paused"
    assert step(page, "zoning").note == "A map misses."
    assert page.next_step
    assert page.next_step.by is None


async def test_only_the_customer_confirms_completion(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    page = await see(card_request)
    assert page.status == "awaiting_confirmation"
    assert page.headline == "Your card has been delivered"
    assert page.question
    assert page.question.text == "Has your card arrived?"
    assert page.current_departments == ()
    await say(organisation, card_request, Answer.YES)
    page = await see(card_request)
    assert page.status == "completed"
    assert page.ending
    assert page.ending.confirmed
    assert set(states(page).values()) == {"done"}


async def test_no_repeats_the_stage(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    await say(organisation, card_request, Answer.NO)
    page = await see(card_request)
    assert page.status == "open"
    assert states(page)["courier"] == "current"
    assert states(page)["delivered"] == "upcoming"
    assert step(page, "courier").is_repeated
    assert page.headline == "Your card is on its way to you"


async def test_unanswered_confirmation_is_not_shown_as_confirmed(
    see, organisation: Organisation, card_request: ServiceRequest, clock: time_machine.Traveller
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    for days in (2, 30):
        clock.shift(timedelta(days=days))
        await ask(organisation, card_request)
    page = await see(card_request)
    assert page.status == "completed"
    assert page.ending
    assert (page.ending.confirmed, page.ending.unconfirmed) == (False, True)
    assert page.ending.reason is None
    html = templating.render("tracking/status_page/status.html", page.context())
    assert "We asked and did not hear from you, so we closed it" in html


async def test_cancelled_request_shows_reason_and_last_stage(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess")
    await organisation.run(
        cancel, card_request, by=organisation.people.tess.actor, reason="You asked us to stop."
    )
    page = await see(card_request)
    assert page.status == "cancelled"
    assert page.ending
    assert page.ending.reason == "You asked us to stop."
    assert states(page) == {
        "received": "done", "decision": "ended", "made": "skipped", "courier": "skipped",
        "delivered": "skipped",
    }  # fmt: skip
    await organisation.run(
        reopen, card_request, by=organisation.people.tess.actor, reason="They changed their mind."
    )
    page = await see(card_request)
    assert page.status == "open"
    assert states(page)["decision"] == "current"
    assert step(page, "decision").is_repeated


async def test_sent_back_request_shows_reason_and_only_valid_runs(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess", "uma", "pia")
    await organisation.run(accept, card_request, by=organisation.people.carl.actor)
    await organisation.run(
        send_back,
        card_request,
        by=organisation.people.carl.actor,
        stage="made",
        reason="The name is wrong.",
    )
    await organisation.run(accept, card_request, by=organisation.people.pia.actor)
    page = await see(card_request)
    assert states(page)["made"] == "current"
    assert states(page)["courier"] == "upcoming"
    assert step(page, "made").note == "The name is wrong."
    assert step(page, "made").is_repeated


async def test_open_promise_is_shown_with_its_owner(
    see, organisation: Organisation, card_request: ServiceRequest, clock: time_machine.Traveller
) -> None:
    by, due = organisation.people.tess.actor, START + timedelta(hours=1)
    await organisation.run(
        make_promise, card_request, by=by, text="I will call you back.", due_at=due
    )
    page = await see(card_request)
    [promise] = page.promises
    assert (promise.owner, promise.text, promise.due_at) == ("Tess", "I will call you back", due)
    assert page.valid_until == due
    html = templating.render("tracking/status_page/status.html", page.context())
    assert "Tess: I will call you back by" in html
    clock.shift(timedelta(hours=1))
    assert (await see(card_request)).promises[0].is_overdue(START + timedelta(hours=1))
    later = START + timedelta(hours=3)
    number = int(promise.key)
    await organisation.run(
        move_promise, card_request, number, by=by, due_at=later, reason="The line is busy."
    )
    [moved] = (await see(card_request)).promises
    assert (moved.key, moved.due_at) == (promise.key, later)
    assert moved.moved_reason == "The line is busy."
    await organisation.run(keep_promise, card_request, number, by=by)
    page = await see(card_request)
    assert page.promises == ()
    html = templating.render("tracking/status_page/status.html", page.context())
    assert "Tess: I will call you back. Kept" in html


async def test_internal_promise_is_not_shown(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Not the quiet ones, nor what was none; what the request ended without says so."""
    by, due = organisation.people.tess.actor, START + timedelta(days=1)
    await organisation.run(
        make_promise, card_request, by=by, text="Ask the bank", due_at=due, tell=False
    )
    await organisation.run(write_to_customer, card_request, "I'll call you tomorrow at 3.", by=by)
    read = (await organisation.reload(card_request)).promises[-1]
    assert [one.text for one in (await see(card_request)).promises] == ["I'll call you"]
    await organisation.run(withdraw_promise, card_request, read.id, reason="It was none.", by=by)
    page = await see(card_request)
    assert page.promises == page.past_promises == ()
    await organisation.run(make_promise, card_request, by=by, text="A call", due_at=due)
    await organisation.run(cancel, card_request, reason="Enough.", by=by)
    html = templating.render(
        "tracking/status_page/status.html", (await see(card_request)).context()
    )
    assert "Tess: A call. We did not get to this, and are sorry." in html


async def test_conversation_shows_what_people_wrote(
    see, organisation: Organisation, database: Database, card_request: ServiceRequest
) -> None:
    """Both ways and by every channel, without what only a text needs; no milestone twice."""
    await organisation.run_unbound(
        receive_text, by=organisation.people.mona.actor,
        sid="SM1", sender="+14155550132", to="+15005550006", body="Can I pay by cheque?",
    )  # fmt: skip
    await organisation.run(
        write_to_customer, card_request, "Yes, you can.", by=organisation.people.tess.actor
    )
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    lines = (await see(card_request)).conversation
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
        messages = await conversation(session, card_request.id or 0)
    keys = {str(message.id) for message in messages}
    assert {line.key for line in lines} < keys


async def test_suppressed_message_is_not_shown(
    see, organisation: Organisation, database: Database, card_request: ServiceRequest
) -> None:
    await ask(
        organisation, await walk(organisation, card_request, "tess", "uma", "pia", "carl", "carl")
    )
    async with database.transaction() as session:
        for message in await conversation(session, card_request.id or 0):
            assert isinstance(message, Message)
            message.status = MessageStatus.EXPIRED
    assert (await see(card_request)).conversation == ()


async def test_page_in_an_unknown_language_is_english(see, organisation: Organisation) -> None:
    """An odd locale is no reason to show nothing."""
    odd = CustomerDetails(name="Zed", phone="+14155550144", locale="zz")
    request = await organisation.open(customer=odd, by=organisation.people.tess.actor)
    assert (await see(request)).headline == "We have your application"


async def test_regional_locale_uses_its_language(see, organisation: Organisation) -> None:
    brazil = CustomerDetails(name="Zé", phone="+5511955550144", locale="pt-BR")
    request = await organisation.open(customer=brazil, by=organisation.people.tess.actor)
    await walk(organisation, request, "tess")
    assert (await see(request)).first_name == "Zé"


async def test_titled_question_is_the_last_step(
    see, organisation: Organisation, clock: time_machine.Traveller
) -> None:
    """A question with a title is a leg; it is done when they say so."""
    async with organisation.operations.begin(organisation.people.mona.actor) as uow:
        await load_workflow(uow, read_workflow(LOAN))
    loan = await organisation.open("loan", by=organisation.people.tess.actor)
    [[paid], [yours]] = (await see(loan)).step_groups
    assert paid.expected_at == START + timedelta(days=1)
    assert (yours.title, yours.department, yours.state) == (
        "In your account",
        "You tell us",
        "upcoming",
    )
    assert yours.expected_at == START + timedelta(days=3)
    page = await see(await walk(organisation, loan, "tess"))
    assert page.status == "awaiting_confirmation"
    assert page.question is None
    assert page.next_step
    assert (page.next_step.title, page.next_step.by) == (
        "In your account",
        START + timedelta(days=2),
    )
    clock.shift(timedelta(days=2))
    page = await see(await ask(organisation, loan))
    assert page.step_groups[-1][0].state == "current"
    assert page.next_step is None
    await say(organisation, loan, Answer.YES)
    page = await see(loan)
    assert page.step_groups[-1][0].state == "done"
    assert page.step_groups[-1][0].began_at == START + timedelta(days=2)


async def test_reason_of_a_person_is_shown_also_where_it_reads_like_a_code(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await walk(organisation, card_request, "tess")
    ended = await organisation.run(
        cancel, card_request, by=organisation.people.tess.actor, reason="unconfirmed"
    )
    page = await see(card_request)
    assert page.ending
    assert (page.ending.reason, page.ending.unconfirmed) == ("unconfirmed", False)
    assert "did not hear from you" not in (await organisation.outbound_messages(ended))[-1].body


async def test_question_is_the_workflows_whatever_text_was_stored(
    see, organisation: Organisation
) -> None:
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await walk(organisation, repair, "ben")
    await ask(organisation, repair)
    async with organisation.operations.begin(organisation.people.ben.actor) as uow:
        held = await uow.lock(repair.reference)
        held.follow_ups[-1].question = "Reworded?"
    page = await see(repair)
    assert page.question
    assert page.question.text == "The repair costs 80 dollars. Shall we go ahead?"


async def test_customers_other_time_for_a_call_is_shown_whatever_text_was_stored(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    by = organisation.people.tess.actor
    made = await organisation.run(
        make_promise, card_request, text="We call you.", due_at=START + timedelta(days=1), by=by
    )
    async with organisation.operations.begin(by) as uow:
        promise = (await uow.lock(made.reference)).promises[0]
        promise.move_for_customer(START + timedelta(days=2))
        promise.moved_reason = "Reworded."
    page = await see(card_request)
    assert [promise.moved_reason for promise in page.promises] == [
        product_text("another_time", "en")
    ]

"""Promises, the conversation and reasons on the status page."""

from datetime import timedelta

import pytest
import time_machine

from portal.database import Database
from portal.messaging.wording.renderer import product_text
from portal.models import Message, MessageStatus, ServiceRequest
from portal.operations import (
    CustomerDetails,
    assign,
    cancel,
    keep_promise,
    make_promise,
    move_promise,
    receive_text,
    withdraw_promise,
    write_to_customer,
)
from portal.queries.conversations import conversation
from portal.web import templating
from tests.support.factories import Organisation
from tests.tracking.status_page.status_page_steps import START, ask, walk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _from_the_start(clock: time_machine.Traveller) -> None:
    """Time stands still, so that each moment can be named."""


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
    assert [promise.text for promise in (await see(card_request)).promises] == ["I'll call you"]
    await organisation.run(withdraw_promise, card_request, read.id, reason="It was none.", by=by)
    page = await see(card_request)
    assert page.promises == page.past_promises == ()
    await organisation.run(make_promise, card_request, by=by, text="A call", due_at=due)
    await organisation.run(cancel, card_request, reason="Enough.", by=by)
    html = templating.render(
        "tracking/status_page/status.html", (await see(card_request)).context()
    )
    assert "Tess: A call. No longer needed." in html


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
            "Got it, Martin. Tess at Telesales will answer you by Tue 3 Jun, noon.",
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
    """A language that we do not write is no reason to show nothing."""
    other = CustomerDetails(name="Zed", phone="+14155550144", locale="fr-CA")
    request = await organisation.open(customer=other, by=organisation.people.tess.actor)
    assert (await see(request)).headline == "We have your application"


async def test_regional_locale_uses_its_language(see, organisation: Organisation) -> None:
    brazil = CustomerDetails(name="Zé", phone="+5511955550144", locale="pt-BR")
    request = await organisation.open(customer=brazil, by=organisation.people.tess.actor)
    await walk(organisation, request, "tess")
    assert (await see(request)).first_name == "Zé"


async def test_staff_reason_that_looks_like_a_code_is_shown_verbatim(
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


async def test_question_text_comes_from_the_workflow(see, organisation: Organisation) -> None:
    repair = await organisation.open("repair", by=organisation.people.ben.actor)
    await walk(organisation, repair, "ben")
    await ask(organisation, repair)
    async with organisation.operations.begin(organisation.people.ben.actor) as uow:
        held = await uow.lock(repair.reference)
        held.follow_ups[-1].question = "Reworded?"
    page = await see(repair)
    assert page.question
    assert page.question.text == "The repair costs 80 dollars. Shall we go ahead?"


async def test_call_time_from_the_customer_is_shown_whatever_its_stored_reason(
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


async def test_the_page_names_the_person_who_has_it_by_first_name_alone(
    see, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Also after another colleague takes it over: the open page is drawn anew."""
    page = await see(card_request)
    html = templating.render("tracking/status_page/status.html", page.context())
    tess, tom = organisation.people.tess, organisation.people.tom
    assert "<strong>Tess</strong> at <strong>Telesales</strong> has had it" in html
    assert '<i class="face" aria-hidden="true">T</i>' in html
    assert tess.name not in html
    before = (await organisation.reload(card_request)).page_version
    await organisation.run(assign, card_request, by=tess.actor, owner=tom.email)
    assert (await organisation.reload(card_request)).page_version == before + 1
    [current] = (await see(card_request)).current_departments
    assert (current.person, current.department) == ("Tom", "Telesales")

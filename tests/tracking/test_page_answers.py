"""Answers and preferences that a customer gives on the status page."""

import re

import httpx2
import pytest

from portal.models import Channel, MessageStatus, ServiceRequest
from portal.operations import accept, advance, cancel, run_due_follow_ups, write_to_customer
from tests.support.customer_device import verify_device
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


async def at_question(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    """All stages done, and the customer asked whether it arrived."""
    people = organisation.people
    await organisation.run(advance, request, by=people.tess.actor)
    for person in (people.uma, people.pia, people.carl):
        await organisation.run(accept, request, by=person.actor)
        await organisation.run(advance, request, by=person.actor)
    await organisation.run(advance, request, by=people.carl.actor)
    return await organisation.run(run_due_follow_ups, request, by=people.carl.actor)


async def ask_form(client: httpx2.AsyncClient, request: ServiceRequest) -> dict[str, str]:
    """What the buttons of the page would send."""
    page = (await client.get(link(request))).text
    asked = re.search(r'name="follow_up" value="(\d+)"', page)
    assert asked
    return {"follow_up": asked[1]}


async def test_only_the_customers_yes_completes_the_request(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    page = read(await client.get(link(card_request)))
    assert (
        "Has your card arrived? Please tell us. Only you know. Yes Yes, but something is wrong No"
        in page
    )
    assert "Reply YES" not in page
    answer = await client.post(f"{link(card_request)}/answers", data={**form, "answer": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (303, link(card_request))
    assert (await organisation.reload(card_request)).status == "completed"
    words = read(await client.get(link(card_request)))
    assert "All done, Martin" in words
    assert "You confirmed it today" in words


async def test_no_sends_the_request_back_to_an_owner(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    await client.post(f"{link(card_request)}/answers", data={**form, "answer": "no"})
    assert (await organisation.reload(card_request)).status == "open"
    words = read(await client.get(link(card_request)))
    assert "Carl is looking for your card, Martin" in words
    assert "Courier Desk · once more" in words


async def test_double_submit_answers_once(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The same answer again is thanked with the page; another one is for a person, and says so."""
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    path = f"{link(card_request)}/answers"
    for _ in range(2):
        answer = await client.post(path, data={**form, "answer": "yes"})
        assert answer.status_code == 303
    events = [event.kind for event in await organisation.events(card_request)]
    assert events.count("question_answered") == 1
    other = await client.post(path, data={**form, "answer": "no"})
    assert other.status_code == 303
    seen = await organisation.reload(card_request)
    assert seen.status == "completed"
    assert [promise.is_open for promise in seen.promises] == [True]
    words = read(await client.get(link(card_request)))
    assert "Before, you had answered otherwise: Carl looks at it and answers by" in words


async def test_answer_to_a_cancelled_request_is_told_so(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """It is never thanked for, and a person reads it."""
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    await organisation.run(
        cancel, card_request, reason="Enough.", by=organisation.people.carl.actor
    )
    answer = await client.post(f"{link(card_request)}/answers", data={**form, "answer": "yes"})
    assert answer.status_code == 303
    newest = (await organisation.outbound_messages(card_request))[-1]
    assert f"{card_request.reference} was cancelled." in newest.body
    assert "Thank" not in newest.body
    assert len((await organisation.reload(card_request)).promises) == 1


async def test_yes_after_no_on_the_page_goes_to_a_person(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    for answer in ("no", "yes", "yes"):
        response = await client.post(
            f"{link(card_request)}/answers", data={**form, "answer": answer}
        )
        assert response.status_code == 303
    seen = await organisation.reload(card_request)
    assert len([promise for promise in seen.promises if promise.is_open]) == 1
    replies = [message.body for message in await organisation.outbound_messages(card_request)]
    assert len([body for body in replies if "Before, you had answered otherwise" in body]) == 1


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"answer": "maybe"}, "Please answer with yes or no."),
        ({"follow_up": "999999", "answer": "yes"}, "That question is not on this page."),
        ({"follow_up": "one", "answer": "yes"}, "That question is not on this page."),
        ({"answer": "yes", "words": "long " * 400}, "That is too long to send"),
    ],
)
async def test_invalid_answer_changes_nothing(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    form: dict[str, str],
    sentence: str,
) -> None:
    asked = await at_question(organisation, card_request)
    form = {**await ask_form(client, card_request), **form}
    answer = await client.post(f"{link(card_request)}/answers", data=form)
    assert answer.status_code == 422
    assert sentence in read(answer)
    assert (await organisation.reload(card_request)).version == asked.version


async def test_foreign_question_cannot_be_answered(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    other = await organisation.open(by=organisation.people.tess.actor)
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    answer = await client.post(f"{link(other)}/answers", data={**form, "answer": "yes"})
    assert answer.status_code == 422
    assert (await organisation.reload(card_request)).status == "awaiting_confirmation"


async def test_customer_chooses_channel_and_language(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    path = f"{link(card_request)}/preferences"
    page = (await client.get(path)).text
    assert "•••• 32" in page
    assert "m•••@e•••" in page
    assert "0132" not in page
    assert "example.com" not in page
    answer = await client.post(path, data={"do": "save", "channel": "email", "locale": "en"})
    assert answer.status_code == 303
    assert "Saved." in read(await client.get(answer.headers["Location"]))
    assert (await organisation.reload(card_request)).customer.preferred_channel == Channel.EMAIL


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"do": "save", "channel": "pigeon"}, "We have no such address of yours."),
        ({"do": "save", "locale": "xx"}, "We do not write in that language yet."),
        ({"do": "dance"}, "Please press one of the buttons."),
    ],
)
async def test_invalid_preference_changes_nothing(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    form: dict[str, str],
    sentence: str,
) -> None:
    answer = await client.post(f"{link(card_request)}/preferences", data=form)
    assert answer.status_code == 422
    assert sentence in read(answer)
    assert (await organisation.reload(card_request)).page_version == card_request.page_version


async def test_customer_opts_out_and_in_again(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    path = f"{link(card_request)}/preferences"
    for wish, sentence, way in (
        ("stop_this", "We do not text you about this request.", Channel.EMAIL),
        ("stop_all", "We do not write to you at all.", None),
        ("start_all", "Stop texting about this request Stop all texts", Channel.SMS),
    ):
        if wish == "start_all":
            await verify_device(client, organisation, card_request)
        assert (await client.post(path, data={"do": wish})).status_code == 303
        assert sentence in read(await client.get(path))
        await organisation.run(
            write_to_customer, card_request, "News.", by=organisation.people.tess.actor
        )
        newest = (await organisation.outbound_messages(card_request))[-1]
        assert way == (newest.channel if newest.status == MessageStatus.QUEUED else None)

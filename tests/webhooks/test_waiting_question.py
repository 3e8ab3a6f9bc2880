"""The last question waits for an answer that is owed, and page and text say so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.models import SYSTEM_ACTOR
from portal.operations import run_due_follow_ups, write_to_customer
from tests.support.factories import MARTIN
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "First we answer you. Then we ask you whether all is well."),
        ("es", "Primero le respondemos. Luego le preguntamos si va todo bien."),
        ("ar", "نجيبك أولًا. ثم نسألك هل كل شيء بخير."),
    ],
)
async def test_page_says_that_the_question_waits_for_our_answer(
    clock, organisation, waiting_to_be_asked, client, locale, words
):
    card = await waiting_to_be_asked(customer=replace(MARTIN, locale=locale))
    assert words not in read(await client.get(link(card)))
    form = {"body": "Can I choose the PIN myself?"}
    await client.post(f"{link(card)}/messages", data=form)
    clock.shift(timedelta(days=3))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    assert (await organisation.reload(card)).open_question is None
    assert words in read(await client.get(link(card)))
    await organisation.run(write_to_customer, card, "Yes.", by=organisation.people.carl.actor)
    assert words not in read(await client.get(link(card)))
    clock.shift(timedelta(hours=1))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    assert (await organisation.reload(card)).open_question is not None


async def test_text_says_that_the_question_waits_for_our_answer(
    clock, organisation, waiting_to_be_asked, phone
):
    await waiting_to_be_asked()
    await phone("Where is my card?")
    assert "We will ask you soon whether all is well." in (await phone.replies())[-1]
    await phone("Can I choose the PIN myself?")
    clock.shift(timedelta(minutes=11))
    await phone("Where is my card?")
    waits = "We answer you first, then ask whether all is well."
    assert waits in (await phone.replies())[-1]


async def test_page_gives_no_date_for_a_question_that_waits(
    clock, organisation, client, waiting_to_be_asked
):
    card = await waiting_to_be_asked()
    await client.post(f"{link(card)}/messages", data={"body": "Please ring me about the PIN."})
    words = read(await client.get(link(card)))
    assert "we ask you by" not in words
    assert "nothing else that you need to do" not in words

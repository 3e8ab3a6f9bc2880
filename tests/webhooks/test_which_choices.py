"""The list of a "which?": at most three, told apart, in one segment; and choices of several."""

from datetime import timedelta

import pytest

from portal.messaging.sms.segments import count_segments
from portal.models import MessageKind

pytestmark = pytest.mark.either_database


async def question(organisation):
    asked = [
        message for message in await organisation.messages()
        if message.kind == MessageKind.WHICH_REQUEST
    ]  # fmt: skip
    return asked[-1].body


async def test_choices_of_one_kind_differ_by_their_date(clock, organisation, phone):
    requests = []
    for _ in range(4):
        requests.append(await organisation.open(by=organisation.people.tess.actor))
        clock.shift(timedelta(days=1))
    await phone("Please change my address")
    text = await question(organisation)
    assert "1 Credit card Wed 4 Jun, 2 Credit card Thu 5 Jun, 3 Credit card Fri 6 Jun" in text
    assert text.endswith("Others: http://testserver")
    assert count_segments(text).segments == 1
    await phone("2")
    assert "Please change my address" in await phone.texts_of(requests[2])


async def test_choices_of_one_kind_and_day_differ_by_their_reference(clock, organisation, phone):
    first, second = [await organisation.open(by=organisation.people.tess.actor) for _ in range(2)]
    await phone("Please change my address")
    text = await question(organisation)
    assert f"1 Credit card {first.reference}, 2 Credit card {second.reference}" in text


async def test_plain_titles_need_no_mark(clock, organisation, phone):
    await organisation.open(by=organisation.people.tess.actor)
    permit = await organisation.open("permit", by=organisation.people.ben.actor)
    await phone("Please change my address")
    assert (await question(organisation)).endswith("1 Credit card, 2 Building permit")
    await phone("2")
    assert "Please change my address" in await phone.texts_of(permit)


async def test_two_and_the_others_too_is_all(clock, organisation, phone):
    card = await organisation.open(by=organisation.people.tess.actor)
    permit = await organisation.open("permit", by=organisation.people.ben.actor)
    await phone("Please change my address")
    await phone("2 and the others too please")
    for request in (card, permit):
        assert "Please change my address" in await phone.texts_of(request)
    before = len(await phone.replies())
    await phone("thanks")
    assert len(await phone.replies()) == before


@pytest.mark.parametrize("body", ["ok great 😊", "❤️"])
async def test_pleasantry_with_two_open_requests_is_recorded(organisation, phone, body, clock):
    await organisation.open(by=organisation.people.tess.actor)
    await organisation.open("permit", by=organisation.people.ben.actor)
    await phone(body)
    assert await phone.replies() == []

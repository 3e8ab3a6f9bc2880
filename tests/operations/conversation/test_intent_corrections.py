"""A colleague says what words mean: it is kept, heeded where that is safe, and given out."""

import asyncio
import csv

import pytest

from portal.commands.export_replies import export
from portal.errors import BadInput
from portal.models import (
    KEPT,
    Channel,
    EventKind,
    MessageKind,
    RequestStatus,
)
from portal.operations import accept, advance, ask_what_is_due, relabel

pytestmark = pytest.mark.either_database


@pytest.fixture
async def card(clock, house):
    return await house.open(by=KEPT)


async def to_the_end(house, card):
    """Done, and asked whether it has arrived."""
    for _ in range(3):
        await house.do(advance, card, by=KEPT)
        await house.do(accept, card, by=KEPT)
    for _ in range(2):
        await house.do(advance, card, by=KEPT)
    return await house.do(ask_what_is_due, card, by=KEPT)


async def test_what_was_understood_is_kept_and_a_colleague_may_correct_it(house, card, texts):
    """The label and who chose it stay; a yes then answers the question, with the words."""
    await to_the_end(house, card)
    await texts("simon, ya esta")
    message = (await texts.heard())[-1]
    assert (message.meaning, message.meaning_by) == ("other", "")
    seen = await house.do(relabel, card, message, "yes", by=house.people.carl.actor)
    assert seen.status == RequestStatus.COMPLETED
    assert seen.follow_ups[0].answer_words == "simon, ya esta"
    message = (await texts.heard())[-1]
    assert (message.meaning, message.meaning_by) == ("yes", "Carl Courier")
    kinds = [one.kind for one in await house.events(card)]
    assert kinds.count(EventKind.MEANING_CORRECTED) == 1


@pytest.mark.parametrize(
    ("label", "kind"), [("call_me", MessageKind.ACKNOWLEDGEMENT), ("status", MessageKind.ANSWER)]
)
async def test_a_label_does_what_it_asks_once(house, card, texts, label, kind):
    await texts("hmm hmm")
    for _ in range(2):
        await house.do(relabel, card, (await texts.heard())[-1], label, by=house.people.tess.actor)
    told = [one for one in await house.told(card) if one.cause.startswith("event:")]
    assert [one.kind for one in told[1:]] == [kind]
    assert told[-1].channel == Channel.SMS


async def test_a_label_that_asks_for_nothing_here_changes_nothing(house, card, texts):
    """A yes where nothing was asked, a stop: kept for the corpus, and that is all."""
    await texts("hmm hmm")
    before = len(await house.told(card))
    for label in ("yes", "stop", "thanks"):
        seen = await house.do(relabel, card, (await texts.heard())[-1], label, by=KEPT)
    assert seen.status == RequestStatus.OPEN
    assert len(seen.promises) == 1
    assert len(await house.told(card)) == before


async def test_only_a_known_label_and_the_customers_own_words_are_taken(house, card, texts):
    await texts("hmm hmm")
    with pytest.raises(BadInput):
        await house.do(relabel, card, (await texts.heard())[-1], "nonsense", by=KEPT)
    other = await house.open("permit", by=KEPT)
    with pytest.raises(BadInput):
        await house.do(relabel, other, (await texts.heard())[-1], "yes", by=KEPT)


async def test_labelled_words_are_given_out_without_names_and_numbers(house, card, texts, settings):
    """`kept replies export`: what people labelled, and nothing that tells of whom."""
    await texts("my number is 415-555-0199, martin.m@example.com, Martin here")
    await texts("not labelled")
    await house.do(relabel, card, (await texts.heard())[0], "other", by=KEPT)
    lines = await asyncio.to_thread(export, settings)
    assert list(csv.reader(lines)) == [
        ["text", "label"],
        ["my number is 000-000-0000, [mail], [name] here", "other"],
    ]

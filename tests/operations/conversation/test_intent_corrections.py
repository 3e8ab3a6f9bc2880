"""Staff correct the intent of a message: stored, applied where it is safe, and exported."""

import asyncio
import csv

import pytest

from portal.commands.export_replies import export_labelled_replies
from portal.errors import BadInput
from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    EventKind,
    Message,
    MessageKind,
    RequestStatus,
)
from portal.operations import accept, advance, correct_intent, run_due_follow_ups

pytestmark = pytest.mark.either_database


@pytest.fixture
async def card(clock, organisation):
    return await organisation.open(by=SYSTEM_ACTOR)


async def to_the_end(organisation, card):
    """Done, and asked whether it has arrived."""
    for _ in range(3):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
        await organisation.run(accept, card, by=SYSTEM_ACTOR)
    for _ in range(2):
        await organisation.run(advance, card, by=SYSTEM_ACTOR)
    return await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)


async def test_classified_intent_is_stored_and_correctable(organisation, card, texts):
    """The label and who chose it stay; a yes then answers the question, with the words."""
    await to_the_end(organisation, card)
    await texts("Is the office open on Saturday?")
    message = (await texts.heard())[-1]
    assert (message.intent, message.intent_corrected_by) == ("other", "")
    seen = await organisation.run(
        correct_intent, card, message, "yes", by=organisation.people.carl.actor
    )
    assert seen.status == RequestStatus.COMPLETED
    assert seen.follow_ups[0].answer_words == "Is the office open on Saturday?"
    message = (await texts.heard())[-1]
    assert (message.intent, message.intent_corrected_by) == ("yes", "Carl Courier")
    kinds = [event.kind for event in await organisation.events(card)]
    assert kinds.count(EventKind.INTENT_CORRECTED) == 1


@pytest.mark.parametrize(
    ("label", "kind"), [("call_me", MessageKind.ACKNOWLEDGEMENT), ("status", MessageKind.ANSWER)]
)
async def test_corrected_intent_is_applied_once(organisation, card, texts, label, kind):
    await texts("hmm hmm")
    for _ in range(2):
        await organisation.run(
            correct_intent,
            card,
            (await texts.heard())[-1],
            label,
            by=organisation.people.tess.actor,
        )
    told = [
        message
        for message in await organisation.outbound_messages(card)
        if message.cause.startswith("event:")
    ]
    assert [message.kind for message in told[1:]] == [kind]
    assert told[-1].channel == Channel.SMS


async def test_correction_to_an_intent_without_effect_changes_nothing(organisation, card, texts):
    """A yes where nothing was asked, a stop: kept for the corpus, and that is all."""
    await texts("hmm hmm")
    before = len(await organisation.outbound_messages(card))
    for label in ("yes", "stop", "thanks"):
        seen = await organisation.run(
            correct_intent, card, (await texts.heard())[-1], label, by=SYSTEM_ACTOR
        )
    assert seen.status == RequestStatus.OPEN
    assert len(seen.promises) == 1
    assert len(await organisation.outbound_messages(card)) == before


async def test_correction_needs_a_known_intent_and_a_customer_message(organisation, card, texts):
    await texts("hmm hmm")
    with pytest.raises(BadInput):
        await organisation.run(
            correct_intent, card, (await texts.heard())[-1], "nonsense", by=SYSTEM_ACTOR
        )
    other = await organisation.open("permit", by=SYSTEM_ACTOR)
    with pytest.raises(BadInput):
        await organisation.run(
            correct_intent, other, (await texts.heard())[-1], "yes", by=SYSTEM_ACTOR
        )


async def test_labelled_replies_are_exported_anonymously(organisation, card, texts, settings):
    """`kept replies export`: what people labelled, and nothing that tells of whom."""
    await texts("my number is 415-555-0199, martin.m@example.com, Martin here")
    await texts("not labelled")
    async with organisation.database.transaction() as session:
        first = await session.get_one(Message, (await texts.heard())[0].id)
        first.because = "Martin here"
    await organisation.run(correct_intent, card, (await texts.heard())[0], "other", by=SYSTEM_ACTOR)
    lines = await asyncio.to_thread(export_labelled_replies, settings)
    assert list(csv.reader(lines)) == [
        ["text", "label", "because"],
        ["my number is 000-000-0000, [mail], [name] here", "other", "[name] here"],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "＝"])  # noqa: RUF001
async def test_exported_replies_hold_no_formula(organisation, card, texts, settings, start):
    """A spreadsheet runs what begins so; after an apostrophe it is text."""
    await texts(f"{start}cmd|' /C calc'!A0")
    await organisation.run(correct_intent, card, (await texts.heard())[0], "other", by=SYSTEM_ACTOR)
    _, (text, _, _) = csv.reader(await asyncio.to_thread(export_labelled_replies, settings))
    assert text == f"'{start.strip()}cmd|' /C calc'!A0"

"""Of several requests an answer goes to the one about which we have asked last."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.models import SYSTEM_ACTOR, MessageKind, PromiseKind
from portal.operations import advance, run_due_follow_ups, write_to_customer

pytestmark = pytest.mark.either_database


async def test_number_chooses_the_window_that_was_offered_last(
    loan, line, clock, organisation, texts, booked
):
    """Not the request with an unanswered message."""
    await texts(f"{loan.reference}: can you change my address?")
    clock.shift(timedelta(minutes=10))
    await texts("2")
    assert (await booked(line)).answer_at == datetime(2025, 6, 4, 16, tzinfo=UTC)


async def test_number_after_which_chooses_the_request(
    loan, line, clock, organisation, texts, booked
):
    clock.shift(timedelta(minutes=10))
    asked = await texts("Can you change my address?")
    assert asked.kind == MessageKind.WHICH_REQUEST
    await texts("1")
    assert await booked(line) is None


async def test_time_agrees_the_call_that_was_asked_about_last(
    loan, line, clock, organisation, texts, booked
):
    """The line's question waits for a time too."""
    clock.shift(timedelta(minutes=10))
    await texts("about the loan: can you call me at 8 pm tomorrow?")
    clock.shift(timedelta(minutes=1))
    await texts("tomorrow at 4 pm")
    assert await booked(line) is None
    [promise] = (await organisation.reload(loan)).promises
    assert (promise.kind, promise.due_at) == (
        PromiseKind.CALL, datetime(2025, 6, 4, 20, tzinfo=UTC),
    )  # fmt: skip


async def test_yes_answers_the_question_that_was_put_last(clock, organisation, texts):
    """Twenty minutes after that of another request, whatever staff wrote about a third."""
    card = await organisation.open(by=SYSTEM_ACTOR)
    first, second = [await organisation.open("repair", by=SYSTEM_ACTOR) for _ in range(2)]
    for repair in (first, second):
        await organisation.run(advance, repair, by=SYSTEM_ACTOR)
        await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
        clock.shift(timedelta(minutes=20))
    by = organisation.people.tess.actor
    await organisation.run(write_to_customer, card, "We have your form.", by=by)
    await texts("yes please")
    assert (await organisation.reload(second)).open_question is None
    assert (await organisation.reload(first)).open_question is not None


async def test_status_question_about_several_is_never_silent(loan, clock, organisation, texts):
    """Asked anew, another request may be meant: they are asked which; and so the third time."""
    await organisation.open(by=SYSTEM_ACTOR)
    replies = []
    for _ in range(4):
        replies.append(await texts("where is it?"))
        clock.shift(timedelta(minutes=1))
    assert [reply.kind for reply in replies] == [MessageKind.WHICH_REQUEST] * 4


async def test_status_question_after_the_status_of_one_is_asked_which(
    loan, clock, organisation, texts
):
    await organisation.open(by=SYSTEM_ACTOR)
    await texts("where is it?")
    told = await texts("1")
    assert told.kind == MessageKind.ANSWER
    clock.shift(timedelta(minutes=1))
    again = await texts("where is it?")
    assert again.kind == MessageKind.ANSWER
    clock.shift(timedelta(minutes=1))
    assert (await texts("where is it?")).kind == MessageKind.WHICH_REQUEST

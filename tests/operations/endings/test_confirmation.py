"""The confirmation is asked at a good moment, once."""

from datetime import time, timedelta

import pytest

from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, ContactChannel, ContactReason, RequestStatus
from portal.operations import (
    advance,
    keep_promise,
    log_contact,
    receive_web_message,
    run_due_follow_ups,
    write_to_customer,
)
from portal.rules.follow_up_schedule import MIN_WAIT
from portal.settings.types import QuietHours
from tests.operations.endings.receipts import DAY, HOUR, Receipt
from tests.support.factories import CARD, Organisation

pytestmark = pytest.mark.either_database


A_SECOND_QUESTION = """
[[follow_ups]]
key = "how-was-it"
after_stage = "received"
question = "Were we of help on the phone? Reply YES or NO."
no = "complete"
wait = "14d"
"""


async def test_confirmation_waits_for_an_open_answer(
    receipt: Receipt, organisation: Organisation
) -> None:
    """The question waits for the answer, then a breath, and is put once."""
    await receipt.deliver()
    await receipt.says("The courier was rude to my neighbour.")
    await receipt.advance_clock(HOUR)
    assert await receipt.questions() == 0
    await receipt.advance_clock(DAY)
    assert await receipt.questions() == 0, "overdue, and all the less a time to ask"
    await receipt.do(write_to_customer, "We are sorry. We have spoken to them.", by=SYSTEM_ACTOR)
    await receipt.advance_clock(MIN_WAIT)
    await receipt.advance_clock(HOUR)
    assert await receipt.questions() == 1


async def test_confirmation_waits_for_a_promised_call(receipt: Receipt) -> None:
    await receipt.deliver()
    await receipt.says("Please call me")
    await receipt.advance_clock(DAY)
    assert await receipt.questions() == 0
    call = {"channel": ContactChannel.CALL, "reason": ContactReason.COMPLAINT}
    await receipt.do(log_contact, **call, by=SYSTEM_ACTOR)
    await receipt.advance_clock(MIN_WAIT)
    assert await receipt.questions() == 1


async def test_reminder_waits_for_an_open_answer_and_closes_nothing(
    receipt: Receipt,
) -> None:
    """Words of the customer stop the reminding, and above all the giving up."""
    await receipt.deliver()
    await receipt.advance_clock(timedelta(0))
    await receipt.says("Is it in the blue envelope?")
    await receipt.advance_clock(31 * DAY)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION
    assert await receipt.questions() == 1
    await receipt.do(write_to_customer, "It is, yes.", by=SYSTEM_ACTOR)
    await receipt.advance_clock(MIN_WAIT)
    assert await receipt.questions() == 2
    await receipt.advance_clock(DAY)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION, "still time to answer"
    await receipt.advance_clock(DAY)
    assert receipt.card.closed_unconfirmed


async def test_stage_question_is_asked_despite_an_open_answer(
    organisation: Organisation, receipt: Receipt
) -> None:
    """A quote is part of the work: whoever asked what it costs waits for just that."""
    receipt.card = await organisation.open("repair", by=organisation.people.ben.actor)
    await receipt.says("What will it cost?")
    await receipt.do(advance, by=organisation.people.ben.actor)
    await receipt.advance_clock(timedelta(0))
    assert await receipt.questions() == 1


async def test_open_no_suppresses_other_questions(
    organisation: Organisation, receipt: Receipt
) -> None:
    """Neither is it asked how it was, nor does the second delivery go unasked."""
    await organisation.load(CARD.replace('key = "card"', 'key = "asked-twice"') + A_SECOND_QUESTION)
    await receipt.deliver("asked-twice")
    await receipt.advance_clock(timedelta(0))
    await receipt.advance_clock(13 * DAY)
    await receipt.says("No")
    before = await receipt.questions()
    await receipt.advance_clock(2 * DAY)
    assert await receipt.questions() == before
    await receipt.finish()
    (owed,) = (promise for promise in receipt.card.promises if promise.is_open)
    await receipt.do(keep_promise, owed.id, by=organisation.people.carl.actor)
    await receipt.advance_clock(MIN_WAIT)
    asked = {follow_up.question for follow_up in receipt.card.follow_ups if follow_up.is_asked}
    assert "Has your card arrived? Reply YES or NO." in asked


async def test_page_message_delays_the_confirmation(receipt: Receipt) -> None:
    await receipt.deliver()
    await receipt.do(receive_web_message, "There is a stain on it.", by=CUSTOMER_ACTOR)
    await receipt.do(run_due_follow_ups, by=SYSTEM_ACTOR)
    assert receipt.card.open_question is None


async def test_confirmation_due_at_night_is_decided_in_the_morning(
    organisation: Organisation, receipt: Receipt
) -> None:
    """Delivered at ten in the evening; what Martin writes at midnight comes before the question."""
    quiet = QuietHours(time(21), time(8))
    organisation.operations.settings = organisation.operations.settings.model_copy(
        update={"quiet_hours": quiet}
    )
    receipt.clock.shift(12 * HOUR)
    await receipt.deliver()
    await receipt.advance_clock(2 * HOUR)
    assert receipt.card.open_question is None
    await receipt.says("It came, but it is bent.")
    await receipt.advance_clock(8 * HOUR)
    assert receipt.card.open_question is None, "he waits for an answer"
    await receipt.do(write_to_customer, "We send another one.", by=organisation.people.carl.actor)
    await receipt.advance_clock(3 * DAY)
    assert receipt.card.open_question is not None

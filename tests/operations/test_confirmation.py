"""The customer says when it is done: asked at a good moment, once, and a NO makes work."""

from datetime import time, timedelta

import httpx2
import pytest
import time_machine

from portal.errors import Conflict
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    FollowUpState,
    MessageKind,
    PromiseKind,
    RequestStatus,
    ServiceRequest,
)
from portal.operations import (
    accept,
    advance,
    keep_promise,
    log_contact,
    receive_web_message,
    run_due_follow_ups,
    write_to_customer,
)
from portal.rules.follow_up_schedule import MIN_WAIT
from portal.settings.types import QuietHours
from tests.support.desk_client import visible_text
from tests.support.factories import CARD, Organisation
from tests.support.twilio_client import CustomerPhone
from workers.detect_dropped_balls import DroppedBallDetector
from workers.sweep import Sweep

pytestmark = pytest.mark.either_database

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE = 'no = { send_back = "courier" }'
A_SECOND_QUESTION = """
[[follow_ups]]
key = "how-was-it"
after_stage = "received"
question = "Were we of help on the phone? Reply YES or NO."
no = "complete"
wait = "14d"
"""


class Receipt:
    """A card that is delivered, and whatever comes of it; time passes with a sweep at its end."""

    def __init__(
        self, organisation: Organisation, clock: time_machine.Traveller, texts: CustomerPhone
    ) -> None:
        self.organisation, self.clock, self.texts = organisation, clock, texts
        self.sweep = Sweep(organisation.operations, lambda: None, "sweep")
        self.card: ServiceRequest

    async def deliver(self, workflow: str = "card") -> None:
        """From Telesales to the courier's word that it is there."""
        self.card = await self.organisation.open(workflow, by=self.organisation.people.tess.actor)
        for name in ("uma", "pia", "carl"):
            await self.do(advance, by=SYSTEM_ACTOR)
            await self.do(accept, by=getattr(self.organisation.people, name).actor)
        await self.finish()

    async def finish(self) -> None:
        for _ in range(2):
            await self.do(advance, by=self.organisation.people.carl.actor)

    async def do(self, verb, *args, by, **words) -> None:
        self.card = await self.organisation.run(verb, self.card, *args, by=by, **words)

    async def advance_clock(self, length: timedelta) -> None:
        self.clock.shift(length)
        await self.sweep.once()
        self.card = await self.organisation.reload(self.card)

    async def says(self, words: str) -> None:
        """Martin texts."""
        await self.texts(words)
        self.card = await self.organisation.reload(self.card)

    async def said(self, *kinds: MessageKind) -> list[str]:
        """What Martin was told, of these kinds."""
        told = await self.organisation.outbound_messages(self.card)
        return [one.body for one in told if one.kind in (kinds or tuple(MessageKind))]

    async def questions(self) -> int:
        return len(await self.said(MessageKind.FOLLOW_UP, MessageKind.REMINDER))


@pytest.fixture
async def receipt(
    clock: time_machine.Traveller, organisation: Organisation, texts: CustomerPhone
) -> Receipt:
    return Receipt(organisation, clock, texts)


async def test_nobody_is_asked_whether_it_arrived_while_they_wait_for_our_answer(
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


async def test_a_reminder_waits_in_the_same_way_and_does_not_close_it_unheard(
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


async def test_what_a_stage_must_know_is_asked_all_the_same(
    organisation: Organisation, receipt: Receipt
) -> None:
    """A quote is part of the work: whoever asked what it costs waits for just that."""
    receipt.card = await organisation.open("repair", by=organisation.people.ben.actor)
    await receipt.says("What will it cost?")
    await receipt.do(advance, by=organisation.people.ben.actor)
    await receipt.advance_clock(timedelta(0))
    assert await receipt.questions() == 1


async def test_while_a_no_is_being_put_right_nothing_else_is_asked(
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
    await receipt.advance_clock(MIN_WAIT)
    asked = {one.question for one in receipt.card.follow_ups if one.is_asked}
    assert "Has your card arrived? Reply YES or NO." in asked


async def test_a_call_is_due_when_the_reminder_too_has_no_answer(
    receipt: Receipt, organisation: Organisation
) -> None:
    """Before a named person, until they have called; a call before the reminder is no such call."""
    watch = DroppedBallDetector(organisation.operations, lambda: None)
    await receipt.deliver()
    await receipt.advance_clock(timedelta(0))
    call = {"channel": ContactChannel.CALL, "reason": ContactReason.OTHER}
    await receipt.do(log_contact, **call, by=SYSTEM_ACTOR)
    await receipt.advance_clock(2 * DAY)
    (question,) = receipt.card.follow_ups
    definition = receipt.card.definition.question(question.key)
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        courier = (await uow.roster(receipt.card)).department("courier")
    call_due_at = question.call_due_at(definition.remind_after, courier.calendar)
    assert call_due_at == (question.reminded_at or question.planned_at) + 2 * DAY
    await watch.once()
    await receipt.do(log_contact, **call, note="Nobody at home.", by=organisation.people.carl.actor)
    (question,) = receipt.card.follow_ups
    assert question.called_at
    assert question.call_due_at(definition.remind_after, courier.calendar) is None
    assert question.state == FollowUpState.ASKED, "only the customer says yes"
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION


@pytest.mark.parametrize("words", ["Thanks", "Where is my card?", "ok, I will look", "😀"])
async def test_only_a_yes_completes(receipt: Receipt, words: str) -> None:
    await receipt.deliver()
    await receipt.advance_clock(timedelta(0))
    await receipt.says(words)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION
    with pytest.raises(Conflict, match="Only the customer can say that it arrived"):
        await receipt.do(advance, by=SYSTEM_ACTOR)
    await receipt.says("Yes")
    assert receipt.card.status == RequestStatus.COMPLETED


async def test_a_no_that_no_rule_follows_is_a_promise_by_a_named_owner(
    receipt: Receipt, organisation: Organisation
) -> None:
    await organisation.load(CARD.replace('key = "card"', 'key = "no-rule"').replace(RULE, ""))
    await receipt.deliver("no-rule")
    await receipt.advance_clock(timedelta(0))
    await receipt.says("No, the envelope was empty!")
    (promise,) = receipt.card.promises
    assert (promise.kind, promise.owner_id) == (PromiseKind.ANSWER, organisation.people.carl.id)
    assert receipt.card.follow_ups[0].answer_words == "No, the envelope was empty!"
    assert "Carl at Courier Desk will be in touch by" in (await receipt.said())[-1]
    await receipt.advance_clock(40 * DAY)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION, "silence of ours is no yes"
    await receipt.do(keep_promise, promise.id, by=organisation.people.carl.actor)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION


async def test_a_no_that_another_department_must_take_up_says_who_and_by_when(
    receipt: Receipt, organisation: Organisation
) -> None:
    """No milestone is told before it is taken up; Martin hears all the same what happens next."""
    rule = RULE.replace("courier", "made")
    await organisation.load(CARD.replace('key = "card"', 'key = "far-back"').replace(RULE, rule))
    await receipt.deliver("far-back")
    await receipt.advance_clock(timedelta(0))
    await receipt.says("No. My name is spelt wrong")
    (run,) = receipt.card.open_runs
    assert (run.stage_key, run.note) == ("made", "No. My name is spelt wrong")
    assert receipt.card.owner_id == organisation.people.carl.id, "until it is taken up"
    assert (await receipt.said())[-1] == (
        "Acme Bank: Thank you for telling us, Martin. Card Processing takes it up by 2 pm; "
        "until then Carl has it."
    )
    await receipt.do(accept, by=organisation.people.pia.actor)
    assert "once more: Your card is being made" in (await receipt.said())[-1]


async def test_a_no_whose_stage_is_no_milestone_says_who_is_on_it(
    receipt: Receipt, organisation: Organisation
) -> None:
    quiet = CARD.replace(
        'title = "Your card is on its way to you"',
        'title = "Your card is on its way to you"\nmilestone = false',
    )
    await organisation.load(quiet.replace('key = "card"', 'key = "quiet"'))
    await receipt.deliver("quiet")
    await receipt.advance_clock(timedelta(0))
    await receipt.says("No")
    assert (await receipt.said())[-1].startswith(
        "Acme Bank: Thank you for telling us, Martin. Carl at Courier Desk is on it. Next by Fri 6"
    )


@pytest.mark.parametrize(
    ("rule", "next_words"),
    [
        (RULE, "Courier Desk"),
        ('no = { send_back = "made" }', "Passed to Card Processing"),
        ("", "will answer you"),
    ],
)
async def test_a_no_on_the_page_is_answered_on_the_page(
    receipt: Receipt,
    organisation: Organisation,
    client: httpx2.AsyncClient,
    rule: str,
    next_words: str,
) -> None:
    """Who has it and what is next stand there at once, and the words are kept."""
    await organisation.load(CARD.replace('key = "card"', 'key = "paged"').replace(RULE, rule))
    await receipt.deliver("paged")
    await receipt.advance_clock(timedelta(0))
    (question,) = receipt.card.follow_ups
    page = f"/r/{receipt.card.live_link.token}"
    sent = await client.post(
        f"{page}/answers",
        data={"follow_up": str(question.id), "answer": "no", "words": "It is the wrong card."},
        headers={"Origin": "http://testserver"},
    )
    assert sent.status_code == 303
    words = visible_text((await client.get(page)).text)
    assert next_words in words
    seen = await organisation.reload(receipt.card)
    assert seen.follow_ups[0].answer_words == "It is the wrong card."
    assert seen.owner_id == organisation.people.carl.id
    assert seen.open_runs or seen.promises


async def test_words_on_the_page_hold_the_question_back_too(receipt: Receipt) -> None:
    await receipt.deliver()
    await receipt.do(receive_web_message, "There is a stain on it.", by=CUSTOMER_ACTOR)
    await receipt.do(run_due_follow_ups, by=SYSTEM_ACTOR)
    assert receipt.card.open_question is None


async def test_nobody_is_asked_at_night_and_in_the_morning_it_is_looked_at_again(
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
    await receipt.advance_clock(MIN_WAIT)
    assert receipt.card.open_question is not None

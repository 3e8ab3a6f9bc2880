"""What follows a NO to the confirmation, or no answer."""

from datetime import timedelta

import httpx2
import pytest

from portal.errors import Conflict
from portal.models import (
    SYSTEM_ACTOR,
    ContactChannel,
    ContactReason,
    FollowUpState,
    PromiseKind,
    RequestStatus,
)
from portal.operations import accept, advance, keep_promise, log_contact
from tests.operations.endings.receipts import DAY, Receipt
from tests.support.desk_client import visible_text
from tests.support.factories import CARD, Organisation
from workers.detect_dropped_balls import DroppedBallDetector

pytestmark = pytest.mark.either_database


RULE = 'no = { send_back = "courier" }'


async def test_unanswered_reminder_becomes_a_call(
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
async def test_only_yes_completes_the_request(receipt: Receipt, words: str) -> None:
    await receipt.deliver()
    await receipt.advance_clock(timedelta(0))
    await receipt.says(words)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION
    with pytest.raises(Conflict, match="Only the customer can say that it arrived"):
        await receipt.do(advance, by=SYSTEM_ACTOR)
    await receipt.says("Yes")
    assert receipt.card.status == RequestStatus.COMPLETED


async def test_no_without_a_rule_becomes_a_promise_of_a_named_owner(
    receipt: Receipt, organisation: Organisation
) -> None:
    await organisation.load(CARD.replace('key = "card"', 'key = "no-rule"').replace(RULE, ""))
    await receipt.deliver("no-rule")
    await receipt.advance_clock(timedelta(0))
    await receipt.says("No, the envelope was empty!")
    (promise,) = receipt.card.promises
    assert (promise.kind, promise.owner_id) == (PromiseKind.ANSWER, organisation.people.carl.id)
    assert receipt.card.follow_ups[0].answer_words == "No, the envelope was empty!"
    assert "Carl at Courier Desk is looking for your card and writes" in (await receipt.said())[-1]
    await receipt.advance_clock(40 * DAY)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION, "silence of ours is no yes"
    await receipt.do(keep_promise, promise.id, by=organisation.people.carl.actor)
    assert receipt.card.status == RequestStatus.AWAITING_CONFIRMATION


async def test_no_for_another_department_names_owner_and_due_time(
    receipt: Receipt, organisation: Organisation
) -> None:
    """No milestone is told before it is taken up; Martin hears all the same who looks for it."""
    rule = RULE.replace("courier", "made")
    await organisation.load(CARD.replace('key = "card"', 'key = "far-back"').replace(RULE, rule))
    await receipt.deliver("far-back")
    await receipt.advance_clock(timedelta(0))
    await receipt.says("No. My name is spelt wrong")
    (run,) = receipt.card.open_runs
    assert (run.stage_key, run.note) == ("made", "No. My name is spelt wrong")
    assert receipt.card.owner_id == organisation.people.carl.id, "until it is taken up"
    assert (await receipt.said())[-1] == (
        "Acme Bank: Sorry, Martin. Carl at Courier Desk is looking for your card "
        "and writes to you by Tue 3 Jun, 2 pm."
    )
    await receipt.do(accept, by=organisation.people.pia.actor)
    told = (await receipt.said())[-1]
    assert "Once more: Your card is being made. Next step by" in told, "not their own words"


async def test_no_at_a_stage_without_milestone_names_the_owner(
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
        "Acme Bank: Sorry, Martin. Carl at Courier Desk is looking for your card and writes to you"
    )


@pytest.mark.parametrize(
    ("rule", "next_words"),
    [
        (RULE, "Courier Desk"),
        ('no = { send_back = "made" }', "Passed to Card Processing"),
        ("", "will answer you"),
    ],
)
async def test_no_on_the_page_is_answered_on_the_page(
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

"""What a message says beside what is answered at once has an owner, and what is urgent is raised."""

import pytest
from sqlmodel import col, select

from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Channel,
    ContactChannel,
    ContactReason,
    Direction,
    DroppedBall,
    DroppedBallKind,
    MessageKind,
    PromiseKind,
    RequestStatus,
)
from portal.operations import (
    accept,
    advance,
    cancel,
    log_contact,
    run_due_follow_ups,
    write_to_customer,
)
from portal.operations.conversation.applying.intent_handlers import carry_out
from portal.operations.conversation.applying.replies import MatchedMessage
from portal.operations.conversation.decision import decide
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage, record_inbound
from portal.operations.conversation.recording import record_in_conversation
from portal.operations.conversation.request_matching import Basis, Delivery
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database


@pytest.fixture
def read_as(clock, organisation):
    """A text of Martin's about this request, read as this intent; gives our replies to it."""
    sent = 0

    async def take(uow, request, intent, channel):
        inbound = InboundMessage(
            channel=channel, body="Some words.", provider_id=f"SM{sent}", sender=MARTIN.phone,
            request_id=request.id if channel == Channel.WEB else None,
        )  # fmt: skip
        message = await record_inbound(uow, inbound)
        facts = InboundFacts(now=uow.now, open_requests=[request], last_request=request)
        basis = Basis.GIVEN if channel == Channel.WEB else Basis.ONLY
        decision = decide(inbound, Delivery(message, request.id, basis), request, intent, facts)
        matched = MatchedMessage(message, request, intent, facts)
        await record_in_conversation(uow, request, matched)
        await carry_out(uow, matched, decision)

    async def read_as(request, kind, *, channel=Channel.SMS, **more):
        nonlocal sent
        sent += 1
        before = len(await organisation.outbound_messages(request))
        intent = Intent(kind, "Some words.", **more)
        await organisation.run(take, request, intent, channel, by=CUSTOMER_ACTOR)
        return [
            message.body
            for message in (await organisation.outbound_messages(request))[before:]
            if message.status != "suppressed"
        ]

    return read_as


async def open_promises(organisation, request):
    promises = (await organisation.reload(request)).promises
    return [promise.kind for promise in promises if promise.is_open]


async def urgent_balls(organisation):
    query = select(DroppedBall).where(
        col(DroppedBall.kind) == DroppedBallKind.URGENT, col(DroppedBall.resolved_at).is_(None)
    )
    async with organisation.database.reading() as session:
        return (await session.exec(query)).all()


@pytest.fixture
async def delivered(organisation, card_request):
    people = organisation.people
    for taker in (people.uma, people.pia, people.carl):
        await organisation.run(advance, card_request, by=SYSTEM_ACTOR)
        await organisation.run(accept, card_request, by=taker.actor)
    for _ in range(2):
        await organisation.run(advance, card_request, by=people.carl.actor)
    return await organisation.run(run_due_follow_ups, card_request, by=SYSTEM_ACTOR)


async def test_status_and_the_rest_are_one_reply(organisation, card_request, read_as):
    [reply] = await read_as(card_request, IntentKind.STATUS, needs_owner=True)
    assert reply.startswith("Acme Bank: Ready by ")
    assert ", we expect. We have your application. Tess finishes by " in reply
    assert reply.endswith("Tess at Telesales answers the rest by Tue 3 Jun, noon.")
    assert await open_promises(organisation, card_request) == [PromiseKind.ANSWER]


async def test_call_soon_is_about_the_rest_too(organisation, card_request, read_as):
    [reply] = await read_as(card_request, IntentKind.CALL_ME, needs_owner=True)
    assert reply == "Acme Bank: Tess at Telesales will call you by Tue 3 Jun, noon."
    assert await open_promises(organisation, card_request) == [PromiseKind.CALL]


async def test_yes_completes_and_the_rest_is_owed(organisation, delivered, read_as):
    [reply] = await read_as(delivered, IntentKind.YES, needs_owner=True)
    assert reply.startswith("Acme Bank: Wonderful, thank you for telling us, Martin. Carl at")
    seen = await organisation.reload(delivered)
    assert seen.status == RequestStatus.COMPLETED
    assert await open_promises(organisation, delivered) == [PromiseKind.ANSWER]


async def test_reopen_is_read_back_and_the_rest_is_owed(organisation, card_request, read_as):
    await organisation.run(cancel, card_request, reason="Enough.", by=SYSTEM_ACTOR)
    [reply] = await read_as(card_request, IntentKind.REOPEN, needs_owner=True)
    assert f"{card_request.reference} is open again. Tess at Telesales looks at it" in reply
    assert "also reads your message" not in reply, "one promise covers it"
    assert await open_promises(organisation, card_request) == [PromiseKind.ANSWER]


async def test_unclear_reply_is_asked_back(organisation, delivered, read_as):
    [asked] = await read_as(delivered, IntentKind.ASK_BACK)
    assert asked == "Acme Bank: Just to be sure: Has your card arrived? Reply YES or NO."
    assert await open_promises(organisation, delivered) == []


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WEB])
async def test_urgent_message_is_raised_at_once(organisation, card_request, read_as, channel):
    """For the manager, and the owner has an e-mail, which says nothing of the customer."""
    replies = await read_as(card_request, IntentKind.OTHER, channel=channel, is_urgent=True)
    assert replies == [
        "Acme Bank: This is urgent to us, Martin. Tess at Telesales has it now and answers by Tue 3 Jun, noon."
    ]
    [ball] = await urgent_balls(organisation)
    assert (ball.owner_id, ball.request_id) == (organisation.people.mona.id, card_request.id)
    [notice] = [
        message
        for message in await organisation.messages()
        if message.kind == MessageKind.NOTICE and message.direction == Direction.OUT
    ]
    assert notice.to_address == "tess@acme.example"
    assert "Martin" not in notice.body
    assert await open_promises(organisation, card_request) == [PromiseKind.ANSWER]


async def test_urgent_status_question_is_answered_by_a_person_too(card_request, read_as):
    [reply] = await read_as(card_request, IntentKind.STATUS, is_urgent=True)
    assert reply.endswith(
        "Tess at Telesales treats the rest as urgent and answers by Tue 3 Jun, noon."
    )


@pytest.mark.parametrize("answer", ["message", "call"])
async def test_answer_resolves_the_urgent_ball(organisation, card_request, read_as, answer):
    for _ in range(2):
        await read_as(card_request, IntentKind.OTHER, is_urgent=True)
    assert len(await urgent_balls(organisation)) == 1
    by = organisation.people.tess.actor
    if answer == "message":
        await organisation.run(write_to_customer, card_request, "We have blocked it.", by=by)
    else:
        await organisation.run(
            log_contact,
            card_request,
            channel=ContactChannel.CALL,
            reason=ContactReason.OTHER,
            by=by,
        )
    assert await urgent_balls(organisation) == []

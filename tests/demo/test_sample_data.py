"""The sample requests: realistic, complete, and made by operations."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import phonenumbers
import pytest
from sqlmodel import col, select

from portal.demo.sample_data import fill
from portal.demo.sample_data.customers import MARTIN, numbered_people
from portal.demo.sample_data.scenarios import MARTIN_SCENARIO, SCENARIOS
from portal.demo.sample_data.schedule import plan
from portal.errors import Conflict
from portal.models import (
    SYSTEM_ACTOR,
    DeliveryReason,
    Direction,
    Event,
    Message,
    MessageStatus,
    PromiseState,
    RequestStatus,
    SendAttempt,
    ServiceRequest,
    StaffMember,
)
from portal.operations import load_workflow
from portal.queries.requests import REQUEST_OPTIONS
from portal.workflows import read_workflow, read_workflow_file, shipped_workflow_files

SHIPPED = {path.stem: read_workflow_file(path) for path in shipped_workflow_files()}
MONDAY_NIGHT = datetime(2026, 11, 23, 3, 20, tzinfo=UTC)
TUESDAY_NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
CHRISTMAS = datetime(2026, 12, 25, 12, 0, tzinfo=UTC)


async def test_forty_sample_requests_cover_every_state_and_satisfy_invariants(
    operations, database, clock
):
    now = MONDAY_NIGHT
    clock.move_to(now)
    samples = await fill(operations, 40, 1, password_hash="a hash")
    assert len({sample.reference for sample in samples}) == 40
    async with database.reading() as session:
        requests = (await session.exec(select(ServiceRequest).options(*REQUEST_OPTIONS))).all()
        people = {person.id: person for person in (await session.exec(select(StaffMember))).all()}
        messages = (await session.exec(select(Message))).all()
        attempts = (await session.exec(select(SendAttempt))).all()
        events = (await session.exec(select(Event).order_by(col(Event.id)))).all()

    assert set(RequestStatus) == {request.status for request in requests}
    assert {request.workflow.key for request in requests} == set(SHIPPED)
    for request in requests:
        assert request.is_closed or people[request.owner_id].disabled_at is None
        assert all(run.assignee_id in people for run in request.open_runs)
        assert request.is_closed == (request.closed_at is not None)
        assert request.unanswered_since is None or any(
            promise.closed_at is None for promise in request.promises
        ), "unanswered words have a promise"
    waiting = [
        handoff for request in requests for handoff in request.handoffs if handoff.is_pending
    ]
    assert any(handoff.accept_by < now for handoff in waiting), "a handoff is late"
    assert any(handoff.accept_by > now for handoff in waiting), "a handoff waits in time"
    runs = [run for request in requests for run in request.open_runs]
    assert any(run.is_overdue(now) for run in runs)
    assert any(len(request.open_runs) == 3 for request in requests), "three reviews run together"
    states = Counter(promise.state(now) for request in requests for promise in request.promises)
    assert states.keys() >= {PromiseState.OPEN, PromiseState.LATE, PromiseState.KEPT}
    assert len(people) >= 14

    assert all(event.at <= now for event in events)
    for request in requests:
        moments = [event.at for event in events if event.request_id == request.id]
        assert moments == sorted(moments)
    out = [
        message
        for message in messages
        # Of what one reply says already, nothing more is sent.
        if message.direction == Direction.OUT and message.reason != DeliveryReason.SUPERSEDED
    ]
    assert {message.status for message in out} == {MessageStatus.DELIVERED}, "nothing is sent again"
    assert {attempt.message_id for attempt in attempts} == {
        message.id for message in out if message.channel != "web"
    }
    assert not any("{" in message.body for message in out)


async def test_martins_card_is_handed_off_to_card_processing(operations, database, clock):
    clock.move_to(TUESDAY_NOON)
    (card_request,) = await fill(operations, 1, 7)
    async with database.reading() as session:
        query = select(ServiceRequest).where(
            col(ServiceRequest.reference) == card_request.reference
        )
        request = (await session.exec(query.options(*REQUEST_OPTIONS))).one()
        (run,) = request.open_runs
        handoff = request.pending_handoff(run)
    assert run.stage_key == "made"
    assert handoff is not None
    assert TUESDAY_NOON - handoff.sent_at < timedelta(hours=1)
    assert request.customer.contact_points[0].address == "+14155550132"
    assert card_request.link.endswith(request.live_link.token)


async def test_second_seed_adds_requests_and_keeps_staff(operations, database):
    await fill(operations, 4, 1, password_hash="a hash")
    again = await fill(operations, 4, 1)
    async with database.reading() as session:
        assert len((await session.exec(select(ServiceRequest.id))).all()) == 8
        people = (await session.exec(select(StaffMember))).all()
    assert {person.password_hash for person in people} == {"a hash"}
    assert again[0].name == MARTIN.name


async def test_seed_keeps_a_changed_workflow(operations, database):
    text = next(path for path in shipped_workflow_files() if path.stem == "card-application")
    own = read_workflow(text.read_text().replace("Intake", "First look"))
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await load_workflow(uow, own)
    with pytest.raises(Conflict, match="card-application here is not the one"):
        await fill(operations, 1, 1)
    async with database.reading() as session:
        assert (await session.exec(select(ServiceRequest.id))).first() is None


def test_same_seed_makes_the_same_scenarios():
    scenario = SCENARIOS[2]
    once, again, other = (
        [step.at for step in plan(scenario, SHIPPED[scenario.workflow], TUESDAY_NOON, seed)]
        for seed in ("1:3", "1:3", "2:3")
    )
    assert once == again != other
    assert list(islice(numbered_people(Random(5)), 9)) == list(
        islice(numbered_people(Random(5)), 9)
    )


@pytest.mark.parametrize("now", [MONDAY_NIGHT, TUESDAY_NOON, CHRISTMAS])
@pytest.mark.parametrize(
    "scenario", [MARTIN_SCENARIO, *SCENARIOS], ids=lambda scenario: scenario.stage
)
def test_sample_actions_happen_in_business_hours(scenario, now):
    """Staff act while at least one department is open."""
    definition = SHIPPED[scenario.workflow]
    offices = [department.calendar for department in definition.departments.values()]
    steps = plan(scenario, definition, now, "1:1")
    assert steps[0].action.__name__ == "open_request"
    assert all(step.at <= now for step in steps)
    by_staff = [
        step for step in steps if not step.action.__qualname__.startswith("customer_writes")
    ]
    for step in by_staff:
        assert any(office.is_open(step.at) for office in offices), step


def test_sample_numbers_are_valid_and_reserved_for_fiction():
    for person in islice(numbered_people(Random(1)), 500):
        for place in ("US", "GB"):
            phone = person.details_in(place).phone
            if phone is None:
                continue
            assert phonenumbers.is_possible_number(phonenumbers.parse(phone))
            assert phone[5:9] == "5550" or phone.startswith("+447700900"), phone
            assert phone not in (MARTIN.phone, "+14155550100")

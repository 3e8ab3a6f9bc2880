"""What only involved staff may do: calls, failed messages, dropped balls, absences."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, update

from portal.models import SYSTEM_ACTOR, Message, MessageStatus, PromiseKind, ServiceRequest
from portal.operations import assign, make_promise
from tests.stories.edges import DAY, SignIn, post_form
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("person", "outcome"), [("ben", "stands"), ("finn", "is kept"), ("mona", "is kept")]
)
async def test_call_logged_by_uninvolved_staff_fulfils_no_promise(
    desk_clients: SignIn,
    organisation: Organisation,
    reviews: ServiceRequest,
    person: str,
    outcome: str,
) -> None:
    await organisation.run(
        make_promise, reviews, text="We call you.", due_at=DAY, kind=PromiseKind.CALL,
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    called = {"channel": "call", "reason": "where_is_it"}
    answer = await post_form(await desk_clients(person), reviews, "contacts", called, htmx=True)
    assert answer.status_code == 200
    (promise,) = (await organisation.reload(reviews)).promises
    assert promise.is_open is (outcome == "stands")
    assert ("Open commitments stay as they are." in answer.text) is (outcome == "stands")


@pytest.mark.parametrize(
    ("verb", "body"), [("retry", {}), ("resend", {"body": "Do ring us."}), ("told", {})]
)
async def test_only_involved_staff_resolve_a_failed_message(
    api: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    verb: str,
    body: dict[str, str],
) -> None:
    message = (await organisation.outbound_messages(card_request))[0]
    async with organisation.database.transaction() as session:
        facts = {"status": MessageStatus.FAILED, "error_code": "30004"}
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**facts))
    path = f"/messages/{message.id}/{verb}"
    assert (await api.post(path, json=body | {"by": "ben@acme.example"})).status_code == 403
    assert (await organisation.outbound_messages(card_request))[0].handled_at is None
    done = await api.post(path, json=body | {"by": "tess@acme.example"})
    assert done.is_success, done.text


async def test_only_involved_staff_dismiss_a_dropped_ball(
    clock: Any, api: httpx2.AsyncClient, organisation: Organisation, operations: Any, database: Any
) -> None:
    await organisation.open(by=organisation.people.tess.actor)
    detection = DetectionDriver(operations, clock, database)
    await detection.advance_clock(timedelta(hours=7))
    ball = (await detection.balls())[0]
    path, body = f"/dropped-balls/{ball.id}/dismiss", {"reason": "It does not matter."}
    assert (await api.post(path, json=body | {"by": "ben@acme.example"})).status_code == 403
    assert (await api.post(path, json=body | {"by": "tess@acme.example"})).status_code == 200


async def test_only_the_person_or_their_lead_changes_an_absence(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    path = "/staff/tom@acme.example"
    for by, status in (("ben", 403), ("uma", 403), ("tess", 200)):
        answer = await api.post(f"{path}/absence", json={"by": f"{by}@acme.example"})
        assert answer.status_code == status, answer.text
    for by, status in (("ben", 403), ("tom", 200)):
        answer = await api.post(f"{path}/back", json={"by": f"{by}@acme.example"})
        assert answer.status_code == status, answer.text


async def test_named_assignment_takes_effect_at_once(
    api: httpx2.AsyncClient, organisation: Organisation, reviews: ServiceRequest
) -> None:
    """Ben of the bench is given Fire's review: he may complete it, and no other."""
    people = organisation.people
    await organisation.run(
        assign, reviews, owner="ben@acme.example", stage="fire", by=people.finn.actor
    )
    path = f"/requests/{reviews.reference}/advance"
    for stage, status in (("plans", 403), ("fire", 200)):
        answer = await api.post(path, json={"stage": stage, "by": "ben@acme.example"})
        assert answer.status_code == status, answer.text

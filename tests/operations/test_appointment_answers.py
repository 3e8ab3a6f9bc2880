"""Questions that a day and an hour answer, by text and on the page."""

from datetime import UTC, datetime

import pytest

from portal.models import SYSTEM_ACTOR, Answer, AnswerType, PromiseKind
from portal.operations import run_due_follow_ups
from portal.workflows import WorkflowFileError, read_workflow
from tests.support.factories import ORIGIN, VISIT

pytestmark = pytest.mark.either_database

FROM_THE_PAGE = {"Origin": ORIGIN}


@pytest.fixture
async def visit(clock, organisation):
    """Martin has been asked when the technician may come."""
    await organisation.load(VISIT)
    line = await organisation.open("fibre", by=SYSTEM_ACTOR)
    return await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)


@pytest.mark.parametrize("text", ["tomorrow at 10", "miércoles a las 10", "Wed 10am works for me"])
async def test_time_answers_the_appointment_question(organisation, visit, texts, text):
    """It does what a yes does, is kept with the words, and is said back."""
    await texts(text)
    seen = await organisation.reload(visit)
    [question] = seen.follow_ups
    assert question.answer == Answer.YES
    assert question.answer_at == datetime(2025, 6, 4, 14, tzinfo=UTC)
    assert question.answer_words == text
    assert [run.stage_key for run in seen.open_runs] == ["visit"]
    noted = [
        message.body
        for message in await organisation.outbound_messages(visit)
        if "Booked" in message.body
    ]
    assert len(noted) == 1
    assert "Booked, Martin: Wed 4 Jun, 10 am." in noted[0]


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("viernes tarde a las 8", "Fri 6 Jun, 8 pm"),
        ("viernes a las 10 y 20", "Fri 6 Jun, 10:20 am"),
    ],
)
async def test_part_of_the_day_and_minutes_are_read(organisation, visit, twilio, text, noted):
    assert await twilio.text(text) == 200
    assert noted in (await organisation.outbound_messages(visit))[-1].body


@pytest.mark.parametrize(
    "text",
    [
        "Friday half 3", "Friday at half three", "Friday ten to 3", "Friday at 3 30", "Friday from 3",
        "Friday 3pm EST", "Friday at 3 for 2 hours", "Friday morning at 2", "viernes 10 y media",
        "viernes a las 10 y tres cuartos", "viernes a las 12 de la noche", "viernes sobre las 3",
        "viernes a las 2 de la madrugada", "viernes a las 3 o 4",
    ],
)  # fmt: skip
async def test_time_that_may_be_another_is_not_noted(organisation, visit, twilio, text):
    assert await twilio.text(text) == 200
    seen = await organisation.reload(visit)
    assert seen.open_question is not None
    assert "noted" not in (await organisation.outbound_messages(visit))[-1].body


@pytest.mark.parametrize("text", ["yes", "12/3", "tomorrow morning", "today at 9", "whenever"])
async def test_ambiguous_time_goes_to_staff(organisation, visit, texts, text):
    await texts(text)
    seen = await organisation.reload(visit)
    assert seen.open_question is not None
    assert [promise.kind for promise in seen.promises] == [PromiseKind.ANSWER]


async def test_no_to_appointment_question_is_a_no(organisation, visit, texts):
    await texts("No")
    seen = await organisation.reload(visit)
    assert (seen.follow_ups[0].answer, seen.follow_ups[0].answer_at) == (Answer.NO, None)


def form(visit, **more):
    return {"follow_up": str(visit.open_question.id), "answer": "yes", **more}


async def test_page_accepts_an_appointment_time(organisation, visit, client, desk_clients):
    """On the customer's clock; at the desk it stands in the timeline, on the clock there."""
    address = f"/r/{visit.live_link.token}"
    assert '<input id="answer-at" type="datetime-local"' in (await client.get(address)).text
    given = await client.post(
        f"{address}/answers", data=form(visit, at="2025-06-04T10:00"), headers=FROM_THE_PAGE
    )
    assert given.status_code == 303
    [question] = (await organisation.reload(visit)).follow_ups
    assert (question.expects, question.answer) == (AnswerType.TIME, Answer.YES)
    assert question.answer_at == datetime(2025, 6, 4, 14, tzinfo=UTC)
    desk = await (await desk_clients("ben")).get(f"/desk/requests/{visit.reference}")
    assert "The customer answered YES, tomorrow, 2 pm" in desk.text


@pytest.mark.parametrize(
    "at", ["", "soon", "2025-06-03T09:00", "2027-01-01T09:00", "2025-06-04T10:00+00:00"]
)
async def test_page_shows_error_for_invalid_time(organisation, visit, client, at):
    answer = await client.post(
        f"/r/{visit.live_link.token}/answers", data=form(visit, at=at), headers=FROM_THE_PAGE
    )
    assert answer.status_code == 422
    assert "Please choose a" in answer.text
    assert (await organisation.reload(visit)).open_question is not None


def test_workflow_with_unknown_expects_value_is_rejected():
    with pytest.raises(WorkflowFileError, match='Write "yes_no" or "time"'):
        read_workflow(VISIT.replace('"time"', '"a day"'), known_departments={"bench"})

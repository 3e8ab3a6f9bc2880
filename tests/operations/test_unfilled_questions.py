"""Questions whose fields have no value: refused in a file, and else a dropped ball."""

import pytest

from portal.models import SYSTEM_ACTOR, DroppedBallKind
from portal.operations import advance, run_due_follow_ups
from portal.workflows import WorkflowFileError, read_workflow
from tests.operations.test_question_fields import QUOTED
from tests.support.dropped_ball_helpers import DetectionDriver

pytestmark = pytest.mark.either_database

LONG = "x" * 81
REFUND = """
[[follow_ups]]
after_stage = "{stage}"
question = "Your refund is {{amount}}. Is that right? Reply YES or NO."
"""
ARRIVAL = """
[[follow_ups]]
after_stage = "mended"
question = "Is it with you? Reply YES or NO."
wrong = {{ open = "{stage}" }}
"""


@pytest.fixture
def watch(operations, clock, database):
    return DetectionDriver(operations, clock, database)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (QUOTED + ARRIVAL.format(stage="quote"), '"wrong" straight to "quote"'),
        (QUOTED + REFUND.format(stage="quote"), '"yes" straight to the follow-up after "quote"'),
        (
            QUOTED.replace('title = "We are f', 'third_party = "DHL"\ntitle = "We are f'),
            '"delivered" straight to "quote"',
        ),
        (
            QUOTED.replace("milestone = false\n", 'delivered = "complete"\n')
            + REFUND.format(stage="mended"),
            '"delivered" straight to the follow-up after "mended"',
        ),
    ],
)
def test_file_that_leads_straight_to_a_question_with_fields_is_refused(text, problem):
    with pytest.raises(WorkflowFileError) as refused:
        read_workflow(text)
    [issue] = [issue for issue in refused.value.issues if problem in issue.message]
    assert "which asks about {amount}" in issue.message
    assert issue.line
    assert issue.remedy


def test_third_party_stage_that_staff_complete_may_lead_to_a_question_with_fields():
    kept = 'third_party = "DHL"\ndelivered = "keep"\ntitle = "We are f'
    assert read_workflow(QUOTED.replace('title = "We are f', kept)).stage("quote").question


async def test_value_of_the_request_that_is_too_long_is_asked_of_staff(organisation, api):
    await organisation.load(QUOTED)
    request = await organisation.open("quoted", by=SYSTEM_ACTOR, fields={"amount": LONG})
    path = f"/requests/{request.reference}/advance"
    answer = await api.post(path, json={})
    assert answer.status_code == 422
    assert "Please give the amount" in answer.json()["detail"]
    assert (await api.post(path, json={"fields": {"amount": "$89"}})).status_code == 200


async def test_planned_question_without_a_value_is_a_dropped_ball_until_the_stage_is_done(
    organisation, watch, api
):
    """Kept itself has completed the stage before: it can be asked for nothing."""
    await organisation.load(QUOTED)
    repair = await organisation.open("quoted", by=SYSTEM_ACTOR, fields={"amount": LONG})
    repair = await organisation.run(advance, repair, by=SYSTEM_ACTOR)
    [ball] = await watch.balls()
    assert (ball.kind, ball.owner_id) == (DroppedBallKind.FIELD_MISSING, repair.owner_id)
    assert "the amount is missing" in ball.detail
    asked = await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    assert asked.open_question is None
    answer = await api.post(f"/requests/{repair.reference}/advance", json={"note": "By phone"})
    assert answer.status_code == 200, answer.text
    assert await watch.balls() == []


async def test_declined_return_keeps_the_value_of_a_question_that_waits(organisation, api):
    """The question stands behind a handoff; whoever declines the return is not asked for it."""
    accepting = (
        QUOTED.replace("bench", "studio")
        .replace(
            'name = "Repair Bench"',
            'name = "Repair Bench"\naccept_within = "4h"\n\n'
            '[departments.front]\nname = "Front"\naccept_within = "4h"\n\n'
            '[departments.shop]\nname = "Shop"\naccept_within = "4h"',
        )
        .replace(
            'key = "diagnosis"\ndepartment = "studio"',
            'key = "intake"\ndepartment = "front"\ntitle = "We have it"\nexpected = "1d"\n\n'
            '[[stages]]\nkey = "diagnosis"\ndepartment = "shop"',
        )
    )
    await organisation.load(accepting)
    request = await organisation.open("quoted", by=SYSTEM_ACTOR)
    path = f"/requests/{request.reference}"
    steps = (
        ("advance", {}), ("handoff/accept", {}),
        ("advance", {"fields": {"amount": "$89"}}),
        ("send-back", {"stage": "intake", "reason": "The serial number is missing."}),
        ("handoff/refuse", {"reason": "It is on the form."}), ("handoff/accept", {}),
    )  # fmt: skip
    for step, body in steps:
        answer = await api.post(f"{path}/{step}", json=body)
        assert answer.status_code == 200, (step, answer.text)
    asked = await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)
    assert asked.open_question.fields == {"amount": "$89"}

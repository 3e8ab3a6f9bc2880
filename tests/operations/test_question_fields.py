"""Questions with fields: none is put without its amount, and everything names it."""

from datetime import timedelta

import httpx2
import pytest

from portal.models import SYSTEM_ACTOR, EventKind, ServiceRequest
from portal.operations import run_due_follow_ups, write_to_customer
from portal.workflows import WorkflowFileError, read_workflow
from tests.support.desk_client import visible_text
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database

QUOTED = """
key = "quoted"
name = "Repair"
prefix = "MEND"

[departments.bench]
name = "Repair Bench"

[[stages]]
key = "diagnosis"
department = "bench"
title = "We are finding the fault"
expected = "1d"

[[stages]]
key = "quote"
department = "bench"
title = "Your quote is ready"
expected = "1d"
milestone = false
pauses_clock = true
question = "Your quote is {amount}. Shall we go ahead? Reply YES or NO."
no = { close = "declined" }

[[stages]]
key = "mended"
department = "bench"
title = "Your device is being repaired"
expected = "2d"
milestone = false
"""


@pytest.fixture
async def repair(organisation: Organisation) -> ServiceRequest:
    await organisation.load(QUOTED)
    return await organisation.open("quoted", by=organisation.people.ben.actor)


async def put_quote(
    api: httpx2.AsyncClient, organisation: Organisation, request: ServiceRequest
) -> ServiceRequest:
    """The bench names the price, and the sweep puts the question."""
    answer = await api.post(
        f"/requests/{request.reference}/advance", json={"fields": {"amount": "$89"}}
    )
    assert answer.status_code == 200, answer.text
    return await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)


async def test_question_is_not_put_without_its_amount(api, organisation, repair):
    answer = await api.post(f"/requests/{repair.reference}/advance", json={})
    assert answer.status_code == 422
    assert "Please give the amount" in answer.json()["detail"]
    assert "fields.amount" in answer.text
    reloaded = await organisation.reload(repair)
    assert reloaded.version == repair.version
    assert [run.stage_key for run in reloaded.open_runs] == ["diagnosis"]


@pytest.mark.parametrize("amount", ["", "   ", "x" * 81, "{link}"])
async def test_amount_that_cannot_stand_in_a_text_is_refused(api, organisation, repair, amount):
    body = {"fields": {"amount": amount}}
    answer = await api.post(f"/requests/{repair.reference}/advance", json=body)
    assert answer.status_code == 422
    assert (await organisation.reload(repair)).version == repair.version


async def test_field_that_no_question_has_is_refused_by_name(api, repair):
    body = {"fields": {"amount": "$89", "colour": "red"}}
    answer = await api.post(f"/requests/{repair.reference}/advance", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "This step has no field 'colour'. It takes amount."


async def test_text_mail_page_and_api_name_the_amount(api, client, organisation, repair):
    repair = await put_quote(api, organisation, repair)
    [*_, question] = await organisation.outbound_messages(repair)
    assert "Your quote is $89. Shall we go ahead? Reply YES or NO." in question.body
    assert "Your quote is $89." in question.subject
    page = read(await client.get(link(repair)))
    assert "Your quote is $89. Shall we go ahead?" in page
    assert "Yes, go ahead for $89" in page
    asked = (await api.get(f"/requests/{repair.reference}")).json()["question"]
    assert asked["question"].startswith("Your quote is $89.")
    assert asked["fields"] == {"amount": "$89"}


async def test_what_was_agreed_is_kept_and_said(api, client, organisation, repair, texts):
    repair = await put_quote(api, organisation, repair)
    await texts("YES")
    [*_, answer] = await organisation.outbound_messages(repair)
    assert answer.body == (
        "Acme Bank: Thank you, Martin. You said yes to $89. We start and tell you when it is done."
    )
    answered = [
        event
        for event in await organisation.events(repair)
        if event.kind == EventKind.QUESTION_ANSWERED
    ]
    assert [event.data["fields"] for event in answered] == [{"amount": "$89"}]
    assert "You said yes to $89." in read(await client.get(link(repair)))


async def test_open_question_is_never_followed_by_nothing_else_to_do(
    api, client, organisation, repair
):
    repair = await put_quote(api, organisation, repair)
    await client.post(f"{link(repair)}/messages", data={"body": "Is VAT included?"})
    page = read(await client.get(link(repair)))
    assert "Yes, go ahead for $89" in page
    assert "nothing else that you need to do" not in page
    assert "nothing that you need to do" not in page


async def test_yes_while_their_question_is_open_is_read_back_with_the_amount_once(
    clock, api, organisation, repair, texts
):
    repair = await put_quote(api, organisation, repair)
    await texts("Can you do it cheaper?")
    await texts("go ahead")
    repair = await organisation.reload(repair)
    assert repair.open_question is not None
    [*_, reply] = await organisation.outbound_messages(repair)
    assert "You want us to go ahead for $89? Reply YES. Repair Bench still answers" in reply.body
    clock.shift(timedelta(minutes=1))
    await texts("go ahead")
    repair = await organisation.reload(repair)
    assert [run.stage_key for run in repair.open_runs] == ["mended"]
    [*_, reply] = await organisation.outbound_messages(repair)
    assert "You said yes to $89." in reply.body
    assert [promise.is_open for promise in repair.promises] == [True], "it is still owed"


@pytest.mark.parametrize(
    ("written", "is_taken"),
    [
        ("We can do it for $75 with tax. Is that ok?", False),
        ("75 dollars then, Martin.", False),
        ("It stays $89, sorry.", True),
        ("Yes, we are open at 5.", True),
    ],
)
async def test_yes_after_a_colleague_wrote_of_another_amount_is_for_a_person(
    api, organisation, repair, texts, written, is_taken
):
    """They mean the amount that they read last, and the question names another one."""
    repair = await put_quote(api, organisation, repair)
    await texts("Can you do it cheaper?")
    await organisation.run(
        write_to_customer, repair, by=organisation.people.ben.actor, body=written
    )
    await texts("yes pls, thanks")
    repair = await organisation.reload(repair)
    assert (repair.open_question is None) == is_taken
    [*_, reply] = await organisation.outbound_messages(repair)
    said = "You said yes to $89." if is_taken else "first confirms the price, by "
    assert said in reply.body
    assert is_taken or any(promise.is_open for promise in repair.promises)


async def test_press_of_yes_is_read_back_too_while_their_question_is_open(
    api, client, organisation, repair
):
    repair = await put_quote(api, organisation, repair)
    await client.post(f"{link(repair)}/messages", data={"body": "Can you do it cheaper?"})
    form = {"follow_up": str(repair.follow_ups[-1].id), "answer": "yes"}
    await client.post(f"{link(repair)}/answers", data=form)
    words = read(await client.get(link(repair)))
    assert "If you are sure already, press once more. Yes, go ahead for $89" in words
    assert (await organisation.reload(repair)).open_question is not None
    await client.post(f"{link(repair)}/answers", data=form)
    repair = await organisation.reload(repair)
    assert [run.stage_key for run in repair.open_runs] == ["mended"]
    assert [promise.is_open for promise in repair.promises] == [True]


async def test_desk_asks_for_the_amount_in_the_same_form(organisation, repair, desk_clients):
    ben = await desk_clients("ben")
    page = await ben.page(repair)
    assert 'name="fields.amount"' in page
    assert "Martin is then asked: “Your quote is {amount}. Shall we go ahead?" in visible_text(page)
    refused = await ben.submit(repair, "advance", note="Only the screen.")
    assert refused.status_code == 422
    assert "Please give the amount" in visible_text(refused.text)
    assert "Only the screen." in refused.text
    answer = await ben.submit(repair, "advance", **{"fields.amount": "$89"})
    assert answer.status_code == 303
    repair = await organisation.reload(repair)
    assert repair.follow_ups[-1].fields == {"amount": "$89"}
    assert "The customer is asked" not in visible_text(await ben.page(repair))


async def test_field_that_the_request_was_opened_with_needs_no_second_naming(organisation, api):
    await organisation.load(QUOTED)
    request = await organisation.open("quoted", by=SYSTEM_ACTOR, fields={"amount": "£95"})
    answer = await api.post(f"/requests/{request.reference}/advance", json={})
    assert answer.status_code == 200
    assert (await organisation.reload(request)).follow_ups[-1].fields == {"amount": "£95"}


async def test_return_to_a_question_asks_for_its_amount_again(api, organisation, repair, texts):
    repair = await put_quote(api, organisation, repair)
    await texts("YES")
    body = {"stage": "quote", "reason": "The battery is broken too."}
    answer = await api.post(f"/requests/{repair.reference}/send-back", json=body)
    assert answer.status_code == 422
    answer = await api.post(
        f"/requests/{repair.reference}/send-back", json=body | {"fields": {"amount": "$120"}}
    )
    assert answer.status_code == 200
    repair = await organisation.run(run_due_follow_ups, repair, by=SYSTEM_ACTOR)
    [*_, question] = await organisation.outbound_messages(repair)
    assert "Your quote is $120." in question.body


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{amount}", "{amuont}", 'the field "{amuont}", which nobody fills'),
        ("no = {", 'fields = ["Amount"]\nno = {', 'declares the field "Amount"'),
        ("no = {", 'fields = ["window"]\nno = {', "does not name"),
        ("no = {", 'yes_label = "Yes, {window}"\nno = {', 'the field "{window}"'),
        (
            'question = "Your quote is {amount}. Shall we go ahead? Reply YES or NO."',
            'question.en = "It is {amount}. Yes?"\nquestion.es = "¿Seguimos?"',
            'does not name {amount} in "es"',
        ),
    ],
)
def test_mistake_in_the_fields_of_a_question_has_a_line_and_a_remedy(old, new, problem):
    with pytest.raises(WorkflowFileError) as refused:
        read_workflow(QUOTED.replace(old, new))
    assert any(problem in issue.message for issue in refused.value.issues)
    assert all(issue.line and issue.remedy for issue in refused.value.issues)


def test_answer_cannot_lead_straight_to_a_question_with_fields():
    """Nobody is there to fill them in."""
    consent = 'milestone = false\nquestion = "May we open it? Reply YES or NO."\n'
    text = QUOTED.replace('expected = "1d"\n\n', f'expected = "1d"\n{consent}\n', 1)
    with pytest.raises(WorkflowFileError) as refused:
        read_workflow(text)
    [issue] = refused.value.issues
    assert 'straight to "quote", which asks about {amount}' in issue.message
    assert issue.line


def test_field_of_any_lower_case_name_may_be_declared():
    text = QUOTED.replace("{amount}", "{battery_price}").replace(
        "no = {", 'fields = ["battery_price"]\nyes_label = "Yes, for {battery_price}"\nno = {'
    )
    question = read_workflow(text).stage("quote").question
    assert question is not None
    assert question.fields == ("battery_price",)

"""Many failed messages sent again at once, at the desk and by the command."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select, update

from portal.business_time import now
from portal.commands import messages as command
from portal.errors import BadInput
from portal.models import Actor, DeliveryReason, Message, MessageStatus
from portal.operations import Operations
from portal.settings import Settings
from tests.support.desk_client import DeskClient, hidden_fields
from tests.support.factories import MARTHA, Organisation

pytestmark = pytest.mark.either_database

REASONS = [DeliveryReason.ASK_CUSTOMER] * 3 + [DeliveryReason.EXPIRED]


@pytest.fixture
async def failed(organisation: Organisation) -> list[int]:
    """Four failed texts to four customers: three for one reason, one for another."""
    tess = organisation.people.tess.actor
    return [
        await open_failed(organisation, number, tess, reason=reason)
        for number, reason in enumerate(REASONS)
    ]


async def open_failed(
    organisation: Organisation, number: int, by: Actor, workflow: str = "card",
    reason: DeliveryReason = DeliveryReason.ASK_CUSTOMER,
) -> int:  # fmt: skip
    """Open a request whose first text fails; returns the text's id."""
    customer = replace(MARTHA, phone=f"+1415200{number:04}")
    request = await organisation.open(workflow, customer, by=by)
    (message,) = await organisation.outbound_messages(request)
    async with organisation.database.transaction() as session:
        values = {"status": MessageStatus.REVIEW, "reason": reason, "claimed_at": now()}
        await session.exec(update(Message).where(col(Message.id) == message.id).values(**values))
    return message.id or 0


async def retried(organisation: Organisation) -> set[int]:
    """The messages that are sent again, by the causes of the new ones."""
    async with organisation.database.reading() as session:
        query = select(Message.cause).where(col(Message.status) == MessageStatus.QUEUED)
        causes = (await session.exec(query)).all()
    return {int(cause.split(":")[1]) for cause in causes}


async def press(desk: DeskClient, **chosen: Any) -> Any:
    """Submit the form for several messages as it stands on the page."""
    page = (await desk.get("/desk/messages?show=all")).text
    data = hidden_fields(page, "/desk/messages") | chosen
    return await desk.client.post("/desk/messages", data=data)


async def test_selected_messages_are_sent_again(
    desk_clients: Any, organisation: Organisation, failed: list[int]
) -> None:
    mona = await desk_clients("mona")
    answer = await press(mona, message=[str(failed[0]), str(failed[3])])
    assert answer.status_code == 200
    assert await retried(organisation) == {failed[0], failed[3]}
    assert "Sending 2 again." in answer.text


async def test_all_messages_of_one_reason_are_sent_again(
    desk_clients: Any, organisation: Organisation, failed: list[int]
) -> None:
    mona = await desk_clients("mona")
    page = (await mona.get("/desk/messages?show=all")).text
    assert "Send all 3 again: " in page
    await press(mona, reason=DeliveryReason.ASK_CUSTOMER.value)
    assert await retried(organisation) == set(failed[:3])
    async with organisation.database.reading() as session:
        query = select(Message).where(col(Message.status) == MessageStatus.QUEUED)
        assert all(one.possible_duplicate for one in (await session.exec(query)).all())


async def test_a_message_resolved_meanwhile_is_skipped_and_counted(
    desk_clients: Any, organisation: Organisation, failed: list[int]
) -> None:
    mona = await desk_clients("mona")
    both = [str(failed[0]), str(failed[1])]
    await press(mona, message=both[:1])
    answer = await press(mona, message=both)
    assert "Sending 1 again." in answer.text
    assert "1 not sent: Mona Manager has seen to this already" in answer.text
    assert await retried(organisation) == {failed[0], failed[1]}


async def test_agent_is_offered_and_sends_what_is_theirs(
    desk_clients: Any, organisation: Organisation, failed: list[int]
) -> None:
    ben = organisation.people.ben
    theirs = [await open_failed(organisation, n, ben.actor, "repair") for n in (7, 8)]
    desk = await desk_clients("ben")
    page = (await desk.get("/desk/messages?show=all")).text
    assert "Send all 2 again: " in page
    answer = await press(desk, message=[str(failed[0])])
    assert "1 not sent: This request is assigned to other departments." in answer.text
    assert await retried(organisation) == set()
    answer = await press(desk, reason=DeliveryReason.ASK_CUSTOMER.value)
    assert await retried(organisation) == set(theirs)
    assert "Sending 2 again." in answer.text
    assert "not sent" not in answer.text


async def test_text_that_must_not_go_again_is_not_counted(
    desk_clients: Any, organisation: Organisation, failed: list[int], run: Any
) -> None:
    async with organisation.database.transaction() as session:
        refused = update(Message).where(col(Message.id) == failed[0])
        await session.exec(refused.values(error_code="30007"))
    mona = await desk_clients("mona")
    assert "Send all 2 again: " in (await mona.get("/desk/messages?show=all")).text
    assert (await run("2025-01-01", is_dry_run=True))[0] == "3 would be sent again."
    await press(mona, reason=DeliveryReason.ASK_CUSTOMER.value)
    assert await retried(organisation) == set(failed[1:3])


async def test_one_message_that_can_be_retried_has_no_box_to_select(
    desk_clients: Any, organisation: Organisation, failed: list[int]
) -> None:
    assert failed
    await open_failed(organisation, 7, organisation.people.ben.actor, "repair")
    page = (await (await desk_clients("ben")).get("/desk/messages?show=all")).text
    assert page.count("Send again") == 1
    assert 'type="checkbox"' not in page


async def test_link_puts_no_sentence_on_the_page(desk_clients: Any) -> None:
    page = (await (await desk_clients("mona")).get("/desk/messages?sent=12-3")).text
    assert "Sending" not in page


@pytest.mark.parametrize("chosen", [{}, {"reason": "unheard of"}, {"message": "x"}])
async def test_an_odd_choice_is_refused_and_sends_nothing(
    desk_clients: Any, organisation: Organisation, failed: list[int], chosen: dict[str, str]
) -> None:
    assert failed
    answer = await press(await desk_clients("mona"), **chosen)
    assert answer.status_code == 422
    assert await retried(organisation) == set()


async def test_the_form_of_another_site_is_refused(
    desk_clients: Any, organisation: Organisation, failed: list[int]
) -> None:
    mona = await desk_clients("mona")
    answer = await mona.client.post("/desk/messages", data={"message": str(failed[0])})
    assert answer.status_code == 403
    assert await retried(organisation) == set()


@pytest.fixture
async def run(operations: Operations, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, in the loop of the test."""

    async def run(since: str, reason: str | None = None, *, is_dry_run: bool = False) -> list[str]:
        work: list[Any] = []
        monkeypatch.setattr(command, "run_operation", lambda _settings, retry: work.append(retry))
        command.retry_failed_messages(settings, since, reason, is_dry_run=is_dry_run)
        lines: list[str] = await work[0](operations)
        return lines

    return run


async def test_the_command_sends_those_of_a_reason_and_a_dry_run_sends_none(
    run: Any, organisation: Organisation, failed: list[int]
) -> None:
    lines = await run("2025-01-01", is_dry_run=True)
    assert lines[0] == "4 would be sent again."
    assert lines[1].startswith("3 ask_customer: ")
    assert await retried(organisation) == set()
    assert await run("2025-01-01", "ask_customer") == ["3 sent again."]
    assert await retried(organisation) == set(failed[:3])
    assert await run("2099-01-01") == ["0 sent again."]


@pytest.mark.parametrize(("since", "reason"), [("soon", None), ("", None), ("2025-01-01", "odd")])
async def test_the_command_refuses_an_odd_time_or_reason(
    run: Any, since: str, reason: str | None
) -> None:
    with pytest.raises(BadInput):
        await run(since, reason)

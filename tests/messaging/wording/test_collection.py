"""What is ready to collect after a no or a cancellation is collected somewhere, at some hours."""

from dataclasses import replace

import httpx2
import pytest

from portal.messaging.sms.segments import count_segments
from portal.models import SYSTEM_ACTOR, ServiceRequest
from portal.operations import cancel, load_workflow
from portal.workflows import WorkflowFileError, read_workflow
from tests.support.factories import MARTIN, Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database

KETTLE = """
key = "kettle"
name = "Kettle repair"
prefix = "TEA"
on_cancelled = "Your kettle is ready to collect."
collect_at = "pick-up"

[departments.shop]
name = "Shop"
hours = "Mon-Fri 09:00-18:00"
timezone = "America/New_York"

[[stages]]
key = "check"
department = "shop"
title = "We check your kettle"
expected = "2d"

[[stages]]
key = "pick-up"
department = "shop"
title = "Ready for you to collect"
ask = "come"
expected = "14d"
"""


async def cancelled(
    organisation: Organisation, workflow: str, locale: str = "en"
) -> ServiceRequest:
    """A kettle whose repair is cancelled."""
    mona = organisation.people.mona.actor
    async with organisation.operations.begin(mona) as uow:
        await load_workflow(uow, read_workflow(workflow))
    customer = replace(MARTIN, locale=locale)
    request = await organisation.open("kettle", customer, by=SYSTEM_ACTOR)
    return await organisation.run(cancel, request, by=mona, reason="No spare parts.")


@pytest.mark.parametrize(
    ("place", "says"), [("", "Shop"), ('place = "12 Elm Street"', "12 Elm Street")]
)
async def test_text_and_page_say_where_and_when(
    client: httpx2.AsyncClient, organisation: Organisation, place: str, says: str
) -> None:
    workflow = KETTLE.replace('ask = "come"', f'ask = "come"\n{place}')
    request = await cancelled(organisation, workflow)
    text = (await organisation.outbound_messages(request))[-1].body
    assert f"Your kettle is ready to collect. Where: {says}, Mon-Fri 9 am-6 pm." in text
    assert count_segments(text).segments == 1
    page = read(await client.get(link(request)))
    assert f"You can collect it at {says}, open Mon-Fri 9 am-6 pm." in page


async def test_long_text_leaves_the_hours_to_the_page(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    hours = "Mon-Fri 09:00-12:30, 13:30-18:00; Sat 10:00-16:00"
    workflow = KETTLE.replace('hours = "Mon-Fri 09:00-18:00"', f'hours = "{hours}"').replace(
        "ready to collect.", "ready to collect, free of charge."
    )
    request = await cancelled(organisation, workflow)
    text = (await organisation.outbound_messages(request))[-1].body
    assert "free of charge. Where: Shop. " in text
    assert count_segments(text).segments == 1
    assert "Sat 10 am-4 pm" in read(await client.get(link(request)))


async def test_place_is_said_in_the_language_of_the_customer(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await cancelled(organisation, KETTLE, "es")
    text = (await organisation.outbound_messages(request))[-1].body
    assert "Lugar: Shop, lun-vie 9:00-18:00." in text
    assert "Puede recogerlo en: Shop, abierto" in read(await client.get(link(request)))


async def test_nothing_is_collected_where_the_workflow_names_no_stage(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    request = await cancelled(organisation, KETTLE.replace('collect_at = "pick-up"\n', ""))
    assert "Where:" not in (await organisation.outbound_messages(request))[-1].body
    assert "You can collect it" not in read(await client.get(link(request)))


def test_stage_that_is_not_there_is_reported() -> None:
    with pytest.raises(WorkflowFileError, match='has "pickup" as that stage'):
        read_workflow(KETTLE.replace('collect_at = "pick-up"', 'collect_at = "pickup"'))

"""The API says whose turn it is, what the customer does, and when it should be done."""

import httpx2
import pytest
import time_machine

from portal.operations import advance, load_workflow
from portal.workflows import read_workflow
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WORKFLOW = """
key = "turns"
name = "Turns"
prefix = "TRN"
arrives = "Online by"

[departments.shop]
name = "Shop"

[[stages]]
key = "check"
department = "shop"
title = "We check your order"
expected = "2d"

[[stages]]
key = "consent"
department = "shop"
title = "We ask the landowner for consent"
waits_for = "the landowner"
expected = "21d"

[[stages]]
key = "plans"
department = "shop"
title = "We wait for your plans"
ask = "files"
expected = "5d"

[[stages]]
key = "build"
department = "shop"
title = "We build it"
expected = "3d"
"""


async def test_request_says_whose_turn_it_is_and_when_it_arrives(
    api: httpx2.AsyncClient, organisation: Organisation, clock: time_machine.Traveller
) -> None:
    by = organisation.people.mona.actor
    async with organisation.operations.begin(by) as uow:
        await load_workflow(uow, read_workflow(WORKFLOW))
    request = await organisation.open("turns", by=by)
    seen = []
    for _ in range(4):
        found = (await api.get(f"/requests/{request.reference}")).json()
        arrival = found["arrival"]
        date = arrival["by"] or arrival["seconds_after_wait"] // 86_400
        seen.append((found["status"], found["waits_for"], found["ask"], arrival["label"], date))
        await organisation.run(advance, request, by=by)
    assert seen == [
        ("open", "", "", "Online by", "2025-06-29T14:00:00Z"),
        ("open", "the landowner", "", "Online by", 3),
        ("waiting_on_customer", "customer", "files", "Online by", 3),
        ("open", "", "", "Online by", "2025-06-06T14:00:00Z"),
    ]
    assert (await api.get(f"/requests/{request.reference}")).json()["arrival"] is None

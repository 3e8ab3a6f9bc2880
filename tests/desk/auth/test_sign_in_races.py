"""Sign-ins that begin and end at the same moment, in two transactions of PostgreSQL."""

import asyncio
from typing import Any

import pytest

from portal.database import Database
from portal.models import SignInEnd
from portal.operations import Operations
from portal.operations.accounts import Client, lock_account, start_sign_in
from tests.desk.auth.test_sign_in_ends import end_reasons
from tests.support.database.databases import POSTGRES
from tests.support.desk_client import hidden_fields
from tests.support.factories import Organisation

pytestmark = pytest.mark.parametrize("database_url", [POSTGRES], indirect=True)


async def test_sign_out_everywhere_ends_a_sign_in_that_is_being_committed(
    desk_clients: Any, operations: Operations, organisation: Organisation, database: Database
) -> None:
    desk, pia = await desk_clients("pia"), organisation.people.pia
    page = (await desk.get("/desk/account")).text
    fields = hidden_fields(page, "/desk/account/sign-out")
    async with operations.begin(pia.actor) as uow:
        staff = await lock_account(uow, pia.id)
        started = await start_sign_in(uow, pia.id, staff.password_hash, Client(), notify=False)
        assert started
        sign_out = asyncio.create_task(desk.client.post("/desk/account/sign-out", data=fields))
        await asyncio.wait({sign_out}, timeout=2)
    assert (await sign_out).status_code == 303
    assert await end_reasons(database) == [SignInEnd.SIGNED_OUT_EVERYWHERE] * 2

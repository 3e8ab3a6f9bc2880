"""A department has a public name, by language, beside the one that staff read."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from portal.models import SYSTEM_ACTOR
from portal.workflows import WorkflowFileError, read_workflow
from tests.support.factories import CARD, MARTIN, Organisation

pytestmark = pytest.mark.either_database

PUBLIC = CARD.replace(
    'name = "Telesales"',
    'name = "Telesales"\npublic_name = { en = "Our sales team", es = "Ventas" }',
    1,
).replace('key = "card"', 'key = "public"', 1)


async def test_customers_read_the_public_name_and_staff_the_other(
    organisation: Organisation, client: httpx2.AsyncClient, texts: Any, desk_clients: Any
) -> None:
    await organisation.load(PUBLIC)
    spanish = replace(MARTIN, locale="es")
    card = await organisation.open("public", spanish, by=SYSTEM_ACTOR)
    assert ", de Ventas, " in (await texts("¿Pueden cambiar mi nombre?")).body
    assert card.live_link is not None
    page = (await client.get(f"/r/{card.live_link.token}")).text
    assert "Ventas" in page
    assert "Telesales" not in page
    tess = await desk_clients("tess")
    assert "Telesales" in await tess.page(card)


async def test_department_without_a_public_name_keeps_its_own(
    organisation: Organisation, texts: Any
) -> None:
    await organisation.open("card", MARTIN, by=SYSTEM_ACTOR)
    assert " at Telesales " in (await texts("Can you change my name?")).body


def test_public_name_that_is_no_text_is_an_issue_with_its_line() -> None:
    with pytest.raises(WorkflowFileError, match='has 7 as "public_name", which customers read'):
        read_workflow(PUBLIC.replace('{ en = "Our sales team", es = "Ventas" }', "7"))

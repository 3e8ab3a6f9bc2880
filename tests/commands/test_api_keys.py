"""`kept apikey`: the scopes and the expiry of keys."""

import asyncio
from typing import Any

import pytest

from portal.commands.api_keys import create_key, list_keys
from portal.errors import BadInput
from portal.settings import Settings

pytestmark = pytest.mark.either_database

ALL = "read, open, act, act_as_staff"


async def listed(settings: Settings) -> list[str]:
    return await asyncio.to_thread(list_keys, settings)


@pytest.mark.parametrize(
    ("scopes", "expires", "line"),
    [
        ((), "", f"crm: made on 2025-06-03, valid until 2026-06-03, never used; {ALL}"),
        (["read"], "90d", "crm: made on 2025-06-03, valid until 2025-09-01, never used; read"),
        (
            ["act", "read,open"], "2025-12-31",
            "crm: made on 2025-06-03, valid until 2025-12-31, never used; read, open, act",
        ),
        (["read"], "never", "crm: made on 2025-06-03, no expiry, never used; read"),
    ],
)  # fmt: skip
async def test_a_key_has_the_scopes_and_the_expiry_asked_for(
    clock: Any, settings: Settings, scopes: list[str], expires: str, line: str
) -> None:
    (secret,) = await asyncio.to_thread(create_key, settings, "crm", scopes, expires)
    assert secret.startswith("kept_")
    assert await listed(settings) == [line]


@pytest.mark.parametrize(
    ("scopes", "expires", "sentence"),
    [
        (["write"], "", "The scopes are read, open, act, act_as_staff."),
        ([""], "", "The scopes are"),
        ((), "2025-06-03", "Give the expiry as a day to come"),
        ((), "0d", "Give the expiry"),
        ((), "99999999999999999999d", "Give the expiry"),
        ((), "000365999d", "Give the expiry"),
        ((), "soon", "Give the expiry"),
        ((), "9999-12-31", "Give the expiry"),
    ],
)
async def test_a_wrong_scope_or_expiry_makes_no_key(
    clock: Any, settings: Settings, scopes: list[str], expires: str, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence.replace(".", r"\.")):
        await asyncio.to_thread(create_key, settings, "crm", scopes, expires)
    assert await listed(settings) == ["No keys yet: `kept apikey create NAME`."]

"""Requests that the tests of the API share."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

MARTIN = {"name": "Martin Miller", "phone": "+1 415 555 0132", "email": "Martin@Example.com"}


SOON = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)


async def opened(api: httpx2.AsyncClient, workflow: str = "card", **more: Any) -> dict[str, Any]:
    answer = await api.post("/requests", json={"workflow": workflow, "customer": MARTIN, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()

"""Templates are compiled when a web process starts, not while a visitor waits."""

from typing import Any

import httpx2
import pytest
from jinja2 import Environment

from portal.models import ServiceRequest
from tests.tracking.page_requests import link

pytestmark = pytest.mark.either_database


async def test_no_page_compiles_a_template(
    client: httpx2.AsyncClient,
    desk_clients: Any,
    card_request: ServiceRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page of a customer, in each language, the desk's, and errors of both."""
    tess = await desk_clients("tess")
    compiled = []
    compile_template = Environment.compile

    def note(
        env: Environment, source: Any, name: str | None = None, *args: Any, **more: Any
    ) -> Any:
        compiled.append(name)
        return compile_template(env, source, name, *args, **more)

    monkeypatch.setattr(Environment, "compile", note)
    await tess.page(card_request)
    for url in ("/desk", "/desk/inbox", "/desk/balls", "/desk/messages", "/desk/none"):
        await tess.get(url)
    for language in ("en", "es", "ar"):
        for url in ("/", link(card_request), f"{link(card_request)}/preferences", "/r/unknown"):
            await client.get(f"{url}?lang={language}")
    assert compiled == []

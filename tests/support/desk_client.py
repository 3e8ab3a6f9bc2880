"""A browser at the desk without a window: it reads pages, fills in their forms and sends them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from html import unescape
from typing import Any

import httpx2
from argon2 import PasswordHasher
from starlette.applications import Starlette

from portal.models import ServiceRequest, SignInEnd
from portal.operations.accounts import end_all_sign_ins, lock_account
from tests.support.factories import Organisation

ORIGIN = "http://testserver"

PASSWORD = "correct horse battery"
HTMX = {"HX-Request": "true"}


class DeskClient:
    """One person's browser at the desk."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def get(self, url: str, **more: Any) -> httpx2.Response:
        return await self.client.get(url, **more)

    async def page(self, request: ServiceRequest | str) -> str:
        reference = request if isinstance(request, str) else request.reference
        answer = await self.client.get(f"/desk/requests/{reference}")
        assert answer.status_code == 200, answer.text
        return answer.text

    async def submit(
        self,
        request: ServiceRequest,
        verb: str,
        *,
        page: str | None = None,
        htmx: bool = False,
        **typed: str,
    ) -> httpx2.Response:
        """Fill in the verb's form as it stands on the page (or on an older one) and send it."""
        page = page or await self.page(request)
        url = f"/desk/requests/{request.reference}/{verb}"
        return await self.client.post(
            url, data=hidden_fields(page, url) | typed, headers=HTMX if htmx else {}
        )


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """What the form of that address carries along."""
    form = re.search(rf'<form [^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    if form is None:  # not offered on this page: all that any form carries
        form = re.search(r"<form [^>]*hx-post.*?</form>", page, re.DOTALL)
    assert form, f"no form for {action}"
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
    return {name: unescape(value) for name, value in fields}


def visible_text(markup: str) -> str:
    """The text as it is read."""
    body = markup.split("<body", 1)[-1].partition(">")[2] if "<body" in markup else markup
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


@asynccontextmanager
async def signed_in_desk(
    app: Starlette, organisation: Organisation, name: str
) -> AsyncIterator[DeskClient]:
    """One of the cast, with a new password, signed in in a browser of their own."""
    person = getattr(organisation.people, name)
    async with organisation.operations.begin(person.actor) as uow:
        staff = await lock_account(uow, person.id)
        staff.set_password(cheap_password_hash())
        uow.session.add(staff)
        await end_all_sign_ins(uow, staff, SignInEnd.PASSWORD_CHANGED)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        told = {"email": person.email, "password": PASSWORD}
        answer = await client.post("/desk/sign-in", data=told)
        assert answer.status_code == 303
        yield DeskClient(client)


@cache
def cheap_password_hash() -> str:
    """A hash of the password that costs little to make and to compare."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)

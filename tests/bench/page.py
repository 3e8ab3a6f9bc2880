"""The status page, cached and uncached, compared with the shortest response of Starlette."""

import contextlib
from datetime import timedelta
from typing import Any

from sqlmodel import select

from portal.business_time import now
from portal.models import CUSTOMER_ACTOR, TrackingLink
from portal.operations import accept, advance, make_promise, receive_web_message
from tests.bench.load import get, report
from tests.bench.runner import databases, server, settings_for, with_organisation
from tests.support.factories import Organisation

PAGES = 40


def run(options: Any) -> None:
    """Print answers a second and their ratio to hello."""
    with databases(options) as urls, contextlib.ExitStack() as stack:
        parts = {("Starlette hello", ""): (stack.enter_context(server("hello")), [get("/")])}
        for name, url in urls.items():
            settings = settings_for(url)
            calls = [get(f"/r/{token}") for token in with_organisation(settings, some_pages)]
            for kind, title in (("kept", "kept page"), ("unkept", "first view")):
                parts[title, name] = stack.enter_context(server(kind, settings)), calls
        report("The customer's page", parts, options)


async def some_pages(organisation: Organisation) -> list[str]:
    """Requests in the middle of their way, with a promise and words; gives their tokens."""
    people = organisation.people
    for _ in range(PAGES):
        request = await organisation.open(by=people.tess.actor)
        await organisation.run(advance, request, by=people.tess.actor)
        await organisation.run(accept, request, by=people.uma.actor)
        await organisation.run(
            make_promise, request, text="Call you back", due_at=now() + timedelta(days=1),
            by=people.uma.actor,
        )  # fmt: skip
        await organisation.run(receive_web_message, request, "When will I know?", by=CUSTOMER_ACTOR)
    async with organisation.database.reading() as session:
        return list((await session.exec(select(TrackingLink.token))).all())

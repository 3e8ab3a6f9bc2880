"""What a link alone shows, and how it is revoked."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import SQLModel
from starlette.applications import Starlette

from portal import tracking
from portal.database import Database
from portal.models import MessageKind, ServiceRequest
from portal.operations import (
    CustomerDetails,
    accept,
    advance,
    cancel,
    revoke_link,
    run_due_follow_ups,
)
from portal.settings import Settings
from tests.support.customer_device import (
    code_emails,
    codes_by_sms,
    link,
    new_browser,
    request_code,
    submit_code,
    verify_device,
)
from tests.support.desk_client import visible_text
from tests.support.factories import MARTHA, MARTIN, Organisation
from tests.support.sample_images import PDF
from workers.delivery.email_letters import build_message_email

pytestmark = pytest.mark.either_database

SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0) SafeLinks", "Slackbot-LinkExpanding 1.0", "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
)  # fmt: skip
"""Programs that open each link in a message before, or instead of, a person."""
ACTIONS = "answer=yes&follow_up=1&do=stop_all&stop=all&code=123456&to=mine&body=Hello&done&saved"
"""What a machine that follows each address that it finds may bring along."""


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Nothing becomes due while we look."""


@pytest.fixture
async def asked(organisation: Organisation, client: httpx2.AsyncClient) -> ServiceRequest:
    """Martin's card, delivered, with the question whether it arrived, and a paper of his."""
    people = organisation.people
    card_request = await organisation.open(
        by=people.tess.actor,
        fields={"address": "12 Elm Street", "income": "84000"},
        external_id="CRM-55512",
    )
    form = {"body": "Here."}
    paper = [("file", ("passport Miller.pdf", PDF, "application/pdf"))]
    await client.post(f"{link(card_request)}/messages", data=form, files=paper)
    client.cookies.clear()  # As any other browser sees it.
    await organisation.run(advance, card_request, by=people.tess.actor)
    for person in (people.uma, people.pia, people.carl):
        await organisation.run(accept, card_request, by=person.actor)
        await organisation.run(advance, card_request, by=person.actor)
    await organisation.run(advance, card_request, by=people.carl.actor)
    return await organisation.run(run_due_follow_ups, card_request, by=people.carl.actor)


def pages_of(request: ServiceRequest) -> list[str]:
    """Each address that a customer's browser may look at, from the table of routes."""
    return [
        route.path.replace("/r/{token}", link(request)).replace("{id:int}", "1")
        for route in tracking.routes
        if "GET" in (route.methods or ()) or route.path.endswith("/live")
    ]


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    async with database.connection() as connection:
        return {
            table.name: sorted(map(repr, await connection.execute(sa.select(table))))
            for table in SQLModel.metadata.sorted_tables
        }


# --- what it shows ----------------------------------------------------------------------------


async def test_link_alone_shows_only_the_first_name(
    client: httpx2.AsyncClient, asked: ServiceRequest
) -> None:
    """On no page that it opens: not the name, an address, a number, what a form held, a file."""
    told = ("Miller", "Elm Street", "84000", "CRM-55512", "martin@", "example.com", "5550132")
    for path in pages_of(asked):
        if path.endswith("/live"):
            continue
        page = await client.get(path, follow_redirects=True)
        for word in (*told, "0132", "passport", "owner_id"):
            assert word not in page.text, (path, word)


async def test_page_forbids_robots_referrers_and_caches(
    client: httpx2.AsyncClient, asked: ServiceRequest
) -> None:
    """Each answer says so itself, ways on and refusals included."""
    for path in (*pages_of(asked), "/r/unknown", f"{link(asked)}/nothing"):
        if path == "/robots.txt":
            continue
        answer = await (client.head if path.endswith("/live") else client.get)(path)
        assert "no-store" in answer.headers["Cache-Control"], path
        assert answer.headers["Referrer-Policy"] == "no-referrer", path
        assert answer.headers["X-Robots-Tag"] == "noindex", path
    sent = await client.post(f"{link(asked)}/preferences", data={"do": "stop_this"})
    assert (sent.status_code, sent.headers["Referrer-Policy"]) == (303, "no-referrer")
    robots = await client.get("/robots.txt")
    assert "User-agent: *\nDisallow: /r/\n" in robots.text


async def test_preview_of_the_page_names_only_the_brand(
    client: httpx2.AsyncClient, asked: ServiceRequest
) -> None:
    """Whichever of our pages is passed on: no person, no request, no picture."""
    page = (await client.get(link(asked))).text
    assert dict(re.findall(r'property="og:(\w+)" content="([^"]*)"', page))["title"] == (
        "Follow your request · Acme Bank"
    )
    for path in pages_of(asked):
        if not path.endswith("/live"):
            page = (await client.get(path, follow_redirects=True)).text
            shared = " ".join(re.findall(r"<meta[^>]*\b(?:og|twitter):[^>]*>", page))
            assert "Martin" not in "".join(re.findall("<title>.*", page))
            assert asked.reference not in shared
            assert "Martin" not in shared
            assert "image" not in shared


@pytest.mark.parametrize("agent", SCANNERS)
async def test_viewing_changes_nothing(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    asked: ServiceRequest,
    database: Database,
    agent: str,
) -> None:
    """No scanner, preview or impatient finger answers, stops or signs anything by a GET or HEAD.

    Not in any table, and not in a browser that is known either.
    """
    client.headers["User-Agent"] = agent
    for known in (False, True):
        if known:
            await verify_device(client, organisation, asked)
        before = await everything(database)
        for path in pages_of(asked):
            for address in (path, f"{path}?{ACTIONS}"):
                await client.head(address)
                if not path.endswith("/live"):
                    await client.get(address)
        assert await everything(database) == before
    for act in ("messages", "answers", "forget", "language"):
        assert (await client.get(f"{link(asked)}/{act}?{ACTIONS}")).status_code == 405


# --- taking it back ---------------------------------------------------------------------------


async def test_customer_revokes_a_leaked_link(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """After a code: whoever has no more than the link cannot. The new one is texted at once."""
    page = visible_text((await client.get(f"{link(card_request)}/preferences")).text)
    assert "Does someone else have this link?" in page
    async with new_browser(app) as stranger:
        assert (await stranger.get(f"{link(card_request)}/replace")).status_code == 303
        tried = await stranger.post(f"{link(card_request)}/replace")
        assert tried.headers["Location"] == f"{link(card_request)}/code?to=replace"
        assert link(await organisation.reload(card_request)) == link(card_request)

        await verify_device(client, organisation, card_request, "replace")
        assert "Take this link back" in visible_text(
            (await client.get(f"{link(card_request)}/replace")).text
        )
        done = await client.post(f"{link(card_request)}/replace")
        now = await organisation.reload(card_request)
        assert done.headers["Location"] == f"{link(now)}/replace?done"
        assert link(now) != link(card_request)
        assert (await stranger.get(link(card_request))).status_code == 404
    assert "is on its way to you" in visible_text((await client.get(done.headers["Location"])).text)
    newest = (await organisation.outbound_messages(card_request))[-1]
    assert (newest.kind, newest.urgent) == (MessageKind.LINK, True)
    assert link(now) in newest.body


async def test_replaced_link_untrusts_other_browsers(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Perhaps it is one of them that is in wrong hands. The one at hand goes on."""
    async with new_browser(app) as lost:
        await verify_device(lost, organisation, card_request)
        await verify_device(client, organisation, card_request)
        await client.post(f"{link(card_request)}/replace")
        now = await organisation.reload(card_request)
        assert (await lost.get(f"{link(now)}/mine")).status_code == 303
        assert (await client.get(f"{link(now)}/mine")).status_code == 200


# --- all my requests --------------------------------------------------------------------------

MARY = CustomerDetails(name="Mary Major", phone="+14155550177", email="mary@example.com")


async def test_all_requests_are_listed_after_a_code(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    clock: time_machine.Traveller,
) -> None:
    """Each with where it stands and its link; what ended long ago is not there, nor others'."""
    ben, tess = organisation.people.ben.actor, organisation.people.tess.actor
    old = await organisation.open("repair", MARY, by=ben)
    await organisation.run(cancel, old, reason="Long ago", by=ben)
    clock.shift(timedelta(days=91))
    ended = await organisation.open("repair", MARY, by=ben)
    await organisation.run(cancel, ended, reason="Just now", by=ben)
    lost = await organisation.run(
        revoke_link, await organisation.open("repair", MARY, by=ben), by=ben
    )
    card = await organisation.open("card", MARY, by=tess)
    others = await organisation.open("card", MARTIN, by=tess)

    asked = await client.get(f"{link(card)}/mine")
    assert asked.headers["Location"] == f"{link(card)}/code?to=mine"
    known = await verify_device(client, organisation, card, "mine")
    assert known.headers["Location"] == f"{link(card)}/mine"
    page = (await client.get(f"{link(card)}/mine")).text
    words = visible_text(page)
    assert re.search(r"Under way .*We have your application, Mary .*Its link was taken back", words)
    assert re.search(r"Ended in the last 90 days .*This request was cancelled", words)
    assert f'href="{link(card)}"' in page
    assert f'href="{link(ended)}"' in page
    assert lost.reference in page
    assert old.reference not in page
    assert others.reference not in page
    async with new_browser(app) as other:
        assert (await other.get(f"{link(card)}/mine")).status_code == 303


async def test_shared_phone_does_not_open_all_requests(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Martin's wife has the same phone: it shows his papers to who has his link, and no list."""
    his_details = CustomerDetails(name=MARTIN.name, phone=MARTIN.phone)
    his = await organisation.open("card", his_details, by=organisation.people.tess.actor)
    hers = await organisation.open("repair", MARTHA, by=organisation.people.ben.actor)
    await verify_device(client, organisation, his, "mine")
    page = (await client.get(f"{link(his)}/mine")).text
    assert "each of them opens by its own link only" in visible_text(page)
    assert hers.reference not in page
    assert link(hers) not in page
    assert (await client.get(f"{link(hers)}/mine")).status_code == 303


async def test_customer_of_a_shared_phone_is_verified_by_own_email(
    client: httpx2.AsyncClient, organisation: Organisation, database: Database, settings: Settings
) -> None:
    """The phone is enough for papers; for the list the code goes where nobody else reads."""
    his = await organisation.open("card", MARTIN, by=organisation.people.tess.actor)
    await organisation.open("repair", MARTHA, by=organisation.people.ben.actor)
    await verify_device(client, organisation, his)
    asked = await client.get(f"{link(his)}/mine")
    assert asked.headers["Location"] == f"{link(his)}/code?to=mine"
    assert "m•••@e•••" in visible_text((await client.get(asked.headers["Location"])).text)
    await request_code(client, his, "mine")
    assert await codes_by_sms(organisation) == []
    assert len(await code_emails(organisation)) == 1
    ours = settings.model_copy(update={"mail_from": "kept@acme.example"})
    mail = await build_message_email(database, ours, (await organisation.messages())[-1].id or 0)
    code = re.search(r"Your code is (\d{6})\.", mail.get_body().get_content())
    assert mail["To"].addresses[0].addr_spec == MARTIN.email
    assert code
    await submit_code(client, his, code[1], "mine")
    assert his.reference in visible_text((await client.get(f"{link(his)}/mine")).text)

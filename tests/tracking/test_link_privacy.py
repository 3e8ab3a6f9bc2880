"""A link may be passed on, looked at by machines, and taken back: what it shows, and what it does."""

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
from portal.operations import CustomerDetails, accept, advance, ask_what_is_due, cancel, revoke_link
from portal.settings import Settings
from tests.support.customer_device import (
    another_browser,
    ask_code,
    become_known,
    link,
    mailed_codes,
    texted_codes,
    type_code,
)
from tests.support.desk_client import read
from tests.support.factories import MARTHA, MARTIN, House
from tests.support.sample_images import PDF
from workers.delivery.email_letters import write_letter

pytestmark = pytest.mark.either_database

ACTS = "answer=yes&follow_up=1&do=stop_all&stop=all&code=123456&to=mine&body=Hello&done&saved"
"""What a machine that follows each address that it finds may bring along."""


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Nothing becomes due while we look."""


@pytest.fixture
async def asked(house: House, client: httpx2.AsyncClient) -> ServiceRequest:
    """Martin's card, delivered, with the question whether it arrived, and a paper of his."""
    people = house.people
    martins = await house.open(
        by=people.tess.actor,
        fields={"address": "12 Elm Street", "income": "84000"},
        external_id="CRM-55512",
    )
    form = {"body": "Here."}
    paper = [("file", ("passport Miller.pdf", PDF, "application/pdf"))]
    await client.post(f"{link(martins)}/messages", data=form, files=paper)
    client.cookies.clear()  # As any other browser sees it.
    await house.do(advance, martins, by=people.tess.actor)
    for person in (people.uma, people.pia, people.carl):
        await house.do(accept, martins, by=person.actor)
        await house.do(advance, martins, by=person.actor)
    await house.do(advance, martins, by=people.carl.actor)
    return await house.do(ask_what_is_due, martins, by=people.carl.actor)


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


async def test_a_link_alone_shows_the_first_name_and_nothing_else_of_the_person(
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


async def test_no_robot_referrer_or_cache_sees_it(
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


async def test_a_preview_names_the_brand_alone(
    client: httpx2.AsyncClient, asked: ServiceRequest
) -> None:
    """Whichever of our pages is passed on: no person, no request, no picture."""
    page = (await client.get(link(asked))).text
    assert dict(re.findall(r'property="og:(\w+)" content="([^"]*)"', page))["title"] == "Acme Bank"
    for path in pages_of(asked):
        if not path.endswith("/live"):
            page = (await client.get(path, follow_redirects=True)).text
            shared = " ".join(re.findall(r"<meta[^>]*\b(?:og|twitter):[^>]*>", page))
            assert asked.reference not in shared
            assert "Martin" not in shared
            assert "image" not in shared


async def test_looking_changes_nothing_at_all(
    client: httpx2.AsyncClient, house: House, asked: ServiceRequest, database: Database
) -> None:
    """No scanner, preview or impatient finger answers, stops or signs anything by a GET or HEAD.

    Not in any table, and not in a browser that is known either.
    """
    for known in (False, True):
        if known:
            await become_known(client, house, asked)
        before = await everything(database)
        for path in pages_of(asked):
            for address in (path, f"{path}?{ACTS}"):
                await client.head(address)
                if not path.endswith("/live"):
                    await client.get(address)
        assert await everything(database) == before
    for act in ("messages", "answers", "forget", "language"):
        assert (await client.get(f"{link(asked)}/{act}?{ACTS}")).status_code == 405


# --- taking it back ---------------------------------------------------------------------------


async def test_a_customer_takes_back_a_link_that_is_in_wrong_hands(
    app: Starlette, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """After a code: whoever has no more than the link cannot. The new one is texted at once."""
    page = read((await client.get(f"{link(martins)}/preferences")).text)
    assert "Is this link in wrong hands?" in page
    async with another_browser(app) as stranger:
        assert (await stranger.get(f"{link(martins)}/replace")).status_code == 303
        tried = await stranger.post(f"{link(martins)}/replace")
        assert tried.headers["Location"] == f"{link(martins)}/code?to=replace"
        assert link(await house.see(martins)) == link(martins)

        await become_known(client, house, martins, "replace")
        assert "Take this link back" in read((await client.get(f"{link(martins)}/replace")).text)
        done = await client.post(f"{link(martins)}/replace")
        now = await house.see(martins)
        assert done.headers["Location"] == f"{link(now)}/replace?done"
        assert link(now) != link(martins)
        assert (await stranger.get(link(martins))).status_code == 404
    assert "is on its way to you" in read((await client.get(done.headers["Location"])).text)
    newest = (await house.told(martins))[-1]
    assert (newest.kind, newest.urgent) == (MessageKind.LINK, True)
    assert link(now) in newest.body


async def test_other_browsers_of_theirs_are_asked_again_after_that(
    app: Starlette, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """Perhaps it is one of them that is in wrong hands. The one at hand goes on."""
    async with another_browser(app) as lost:
        await become_known(lost, house, martins)
        await become_known(client, house, martins)
        await client.post(f"{link(martins)}/replace")
        now = await house.see(martins)
        assert (await lost.get(f"{link(now)}/mine")).status_code == 303
        assert (await client.get(f"{link(now)}/mine")).status_code == 200


# --- all my requests --------------------------------------------------------------------------

MARY = CustomerDetails(name="Mary Major", phone="+14155550177", email="mary@example.com")


async def test_all_my_requests_after_a_code(
    app: Starlette,
    client: httpx2.AsyncClient,
    house: House,
    clock: time_machine.Traveller,
) -> None:
    """Each with where it stands and its link; what ended long ago is not there, nor others'."""
    ben, tess = house.people.ben.actor, house.people.tess.actor
    old = await house.open("repair", MARY, by=ben)
    await house.do(cancel, old, reason="Long ago", by=ben)
    clock.shift(timedelta(days=91))
    ended = await house.open("repair", MARY, by=ben)
    await house.do(cancel, ended, reason="Just now", by=ben)
    lost = await house.do(revoke_link, await house.open("repair", MARY, by=ben), by=ben)
    card = await house.open("card", MARY, by=tess)
    others = await house.open("card", MARTIN, by=tess)

    asked = await client.get(f"{link(card)}/mine")
    assert asked.headers["Location"] == f"{link(card)}/code?to=mine"
    known = await become_known(client, house, card, "mine")
    assert known.headers["Location"] == f"{link(card)}/mine"
    page = (await client.get(f"{link(card)}/mine")).text
    words = read(page)
    assert re.search(r"Under way .*We have your application, Mary .*Its link was taken back", words)
    assert re.search(r"Ended in the last 90 days .*This request was cancelled", words)
    assert f'href="{link(card)}"' in page
    assert f'href="{link(ended)}"' in page
    assert lost.reference in page
    assert old.reference not in page
    assert others.reference not in page
    async with another_browser(app) as other:
        assert (await other.get(f"{link(card)}/mine")).status_code == 303


async def test_a_familys_phone_opens_each_request_by_its_own_link_only(
    client: httpx2.AsyncClient, house: House
) -> None:
    """Martin's wife has the same phone: it shows his papers to who has his link, and no list."""
    his_details = CustomerDetails(name=MARTIN.name, phone=MARTIN.phone)
    his = await house.open("card", his_details, by=house.people.tess.actor)
    hers = await house.open("repair", MARTHA, by=house.people.ben.actor)
    await become_known(client, house, his, "mine")
    page = (await client.get(f"{link(his)}/mine")).text
    assert "each of them opens by its own link only" in read(page)
    assert hers.reference not in page
    assert link(hers) not in page
    assert (await client.get(f"{link(hers)}/mine")).status_code == 303


async def test_who_shares_a_phone_and_has_a_mailbox_alone_is_known_by_that(
    client: httpx2.AsyncClient, house: House, database: Database, settings: Settings
) -> None:
    """The phone is enough for papers; for the list the code goes where nobody else reads."""
    his = await house.open("card", MARTIN, by=house.people.tess.actor)
    await house.open("repair", MARTHA, by=house.people.ben.actor)
    await become_known(client, house, his)
    asked = await client.get(f"{link(his)}/mine")
    assert asked.headers["Location"] == f"{link(his)}/code?to=mine"
    assert "m•••@e•••" in read((await client.get(asked.headers["Location"])).text)
    await ask_code(client, his, "mine")
    assert await texted_codes(house) == []
    assert len(await mailed_codes(house)) == 1
    ours = settings.model_copy(update={"mail_from": "kept@acme.example"})
    mail = await write_letter(database, ours, (await house.messages())[-1].id or 0)
    code = re.search(r"Your code is (\d{6})\.", mail.get_body().get_content())
    assert mail["To"].addresses[0].addr_spec == MARTIN.email
    assert code
    await type_code(client, his, code[1], "mine")
    assert his.reference in read((await client.get(f"{link(his)}/mine")).text)

"""The desk, as a browser sees it: the door, the board, a request and all that is done to it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from cast import MARTIN, House
from sqlmodel import col, select
from starlette.applications import Starlette

from portal import clock as kept_clock
from portal import relay as verbs
from portal.desk.passwords import hash_password
from portal.desk.reader import COOKIE
from portal.models import KEPT, THE_CUSTOMER, Event, EventKind, ServiceRequest, StaffMember
from portal.relay import CustomerDetails, add_staff, disable_staff
from portal.relay.turn import Relay

ORIGIN = "http://testserver"
PASSWORD = "correct horse battery"
HTMX = {"HX-Request": "true"}


class Desk:
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

    async def press(
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


def read(markup: str) -> str:
    """The text as it is read."""
    body = markup.split("<body", 1)[-1].partition(">")[2] if "<body" in markup else markup
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


@pytest.fixture(scope="session")
def password_hash() -> str:
    import asyncio  # noqa: PLC0415

    return asyncio.run(hash_password(PASSWORD))


@pytest.fixture
async def desks(app: Starlette, house: House, password_hash: str) -> AsyncIterator[Any]:
    """``await desks("pia")`` signs somebody of the cast in, in a browser of their own."""
    clients: list[httpx2.AsyncClient] = []

    async def sign_in(name: str) -> Desk:
        person = getattr(house.people, name)
        async with house.database.transaction() as session:
            staff = await session.get(StaffMember, person.id)
            assert staff
            staff.set_password(password_hash)
            session.add(staff)
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN)
        clients.append(client)
        answer = await client.post(
            "/desk/sign-in", data={"email": person.email, "password": PASSWORD}
        )
        assert answer.status_code == 303
        return Desk(client)

    yield sign_in
    for client in clients:
        await client.aclose()


async def passed_on(house: House, request: ServiceRequest) -> ServiceRequest:
    """Tess has passed it to Underwriting, which has not taken it up."""
    return await house.do(verbs.advance, request, by=house.people.tess.actor)


# The door


async def test_whoever_is_not_signed_in_is_sent_to_the_door_and_back(
    client: httpx2.AsyncClient, martins: ServiceRequest
) -> None:
    url = f"/desk/requests/{martins.reference}?done=hold"
    answer = await client.get(url)
    assert answer.status_code == 303
    door = answer.headers["Location"]
    assert door.startswith("/desk/sign-in?back=/desk/requests/")
    assert f'value="/desk/requests/{martins.reference}?done=hold"' in (await client.get(door)).text


async def test_a_part_of_a_page_is_no_way_around_the_door(
    client: httpx2.AsyncClient, martins: ServiceRequest
) -> None:
    """The page's script is told to go to the door as a whole; nothing is shown."""
    url = f"/desk/requests/{martins.reference}"
    for answer in (
        await client.get(url, headers=HTMX | {"HX-Current-URL": f"{ORIGIN}{url}"}),
        await client.post(f"{url}/cancel", headers=HTMX, data={"version": "1", "reason": "x"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"].startswith("/desk/sign-in")
        assert answer.text == ""
    assert (await client.get(f"{url}/live")).status_code == 401


async def test_a_wrong_password_and_an_unknown_address_look_the_same(
    desks: Any, client: httpx2.AsyncClient
) -> None:
    await desks("pia")
    wrong = await client.post(
        "/desk/sign-in", data={"email": "pia@acme.example", "password": "not this one"}
    )
    unknown = await client.post(
        "/desk/sign-in", data={"email": "pia@acme.exampl", "password": "not this one"}
    )
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text.replace("acme.example", "acme.exampl") == unknown.text
    assert "do not belong together" in wrong.text
    assert COOKIE not in client.cookies


async def test_somebody_without_a_password_yet_cannot_sign_in(
    house: House, client: httpx2.AsyncClient
) -> None:
    answer = await client.post("/desk/sign-in", data={"email": "uma@acme.example", "password": ""})
    assert answer.status_code == 422


async def test_guessing_is_slowed_down(house: House, client: httpx2.AsyncClient) -> None:
    tries = [
        await client.post("/desk/sign-in", data={"email": "pia@acme.example", "password": "guess"})
        for _ in range(11)
    ]
    assert [one.status_code for one in tries] == [422] * 10 + [429]
    assert "try again in a minute" in tries[-1].text


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/desk",
        "//evil.example/desk",
        "/\\evil.example",
        "/desk/../r/abc",
        "javascript:alert(1)",
        "/deskevil",
        "/desk/sign-out",
    ],
)
async def test_a_sign_in_never_leads_away_from_the_desk(
    desks: Any, client: httpx2.AsyncClient, back: str
) -> None:
    await desks("pia")
    told = {"email": "pia@acme.example", "password": PASSWORD, "back": back}
    answer = await client.post("/desk/sign-in", data=told)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk"


async def test_the_cookie_is_for_the_server_alone(desks: Any, client: httpx2.AsyncClient) -> None:
    await desks("pia")
    told = {"email": "PIA@acme.example ", "password": PASSWORD}
    answer = await client.post("/desk/sign-in", data=told)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=43200" in cookie


async def test_signing_out_ends_it(desks: Any) -> None:
    pia = await desks("pia")
    board = await pia.get("/desk")
    token = hidden_fields(board.text, "/desk/sign-out")
    assert (await pia.client.post("/desk/sign-out", data=token)).status_code == 303
    assert (await pia.get("/desk")).status_code == 303


async def test_a_sign_in_ends_after_twelve_hours(desks: Any, clock: Any) -> None:
    pia = await desks("pia")
    clock.shift(timedelta(hours=11, minutes=59))
    assert (await pia.get("/desk")).status_code == 200
    clock.shift(timedelta(minutes=2))
    assert (await pia.get("/desk")).status_code == 303


async def test_a_sign_in_ends_when_the_person_leaves(desks: Any, house: House) -> None:
    pia = await desks("pia")
    assert (await pia.get("/desk")).status_code == 200
    await house.hear(disable_staff, by=KEPT, email="pia@acme.example")
    assert (await pia.get("/desk")).status_code == 303
    told = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await pia.client.post("/desk/sign-in", data=told)).status_code == 422


async def test_a_sign_in_ends_with_a_new_password(desks: Any, house: House) -> None:
    pia = await desks("pia")
    await desks("pia")  # a new password is set first
    assert (await pia.get("/desk")).status_code == 303


async def test_a_made_up_cookie_opens_nothing(client: httpx2.AsyncClient, house: House) -> None:
    client.cookies.set(COOKIE, "eyJzdGFmZiI6MX0.aaaa.bbbb")
    assert (await client.get("/desk")).status_code == 303


# Invitations


async def invited(relay: Relay) -> str:
    async with relay.turn(KEPT) as turn:
        _, secret = await add_staff(turn, email="new@acme.example", name="Nell New")
    return f"/desk/invitations/{secret}"


async def test_an_invitation_sets_a_password_once(
    relay: Relay, house: House, client: httpx2.AsyncClient
) -> None:
    url = await invited(relay)
    assert "Welcome, Nell New" in (await client.get(url)).text
    first = await client.post(url, data={"password": "three unrelated words"})
    assert first.status_code == 303
    assert (await client.get("/desk")).status_code == 200
    again = await client.post(url, data={"password": "another person's words"})
    assert again.status_code == 404
    assert (await client.get(url)).status_code == 404
    told = {"email": "new@acme.example", "password": "three unrelated words"}
    assert (await client.post("/desk/sign-in", data=told)).status_code == 303


async def test_an_invitation_runs_out(
    relay: Relay, house: House, client: httpx2.AsyncClient, clock: Any
) -> None:
    url = await invited(relay)
    clock.shift(timedelta(days=7))
    answer = await client.get(url)
    assert answer.status_code == 404
    assert "does not work any more" in answer.text


async def test_a_short_password_is_refused_and_the_invitation_stays(
    relay: Relay, house: House, client: httpx2.AsyncClient
) -> None:
    url = await invited(relay)
    answer = await client.post(url, data={"password": "elevenchars"})
    assert answer.status_code == 422
    assert "at least 12 characters" in answer.text
    assert (await client.get(url)).status_code == 200


# Forms of others


async def test_a_form_without_its_token_is_refused(desks: Any, martins: ServiceRequest) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "cancel", form_token="", reason="because")
    assert answer.status_code == 403
    assert "nothing was done" in answer.text


async def test_a_token_of_another_sign_in_is_refused(desks: Any, martins: ServiceRequest) -> None:
    tess, tom = await desks("tess"), await desks("tom")
    toms = hidden_fields(await tom.page(martins), f"/desk/requests/{martins.reference}/cancel")
    answer = await tess.press(martins, "cancel", form_token=toms["form_token"], reason="because")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_from_another_site_is_refused(
    desks: Any, house: House, martins: ServiceRequest, headers: dict[str, str]
) -> None:
    tess = await desks("tess")
    url = f"/desk/requests/{martins.reference}/cancel"
    told = hidden_fields(await tess.page(martins), url) | {"reason": "because"}
    answer = await tess.client.post(url, data=told, headers=headers)
    assert answer.status_code == 403
    assert (await house.see(martins)).status == "open"
    door = {"email": "tess@acme.example", "password": PASSWORD}
    assert (await tess.client.post("/desk/sign-in", data=door, headers=headers)).status_code == 403


async def test_our_own_page_is_believed(desks: Any, martins: ServiceRequest) -> None:
    tess = await desks("tess")
    url = f"/desk/requests/{martins.reference}/messages"
    told = hidden_fields(await tess.page(martins), url) | {"body": "Hello"}
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": ORIGIN}):
        assert (await tess.client.post(url, data=told, headers=headers)).status_code == 303


# The board


async def test_the_board_shows_what_was_handed_over_first(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    waiting = await passed_on(house, martins)
    uma = await desks("uma")
    working = await house.open(customer=CustomerDetails("Zara Z", "+14155550199"), by=KEPT)
    working = await passed_on(house, working)
    await house.do(verbs.accept, working, by=house.people.uma.actor)
    board = (await uma.get("/desk")).text
    assert board.index("Handed to us") < board.index(waiting.reference)
    assert board.index(waiting.reference) < board.index("In work")
    assert board.index("In work") < board.index(working.reference)
    assert "1 in work, 1 to take up." in read(board)


async def test_a_handoff_is_taken_up_from_the_board(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    uma = await desks("uma")
    board = (await uma.get("/desk")).text
    url = f"/desk/requests/{martins.reference}/handoff/accept"
    told = hidden_fields(board, url)
    answer = await uma.client.post(url, data=told, headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "It is yours now" in answer.text
    assert (await house.see(martins)).owner_id == house.people.uma.id
    again = await uma.client.post(url, data=told, headers=HTMX)
    assert again.status_code == 409
    assert "has changed since" in again.text
    assert "Underwriting" in again.text


async def test_the_same_button_works_without_script(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    uma = await desks("uma")
    url = f"/desk/requests/{martins.reference}/handoff/accept"
    answer = await uma.client.post(url, data=hidden_fields((await uma.get("/desk")).text, url))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk?department=underwriting&done=handoff/accept"
    assert "It is yours now" in (await uma.get(answer.headers["Location"])).text


async def test_what_the_customer_wrote_stands_on_the_board_until_it_is_answered(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await house.do(verbs.receive_web_message, martins, "My address has changed", by=THE_CUSTOMER)
    tess = await desks("tess")
    board = (await tess.get("/desk")).text
    assert board.index("Needs an answer") < board.index("My address has changed")
    await tess.press(martins, "messages", body="Thank you, noted.")
    assert "My address has changed" not in (await tess.get("/desk")).text


async def test_a_long_board_pages_by_key(desks: Any, house: House) -> None:
    for number in range(27):
        await house.open(customer=CustomerDetails(f"C{number:02}", "+14155550111"), by=KEPT)
    tess = await desks("tess")
    first = (await tess.get("/desk")).text
    older = unescape(re.search(r'<p class="older"><a href="([^"]+)"', first)[1])  # type: ignore[index]
    second = (await tess.get(older)).text
    names = re.findall(r"<b>(C\d\d)</b>", first) + re.findall(r"<b>(C\d\d)</b>", second)
    assert names == [f"C{number:02}" for number in range(27)]


async def test_a_page_takes_the_same_number_of_queries_however_long_it_is(
    desks: Any, house: House, app: Starlette
) -> None:
    from sqlalchemy import event as sql  # noqa: PLC0415

    tess = await desks("tess")
    counts = []
    seen: list[str] = []
    engine = app.state.database.engine.sync_engine

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        seen.append(statement)

    sql.listen(engine, "before_cursor_execute", count)
    for _ in range(3):
        for number in range(4):
            await house.open(customer=CustomerDetails(f"C{number}", "+14155550111"), by=KEPT)
        seen.clear()
        await tess.get("/desk")
        counts.append(len(seen))
    sql.remove(engine, "before_cursor_execute", count)
    assert counts[0] == counts[1] == counts[2] <= 20


@pytest.mark.parametrize(
    "place", ["x", "1", "1.2.3", "9" * 30 + ".1", "-1.1", "1.99999999999999999999"]
)
async def test_a_made_up_place_in_a_list_is_refused(desks: Any, place: str) -> None:
    tess = await desks("tess")
    answer = await tess.get("/desk", params={"section": "work", "after": place})
    assert answer.status_code == 422


async def test_an_unknown_department_or_request_is_a_kind_page(desks: Any) -> None:
    tess = await desks("tess")
    for url in ("/desk?department=none", "/desk/requests/CARD-0000-000", "/desk/requests/%00"):
        answer = await tess.get(url)
        assert answer.status_code == 404
        assert "To the board" in answer.text


async def test_a_manager_sees_every_department(desks: Any) -> None:
    mona = await desks("mona")
    board = read((await mona.get("/desk")).text)
    for name in ("Card Processing", "Courier Desk", "Telesales", "Repair Bench"):
        assert name in board


@pytest.mark.parametrize("q", ["martin", "MILLER", "+1 415 555 0132", "martin@example.com"])
async def test_a_request_is_found_by_what_people_know(
    desks: Any, martins: ServiceRequest, q: str
) -> None:
    zoe = await desks("zoe")
    assert martins.reference in (await zoe.get("/desk/search", params={"q": q})).text


async def test_a_whole_reference_leads_straight_to_the_request(
    desks: Any, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    answer = await tess.get("/desk/search", params={"q": martins.reference.lower()})
    assert answer.headers["Location"] == f"/desk/requests/{martins.reference}"


@pytest.mark.parametrize("q", ["nobody", "%", "_", "\x00%", "<script>", "x" * 5000])
async def test_a_search_that_finds_nothing_says_so(
    desks: Any, martins: ServiceRequest, q: str
) -> None:
    tess = await desks("tess")
    answer = await tess.get("/desk/search", params={"q": q})
    assert answer.status_code == 200
    assert "Nothing fits." in answer.text
    assert "<script>" not in answer.text.replace("<script defer", "")


# One request


async def test_the_page_shows_the_whole_request(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    page = read(await (await desks("tess")).page(martins))
    for words in (
        "Waiting for Underwriting to take it up",
        "Martin Miller",
        "+14155550132",
        "martin@example.com",
        "Tess Sales",
        "We have your application",
        "Passed to Underwriting",
        "Opened the request",
        "On its way",
    ):
        assert words in page


async def test_the_sender_cannot_take_up_for_the_receiver(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """She owns it and sees why it waits, without a button; a form of hers is refused in words."""
    await passed_on(house, martins)
    tess = await desks("tess")
    page = await tess.page(martins)
    assert "handoff/accept" not in page
    answer = await tess.press(martins, "handoff/accept", htmx=True, version="0")
    assert answer.status_code == 409
    version = str((await house.see(martins)).version)
    answer = await tess.press(martins, "handoff/accept", htmx=True, version=version)
    assert answer.status_code == 403
    assert "Tess Sales does not work in Underwriting" in read(answer.text)


@pytest.mark.parametrize("htmx", [True, False])
async def test_the_wrong_person_may_read_and_do_nothing(
    desks: Any, house: House, martins: ServiceRequest, htmx: bool
) -> None:
    """Also as a bare fragment: the endpoint holds it, not the markup."""
    zoe, tess = await desks("zoe"), await desks("tess")
    page = await zoe.page(martins)
    assert 'action="/desk/requests' not in page
    told = hidden_fields(await tess.page(martins), f"/desk/requests/{martins.reference}/advance")
    told["form_token"] = hidden_fields(page, "/desk/sign-out")["form_token"]
    for verb in ("advance", "cancel", "messages", "link/revoke", "promises", "assign"):
        answer = await zoe.client.post(
            f"/desk/requests/{martins.reference}/{verb}",
            data=told | {"reason": "x", "body": "x", "text": "x", "due_at": "2099-01-01T10:00"},
            headers=HTMX if htmx else {},
        )
        assert answer.status_code == 403, verb
        assert "lies with other departments" in answer.text
        assert ("<html" in answer.text) is not htmx
    assert (await house.see(martins)).version == martins.version


VERBS: list[tuple[str, dict[str, str], str]] = [
    ("advance", {"note": "All well"}, "handoff_sent"),
    ("hold", {"reason": "Waiting for a form", "until": "2099-01-01T10:00"}, "held"),
    ("cancel", {"reason": "They asked"}, "cancelled"),
    ("assign", {"owner": "tom@acme.example"}, "assigned"),
    ("promises", {"text": "Call back", "due_at": "2099-01-01T10:00"}, "promise_made"),
    ("contacts", {"channel": "call", "reason": "where_is_it", "note": "Rang"}, "contact_logged"),
    ("messages", {"body": "Hello Martin"}, "message_out"),
    ("link/revoke", {}, "link_replaced"),
    ("link/reissue", {}, "link_replaced"),
]


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(("verb", "typed", "happened"), VERBS)
async def test_each_verb_with_and_without_script(
    desks: Any,
    house: House,
    martins: ServiceRequest,
    verb: str,
    typed: dict[str, str],
    happened: str,
    htmx: bool,
) -> None:
    """With htmx the part of the page, with what was said; without it a 303 to the page."""
    tess = await desks("tess")
    answer = await tess.press(martins, verb, htmx=htmx, **typed)
    if htmx:
        assert answer.status_code == 200
        assert "<html" not in answer.text
    else:
        assert answer.status_code == 303
        answer = await tess.get(answer.headers["Location"])
    assert 'class="said"' in answer.text
    assert happened in {event.kind.value for event in await house.events(martins)}


async def test_what_is_held_until_a_time_on_the_departments_clock_resumes(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(martins, "hold", reason="A form is missing", until="2099-01-01T10:00")
    held = await house.see(martins)
    assert held.runs[0].hold_until == datetime(2099, 1, 1, 15, tzinfo=UTC)  # 10:00 in New York
    assert "on hold until" in read(await tess.page(martins))
    answer = await tess.press(martins, "resume", htmx=True)
    assert "It goes on" in answer.text
    assert (await house.see(martins)).status == "open"


async def test_times_are_read_in_the_zone_that_the_form_named(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(
        martins, "promises", text="Call", due_at="2099-07-01T10:00", zone="Asia/Tokyo"
    )
    assert (await house.see(martins)).promises[0].due_at.hour == 1


async def test_a_promise_is_moved_and_kept(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    await tess.press(martins, "promises", text="Call back", due_at="2099-01-01T10:00")
    promise = (await house.see(martins)).promises[0]
    moved = await tess.press(
        martins, f"promises/{promise.id}/move", due_at="2099-01-02T10:00", reason="Ill", htmx=True
    )
    assert "Moved, and the customer is told." in moved.text
    kept = await tess.press(martins, f"promises/{promise.id}/keep", htmx=True)
    assert "Promise kept." in kept.text
    assert (await house.see(martins)).promises[0].kept_at


async def test_refused_sent_back_and_reopened(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    await passed_on(house, martins)
    uma, tess = await desks("uma"), await desks("tess")
    refused = await uma.press(martins, "handoff/refuse", reason="No income is stated", htmx=True)
    assert refused.status_code == 200
    assert (await house.see(martins)).owner_id == house.people.tess.id
    await tess.press(martins, "advance")
    await uma.press(martins, "handoff/accept")
    back = await uma.press(martins, "send-back", stage="received", reason="Sign it", htmx=True)
    assert "Sent back" in back.text
    assert [run.stage_key for run in (await house.see(martins)).open_runs] == ["received"]
    await tess.press(martins, "cancel", reason="They asked")
    again = await tess.press(martins, "reopen", stage="", reason="A mistake", htmx=True)
    assert "Open again." in again.text
    assert (await house.see(martins)).status == "open"


async def test_what_is_missing_is_said_in_the_form_and_nothing_is_lost(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    for htmx in (True, False):
        answer = await tess.press(
            martins, "hold", reason="A form is missing", until="1999-01-01T10:00", htmx=htmx
        )
        assert answer.status_code == 422
        assert "A form is missing" in answer.text
        assert "in the past" in answer.text
        assert "<details open><summary>Put on hold" in answer.text
    assert (await house.see(martins)).status == "open"


@pytest.mark.parametrize("due_at", ["", "soon", "2099-01-01T10:00+01:00", "2099-13-01T10:00"])
async def test_a_time_that_is_none_is_refused(
    desks: Any, martins: ServiceRequest, due_at: str
) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "promises", text="Call", due_at=due_at, htmx=True)
    assert answer.status_code == 422
    assert 'value="Call"' in answer.text


async def test_an_old_page_changes_nothing_and_keeps_what_was_typed(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    """Tom put it on hold meanwhile: Tess reads so, and her note still stands in its form."""
    tess = await desks("tess")
    page = await tess.page(martins)
    await house.do(verbs.hold, martins, reason="A form is missing", by=house.people.tom.actor)
    for htmx in (True, False):
        answer = await tess.press(martins, "advance", page=page, note="Signed today", htmx=htmx)
        assert answer.status_code == 409
        assert "Put on hold: A form is missing (Tom Sales" in read(answer.text)
        assert re.search(r'<textarea name="note"[^>]*>Signed today</textarea>', answer.text)
        assert "Opened the request (" not in read(answer.text)
    assert [run.stage_key for run in (await house.see(martins)).open_runs] == ["received"]


async def test_words_for_a_form_that_is_gone_are_given_back(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    page = await tess.page(martins)
    await house.do(verbs.cancel, martins, reason="They asked", by=house.people.tom.actor)
    answer = await tess.press(martins, "advance", page=page, note="Signed today", htmx=True)
    assert answer.status_code == 409
    assert "You had written: “Signed today”" in answer.text


async def test_pressing_twice_advances_once(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    page = await tess.page(martins)
    first = await tess.press(martins, "advance", page=page)
    second = await tess.press(martins, "advance", page=page)
    assert (first.status_code, second.status_code) == (303, 409)
    kinds = [event.kind for event in await house.events(martins)]
    assert kinds.count(EventKind.STAGE_COMPLETED) == 1


async def test_a_customers_message_does_not_make_a_click_stale(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    tess = await desks("tess")
    page = await tess.page(martins)
    await house.do(verbs.receive_web_message, martins, "Hello?", by=THE_CUSTOMER)
    assert (await tess.press(martins, "advance", page=page)).status_code == 303


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
async def test_a_form_without_a_version_moves_nothing(
    desks: Any, house: House, martins: ServiceRequest, version: str
) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "advance", version=version)
    assert answer.status_code == 422
    assert (await house.see(martins)).version == martins.version


@pytest.mark.parametrize("verb", ["explode", "promises/keep", "promises/x/keep", "handoff"])
async def test_an_unknown_verb_is_not_found(desks: Any, martins: ServiceRequest, verb: str) -> None:
    tess = await desks("tess")
    assert (await tess.press(martins, verb)).status_code == 404


async def test_what_people_wrote_is_shown_and_never_run(
    desks: Any, house: House, client: httpx2.AsyncClient
) -> None:
    evil = "<script>alert(1)</script>\"' onload=x"
    customer = CustomerDetails(evil, "+14155550177")
    request = await house.open(customer=customer, title=evil, by=KEPT)
    await house.do(verbs.receive_web_message, request, evil, by=THE_CUSTOMER)
    tess = await desks("tess")
    for page in (
        await tess.page(request),
        (await tess.get("/desk")).text,
        (await tess.get("/desk/search", params={"q": evil})).text,
        (await tess.press(request, "hold", reason=evil, until="1999-01-01T10:00")).text,
    ):
        assert "<script>alert" not in page
        assert "\"' onload" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("body", ["", "  ", "x" * 1601, "\x00"])
async def test_words_that_cannot_be_sent_are_refused_and_kept(
    desks: Any, house: House, martins: ServiceRequest, body: str
) -> None:
    tess = await desks("tess")
    answer = await tess.press(martins, "messages", body=body, htmx=True)
    assert answer.status_code == 422
    assert body.strip("\x00 ") in answer.text
    assert not [one for one in await house.told(martins) if one.kind == "staff"]


async def test_fork_shows_each_open_stage_and_completes_the_one_named(
    desks: Any, house: House
) -> None:
    permit = await house.open("permit", MARTIN, by=house.people.cora.actor)
    await house.do(verbs.advance, permit, by=house.people.cora.actor)
    pat = await desks("pat")
    page = await pat.page(permit)
    assert page.count('class="move') == 3
    assert read(page).index("Plan Review, due") < read(page).index("Zoning, due")
    answer = await pat.press(permit, "advance", stage="plans", htmx=True)
    assert answer.status_code == 200
    keys = {run.stage_key for run in (await house.see(permit)).open_runs}
    assert keys == {"fire", "zoning"}


async def test_only_the_customer_says_that_it_arrived_or_somebody_writes_how(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    actor = house.people.ada.actor
    for _ in range(20):
        request = await house.see(martins)
        if not request.open_runs:
            break
        verb = verbs.accept if request.waiting_handoff(request.open_runs[0]) else verbs.advance
        await house.do(verb, martins, by=actor)
    ada = await desks("ada")
    page = read(await ada.page(martins))
    assert "Only Martin can say so" in page
    without = await ada.press(martins, "advance", htmx=True)
    assert without.status_code == 409
    assert "write how and when" in without.text
    done = await ada.press(martins, "advance", note="He rang today", htmx=True)
    assert done.status_code == 200
    assert (await house.see(martins)).status == "completed"


# A new request


async def test_a_request_is_opened_at_the_desk(desks: Any, house: House) -> None:
    tess = await desks("tess")
    form = (await tess.get("/desk/requests/new")).text
    told = hidden_fields(form, "/desk/requests/new") | {
        "workflow": "card", "name": "Ana Lee", "phone": "+1 415 555 0144", "title": "Gold card",
    }  # fmt: skip
    answer = await tess.client.post("/desk/requests/new", data=told)
    assert answer.status_code == 303
    page = read((await tess.get(answer.headers["Location"])).text)
    assert "Ana Lee" in page
    assert "Gold card" in page
    with_script = await tess.client.post(
        "/desk/requests/new", data=told | {"name": "Bo Li"}, headers=HTMX
    )
    assert with_script.headers["HX-Redirect"].startswith("/desk/requests/CARD-")


@pytest.mark.parametrize("htmx", [True, False])
async def test_each_mistake_stands_beside_its_field(desks: Any, house: House, htmx: bool) -> None:
    tess = await desks("tess")
    form = (await tess.get("/desk/requests/new")).text
    told = hidden_fields(form, "/desk/requests/new")
    typed = {"workflow": "card", "name": "", "phone": "12", "email": "no", "title": "Gold"}
    headers = HTMX if htmx else {}
    answer = await tess.client.post("/desk/requests/new", data=told | typed, headers=headers)
    assert answer.status_code == 422
    for error in ("e-name", "e-phone", "e-email"):
        assert f'id="{error}"' in answer.text
    assert 'value="Gold"' in answer.text
    assert 'value="12"' in answer.text
    neither = await tess.client.post("/desk/requests/new", data=told | {"name": "Ana"})
    assert 'id="e-phone"' in neither.text
    unknown = await tess.client.post(
        "/desk/requests/new", data=told | {"name": "A", "phone": "+14155550144", "workflow": "x"}
    )
    assert 'id="e-workflow"' in unknown.text
    async with house.database.reading() as session:
        assert (await session.exec(select(col(Event.id)))).all() == []


async def test_staff_pages_are_neither_kept_nor_indexed(desks: Any) -> None:
    answer = await (await desks("tess")).get("/desk")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_quiet_hours_are_said_with_the_time_they_end(
    desks: Any, house: House, martins: ServiceRequest
) -> None:
    async with house.database.transaction() as session:
        from portal.models import Message  # noqa: PLC0415

        message = (await session.exec(select(Message))).first()
        assert message
        message.due_at = kept_clock.now() + timedelta(hours=3)
        session.add(message)
    assert "quiet hours" in read(await (await desks("tess")).page(martins))

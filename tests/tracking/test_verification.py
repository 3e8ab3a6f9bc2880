"""A code to the phone on file: who has it is known on this browser, and nobody guesses it."""

import asyncio
import re
from datetime import time, timedelta

import httpx2
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import SQLModel
from starlette.applications import Starlette

from portal.business_time import now
from portal.messaging.sms.segments import count
from portal.models import THE_CUSTOMER, Channel, MessageKind, ServiceRequest
from portal.operations import Choice, replace_link, revoke_link, set_preferences
from portal.operations.delivery.channel_fallback import retire
from portal.queries.conversations import said_to
from portal.settings import QuietHours, Settings
from tests.support.customer_device import (
    WRONG,
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
from tests.support.fake_gateways import Phone, hand_over
from tests.support.sample_images import PDF, photo

pytestmark = pytest.mark.either_database


@pytest.fixture(autouse=True)
def _stands_still(clock: time_machine.Traveller) -> None:
    """Codes are a matter of minutes."""


async def send_paper(browser: httpx2.AsyncClient, request: ServiceRequest) -> str:
    """A photo and a passport come in; gives the path of the second. An hour later they are old."""
    files = [
        ("file", ("crack.jpg", photo(), "image/jpeg")),
        ("file", ("passport Miller.pdf", PDF, "application/pdf")),
    ]
    await browser.post(f"{link(request)}/messages", data={"body": "Here."}, files=files)
    page = (await browser.get(link(request))).text
    browser.cookies.delete("kept_sent", path=link(request))
    return re.findall(rf'href="({link(request)}/files/\d+)"', page)[-1]


async def test_a_document_is_shown_after_a_code_and_this_browser_is_remembered(
    app: Starlette, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """Not its bytes, nor its name before; after it, without asking again, also on the page."""
    paper = await send_paper(client, martins)
    page = await client.get(link(martins))
    assert "passport" not in page.text
    assert "<img" not in page.text
    assert "A document We ask for a code first." in read(page.text)

    asked = await client.get(paper)
    onward = paper.removeprefix(f"{link(martins)}/")
    assert asked.status_code == 303
    assert asked.headers["Location"] == f"{link(martins)}/code?to={onward}"
    words = read((await client.get(asked.headers["Location"])).text)
    assert "the number ending in 32" in words
    assert "0132" not in words

    known = await become_known(client, house, martins, onward)
    assert (known.status_code, known.headers["Location"]) == (303, paper)
    assert (await client.get(paper)).content == PDF
    assert "passport Miller.pdf" in (await client.get(link(martins))).text
    async with another_browser(app) as other:
        assert (await other.get(paper)).status_code == 303
        assert "passport" not in (await other.get(link(martins))).text


async def test_what_was_sent_a_moment_ago_is_shown_where_it_was_sent_from(
    app: Starlette,
    client: httpx2.AsyncClient,
    martins: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """For an hour, in this browser, and nothing else that came before it."""
    before = await send_paper(client, martins)
    sent = [("file", ("crack.jpg", photo(), "image/jpeg"))]
    await client.post(f"{link(martins)}/messages", data={"body": "Look."}, files=sent)
    page = (await client.get(link(martins))).text
    [shown] = re.findall(r'<img src="([^"]*)"', page)
    assert (await client.get(shown)).status_code == 200
    assert (await client.get(before)).status_code == 303
    assert "passport" not in page
    async with another_browser(app) as other:
        assert (await other.get(shown)).status_code == 303
        assert "<img" not in (await other.get(link(martins))).text
    clock.shift(timedelta(hours=1, seconds=1))
    assert (await client.get(shown)).status_code == 303


async def test_the_cookie_is_for_this_browser_and_our_own_pages_alone(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    known = await become_known(client, house, martins)
    cookie = known.headers["Set-Cookie"]
    assert re.match(r"kept_device=[\w-]{43};", cookie)
    for part in ("HttpOnly", "Max-Age=7776000", "Path=/r/", "SameSite=lax"):
        assert part in cookie
    assert "Secure" not in cookie  # on http, where the tests are


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_text_is_one_segment_and_bound_to_our_name(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest, settings: Settings
) -> None:
    """Its last line is what a phone reads to fill the code in on our page only."""
    await ask_code(client, martins)
    phone = Phone()
    await hand_over(house.relay, phone)
    text = phone.shows[-1]
    assert re.fullmatch(
        r"Acme Bank: your code is (\d{6}), good for 10 minutes\. "
        r"We never ask you for it: tell nobody\.\n@testserver #\1",
        text,
    )
    assert count(text).segments == 1
    page = (await client.get(f"{link(martins)}/code")).text
    assert 'autocomplete="one-time-code"' in page


async def test_digits_are_written_nowhere(
    client: httpx2.AsyncClient,
    house: House,
    martins: ServiceRequest,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the outbox nor any other table has them, nor a log, before or after it is used."""
    await ask_code(client, martins)
    [code] = await texted_codes(house)
    await type_code(client, martins, code)
    async with house.database.connection() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                assert code not in str([one for one in row if isinstance(one, str)])
    printed = capsys.readouterr()
    assert code not in caplog.text + printed.out + printed.err


async def test_it_goes_by_no_way_that_they_stopped(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """By mail where no texts are wanted; where nothing is, the page says so and sends nothing."""
    choice = Choice(stop=True, about="all", channels=[Channel.SMS])
    await house.do(set_preferences, martins, choice=choice, by=THE_CUSTOMER)
    assert "We send it to m•••@e•••" in read((await client.get(f"{link(martins)}/code")).text)
    await ask_code(client, martins)
    assert len(await mailed_codes(house)) == 1
    choice = Choice(stop=True, about="all", channels=[Channel.EMAIL])
    await house.do(set_preferences, martins, choice=choice, by=THE_CUSTOMER)
    refused = await ask_code(client, martins)
    assert refused.status_code == 422
    assert "Please speak to us instead." in read(refused.text)
    assert len([m for m in await house.told(martins) if m.kind == MessageKind.CODE]) == 1


# --- guessing ---------------------------------------------------------------------------------


async def test_after_five_tries_even_the_right_one_is_refused(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """Also of many at once: each is counted before anybody learns how it ended."""
    await ask_code(client, martins)
    [code] = await texted_codes(house)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    tries = await asyncio.gather(*(type_code(client, martins, wrong) for _ in range(5)))
    assert {one.status_code for one in tries} == {422}
    late = await type_code(client, martins, code)
    assert late.status_code == 422
    assert "Set-Cookie" not in late.headers


async def test_three_codes_an_hour_and_eight_a_day_are_all(
    client: httpx2.AsyncClient,
    house: House,
    martins: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """For one customer, by whichever of their requests: fifteen guesses an hour, forty a day."""
    second = await house.open("repair", by=house.people.ben.actor)
    sent = []
    for hour in range(4):
        for request in (martins, second, martins, second):
            answer = await ask_code(client, request)
            sent.append(answer.status_code)
            clock.shift(timedelta(minutes=1))
        if hour == 0:
            assert "We have sent you several codes already." in read(answer.text)
        clock.shift(timedelta(hours=1))
    assert sent == [*2 * [303, 303, 303, 429], *[303, 303, 429, 429], *4 * [429]]


async def test_pressed_twice_one_goes(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    await asyncio.gather(*(ask_code(client, martins) for _ in range(3)))
    assert len(await texted_codes(house)) == 1


async def test_wrong_late_used_replaced_and_anothers_are_refused_alike(
    app: Starlette,
    client: httpx2.AsyncClient,
    house: House,
    martins: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """The same bytes, and no sooner: nobody learns whether a code was ever right."""
    loop, times, pages = asyncio.get_running_loop(), [], set()

    async def refuse(code: str) -> None:
        began = loop.time()
        answer = await type_code(client, martins, code)
        times.append(loop.time() - began)
        pages.add((answer.status_code, answer.text))

    await refuse("123456")  # there is none
    others = await house.open("repair", MARTHA, by=house.people.ben.actor)
    await ask_code(client, others)
    [anothers] = await texted_codes(house)
    await refuse(anothers)
    await ask_code(client, martins)
    [first] = await texted_codes(house)
    clock.shift(timedelta(minutes=1))
    await ask_code(client, martins)
    [second] = await texted_codes(house)
    await refuse(first)  # a newer one has been sent
    await refuse("")
    await refuse("9" * 1_000)
    async with another_browser(app) as own:
        assert (await type_code(own, martins, second)).status_code == 303
    await refuse(second)  # used
    clock.shift(timedelta(hours=1))
    await ask_code(client, martins)
    [third] = await texted_codes(house)
    clock.shift(timedelta(minutes=10))
    await refuse(third)  # too late
    assert len(pages) == 1
    assert WRONG in read(pages.pop()[1])
    assert min(times) >= 0.1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "form", ["{0} ", "{1} {2}", "{1}-{2}"], ids=["space", "two halves", "a dash"]
)
async def test_a_code_is_taken_as_people_type_it(
    form: str, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    await ask_code(client, martins)
    [code] = await texted_codes(house)
    typed = form.format(code, code[:3], code[3:])
    assert (await type_code(client, martins, typed)).status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_digits_of_an_arabic_keyboard_are_digits(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    await ask_code(client, martins)
    [code] = await texted_codes(house)
    arabic = code.translate({ord("0") + n: 0x660 + n for n in range(10)})
    assert (await type_code(client, martins, arabic)).status_code == 303


async def test_a_code_leads_nowhere_but_to_our_own_pages(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    known = await become_known(client, house, martins, "//evil.example/")
    assert known.headers["Location"] == link(martins)


async def test_a_planted_cookie_is_worth_nothing(
    app: Starlette, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """Whoever put a secret into a customer's browser beforehand does not share what it opens."""
    paper = await send_paper(client, martins)
    planted = {"kept_device": "planted by somebody else"}
    asked = await client.post(f"{link(martins)}/code", data={}, headers=as_cookie(planted))
    assert asked.status_code == 303
    [code] = await texted_codes(house)
    form = {"code": code}
    known = await client.post(f"{link(martins)}/code", data=form, headers=as_cookie(planted))
    assert "planted" not in known.headers["Set-Cookie"]
    async with another_browser(app) as other:
        assert (await other.get(paper, headers=as_cookie(planted))).status_code == 303


def as_cookie(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={told}" for name, told in cookies.items())}


# --- what ends it -----------------------------------------------------------------------------


async def test_a_family_on_one_browser_is_known_each_for_their_own(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    marthas = await house.open("repair", MARTHA, by=house.people.ben.actor)
    his, hers = await send_paper(client, martins), await send_paper(client, marthas)
    await become_known(client, house, martins)
    assert (await client.get(his)).status_code == 200
    assert (await client.get(hers)).status_code == 303
    await become_known(client, house, marthas)
    assert (await client.get(his)).status_code == 200
    assert (await client.get(hers)).status_code == 200


@pytest.mark.parametrize("how", ["replaced", "revoked", "stopped", "phone", "time", "forgotten"])
async def test_a_browser_is_known_no_more(
    how: str,
    client: httpx2.AsyncClient,
    house: House,
    martins: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """After a new link, a stop, another phone, three months, or the wish to be forgotten."""
    second = await house.open("repair", by=house.people.ben.actor)
    paper = await send_paper(client, second)
    await become_known(client, house, martins)
    assert (await client.get(paper)).status_code == 200
    if how == "replaced":
        await house.do(replace_link, martins, by=house.people.tess.actor)
    elif how == "revoked":
        await house.do(revoke_link, martins, by=house.people.tess.actor)
    elif how == "stopped":
        choice = Choice(stop=True, about="all", channels=[Channel.SMS])
        await house.do(set_preferences, martins, choice=choice, by=THE_CUSTOMER)
    elif how == "phone":
        clock.shift(timedelta(seconds=1))
        async with house.relay.turn(house.people.tess.actor) as turn:
            await retire(turn, Channel.SMS, MARTIN.phone or "")
    elif how == "time":
        clock.shift(timedelta(days=90))
    else:
        await client.post(f"{link(second)}/forget")
        assert "kept_device" not in client.cookies
    assert (await client.get(paper)).status_code == 303


@pytest.mark.parametrize("how", ["link", "open code"])
async def test_a_new_link_ends_codes_too(
    how: str, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """The code that was under way when the link was taken back opens neither."""
    await ask_code(client, martins)
    [code] = await texted_codes(house)
    now = await house.do(replace_link, martins, by=house.people.tess.actor)
    answer = await type_code(client, martins if how == "link" else now, code)
    assert answer.status_code == (404 if how == "link" else 422)


async def test_a_code_is_no_part_of_the_talk(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """A stranger who asks for one moves no reply of the customer's to another request."""
    other = await house.open("repair", by=house.people.ben.actor)
    before = await said_by(house, MARTIN.phone or "")
    await ask_code(client, martins)
    assert await said_by(house, MARTIN.phone or "") == before
    assert before[0] == other.id
    assert "******" not in (await client.get(link(martins))).text


async def said_by(house: House, address: str) -> list[int | None]:
    """Which requests a reply from there may mean, the likeliest first."""
    async with house.database.reading() as session:
        said = await said_to(session, address, now() - timedelta(days=1))
    return [one.request_id for one in said]


async def test_a_code_that_does_not_arrive_is_before_nobody(
    client: httpx2.AsyncClient, house: House, martins: ServiceRequest
) -> None:
    """It is not sent again by itself, nor by another way: by then it would only confuse."""
    await texted_codes(house)  # the first text is out of the way
    await ask_code(client, martins)
    await hand_over(house.relay, Phone(refuses=30003))
    codes = [one for one in await house.messages() if one.kind == MessageKind.CODE]
    assert [(one.status, one.settled_by) for one in codes] == [("failed", "Kept")]


# --- the settings -----------------------------------------------------------------------------


class TestAtNight:
    """With quiet hours."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"quiet_hours": QuietHours(time(21), time(8))})

    async def test_a_code_comes_at_once_to_who_asks_for_it(
        self,
        client: httpx2.AsyncClient,
        house: House,
        martins: ServiceRequest,
        clock: time_machine.Traveller,
    ) -> None:
        """Somebody sits there and waits for it."""
        clock.shift(timedelta(hours=13))  # eleven at night in New York
        await ask_code(client, martins)
        assert len(await texted_codes(house)) == 1


class TestTheConversation:
    """With `KEPT_CODE_FOR=conversation`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"code_for": "conversation"})

    async def test_is_shown_after_a_code(
        self, client: httpx2.AsyncClient, house: House, martins: ServiceRequest
    ) -> None:
        """Writing needs none; what is told besides (a promise, the stage) stands there as ever."""
        await client.post(f"{link(martins)}/messages", data={"body": "My PIN is 1234."})
        page = (await client.get(link(martins))).text
        assert "1234" in page  # what they wrote themselves, a moment ago
        assert "1 message is shown after a code." in read(page)
        client.cookies.delete("kept_sent")
        page = (await client.get(link(martins))).text
        assert "1234" not in page
        assert "2 messages are shown after a code." in read(page)
        assert "Tess will answer you" in read(page)
        refused = await client.post(f"{link(martins)}/messages", data={"body": " "})
        assert "1234" not in refused.text
        await become_known(client, house, martins)
        assert "My PIN is 1234." in (await client.get(link(martins))).text
        refused = await client.post(f"{link(martins)}/messages", data={"body": " "})
        assert "1234" in refused.text

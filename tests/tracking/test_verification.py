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
from portal.messaging.sms.segments import count_segments
from portal.models import CUSTOMER_ACTOR, Channel, MessageKind, ServiceRequest
from portal.operations import ConsentChange, replace_link, revoke_link, set_preferences
from portal.operations.delivery.channel_fallback import invalidate_address
from portal.queries.conversations import recent_messages_to
from portal.settings import QuietHours, Settings
from tests.support.customer_device import (
    WRONG_CODE_MESSAGE,
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
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
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


async def test_attachment_is_shown_after_verification_and_device_is_trusted(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Not its bytes, nor its name before; after it, without asking again, also on the page."""
    paper = await send_paper(client, card_request)
    page = await client.get(link(card_request))
    assert "passport" not in page.text
    assert "<img" not in page.text
    assert "A document We ask for a code first." in visible_text(page.text)

    asked = await client.get(paper)
    onward = paper.removeprefix(f"{link(card_request)}/")
    assert asked.status_code == 303
    assert asked.headers["Location"] == f"{link(card_request)}/code?to={onward}"
    words = visible_text((await client.get(asked.headers["Location"])).text)
    assert "the number ending in 32" in words
    assert "0132" not in words

    known = await verify_device(client, organisation, card_request, onward)
    assert (known.status_code, known.headers["Location"]) == (303, paper)
    assert (await client.get(paper)).content == PDF
    assert "passport Miller.pdf" in (await client.get(link(card_request))).text
    async with new_browser(app) as other:
        assert (await other.get(paper)).status_code == 303
        assert "passport" not in (await other.get(link(card_request))).text


async def test_recent_upload_is_visible_to_the_uploading_browser(
    app: Starlette,
    client: httpx2.AsyncClient,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """For an hour, in this browser, and nothing else that came before it."""
    before = await send_paper(client, card_request)
    sent = [("file", ("crack.jpg", photo(), "image/jpeg"))]
    await client.post(f"{link(card_request)}/messages", data={"body": "Look."}, files=sent)
    page = (await client.get(link(card_request))).text
    [shown] = re.findall(r'<img src="([^"]*)"', page)
    assert (await client.get(shown)).status_code == 200
    assert (await client.get(before)).status_code == 303
    assert "passport" not in page
    async with new_browser(app) as other:
        assert (await other.get(shown)).status_code == 303
        assert "<img" not in (await other.get(link(card_request))).text
    clock.shift(timedelta(hours=1, seconds=1))
    assert (await client.get(shown)).status_code == 303


async def test_device_cookie_is_http_only_and_limited_to_its_path(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    known = await verify_device(client, organisation, card_request)
    cookie = known.headers["Set-Cookie"]
    assert re.match(r"kept_device=[\w-]{43};", cookie)
    for part in ("HttpOnly", "Max-Age=7776000", "Path=/r/", "SameSite=lax"):
        assert part in cookie
    assert "Secure" not in cookie  # on http, where the tests are


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_code_text_is_one_segment_and_bound_to_the_domain(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    settings: Settings,
) -> None:
    """Its last line is what a phone reads to fill the code in on our page only."""
    await request_code(client, card_request)
    phone = FakeSmsGateway()
    await deliver_due(organisation.operations, phone)
    text = phone.sent_bodies[-1]
    assert re.fullmatch(
        r"Acme Bank: your code is (\d{6}), good for 10 minutes\. "
        r"We never ask you for it: tell nobody\.\n@testserver #\1",
        text,
    )
    assert count_segments(text).segments == 1
    page = (await client.get(f"{link(card_request)}/code")).text
    assert 'autocomplete="one-time-code"' in page


async def test_code_digits_are_never_logged_or_stored(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither the outbox nor any other table has them, nor a log, before or after it is used."""
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    await submit_code(client, card_request, code)
    async with organisation.database.connection() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in await connection.execute(sa.select(table)):
                assert code not in str([one for one in row if isinstance(one, str)])
    printed = capsys.readouterr()
    assert code not in caplog.text + printed.out + printed.err


async def test_code_is_not_sent_by_an_opted_out_channel(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """By mail where no texts are wanted; where nothing is, the page says so and sends nothing."""
    consent_change = ConsentChange(stop=True, about="all", channels=[Channel.SMS])
    await organisation.run(
        set_preferences, card_request, consent_change=consent_change, by=CUSTOMER_ACTOR
    )
    assert "We send it to m•••@e•••" in visible_text(
        (await client.get(f"{link(card_request)}/code")).text
    )
    await request_code(client, card_request)
    assert len(await code_emails(organisation)) == 1
    consent_change = ConsentChange(stop=True, about="all", channels=[Channel.EMAIL])
    await organisation.run(
        set_preferences, card_request, consent_change=consent_change, by=CUSTOMER_ACTOR
    )
    refused = await request_code(client, card_request)
    assert refused.status_code == 422
    assert "Please speak to us instead." in visible_text(refused.text)
    assert (
        len(
            [
                m
                for m in await organisation.outbound_messages(card_request)
                if m.kind == MessageKind.CODE
            ]
        )
        == 1
    )


# --- guessing ---------------------------------------------------------------------------------


async def test_code_is_locked_after_five_attempts(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Also of many at once: each is counted before anybody learns how it ended."""
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    tries = await asyncio.gather(*(submit_code(client, card_request, wrong) for _ in range(5)))
    assert {one.status_code for one in tries} == {422}
    late = await submit_code(client, card_request, code)
    assert late.status_code == 422
    assert "Set-Cookie" not in late.headers


async def test_code_requests_are_limited_to_three_per_hour_and_eight_per_day(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """For one customer, by whichever of their requests: fifteen guesses an hour, forty a day."""
    second = await organisation.open("repair", by=organisation.people.ben.actor)
    sent = []
    for hour in range(4):
        for request in (card_request, second, card_request, second):
            answer = await request_code(client, request)
            sent.append(answer.status_code)
            clock.shift(timedelta(minutes=1))
        if hour == 0:
            assert "We have sent you several codes already." in visible_text(answer.text)
        clock.shift(timedelta(hours=1))
    assert sent == [*2 * [303, 303, 303, 429], *[303, 303, 429, 429], *4 * [429]]


async def test_double_submit_sends_one_code(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await asyncio.gather(*(request_code(client, card_request) for _ in range(3)))
    assert len(await codes_by_sms(organisation)) == 1


async def test_invalid_expired_used_and_foreign_codes_get_the_same_error(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """The same bytes, and no sooner: nobody learns whether a code was ever right."""
    loop, times, pages = asyncio.get_running_loop(), [], set()

    async def refuse(code: str) -> None:
        began = loop.time()
        answer = await submit_code(client, card_request, code)
        times.append(loop.time() - began)
        pages.add((answer.status_code, answer.text))

    await refuse("123456")  # there is none
    others = await organisation.open("repair", MARTHA, by=organisation.people.ben.actor)
    await request_code(client, others)
    [anothers] = await codes_by_sms(organisation)
    await refuse(anothers)
    await request_code(client, card_request)
    [first] = await codes_by_sms(organisation)
    clock.shift(timedelta(minutes=1))
    await request_code(client, card_request)
    [second] = await codes_by_sms(organisation)
    await refuse(first)  # a newer one has been sent
    await refuse("")
    await refuse("9" * 1_000)
    async with new_browser(app) as own:
        assert (await submit_code(own, card_request, second)).status_code == 303
    await refuse(second)  # used
    clock.shift(timedelta(hours=1))
    await request_code(client, card_request)
    [third] = await codes_by_sms(organisation)
    clock.shift(timedelta(minutes=10))
    await refuse(third)  # too late
    assert len(pages) == 1
    assert WRONG_CODE_MESSAGE in visible_text(pages.pop()[1])
    assert min(times) >= 0.1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "form", ["{0} ", "{1} {2}", "{1}-{2}"], ids=["space", "two halves", "a dash"]
)
async def test_code_format_is_tolerant(
    form: str, client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    typed = form.format(code, code[:3], code[3:])
    assert (await submit_code(client, card_request, typed)).status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_arabic_digits_are_accepted(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    arabic = code.translate({ord("0") + n: 0x660 + n for n in range(10)})
    assert (await submit_code(client, card_request, arabic)).status_code == 303


async def test_redirect_after_code_stays_on_site(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    known = await verify_device(client, organisation, card_request, "//evil.example/")
    assert known.headers["Location"] == link(card_request)


async def test_forged_device_cookie_is_ignored(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Whoever put a secret into a customer's browser beforehand does not share what it opens."""
    paper = await send_paper(client, card_request)
    planted = {"kept_device": "planted by somebody else"}
    asked = await client.post(f"{link(card_request)}/code", data={}, headers=as_cookie(planted))
    assert asked.status_code == 303
    [code] = await codes_by_sms(organisation)
    form = {"code": code}
    known = await client.post(f"{link(card_request)}/code", data=form, headers=as_cookie(planted))
    assert "planted" not in known.headers["Set-Cookie"]
    async with new_browser(app) as other:
        assert (await other.get(paper, headers=as_cookie(planted))).status_code == 303


def as_cookie(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={told}" for name, told in cookies.items())}


# --- what ends it -----------------------------------------------------------------------------


async def test_one_browser_can_be_trusted_for_several_customers(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    marthas = await organisation.open("repair", MARTHA, by=organisation.people.ben.actor)
    his, hers = await send_paper(client, card_request), await send_paper(client, marthas)
    await verify_device(client, organisation, card_request)
    assert (await client.get(his)).status_code == 200
    assert (await client.get(hers)).status_code == 303
    await verify_device(client, organisation, marthas)
    assert (await client.get(his)).status_code == 200
    assert (await client.get(hers)).status_code == 200


@pytest.mark.parametrize("how", ["replaced", "revoked", "stopped", "phone", "time", "forgotten"])
async def test_forgotten_device_is_no_longer_trusted(
    how: str,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    clock: time_machine.Traveller,
) -> None:
    """After a new link, a stop, another phone, three months, or the wish to be forgotten."""
    second = await organisation.open("repair", by=organisation.people.ben.actor)
    paper = await send_paper(client, second)
    await verify_device(client, organisation, card_request)
    assert (await client.get(paper)).status_code == 200
    if how == "replaced":
        await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    elif how == "revoked":
        await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    elif how == "stopped":
        consent_change = ConsentChange(stop=True, about="all", channels=[Channel.SMS])
        await organisation.run(
            set_preferences, card_request, consent_change=consent_change, by=CUSTOMER_ACTOR
        )
    elif how == "phone":
        clock.shift(timedelta(seconds=1))
        async with organisation.operations.begin(organisation.people.tess.actor) as uow:
            await invalidate_address(uow, Channel.SMS, MARTIN.phone or "")
    elif how == "time":
        clock.shift(timedelta(days=90))
    else:
        await client.post(f"{link(second)}/forget")
        assert "kept_device" not in client.cookies
    assert (await client.get(paper)).status_code == 303


@pytest.mark.parametrize("how", ["link", "open code"])
async def test_replacing_the_link_invalidates_codes(
    how: str, client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The code that was under way when the link was taken back opens neither."""
    await request_code(client, card_request)
    [code] = await codes_by_sms(organisation)
    now = await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    answer = await submit_code(client, card_request if how == "link" else now, code)
    assert answer.status_code == (404 if how == "link" else 422)


async def test_code_message_is_not_in_the_conversation(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A stranger who asks for one moves no reply of the customer's to another request."""
    other = await organisation.open("repair", by=organisation.people.ben.actor)
    before = await said_by(organisation, MARTIN.phone or "")
    await request_code(client, card_request)
    assert await said_by(organisation, MARTIN.phone or "") == before
    assert before[0] == other.id
    assert "******" not in (await client.get(link(card_request))).text


async def said_by(organisation: Organisation, address: str) -> list[int | None]:
    """Which requests a reply from there may mean, the likeliest first."""
    async with organisation.database.reading() as session:
        said = await recent_messages_to(session, address, now() - timedelta(days=1))
    return [one.request_id for one in said]


async def test_undelivered_code_creates_no_dropped_ball(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """It is not sent again by itself, nor by another way: by then it would only confuse."""
    await codes_by_sms(organisation)  # the first text is out of the way
    await request_code(client, card_request)
    await deliver_due(organisation.operations, FakeSmsGateway(reject_code=30003))
    codes = [one for one in await organisation.messages() if one.kind == MessageKind.CODE]
    assert [(one.status, one.handled_by) for one in codes] == [("failed", "Kept")]


# --- the settings -----------------------------------------------------------------------------


class TestAtNight:
    """With quiet hours."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"quiet_hours": QuietHours(time(21), time(8))})

    async def test_requested_code_ignores_quiet_hours(
        self,
        client: httpx2.AsyncClient,
        organisation: Organisation,
        card_request: ServiceRequest,
        clock: time_machine.Traveller,
    ) -> None:
        """Somebody sits there and waits for it."""
        clock.shift(timedelta(hours=13))  # eleven at night in New York
        await request_code(client, card_request)
        assert len(await codes_by_sms(organisation)) == 1


class TestTheConversation:
    """With `KEPT_VERIFY_FOR=conversation`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"verify_for": "conversation"})

    async def test_is_shown_after_a_code(
        self, client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
    ) -> None:
        """Writing needs none; what is told besides (a promise, the stage) stands there as ever."""
        await client.post(f"{link(card_request)}/messages", data={"body": "My PIN is 1234."})
        page = (await client.get(link(card_request))).text
        assert "1234" in page  # what they wrote themselves, a moment ago
        assert "1 message is shown after a code." in visible_text(page)
        client.cookies.delete("kept_sent")
        page = (await client.get(link(card_request))).text
        assert "1234" not in page
        assert "2 messages are shown after a code." in visible_text(page)
        assert "Tess will answer you" in visible_text(page)
        refused = await client.post(f"{link(card_request)}/messages", data={"body": " "})
        assert "1234" not in refused.text
        await verify_device(client, organisation, card_request)
        assert "My PIN is 1234." in (await client.get(link(card_request))).text
        refused = await client.post(f"{link(card_request)}/messages", data={"body": " "})
        assert "1234" in refused.text

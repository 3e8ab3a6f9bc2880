"""The link alone can stop messages; to begin them again takes a code or START from the phone."""

import re

import httpx2
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from portal.models import (
    SYSTEM_ACTOR,
    Channel,
    Consent,
    ConsentSource,
    ContactPoint,
    ServiceRequest,
)
from portal.operations.conversation.consent import withdraw_consent
from portal.queries.consent import may_write
from portal.tracking.preferences import BUTTONS
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
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import CustomerPhone

pytestmark = pytest.mark.either_database

STARTS = [button for button, change in BUTTONS.items() if not change.stop]


def channel_of(button: str) -> str:
    """The channel that the button begins again; "all" for both."""
    channels = BUTTONS[button].channels
    return channels[0].value if len(channels) == 1 else "all"


async def press(
    browser: httpx2.AsyncClient, request: ServiceRequest, button: str
) -> httpx2.Response:
    return await browser.post(f"{link(request)}/preferences", data={"do": button})


async def permitted(organisation: Organisation, request: ServiceRequest) -> list[bool]:
    """Whether we may write: by text, by e-mail."""
    async with organisation.database.reading() as session:
        return [
            await may_write(session, channel, address or "", request.id)
            for channel, address in ((Channel.SMS, MARTIN.phone), (Channel.EMAIL, MARTIN.email))
        ]


@pytest.mark.parametrize("button", STARTS)
async def test_no_button_begins_messages_again_without_a_code(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    button: str,
) -> None:
    await press(client, card_request, "stop_all")
    async with organisation.database.reading() as session:
        before = len((await session.exec(select(Consent))).all())
    asked = await press(client, card_request, button)
    assert asked.status_code == 303
    way = {"all": "", "sms": "-sms", "email": "-email"}[channel_of(button)]
    assert asked.headers["location"] == f"{link(card_request)}/code?to=start{way}"
    form = visible_text((await client.get(asked.headers["location"])).text)
    assert "Only you can let us write to you again. So we send you a code first" in form
    assert await permitted(organisation, card_request) == [False, False]
    async with organisation.database.reading() as session:
        assert len((await session.exec(select(Consent))).all()) == before


async def test_a_code_is_sent_after_a_stop_and_begins_messages_again(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The code is the only text that goes."""
    await codes_by_sms(organisation)
    await press(client, card_request, "stop_all")
    assert (await request_code(client, card_request, "start")).status_code == 303
    (code,) = await codes_by_sms(organisation)
    shown = await submit_code(client, card_request, code, "start")
    assert shown.headers["location"] == f"{link(card_request)}/preferences?verified"
    page = visible_text((await client.get(shown.headers["location"])).text)
    assert "Please choose once more." in page
    assert await permitted(organisation, card_request) == [False, False]
    assert (await press(client, card_request, "start_all")).status_code == 303
    assert await permitted(organisation, card_request) == [True, False]


@pytest.mark.parametrize(
    ("button", "stopped", "result"),
    [
        ("start_texts", "stop_all", [True, False]),
        ("start_mail", "stop_all", [False, True]),
        ("start_texts", "stop_texts", [True, True]),
        ("start_this", "stop_this", [True, True]),
    ],
)
async def test_one_code_begins_messages_of_a_channel_again(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    button: str,
    stopped: str,
    result: list[bool],
) -> None:
    """It goes by that channel at once, also where the other one is not stopped."""
    await codes_by_sms(organisation)
    await press(client, card_request, stopped)
    asked = await press(client, card_request, button)
    onward = asked.headers["location"].partition("?to=")[2]
    await request_code(client, card_request, onward)
    codes = await codes_by_sms(organisation)
    codes += re.findall(r"Your code is (\d{6})", "".join(await code_emails(organisation)))
    assert len(codes) == 1
    entered = await submit_code(client, card_request, codes[0], onward)
    assert entered.headers["location"] == f"{link(card_request)}/preferences?verified"
    done = await press(client, card_request, button)
    assert done.headers["location"] == f"{link(card_request)}/preferences?saved"
    assert await permitted(organisation, card_request) == result


async def test_start_from_the_phone_needs_no_code(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    await press(client, card_request, "stop_all")
    await texts("START")
    assert await permitted(organisation, card_request) == [True, False]


@pytest.mark.parametrize("known", [True, False], ids=["known browser", "new browser"])
async def test_a_finder_who_stops_everything_does_not_keep_the_owner_out(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    *,
    known: bool,
) -> None:
    """A browser that was trusted stays so, and a new one becomes trusted by a code."""
    if known:
        await verify_device(client, organisation, card_request)
    async with new_browser(app) as finder:
        assert (await press(finder, card_request, "stop_all")).status_code == 303
    if not known:
        await verify_device(client, organisation, card_request, "replace")
    replaced = await client.post(f"{link(card_request)}/replace")
    assert replaced.status_code == 303
    assert "/replace?done" in replaced.headers["location"]
    now = await organisation.reload(card_request)
    assert link(now) != link(card_request)
    assert (await client.get(link(card_request))).status_code == 404


async def test_a_stop_from_the_phone_ends_trust_whatever_the_link_does_later(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    """The number may have another owner, who wants no texts of a stranger's request."""
    await verify_device(client, organisation, card_request)
    await texts("STOP")
    await press(client, card_request, "stop_texts")
    answer = await client.get(f"{link(card_request)}/replace")
    assert answer.headers["location"] == f"{link(card_request)}/code?to=replace"


async def test_code_by_e_mail_does_not_undo_a_stop_from_the_phone(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    texts: CustomerPhone,
) -> None:
    await texts("STOP")
    assert (await request_code(client, card_request, "start")).status_code == 303
    (mail,) = await code_emails(organisation)
    (digits,) = re.findall(r"\b\d{6}\b", mail)
    await submit_code(client, card_request, digits, "start")
    answer = await press(client, card_request, "start_texts")
    assert answer.headers["location"] == f"{link(card_request)}/code?to=start-sms"
    form = visible_text((await client.get(answer.headers["location"])).text)
    assert "Only you can let us write to you again. So we send you a code first" in form
    assert (await press(client, card_request, "start_all")).status_code == 303
    assert await permitted(organisation, card_request) == [False, True]


async def test_code_by_the_channel_of_the_button_begins_its_messages(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await verify_device(client, organisation, card_request)
    await press(client, card_request, "stop_all")
    answer = await press(client, card_request, "start_mail")
    assert answer.headers["location"] == f"{link(card_request)}/code?to=start-email"
    form = visible_text((await client.get(answer.headers["location"])).text)
    assert "@" in form
    assert await permitted(organisation, card_request) == [False, False]


async def test_consent_is_not_granted_for_an_address_that_is_not_valid_any_more(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await verify_device(client, organisation, card_request)
    await press(client, card_request, "stop_all")
    old = "+14155550199"
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        customer_id = card_request.customer_id
        uow.session.add(
            ContactPoint(
                customer_id=customer_id, channel=Channel.SMS, address=old, valid_until=uow.now
            )
        )
        await withdraw_consent(uow, Channel.SMS, old, ConsentSource.STAFF, evidence="said so")
    assert (await press(client, card_request, "start_all")).status_code == 303
    async with organisation.database.reading() as session:
        assert not await may_write(session, Channel.SMS, old, card_request.id)

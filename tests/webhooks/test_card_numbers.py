"""Numbers of payment cards are masked before a message is stored, and the customer is warned."""

import time
from email.message import EmailMessage

import pytest
import sqlalchemy as sa

from portal.messaging.card_masking import mask_card_numbers
from portal.messaging.email.signed_addresses import reply_address
from tests.messaging.email.mail_server import MARTIN, TOKEN
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database

NUMBER = "4111 1111 1111 1111"


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"mail_from": "Acme Bank <desk@acme.example>"})


async def stored_text(organisation) -> str:
    """Every row of the database that may hold what a customer wrote, as one text."""
    async with organisation.database.reading() as session:
        rows = [
            (await session.exec(sa.text(f"SELECT * FROM {table}"))).all()  # noqa: S608 (names of tables)
            for table in ("message", "event", "follow_up", "promise", "contact", "consent")
        ]
    return str(rows)


async def test_card_number_by_text_is_masked(organisation, card_request, phone, client):
    await phone(f"my card is {NUMBER} exp 09/28 cvv 123")
    stored = await stored_text(organisation)
    assert "4111" not in stored
    assert "cvv 123" not in stored
    assert "my card is ****1111 exp 09/28 cvv ***" in read(await client.get(link(card_request)))
    (reply,) = await phone.replies()
    assert reply.endswith("Please never send card numbers; we have hidden it.")
    assert "Tess at Telesales will answer you by" in reply


async def test_card_number_beside_an_answer_is_masked(organisation, delivered, phone):
    await delivered()
    await phone(f"Yes it came. {NUMBER.replace(' ', '-')}")
    assert "4111" not in await stored_text(organisation)
    assert "never send card numbers" in (await phone.replies())[-1]


async def test_card_number_on_the_page_is_masked(organisation, card_request, phone, client):
    path = f"{link(card_request)}/messages"
    await client.post(path, data={"body": f"Charge {NUMBER.replace(' ', '')} please"})
    assert "4111" not in await stored_text(organisation)
    assert "never send card numbers" in read(await client.get(link(card_request)))


async def test_card_number_by_mail_is_masked(organisation, card_request, settings, client):
    mail = EmailMessage()
    mail["From"], mail["To"] = MARTIN, reply_address(settings, card_request.id)
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content(f"It is {NUMBER}, and the cvc is 1234")
    answer = await client.post("/hooks/email/inbound", content=mail.as_bytes(), headers=TOKEN)
    assert answer.status_code == 204
    stored = await stored_text(organisation)
    assert "It is ****1111, and the cvc is ***" in stored
    assert "4111" not in stored


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "371449635398431",
        "6011 0009 9013 9424",
        "30569309025904",
        NUMBER.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)}),
        "4111.1111.1111.1111",
        "0928 4111 1111 1111 1111 0928",
        "4111\n1111\n1111\n1111",
        "4111\r\n1111\r\n1111\r\n1111",
        "4111/1111/1111/1111",
        "4111,1111,1111,1111",
        "4111_1111_1111_1111",
        "4111 - 1111 - 1111 - 1111",
        "4111, 1111, 1111, 1111",
    ],
)
def test_card_numbers_are_masked(text):
    assert "****" in mask_card_numbers(text)


def test_every_card_number_of_a_list_is_masked():
    """Also where the list has more digits than three card numbers."""
    text = "\n".join(["4155550132", *["4111 1111 1111 1111"] * 6])
    assert mask_card_numbers(text) == "\n".join(["4155550132", *["****1111"] * 6])


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "call +1 415 555 0132 or +1 415 555 0199",
        "IMEI 356938035643809",
        "9400100000000000000000",
        "CARD-7K4M-2Q9",
        "2026-12-03 10:00 to 2026-12-04 11:00",
        "free 20/11/2026, 28/11/2026",
        "2026/11/01, 2026/11/05",
        "Call 212-555-1437, 212-555-1090",
        "1234567890123",
        "",
    ],
)
def test_other_numbers_stay(text):
    assert mask_card_numbers(text) == text


@pytest.mark.parametrize(
    "text", ["4 " * 20_000, "4" * 40_000, "41 1-" * 10_000, "cvv " * 10_000, "4\n/ " * 10_000]
)
def test_masking_is_bounded(text):
    began = time.process_time()
    mask_card_numbers(text)
    assert time.process_time() - began < 5

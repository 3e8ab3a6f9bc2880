"""A text is read again days later: its dates stay true, and nobody mistakes noon for midnight."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from portal.messaging.sms.plain_names import with_plain_names
from portal.messaging.wording.renderer import as_sentence, fill_template
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import SYSTEM_ACTOR, ServiceRequest
from portal.operations import cancel, hold
from tests.support.factories import MARTIN, Organisation

pytestmark = pytest.mark.either_database

NOW = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
NOON = datetime(2026, 11, 25, 17, tzinfo=UTC)
"""Noon of the next day in New York."""


@pytest.mark.parametrize(
    ("locale", "by", "day"),
    [
        ("en", "Wed 25 Nov, noon", "Wed 25 Nov"),
        ("en-GB", "Wed 25 Nov, noon", "Wed 25 Nov"),
        ("en-US", "Wed, Nov 25, noon", "Wed, Nov 25"),
        ("es", "el mié 25 nov a las 12:00", "el mié 25 nov"),
        ("ar", "الأربعاء 25 نوفمبر، 12 ظهرًا", "الأربعاء 25 نوفمبر"),
    ],
)
def test_due_time_in_a_text_is_a_date_as_the_region_writes_it(
    locale: str, by: str, day: str
) -> None:
    times = TimeFormatter(locale, "America/New_York", NOW, is_lasting=True)
    assert (times.by(NOON), times.day(NOON)) == (by, day)


@pytest.mark.parametrize(
    ("locale", "noon", "midnight"),
    [
        ("en", "tomorrow, noon", "midnight"),
        ("es", "mañana a las 12 del mediodía", "0:00"),
        ("ar", "غدًا، 12 ظهرًا", "منتصف الليل"),
    ],
)
def test_noon_and_midnight_are_named(locale: str, noon: str, midnight: str) -> None:
    times = TimeFormatter(locale, "America/New_York", NOW)
    assert (times.by(NOON), times.clock(NOON - timedelta(hours=12))) == (noon, midnight)


def test_sentence_begins_with_a_capital_letter() -> None:
    fields = {"at": "tomorrow, 3 pm", "reason": "the van broke down", "link": "https://x.example"}
    assert fill_template("Thank you. {at}: noted.", fields) == "Thank you. Tomorrow, 3 pm: noted."
    assert fill_template("Sorry. {reason}. {link}", fields).endswith("down. https://x.example")
    assert fill_template("On hold: {reason}", fields) == "On hold: the van broke down"
    assert fill_template("Hi. {title}", {"title": "iPhone repair"}) == "Hi. iPhone repair"


def test_reason_ends_as_a_sentence() -> None:
    assert as_sentence(" You asked us to wait ") == "You asked us to wait."
    assert [as_sentence(text) for text in ("", "Ready?", "نعم؟")] == ["", "Ready?", "نعم؟"]


@pytest.mark.parametrize(
    ("name", "written"), [("María", "Maria"), ("Martín", "Martin"), ("Łukasz", "Lukasz")]
)
async def test_name_with_an_accent_costs_one_segment(
    organisation: Organisation, name: str, written: str
) -> None:
    """Its letters are plain in a text; the mail and the page keep the accent."""
    card = await organisation.open(
        "card", replace(MARTIN, name=f"{name} Soto", locale="es"), by=SYSTEM_ACTOR
    )
    told = (await organisation.outbound_messages(card))[0]
    assert f"Hola {written}." in told.body
    assert told.segments == 1


def test_only_names_are_written_plainly_and_only_to_save_money() -> None:
    long = " Su tarjeta va de camino y le llega el jueves, como tarde a las 14:00 horas."
    assert with_plain_names(f"Hola María.{long}") == f"Hola Maria.{long}"
    assert with_plain_names("Hola María.") == "Hola María.", "it is one segment as it is"
    assert with_plain_names("Sí, María está aquí.") == "Sí, María está aquí."
    assert with_plain_names("María " + "á" * 80) == "María " + "á" * 80
    assert with_plain_names("مرحبا María") == "مرحبا María"


async def test_hold_and_ending_say_why(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    """In the text itself, where the reason fits into one segment; else the page says it."""
    await organisation.run(hold, card_request, reason="we wait for your employer", by=SYSTEM_ACTOR)
    held = (await organisation.outbound_messages(card_request))[-1]
    assert "Martin, on hold for now: we wait for your employer. http" in held.body
    await organisation.run(cancel, card_request, reason="the bank is closing", by=SYSTEM_ACTOR)
    ended = (await organisation.outbound_messages(card_request))[-1]
    assert f"{card_request.reference} has been cancelled. The bank is closing. http" in ended.body


async def test_hold_and_the_reply_say_until_when(
    organisation: Organisation, card_request: ServiceRequest, texts
) -> None:
    until = datetime(2025, 6, 6, 16, tzinfo=UTC)
    await organisation.run(
        hold, card_request, reason="we wait for your employer", until=until, by=SYSTEM_ACTOR
    )
    told = "On hold until Fri 6 Jun. We wait for your employer. http"
    assert told in (await organisation.outbound_messages(card_request))[-1].body
    assert told in (await texts("where is my card?")).body


async def test_long_reason_is_left_to_the_page(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(hold, card_request, reason="It takes " * 20, by=SYSTEM_ACTOR)
    held = (await organisation.outbound_messages(card_request))[-1]
    assert "your request is on hold for now. See why: http" in held.body
    assert held.segments == 1


async def test_complaint_is_answered_with_sorry(
    organisation: Organisation, card_request: ServiceRequest, texts
) -> None:
    told = await texts("This is ridiculous, three weeks late again")
    assert told.body == (
        "Acme Bank: We're sorry, Martin. Tess at Telesales has this and will answer you by "
        "Tue 3 Jun, noon."
    )


async def test_reason_of_a_hold_is_a_sentence_on_the_page(
    organisation: Organisation, card_request: ServiceRequest, client: httpx2.AsyncClient
) -> None:
    """Ours follows it."""
    until = card_request.opened_at + timedelta(days=6)
    reason = "You asked us to deliver after your holiday"
    await organisation.run(hold, card_request, reason=reason, until=until, by=SYSTEM_ACTOR)
    assert card_request.live_link is not None
    page = (await client.get(f"/r/{card_request.live_link.token}")).text
    assert f"{reason}.</b>" in page

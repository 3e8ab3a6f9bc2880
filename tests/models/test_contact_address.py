"""Any text as a phone number, an e-mail address or a time zone: normalised, or refused kindly."""

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.models.people.contact_address import (
    parse_email_address,
    parse_phone,
    parse_timezone,
    phone_timezone,
)

DIGITS = st.text(st.sampled_from("0123456789\u0660\u0661\uff14\uff15 +-().;ext=#*/"), max_size=45)
PHONES = st.one_of(st.text(max_size=45), DIGITS, DIGITS.map("+{}".format))
LABELS = st.text(st.sampled_from("abcXYZ019.-_@+'\" é\x00"), max_size=70)
ADDRESSES = st.one_of(
    st.text(max_size=300),
    st.emails(),
    st.builds("{}@{}.com".format, LABELS, LABELS),
)
ZONES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["UTC", "America/New_York", "america/new_york", "../../etc/passwd", "", "/"]),
)


def parsed(parse: Callable[..., str], *given: Any) -> str | None:
    """What it makes of the text; None where it refuses it with a sentence of its own."""
    try:
        return parse(*given)
    except ValueError as error:
        if type(error) is ValueError and str(error).endswith("."):
            return None
        raise


@settings(max_examples=100)
@given(PHONES, st.sampled_from([None, "US", "GB", "EG"]))
@example("+1 415 555 0132", None)
@example("٤١٥٥٥٥٠١٣٢", "US")
def test_phone_becomes_e164_or_is_refused(text: str, region: str | None) -> None:
    number = parsed(parse_phone, text, region)
    if number is None:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{3,16}", number)
    assert parse_phone(number) == number
    zone = phone_timezone(number)
    assert zone is None or ZoneInfo(zone)


@settings(max_examples=100)
@given(ADDRESSES)
@example("Martin@Example.com ")
@example("a@b@c.de")
def test_email_address_is_normalised_or_refused(text: str) -> None:
    address = parsed(parse_email_address, text)
    if address is None:
        return
    assert address == parse_email_address(address)
    assert address.count("@") == 1
    assert not re.search(r"[\s\x00-\x1f<>,;]", address)


@settings(max_examples=100)
@given(ZONES)
def test_time_zone_exists_or_is_refused(text: str) -> None:
    zone = parsed(parse_timezone, text)
    assert zone is None or ZoneInfo(zone).key == zone == text

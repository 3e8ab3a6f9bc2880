"""Reading the addresses that people type: phone numbers, e-mail addresses, time zones."""

import re
import unicodedata
from zoneinfo import available_timezones

import idna
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from phonenumbers import timezone as phone_zones

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f<>,;:\"()\[\]\\]{1,64}"
    rf"@(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{0,58}}[a-z0-9])",
    re.IGNORECASE,
)
"""An address in ASCII: a domain with other letters is in its ASCII form (RFC 5891)."""
MAX_EMAIL_LENGTH = 254
MAX_PHONE_LENGTH = 40
INVISIBLE = re.compile("[\ufe00-\ufe0f\u20e3]")
"""Variation selectors and keycaps, as in a number that is typed with emoji."""


def without_invisible(text: str) -> str:
    """The text without zero-width characters, direction marks and other format characters."""
    return INVISIBLE.sub("", "".join(c for c in text if unicodedata.category(c) != "Cf"))


def parse_phone(text: str, region: str | None = None) -> str:
    """The number in E.164. ``region`` ("US") is that of a number without a country code.

    A mobile number that has two spellings, such as +52 1 55 and +52 55, has one here. The length
    decides, not the ranges in use, which change faster than the library that lists them. Raises
    ValueError with a sentence where the length is wrong or the area code is missing.
    """
    remedy = "Please give the phone number with its country code, like +1 415 555 0132."
    text = " ".join(without_invisible(text).split())
    if len(text) > MAX_PHONE_LENGTH:
        raise ValueError(remedy)
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        raise ValueError(remedy) from None
    number.national_number = _canonical(number.country_code or 0, str(number.national_number))
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise ValueError(
            "Please give the whole phone number, with its area code, like +1 415 555 0132."
        )
    if possible != ValidationResult.IS_POSSIBLE:
        raise ValueError(remedy)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _canonical(country_code: int, national: str) -> int:
    """The national number as mobile phones have it today.

    Mexico gave up the 1 before mobile numbers in 2019. Brazil's have a ninth digit since 2016, a 9
    behind the area code. Argentina's have a 9 before the area code when they are called from abroad;
    that of a landline is no mistake, as it takes no texts.
    """
    match country_code:
        case 52 if len(national) == 11 and national.startswith("1"):
            national = national[1:]
        case 54 if len(national) == 10 and _is_mobile(country_code, "9" + national):
            national = "9" + national
        case 55 if len(national) == 10 and national[2] in "6789":
            national = f"{national[:2]}9{national[2:]}"
    return int(national)


def _is_mobile(country_code: int, national: str) -> bool:
    number = phonenumbers.PhoneNumber(country_code=country_code, national_number=int(national))
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def parse_email_address(text: str) -> str:
    """The address in lower case, its domain in ASCII (RFC 5891).

    Raises ValueError with a sentence where it is not valid, or has letters before the @ to which
    many mail servers cannot deliver (RFC 6531).
    """
    address = without_invisible(text).strip().lower()
    mailbox, at, domain = address.rpartition("@")
    if not mailbox.isascii():
        raise ValueError(
            "Please give an e-mail address with plain letters before the @, like martin@example.com."
        )
    if not domain.isascii():
        address = mailbox + at + _ascii_domain(domain)
    if len(address) > MAX_EMAIL_LENGTH or not EMAIL.fullmatch(address) or ".." in address:
        raise ValueError("Please give a whole e-mail address, like martin@example.com.")
    return address


def _ascii_domain(domain: str) -> str:
    """The domain as mail servers know it; as it is where there is no such domain."""
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def parse_timezone(text: str) -> str:
    """An IANA zone. Raises ValueError with a sentence where there is none of that name."""
    if text not in available_timezones():
        raise ValueError("A time zone looks like America/New_York.")
    return text


def phone_timezone(number: str) -> str | None:
    """The zone of an E.164 number where its prefix names exactly one; else None."""
    zones = phone_zones.time_zones_for_number(phonenumbers.parse(number))
    is_unique = len(zones) == 1 and zones[0] in available_timezones()
    return str(zones[0]) if is_unique else None

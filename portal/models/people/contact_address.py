"""Reading the addresses that people type: phone numbers, e-mail addresses, time zones."""

import re
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat
from phonenumbers import timezone as phone_zones

EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f<>,;:\"()\[\]\\]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,250})\.[a-z]{2,63}",
    re.IGNORECASE,
)
MAX_EMAIL_LENGTH = 254
MAX_PHONE_LENGTH = 40


def parse_phone(text: str, region: str | None = None) -> str:
    """The number in E.164. ``region`` ("US") is that of a number without a country code.

    A mobile number that has two spellings, such as +52 1 55 and +52 55, has one here. Raises ValueError with a sentence where it is not a possible number.
    """
    remedy = "Please give the phone number with its country code, like +1 415 555 0132."
    if len(text) > MAX_PHONE_LENGTH:
        raise ValueError(remedy)
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        raise ValueError(remedy) from None
    number.national_number = _canonical(number.country_code or 0, str(number.national_number))
    if not phonenumbers.is_possible_number(number):
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
    """The address in lower case. Raises ValueError with a sentence where it is not valid."""
    address = text.strip().lower()
    if len(address) > MAX_EMAIL_LENGTH or not EMAIL.fullmatch(address) or ".." in address:
        raise ValueError("Please give a whole e-mail address, like martin@example.com.")
    return address


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

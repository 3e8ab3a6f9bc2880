"""Masks the numbers of payment cards in what a customer writes, before it is stored (PCI DSS 3.3).

A card number has 13 to 19 digits, begins as a network's numbers do (ISO/IEC 7812) and passes the
Luhn check. The serial number of a phone passes it too, and is none. The time grows with the length
of the text and no faster.
"""

import re
from collections.abc import Iterator

DIGIT_RUN = re.compile(
    r"(?<!\d)\d(?:(?:\s?[.\-\u2010-\u2013]\s?|[ \u00a0]{1,3}|_)?\d){12,}"
    r"|(?<!\d)\d{4}(\s?[,/]\s?|\s{1,3})\d{4}\1\d{4}\1\d{1,7}(?!\d)"
)
"""Digits in groups, parted by spaces, signs or " - "; by lines, commas or slashes only in fours.

Phone numbers and dates in a list are parted by those too, and they are kept.
"""
GROUP = re.compile(r"\d+")
SECURITY_CODE = re.compile(
    r"\b(cvv2?|cvc2?|cvn|cid|security code|c[oó]digo de seguridad|رمز الأمان)(\W{0,5}(?:is|es)?\W{0,3})\d{3,4}(?!\d)",
    re.IGNORECASE,
)
LENGTHS = range(13, 20)
FIRST_DIGITS = "23456"
BY_LENGTH = {14: ("30", "36", "38", "39"), 15: ("34", "37")}
"""Networks with numbers of these lengths; others of 15 digits are serial numbers of phones."""
KEPT_DIGITS = 4
"""The last digits, by which the customer knows the card."""


def mask_card_numbers(text: str) -> str:
    """The text with stars for all but the last digits of card numbers, and for the code beside one."""
    masked = DIGIT_RUN.sub(lambda run: _mask_run(run[0]), text)
    if masked == text:
        return text
    return SECURITY_CODE.sub(lambda match: f"{match[1]}{match[2]}***", masked)


def _mask_run(run: str) -> str:
    """The run with its card numbers masked. A card number begins and ends with a group."""
    groups = list(GROUP.finditer(run))
    parts, shown, place = [], 0, 0
    while place < len(groups):
        end = next(_card_ends(groups, place), None)
        if end is None:
            place += 1
            continue
        last = "".join(group[0] for group in groups[place : end + 1])[-KEPT_DIGITS:]
        parts += [run[shown : groups[place].start()], f"****{last}"]
        shown, place = groups[end].end(), end + 1
    return "".join([*parts, run[shown:]])


def _card_ends(groups: list[re.Match[str]], first: int) -> Iterator[int]:
    """The groups with which a card number ends that begins with the first one, the longest first."""
    digits, ends = "", []
    for place in range(first, len(groups)):
        digits += groups[place][0]
        if len(digits) > LENGTHS[-1]:
            break
        if _is_card_number(digits):
            ends.append(place)
    return reversed(ends)


def _is_card_number(digits: str) -> bool:
    plain = "".join(str(int(digit)) for digit in digits)
    is_network = plain.startswith(BY_LENGTH.get(len(plain), tuple(FIRST_DIGITS)))
    return len(plain) in LENGTHS and is_network and _passes_luhn(plain)


def _passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0

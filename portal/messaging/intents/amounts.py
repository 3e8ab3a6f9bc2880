"""Amounts of money in a text: "$1,289.50", "75 EUR", "for 75"."""

import re
from decimal import Decimal

_NUMBER = r"\d+(?:[.,]\d+)*"
_AMOUNT = re.compile(
    rf"[$£€]\s?({_NUMBER})"
    rf"|({_NUMBER})\s?(?:[$£€]|(?:usd|eur|gbp|dollars?|bucks|pounds|quid|euros?|dólares|libras)\b)"
    rf"|\b(?:for|por|مقابل)\s({_NUMBER})(?!\s?(?:h\b|hours?|days?|min|%|[ap]m\b|:))",
    re.IGNORECASE,
)
_CENTS = re.compile(r"[.,](\d{1,2})$")


def read_amounts(text: str) -> frozenset[Decimal]:
    """The amounts of money that the text names, whatever their currency."""
    return frozenset(_value(next(filter(None, match.groups()))) for match in _AMOUNT.finditer(text))


def _value(number: str) -> Decimal:
    """A last part of one or two digits is cents; every other mark groups thousands."""
    cents = _CENTS.search(number)
    whole = number[: cents.start()] if cents else number
    return Decimal(f"{re.sub('[.,]', '', whole)}.{cents[1] if cents else 0}")

"""The public reference of a request, such as ``CARD-7K4M-2Q9``."""

import re
import secrets

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that are not confused when read out: no 0/O, 1/I/L, U/V."""

REFERENCE_PATTERN = re.compile(
    rf"\b[A-Z0-9]{{1,8}}-[{REFERENCE_ALPHABET}]{{4}}-[{REFERENCE_ALPHABET}]{{3}}\b"
)
"""Finds a reference within a text in capitals."""


def new_reference(prefix: str) -> str:
    """A random reference with this prefix, one of 30**7."""
    letters = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(7))
    return f"{prefix}-{letters[:4]}-{letters[4:]}"

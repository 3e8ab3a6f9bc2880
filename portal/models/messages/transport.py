"""What carries a text between a customer's phone and us."""

from enum import StrEnum


class Transport(StrEnum):
    """The service that carried a text. The number, its person and its consent are the same by each."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    RCS = "rcs"

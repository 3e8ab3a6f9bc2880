"""A code that shows that whoever has the link also has the customer's own phone or mailbox."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import moment, primary_key, refers_to, word, words
from portal.models.people.customer import Channel

DIGITS = 6
LASTS = timedelta(minutes=10)
MOST_TRIES = 5
MOST_IN_AN_HOUR, MOST_IN_A_DAY = 3, 8
"""Codes for one customer. With five tries each, a guesser has 40 of a million in a day."""
ONCE_IN = timedelta(seconds=30)
"""Asked again so soon (a button pressed twice), the code that is on its way is enough."""
BYTES = 16


class AccessCode(SQLModel, table=True):
    """One code for one request, sent to one address.

    The digits are written nowhere: they are made from the ``nonce`` with the secret key, where the
    text is handed over and where they come back.
    """

    __tablename__ = "access_code"
    __table_args__ = (
        # Serves: the newest code of a request.
        sa.Index("ix_access_code_request", "request_id", "id"),
        # Serves: how many a customer was sent of late.
        sa.Index("ix_access_code_customer", "customer_id", "made_at"),
    )

    id: int | None = primary_key()
    request_id: int = refers_to("service_request.id")
    customer_id: int = refers_to("customer.id")
    channel: Channel = word(Channel)
    address: str = words(254)
    nonce: str = Field(default_factory=lambda: secrets.token_hex(BYTES), max_length=32)
    tries: int = 0
    made_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(nullable=True)

    @property
    def cause(self) -> str:
        """The cause of the message that carries it."""
        return f"code:{self.nonce}"

    def is_open(self, now: datetime) -> bool:
        """It may still be typed in."""
        return self.used_at is None and now < self.expires_at and self.tries < MOST_TRIES

    def was_just_made(self, now: datetime) -> bool:
        """It is on its way: another would only confuse."""
        return self.is_open(now) and now - self.made_at < ONCE_IN

    def take(self, typed: str, keys: Iterable[str], now: datetime) -> bool:
        """Count a try; True where these are its digits and it is still open. It is used then.

        ``keys`` are all that are still accepted. What is compared takes the same time whether it
        is right, wrong or too late.
        """
        matches = [hmac.compare_digest(digits(key, self.nonce), typed) for key in keys]
        good = any(matches) and self.is_open(now)
        self.tries = min(self.tries + 1, MOST_TRIES)
        if good:
            self.used_at = now
        return good


def digits(key: str, nonce: str) -> str:
    """The six digits of this nonce under this secret key."""
    seal = hmac.digest(key.encode(), f"access code {nonce}".encode(), hashlib.sha256)
    return str(int.from_bytes(seal) % 10**DIGITS).zfill(DIGITS)


def are_enough(made_at: Sequence[datetime], now: datetime) -> bool:
    """Whether so many codes, made at these moments, are all that one customer is sent for now."""
    in_a_day = [at for at in made_at if now - at < timedelta(days=1)]
    in_an_hour = [at for at in in_a_day if now - at < timedelta(hours=1)]
    return len(in_an_hour) >= MOST_IN_AN_HOUR or len(in_a_day) >= MOST_IN_A_DAY

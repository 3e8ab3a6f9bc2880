"""A code that proves access to the customer's own phone or mailbox."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import (
    enum_column,
    foreign_key_column,
    primary_key,
    text_column,
    timestamp_column,
)
from portal.models.people.customer import Channel

CODE_LENGTH = 6
CODE_LIFETIME = timedelta(minutes=10)
MAX_CODE_ATTEMPTS = 5
MAX_CODES_PER_HOUR, MAX_CODES_PER_DAY = 3, 8
"""Codes for one customer in a day. With five attempts each, 40 guesses of a million."""
RESEND_INTERVAL = timedelta(seconds=30)
"""Within this time another request for a code (a button pressed twice) sends no second one."""
BYTES = 16


class VerificationCode(SQLModel, table=True):
    """One code for one request, sent to one address.

    Its digits are stored nowhere: they are derived from the ``nonce`` and the secret key when
    the text is sent and when the digits are submitted.
    """

    __tablename__ = "verification_code"
    __table_args__ = (
        # Serves: the newest code of a request.
        sa.Index("ix_verification_code_request", "request_id", "id"),
        # Serves: how many a customer was sent recently.
        sa.Index("ix_verification_code_customer", "customer_id", "created_at"),
    )

    id: int | None = primary_key()
    request_id: int = foreign_key_column("service_request.id")
    customer_id: int = foreign_key_column("customer.id")
    channel: Channel = enum_column(Channel)
    address: str = text_column(254)
    # It proves this address, which is not the customer's yet; it makes no browser trusted.
    is_new_address: bool = False
    nonce: str = Field(default_factory=lambda: secrets.token_hex(BYTES), max_length=32)
    attempts: int = 0
    created_at: datetime = timestamp_column()
    expires_at: datetime = timestamp_column()
    used_at: datetime | None = timestamp_column(nullable=True)

    @property
    def cause(self) -> str:
        """The cause of the message that carries it."""
        return f"code:{self.nonce}"

    def is_open(self, now: datetime) -> bool:
        """It may still be typed in."""
        return self.used_at is None and now < self.expires_at and self.attempts < MAX_CODE_ATTEMPTS

    def was_just_sent(self, now: datetime) -> bool:
        """Whether the code was sent so recently that another would only confuse."""
        return self.is_open(now) and now - self.created_at < RESEND_INTERVAL

    def verify(self, digits: str, keys: Iterable[str], now: datetime) -> bool:
        """Count an attempt; True where the digits are right and the code valid, which is then used.

        ``keys`` are all secret keys still accepted. The comparison takes the same time whether the
        digits are right, wrong or late.
        """
        matches = [hmac.compare_digest(derive_code(key, self.nonce), digits) for key in keys]
        is_valid = any(matches) and self.is_open(now)
        self.attempts = min(self.attempts + 1, MAX_CODE_ATTEMPTS)
        if is_valid:
            self.used_at = now
        return is_valid


def derive_code(key: str, nonce: str) -> str:
    """The six digits of this nonce under this secret key."""
    mac = hmac.digest(key.encode(), f"access code {nonce}".encode(), hashlib.sha256)
    return str(int.from_bytes(mac) % 10**CODE_LENGTH).zfill(CODE_LENGTH)


def is_code_limit_reached(created_at: Sequence[datetime], now: datetime) -> bool:
    """Whether no further code is sent for now, after those made at these times."""
    in_a_day = [at for at in created_at if now - at < timedelta(days=1)]
    in_an_hour = [at for at in in_a_day if now - at < timedelta(hours=1)]
    return len(in_an_hour) >= MAX_CODES_PER_HOUR or len(in_a_day) >= MAX_CODES_PER_DAY

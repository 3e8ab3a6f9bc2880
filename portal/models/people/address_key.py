"""The random key with which this installation hashes what identifies an erased person."""

import hashlib
import hmac
import secrets
from datetime import datetime

from sqlmodel import Field, SQLModel

from portal.models.columns import text_column, timestamp_column

KEY_BYTES = 32


class AddressKey(SQLModel, table=True):
    """One row. It never changes: with another key no erased address would be recognised again.

    A digest is recognised with the key and cannot be read back. The key is in the same database,
    so whoever has all of it can test a number that they already know.
    """

    __tablename__ = "address_key"

    id: int = Field(default=1, primary_key=True)
    key: str = text_column(64)
    created_at: datetime = timestamp_column()

    @classmethod
    def make(cls, now: datetime) -> "AddressKey":
        """A new random key of 256 bits."""
        return cls(key=secrets.token_hex(KEY_BYTES), created_at=now)

    def digest(self, text: str) -> str:
        """HMAC-SHA-256 (RFC 2104) of the text, in hexadecimal."""
        return hmac.digest(bytes.fromhex(self.key), text.encode(), hashlib.sha256).hex()

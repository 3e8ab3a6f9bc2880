"""A photo of a member of staff, as their customers see it."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import timestamp_column

DIGEST_LENGTH = 32
"""Letters of the digest in the photo's URL: 128 bits of a SHA-256, in hexadecimal."""


class StaffPhoto(SQLModel, table=True):
    """The photo of one person: a small square WebP without metadata, stored with its digest.

    It is a row of its own, since staff are read far more often than photos.
    """

    __tablename__ = "staff_photo"

    staff_member_id: int = Field(foreign_key="staff_member.id", primary_key=True)
    digest: str = Field(max_length=DIGEST_LENGTH)
    image: bytes = Field(sa_type=sa.LargeBinary)
    created_at: datetime = timestamp_column()

"""A browser that gets notifications, its push service, and what staff write."""

import base64
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pywebpush import WebPushException
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.database import Database
from portal.models import (
    Message,
    PushSubscription,
    ServiceRequest,
)
from portal.operations import write_to_customer
from tests.support.factories import Organisation

SERVICE = "https://push.example.com/send/abc"


def text_of(data: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Browser:
    """A browser's end of a subscription, and a push service that answers ``status``.

    For the endpoint ``broken`` the library fails; that of ``gone`` has ended.
    """

    status: int = 201
    broken: str = ""
    gone: str = ""
    shown: list[dict[str, str]] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = b"sixteen letters!"

    @property
    def form(self) -> dict[str, str]:
        """What the page's script sends."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": SERVICE, "p256dh": text_of(point), "auth": text_of(self.auth)}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take one call, and decrypt it as the browser does (RFC 8291)."""
        self.calls.append((url, headers))
        if url == self.broken:
            raise WebPushException("no such key")
        if url == self.gone:
            return 410
        if self.status == 201:
            plain = http_ece.decrypt(
                body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
            )
            self.shown.append(json.loads(plain))
        return self.status


@dataclass
class ReadOnlyDatabase:
    """A database that reads, and takes no change."""

    database: Database

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.database.reading()

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        raise OSError("read-only")


async def write(organisation: Organisation, request: ServiceRequest) -> Message:
    """Tess writes; the message as it is afterwards."""
    tess = organisation.people.tess.actor
    await organisation.run(write_to_customer, request, "Your card is gold: [link]", by=tess)
    return (await organisation.messages())[-1]


async def subscriptions(organisation: Organisation) -> int:
    """How many browsers get notifications."""
    async with organisation.database.reading() as session:
        return len((await session.exec(select(PushSubscription))).all())

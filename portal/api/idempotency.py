"""``Idempotency-Key``: a call that is repeated with the same key acts once."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request

from portal import business_time
from portal.errors import BadInput
from portal.models import ApiKey, IdempotentResponse
from portal.models.columns import saved_id
from portal.operations import UnitOfWork

RETENTION = timedelta(hours=24)
MAX_LENGTH = 255


@dataclass(frozen=True)
class IdempotentCall:
    """A call with an ``Idempotency-Key`` of the caller.

    A rejected call is not stored: it has changed nothing and may be sent again, corrected.
    """

    api_key_id: int
    name: str
    hash: str

    @classmethod
    def of(cls, request: Request, key: ApiKey, document: dict[str, Any]) -> Self | None:
        """The call by its ``Idempotency-Key``; None without one. Raises BadInput for a bad one."""
        name = request.headers.get("idempotency-key")
        if name is None:
            return None
        if not (0 < len(name) <= MAX_LENGTH and name.isascii() and name.isprintable()):
            raise BadInput(f"An Idempotency-Key has 1 to {MAX_LENGTH} plain letters.")
        call = f"{request.url.path}\n{json.dumps(document, sort_keys=True)}"
        return cls(saved_id(key), name, hashlib.sha256(call.encode()).hexdigest())

    async def find(self, session: AsyncSession) -> IdempotentResponse | None:
        """The first response. Raises BadInput where the key belongs to another call."""
        query = select(IdempotentResponse).where(
            col(IdempotentResponse.api_key_id) == self.api_key_id,
            col(IdempotentResponse.idempotency_key) == self.name,
        )
        response = (await session.exec(query)).one_or_none()
        if response is None or response.created_at <= business_time.now() - RETENTION:
            return None
        if response.body_hash != self.hash:
            raise BadInput("This Idempotency-Key was sent before, with another call or body.")
        return response

    async def begin(self, uow: UnitOfWork) -> IdempotentResponse:
        """Store the key. A concurrent call with it waits here until this one ends.

        On PostgreSQL it then raises IntegrityError; SQLite has one writer at a time.
        """
        await uow.session.exec(
            sa.delete(IdempotentResponse).where(
                col(IdempotentResponse.api_key_id) == self.api_key_id,
                col(IdempotentResponse.idempotency_key) == self.name,
                col(IdempotentResponse.created_at) <= uow.now - RETENTION,
            )
        )
        response = IdempotentResponse(
            api_key_id=self.api_key_id,
            idempotency_key=self.name,
            body_hash=self.hash,
            created_at=uow.now,
        )
        uow.session.add(response)
        await uow.session.flush()
        return response

"""Doing a thing once, however often the call is repeated: ``Idempotency-Key``."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import sqlalchemy as sa
from sqlmodel import col, select
from starlette.requests import Request

from portal.errors import BadInput
from portal.models import ApiKey, IdempotentResponse
from portal.models.columns import saved_id
from portal.operations import UnitOfWork

RETENTION = timedelta(hours=24)
MAX_LENGTH = 255


@dataclass(frozen=True)
class IdempotentCall:
    """A call that may be a repeat, known by the caller's own key for it.

    What is refused is not remembered: it has done nothing, and may be put right and sent again.
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
        said = f"{request.url.path}\n{json.dumps(document, sort_keys=True)}"
        return cls(saved_id(key), name, hashlib.sha256(said.encode()).hexdigest())

    async def find(self, uow: UnitOfWork) -> IdempotentResponse | None:
        """What was answered the first time. Raises BadInput where that was another call."""
        query = select(IdempotentResponse).where(
            col(IdempotentResponse.api_key_id) == self.api_key_id,
            col(IdempotentResponse.idempotency_key) == self.name,
        )
        found = (await uow.session.exec(query)).one_or_none()
        if found is None or found.created_at <= uow.now - RETENTION:
            return None
        if found.body_hash != self.hash:
            raise BadInput("This Idempotency-Key was sent before, with another call or body.")
        return found

    async def begin(self, uow: UnitOfWork) -> IdempotentResponse:
        """Take the key. A second call at the same moment waits here, and fails if we succeed.

        It fails with IntegrityError on PostgreSQL; on SQLite there is one writer at a time.
        """
        await uow.session.exec(
            sa.delete(IdempotentResponse).where(
                col(IdempotentResponse.api_key_id) == self.api_key_id,
                col(IdempotentResponse.idempotency_key) == self.name,
                col(IdempotentResponse.created_at) <= uow.now - RETENTION,
            )
        )
        kept = IdempotentResponse(
            api_key_id=self.api_key_id,
            idempotency_key=self.name,
            body_hash=self.hash,
            created_at=uow.now,
        )
        uow.session.add(kept)
        await uow.session.flush()
        return kept

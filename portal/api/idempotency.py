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
from portal.models import ApiKey, IdempotentAnswer
from portal.operations import Turn

REMEMBERED = timedelta(hours=24)
LONGEST = 255


@dataclass(frozen=True)
class Repeat:
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
        if not (0 < len(name) <= LONGEST and name.isascii() and name.isprintable()):
            raise BadInput(f"An Idempotency-Key has 1 to {LONGEST} plain letters.")
        said = f"{request.url.path}\n{json.dumps(document, sort_keys=True)}"
        return cls(key.id or 0, name, hashlib.sha256(said.encode()).hexdigest())

    async def find(self, turn: Turn) -> IdempotentAnswer | None:
        """What was answered the first time. Raises BadInput where that was another call."""
        query = select(IdempotentAnswer).where(
            col(IdempotentAnswer.api_key_id) == self.api_key_id,
            col(IdempotentAnswer.idempotency_key) == self.name,
        )
        found = (await turn.session.exec(query)).one_or_none()
        if found is None or found.created_at <= turn.now - REMEMBERED:
            return None
        if found.body_hash != self.hash:
            raise BadInput("This Idempotency-Key was sent before, with another call or body.")
        return found

    async def begin(self, turn: Turn) -> IdempotentAnswer:
        """Take the key. A second call at the same moment waits here, and fails if we succeed.

        It fails with IntegrityError on PostgreSQL; on SQLite there is one writer at a time.
        """
        await turn.session.exec(
            sa.delete(IdempotentAnswer).where(
                col(IdempotentAnswer.api_key_id) == self.api_key_id,
                col(IdempotentAnswer.idempotency_key) == self.name,
                col(IdempotentAnswer.created_at) <= turn.now - REMEMBERED,
            )
        )
        kept = IdempotentAnswer(
            api_key_id=self.api_key_id,
            idempotency_key=self.name,
            body_hash=self.hash,
            created_at=turn.now,
        )
        turn.session.add(kept)
        await turn.session.flush()
        return kept

"""Rows that cannot be processed: each fails alone, is put before a person, and is tried again later."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.database_errors import describe, is_database_away
from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import (
    SYSTEM_ACTOR,
    DeliveryReason,
    DroppedBallKind,
    JobFailure,
    Message,
    MessageStatus,
)
from portal.operations import Operations
from portal.operations.dropped_balls.resolution import raise_dropped_ball, resolve_dropped_balls

log = structlog.get_logger()

UNSETTLED = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)


class FailingRows:
    """Remembers which rows of which job failed, so that they do not come back at each round."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def waiting(self, session: AsyncSession, job: str, now: datetime) -> Collection[int]:
        """The rows of this job that are not tried again yet."""
        query = select(JobFailure.row_id).where(
            col(JobFailure.job) == job, col(JobFailure.retry_at) > now
        )
        return (await session.exec(query)).all()

    async def due(self, session: AsyncSession, job: str, now: datetime) -> Collection[int]:
        """The rows of this job that failed, and are tried again now."""
        query = select(JobFailure.row_id).where(
            col(JobFailure.job) == job, col(JobFailure.retry_at) <= now
        )
        return (await session.exec(query)).all()

    async def postpone(self, job: str, request_id: int, error: Exception) -> None:
        """Try this request again later, and put it before a person; nothing where the database is away."""
        if is_database_away(error):
            log.warning("the database is away", job=job, reason=describe(error))
            return
        log.error("a request could not be processed", job=job, request=request_id, exc_info=error)
        async with self._operations.database.transaction() as session:
            failure = await session.get(JobFailure, (job, request_id), with_for_update=True)
            failure = failure or JobFailure(job=job, row_id=request_id)
            failure.postpone(business_time.now())
            session.add(failure)
        text = (
            "Something stored about this request, such as a time zone, cannot be read, so Kept "
            f"could not do this: {job}. It tries again later."
        )
        await self._raise_ball(
            DroppedBallKind.UNREADABLE, f"{job}:{request_id}"[:64], text, request_id
        )

    async def succeed(self, job: str, request_id: int) -> None:
        """Forget the failure of this request: it has been processed."""
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            failure = await uow.session.get(JobFailure, (job, request_id))
            if failure is not None:
                await uow.session.delete(failure)
            await resolve_dropped_balls(uow, f"{job}:{request_id}"[:64], DroppedBallKind.UNREADABLE)

    async def set_message_aside(self, message_id: int, error: Exception) -> None:
        """Leave this message to a person: it is not sent, and holds up no other.

        Raises the error again where the database is away.
        """
        if is_database_away(error):
            raise error
        log.error("a message could not be processed", message=message_id, exc_info=error)
        async with self._operations.database.transaction() as session:
            connection = await session.connection()
            await connection.execute(
                sa.update(Message)
                .where(col(Message.id) == message_id, col(Message.status).in_(UNSETTLED))
                .values(
                    status=MessageStatus.REVIEW,
                    reason=DeliveryReason.UNREADABLE,
                    claim_token=None,
                )
            )
            about = sa.select(col(Message.request_id)).where(col(Message.id) == message_id)
            request_id = (await connection.execute(about)).scalar()
        await self._raise_ball(
            DroppedBallKind.MESSAGE_UNDELIVERED,
            f"message:{message_id}",
            reason_sentence(DeliveryReason.UNREADABLE),
            request_id,
        )

    async def _raise_ball(
        self, kind: DroppedBallKind, subject: str, detail: str, request_id: int | None
    ) -> None:
        """For the request's owner; where even the request cannot be read, for the manager."""
        for owner_of in (request_id, None):
            try:
                async with self._operations.begin(SYSTEM_ACTOR) as uow:
                    await raise_dropped_ball(uow, kind, subject, detail, request_id=owner_of)
            except Exception as error:
                if is_database_away(error):
                    raise
                log.warning("a dropped ball could not be raised", error=type(error).__name__)
            else:
                return

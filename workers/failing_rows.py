"""Rows that cannot be processed: each fails alone, is put before a person, and is tried again later."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlmodel import col

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
from portal.operations import Operations, UnitOfWork
from portal.operations.dropped_balls.resolution import raise_dropped_ball, resolve_dropped_balls
from portal.queries.job_failures import count_failures, find_failed, find_outdated_failures

log = structlog.get_logger()

BATCH_SIZE = 200
MAX_SINGLE_BALLS = 20
"""Failures of one job above which one ball is raised for the job, not one for each row."""
OUTDATED_AFTER = timedelta(hours=1)
"""Rows that are due are tried again within seconds of their time."""
UNSETTLED = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)

SENTENCES = {
    "reassignment": "The work of somebody absent could not be reassigned",
    "questions": "A question to the customer is due and could not be sent",
    "holds": "A hold is over and could not be ended",
    "updates": "An update to the customer is due and could not be sent",
    "detection": "Whether something is overdue could not be checked",
    "escalation": "Something overdue could not be given to a lead or a manager",
    "notices": "An e-mail to staff about what is overdue could not be written",
}
"""What could not be done, by job."""
ONE = "{}: something stored about it, such as a time zone, cannot be read. Kept tries again later."
MANY = (
    f"{{}}, more than {MAX_SINGLE_BALLS} times. Kept tries again later. Please show this to whoever "
    "runs Kept: the log has the cause."
)

BatchOperation = Callable[[UnitOfWork, Sequence[int]], Awaitable[object]]


class FailingRows:
    """Remembers which rows of which job failed, so that they do not come back at each round."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def process(
        self, job: str, rows: Mapping[int, int | None], operation: BatchOperation
    ) -> Collection[int]:
        """Process rows in one transaction; where that fails, each by itself. Gives those that failed.

        ``rows``: their ids, each with the id of the request that it is about. Raises where the
        database is away.
        """
        try:
            await self._run(operation, list(rows))
        except Exception as error:
            if is_database_away(error):
                raise
            log.warning("rows are processed one by one", job=job, error=type(error).__name__)
            failed = {
                row_id
                for row_id, request_id in rows.items()
                if not await self._process_one(job, row_id, request_id, operation)
            }
        else:
            failed = set()
        await self.succeed(job, [row_id for row_id in rows if row_id not in failed])
        return failed

    async def _process_one(
        self, job: str, row_id: int, request_id: int | None, operation: BatchOperation
    ) -> bool:
        try:
            await self._run(operation, [row_id])
        except Exception as error:
            if is_database_away(error):
                raise
            await self.postpone(job, row_id, error, request_id=request_id)
            return False
        return True

    async def _run(self, operation: BatchOperation, ids: Sequence[int]) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            await operation(uow, ids)

    async def postpone(
        self, job: str, row_id: int, error: Exception, *, request_id: int | None
    ) -> None:
        """Try this row again later, and put it before a person; nothing where the database is away.

        Where many rows fail, one ball is raised for the job: the fault is hardly of the rows.
        """
        if is_database_away(error):
            log.warning("the database is away", job=job, reason=describe(error))
            return
        async with self._operations.database.transaction() as session:
            failure = await session.get(JobFailure, (job, row_id), with_for_update=True)
            failure = failure or JobFailure(job=job, row_id=row_id)
            failure.postpone(business_time.now())
            session.add(failure)
            await session.flush()
            is_one_of_many = await count_failures(session, job) > MAX_SINGLE_BALLS
        log.error(
            "a row could not be processed",
            job=job,
            row=row_id,
            error=type(error).__name__,
            exc_info=None if is_one_of_many else error,
        )
        if is_one_of_many:
            await self._raise_ball(
                DroppedBallKind.UNREADABLE, job, MANY.format(SENTENCES[job]), None
            )
        else:
            text = ONE.format(SENTENCES[job])
            await self._raise_ball(
                DroppedBallKind.UNREADABLE, _subject(job, row_id), text, request_id
            )

    async def succeed(self, job: str, ids: Sequence[int]) -> None:
        """Forget the failures of these rows, and resolve their balls: they have been processed."""
        async with self._operations.database.reading() as session:
            failed = await find_failed(session, job, ids) if ids else ()
        for row_id in failed:
            await self._forget(job, row_id)

    async def forget_outdated(self, now: datetime) -> None:
        """Forget rows that were not tried again when they should: they are not due any more.

        The request was answered, cancelled or erased meanwhile.
        """
        while True:
            async with self._operations.database.reading() as session:
                outdated = await find_outdated_failures(session, now - OUTDATED_AFTER, BATCH_SIZE)
            for job, row_id in outdated:
                await self._forget(job, row_id)
            if len(outdated) < BATCH_SIZE:
                return

    async def _forget(self, job: str, row_id: int) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            failure = await uow.session.get(JobFailure, (job, row_id))
            if failure is not None:
                await uow.session.delete(failure)
                await uow.session.flush()
            await resolve_dropped_balls(uow, _subject(job, row_id), DroppedBallKind.UNREADABLE)
            if await count_failures(uow.session, job) <= MAX_SINGLE_BALLS:
                await resolve_dropped_balls(uow, job, DroppedBallKind.UNREADABLE)

    async def set_message_aside(self, message_id: int, error: Exception) -> None:
        """Leave this message to a person: it is not sent, and holds up no other.

        Raises the error again where the database is away.
        """
        if is_database_away(error):
            raise error
        log.error("a message could not be processed", message=message_id, exc_info=error)
        about = sa.select(col(Message.request_id)).where(col(Message.id) == message_id)
        async with self._operations.database.reading() as session:
            request_id = (await (await session.connection()).execute(about)).scalar()
        # Before the message is set aside: a kill in between has it found again, with its ball.
        await self._raise_ball(
            DroppedBallKind.MESSAGE_UNDELIVERED,
            f"message:{message_id}",
            reason_sentence(DeliveryReason.UNREADABLE),
            request_id,
        )
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


def _subject(job: str, row_id: int) -> str:
    return f"{job}:{row_id}"[:64]

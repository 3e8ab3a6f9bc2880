"""Once a day: what has been kept long enough is erased, and admins are reminded of what is due."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal import business_time
from portal.database_errors import describe, is_database_away
from portal.models import SYSTEM_ACTOR
from portal.operations import Operations
from portal.operations.privacy.person_requests import remind_admins
from portal.operations.privacy.retention import Retention

log = structlog.get_logger()

INTERVAL = timedelta(days=1)
RETRY_INTERVAL = timedelta(hours=1)
"""When a part that failed runs again."""


class DailyRetention:
    """Reminders and retention: each runs soon after the start of a worker, then every 24 hours.

    One that fails runs again after an hour, and does not stop the other. Several workers repeat each
    other's work without harm: what is erased is not found again.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._next_at: dict[str, datetime] = {}

    async def once(self) -> None:
        """Run what is due."""
        await self._run("reminders", self._remind)
        await self._run("retention", self._erase)

    async def _run(self, part: str, work: Callable[[datetime], Awaitable[None]]) -> None:
        now = business_time.now()
        if now < self._next_at.get(part, now):
            return
        self._next_at[part] = now + RETRY_INTERVAL
        try:
            await work(now)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and is_database_away(error):
                log.warning("retention waits for the database", part=part, reason=describe(error))
            else:
                log.exception("a part of retention failed", part=part, error=type(error).__name__)
        else:
            self._next_at[part] = now + INTERVAL

    async def _remind(self, _now: datetime) -> None:
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            await remind_admins(self._operations, uow)

    async def _erase(self, now: datetime) -> None:
        report = await Retention(self._operations, now).run()
        if not report.is_empty or report.failures:
            log.info(
                "retention",
                requests=len(report.requests),
                messages=report.messages,
                files=report.files,
                files_without_message=report.orphans,
                sign_ins=report.sign_ins,
                failures=report.failures,
            )

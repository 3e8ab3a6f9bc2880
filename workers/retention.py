"""Once a day: what has been kept long enough is erased, and admins are reminded of what is due."""

from datetime import datetime, timedelta

import structlog

from portal import business_time
from portal.models import SYSTEM_ACTOR
from portal.operations import Operations
from portal.operations.privacy.person_requests import remind_admins
from portal.operations.privacy.retention import Retention

log = structlog.get_logger()

INTERVAL = timedelta(days=1)


class DailyRetention:
    """Runs soon after the start of a worker, and then every 24 hours.

    Several workers repeat each other's work without harm: what is erased is not found again.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._next_at: datetime | None = None

    async def once(self) -> None:
        """Run it if it is due."""
        now = business_time.now()
        if self._next_at is not None and now < self._next_at:
            return
        self._next_at = now + INTERVAL
        async with self._operations.begin(SYSTEM_ACTOR) as uow:
            await remind_admins(self._operations, uow)
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

"""Measures how long stages take, so that the dates that customers get are realistic."""

from datetime import timedelta

from portal import business_time
from portal.database import Database
from portal.queries.stage_durations import last_measured_at, measure_stage_durations

MEASURE_EVERY = timedelta(minutes=10)


class DurationMeasurer:
    """Measures every ten minutes, in one of the workers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._checked_at = business_time.now() - MEASURE_EVERY

    async def once(self) -> None:
        """Measure, unless another worker did so within ten minutes."""
        now = business_time.now()
        if now - self._checked_at < MEASURE_EVERY:
            return
        self._checked_at = now
        async with self._database.reading() as session:
            last = await last_measured_at(session)
        if last is not None and now - last < MEASURE_EVERY:
            return
        async with self._database.transaction() as session:
            await measure_stage_durations(session, now)

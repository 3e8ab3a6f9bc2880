"""Measuring how long things take, so that the dates that we give are dates that we believe in."""

from datetime import timedelta

from portal import business_time
from portal.database import Database
from portal.queries.stage_durations import last_measured_at, measure_stage_durations

MEASURE_EVERY = timedelta(minutes=10)


class DurationMeasurer:
    """Measures every ten minutes, whichever of the workers comes to it first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_at = business_time.now() - MEASURE_EVERY

    async def once(self) -> None:
        """Measure, where nobody has lately; otherwise nothing."""
        now = business_time.now()
        if now - self._looked_at < MEASURE_EVERY:
            return
        self._looked_at = now
        async with self._database.reading() as session:
            last = await last_measured_at(session)
        if last is not None and now - last < MEASURE_EVERY:
            return
        async with self._database.transaction() as session:
            await measure_stage_durations(session, now)

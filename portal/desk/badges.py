"""The counts in the bar above each page of the desk."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff
from portal.queries.desk.dropped_balls import count_open_dropped_balls
from portal.queries.desk.failed_messages import count_failed_messages, sending_alerts
from portal.queries.desk.inbox import count_due_replies
from portal.queries.paging import WorkScope


class Badges(NamedTuple):
    """The counts of what a member of staff has to do; 100 means 100 or more."""

    due_reply_count: int = 0
    """Answers and calls that are promised to customers of theirs."""
    failed_message_count: int = 0
    """Messages that need them."""
    dropped_ball_count: int = 0
    """Dropped balls that are theirs."""
    alerts: Sequence[str] = ()
    """What stops or limits all sending, for those who oversee."""


async def load_badges(session: AsyncSession, reader: CurrentStaff) -> Badges:
    """The counts as they are now. Only pages show them, so a redirect does without."""
    now, staff = business_time.now(), reader.staff
    return Badges(
        due_reply_count=(await count_due_replies(session, reader.inbox, now))[0],
        failed_message_count=await count_failed_messages(session, now, reader.scope),
        dropped_ball_count=await count_open_dropped_balls(session, WorkScope(person_id=staff.id)),
        alerts=await sending_alerts(session) if staff.manages_all else (),
    )

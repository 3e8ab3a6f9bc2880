"""The workflow and look-ups that the tests of proactive updates share."""

from datetime import UTC, datetime

from portal.models import MessageKind, ServiceRequest
from tests.support.factories import Organisation
from workers.sweep import Sweep

START = datetime(2025, 6, 3, 14, tzinfo=UTC)  # Tuesday, 10:00 in New York: the clock's fixture


UPDATED = """
key = "update"
name = "Visa"
timezone = "America/New_York"
[departments.office]
name = "Visa Office"
hours = "Mon-Fri 09:00-17:00"
accept_within = "4bh"
[[stages]]
key = "work"
department = "telesales"
title = "We look at your papers"
expected = "20d"
update_every = "2d"
[[stages]]
key = "stamp"
department = "office"
title = "Your visa is being stamped"
expected = "20d"
update_every = "2bd"
delay = "The printer is busy in June."
"""


async def sweep(organisation: Organisation) -> None:
    """One round of the worker's sweep, as it is now."""
    await Sweep(organisation.operations, lambda: None, "a worker").once()


async def words_of(
    organisation: Organisation, request: ServiceRequest, *kinds: MessageKind
) -> list[str]:
    """What the customer was told of these kinds, oldest first."""
    return [
        message.body
        for message in await organisation.outbound_messages(request)
        if message.kind in kinds
    ]

"""E-mails to staff about dropped balls."""

from datetime import timedelta

import pytest
import time_machine

from portal import operations as verbs
from portal.database import Database
from portal.models import Channel, MessageKind
from portal.operations import Operations
from portal.settings import Settings
from tests.support.dropped_ball_helpers import DetectionDriver
from tests.support.factories import Organisation

HOUR = timedelta(hours=1)


@pytest.fixture
def watch(
    clock: time_machine.Traveller, operations: Operations, database: Database
) -> DetectionDriver:
    """Somebody keeps watch."""
    return DetectionDriver(operations, clock, database)


async def test_assignee_gets_one_notification(
    watch: DetectionDriver, organisation: Organisation, operations: Operations, settings: Settings
) -> None:
    """Ten requests slip at once: one mail that names no customer, and none again at the next look."""
    operations.settings = settings.model_copy(
        update={"smtp_url": "smtp://127.0.0.1:9", "mail_from": "kept@acme.example"}
    )
    for number in range(10):
        customer = verbs.CustomerDetails(f"Ann {number}", f"+1415555{number:04}")
        await organisation.open(customer=customer, by=organisation.people.tess.actor)
    await watch.advance_clock(7 * HOUR)
    await watch.look()
    assert len(await watch.balls()) == 10
    notices = [
        message for message in await organisation.messages() if message.kind == MessageKind.NOTICE
    ]
    (notice,) = notices
    assert (notice.to_address, notice.channel) == ("tess@acme.example", Channel.EMAIL)
    assert notice.subject == "10 items need your attention"
    assert "Ann" not in notice.body


async def test_mail_about_an_account_delays_no_mail_about_balls(
    watch: DetectionDriver, organisation: Organisation, operations: Operations, settings: Settings
) -> None:
    operations.settings = settings.model_copy(
        update={"smtp_url": "smtp://127.0.0.1:9", "mail_from": "kept@acme.example"}
    )
    tess = organisation.people.tess
    await organisation.open(by=tess.actor)
    watch.clock.shift(7 * HOUR)
    async with operations.begin(tess.actor) as uow:
        await uow.outbox.queue_staff_notice(
            "account:1", tess.email, "New sign-in", "You signed in."
        )
    await watch.look()
    causes = [
        message.cause
        for message in await organisation.messages()
        if message.kind == MessageKind.NOTICE
    ]
    assert [cause.split(":")[0] for cause in causes] == ["account", "ball"]

"""The activity log of a request: one line for each event shown, built by its kind."""

from collections import Counter
from typing import Any

import pytest
from sqlmodel import col, func, select

from portal import operations as verbs
from portal.desk.request import activity_log
from portal.desk.request.activity_log import DESCRIPTIONS, Description
from portal.models import ContactChannel, ContactReason, Event, EventKind, ServiceRequest
from tests.support.desk_client import visible_text
from tests.support.factories import Organisation


def test_every_kind_of_event_has_a_line() -> None:
    assert set(DESCRIPTIONS) == set(EventKind)


async def test_page_builds_each_activity_line_once(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tess = await desk_clients("tess")
    built: Counter[EventKind] = Counter()

    def counted(kind: EventKind, describe: Description) -> Description:
        def line(event: Event, stage: str) -> str:
            built[kind] += 1
            return describe(event, stage)

        return line

    monkeypatch.setattr(
        activity_log,
        "DESCRIPTIONS",
        {kind: counted(kind, describe) for kind, describe in DESCRIPTIONS.items()},
    )
    await tess.page(card_request)
    async with organisation.database.reading() as session:
        events = select(Event.kind, func.count()).where(col(Event.request_id) == card_request.id)
        expected = dict((await session.exec(events.group_by(col(Event.kind)))).all())
    assert built == expected


async def test_logged_call_shows_its_note_and_reason_once(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(
        verbs.log_contact, card_request, channel=ContactChannel.CALL,
        reason=ContactReason.COMPLAINT, note="Wants the fee back.",
        by=organisation.people.tess.actor,
    )  # fmt: skip
    page = visible_text(await (await desk_clients("tess")).page(card_request))
    assert "The customer called (complaint): Wants the fee back." in page

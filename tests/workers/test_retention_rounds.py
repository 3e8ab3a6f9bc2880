"""The rounds of retention: once a day, repeated after a failure, with reminders to the admins."""

import os
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlmodel import col, select

from portal.database import Database
from portal.models import SYSTEM_ACTOR, Message, MessageKind, PersonRequest
from portal.operations import CustomerDetails, Operations
from portal.operations.privacy.person_requests import record_person_request
from portal.operations.privacy.retention import Retention
from portal.settings import Settings
from tests.support.factories import MARTIN, Organisation
from tests.workers.conftest import close, keeping
from tests.workers.odd_rows import execute, open_for

Clock = time_machine.Traveller


async def test_request_that_cannot_be_erased_stops_no_other(
    clock: Clock,
    organisation: Organisation,
    operations: Operations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mona = organisation.people.mona.actor
    people = [CustomerDetails(f"Person {n}", f"+1415555010{n}") for n in range(3)]
    requests = [
        await close(organisation, await organisation.open(customer=person, by=mona))
        for person in people
    ]
    clock.shift(timedelta(days=40))
    from portal.operations.privacy import retention  # noqa: PLC0415 (its verb is replaced)

    erase_closed_request = retention.erase_closed_request

    async def fail_once(operations: Operations, actor: Any, request_id: int, *more: Any) -> None:
        if request_id == requests[0].id:
            raise ValueError("a row that cannot be read")
        await erase_closed_request(operations, actor, request_id, *more)

    monkeypatch.setattr(retention, "erase_closed_request", fail_once)
    await keeping(operations, keep_closed_requests_days=30).once()
    erased = [(await organisation.reload(request)).erased_at is not None for request in requests]
    assert erased == [False, True, True]


async def test_it_runs_once_a_day(
    clock: Clock, organisation: Organisation, operations: Operations
) -> None:
    request = await close(organisation, await organisation.open(by=organisation.people.mona.actor))
    rounds = keeping(operations, keep_closed_requests_days=1)
    await rounds.once()
    clock.shift(timedelta(hours=23))
    await rounds.once()
    clock.shift(timedelta(hours=2))
    assert (await organisation.reload(request)).erased_at is None
    await rounds.once()
    assert (await organisation.reload(request)).erased_at is not None


async def test_run_that_failed_is_repeated_after_an_hour(
    clock: Clock, organisation: Organisation, operations: Operations
) -> None:
    request = await close(organisation, await organisation.open(by=organisation.people.mona.actor))
    rounds = keeping(operations, keep_closed_requests_days=1)
    clock.shift(timedelta(days=2))
    await execute(organisation, "ALTER TABLE service_request RENAME TO away")
    await rounds.once()
    await execute(organisation, "ALTER TABLE away RENAME TO service_request")
    await rounds.once()
    assert (await organisation.reload(request)).erased_at is None
    clock.shift(timedelta(hours=1))
    await rounds.once()
    assert (await organisation.reload(request)).erased_at is not None


async def test_reminder_that_fails_stops_no_retention_and_comes_an_hour_later(
    clock: Clock, organisation: Organisation, operations: Operations, database: Database
) -> None:
    request = await close(organisation, await organisation.open(by=organisation.people.mona.actor))
    await open_for(organisation, "+14152000001")
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await record_person_request(uow, "export", "+14152000001")
    mail = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "desk@acme.example"}
    rounds = keeping(operations, keep_closed_requests_days=1, **mail)
    clock.shift(timedelta(days=24))
    await execute(organisation, "UPDATE person_request SET kind = 'unheard of'")
    await rounds.once()
    assert (await organisation.reload(request)).erased_at is not None
    await execute(organisation, "UPDATE person_request SET kind = 'export'")
    clock.shift(timedelta(hours=1))
    await rounds.once()
    assert len(await _mails(database)) == 1


async def test_admins_are_mailed_about_requests_due_within_a_week_once_a_day(
    clock: Clock, organisation: Organisation, operations: Operations, database: Database
) -> None:
    await organisation.open(by=organisation.people.mona.actor)
    async with operations.begin(SYSTEM_ACTOR) as uow:
        recorded = await record_person_request(uow, "erase", MARTIN.phone or "")
    assert (recorded.received_at.month, recorded.due_at.month) == (6, 7)
    mail = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "desk@acme.example"}
    await keeping(operations, **mail).once()
    assert await _mails(database) == []
    clock.shift(timedelta(days=24))
    for _ in range(2):
        await keeping(operations, **mail).once()
    [notice] = await _mails(database)
    assert notice.to_address == "ada@acme.example"
    assert "1 request" in notice.body
    assert "03 July 2025" in notice.body
    clock.shift(timedelta(days=1))
    async with database.transaction() as session:
        [row] = await session.exec(select(PersonRequest))
        row.done_at = row.due_at
    await keeping(operations, **mail).once()
    assert len(await _mails(database)) == 1


async def _mails(database: Database) -> list[Message]:
    query = select(Message).where(col(Message.kind) == MessageKind.NOTICE)
    async with database.reading() as session:
        return list((await session.exec(query)).all())


async def test_sign_ins_that_cannot_be_erased_stop_nothing_else(
    organisation: Organisation,
    operations: Operations,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stale = settings.files_dir / "aa" / ("a" * 64)
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"x")
    os.utime(stale, (0, 0))

    async def fail(*_: object) -> None:
        raise ValueError("a row that cannot be read")

    monkeypatch.setattr(Retention, "_sign_ins", fail)
    await keeping(operations).once()
    assert not stale.exists()

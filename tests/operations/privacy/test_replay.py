"""An older backup brings erased people back; the list of erasures erases them again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import SQLModel, col, select, update
from typer.testing import CliRunner

from portal.cli import app as kept_app
from portal.cli import person as person_commands
from portal.database import Database
from portal.errors import BadInput, Conflict
from portal.models import SYSTEM_ACTOR, Message, MessageStatus, PersonRequest
from portal.operations import CustomerDetails, Operations
from portal.operations.privacy import erase
from portal.operations.privacy.erase import erase_person
from portal.operations.privacy.erasure_list import ErasureList
from portal.operations.privacy.export import export_person
from portal.operations.privacy.person_requests import record_person_request
from portal.operations.privacy.replay import Replay, replay_erasures
from portal.settings import Settings
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import CustomerPhone

TABLES = (
    "customer", "contact_point", "message", "service_request", "tracking_link", "consent",
    "person_request",
)  # fmt: skip
OLGA = CustomerDetails("Olga", "+14155550199")
STRANGER = "+14155557799"


@pytest.fixture
def settings(settings: Settings, tmp_path: Any) -> Settings:
    """With a data folder of its own."""
    return settings.model_copy(update={"data_dir": tmp_path / "data"})


async def test_list_of_erasures_is_replayed_on_an_older_database(
    organisation: Organisation, database: Database, settings: Settings, operations: Operations
) -> None:
    """A backup brings the person back; the list erases them again, and nobody else."""
    mona = organisation.people.mona.actor
    his = await organisation.open(customer=MARTIN, by=mona)
    hers = await organisation.open(customer=CustomerDetails("Olga", "+14155550199"), by=mona)
    backup = await _read(database, TABLES)
    await erase_person(operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True)
    listed = ErasureList.of(settings)
    assert "4155550132" not in listed.path.read_text()
    assert listed.path.stat().st_mode & 0o777 == 0o600
    await _write(database, backup)
    assert (await organisation.reload(his)).customer.name == "Martin Miller"
    assert len((await replay_erasures(operations, SYSTEM_ACTOR, listed.read())).erasures) == 1
    assert (await organisation.reload(his)).customer.name == "Erased person"
    assert (await organisation.reload(hers)).customer.name == "Olga"
    assert await replay_erasures(operations, SYSTEM_ACTOR, listed.read()) == Replay()


async def test_what_the_old_database_has_under_way_does_not_stop_the_replay(
    organisation: Organisation, database: Database, settings: Settings, operations: Operations
) -> None:
    """A message that is being sent, and a copy of the data that is owed."""
    mona = organisation.people.mona.actor
    requests = [await organisation.open(customer=person, by=mona) for person in (MARTIN, OLGA)]
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await record_person_request(uow, "export", OLGA.phone or "")
    await _set_status(database, MessageStatus.SENDING)
    backup = await _read(database, TABLES)
    await _set_status(database, MessageStatus.DELIVERED)
    await export_person(operations, SYSTEM_ACTOR, OLGA.phone or "", [], lambda _: None)
    for person in (MARTIN, OLGA):
        await erase_person(operations, SYSTEM_ACTOR, person.phone or "", cancel_open=True)
    await _write(database, backup)
    done = await replay_erasures(operations, SYSTEM_ACTOR, ErasureList.of(settings).read())
    assert (len(done.erasures), done.failures) == (2, [])
    for request in requests:
        assert (await organisation.reload(request)).customer.name == "Erased person"
    assert {message.status for message in await organisation.messages()} == {
        MessageStatus.SUPPRESSED
    }
    async with database.reading() as session:
        [row] = await session.exec(select(PersonRequest))
    assert row.done_at is not None
    assert "0199" not in row.address


async def test_who_cannot_be_erased_is_reported_and_stops_nobody_else(
    organisation: Organisation, database: Database, settings: Settings, operations: Operations,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    mona = organisation.people.mona.actor
    his, hers = [await organisation.open(customer=person, by=mona) for person in (MARTIN, OLGA)]
    backup = await _read(database, TABLES)
    for person in (MARTIN, OLGA):
        await erase_person(operations, SYSTEM_ACTOR, person.phone or "", cancel_open=True)
    await _write(database, backup)
    close_requests = erase._close_requests

    async def refuse_his(uow: Any, scope: Any, **options: Any) -> None:
        if his.id in scope.request_ids:
            raise Conflict("It cannot be cancelled.")
        await close_requests(uow, scope, **options)

    monkeypatch.setattr(erase, "_close_requests", refuse_his)
    monkeypatch.setattr(person_commands, "load", lambda _: settings)
    arguments = ["person", "erase", "--replay", str(ErasureList.of(settings).path)]
    done = await asyncio.to_thread(CliRunner().invoke, kept_app, arguments)
    assert done.exit_code == 1
    assert f"Not erased: customer {his.customer_id}: It cannot be cancelled." in done.output
    assert "2 were here" in done.output
    assert (await organisation.reload(his)).customer.name == "Martin Miller"
    assert (await organisation.reload(hers)).customer.name == "Erased person"


async def test_number_of_an_erased_stranger_may_be_a_customers_since(
    organisation: Organisation, database: Database, settings: Settings, operations: Operations,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    """What was written before the erasure goes; whose number it is today loses nothing."""
    phone = CustomerPhone(organisation)
    await phone("Hello, this is Otto", sender=STRANGER)
    backup = await _read(database, TABLES)
    await erase_person(operations, SYSTEM_ACTOR, STRANGER)
    clock.shift(timedelta(days=120))
    await _write(database, backup)
    await phone("Hello, this is Nina", sender=STRANGER)
    hers = await organisation.open(
        customer=CustomerDetails("Nina", STRANGER), by=organisation.people.mona.actor
    )
    entries = ErasureList.of(settings).read()
    done = await replay_erasures(operations, SYSTEM_ACTOR, entries)
    assert (len(done.erasures), done.failures) == (1, [])
    bodies = [message.body for message in await organisation.messages()]
    assert not any("Otto" in body for body in bodies)
    assert any("Nina" in body for body in bodies)
    request = await organisation.reload(hers)
    assert (request.customer.name, request.closed_at) == ("Nina", None)
    assert ErasureList.of(settings).read() == entries, "the time of the first erasure counts"
    assert await replay_erasures(operations, SYSTEM_ACTOR, entries) == Replay()


@pytest.mark.parametrize("line", ["2026-11-30T08:00:00+00:00", "yesterday abc", "a b c"])
def test_line_that_is_no_entry_is_named(settings: Settings, line: str) -> None:
    settings.data_dir.mkdir(parents=True)
    ErasureList.of(settings).path.write_text(f"2026-11-30T08:00:00+00:00 abc\n{line}\n")
    with pytest.raises(BadInput, match="Line 2 of"):
        ErasureList.of(settings).read()


async def _set_status(database: Database, status: MessageStatus) -> None:
    async with database.transaction() as session:
        await session.exec(update(Message).where(col(Message.id) > 0).values(status=status))


async def _read(database: Database, names: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    async with database.connection() as connection:
        return {
            name: [
                dict(row)
                for row in (
                    await connection.execute(sa.select(SQLModel.metadata.tables[name]))
                ).mappings()
            ]
            for name in names
        }


async def _write(database: Database, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Bring these rows back, as a restored backup does."""
    async with database.engine.begin() as connection:
        for name, backed_up in rows.items():
            table = SQLModel.metadata.tables[name]
            ids = set(await connection.scalars(sa.select(table.c.id)))
            for row in backed_up:
                if row["id"] in ids:
                    change = sa.update(table).where(table.c.id == row["id"]).values(row)
                else:
                    change = sa.insert(table).values(row)
                await connection.execute(change)

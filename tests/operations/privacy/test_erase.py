"""A person is erased: nothing of them is left in any table, file or free page of the database."""

from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, col, select

from portal.database import Database
from portal.errors import Conflict, NotAllowed, NotFound
from portal.models import SYSTEM_ACTOR, Consent, Message, MessageStatus, RunState, ServiceRequest
from portal.operations import CustomerDetails
from portal.operations.privacy.erase import erase_person, preview_erasure
from portal.operations.privacy.export import export_person
from portal.settings import Settings
from tests.operations.privacy.conftest import with_files_and_mail
from tests.support.factories import MARTHA, MARTIN, Organisation
from tests.support.person_history import EMAIL, MARKERS, PHONE, fill_what_is_empty
from tests.support.sample_images import photo
from tests.support.twilio_client import CustomerPhone


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder for files, and mail."""
    return with_files_and_mail(settings, tmp_path)


async def rows_with_markers(database: Database) -> list[str]:
    """``table.column`` of each value with a marker in it."""
    found = []
    async with database.connection() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in (await connection.execute(sa.select(table))).mappings():
                found += [
                    f"{table.name}.{name}"
                    for name, value in row.items()
                    if any(marker in str(value).lower() for marker in MARKERS)
                ]
    return sorted(set(found))


def bytes_with_markers(folder: Path) -> list[str]:
    """The files in this folder, also of the database, with a marker in their bytes."""
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        and any(marker.encode() in path.read_bytes().lower() for marker in MARKERS)
    ]


async def test_erased_person_is_gone_from_every_column_and_byte(
    history: ServiceRequest, database: Database, organisation: Organisation, settings: Settings
) -> None:
    await fill_what_is_empty(database)
    assert len(await rows_with_markers(database)) > 45
    stored = [path for path in settings.files_dir.rglob("*") if path.is_file()]
    assert stored
    erasure = await erase_person(organisation.operations, SYSTEM_ACTOR, PHONE)
    assert (erasure.requests, erasure.customers, erasure.files) == (2, 1, 1)
    assert await rows_with_markers(database) == []
    assert not [path for path in stored if path.exists()]
    if database.is_sqlite:
        assert bytes_with_markers(Path(database.engine.url.database or "").parent) == []


async def test_skeleton_of_the_request_stays(
    history: ServiceRequest, organisation: Organisation
) -> None:
    before = await organisation.events(history)
    await erase_person(organisation.operations, SYSTEM_ACTOR, EMAIL)
    request = await organisation.reload(history)
    assert request.erased_at
    assert request.title == "Credit card"
    assert request.status == "cancelled"
    assert RunState.COMPLETED in [run.state for run in request.runs]
    assert request.opened_at == history.opened_at
    assert [(one.kind, one.at) for one in await organisation.events(request)] == [
        (one.kind, one.at) for one in before
    ]


async def test_other_customer_with_the_same_phone_keeps_everything(
    database: Database, organisation: Organisation
) -> None:
    """The phone is shared, so the one who is meant must be named."""
    mona = organisation.people.mona.actor
    await organisation.open(customer=MARTIN, by=mona)
    hers = await organisation.open("repair", MARTHA, by=mona, title="Martha's phone")
    with pytest.raises(Conflict, match="Martha Miller, Martin Miller"):
        await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "")
    await erase_person(
        organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "", ["martin miller"],
        cancel_open=True,
    )  # fmt: skip
    async with database.reading() as session:
        query = select(Consent.granted).where(col(Consent.address) == MARTIN.phone)
        assert list(await session.exec(query)) == [True]
    assert (await organisation.reload(hers)).title == "Martha's phone"
    [text] = await organisation.outbound_messages(hers)
    assert text.to_address == MARTIN.phone
    assert "Martha" in text.body
    assert text.status == MessageStatus.QUEUED


async def test_open_request_is_named_and_nothing_is_erased(
    card_request: ServiceRequest, organisation: Organisation
) -> None:
    with pytest.raises(Conflict, match=card_request.reference):
        await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "")
    request = await organisation.reload(card_request)
    assert request.customer.name == "Martin Miller"
    assert request.closed_at is None


async def test_open_request_is_cancelled_when_asked_and_sends_nothing(
    card_request: ServiceRequest, organisation: Organisation
) -> None:
    await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True)
    assert (await organisation.reload(card_request)).status == "cancelled"
    assert {one.status for one in await organisation.messages()} == {MessageStatus.SUPPRESSED}


async def test_message_being_sent_delays_the_erasure(
    card_request: ServiceRequest, organisation: Organisation, database: Database
) -> None:
    async with database.transaction() as session:
        for message in await session.exec(select(Message)):
            message.status = MessageStatus.SENDING
    with pytest.raises(Conflict, match="being sent at this moment"):
        await erase_person(
            organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True
        )
    assert (await organisation.reload(card_request)).closed_at is None


async def test_file_of_another_request_stays(
    client: httpx2.AsyncClient, organisation: Organisation, settings: Settings
) -> None:
    """The same bytes are stored once, for both."""
    mona = organisation.people.mona.actor
    his = await organisation.open(customer=MARTIN, by=mona)
    other = CustomerDetails("Olga Other", "+14155550199")
    hers = await organisation.open(customer=other, by=mona)
    for request in (his, hers):
        files = [("file", ("a.jpg", photo(20, 20), "image/jpeg"))]
        sent = await client.post(f"/r/{request.links[0].token}/messages", files=files)
        assert sent.status_code == 303
    stored = [path for path in settings.files_dir.rglob("*") if path.is_file()]
    for person, is_left in ((MARTIN, True), (other, False)):
        await erase_person(
            organisation.operations, SYSTEM_ACTOR, person.phone or "", cancel_open=True
        )
        assert {path.exists() for path in stored} == {is_left}


async def test_preview_counts_and_changes_nothing(
    history: ServiceRequest, organisation: Organisation, database: Database
) -> None:
    before = await rows_with_markers(database)
    seen = await preview_erasure(organisation.operations, SYSTEM_ACTOR, PHONE)
    assert seen == await preview_erasure(organisation.operations, SYSTEM_ACTOR, EMAIL)
    assert (seen.requests, seen.customers, seen.files) == (2, 1, 1)
    assert await rows_with_markers(database) == before


async def test_stranger_who_only_wrote_is_erased(organisation: Organisation) -> None:
    text = CustomerPhone(organisation)
    await text("Hello, this is Otto", sender="+14155557799")
    await erase_person(organisation.operations, SYSTEM_ACTOR, "+1 415 555 7799")
    assert not any(
        "Otto" in one.body or "7799" in one.from_address + one.to_address
        for one in await organisation.messages()
    )
    with pytest.raises(NotFound):
        await erase_person(organisation.operations, SYSTEM_ACTOR, "+14155557799")


async def test_only_admins_erase_or_see_everything(
    card_request: ServiceRequest, organisation: Organisation
) -> None:
    mona, phone = organisation.people.mona.actor, MARTIN.phone or ""
    with pytest.raises(NotAllowed):
        await erase_person(organisation.operations, mona, phone)
    with pytest.raises(NotAllowed):
        await preview_erasure(organisation.operations, mona, phone)
    with pytest.raises(NotAllowed):
        await export_person(organisation.operations, mona, phone, [], lambda _: None)


async def test_notice_about_another_address_stays(
    card_request: ServiceRequest, organisation: Organisation
) -> None:
    """His address is the end of hers."""
    operations = organisation.operations
    hers = f"anna-{MARTIN.email}"
    async with operations.begin(SYSTEM_ACTOR) as uow:
        for cause, address in (("his", MARTIN.email), ("hers", hers)):
            await uow.outbox.queue_staff_notice(
                cause, "mona@acme.example", f"About {address}", f"{address}: please call."
            )
    await erase_person(operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True)
    notices = {message.cause: message for message in await organisation.messages()}
    assert (notices["his"].body, notices["his"].status) == ("[erased]", MessageStatus.SUPPRESSED)
    assert (notices["hers"].subject, notices["hers"].body) == (
        f"About {hers}", f"{hers}: please call."
    )  # fmt: skip
    assert notices["hers"].status == MessageStatus.QUEUED


async def test_customer_with_many_requests_is_erased(
    card_request: ServiceRequest, organisation: Organisation, database: Database
) -> None:
    """More than one statement of SQLite can name."""
    async with database.engine.begin() as connection:
        table = SQLModel.metadata.tables["service_request"]
        [row] = (await connection.execute(sa.select(table))).mappings()
        copies = [
            {name: value for name, value in row.items() if name not in {"id", "reference"}}
            | {"reference": f"COPY-{number}"}
            for number in range(600)
        ]
        await connection.execute(sa.insert(table), copies)
        await connection.execute(sa.update(table).values(closed_at=row["opened_at"]))
    erasure = await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "")
    assert erasure.requests == 601
    async with database.reading() as session:
        left = select(ServiceRequest.id).where(col(ServiceRequest.erased_at).is_(None))
        assert (await session.exec(left)).all() == []

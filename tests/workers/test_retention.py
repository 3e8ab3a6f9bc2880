"""The daily retention: what the settings no longer keep is gone, the rest stays."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine
from sqlmodel import select

from portal.business_time import now
from portal.database import Database
from portal.models import Attachment, ContactPoint, SignInEnd, StaffSignIn
from portal.operations import Operations, write_to_customer
from portal.settings import Settings
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.sample_images import photo
from tests.support.twilio_client import CustomerPhone
from tests.workers.conftest import close, keeping

Clock = time_machine.Traveller


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder for files."""
    return settings.model_copy(update={"files_dir": tmp_path / "files"})


async def test_closed_request_becomes_nameless_and_its_customer_with_the_last(
    clock: Clock, organisation: Organisation, operations: Operations, database: Database
) -> None:
    mona = organisation.people.mona.actor
    old = await close(organisation, await organisation.open(by=mona, title="Old"))
    rounds = keeping(operations, keep_closed_requests_days=30)
    clock.shift(timedelta(days=20))
    new = await close(organisation, await organisation.open(by=mona, title="New"))
    clock.shift(timedelta(days=11))
    await rounds.once()
    old, new = await organisation.reload(old), await organisation.reload(new)
    assert (old.title, old.close_reason, old.links) == ("Credit card", "[erased]", [])
    assert (new.title, new.customer.name, new.erased_at) == ("New", "Martin Miller", None)
    clock.shift(timedelta(days=20))
    await rounds.once()
    new = await organisation.reload(new)
    assert (new.title, new.customer.name) == ("Credit card", "Erased person")
    async with database.reading() as session:
        assert (await session.exec(select(ContactPoint))).all() == []


async def test_open_request_is_never_made_nameless(
    clock: Clock, organisation: Organisation, operations: Operations
) -> None:
    request = await organisation.open(by=organisation.people.mona.actor)
    clock.shift(timedelta(days=5_000))
    await keeping(
        operations, keep_closed_requests_days=1, keep_message_bodies_days=1, keep_files_days=1
    ).once()
    request = await organisation.reload(request)
    assert request.customer.name == "Martin Miller"
    [text] = await organisation.outbound_messages(request)
    assert "Martin" in text.body


async def test_message_texts_and_files_go_before_their_request(
    clock: Clock,
    organisation: Organisation,
    operations: Operations,
    client: httpx2.AsyncClient,
    settings: Settings,
    database: Database,
) -> None:
    mona = organisation.people.mona.actor
    request = await organisation.open(by=mona)
    await deliver_due(operations, FakeSmsGateway())
    sent = await client.post(
        f"/r/{request.links[0].token}/messages",
        data={"body": "Here is my passport"},
        files=[("file", ("passport.jpg", photo(20, 20), "image/jpeg"))],
    )
    assert sent.status_code == 303
    await close(organisation, request)
    await deliver_due(operations, FakeSmsGateway())
    page = f"/r/{request.links[0].token}"
    assert "[erased]" not in (await client.get(page)).text
    clock.shift(timedelta(days=8))
    await keeping(operations, keep_message_bodies_days=7, keep_files_days=7).once()
    bodies = {one.body for one in await organisation.messages() if one.request_id == request.id}
    assert bodies == {"[erased]"}
    async with database.reading() as session:
        assert (await session.exec(select(Attachment))).all() == []
    assert [path for path in settings.files_dir.rglob("*") if path.is_file()] == []
    assert (await organisation.reload(request)).customer.name == "Martin Miller"
    shown = await client.get(page)
    assert shown.status_code == 200
    assert "passport" not in shown.text


async def test_text_of_a_stranger_loses_its_number_too(
    clock: Clock, organisation: Organisation, operations: Operations
) -> None:
    text = CustomerPhone(organisation)
    await text("Who is this?", sender="+14155557799")
    await deliver_due(operations, FakeSmsGateway())
    clock.shift(timedelta(days=8))
    await keeping(operations, keep_message_bodies_days=7).once()
    for message in await organisation.messages():
        assert message.body in {"", "[erased]"}
        assert "7799" not in message.from_address + message.to_address


async def test_stored_file_without_a_message_is_removed_after_a_day(
    organisation: Organisation, operations: Operations, settings: Settings
) -> None:
    """What an interrupted upload or erasure has left."""
    stale, fresh = (settings.files_dir / (name * 2) / (name * 64) for name in "ab")
    for path in (stale, fresh):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    two_days_ago = path.stat().st_mtime - 2 * 86_400
    os.utime(stale, (two_days_ago, two_days_ago))
    await keeping(operations).once()
    assert (stale.exists(), fresh.exists()) == (False, True)


async def test_closed_request_stays_while_its_customer_waits_for_an_answer(
    clock: Clock, organisation: Organisation, operations: Operations
) -> None:
    """A text about a closed request promises a reply: neither is erased before it is given."""
    mona = organisation.people.mona.actor
    request = await close(organisation, await organisation.open(by=mona))
    clock.shift(timedelta(days=29))
    await CustomerPhone(organisation)("My card was stolen, please call me!")
    waiting = await organisation.reload(request)
    assert waiting.unanswered_since
    duty = keeping(operations, keep_closed_requests_days=30)
    clock.shift(timedelta(days=2))
    await duty.once()
    kept = await organisation.reload(request)
    assert kept.erased_at is None
    assert [promise.closed_at for promise in kept.promises] == [None]
    assert "stolen" in (await CustomerPhone(organisation).heard())[-1].body
    answered = await organisation.run(write_to_customer, kept, "It is blocked.", by=mona)
    assert answered.unanswered_since is None
    clock.shift(timedelta(days=1))
    await duty.once()
    assert (await organisation.reload(request)).erased_at


async def test_sign_in_that_still_opens_the_desk_stays(
    clock: Clock, operations: Operations, desk_clients: Any, database: Database
) -> None:
    for name in ("mona", "tess"):
        await desk_clients(name)
    async with database.transaction() as session:
        ended = (await session.exec(select(StaffSignIn))).first()
        assert ended
        ended.end(SignInEnd.SIGNED_OUT, now())
    clock.shift(timedelta(days=2))
    limits = {"sign_in_idle_hours": 72, "sign_in_max_hours": 720}
    await keeping(operations, keep_sign_ins_days=1, **limits).once()
    async with database.reading() as session:
        [left] = await session.exec(select(StaffSignIn))
    assert left.ended_at is None
    clock.shift(timedelta(days=2))
    await keeping(operations, keep_sign_ins_days=1, **limits).once()
    async with database.reading() as session:
        assert (await session.exec(select(StaffSignIn))).all() == []

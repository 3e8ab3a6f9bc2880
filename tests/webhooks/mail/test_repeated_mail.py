"""Mail with files costs little where it repeats, and no more than a day's bytes."""

from email.message import EmailMessage
from pathlib import Path

import httpx2
import pytest
from sqlmodel import select

from portal.attachments.refusals import FileRefusalCode
from portal.messaging.email.signed_addresses import reply_address
from portal.models import Attachment, AttachmentState, ServiceRequest
from portal.sandbox import Sandbox
from portal.settings import Settings
from tests.messaging.email.mail_server import MARTIN, TOKEN
from tests.support.customer_device import link
from tests.support.factories import Organisation
from tests.support.sample_images import photo

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HOOK = "/hooks/email/inbound"
LARGE_PHOTO = photo() + b"\0" * 60_000


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With mail; a customer may send 100 kB a day about one request."""
    changes = {
        "mail_from": "Acme Bank <desk@acme.example>",
        "files_dir": tmp_path / "files",
        "max_link_bytes_per_day": 100_000,
    }
    return settings.model_copy(update=changes)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that child processes are given."""
    given = []
    run = Sandbox.run

    async def counted(self, task, *arguments):
        given.append(task.partition(":")[2])
        return await run(self, task, *arguments)

    monkeypatch.setattr(Sandbox, "run", counted)
    return given


def mail(settings: Settings, request: ServiceRequest, number: int, *photos: bytes) -> bytes:
    """A reply with photos."""
    message = EmailMessage()
    message["From"], message["To"] = MARTIN, reply_address(settings, request.id or 0)
    message["Message-ID"] = f"<{number}@example.com>"
    message.set_content(f"Photo {number}")
    for data in photos:
        message.add_attachment(data, "image", "jpeg", filename="card.jpg")
    return message.as_bytes()


async def attachments(organisation: Organisation) -> list[Attachment]:
    async with organisation.database.reading() as session:
        return list((await session.exec(select(Attachment).order_by(Attachment.id))).all())


async def test_repeated_mail_is_neither_parsed_nor_are_its_files_decoded(
    client: httpx2.AsyncClient,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
    tasks: list[str],
) -> None:
    raw = mail(settings, card_request, 1, photo(), photo(32, 32))
    for _ in range(3):
        answer = await client.post(HOOK, content=raw, headers=TOKEN)
        assert answer.status_code == 204
    assert tasks == ["parse_content", "check_picture_task", "check_picture_task"]
    assert len(await attachments(organisation)) == 2


async def test_unreadable_mail_that_repeats_is_not_parsed_again(
    client: httpx2.AsyncClient, settings: Settings, card_request: ServiceRequest, tasks: list[str]
) -> None:
    raw = mail(settings, card_request, 1).replace(
        b"text/plain;", b"text/plain; " + b"a=b; " * 2_000
    )
    for _ in range(2):
        answer = await client.post(HOOK, content=raw, headers=TOKEN)
        assert answer.status_code == 422
    assert tasks == ["parse_content"]


async def test_files_over_the_bytes_of_a_day_are_refused_undecoded_and_the_text_is_taken(
    client: httpx2.AsyncClient,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
    tasks: list[str],
) -> None:
    for number in (1, 2):
        raw = mail(settings, card_request, number, LARGE_PHOTO)
        answer = await client.post(HOOK, content=raw, headers=TOKEN)
        assert answer.status_code == 204
    assert tasks == ["parse_content", "check_picture_task", "parse_content"]
    taken, refused = await attachments(organisation)
    assert taken.state == AttachmentState.STORED
    assert (refused.state, refused.refusal_code) == (
        AttachmentState.REFUSED,
        FileRefusalCode.DAY_IS_FULL,
    )
    page = (await client.get(link(card_request))).text
    assert "Photo 2" in page
    assert "it is more than we can take in one day; please send it again tomorrow" in page


async def test_mail_that_fits_beside_a_refused_file_is_taken(
    client: httpx2.AsyncClient,
    settings: Settings,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    raw = mail(settings, card_request, 1, LARGE_PHOTO, LARGE_PHOTO, photo())
    assert (await client.post(HOOK, content=raw, headers=TOKEN)).status_code == 204
    assert [file.state for file in await attachments(organisation)] == [
        AttachmentState.STORED,
        AttachmentState.REFUSED,
        AttachmentState.STORED,
    ]

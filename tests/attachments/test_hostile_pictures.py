"""Pictures that cost more to open than to send: refused kindly, and the next one is accepted."""

import io
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from email.message import EmailMessage

import pytest
from PIL import Image
from sqlmodel import select

from portal.attachments import file_store
from portal.database import Database
from portal.messaging.email.signed_addresses import reply_address
from portal.models import Attachment
from portal.sandbox import Sandbox
from tests.support.desk_client import visible_text
from tests.support.sample_images import photo
from workers.fetch_media import MediaFetcher

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TOKEN = {"Authorization": "Bearer the mail hook of the tests"}
MARTIN = "martin@example.com"
END = b"\xff\xd9"
TOO_COMPLEX = "the picture takes too long to open; please send a smaller one"


@pytest.fixture
def settings(settings, tmp_path):
    """Acme Bank's, with mail and a folder of its own for files."""
    told = {"files_dir": tmp_path / "files", "mail_from": "Acme Bank <desk@acme.example>"}
    return settings.model_copy(update=told)


@pytest.fixture
def mms(twilio, operations):
    """A photo that comes by text, and the worker that fetches it."""

    class Store:
        async def fetch(self, _url, _max_bytes):
            return photo()

    async def receive():
        form = {"NumMedia": "1", "MediaUrl0": "http://127.0.0.1:9/a"}
        await twilio.text("", **form)
        await MediaFetcher(operations, Store()).once()

    return receive


def repeat_last_scan(times):
    """A progressive JPEG that draws its last scan again and again."""
    jpeg = photo(3_000, 2_000, progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -len(END)]
    return jpeg.removesuffix(END) + last * times + END


def webp_bomb():
    """Two kilobytes; drawing it takes about 900 MB."""
    drawn = io.BytesIO()
    Image.new("RGBA", (7_000, 7_000), (1, 2, 3, 4)).save(drawn, "WEBP", lossless=True)
    return drawn.getvalue()


async def send(client, request, *files):
    chosen = [("file", (name, data, "image/jpeg")) for name, data in files]
    path = f"/r/{request.links[0].token}/messages"
    return await client.post(path, data={"body": "Look at this"}, files=chosen)


async def stored(database):
    async with database.reading() as session:
        return (await session.exec(select(Attachment))).all()


@pytest.mark.parametrize(
    "create", [lambda: repeat_last_scan(200), webp_bomb], ids=["scans", "memory"]
)
async def test_picture_over_a_limit_is_refused_and_the_next_is_accepted(
    create, client, database, card_request
):
    answer = await send(client, card_request, ("x.jpg", create()))
    assert answer.status_code == 422
    assert TOO_COMPLEX in visible_text(answer.text)
    assert ">Look at this</textarea>" in answer.text
    assert await stored(database) == []
    assert (await send(client, card_request, ("a.jpg", photo()))).status_code == 303


async def test_picture_over_the_time_limit_is_refused(client, monkeypatch, database, card_request):
    """RLIMIT_CPU counts whole seconds; a limit of 0 ends the process at its next tick."""
    limits = file_store.LIMITS
    monkeypatch.setattr(file_store, "LIMITS", replace(limits, cpu_seconds=0))
    answer = await send(client, card_request, ("x.png", photo(6_000, 6_000, look="PNG")))
    assert answer.status_code == 422
    assert TOO_COMPLEX in visible_text(answer.text)
    assert await stored(database) == []


async def test_more_pictures_than_can_wait_are_refused_kindly(client, app, card_request):
    app.state.file_store._sandbox._max_tasks = 0
    answer = await send(client, card_request, ("a.jpg", photo()))
    assert answer.status_code == 503
    assert "Please try again in a minute." in visible_text(answer.text)
    assert ">Look at this</textarea>" in answer.text


async def test_file_name_stands_in_no_list_of_processes(client, monkeypatch, card_request):
    commands = []
    start = subprocess.Popen

    def started(command, **options):
        commands.append(" ".join(command))
        return start(command, **options)

    monkeypatch.setattr(subprocess, "Popen", started)
    answer = await send(client, card_request, ("passport Anna Meyer.jpg", photo()))
    assert answer.status_code == 303
    assert "passport Anna Meyer.jpg" in (await client.get(f"/r/{card_request.links[0].token}")).text
    [command] = [command for command in commands if "check_picture_task" in command]
    assert "Anna" not in command


async def test_no_transaction_is_open_while_a_child_process_works(
    client, operations, settings, monkeypatch, card_request, mms
):
    """Neither for a file on the page, nor for a mail and its file, nor for a file of a text."""
    open_transactions, tasks = 0, []
    begin, run = Database.transaction, Sandbox.run

    @asynccontextmanager
    async def counted(database):
        nonlocal open_transactions
        async with begin(database) as session:
            open_transactions += 1
            try:
                yield session
            finally:
                open_transactions -= 1

    async def checked(sandbox, task, *given):
        tasks.append((task.rpartition(":")[2], open_transactions))
        return await run(sandbox, task, *given)

    monkeypatch.setattr(Database, "transaction", counted)
    monkeypatch.setattr(Sandbox, "run", checked)
    assert (await send(client, card_request, ("a.jpg", photo()))).status_code == 303
    mail = EmailMessage()
    mail["From"], mail["To"] = MARTIN, reply_address(settings, card_request.id)
    mail.set_content("It is torn, see")
    mail.add_attachment(photo(), "image", "jpeg", filename="torn.jpg")
    answer = await client.post("/hooks/email/inbound", content=mail.as_bytes(), headers=TOKEN)
    assert answer.status_code == 204
    await mms()
    assert tasks == [
        ("check_picture_task", 0),
        ("parse_content", 0),
        ("check_picture_task", 0),
        ("check_picture_task", 0),
    ]

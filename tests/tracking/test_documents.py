"""Documents that staff and other systems give to the customer stand on the status page."""

import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx2
import pytest
import time_machine
from starlette.applications import Starlette

from portal.models import Message, MessageKind, ServiceRequest, StaffMember
from portal.settings import Settings
from tests.support.customer_device import link, new_browser, verify_device
from tests.support.desk_client import DeskClient, hidden_fields, visible_text
from tests.support.factories import Organisation
from tests.support.fake_gateways import FakeSmsGateway, deliver_due
from tests.support.sample_images import PDF, photo
from tests.tracking.page_requests import read

pytestmark = pytest.mark.either_database

SignIn = Callable[[str], Awaitable[DeskClient]]
Upload = tuple[str, bytes, str]


async def give(desk: DeskClient, request: ServiceRequest, *files: Upload) -> httpx2.Response:
    """Choose the files in the form of the desk and send it."""
    url = f"/desk/requests/{request.reference}/documents"
    data = hidden_fields(await desk.page(request), url)
    return await desk.client.post(url, data=data, files=[("file", file) for file in files])


async def documents_of(organisation: Organisation) -> list[Message]:
    return [
        message for message in await organisation.messages() if message.kind == MessageKind.DOCUMENT
    ]


async def test_document_from_the_desk_is_on_the_page_and_announced_once(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    desk_clients: SignIn,
) -> None:
    """The page shows its name, size and day after a code, and the text names no file."""
    tess = await desk_clients("tess")
    done = await give(tess, card_request, ("permit Miller.pdf", PDF, "application/pdf"))
    assert done.status_code == 303
    page = visible_text((await tess.get(done.headers["Location"])).text)
    assert "The document is on the status page, and the customer is notified." in page
    assert "permit Miller.pdf" in page
    phone = FakeSmsGateway()
    await deliver_due(organisation.operations, phone)
    texts = [body for body in phone.sent_bodies if "document" in body]
    assert len(texts) == 1
    assert "permit" not in texts[0]
    by_link = await client.get(link(card_request))
    assert "Your documents A document We ask for a code first." in read(by_link)
    assert "Miller" not in by_link.text
    path = by_link.text.partition('href="' + link(card_request) + "/files/")[2].partition('"')[0]
    file = f"{link(card_request)}/files/{path}"
    assert (await client.get(file)).headers["Location"].startswith(f"{link(card_request)}/code")
    await verify_device(client, organisation, card_request)
    words = read(await client.get(link(card_request)))
    assert "permit Miller.pdf 1 kB · " in words
    downloaded = await client.get(file)
    assert downloaded.content == PDF
    assert downloaded.headers["Content-Disposition"].startswith("attachment")


async def test_document_of_another_request_is_not_found(
    app: Starlette,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    desk_clients: SignIn,
) -> None:
    await give(await desk_clients("tess"), card_request, ("a.pdf", PDF, "application/pdf"))
    other = await organisation.open("repair", by=organisation.people.ben.actor)
    await verify_device(client, organisation, other)
    assert (await client.get(f"{link(other)}/files/1")).status_code == 404
    async with new_browser(app) as stranger:
        assert (await stranger.get(f"{link(card_request)}/files/1")).status_code == 303


@pytest.mark.parametrize(
    ("files", "status", "says"),
    [
        ([], 422, "Please choose a photo or a PDF."),
        ([("a.exe", b"MZ\x90\x00 not a photo", "application/pdf")], 415, ""),
        ([("a.pdf", b"", "application/pdf")], 422, ""),
    ],
)
async def test_unusable_upload_at_the_desk_changes_nothing(
    organisation: Organisation,
    card_request: ServiceRequest,
    desk_clients: SignIn,
    files: list[Upload],
    status: int,
    says: str,
) -> None:
    refused = await give(await desk_clients("tess"), card_request, *files)
    assert refused.status_code == status
    assert says in visible_text(refused.text)
    assert all(message.kind != "document" for message in await organisation.messages())


async def test_upload_at_the_desk_has_the_limit_of_a_file(
    organisation: Organisation,
    card_request: ServiceRequest,
    desk_clients: SignIn,
    settings: Settings,
) -> None:
    huge = b"%PDF-1.4" + bytes(settings.max_upload_bytes + 100_000)
    tess = await desk_clients("tess")
    refused = await give(tess, card_request, ("a.pdf", huge, "application/pdf"))
    assert refused.status_code == 413


async def test_colleague_without_a_part_gives_no_document(
    organisation: Organisation, card_request: ServiceRequest, desk_clients: SignIn
) -> None:
    ben = await desk_clients("ben")
    page = await ben.page(card_request)
    url = f"/desk/requests/{card_request.reference}/documents"
    assert url not in page
    data = hidden_fields(page, "/desk/sign-out")
    files = [("file", ("a.pdf", PDF, "application/pdf"))]
    assert (await ben.client.post(url, data=data, files=files)).status_code == 403


async def test_document_by_the_api_is_given_once(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    api_key: str,
) -> None:
    """A proof of delivery: a photo larger than other bodies of the API may be."""
    picture = photo()
    body = {"name": "door.jpg", "content": base64.b64encode(picture).decode()}
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": "proof-1"}
    url = f"/api/v1/requests/{card_request.reference}/documents"
    answers = [await client.post(url, json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    message = answers[0].json()
    assert answers[1].json() == message
    assert (message["kind"], message["status"]) == ("document", "queued")
    [attachment] = message["attachments"]
    assert (attachment["name"], attachment["state"]) == ("door.jpg", "stored")
    listed = await client.get(f"/api/v1/messages/{message['id']}", headers=headers)
    assert listed.json()["attachments"] == [attachment]
    assert "Your documents A photo We ask for a code first." in read(
        await client.get(link(card_request))
    )


@pytest.mark.parametrize(
    "content", ["no base64!", "AAAA" * 300_000, base64.b64encode(b"MZ").decode()]
)
async def test_unusable_document_by_the_api_is_a_problem(
    client: httpx2.AsyncClient, card_request: ServiceRequest, api_key: str, content: str
) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    url = f"/api/v1/requests/{card_request.reference}/documents"
    body = {"name": "door.jpg", "content": content}
    refused = await client.post(url, json=body, headers=headers)
    assert refused.status_code in (415, 422)
    assert refused.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.usefixtures("clock")
async def test_double_press_gives_a_document_once(
    organisation: Organisation, card_request: ServiceRequest, desk_clients: SignIn
) -> None:
    tess = await desk_clients("tess")
    for _ in range(2):
        done = await give(tess, card_request, ("permit.pdf", PDF, "application/pdf"))
        assert done.status_code == 303
    assert len(await documents_of(organisation)) == 1


async def test_repeated_call_without_a_key_gives_a_document_once(
    clock: time_machine.Traveller,
    organisation: Organisation,
    card_request: ServiceRequest,
    api: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
) -> None:
    """A call that timed out is sent again; an hour later the same file is meant."""
    body = {"name": "permit.pdf", "content": base64.b64encode(PDF).decode()}
    url = f"/requests/{card_request.reference}/documents"
    answers = [await api.post(url, json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert read(await client.get(link(card_request))).count("A document We ask for a code") == 1
    await api.post(url, json=body | {"content": base64.b64encode(PDF + b"%").decode()})
    assert len(await documents_of(organisation)) == 2
    clock.shift(timedelta(hours=1))
    await api.post(url, json=body)
    assert len(await documents_of(organisation)) == 3


@pytest.mark.parametrize(
    ("reference", "by", "status"),
    [
        ("CARD-2222-222", None, 404),
        ("", "ben@acme.example", 403),
        ("", "nobody@acme.example", 422),
    ],
)
async def test_document_of_a_refused_call_is_not_stored(
    card_request: ServiceRequest,
    api: httpx2.AsyncClient,
    settings: Settings,
    reference: str,
    by: str | None,
    status: int,
) -> None:
    body = {"name": "permit.pdf", "content": base64.b64encode(PDF).decode(), "by": by}
    url = f"/requests/{reference or card_request.reference}/documents"
    refused = await api.post(url, json=body)
    assert refused.status_code == status, refused.text
    assert not list(settings.files_dir.glob("??/*"))


async def test_repeated_call_gets_the_first_response_after_its_person_has_left(
    organisation: Organisation, card_request: ServiceRequest, api: httpx2.AsyncClient
) -> None:
    """What it asks for would be refused by now, but it was done."""
    body = {"name": "a.pdf", "content": base64.b64encode(PDF).decode(), "by": "tess@acme.example"}
    url, headers = f"/requests/{card_request.reference}/documents", {"Idempotency-Key": "proof-2"}
    first = await api.post(url, json=body, headers=headers)
    assert first.status_code == 201, first.text
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        tess = await uow.session.get_one(StaffMember, organisation.people.tess.id)
        tess.disabled_at = uow.now
    again = await api.post(url, json=body, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert (await api.post(url, json=body)).status_code == 422

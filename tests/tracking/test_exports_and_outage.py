"""Exports of the link (paper, home screen, calendar), and the outage page."""

import asyncio
import io
import json
import re
from datetime import UTC, datetime

import httpx2
import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from portal.database import Database
from portal.models import SYSTEM_ACTOR, ServiceRequest
from portal.operations import revoke_link, run_due_follow_ups
from portal.queries.status_page.reader import create_status_page_reader
from portal.web.app_icon import AppIcon
from portal.web.ical import CalendarEntry, to_ical
from portal.web.printable_link import qr_svg
from tests.support.factories import MARTIN, ORIGIN, VISIT, Organisation

pytestmark = pytest.mark.either_database

TOMORROW = datetime(2025, 6, 4, 14, 0, tzinfo=UTC)
"""10 am in New York, where Martin lives."""


@pytest.fixture
async def visit(clock, organisation: Organisation) -> ServiceRequest:
    """Martin has been asked when the technician may come."""
    await organisation.load(VISIT)
    line = await organisation.open("fibre", by=SYSTEM_ACTOR)
    return await organisation.run(run_due_follow_ups, line, by=SYSTEM_ACTOR)


def link(request: ServiceRequest) -> str:
    assert request.live_link
    return f"/r/{request.live_link.token}"


async def names(client: httpx2.AsyncClient, visit: ServiceRequest, time: str) -> None:
    """Martin names a time on his page."""
    form = {"follow_up": str(visit.open_question.id), "answer": "yes", "at": time}
    answer = await client.post(f"{link(visit)}/answers", data=form, headers={"Origin": ORIGIN})
    assert answer.status_code == 303


def read_calendar(body: bytes) -> list[dict[str, str]]:
    """The events of a file, by a reader that knows nothing of how it was written."""
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    lines = body.replace(b"\r\n ", b"").decode().split("\r\n")
    assert lines.pop() == ""
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert "VERSION:2.0" in lines
    assert not any(line.startswith("METHOD") for line in lines)
    events: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events:
            events[-1][name] = value
    return events


# --- a calendar -------------------------------------------------------------------------------


async def test_calendar_file_has_no_personal_data(
    client: httpx2.AsyncClient, visit: ServiceRequest
) -> None:
    """The brand, the stage that the time is for, the reference; in UTC, whatever zone it was named in."""
    await names(client, visit, "2025-06-04T10:00")
    page = await client.get(link(visit))
    assert "Our technician is coming: " in page.text
    assert f'<a href="{link(visit)}/appointment.ics">' in page.text
    answer = await client.get(f"{link(visit)}/appointment.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    [event] = read_calendar(answer.content)
    assert event["DTSTART"] == "20250604T140000Z"
    assert event["DTSTAMP"] == "20250603T140000Z"
    assert event["SUMMARY"] == "Acme Bank: Our technician is coming"
    assert event["DESCRIPTION"] == f"Acme Bank\\, {visit.reference}"
    assert link(visit).removeprefix("/r/") not in answer.text
    assert ORIGIN not in answer.text
    assert MARTIN.name.split()[0] not in answer.text


async def test_new_time_keeps_the_calendar_uid(
    client: httpx2.AsyncClient, visit: ServiceRequest, organisation: Organisation, texts
) -> None:
    """Calls that were promised stand in it too; one keeps its UID and its SEQUENCE grows."""
    await texts("Please call me tomorrow at 10 am")
    [first] = read_calendar((await client.get(f"{link(visit)}/appointment.ics")).content)
    assert first["DTSTART"] == "20250604T140000Z"
    assert first["SUMMARY"] == "Acme Bank calls you"
    await texts("Please call me tomorrow at 11 am")
    [second] = read_calendar((await client.get(f"{link(visit)}/appointment.ics")).content)
    assert second["DTSTART"] == "20250604T150000Z"
    assert second["UID"] == first["UID"]
    assert int(second["SEQUENCE"]) > int(first["SEQUENCE"])


async def test_past_or_unnamed_time_is_no_appointment(
    client: httpx2.AsyncClient, visit: ServiceRequest, clock
) -> None:
    """The page offers nothing then, and the address says so kindly."""
    assert "appointment.ics" not in (await client.get(link(visit))).text
    assert (await client.get(f"{link(visit)}/appointment.ics")).status_code == 404
    await names(client, visit, "2025-06-04T10:00")
    assert "appointment.ics" in (await client.get(link(visit))).text
    clock.move_to(TOMORROW)
    assert "appointment.ics" not in (await client.get(link(visit))).text
    answer = await client.get(f"{link(visit)}/appointment.ics")
    assert answer.status_code == 404
    assert "There is no appointment ahead." in answer.text


def test_long_calendar_line_is_folded_between_characters() -> None:
    """75 octets, in any script, and no word can begin a line of its own."""
    title = "موعد التركيب في منزلكم " * 6 + "\r\nSUMMARY:forged; 👩‍🔧"
    entry = CalendarEntry("u", 1, TOMORROW, title, "Acme Bank, " + "x" * 90)
    [event] = read_calendar(to_ical([entry], TOMORROW))
    assert event["SUMMARY"] == title.replace("\r\n", "  ").replace(";", "\\;")


# --- paper ------------------------------------------------------------------------------------


def modules(svg: str) -> str:
    return re.search(r'<path [^>]*stroke="#000"[^>]* d="([^"]+)"', svg)[1]


async def test_printable_link_has_link_and_first_name_only(
    client: httpx2.AsyncClient, card_request: ServiceRequest, desk_clients
) -> None:
    """From the desk and from the customer's own page; the code is the link's, and needs no file."""
    at_desk = await (await desk_clients("tess")).get(
        f"/desk/requests/{card_request.reference}/slip"
    )
    by_customer = await client.get(f"{link(card_request)}/paper")
    for page in (at_desk, by_customer):
        assert page.status_code == 200
        assert modules(page.text) == modules(qr_svg(f"{ORIGIN}{link(card_request)}"))
        assert "Martin, scan to follow your request" in page.text
        assert card_request.reference in page.text
        assert card_request.title not in page.text
        assert "Miller" not in page.text
    picture = await client.get(f"{link(card_request)}/qr.svg")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.text == qr_svg(f"{ORIGIN}{link(card_request)}")
    page = await (await desk_clients("tess")).page(card_request)
    assert f'href="/desk/requests/{card_request.reference}/slip"' in page


async def test_printable_link_needs_access(
    organisation: Organisation, card_request: ServiceRequest, desk_clients
) -> None:
    carl = await desk_clients("carl")
    answer = await carl.get(f"/desk/requests/{card_request.reference}/slip")
    assert answer.status_code == 403
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    answer = await (await desk_clients("tess")).get(f"/desk/requests/{card_request.reference}/slip")
    assert answer.status_code == 409
    assert "There is no working status link. Send a new link first." in answer.text


# --- the home screen --------------------------------------------------------------------------


async def test_manifest_has_icons_for_the_home_screen(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """Under our name it opens this very page; icons are of the size that they say, kept for good."""
    page = await client.get(link(card_request))
    [address] = re.findall(r'<link rel="manifest" href="([^"]+)">', page.text)
    assert "manifest-src 'self'" in page.headers["Content-Security-Policy"]
    answer = await client.get(address)
    manifest = json.loads(answer.text)
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert answer.headers["Cache-Control"] == "no-store"
    name = "Credit card · Acme Bank"
    assert (manifest["name"], manifest["start_url"]) == (name, link(card_request))
    assert manifest["short_name"] == "Credit card"
    assert manifest["scope"] == link(card_request)
    assert "Martin" not in answer.text
    for icon in manifest["icons"]:
        picture = await client.get(icon["src"])
        assert picture.headers["Content-Type"] == icon["type"]
        assert "immutable" in picture.headers["Cache-Control"]
        if icon["type"] == "image/png":
            width, height = Image.open(io.BytesIO(picture.content)).size
            assert icon["sizes"] == f"{width}x{height}"
    touch = await client.get("/apple-touch-icon.png")
    assert Image.open(io.BytesIO(touch.content)).size == (180, 180)
    assert (await client.get("/icons/1000000.png")).status_code == 404


@pytest.mark.parametrize("brand", ["Acme Bank", "<Öl & Gas>", "1st Bank", "بنك", "銀行", "…"])
def test_app_icon_works_in_any_script(brand: str) -> None:
    """Where no letter can be drawn there is a sign, never an empty square; a phone may cut it round."""
    look = AppIcon(brand, "#0b5f5a")
    ground = (0x0B, 0x5F, 0x5A)
    picture = Image.open(io.BytesIO(look.png(192)))
    drawn = [(x, y) for x in range(192) for y in range(192) if picture.getpixel((x, y)) != ground]
    assert len(drawn) > 400
    assert all((x - 96) ** 2 + (y - 96) ** 2 < (0.4 * 192) ** 2 for x, y in drawn)
    assert f">{look.letter}</text>" in look.svg


@pytest.mark.parametrize("what", ["appointment.ics", "manifest.webmanifest", "paper", "qr.svg"])
async def test_exports_of_an_unknown_link_are_404(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest, what: str
) -> None:
    revoked = link(card_request)
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    for path in (revoked, "/r/never-given-out"):
        answer = await client.get(f"{path}/{what}")
        assert answer.status_code == 404
        assert "This link does not open anything" in answer.text


# --- our outage -------------------------------------------------------------------------------


@pytest.fixture
def outage(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database can be reached by nobody."""

    async def away(*_: object, **__: object) -> None:
        raise OperationalError("", None, OSError("gone"))

    pages = app.state.status_pages
    monkeypatch.setattr(pages._reader, "find_version", away)
    monkeypatch.setattr(pages._reader, "find_page_row", away)
    monkeypatch.setattr("sqlalchemy.ext.asyncio.AsyncConnection.start", away)


async def test_hanging_database_counts_as_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A visitor is not kept waiting for a machine that was cut off."""
    monkeypatch.setattr("portal.queries.status_page.reader.QUERY_TIMEOUT_SECONDS", 0.05)
    hung_up = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung_up.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    database = Database(f"postgresql+asyncpg://kept@127.0.0.1:{port}/kept")
    reader = create_status_page_reader(database.engine)
    with pytest.raises(OperationalError):
        await reader.find_version("any")
    hung_up.set()
    await reader.close()
    await database.close()
    server.close()


@pytest.mark.parametrize("part", ["", "/preferences", "/paper", "/manifest.webmanifest"])
async def test_outage_page_reloads_itself(
    client: httpx2.AsyncClient, card_request: ServiceRequest, outage: None, part: str
) -> None:
    """Kindly, under our name, without a script; and to machines that it is for now only."""
    answer = await client.get(f"{link(card_request)}{part}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == answer.headers["Refresh"] == "15"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<b>Acme Bank</b>" in answer.text
    assert "Nothing is lost" in answer.text
    assert f'href="{link(card_request)}{part}"' in answer.text
    assert "<script" not in answer.text
    arabic = await client.get(f"{link(card_request)}{part}", headers={"Accept-Language": "ar"})
    assert 'lang="ar" dir="rtl"' in arabic.text
    assert "Nothing is lost" not in arabic.text


async def test_unsent_input_is_never_reported_as_saved(
    client: httpx2.AsyncClient, card_request: ServiceRequest, outage: None
) -> None:
    """And nothing is loaded anew over the form in which they still stand."""
    answer = await client.post(f"{link(card_request)}/messages", data={"body": "Where is it?"})
    assert answer.status_code == 503
    assert "This has not reached us" in answer.text
    assert "Refresh" not in answer.headers
    assert f'href="{link(card_request)}"' in answer.text

"""The fake mailbox and its pages, which work with fake providers only."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from urllib.parse import urlsplit

import aiohttp
import aiosmtplib
import httpx2
import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import Mount

from portal.demo.fake_providers import SIMULATED_SID, FakeProviders, create_carrier
from portal.demo.fake_providers.config import UnsafeCredentials
from portal.demo.fake_providers.segments import count_segments

MARTIN = "martin@example.com"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProviders]:
    with FakeProviders(keep_mails=3) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: FakeProviders) -> FakeProviders:
    running.mailbox.forget()
    running.faults.clear()
    return running


@pytest.fixture
async def http(simulator: FakeProviders) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(simulator.api_url) as session:
        yield session


def a_mail(subject: str = "Your card is being made", to: str = MARTIN) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Acme Bank <kept@acme.example>"
    mail["To"] = f"Martin Núñez <{to}>"
    mail["Subject"] = subject
    mail["Message-ID"] = "<1@acme.example>"
    mail["Reply-To"] = "reply+abc@acme.example"
    mail.set_content("Hi Martin, see http://127.0.0.1:8000/r/abc. <b>Bye</b>")
    mail.add_alternative(
        '<p style="color:red">Hi</p><script>alert(1)</script>"</iframe>', subtype="html"
    )
    return mail


async def send(simulator: FakeProviders, mail: EmailMessage) -> None:
    address = urlsplit(simulator.smtp_url)
    await aiosmtplib.send(mail, hostname=address.hostname, port=address.port, start_tls=False)


async def test_email_is_stored_unchanged(
    simulator: FakeProviders, http: aiohttp.ClientSession
) -> None:
    await send(simulator, a_mail())
    (mail,) = await simulator.wait_for(lambda: simulator.mails_to(MARTIN))
    assert mail.mail_from == "kept@acme.example"
    assert mail.header("To") == f"Martin Núñez <{MARTIN}>"
    async with http.get("/mail.json") as answer:
        (shown,) = (await answer.json())["mails"]
    assert shown["subject"] == "Your card is being made"
    assert shown["rcpt_tos"] == [MARTIN]
    assert ["Reply-To", "reply+abc@acme.example"] in shown["headers"]
    assert shown["text"].startswith("Hi Martin")
    assert shown["html"].startswith("<p style")


async def test_mailbox_pages_run_no_script_of_an_email(
    simulator: FakeProviders, http: aiohttp.ClientSession
) -> None:
    await send(simulator, a_mail(subject="<script>alert(1)</script>"))
    (mail,) = simulator.mailbox.mails()
    for path in ("/mail", f"/mail/{mail.id}"):
        async with http.get(path) as answer:
            page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    assert "&lt;b&gt;Bye&lt;/b&gt;" in page
    assert '<a href="http://127.0.0.1:8000/r/abc" rel="noreferrer">' in page
    (frame,) = re.findall("<iframe.*?>", page)
    assert f'src="/mail/{mail.id}/html"' in frame
    assert "allow-scripts" not in frame
    assert "allow-same-origin" not in frame
    async with http.get(f"/mail/{mail.id}/html") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


async def test_unknown_email_is_a_404_page(http: aiohttp.ClientSession) -> None:
    for path in ("/mail/999", "/mail/999/html"):
        async with http.get(path) as answer:
            assert answer.status == 404
            assert "This mail is not here" in await answer.text()


async def test_oldest_emails_are_dropped(simulator: FakeProviders) -> None:
    for number in range(5):
        await send(simulator, a_mail(subject=f"Mail {number}"))
    assert [mail.subject for mail in simulator.mailbox.mails()] == ["Mail 2", "Mail 3", "Mail 4"]


@pytest.mark.parametrize("code", [451, 550])
async def test_recipient_can_be_refused(simulator: FakeProviders, code: int) -> None:
    simulator.fault("mail_refuse", to=MARTIN, code=code, times=1)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refusal:
        await send(simulator, a_mail())
    assert [reason.code for reason in refusal.value.recipients] == [code]
    assert simulator.mailbox.mails() == ()


async def test_reply_is_posted_to_the_mail_hook() -> None:
    taken = []

    async def hook(request: web.Request) -> web.Response:
        taken.append((request.headers["Authorization"], await request.text()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hooks/email/inbound", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/email/inbound"
    async with (
        FakeProviders(mail_hook_url=url, mail_hook_token="open sesame") as simulator,
        aiohttp.ClientSession(simulator.api_url) as http,
    ):
        await send(simulator, a_mail())
        async with http.post("/mail/1/reply", data={"body": "It never came."}) as answer:
            assert answer.status == 200
            assert "Your card is being made" in await answer.text()
    await runner.cleanup()
    ((authorization, reply),) = taken
    assert authorization == "Bearer open sesame"
    assert "In-Reply-To: <1@acme.example>" in reply
    assert "To: reply+abc@acme.example" in reply
    assert "Subject: Re: Your card is being made" in reply
    assert "It never came." in reply


async def test_fake_providers_can_be_mounted_in_another_application() -> None:
    """Pages link to themselves, and the state is accessible, wherever it is mounted."""
    carrier = create_carrier()
    app = Starlette(routes=[Mount("/simulated", carrier)])
    carrier.state.mailbox.keep(MARTIN, (MARTIN,), a_mail().as_bytes())
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://kept") as http:
        page = (await http.get("/simulated/", follow_redirects=True)).text
        assert 'href="/simulated/mail/1"' in page
        mail = (await http.get("/simulated/mail/1")).text
        assert 'src="/simulated/mail/1/html"' in mail
        words = {"from": "+14155550132", "body": "Hello"}
        assert (await http.post("/simulated/simulator/inbound", json=words)).status_code == 201
    assert [text.body for text in carrier.state.carrier.texts()] == ["Hello"]
    await carrier.state.carrier.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", ""])  # noqa: S104
def test_fake_providers_listen_on_loopback_only(host: str) -> None:
    with pytest.raises(UnsafeCredentials, match="loopback"):
        FakeProviders(host)


def test_real_looking_account_sid_is_rejected() -> None:
    with pytest.raises(UnsafeCredentials, match="real account"):
        FakeProviders(account_sid="AC" + "5" * 32)


def test_fake_providers_do_not_start_beside_a_real_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "a real one")
    with pytest.raises(UnsafeCredentials, match="TWILIO_AUTH_TOKEN"):
        FakeProviders()
    with FakeProviders(auth_token="simulated") as simulator:
        assert simulator.config.account_sid == SIMULATED_SID


def start(**environment: str) -> "subprocess.Popen[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TWILIO_")}
    return subprocess.Popen(
        [sys.executable, "-m", "portal.demo.fake_providers"],
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_process_prints_its_urls_and_stops_on_signal() -> None:
    with start(KEPT_SIMULATOR_FROM_NUMBER="+14155550142") as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        assert ready["from_number"] == "+14155550142"
        assert ready["smtp_url"].startswith("smtp://127.0.0.1:")
        async with aiohttp.ClientSession() as http, http.get(ready["mail_url"]) as answer:
            assert "No mail yet" in await answer.text()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_process_reports_a_failed_start_in_one_sentence() -> None:
    with start(TWILIO_AUTH_TOKEN="a real one") as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 1
    assert errors.startswith("The simulator did not start: TWILIO_AUTH_TOKEN is set")
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 307, 3),
        ("{" * 80, 1),
        ("{" * 81, 2),
        ("a" * 152 + "{" * 77, 3),  # an extension character is not split across parts
        ("ñ" * 160, 1),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 67, 3),  # 33 to a part: a surrogate pair is not split
    ],
)
def test_carrier_counts_segments(body: str, parts: int) -> None:
    assert count_segments(body) == parts

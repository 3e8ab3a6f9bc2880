"""Sending by SMTP: what arrives, and the outcome of each failure."""

# ruff: noqa: ARG002 - aiosmtpd fixes the arguments of its handlers.

import asyncio
import email
import email.policy
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from portal.messaging.email.composition import EmailEnvelope, build_email
from portal.messaging.email.smtp import SmtpClient
from portal.messaging.send_errors import NotSent, OutcomeUnknown, Refused
from tests.messaging.email.letters import ENVELOPE, LETTER, letter_of, parts

pytestmark = pytest.mark.either_database


@dataclass
class Mailbox:
    """A mail server on loopback with an answer for each command."""

    rcpt: str = "250 OK"
    data: str = "250 OK"
    pause: bool = False
    hang_up: bool = False
    got: list[EmailMessage] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    users: list[tuple[bytes, bytes]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    url: str = ""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.begun.set()
        self.senders.append(envelope.mail_from)
        if self.hang_up:
            server.transport.abort()
        if self.pause:
            await self.over.wait()
        if self.data.startswith("250"):
            self.got.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.data

    def authenticate(self, server, session, envelope, mechanism, login):
        self.users.append((login.login, login.password))
        return AuthResult(success=login.password == b"p@ss:word", handled=False)


@asynccontextmanager
async def mailbox(**answers):
    box = Mailbox(**answers)
    loop = asyncio.get_running_loop()

    def door() -> SMTP:
        return SMTP(
            box, hostname="localhost", authenticator=box.authenticate, auth_require_tls=False
        )

    server = await loop.create_server(door, "127.0.0.1", 0)
    box.url = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield box
    finally:
        box.over.set()
        server.close()
        await server.wait_closed()


async def test_mail_is_delivered_unchanged():
    async with mailbox() as box:
        await SmtpClient(f"smtp://{box.url}").send(build_email(LETTER, EmailEnvelope(**ENVELOPE)))
    (got,) = box.got
    assert got["Message-ID"] == "<m7.k3@kept.example>"
    assert parts(got) == parts(letter_of())


async def test_envelope_sender_is_the_bounce_address():
    async with mailbox() as box:
        mailer = SmtpClient(f"smtp://{box.url}")
        await mailer.send(build_email(LETTER, EmailEnvelope(**ENVELOPE)), "bounce+7-x@acme.example")
        await mailer.send(build_email(LETTER, EmailEnvelope(**ENVELOPE)))
    assert box.senders == ["bounce+7-x@acme.example", "hello@acme.example"]


async def test_password_may_have_any_character():
    async with mailbox() as box:
        await SmtpClient(f"smtp://me%40x:p%40ss%3Aword@{box.url}").send(
            build_email(LETTER, EmailEnvelope(**ENVELOPE))
        )
    assert box.users == [(b"me@x", b"p@ss:word")]


async def test_rejected_login_pauses_the_queue():
    async with mailbox() as box:
        with pytest.raises(Refused) as refusal:
            await SmtpClient(f"smtp://me:wrong@{box.url}").send(
                build_email(LETTER, EmailEnvelope(**ENVELOPE))
            )
    assert (refusal.value.action, refusal.value.permanent) == ("pause_queue", False)
    assert box.got == []


@pytest.mark.parametrize(
    ("answers", "action"),
    [
        ({"rcpt": "550 5.1.1 no such user"}, "bad_address"),
        ({"rcpt": "550 No such user here"}, "bad_address"),
        ({"rcpt": "552 5.2.2 mailbox full"}, "person"),
        ({"rcpt": "550 5.7.1 not welcome"}, "person"),
        ({"data": "554 5.7.1 spam"}, "never_resend"),
    ],
)
async def test_smtp_5xx_is_permanent_with_advice(answers, action):
    async with mailbox(**answers) as box:
        with pytest.raises(Refused) as refusal:
            await SmtpClient(f"smtp://{box.url}").send(
                build_email(LETTER, EmailEnvelope(**ENVELOPE))
            )
    assert (refusal.value.action, refusal.value.permanent) == (action, True)


@pytest.mark.parametrize("answers", [{"rcpt": "451 greylisted"}, {"data": "452 4.3.1 no room"}])
async def test_smtp_4xx_is_temporary(answers):
    async with mailbox(**answers) as box:
        with pytest.raises(NotSent):
            await SmtpClient(f"smtp://{box.url}").send(
                build_email(LETTER, EmailEnvelope(**ENVELOPE))
            )


async def test_refused_connection_is_not_sent():
    async with mailbox() as box:
        pass
    with pytest.raises(NotSent):
        await SmtpClient(f"smtp://{box.url}").send(build_email(LETTER, EmailEnvelope(**ENVELOPE)))


async def test_missing_greeting_is_not_sent():
    over = asyncio.Event()

    async def silent(_, writer):
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotSent):
        await SmtpClient(f"smtp://127.0.0.1:{port}", timeout=0.3).send(
            build_email(LETTER, EmailEnvelope(**ENVELOPE))
        )
    over.set()
    server.close()


@pytest.mark.parametrize("fault", ["hang_up", "pause"])
async def test_timeout_after_data_is_outcome_unknown(fault):
    async with mailbox(**{fault: True}) as box:
        with pytest.raises(OutcomeUnknown):
            await SmtpClient(f"smtp://{box.url}", timeout=0.5).send(
                build_email(LETTER, EmailEnvelope(**ENVELOPE))
            )
        assert box.begun.is_set()


async def test_cancellation_is_propagated():
    async with mailbox(pause=True) as box:
        send = asyncio.create_task(
            SmtpClient(f"smtp://{box.url}").send(build_email(LETTER, EmailEnvelope(**ENVELOPE)))
        )
        await box.begun.wait()
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send


@pytest.mark.parametrize("url", ["", "mail.example", "http://mail.example", "smtp://"])
def test_invalid_smtp_url_names_the_setting(url):
    with pytest.raises(ValueError, match="SMTP_URL"):
        SmtpClient(url)


def test_plaintext_login_over_network_is_refused():
    assert SmtpClient("smtp://me:secret@mail.example")._server["start_tls"] is True
    assert SmtpClient("smtp+starttls://mail.example:2525")._server["start_tls"] is True
    assert SmtpClient("smtps://me:secret@mail.example")._server["use_tls"] is True
    assert SmtpClient("smtp://mail.example")._server["start_tls"] is None

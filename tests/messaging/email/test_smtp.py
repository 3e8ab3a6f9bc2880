"""A mail says the same in both parts, cannot be made to say more, and ends in a known way."""

# ruff: noqa: ARG002, RUF001 - aiosmtpd names what its handlers take; names are names.

import asyncio
import email
import email.policy
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from portal.messaging.email.composition import EmailContent, EmailEnvelope, Thread, build_email
from portal.messaging.email.smtp import SmtpClient
from portal.messaging.send_errors import NotSent, OutcomeUnknown, Refused

pytestmark = pytest.mark.either_database

LETTER = EmailContent(
    subject="Your card is being made",
    headline="Your card is being made, Martin",
    paragraphs=("Card Processing has it since Tuesday, 2:05 pm.",),
    button_label="See where it is",
    link="https://kept.example/r/Ab1?x=1&y=2",
    footer="You get this because you gave us this address.",
    unsubscribe_label="Stop these e-mails",
    reference="CARD-7K4M-2Q9",
)
ENVELOPE = {
    "brand": "Acme Bank",
    "sender": "hello@acme.example",
    "to": "martin@example.org",
    "to_name": "Martin",
    "message_id": "<m7.k3@kept.example>",
    "at": datetime(2026, 11, 24, 14, 5, tzinfo=UTC),
    "unsubscribe_url": "https://kept.example/r/Ab1/unsubscribe",
}


def letter_of(letter: EmailContent = LETTER, **changes: object) -> EmailMessage:
    """As a mail program reads it: written out, and parsed again."""
    raw = build_email(letter, EmailEnvelope(**(ENVELOPE | changes))).as_bytes()
    assert raw.isascii()
    return email.message_from_bytes(raw, policy=email.policy.default)


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    words, page = (part.get_content().replace("\r\n", "\n") for part in (text, html))
    return words, page


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("hello@acme.example", "Acme Bank <hello@acme.example>"),
        ("Acme Care <hello@acme.example>", "Acme Care <hello@acme.example>"),
        ("<hello@acme.example>", "Acme Bank <hello@acme.example>"),
        ('"Smith, Zoë" <hello@acme.example>', '"Smith, Zoë" <hello@acme.example>'),
    ],
)
def test_sender_name_is_configured_or_the_brand(sender: str, shown: str):
    """KEPT_MAIL_FROM may have a name before its address."""
    assert str(letter_of(sender=sender)["From"]) == shown


def test_text_and_html_parts_have_the_same_content():
    text, html = parts(letter_of())
    for words in (
        LETTER.headline,
        *LETTER.paragraphs,
        LETTER.button_label,
        LETTER.reference,
        LETTER.footer,
        LETTER.unsubscribe_label,
        "Acme Bank",
    ):
        assert words in text
        assert words in html
    assert LETTER.link in text
    assert 'href="https://kept.example/r/Ab1?x=1&amp;y=2"' in html


def test_headers_follow_the_rfcs():
    message = letter_of(thread=Thread(["<m1@kept.example>"]), reply_to="r+abc@acme.example")
    assert message["From"] == "Acme Bank <hello@acme.example>"
    assert message["Message-ID"] == "<m7.k3@kept.example>"
    assert message["In-Reply-To"] == "<m1@kept.example>"
    assert message["References"] == "<m1@kept.example>"
    assert message["Reply-To"].addresses[0].addr_spec == "r+abc@acme.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert "Precedence" not in message
    assert message["List-Unsubscribe"] == f"<{ENVELOPE['unsubscribe_url']}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Date"] == "Tue, 24 Nov 2026 14:05:00 +0000"


def test_auto_reply_has_auto_submitted_header():
    """RFC 3834: no machine should answer it in turn."""
    message = letter_of(thread=Thread(["<m1@k>", "<theirs@x>"], answers=True))
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<theirs@x>"
    assert message["References"] == "<m1@k> <theirs@x>"


def test_staff_text_keeps_its_lines_and_author():
    letter = replace(LETTER, paragraphs=("One\ntwo <b>", "three"), author_name="Tess")
    text, html = parts(letter_of(letter))
    assert "One\ntwo <b>\n\nthree\n\nTess" in text
    assert "One<br>\ntwo &lt;b&gt;</td>" in html
    assert ">Tess<" in html


def test_answers_are_links_in_both_parts():
    letter = replace(
        LETTER, answer_links=(("Yes", "https://k/r/x#yes"), ("No", "https://k/r/x#no"))
    )
    text, html = parts(letter_of(letter))
    assert "Yes: https://k/r/x#yes\nNo: https://k/r/x#no\n" in text
    assert 'href="https://k/r/x#yes"' in html
    assert 'href="https://k/r/x#no"' in html


def test_message_id_is_stable():
    assert letter_of()["Message-ID"] == letter_of()["Message-ID"]


def test_long_links_and_ids_are_not_encoded_or_folded():
    """A folded or encoded List-Unsubscribe is one that no mail program can follow."""
    url, ids = "https://kept.example/" + "u" * 300, tuple(f"<{'i' * 90}{n}@k>" for n in range(9))
    raw = build_email(
        LETTER, EmailEnvelope(**(ENVELOPE | {"unsubscribe_url": url, "thread": Thread(ids)}))
    ).as_bytes()
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw
    assert f"\r\nReferences: {' '.join(ids)}\r\n".encode() in raw


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Łukasz",
        "山田 太郎",
        'O"Brien, <Pat>',
        "🎈 " * 30 + "end",
        "Ñandú " * 20 + "end",
        "Mr. X (the @ one)",
        "می\u200cخواهم",
    ],
)
def test_display_name_is_preserved(name):
    letter = replace(LETTER, subject=f"For {name}")
    raw = build_email(
        letter, EmailEnvelope(**(ENVELOPE | {"to_name": name, "brand": name}))
    ).as_bytes()
    # The older reader: the newer one adds spaces between the encoded words of a long name.
    message = email.message_from_bytes(raw)
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78
    for header in ("To", "From"):
        written, address = parseaddr(message[header].replace("\r\n", ""))
        assert str(make_header(decode_header(written))) == name
        assert address.endswith("example" if header == "From" else "@example.org")
    assert str(make_header(decode_header(message["Subject"]))) == f"For {name}"


def test_header_injection_is_impossible():
    evil = "Martin\r\nBcc: thief@example.org\n\nHello\x00\u2028\u202e\ud800"
    message = letter_of(
        replace(LETTER, subject=evil, headline=evil, paragraphs=(evil,)), to_name=evil, brand=evil
    )
    assert "Bcc" not in message
    assert message["To"].addresses[0].addr_spec == "martin@example.org"
    assert message["Subject"] == "Martin Bcc: thief@example.org Hello"


def test_html_is_escaped():
    _, html = parts(letter_of(replace(LETTER, headline="<script>alert(1)</script> & co")))
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in html


def test_missing_values_leave_no_gap():
    bare = EmailContent(subject="Hello", headline="Hello")
    text, html = parts(letter_of(bare, unsubscribe_url=""))
    assert "http" not in text
    assert "<a " not in html
    assert text.split() == ["Hello", "--", "Acme", "Bank"]


def test_html_has_lang_and_dir():
    _, html = parts(letter_of(replace(LETTER, language="ar", right_to_left=True)))
    assert '<html lang="ar" dir="rtl">' in html


def test_non_ascii_domain_is_idna_encoded():
    assert letter_of(to="m@bücher.example")["To"].addresses[0].domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    ["", "martin", "@x.y", "a@", "a@b\r\nBcc: c@d", "a b@c.d", "jürgen@c.d", "a@b..c", "<a@b.c>"],
)
def test_invalid_address_is_permanent(address):
    with pytest.raises(Refused) as refusal:
        letter_of(to=address)
    assert (refusal.value.action, refusal.value.permanent) == ("bad_address", True)


@pytest.mark.parametrize("wrong", [{"message_id": "<a b>"}, {"thread": Thread(["<a>\r\nX: y"])}])
def test_invalid_message_id_raises_programming_error(wrong):
    with pytest.raises(ValueError, match="not fit for a mail header"):
        letter_of(**wrong)


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

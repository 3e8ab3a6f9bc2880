"""The mailbox: takes any mail by SMTP, delivers it nowhere and keeps it to be read."""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from functools import cached_property
from itertools import count
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from portal.demo.fake_providers.faults import MAIL_FAULTS, FaultRules
from portal.demo.fake_providers.waiting import ChangeSignal

LINK = re.compile(r"(https?://[^\s<>\"]+[^\s<>\".,;:!?)\]])")


@dataclass(kw_only=True)
class Mail:
    """One mail as it came in. `id` counts from 1; `received_at` is UTC."""

    id: int
    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def message(self) -> EmailMessage:
        """The mail as Python's email package reads it."""
        return message_from_bytes(self.content, policy=modern)

    @property
    def subject(self) -> str:
        """In readable letters, or nothing."""
        return self.header("Subject")

    def header(self, name: str) -> str:
        """The header in readable letters, or nothing."""
        return str(self.message.get(name, ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All of them, in order."""
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str | None:
        """The text part, if there is one that can be read."""
        return self._part("plain")

    @property
    def html(self) -> str | None:
        """The HTML part, if there is one that can be read."""
        return self._part("html")

    def _part(self, kind: str) -> str | None:
        part = self.message.get_body((kind,))
        if part is None:
            return None
        try:
            return str(part.get_content())
        except (LookupError, UnicodeError):
            return None  # a charset that nobody knows

    @property
    def text_and_links(self) -> Iterator[tuple[str, bool]]:
        """The text part in pieces, and whether each is a link."""
        for index, piece in enumerate(LINK.split(self.text or "")):
            yield piece, index % 2 == 1

    def reply(self, text: str) -> EmailMessage:
        """What the reader's mail program would send back."""
        answer = EmailMessage()
        answer["From"] = self.header("To") or ", ".join(self.rcpt_tos)
        answer["To"] = self.header("Reply-To") or self.header("From")
        subject = self.subject
        answer["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
        if message_id := self.header("Message-ID"):
            answer["In-Reply-To"] = message_id
            answer["References"] = f"{self.header('References')} {message_id}".strip()
        answer["Message-ID"] = f"<reply-{self.id}-{self.received_at.timestamp()}@mailbox.invalid>"
        answer.set_content(text)
        return answer

    def as_json(self) -> dict[str, Any]:
        """For assertions; times are ISO 8601 in UTC."""
        return {
            "id": self.id,
            "received_at": self.received_at.isoformat(),
            "mail_from": self.mail_from,
            "rcpt_tos": list(self.rcpt_tos),
            "from": self.header("From"),
            "to": self.header("To"),
            "subject": self.subject,
            "message_id": self.header("Message-ID"),
            "headers": self.headers,
            "text": self.text,
            "html": self.html,
        }


class Mailbox:
    """The newest `most` mails, and aiosmtpd's handler that takes them in."""

    MAX_EMAIL_BYTES = 2_000_000

    def __init__(self, max_mails: int, faults: FaultRules, changes: ChangeSignal) -> None:
        self._max_mails, self._faults, self._changes = max_mails, faults, changes
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._ids = count(1)

    def mails(self) -> tuple[Mail, ...]:
        """Oldest first."""
        return tuple(self._mails.values())

    def mails_to(self, address: str) -> tuple[Mail, ...]:
        """By the envelope, which also knows of blind copies; oldest first."""
        return tuple(mail for mail in self.mails() if address in mail.rcpt_tos)

    def find(self, mail_id: int) -> Mail | None:
        """The mail of that id, unless it is unknown or forgotten."""
        return self._mails.get(mail_id)

    def forget(self) -> None:
        """Empty it; ids go on counting."""
        self._mails.clear()
        self._changes.changed()

    def keep(self, mail_from: str, rcpt_tos: tuple[str, ...], content: bytes) -> Mail:
        """Take a mail in, and forget the oldest where there are too many."""
        mail = Mail(id=next(self._ids), mail_from=mail_from, rcpt_tos=rcpt_tos, content=content)
        self._mails[mail.id] = mail
        if len(self._mails) > self._max_mails:
            self._mails.popitem(last=False)
        self._changes.changed()
        return mail

    def smtp(self) -> SMTP:
        """One SMTP conversation, as `loop.create_server` wants it."""
        return SMTP(
            self,
            hostname="mailbox.invalid",
            ident="Simulated mailbox",
            data_size_limit=self.MAX_EMAIL_BYTES,
            enable_SMTPUTF8=True,
        )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _: SMTP,
        __: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Aiosmtpd's hook: every recipient is accepted, unless a fault refuses it."""
        if fault := self._faults.take(MAIL_FAULTS, to=address):
            return f"{fault.code} This address is refused on request"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        """Aiosmtpd's hook: every mail is kept."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail = self.keep(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
        return f"250 Kept as mail {mail.id}"

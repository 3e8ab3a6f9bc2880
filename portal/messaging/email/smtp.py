"""Mail to customers: a letter in two parts, and the door to an SMTP server.

Sources: RFC 5322 (message), RFC 2369 and RFC 8058 (one-click unsubscribe), RFC 3834
(automatic mail), RFC 3463 (enhanced status codes).
"""

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from portal.messaging.send_errors import FailureRule, NotSent, OutcomeUnknown, Refused
from portal.paths import TEMPLATES

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailContent:
    """The words of one mail, in the customer's language.

    A new line inside a paragraph is kept. ``signed`` is who wrote the paragraphs, where that was
    a person. ``choices`` are answers with the links that lead to them; ``link`` is where
    ``button`` leads, and there is none without it. ``unsubscribe_label`` stand on the way out.
    """

    subject: str
    headline: str
    paragraphs: tuple[str, ...] = ()
    author_name: str = ""
    answer_links: tuple[tuple[str, str], ...] = ()
    button_label: str = ""
    link: str = ""
    footer: str = ""
    unsubscribe_label: str = ""
    reference: str = ""
    language: str = "en"
    right_to_left: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail belongs: the ids of earlier mails, the first one first, as far as they are told.

    ``answers``: it is our own quick answer to the last of them, so no machine should answer back.
    """

    ids: Sequence[str] = ()
    answers: bool = False


def build_email(
    letter: EmailContent,
    *,
    brand: str,
    sender: str,
    to: str,
    message_id: str,
    at: datetime,
    to_name: str = "",
    thread: Thread = Thread(),
    reply_to: str = "",
    unsubscribe_url: str = "",
) -> EmailMessage:
    """One mail of two parts that say the same.

    ``message_id`` is the caller's, stored beforehand, so the same mail is the same twice. ``at``
    is an aware moment. ``unsubscribe_url`` must take a POST without a login. Raises ``Refused``
    for an address that no mail can be written to, ValueError for one of our own that is wrong.
    """
    message = EmailMessage(policy=EMAIL_POLICY)
    message["From"] = _sender(brand, sender)
    message["To"] = _recipient(to_name, to)
    message["Subject"] = _line(letter.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = _token(message_id)
    # The second is what Exchange heeds. No Precedence and no List-Id: this is no bulk and no
    # list, and would be sorted away as such.
    message["Auto-Submitted"] = "auto-replied" if thread.answers else "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if thread.ids:
        message["In-Reply-To"] = _token(thread.ids[-1])
        message["References"] = " ".join(_token(earlier) for earlier in thread.ids)
    if reply_to:
        message["Reply-To"] = _address(brand, reply_to)
    if unsubscribe_url:
        message["List-Unsubscribe"] = f"<{_token(unsubscribe_url)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    words: dict[str, Any] = {"letter": letter, "brand": brand, "unsubscribe_url": unsubscribe_url}
    text = _templates.get_template("letter.txt").render(words)
    html = _templates.get_template("letter.html").render(words)
    message.set_content(_printable(text), cte="quoted-printable")
    message.add_alternative(_printable(html), subtype="html", cte="quoted-printable")
    return message


class SmtpClient:
    """Sends mail by one SMTP server.

    ``smtp_url``: ``smtp://user:password@host:port`` (STARTTLS where it is offered, and required
    where a password would cross a network), ``smtp+starttls://`` (required) or ``smtps://``
    (TLS from the first byte); user and password percent-encoded. ValueError when it is none of
    these. ``timeout`` is a hard limit in seconds for one mail.
    """

    def __init__(self, smtp_url: str, timeout: float = 15) -> None:
        url = urlsplit(smtp_url)
        if url.scheme not in {"smtp", "smtp+starttls", "smtps"} or not url.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:port")
        self._timeout = timeout
        implicit = url.scheme == "smtps"
        secret_on_a_network = bool(url.username) and url.hostname not in LOOPBACK
        required = url.scheme == "smtp+starttls" or (secret_on_a_network and not implicit)
        self._server: dict[str, Any] = {
            "hostname": url.hostname,
            "port": url.port or (465 if implicit else 587 if required else 25),
            "username": unquote(url.username) if url.username else None,
            "password": unquote(url.password) if url.password else None,
            "use_tls": implicit,
            "start_tls": None if not (implicit or required) else required,
        }

    async def send(self, message: EmailMessage, envelope_from: str = "") -> None:
        """Hand one mail over. Tried once: whether to try again is the caller's to decide.

        ``envelope_from`` is the address on its envelope, for where it cannot be delivered; the
        sender's own where none is given.
        Raises ``NotSent`` (safe to retry: never reached, or refused for now), ``Refused`` (a 5xx
        of RFC 5321) or ``OutcomeUnknown`` (the words were under way when it broke off).
        """
        sender, to = (message[name].addresses[0] for name in ("From", "To"))
        wire = _Wire(local_hostname=sender.domain, timeout=self._timeout, **self._server)
        try:
            async with asyncio.timeout(self._timeout):
                await wire.connect()
                await wire.sendmail(
                    envelope_from or sender.addr_spec, [to.addr_spec], message.as_bytes()
                )
        except aiosmtplib.SMTPException as error:
            raise _told(error, data_started=wire.data_started) from error
        except (OSError, TimeoutError) as error:
            raise _broken(error, data_started=wire.data_started) from error
        else:
            # It is accepted: a bad farewell changes nothing.
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await wire.quit()
        finally:
            wire.close()


class _Wire(aiosmtplib.SMTP):
    """A connection that remembers whether the mail itself has begun to go out."""

    data_started = False

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.data_started = True
        return await super().data(*args, **kwargs)


def _told(
    error: aiosmtplib.SMTPException, *, data_started: bool
) -> NotSent | OutcomeUnknown | Refused:
    """An SMTP server's answer: 4xx is "not now", 5xx is "no"; who is at fault shows in where."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Refused(500, SERVER_REFUSED, error.message)
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return _broken(error, data_started=data_started)
    if not 500 <= error.code < 600:
        return NotSent(f"The mail server said {error.code}: {error.message}")
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        about_the_address = not re.match(r"5\.[2-7]\.", error.message)
        return Refused(
            error.code, UNKNOWN_ADDRESS if about_the_address else MAILBOX_REFUSED, error.message
        )
    if isinstance(error, aiosmtplib.SMTPDataError):
        return Refused(error.code, CONTENT_REFUSED, error.message)
    return Refused(error.code, SERVER_REFUSED, error.message)


def _broken(error: Exception, *, data_started: bool) -> NotSent | OutcomeUnknown:
    if data_started:
        return OutcomeUnknown(f"No sure answer from the mail server: {error!r}")
    return NotSent(f"The mail server could not be reached: {error!r}")


UNKNOWN_ADDRESS = FailureRule(
    permanent=True, action="bad_address", reason="There is no such mail address."
)
MAILBOX_REFUSED = FailureRule(
    permanent=True, action="person", reason="The mailbox does not take our mail."
)
CONTENT_REFUSED = FailureRule(
    permanent=True, action="never_resend", reason="The mail's content was refused."
)
SERVER_REFUSED = FailureRule(
    permanent=False, action="pause_queue", reason="Our mail server refuses us. Check SMTP_URL."
)


def _sender(brand: str, sender: str) -> Address:
    """By the name that stands before the address (``Care <care@acme.com>``), else by the brand."""
    name, address = parseaddr(sender) if sender.rstrip().endswith(">") else ("", sender)
    return _address(name or brand, address)


def _recipient(name: str, address: str) -> Address:
    try:
        return _address(name, address)
    except ValueError as error:
        raise Refused(553, UNKNOWN_ADDRESS, str(error)) from error


def _address(name: str, address: str) -> Address:
    """A name and an address; a domain beyond ASCII is written as IDNA. ValueError when wrong."""
    local, at, domain = address.strip().rpartition("@")
    try:
        if not (at and local.isascii() and domain):
            raise ValueError(f"not a mail address: {address!r}")
        spec = f"{_token(local)}@{domain.encode('idna').decode('ascii')}"
        return Address(_line(name), addr_spec=spec)
    except (HeaderParseError, UnicodeError, IndexError) as error:
        raise ValueError(f"not a mail address: {address!r}") from error


def _token(value: str) -> str:
    """One printable ASCII word, or ValueError: nothing that could begin another header."""
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError(f"not fit for a mail header: {value!r}")
    return value


def _line(text: str) -> str:
    """Text for a header: one line, nothing invisible that could reorder or end it."""
    kept = (
        " " if unicodedata.category(c) in FORBIDDEN_CATEGORIES and c not in JOINERS else c
        for c in text
    )
    return " ".join("".join(kept).split())[:200]


JOINERS = "\u200c\u200d"
FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def _printable(text: str) -> str:
    """Text for a part: any words, but no control characters and nothing that UTF-8 lacks."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", text)


class _Post(EmailPolicy):
    """Writes headers as the library does, but for two of its faults.

    It encodes what machines read when that is long, and it loses or adds a space between the
    encoded words of a long name or subject (seen in Python 3.11).
    """

    VERBATIM = frozenset({"list-unsubscribe", "references", "in-reply-to", "message-id"})

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in self.VERBATIM:
            return f"{name}: {value}\r\n".encode("ascii")
        if str(value).isascii():
            return super().fold_binary(name, value)
        if addresses := getattr(value, "addresses", ()):
            (one,) = addresses
            written = f"{_encoded(name, one.display_name)}\r\n <{one.addr_spec}>"
        else:
            written = _encoded(name, str(value))
        return f"{name}: {written}\r\n".encode("ascii")


def _encoded(name: str, text: str) -> str:
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")


EMAIL_POLICY = _Post(linesep="\r\n")

_templates = Environment(
    loader=FileSystemLoader(TEMPLATES / "email"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

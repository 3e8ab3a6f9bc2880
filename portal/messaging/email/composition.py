"""Composes a mail of a text part and an HTML part.

Sources: RFC 5322 (message), RFC 2369 and RFC 8058 (one-click unsubscribe), RFC 3834
(automatic mail).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.messaging.send_errors import FailureRule, Refused
from portal.models import DeliveryReason
from portal.paths import TEMPLATES

UNKNOWN_ADDRESS = FailureRule(
    permanent=True, action="bad_address", reason=DeliveryReason.ADDRESS_UNKNOWN
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailContent:
    """The text of one mail, in the customer's language.

    A new line inside a paragraph is kept. ``author_name`` is the person who wrote the paragraphs,
    if one did. ``steps`` are the steps of the request, each with its state. ``answer_links`` are answers with their links, ``parcel_links`` carriers' pages of
    tracking numbers; ``link`` is that of the button, and
    without it there is none. ``unsubscribe_label`` is the text of the unsubscribe link.
    """

    subject: str
    headline: str
    paragraphs: tuple[str, ...] = ()
    author_name: str = ""
    steps_label: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    answer_links: tuple[tuple[str, str], ...] = ()
    parcel_links: tuple[tuple[str, str], ...] = ()
    button_label: str = ""
    link: str = ""
    footer: str = ""
    unsubscribe_label: str = ""
    reference: str = ""
    language: str = "en"
    right_to_left: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """The thread of a mail: the ids of earlier mails, the first one first.

    ``answers``: it is an automatic answer to the last of them, so no program should answer it.
    """

    ids: Sequence[str] = ()
    answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailEnvelope:
    """Who a mail is from and for, and its identity.

    ``sender`` is an address, or a name with one (``Care <care@acme.com>``); without a name it is
    sent by ``brand``. ``message_id`` is stored beforehand, so the same mail is the same twice.
    ``at`` is an aware datetime. ``unsubscribe_url`` must take a POST without a login. ``theme`` is
    the brand's; its logo is fetched from ``public_url``, and is a PNG: few mail programs show SVG.
    """

    brand: str
    theme: Theme = DEFAULT_THEME
    public_url: str = ""
    sender: str
    to: str
    to_name: str = ""
    message_id: str
    at: datetime
    thread: Thread = Thread()
    reply_to: str = ""
    unsubscribe_url: str = ""


def build_email(content: EmailContent, envelope: EmailEnvelope) -> EmailMessage:
    """One mail of two parts, text and HTML, with the same content.

    Raises ``Refused`` for a recipient's address that no mail can be written to, and ValueError
    where an address of our own, the id or the URL cannot stand in a header.
    """
    message = EmailMessage(policy=EMAIL_POLICY)
    message["From"] = _sender(envelope.brand, envelope.sender)
    message["To"] = _recipient(envelope.to_name, envelope.to)
    message["Subject"] = _line(content.subject)
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = _token(envelope.message_id)
    # Exchange reads the second. No Precedence and no List-Id: mail programs sort bulk and lists
    # away.
    message["Auto-Submitted"] = "auto-replied" if envelope.thread.answers else "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if envelope.thread.ids:
        message["In-Reply-To"] = _token(envelope.thread.ids[-1])
        message["References"] = " ".join(_token(earlier) for earlier in envelope.thread.ids)
    if envelope.reply_to:
        message["Reply-To"] = _address(envelope.brand, envelope.reply_to)
    if envelope.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{_token(envelope.unsubscribe_url)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    context: dict[str, Any] = {
        "letter": content, "brand": envelope.brand, "unsubscribe_url": envelope.unsubscribe_url,
        "logo": _logo(envelope), "light": envelope.theme.accent.light_shades(),
        "dark": envelope.theme.accent.dark_shades(),
    }  # fmt: skip
    text = _templates.get_template("letter.txt").render(context)
    html = _templates.get_template("letter.html").render(context)
    message.set_content(_printable(text), cte="quoted-printable")
    message.add_alternative(_printable(html), subtype="html", cte="quoted-printable")
    return message


def _logo(envelope: EmailEnvelope) -> Markup | None:
    logo = envelope.theme.logo
    if logo is None or logo.media_type != "image/png" or not envelope.public_url:
        return None
    return envelope.theme.mark(envelope.brand, origin=envelope.public_url)


def _sender(brand: str, sender: str) -> Address:
    """The sender with the name before its address (``Care <care@acme.com>``), else the brand."""
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
    """Printable ASCII without spaces, or ValueError: it cannot begin another header."""
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
    """Text for a part, without control characters and surrogates."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", text)


class _HeaderPolicy(EmailPolicy):
    """Writes headers like the library, without two of its faults.

    The library encodes long headers that programs read, and loses or adds a space between the
    encoded words of a long name or subject (Python 3.11).
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


EMAIL_POLICY = _HeaderPolicy(linesep="\r\n")

_templates = Environment(
    # In the checkout the templates stand beside the package, in a wheel inside it.
    loader=FileSystemLoader(TEMPLATES / "email"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

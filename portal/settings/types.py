"""The kinds of value that a setting may have; a wrong one raises the end of a kind sentence."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from portal.branding.color import Accent
from portal.branding.theme import Logo
from portal.carriers import Carriers
from portal.whatsapp import WhatsAppTemplates

E164 = re.compile(r"\+[1-9]\d{6,14}")  # ITU-T E.164: at most 15 digits, none of them a leading 0


@dataclass(frozen=True)
class QuietHours:
    """The hours, in a customer's own zone, in which Kept starts no message.

    ``start`` belongs to them, ``end`` does not; they may pass midnight. A day that has no such
    hour, or has it twice, never makes them shorter than they are written.
    """

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The hours of a text such as "21:00-08:00"; None for an empty one.

        Raises ValueError for anything else.
        """
        if not text:
            return None
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
        if start == end or start.tzinfo or end.tzinfo:
            raise ValueError(text)
        return cls(start, end)

    def until(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that contain this aware time end, in UTC; None outside them."""
        period = self._period(moment, zone)
        return period[1] if period else None

    def since(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that contain this aware time began, in UTC; None outside them."""
        period = self._period(moment, zone)
        return period[0] if period else None

    def _period(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        today = at.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            last = day if self.start < self.end else day + timedelta(days=1)
            begins = min(_moments(day, self.start, zone))
            ends = max(_moments(last, self.end, zone))
            if begins <= at < ends:
                return begins, ends
        return None

    def __str__(self) -> str:
        """As the setting is written: `21:00-08:00`."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def after_quiet_hours(
    at: datetime, zone: ZoneInfo, all_hours: Sequence[QuietHours | None]
) -> datetime:
    """That time, or the first one after it that is in none of these quiet hours.

    Where they leave no hour of the day, an end of one of them.
    """
    for _ in range(len(all_hours) + 1):
        ends = [end for hours in all_hours if hours and (end := hours.until(at, zone))]
        if not ends:
            break
        at = max(ends)
    return at


def _moments(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When it is that time there, in UTC: two moments where clocks are changed, else one, twice."""
    local = datetime.combine(day, at, zone)
    return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _hours_or_off(value: object) -> object:
    if value is None or isinstance(value, QuietHours):
        return value
    text = str(value).strip().lower()
    if text == "off":
        return None
    try:
        hours = QuietHours.parse(text)
    except ValueError:
        hours = None
    if hours is None:
        msg = 'must look like "21:00-08:00", or be "off".'
        raise ValueError(msg)
    return hours


def _folder(value: object) -> object:
    return Path(str(value)).expanduser().resolve()


def _database(value: object) -> object:
    """Name the async driver, and give libpq's `sslmode` the name that asyncpg knows."""
    try:
        url = make_url(str(value))
    except (ArgumentError, ValueError):
        msg = "must be a URL, such as postgresql://user@host/kept or sqlite:///kept.db."
        raise ValueError(msg) from None
    system = url.drivername.partition("+")[0]
    if system == "sqlite":
        if url.database in {None, "", ":memory:"}:
            msg = "must name a file: web and worker cannot share a database in memory."
            raise ValueError(msg)
        url = url.set(drivername="sqlite+aiosqlite")
    elif system in {"postgresql", "postgres"}:
        query = {"ssl" if key == "sslmode" else key: value for key, value in url.query.items()}
        url = url.set(drivername="postgresql+asyncpg", query=query)
    else:
        msg = "must be a PostgreSQL or an SQLite URL."
        raise ValueError(msg)
    return url.render_as_string(hide_password=False)


def _address(
    *schemes: str, such_as: str, holds: Callable[[SplitResult], bool] | None = None
) -> BeforeValidator:
    """Check a URL with one of these schemes, kept without a slash at its end."""

    def check(value: object) -> object:
        text = str(value).strip().rstrip("/")
        try:
            parts = urlsplit(text)
            host = parts.path if parts.scheme == "unix" else parts.hostname
            is_valid = bool(host) and parts.port != 0 and parts.scheme in schemes
            is_valid = is_valid and (holds is None or holds(parts))
        except ValueError:  # a port that is none, a bracket that does not close
            is_valid = False
        if not is_valid:
            msg = f"must be {such_as}."
            raise ValueError(msg)
        return text

    return BeforeValidator(check)


def _is_origin(parts: SplitResult) -> bool:
    return "@" not in parts.netloc and not (parts.path or parts.query or parts.fragment)


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part for part in (word.strip() for word in value.split(",")) if part)


def _networks(value: object) -> object:
    try:
        return tuple(ip_network(part) for part in _split(value))  # type: ignore[attr-defined]
    except ValueError:
        msg = "must be addresses or networks, such as 127.0.0.1 or 10.0.0.0/8."
        raise ValueError(msg) from None


def _matching(pattern: re.Pattern[str], remedy: str) -> BeforeValidator:
    def check(value: object) -> object:
        text = str(value).strip()
        if not pattern.fullmatch(text):
            raise ValueError(remedy)
        return text

    return BeforeValidator(check)


def _mail_sender(value: object) -> object:
    text = str(value).strip()
    _, address = parseaddr(text)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or set(text) & set("\r\n"):
        msg = 'must be a mail address, such as "Kept <kept@example.com>".'
        raise ValueError(msg)
    return text


def _logo(value: object) -> object:
    if value is None or isinstance(value, Logo):
        return value
    try:
        return Logo.read(Path(str(value)).expanduser())
    except OSError:
        msg = "must name a file that we may read."
        raise ValueError(msg) from None


def _carriers(value: object) -> object:
    if value is None or isinstance(value, Carriers):
        return value
    try:
        return Carriers.read(Path(str(value)).expanduser())
    except OSError:
        msg = "must name a file that we may read."
        raise ValueError(msg) from None


def _whatsapp_templates(value: object) -> object:
    if value is None or isinstance(value, WhatsAppTemplates):
        return value
    try:
        return WhatsAppTemplates.read(Path(str(value)).expanduser())
    except OSError:
        msg = "must name a file that we may read."
        raise ValueError(msg) from None


def _accent(value: object) -> object:
    return value if isinstance(value, Accent) else Accent.read(str(value))


AccentColours = Annotated[Accent, NoDecode, BeforeValidator(_accent)]
CarriersFile = Annotated[Carriers | None, NoDecode, BeforeValidator(_carriers)]
WhatsAppTemplatesFile = Annotated[
    WhatsAppTemplates | None, NoDecode, BeforeValidator(_whatsapp_templates)
]
LogoFile = Annotated[Logo | None, NoDecode, BeforeValidator(_logo)]
Folder = Annotated[Path, BeforeValidator(_folder)]
OptionalQuietHours = Annotated[QuietHours | None, BeforeValidator(_hours_or_off)]
MailSender = Annotated[str, BeforeValidator(_mail_sender)]
PhoneNumber = Annotated[
    str, _matching(E164, "must be a phone number in E.164, such as +14155550132.")
]
AccountSid = Annotated[
    str, _matching(re.compile("AC[0-9A-Za-z]+"), 'must be an account sid, which begins with "AC".')
]
ServiceSid = Annotated[
    str,
    _matching(
        re.compile("MG[0-9A-Za-z]+"), 'must be a messaging service sid, which begins with "MG".'
    ),
]
# Several secrets are parted by commas: the first is used for what we sign, all are accepted.
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]

Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
DatabaseUrl = Annotated[str, BeforeValidator(_database)]
RedisUrl = Annotated[
    str, _address("redis", "rediss", "unix", such_as="a URL, such as redis://127.0.0.1:6379")
]
SmtpUrl = Annotated[
    str, _address("smtp", "smtps", such_as="a URL, such as smtp://user:password@host:587")
]
HttpUrl = Annotated[str, _address("http", "https", such_as="a URL, such as https://host:9000")]
Origin = Annotated[
    str,
    AfterValidator(str.lower),
    _address(
        "http",
        "https",
        such_as="an origin and nothing more, such as https://kept.example.com",
        holds=_is_origin,
    ),
]

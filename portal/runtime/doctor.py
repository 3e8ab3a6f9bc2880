"""The checks of `kept doctor`: one result for each subject, one plain sentence for each result."""

import asyncio
import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url

from portal.errors import PortalError
from portal.runtime.database_start import (
    DatabaseUnavailable,
    check_database,
    plain_database_errors,
)
from portal.runtime.embedded_redis import server_path
from portal.runtime.revisions import find_damage
from portal.settings import Settings
from portal.settings.old_names import NEW_NAMES

LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class CheckResult:
    """Whether one subject is in order, and a sentence that says so or names the remedy."""

    is_ok: bool
    words: str


def run_checks(settings: Settings) -> Iterator[CheckResult]:
    """Check settings, database, queue, providers and the public address; changes nothing."""
    yield from _settings(settings)
    yield _database(settings)
    yield from _queue(settings)
    yield _texts(settings)
    yield _mail(settings)
    yield _public_url(settings)
    yield from _proxies(settings)


def _settings(settings: Settings) -> Iterator[CheckResult]:
    known = [settings.environment_name(name) for name in type(settings).model_fields]
    unknown = [
        name
        for name in sorted(os.environ)
        if name.startswith(("KEPT_", "TWILIO_")) and name not in known
    ]
    for name in unknown:
        if name in NEW_NAMES:
            text = f"Settings: {name} is now named {NEW_NAMES[name]}; the old name ends soon."
            yield CheckResult(is_ok=False, words=text)
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        yield CheckResult(is_ok=False, words=f"Settings: Kept has no setting {name}{hint}")
    if not unknown:
        yield CheckResult(is_ok=True, words="Settings: all of them are valid.")


def _database(settings: Settings) -> CheckResult:
    place = make_url(settings.database_url).database
    if settings.is_single_machine and not (place and Path(place).exists()):
        return CheckResult(is_ok=True, words="Database: a file here, made at the first start.")
    try:
        if place and settings.is_single_machine and (damage := find_damage(Path(place))):
            return CheckResult(
                is_ok=False,
                words=f"Database: it is damaged ({damage}); restore a backup (docs/backup.md).",
            )
        with plain_database_errors():
            asyncio.run(check_database(settings.database_url))
    except DatabaseUnavailable as refusal:
        return CheckResult(is_ok=False, words=f"Database: it does not answer ({refusal.detail}).")
    except PortalError as refusal:
        return CheckResult(is_ok=False, words=f"Database: {refusal.detail}")
    return CheckResult(is_ok=True, words="Database: answers, and is at the newest revision.")


def _queue(settings: Settings) -> Iterator[CheckResult]:
    if settings.redis_url is None:
        try:
            server_path()
        except PortalError as refusal:
            yield CheckResult(is_ok=False, words=f"Queue: {refusal.detail}")
        else:
            yield CheckResult(is_ok=True, words="Queue: embedded; `kept serve` starts it.")
        return
    missing = _missing_protection(settings.redis_url)
    if missing:
        text = f"Queue: REDIS_URL leads to another machine, without {' and '.join(missing)}."
        yield CheckResult(is_ok=False, words=text)
    try:
        with Redis.from_url(settings.redis_url, socket_connect_timeout=5) as client:
            client.ping()
    except RedisError:
        yield CheckResult(is_ok=False, words="Queue: nothing answers at REDIS_URL.")
    else:
        yield CheckResult(is_ok=True, words="Queue: answers at REDIS_URL.")


def _missing_protection(redis_url: str) -> list[str]:
    """What this URL lacks where Redis is not on this machine: others could wake or watch."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix" or parts.hostname in LOOPBACK_HOSTS:
        return []
    missing = [] if parts.password else ["a password"]
    return missing if parts.scheme == "rediss" else [*missing, "TLS (rediss://)"]


def _texts(settings: Settings) -> CheckResult:
    if not settings.sends_texts:
        return CheckResult(
            is_ok=True, words="Texts: none are sent, as no TWILIO_ setting is given."
        )
    sender = settings.twilio_from_number or "the messaging service"
    where = settings.twilio_api_url or "Twilio"
    return CheckResult(is_ok=True, words=f"Texts: sent from {sender} through {where}.")


def _mail(settings: Settings) -> CheckResult:
    if not settings.sends_mail:
        return CheckResult(is_ok=True, words="E-mail: none is sent, as SMTP_URL is not set.")
    return CheckResult(is_ok=True, words=f"E-mail: sent from {settings.mail_from}.")


def _public_url(settings: Settings) -> CheckResult:
    parts = urlsplit(settings.public_url)
    is_here = parts.hostname in LOOPBACK_HOSTS
    real = settings.sends_texts and settings.twilio_api_url is None
    if is_here and real:
        words = f"at {settings.public_url} no phone can open a link; set KEPT_PUBLIC_URL."
    elif not is_here and parts.scheme == "http":
        words = f"{settings.public_url} is not encrypted; put https in front of it."
    else:
        return CheckResult(is_ok=True, words=f"Public address: {settings.public_url}.")
    return CheckResult(is_ok=False, words=f"Public address: {words}")


def _proxies(settings: Settings) -> Iterator[CheckResult]:
    """Encryption is a proxy's work: unless that proxy is trusted, its address is everybody's."""
    if settings.public_url.startswith("https:") and not settings.trusted_proxies:
        yield CheckResult(
            is_ok=False,
            words="Proxy: KEPT_TRUSTED_PROXIES is not set, so all who come through your proxy share "
            "its rate limits; name the proxy's address.",
        )

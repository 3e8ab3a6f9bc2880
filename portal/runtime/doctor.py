"""The checks of `kept doctor`: one result for each subject, one plain sentence for each result."""

import asyncio
import difflib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic_settings import DotEnvSettingsSource
from redis import Redis
from redis.exceptions import RedisError
from sqlmodel import col

from portal import business_time
from portal.database import Database
from portal.errors import PortalError
from portal.models import Heartbeat, StaffMember, Workflow
from portal.runtime.check_result import CheckResult, Level, right, warning, wrong
from portal.runtime.database_start import (
    DatabaseUnavailable,
    check_database_at,
    plain_database_errors,
)
from portal.runtime.doctor_network import LOOPBACK_HOSTS, check_network
from portal.runtime.embedded_redis import server_path
from portal.runtime.revisions import find_damage
from portal.settings import Settings
from portal.settings.old_names import NEW_NAMES
from portal.settings.secret_key import RECOMMENDED_LENGTH, is_recommended

DATABASE_SECONDS = 10.0  # seconds for the database to connect and answer
NO_ANSWER = f"Database: it does not answer within {DATABASE_SECONDS:.0f} seconds."
WORKER_SEEN_WITHIN = timedelta(seconds=30)


def run_checks(settings: Settings) -> Iterator[CheckResult]:
    """Check settings, database, files, queue, provider, mail server and the public address.

    Changes and sends nothing. Servers are given 15 seconds in all.
    """
    yield from _settings(settings)
    database = _database(settings)
    yield database
    if database.level is Level.OK and settings.has_database:
        yield from _contents(settings)
    yield _files(settings)
    yield from asyncio.run(_servers(settings))
    yield from _proxies(settings)


async def _servers(settings: Settings) -> list[CheckResult]:
    queue = asyncio.to_thread(lambda: list(_queue(settings)))
    found = await asyncio.gather(queue, check_network(settings))
    return [result for results in found for result in results]


def _settings(settings: Settings) -> Iterator[CheckResult]:
    known = [Settings.environment_name(name) for name in Settings.model_fields]
    given = {*os.environ, *DotEnvSettingsSource(Settings).env_vars}
    unknown = [
        name
        for name in sorted(given)
        if name.startswith(("KEPT_", "TWILIO_")) and name not in known
    ]
    for name in unknown:
        place = "" if name in os.environ else " (in .env)"
        if name in NEW_NAMES:
            yield wrong(
                f"Settings: {name}{place} is now named {NEW_NAMES[name]}; the old name ends soon."
            )
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        yield wrong(f"Settings: Kept has no setting {name}{place}{hint}")
    if not all(is_recommended(key.get_secret_value()) for key in settings.configured_secret_keys):
        yield wrong(
            f"Settings: KEPT_SECRET_KEY should be {RECOMMENDED_LENGTH} random letters or more."
        )
    elif not unknown:
        yield right("Settings: all of them are valid.")


def _database(settings: Settings) -> CheckResult:
    path = settings.database_path
    if not settings.has_database:
        return right("Database: a file here, made at the first start.")
    try:
        if path and (damage := find_damage(path)):
            return wrong(f"Database: it is damaged ({damage}); restore a backup (docs/backup.md).")
        with plain_database_errors():
            asyncio.run(
                asyncio.wait_for(check_database_at(settings.database_url), DATABASE_SECONDS)
            )
    except TimeoutError:
        return wrong(NO_ANSWER)
    except DatabaseUnavailable as refusal:
        return wrong(f"Database: it does not answer ({refusal.detail}).")
    except PortalError as refusal:
        return wrong(f"Database: {refusal.detail}")
    return right("Database: answers, and is at the newest revision.")


def _queue(settings: Settings) -> Iterator[CheckResult]:
    if settings.redis_url is None:
        try:
            server_path()
        except PortalError as refusal:
            yield wrong(f"Queue: {refusal.detail}")
        else:
            yield right("Queue: embedded; `kept serve` starts it.")
        return
    missing = _missing_protection(settings.redis_url)
    if missing:
        text = f"Queue: REDIS_URL leads to another machine, without {' and '.join(missing)}."
        yield wrong(text)
    try:
        with Redis.from_url(
            settings.redis_url, socket_connect_timeout=5, socket_timeout=5
        ) as client:
            client.ping()
    except RedisError:
        yield wrong("Queue: nothing answers at REDIS_URL.")
    else:
        yield right("Queue: answers at REDIS_URL.")


def _missing_protection(redis_url: str) -> list[str]:
    """What this URL lacks where Redis is not on this machine: others could wake or watch."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix" or parts.hostname in LOOPBACK_HOSTS:
        return []
    missing = [] if parts.password else ["a password"]
    return missing if parts.scheme == "rediss" else [*missing, "TLS (rediss://)"]


def _contents(settings: Settings) -> Iterator[CheckResult]:
    """Whether there is anybody to work, a workflow to follow, and a worker that lives."""
    try:
        with plain_database_errors():
            staff, workflows, beat = asyncio.run(
                asyncio.wait_for(_read_contents(settings.database_url), DATABASE_SECONDS)
            )
    except TimeoutError:
        yield wrong(NO_ANSWER)
        return
    except PortalError as refusal:
        yield wrong(f"Database: {refusal.detail}")
        return
    if not staff:
        yield warning("Staff: nobody yet; add people with `kept staff add`.")
    if not workflows:
        yield warning("Workflows: none yet; load one with `kept workflow load`.")
    if beat is None or business_time.now() - beat > WORKER_SEEN_WITHIN:
        yield warning("Worker: none has given a sign of life for 30 seconds.")
    else:
        yield right("Worker: at work.")


async def _read_contents(url: str) -> tuple[int, int, datetime | None]:
    database = Database(url)
    queries = (
        sa.select(sa.func.count()).select_from(StaffMember),
        sa.select(sa.func.count()).select_from(Workflow),
        sa.select(sa.func.max(col(Heartbeat.beat_at))),
    )
    try:
        async with database.connection() as connection:
            staff, workflows, beat = [await connection.scalar(query) for query in queries]
            return int(staff or 0), int(workflows or 0), beat
    finally:
        await database.close()


def _files(settings: Settings) -> CheckResult:
    folder = settings.files_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return wrong(f"Files: nothing can be written in {folder} ({error.strerror}).")
    return right("Files: attachments can be stored.")


def _proxies(settings: Settings) -> Iterator[CheckResult]:
    """Encryption is a proxy's work: unless that proxy is trusted, its address is everybody's."""
    if settings.public_url.startswith("https:") and not settings.trusted_proxies:
        yield warning(
            "Proxy: KEPT_TRUSTED_PROXIES is not set, so all who come through your proxy share "
            "its rate limits; name the proxy's address."
        )

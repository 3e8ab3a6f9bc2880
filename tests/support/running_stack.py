"""The whole product: web, workers, queue and database, with the fake providers."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import httpx2
from sqlmodel import select

from portal.business_time import now
from portal.database import Database
from portal.demo.fake_providers import FakeProviders
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import ApiKey, StaffMember
from portal.operations import Operations
from portal.runtime.child_processes import listen
from portal.runtime.embedded_redis import EmbeddedRedis
from portal.settings import Settings
from tests.support.factories import Organisation, SeedRows, insert_seed_rows
from tests.support.processes import web

TOKEN = "the token of the tests"
RESPONSE_TIMEOUT_SECONDS = 30.0
"""Seconds until a call fails: the web process may just have started."""


class RunningStack:
    """Kept on one machine, started by `with` and stopped at its end.

    A carrier, a queue and, if ``starts_web``, a web process on a free port. Tests start workers
    themselves. The processes belong to no event loop; `organisation` opens the database in the loop
    of the test.
    """

    def __init__(
        self,
        database_url: str,
        folder: Path,
        carrier: FakeProviders,
        *,
        starts_web: bool = True,
        **told: Any,
    ) -> None:
        """``told`` has further settings, by their names in the environment."""
        self.carrier = carrier
        self._starts_web = starts_web
        self.queue = EmbeddedRedis(folder)
        self._told = {"DATABASE_URL": database_url, "KEPT_DATA_DIR": folder, **told}

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._listener = opening.enter_context(listen("127.0.0.1", 0))
            self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
            opening.enter_context(self.carrier)
            self.carrier.inbound_url = f"{self.origin}/hooks/twilio/inbound"
            opening.enter_context(self.queue)
            self.settings = Settings(_env_file=None, **{**self._usual, **self._told})
            self.web = web(self.settings, self._listener)
            if self._starts_web:
                self.web.start()
                opening.callback(lambda: self.web.stop())  # noqa: PLW0108 (a restart replaces it)
            self._opened = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def _usual(self) -> dict[str, Any]:
        return {
            "KEPT_PUBLIC_URL": self.origin,
            "KEPT_SECRET_KEY": "a secret that only the tests know",
            "KEPT_BRAND": "Acme Bank",
            "KEPT_QUIET_HOURS": "off",
            "KEPT_SWEEP_SECONDS": 0.2,
            "KEPT_RECONCILE_SECONDS": 0.5,
            "KEPT_RECEIPT_POLL_SECONDS": 1,
            "KEPT_TWILIO_ANSWERS_KEYWORDS": False,
            "REDIS_URL": self.queue.url,
            "TWILIO_ACCOUNT_SID": self.carrier.config.account_sid,
            "TWILIO_AUTH_TOKEN": self.carrier.config.auth_token,
            "TWILIO_FROM_NUMBER": self.carrier.config.from_number,
            "TWILIO_API_URL": self.carrier.api_url,
            "SMTP_URL": self.carrier.smtp_url,
            "KEPT_MAIL_FROM": "Acme Bank <desk@acme.example>",
        }

    def restart_web(self) -> None:
        """Kill the web process, and start another on the same port."""
        self.web.stop()
        self.web = web(self.settings, self._listener).start()

    @asynccontextmanager
    async def organisation(self, seed_rows: SeedRows) -> AsyncIterator[Organisation]:
        """The organisation, in the running loop; its staff are added where there are none."""
        database = Database(self.settings.database_url)
        operations = Operations(
            self.settings,
            database,
            JobQueue(self.settings.redis_url),
            LiveUpdates(self.settings.redis_url),
        )
        try:
            async with database.reading() as session:
                people = (await session.exec(select(StaffMember))).all()
            if people:
                named = {person.email.partition("@")[0]: person for person in people}
                yield Organisation(operations, database, SimpleNamespace(**named))
            else:
                yield Organisation(
                    operations, database, await insert_seed_rows(database, seed_rows)
                )
        finally:
            await operations.jobs.close()
            await operations.live.stop()
            await database.close()

    @asynccontextmanager
    async def api(self, organisation: Organisation) -> AsyncIterator[httpx2.AsyncClient]:
        """An API client with its own key; paths are relative to ``/api/v1``."""
        key, secret = ApiKey.make("crm", now())
        async with organisation.database.transaction() as session:
            session.add(key)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx2.AsyncClient(
            base_url=f"{self.origin}/api/v1", headers=headers, timeout=RESPONSE_TIMEOUT_SECONDS
        ) as client:
            yield client

"""The product's own processes, started as an engineer would start them."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from portal.settings import Settings

T = TypeVar("T")
READY = re.compile(r"http://127\.0\.0\.1:\d+")


def environment(settings: Settings) -> dict[str, str]:
    """These settings as an environment for a process of its own."""
    told = {
        "DATABASE_URL": settings.database_url,
        "KEPT_DATA_DIR": str(settings.data_dir),
        "KEPT_PUBLIC_URL": settings.public_url,
        "KEPT_SECRET_KEY": settings.secret_keys[0].get_secret_value(),
        "KEPT_BRAND": settings.brand,
        "KEPT_QUIET_HOURS": "off",
        "KEPT_SWEEP_EVERY": str(settings.sweep_every),
        "KEPT_RECONCILE_AFTER": str(settings.reconcile_after),
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid or "",
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_tokens[0].get_secret_value(),
        "TWILIO_FROM_NUMBER": settings.twilio_from_number or "",
        "TWILIO_API_URL": settings.twilio_api_url or "",
        "REDIS_URL": settings.redis_url or "",
        "SMTP_URL": settings.smtp_url or "",
        "KEPT_MAIL_FROM": settings.mail_from or "",
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **{name: value for name, value in told.items() if value}}


class Process:
    """A process of ours, ended when the block ends."""

    def __init__(self, *arguments: str, settings: Settings) -> None:
        self._arguments = arguments
        self._settings = settings

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            env=environment(self._settings),
            cwd=os.path.dirname(os.path.dirname(__file__)),  # noqa: PTH120
            stdin=subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    async def said(self, pattern: str) -> str:
        """Wait until it says this on stderr."""
        assert self._process.stderr is not None
        async with asyncio.timeout(30):
            while line := (await self._process.stderr.readline()).decode():
                if found := re.search(pattern, line):
                    return found[0]
        raise AssertionError(f"it ended without saying {pattern!r}")

    async def told(self, number: int) -> int:
        """Send it a signal and wait for its end; gives its exit code."""
        self._process.send_signal(number)
        async with asyncio.timeout(30):
            await self._process.communicate()
        return self._process.returncode or 0

    async def killed(self) -> None:
        """`kill -9`: no farewell."""
        await self.told(signal.SIGKILL)


def worker(settings: Settings) -> Process:
    """A worker process."""
    return Process("-m", "workers", settings=settings)


async def eventually(look: Callable[[], Awaitable[T | None]], within: float = 20) -> T:
    """What ``look`` finds, as soon as it finds anything. For what only a database row tells."""
    async with asyncio.timeout(within):
        while not (found := await look()):  # noqa: ASYNC110 (a row sends no event)
            await asyncio.sleep(0.05)
    return found

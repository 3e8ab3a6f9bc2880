"""The product as processes, with the fake carrier and the phones that it texts."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from portal.demo.fake_providers import FakeProviders

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 60.0
ENDS_WITHIN = 20.0


class ProductProcess:
    """One `kept` of its own: a process with all its children, on a free port, in a new folder.

    ``said`` is what it must have said on its output before it counts as started; its first
    group is its address.
    """

    def __init__(self, *arguments: str, folder: Path, said: str, **told: str) -> None:
        self._arguments = arguments
        self._said = said
        self._log = folder / "said.txt"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {**kept, "KEPT_DATA_DIR": str(folder / "data"), **told}
        self.address = ""

    def start(self, *more: str) -> Self:
        """Start it, and return when it serves and its worker is at work."""
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "portal.cli", *self._arguments, *more],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.address = self.wait_until_said(self._said)
        wait_until(self._is_ready, STARTS_WITHIN, self._log.read_text)
        return self

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(ENDS_WITHIN)

    def wait_until_said(self, pattern: str) -> str:
        """The first group of the pattern in what it says."""
        found = wait_until(
            lambda: self._process.poll() is not None or re.search(pattern, self._log.read_text()),
            STARTS_WITHIN,
            self._log.read_text,
        )
        assert isinstance(found, re.Match), self._log.read_text()
        return found[1]

    def _is_ready(self) -> bool:
        try:
            return bool(httpx2.get(f"{self.address}/readyz").json()["status"] == "ok")
        except httpx2.TransportError:
            return False


class ProductStack:
    """An organisation's `kept serve`, its command line, its key to the API and its carrier."""

    def __init__(self, folder: Path) -> None:
        self.carrier = FakeProviders()
        self._folder = folder

    def __enter__(self) -> Self:
        self.carrier.start()
        account = self.carrier.config
        self._serve = ProductProcess(
            "serve",
            folder=self._folder,
            said=r"serving at (http://\S+),",
            KEPT_BRAND="Acme Bank",
            KEPT_QUIET_HOURS="off",
            TWILIO_ACCOUNT_SID=account.account_sid,
            TWILIO_AUTH_TOKEN=account.auth_token,
            TWILIO_FROM_NUMBER=account.from_number,
            TWILIO_API_URL=self.carrier.api_url,
        )
        try:
            self.address = self._serve.start("--port", "0").address
            self._serve.environment["KEPT_PUBLIC_URL"] = self.address
            self.carrier.inbound_url = f"{self.address}/hooks/twilio/inbound"
        except BaseException:
            self.carrier.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        self.carrier.stop()

    def close(self) -> None:
        """Everything of ours is gone for a while; the carrier and the phones are not."""
        self._serve.stop()

    def reopen(self) -> None:
        """Be there again, at the same address."""
        self._serve.start("--port", self.address.rpartition(":")[2])

    def kept(self, *arguments: str) -> list[str]:
        """What a command says, line by line."""
        done = subprocess.run(
            [sys.executable, "-m", "portal.cli", *arguments],
            env=self._serve.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def call(self, path: str, key: str, **body: Any) -> dict[str, Any]:
        """POST to the API, or GET where there is no body."""
        answered = httpx2.request(
            "POST" if body else "GET",
            f"{self.address}/api/v1{path}",
            headers={"Authorization": f"Bearer {key}"},
            json=body or None,
        )
        assert answered.is_success, answered.text
        told: dict[str, Any] = answered.json()
        return told

    def advance_to_courier(self, reference: str, key: str) -> None:
        """Take a card through all departments but the last, each taking it up."""
        for who in ("uma", "pia", "carl"):
            by = f"{who}@acme.example"
            self.call(f"/requests/{reference}/advance", key, note="Done.")
            self.call(f"/requests/{reference}/handoff/accept", key, by=by)


class Phone:
    """A customer's phone. Texts are read in the order in which they came, each once."""

    def __init__(self, carrier: FakeProviders, number: str) -> None:
        self.number = number
        self._carrier = carrier
        self._read = len(carrier.texts_to(number))

    def reads(self, words: str) -> str:
        """The next text, which must hold these words. It has some seconds to come."""
        at = self._read
        texts = self._carrier.wait_for(
            lambda: self._carrier.texts_to(self.number)[at : at + 1], timeout=10
        ).result()
        self._read += 1
        assert words in texts[0].body, f"expected {words!r}, not {texts[0].body!r}"
        return texts[0].body

    def has_nothing_new(self) -> bool:
        """Whether all that came has been read."""
        return len(self._carrier.texts_to(self.number)) == self._read

    def writes(self, words: str) -> None:
        """Text the organisation; done when it has been taken in."""
        self._carrier.receive(self.number, words).result()


def wait_until(look: Any, within: float, excuse: Any = lambda: "") -> Any:
    """What ``look`` finds, as soon as it finds anything. For what gives no sign by itself."""
    ends = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < ends, f"not within {within} s: {excuse()}"
        time.sleep(0.05)
    return found

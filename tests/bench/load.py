"""A load of HTTP/1.1 calls over persistent connections, one at a time on each."""

import asyncio
import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import uvloop

from tests.bench.runner import Server, table

CONNECTIONS = 16


@dataclass
class LoadResult:
    """How it went: answers by status, their times in seconds, and how long all of it took."""

    statuses: dict[int, int] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second. Raises where one of them was no success."""
        bad = {status: count for status, count in self.statuses.items() if status >= 300}
        if bad or not self.times:
            raise RuntimeError(f"answers: {self.statuses}")
        return len(self.times) / self.seconds


def get(path: str) -> bytes:
    """A GET as a browser would send it."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip, br\r\n"
        f"Accept: text/html\r\nUser-Agent: bench\r\n\r\n"
    ).encode()


def post(path: str, body: bytes, kind: str, *headers: str) -> bytes:
    """A POST."""
    lines = [
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}",
        f"Content-Length: {len(body)}", *headers, "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + body


@dataclass(frozen=True)
class ServerResult:
    """One server's part in a comparison: answers a second, and its cpu_seconds's µs for each."""

    rate: float
    cpu_seconds: float


Parts = Mapping[tuple[str, str], tuple[Server, Sequence[bytes]]]
"""What is compared: by its name and its database, the server and the calls to make."""


def report(title: str, parts: Parts, options: Any) -> None:
    """Compare them with the first, and print the table."""
    compared = compare(parts, options.seconds)
    first = next(iter(compared.values()))
    table(
        title,
        ["answer", "database", "per second", "ratio", "CPU µs", "ratio"],
        [
            [*names, result.rate, result.rate / first.rate, result.cpu_seconds,
             first.cpu_seconds / result.cpu_seconds]
            for names, result in compared.items()
        ],
    )  # fmt: skip


def compare(parts: Parts, seconds: float, rounds: int = 5) -> dict[tuple[str, str], ServerResult]:
    """Load these servers in turns, so that whatever else the machine does falls on all of them.

    The cpu_seconds's time holds even while others are using the machine; the rates then do not.
    """
    rates: dict[tuple[str, str], list[float]] = {name: [] for name in parts}
    spent: dict[tuple[str, str], list[float]] = {name: [] for name in parts}
    for _ in range(rounds):
        for name, (server, calls) in parts.items():
            before = server.cpu_seconds
            loaded = load(server.port, calls, seconds=seconds / rounds)
            rates[name].append(loaded.rate)
            spent[name].append((server.cpu_seconds - before) * 1e6 / len(loaded.times))
    return {name: ServerResult(median(rates[name]), median(spent[name])) for name in parts}


def load(
    port: int, calls: Iterable[bytes], *, seconds: float, again: bool = True, warm: float = 0.0
) -> LoadResult:
    """Make these calls for so long; ``again`` begins anew at their end, else it ends there."""

    async def run() -> LoadResult:
        supply = itertools.cycle(calls) if again else iter(calls)
        if warm and again:
            await _run(port, supply, warm)
        return await _run(port, supply, seconds)

    return uvloop.run(run())


async def _run(port: int, supply: Iterable[bytes], seconds: float) -> LoadResult:
    loop = asyncio.get_running_loop()
    loaded, calls = LoadResult(), iter(supply)
    begun = time.perf_counter()
    callers = [
        (await loop.create_connection(lambda: Caller(calls, loaded, begun + seconds), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]  # fmt: skip
    begun = time.perf_counter()
    for caller in callers:
        caller.until = begun + seconds
        caller.call()
    await asyncio.gather(*(caller.over for caller in callers))
    loaded.seconds = time.perf_counter() - begun
    return loaded


class Caller(asyncio.Protocol):
    """One connection: calls, waits for the whole answer, calls again."""

    def __init__(self, calls: Iterable[bytes], loaded: LoadResult, until: float) -> None:
        self.calls = iter(calls)
        self.loaded = loaded
        self.until = until
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got = b""
        self._called = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def call(self) -> None:
        """The next call, or the end."""
        now = time.perf_counter()
        call = next(self.calls, None) if now < self.until else None
        if call is None:
            self._transport.close()
            if not self.over.done():
                self.over.set_result(None)
            return
        self._called = now
        self._transport.write(call)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _length(self._got[:head])
        if len(self._got) < head + 4 + length:
            return
        status = int(self._got[9:12])
        self.loaded.statuses[status] = self.loaded.statuses.get(status, 0) + 1
        self.loaded.times.append(time.perf_counter() - self._called)
        self._got = b""
        self.call()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(error or ConnectionError("the server ended the connection"))


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    return int(head[at + 15 :].split(b"\r\n", 1)[0])

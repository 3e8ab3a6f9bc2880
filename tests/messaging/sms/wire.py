"""A server with chosen responses in place of Twilio."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

from portal.messaging.sms.twilio_client import TwilioClient

TO, OURS = "+14155550132", "+14155550100"


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]
    over: asyncio.Event


Answer = Callable[[asyncio.StreamWriter, Asked], Awaitable[None]]


@dataclass
class Wire:
    """A server on loopback that answers as it is told, down to the bytes."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = first.split(" ")
                url = urlsplit(target)
                query = parse_qs(url.query)
                asked = Asked(method, url.path, query, parse_qs(body.decode()), self.over)
                self.asked.append(asked)
                self.heard.set()
                await self.answers.pop(0)(writer, asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def says(status: int, body: str, kind: str = "application/json", cut: int = 0) -> Answer:
    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        raw = body.encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n"
        writer.write(head.encode() + raw[: len(raw) - cut])
        await writer.drain()
        if cut:
            writer.close()

    return answer


def refuses(status: int, code: int) -> Answer:
    return says(status, json.dumps({"status": status, "code": code, "message": "no"}))


def text(**changes: object) -> dict[str, object]:
    return {
        "sid": "SM1",
        "status": "queued",
        "to": TO,
        "from": OURS,
        "body": "Hello",
        "num_segments": "1",
        "direction": "outbound-api",
        "date_created": format_datetime(NOW),
        "error_code": None,
    } | changes


@asynccontextmanager
async def carrier_says(*answers: Answer, sender: str = OURS, limit: float = 5):
    wire = Wire(list(answers))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = TwilioClient("AC1", "token", sender, api_url=wire.url + "/", timeout=limit)
    try:
        yield gateway, wire
    finally:
        await gateway.close()
        wire.over.set()
        server.close()

"""Who is watching what: one Redis subscription a process, one prepared frame for all viewers.

A topic is ``request:ID`` for what a customer sees: its events have the request's page_version, so
a page that was away gets exactly what it missed. ``desk:ID`` (what only staff see, such as
receipts) and ``department:ID`` (its board and inbox) have no numbers and are never caught up.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.types import Receive, Scope, Send

from portal.live.viewer import (
    STREAM_HEADERS,
    Permission,
    Topic,
    Viewer,
    body,
    frame,
    put,
    require_coroutine_function,
)

__all__ = ["NO_DEPARTMENT", "LiveUpdates", "Permission"]

log = structlog.get_logger()

CHANNEL = "kept:live"
COMPARE_SECONDS = 15.0
"""Seconds between two comparisons of watched pages with the database, should a publish be lost."""
MAX_MISSED_EVENTS = 100
"""Events told at most to a page that was away; each only says "look again"."""
RECONNECT_SECONDS = 1.0
PING_SECONDS = 2.0
CHANGE = re.compile(r"((?:request|desk|department):\d{1,18}) (\d{1,18})", re.ASCII)

NO_DEPARTMENT = 0
"""In place of a department's id: what only those who oversee all departments see."""

LoadVersions = Callable[[Iterable[int]], Awaitable[dict[int, int]]]


class LiveUpdates:
    """Publishes changes, and tells those who watch them in this process."""

    def __init__(self, redis_url: str | None, versions: LoadVersions | None = None) -> None:
        """``versions`` reads the page_versions of requests by id; only a web process needs it."""
        self._redis = Redis.from_url(redis_url) if redis_url else None
        self._versions = versions
        self._topics: dict[str, Topic] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._ping: asyncio.Task[bool] | None = None

    @property
    def viewers(self) -> int:
        """How many streams are open in this process."""
        return len({viewer for topic in self._topics.values() for viewer in topic.viewers})

    async def is_reachable(self) -> bool:
        """Whether Redis answers within PING_SECONDS; callers at the same time share one answer."""
        if self._ping is None or self._ping.done():
            self._ping = asyncio.create_task(self._answers_ping())
        return await asyncio.shield(self._ping)

    async def _answers_ping(self) -> bool:
        if self._redis is None:
            return False
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return False
        return True

    async def publish(self, request_id: int, page_version: int) -> None:
        """A customer can see something new about this request; so can the desk."""
        now = time.time_ns() // 1_000
        await self._publish((f"request:{request_id}", page_version), (f"desk:{request_id}", now))

    async def publish_to_desk(self, *request_ids: int) -> None:
        """Staff can see something new about these requests, such as a receipt."""
        now = time.time_ns() // 1_000
        await self._publish(*((f"desk:{request_id}", now) for request_id in request_ids))

    async def publish_to_departments(self, *department_ids: int) -> None:
        """Something has moved on the boards and in the inboxes of these departments."""
        now = time.time_ns() // 1_000
        await self._publish(
            *((f"department:{department_id}", now) for department_id in department_ids)
        )

    async def start(self) -> None:
        """Begin to listen, beat and compare; a web process does so once."""
        loops = [self._beat(), self._compare()] + ([self._listen()] if self._redis else [])
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    async def stop(self) -> None:
        """End all streams and all loops."""
        self.close_streams()
        tasks = [*self._tasks, self._ping] if self._ping is not None else self._tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._redis.aclose()

    def close_streams(self) -> None:
        """End every open stream; a page takes it up again by itself, wherever it is served."""
        for topic in self._topics.values():
            for viewer in topic.viewers:
                viewer.close()

    async def stream(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        topic: str,
        since: int | None,
        extra_topics: Sequence[str] = (),
        permission: Permission | None = None,
    ) -> None:
        """Serve one viewer until they leave. Raw ASGI: the response is never buffered.

        ``since`` is the last event that the page has; what came after it is told first. Without
        it nothing is told on connecting. ``extra_topics`` are not numbered. A stream ends within
        COMPARE_SECONDS, and the time of the checks, after its ``permission`` has become false.
        Raises RuntimeError where ``send`` is no coroutine function.
        """
        del scope
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a server runs each call in a task)
        require_coroutine_function(send)
        viewer = Viewer(send, task, permission)
        watched = {item: self._topics.setdefault(item, Topic()) for item in (topic, *extra_topics)}
        for item in watched.values():
            item.viewers.add(viewer)
        try:
            await self._open(viewer, topic, since)
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not viewer.closed:
                raise
            task.uncancel()
            with contextlib.suppress(Exception):  # They may have left already.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for name, one in watched.items():
                one.viewers.discard(viewer)
                if not one.viewers and self._topics.get(name) is one:
                    del self._topics[name]

    async def _open(self, viewer: Viewer, topic: str, since: int | None) -> None:
        """Begin the answer, and tell what the page has missed."""
        await viewer.send(STREAM_HEADERS)
        await viewer.send(body(b"retry: 2000\n\n"))
        now_at = max(await self._version(topic), viewer.latest_version)
        first = now_at if since is None else max(since, now_at - MAX_MISSED_EVENTS)
        for number in range(first + 1, now_at + 1):
            await viewer.send(frame(number))
        viewer.sent_version = now_at
        if viewer.latest_version > now_at:
            viewer.sent_version = viewer.latest_version
            put(viewer, frame(viewer.latest_version))

    async def _publish(self, *news: tuple[str, int]) -> None:
        """Publish to every process in one Redis message, a line for each topic."""
        if self._redis is not None and news:
            try:
                lines = "\n".join(f"{topic} {version}" for topic, version in news)
                await self._redis.publish(CHANNEL, lines)
            except (RedisError, OSError) as error:
                log.warning(
                    "live pages could not be told; they will compare", error=type(error).__name__
                )
            else:
                return
        for topic, version in news:
            self._tell_all(topic, version)

    async def _version(self, topic: str) -> int:
        kind, _, number = topic.partition(":")
        if kind != "request" or self._versions is None:
            return 0
        return (await self._versions([int(number)])).get(int(number), 0)

    def _tell_all(self, topic: str, version: int) -> None:
        watched = self._topics.get(topic)
        if watched is None:
            return
        numbered = topic.startswith("request:")
        newest = frame(version)
        for viewer in list(watched.viewers):
            viewer.latest_version = max(viewer.latest_version, version)
            if viewer.sent_version is None or (numbered and version <= viewer.sent_version):
                continue
            if numbered:
                # Each number is one deed; one that was lost on the way is told with the next.
                for number in range(
                    max(viewer.sent_version + 1, version - MAX_MISSED_EVENTS + 1), version
                ):
                    put(viewer, frame(number))
            viewer.sent_version = version
            put(viewer, newest)

    async def _listen(self) -> None:
        """One subscription for the whole process, taken up again whenever it breaks."""
        while True:
            try:
                await self._hear()
            except Exception as error:  # noqa: BLE001 (whatever it is, open pages depend on it)
                log.warning("the live subscription broke; trying again", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self) -> None:
        if self._redis is None:
            return
        async with self._redis.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            await self._compare_once()
            async for message in subscription.listen():
                if message["type"] == "message":
                    for topic, version in _read_changes(message["data"]):
                        self._tell_all(topic, version)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(COMPARE_SECONDS)
            beat = body(b": still here\n\n")
            for topic in list(self._topics.values()):
                for viewer in list(topic.viewers):
                    if viewer.sent_version is not None:
                        put(viewer, beat)

    async def _compare(self) -> None:
        while True:
            await asyncio.sleep(COMPARE_SECONDS)
            try:
                await self._compare_once()
            except Exception as error:  # noqa: BLE001 (the database may be away; pages stay open)
                log.warning("watched pages could not be compared", error=type(error).__name__)
            await self._close_refused()

    async def _close_refused(self) -> None:
        """End the streams of those who may not watch any more, with one check for each key."""
        viewers_by_key: dict[tuple[str, str], set[Viewer]] = {}
        for topic in self._topics.values():
            for viewer in topic.viewers:
                if viewer.permission is not None:
                    viewers_by_key.setdefault(viewer.permission.key, set()).add(viewer)
        for viewers in viewers_by_key.values():
            permission = next(iter(viewers)).permission
            try:
                is_refused = permission is not None and not await permission.check()
            except Exception as error:  # noqa: BLE001 (as above; the other keys are checked all the same)
                log.warning("a stream could not be checked", error=type(error).__name__)
                continue
            for viewer in viewers if is_refused else ():
                viewer.close()
            await asyncio.sleep(0)  # SQLite answers without waiting; others have their turn

    async def _compare_once(self) -> None:
        """Tell what a lost publish did not."""
        if self._versions is None:
            return
        watched = [int(t.partition(":")[2]) for t in self._topics if t.startswith("request:")]
        if watched:
            for request_id, version in (await self._versions(watched)).items():
                self._tell_all(f"request:{request_id}", version)


def _read_changes(data: bytes) -> list[tuple[str, int]]:
    """The topics and versions in a published message; whoever reaches Redis may have written it."""
    lines = data.decode(errors="replace").splitlines()
    changes = [change for line in lines if (change := CHANGE.fullmatch(line))]
    if len(changes) < len(lines):
        log.warning("a malformed live message was dropped")
    return [(change[1], int(change[2])) for change in changes]

"""The watchdog of the tests sees what holds the event loop, and nothing else."""

import asyncio
import gc

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from tests.support import loop_watchdog
from tests.support.loop_watchdog import LoopWatchdog, user_time


def burn(seconds):
    """Compute for this many seconds of user time."""
    began = user_time()
    while user_time() - began < seconds:
        sum(range(10_000))


@pytest.fixture(autouse=True)
def meant_speed(monkeypatch):
    """The machine is as fast as meant."""
    monkeypatch.setattr(loop_watchdog, "machine_slowness", lambda: 1.0)


async def serve(endpoint):
    """Serve one call of an application; gives what was found."""
    sent = []

    async def app(scope, receive, send):
        await endpoint()
        await PlainTextResponse("done")(scope, receive, send)

    starlette = Starlette()
    starlette.middleware_stack = app

    async def send(message):
        sent.append(message)

    with LoopWatchdog() as watchdog:
        scope = {"type": "http", "path": "/x", "headers": [], "method": "GET"}
        watchdog._called.add(("GET", id(None)))
        await watchdog.serve(starlette, scope, None, send)
    assert sent[-1]["body"] == b"done"
    return [path for path, _ in watchdog.held]


async def hold():
    burn(0.15)


async def hold_after_an_await():
    await asyncio.sleep(0)
    burn(0.15)


async def give_way():
    for _ in range(4):
        burn(0.04)
        await asyncio.sleep(0)


async def work_in_a_thread():
    await asyncio.to_thread(burn, 0.15)


@pytest.mark.parametrize("endpoint", [hold, hold_after_an_await])
async def test_holding_the_loop_is_found(endpoint):
    assert await serve(endpoint) == ["/x"]


@pytest.mark.parametrize("endpoint", [give_way, work_in_a_thread])
async def test_giving_way_is_not_found(endpoint):
    gc.collect()
    assert await serve(endpoint) == []

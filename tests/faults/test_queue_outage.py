"""No message is lost while the queue is flushed, full or down; `/readyz` reports its state."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest
from redis import Redis

from portal.demo.fake_providers import FakeProviders
from tests.faults.message_outcomes import (
    SENT_STATUSES,
    STARTS_WITHIN,
    age_heartbeat,
    open_request_for,
    wait_for_status,
)
from tests.support.factories import Organisation
from tests.support.processes import eventually, fast_worker, supervised_worker
from tests.support.running_stack import RESPONSE_TIMEOUT_SECONDS, RunningStack

pytestmark = pytest.mark.worker
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def flushed(place: RunningStack) -> Iterator[None]:
    """FLUSHALL again and again: what was put in is gone."""
    with Redis.from_url(place.queue.url) as client:
        client.flushall()
        yield
        client.flushall()


@contextmanager
def full(place: RunningStack, policy: str = "noeviction") -> Iterator[None]:
    """No memory left: it refuses what is new."""
    with Redis.from_url(place.queue.url) as client:
        client.config_set("maxmemory-policy", policy)
        client.config_set("maxmemory", 1)
        yield
        client.config_set("maxmemory", 0)


@contextmanager
def evicting(place: RunningStack) -> Iterator[None]:
    """No memory left: it throws away what it had."""
    with full(place, "allkeys-random"):
        yield


@contextmanager
def down(place: RunningStack) -> Iterator[None]:
    """Killed, and started again in the end."""
    place.queue.stop()
    yield
    place.queue.start()


@pytest.mark.parametrize("trouble", [flushed, full, evicting, down])
async def test_message_waits_at_most_one_sweep_without_queue(
    trouble: Callable,
    shared_stack: RunningStack,
    organisation: Organisation,
    carrier: FakeProviders,
    phone: str,
) -> None:
    """Redis holds nothing that matters: the sweep takes from the database what is due."""
    with trouble(shared_stack):
        request = await open_request_for(organisation, phone)
        await wait_for_status(organisation, request, *SENT_STATUSES)
    assert len(carrier.texts_to(phone)) == 1


@on_sqlite
@pytest.mark.parametrize("told", [{"KEPT_SWEEP_SECONDS": 300}])
async def test_worker_survives_a_queue_outage_and_uses_the_queue_again(
    own_stack: RunningStack, own_stack_organisation: Organisation, phone: str
) -> None:
    """Sweeps are minutes apart here, so what goes at once was woken for, before and after."""
    carrier = own_stack.carrier

    async def goes_at_once(number: str) -> None:
        await open_request_for(own_stack_organisation, number)
        await carrier.wait_for(lambda: carrier.texts_to(number), STARTS_WITHIN)

    async with supervised_worker(own_stack.settings) as process:
        await process.said("at work")
        await goes_at_once(phone)
        own_stack.queue.stop()
        await process.said("the queue is away")
        waits = f"+{int(phone) + 1}"
        await open_request_for(own_stack_organisation, waits)
        own_stack.queue.start()
        await goes_at_once(f"+{int(phone) + 2}")
        assert len(carrier.texts_to(waits)) == 1
        assert "started again" not in process.stderr


@on_sqlite
async def test_readyz_reports_queue_and_worker_state(
    own_stack: RunningStack, own_stack_organisation: Organisation
) -> None:
    """A dead worker and an absent queue are each named, with a 200: pages are still served.

    A worker counts as alive for 30 s after its last sign of life; they are let pass at once.
    """
    async with httpx2.AsyncClient(
        base_url=own_stack.origin, timeout=RESPONSE_TIMEOUT_SECONDS
    ) as monitor:

        async def says(code: int, **parts: str) -> bool:
            answer = await monitor.get("/readyz")
            return answer.status_code == code and parts.items() <= answer.json().items()

        async def misses_the_worker() -> bool:
            answer = (await monitor.get("/readyz")).json()
            return answer["worker"].startswith("no sign of life since 20")

        never = "no sign of life yet"
        assert await says(200, status="degraded", database="ok", queue="ok", worker=never)
        async with fast_worker(own_stack.settings) as process:
            await eventually(lambda: says(200, status="ok"))
            own_stack.queue.stop()
            assert await says(
                200, status="degraded", database="ok", worker="ok", queue="cannot be reached"
            )
            own_stack.queue.start()
            assert await says(200, queue="ok")
            await process.killed()
        await age_heartbeat(own_stack_organisation.database)
        assert await says(200, status="degraded", database="ok", queue="ok")
        assert await misses_the_worker()
        async with fast_worker(own_stack.settings):
            await eventually(lambda: says(200, worker="ok"))

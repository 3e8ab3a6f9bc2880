"""The queue only wakes: flushed, full, down or back, nothing is lost. `/readyz` says what is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest
from redis import Redis

from portal.demo.fake_providers import Simulator
from tests.faults.message_outcomes import GONE_OUT, STARTS_WITHIN, beat_long_ago, opened, reached
from tests.support.factories import House
from tests.support.processes import eventually, hasty_worker, kept_worker
from tests.support.running_stack import PATIENCE, Installation

pytestmark = pytest.mark.worker
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@contextmanager
def flushed(place: Installation) -> Iterator[None]:
    """FLUSHALL again and again: what was put in is gone."""
    with Redis.from_url(place.queue.url) as client:
        client.flushall()
        yield
        client.flushall()


@contextmanager
def full(place: Installation, policy: str = "noeviction") -> Iterator[None]:
    """No memory left: it refuses what is new."""
    with Redis.from_url(place.queue.url) as client:
        client.config_set("maxmemory-policy", policy)
        client.config_set("maxmemory", 1)
        yield
        client.config_set("maxmemory", 0)


@contextmanager
def evicting(place: Installation) -> Iterator[None]:
    """No memory left: it throws away what it had."""
    with full(place, "allkeys-random"):
        yield


@contextmanager
def down(place: Installation) -> Iterator[None]:
    """Killed, and started again in the end."""
    place.queue.stop()
    yield
    place.queue.start()


@pytest.mark.parametrize("trouble", [flushed, full, evicting, down])
async def test_whatever_becomes_of_the_queue_a_text_waits_for_one_sweep_at_most(
    trouble: Callable, shop: Installation, house: House, carrier: Simulator, phone: str
) -> None:
    """Redis holds nothing that matters: the sweep takes from the database what is due."""
    with trouble(shop):
        request = await opened(house, phone)
        await reached(house, request, *GONE_OUT)
    assert len(carrier.texts_to(phone)) == 1


@on_sqlite
@pytest.mark.parametrize("told", [{"KEPT_SWEEP_EVERY": 300}])
async def test_kept_worker_outlives_the_queue_and_is_woken_by_it_again(
    site: Installation, site_house: House, phone: str
) -> None:
    """Sweeps are minutes apart here, so what goes at once was woken for, before and after."""
    carrier = site.carrier

    async def goes_at_once(number: str) -> None:
        await opened(site_house, number)
        await carrier.wait_for(lambda: carrier.texts_to(number), STARTS_WITHIN)

    async with kept_worker(site.settings) as process:
        await process.said("at work")
        await goes_at_once(phone)
        site.queue.stop()
        await process.said("the queue is away")
        waits = f"+{int(phone) + 1}"
        await opened(site_house, waits)
        site.queue.start()
        await goes_at_once(f"+{int(phone) + 2}")
        assert len(carrier.texts_to(waits)) == 1
        assert "started again" not in process.words


@on_sqlite
async def test_readyz_tells_the_truth_about_queue_and_worker(
    site: Installation, site_house: House
) -> None:
    """A dead worker and an absent queue are each named, with a 503; 200 when they are back.

    A worker counts as alive for 30 s after its last sign of life; they are let pass at once.
    """
    async with httpx2.AsyncClient(base_url=site.origin, timeout=PATIENCE) as monitor:

        async def says(code: int, **parts: str) -> bool:
            answer = await monitor.get("/readyz")
            return answer.status_code == code and parts.items() <= answer.json().items()

        gone = "no sign of life for 30 seconds"
        assert await says(503, database="ok", queue="ok", worker=gone)
        async with hasty_worker(site.settings) as process:
            await eventually(lambda: says(200, status="ok"))
            site.queue.stop()
            assert await says(503, database="ok", worker="ok", queue="cannot be reached")
            site.queue.start()
            assert await says(200, queue="ok")
            await process.killed()
        await beat_long_ago(site_house.database)
        assert await says(503, database="ok", queue="ok", worker=gone)
        async with hasty_worker(site.settings):
            await eventually(lambda: says(200, worker="ok"))

"""The ground of the fault tests: the product as real processes, standing, or started by the test.

``shop`` stands for all tests of a module that kill nothing of it; each has a customer of its own there, so that
a fault for their number meets nobody else. ``site`` is there for one test, which may break it; it
is on SQLite, and again on PostgreSQL, where who kills whom goes by other locks.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from portal.demo.fake_providers import Simulator
from portal.models import ServiceRequest
from tests.support.factories import MARTHA, Furniture, House
from tests.support.processes import hasty_worker
from tests.support.running_stack import TOKEN, Installation

numbers = count(4152020000, 100)


def _carrier() -> Simulator:
    # It leaves stops and their answers to us, so that nothing but our own care keeps them.
    return Simulator(auth_token=TOKEN, blocks_stopped=False, confirms_stop=False)


@pytest.fixture(scope="module")
def shop(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The product at work, its worker in haste."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copyfile(migrated_file, folder / "kept.db")
    url = f"sqlite+aiosqlite:///{folder / 'kept.db'}"
    with Installation(url, folder, _carrier()) as shop, hasty_worker(shop.settings) as worker:
        worker.wait_for("at work")
        yield shop


@pytest.fixture
async def house(shop: Installation, furniture: Furniture) -> AsyncIterator[House]:
    """The cast at their desks in the shop."""
    async with shop.house(furniture) as house:
        yield house
    shop.carrier.faults.clear()


@pytest.fixture
async def api(shop: Installation, house: House) -> AsyncIterator[httpx2.AsyncClient]:
    """Another system with its key, at the shop."""
    async with shop.api(house) as client:
        yield client


@pytest.fixture
def phone() -> str:
    """The number of this test's customer, who has no e-mail; the 99 after it are free too."""
    return f"+1{next(numbers)}"


@pytest.fixture
def carrier(shop: Installation) -> Simulator:
    """The shop's carrier."""
    return shop.carrier


@pytest.fixture
def told() -> dict[str, Any]:
    """Settings of the site, by their names in the environment, where a test wants others."""
    return {}


@pytest.fixture
def serving() -> bool:
    """Whether the site has a web process."""
    return True


@pytest.fixture
def site(
    database_url: str,
    serving: bool,  # noqa: FBT001 (fixtures are asked for by name)
    told: dict[str, Any],
    tmp_path: Path,
) -> Iterator[Installation]:
    """The product for one test: a web process, a queue and a carrier, and no worker yet."""
    with Installation(database_url, tmp_path, _carrier(), serving=serving, **told) as site:
        yield site


@pytest.fixture
async def site_house(site: Installation, furniture: Furniture) -> AsyncIterator[House]:
    """The cast at their desks at the site."""
    async with site.house(furniture) as house:
        yield house


@pytest.fixture
async def sites_request(site_house: House, phone: str) -> ServiceRequest:
    """A request at the site, whose customer is owed the first text."""
    customer = replace(MARTHA, phone=phone)
    return await site_house.open(customer=customer, by=site_house.people.tess.actor)

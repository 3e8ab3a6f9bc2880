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

from portal.demo.fake_providers import FakeProviders
from portal.models import ServiceRequest
from tests.support.factories import MARTHA, Organisation, SeedRows
from tests.support.processes import fast_worker
from tests.support.running_stack import TOKEN, RunningStack

numbers = count(4152020000, 100)


def _carrier() -> FakeProviders:
    # It leaves stops and their answers to us, so that nothing but our own care keeps them.
    return FakeProviders(auth_token=TOKEN, blocks_stopped=False, confirms_stop=False)


@pytest.fixture(scope="module")
def shared_stack(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    """The product at work, its worker in haste."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copyfile(migrated_file, folder / "kept.db")
    url = f"sqlite+aiosqlite:///{folder / 'kept.db'}"
    with (
        RunningStack(url, folder, _carrier()) as shared_stack,
        fast_worker(shared_stack.settings) as worker,
    ):
        worker.wait_for("at work")
        yield shared_stack


@pytest.fixture
async def organisation(
    shared_stack: RunningStack, seed_rows: SeedRows
) -> AsyncIterator[Organisation]:
    """The cast at their desks in the shop."""
    async with shared_stack.organisation(seed_rows) as organisation:
        yield organisation
    shared_stack.carrier.faults.clear()


@pytest.fixture
async def api(
    shared_stack: RunningStack, organisation: Organisation
) -> AsyncIterator[httpx2.AsyncClient]:
    """Another system with its key, at the shop."""
    async with shared_stack.api(organisation) as client:
        yield client


@pytest.fixture
def phone() -> str:
    """The number of this test's customer, who has no e-mail; the 99 after it are free too."""
    return f"+1{next(numbers)}"


@pytest.fixture
def carrier(shared_stack: RunningStack) -> FakeProviders:
    """The shop's carrier."""
    return shared_stack.carrier


@pytest.fixture
def told() -> dict[str, Any]:
    """Settings of the site, by their names in the environment, where a test wants others."""
    return {}


@pytest.fixture
def starts_web() -> bool:
    """Whether the site has a web process."""
    return True


@pytest.fixture
def own_stack(
    database_url: str,
    starts_web: bool,  # noqa: FBT001 (fixtures are asked for by name)
    told: dict[str, Any],
    tmp_path: Path,
) -> Iterator[RunningStack]:
    """The product for one test: a web process, a queue and a carrier, and no worker yet."""
    with RunningStack(
        database_url, tmp_path, _carrier(), starts_web=starts_web, **told
    ) as own_stack:
        yield own_stack


@pytest.fixture
async def own_stack_organisation(
    own_stack: RunningStack, seed_rows: SeedRows
) -> AsyncIterator[Organisation]:
    """The cast at their desks at the site."""
    async with own_stack.organisation(seed_rows) as organisation:
        yield organisation


@pytest.fixture
async def own_stack_request(own_stack_organisation: Organisation, phone: str) -> ServiceRequest:
    """A request at the site, whose customer is owed the first text."""
    customer = replace(MARTHA, phone=phone)
    return await own_stack_organisation.open(
        customer=customer, by=own_stack_organisation.people.tess.actor
    )

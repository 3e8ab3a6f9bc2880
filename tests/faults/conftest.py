"""The product as real processes, shared or started by one test.

The tests of a module share ``shared_stack`` and kill nothing of it. Each test has its own customer, so that
a fault for their number affects no other test. ``own_stack`` is for one test, which may break it; it
runs on SQLite and on PostgreSQL, whose locks differ.
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
    # The product, not the carrier, obeys and confirms opt-outs.
    return FakeProviders(auth_token=TOKEN, blocks_stopped=False, confirms_stop=False)


@pytest.fixture(scope="module")
def shared_stack(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    """The product with a fast worker."""
    folder = tmp_path_factory.mktemp("shared")
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
    """The organisation in the database of the shared stack."""
    async with shared_stack.organisation(seed_rows) as organisation:
        yield organisation
    shared_stack.carrier.faults.clear()


@pytest.fixture
async def api(
    shared_stack: RunningStack, organisation: Organisation
) -> AsyncIterator[httpx2.AsyncClient]:
    """An API client of the shared stack."""
    async with shared_stack.api(organisation) as client:
        yield client


@pytest.fixture
def phone() -> str:
    """The number of the test's customer, who has no e-mail; the next 99 numbers are free."""
    return f"+1{next(numbers)}"


@pytest.fixture
def carrier(shared_stack: RunningStack) -> FakeProviders:
    """The carrier of the shared stack."""
    return shared_stack.carrier


@pytest.fixture
def told() -> dict[str, Any]:
    """Settings of the own stack, by their names in the environment; tests override them."""
    return {}


@pytest.fixture
def starts_web() -> bool:
    """Whether the own stack has a web process; tests override it."""
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
    """The organisation in the database of the own stack."""
    async with own_stack.organisation(seed_rows) as organisation:
        yield organisation


@pytest.fixture
async def own_stack_request(own_stack_organisation: Organisation, phone: str) -> ServiceRequest:
    """A request in the own stack, whose first text is queued."""
    customer = replace(MARTHA, phone=phone)
    return await own_stack_organisation.open(
        customer=customer, by=own_stack_organisation.people.tess.actor
    )

"""Random histories of operations, on a database and a clock of their own."""

import asyncio
import shutil
from collections.abc import Coroutine
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import time_machine
from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from portal.database import Database
from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.operations import Operations
from portal.settings import Settings
from tests.support.factories import Organisation, SeedRows, insert_seed_rows

STEPS = 25


class RandomHistory(RuleBasedStateMachine):
    """The base of random histories; the rules of a subclass are the possible steps."""

    settings: Settings
    seed_rows: SeedRows
    blank: Path
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.runner = asyncio.Runner()
        path = self.folder / f"{id(self)}.db"
        shutil.copyfile(self.blank, path)
        self.database = Database(f"sqlite+aiosqlite:///{path}")
        self.operations = Operations(
            self.settings, self.database, JobQueue(None), LiveUpdates(None)
        )
        self.time = time_machine.travel(datetime(2025, 6, 3, 14, tzinfo=UTC), tick=False)
        self.clock = self.time.start()

    def teardown(self) -> None:
        """Close the database, the event loop and the clock."""
        self.wait(self.database.close())
        self.runner.close()
        self.time.stop()

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end."""
        return self.runner.run(work)

    async def create_organisation(self) -> Organisation:
        """The organisation with its staff in the database."""
        self.organisation = Organisation(
            self.operations, self.database, await insert_seed_rows(self.database, self.seed_rows)
        )
        return self.organisation


def run_histories(machine: type[RandomHistory], histories: int, **attributes: Any) -> None:
    """Run this many histories of the machine, the same in each run.

    ``attributes`` sets its settings, seed rows, migrated database and folder.
    """
    run_state_machine_as_test(
        type(machine.__name__, (machine,), attributes),
        settings=effort(
            max_examples=histories,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
